/* route_support.h - a journal with the shipped bundle active, items in one line, and a route phase over it.
 */
#ifndef TESTS_ROUTE_SUPPORT_H
#define TESTS_ROUTE_SUPPORT_H

#include "classifiers/route.h"
#include "journal/bundles.h"
#include "tests/unit/journal/fixture.h"

struct desk {
	struct place *place;
	struct journal *journal;
	struct pipeline_active *active;
	struct limits limits;
	struct facts_config *facts; /* NULL: nothing is known */
};

/* `bundle` (taken over) becomes the active one; NULL: the shipped one. */
struct desk *desk_new(struct bundle *bundle);
void desk_free(struct desk *desk);
AUTO_FREE(desk);

/* The shipped bundle; with another text in place of one in file `path` if that is not NULL. */
struct bundle *bundle_with(const char *path, const char *from, const char *to);
/* Stores and activates; returns its hash (free with g_free). */
char *desk_activate(struct desk *desk, struct bundle *bundle);

/* Takes one item in and returns its number. */
int64_t take_form(struct desk *desk, const char *key, const char *received, const char *form_json);
int64_t take_mail(struct desk *desk, const char *key, const char *received, const char *mail);
int64_t take_item(struct desk *desk, struct item *item, bool in_future);

/* Routes all there is and returns the counts. */
struct route_counts route_all(struct desk *desk);
struct route *desk_route(struct desk *desk);

/* "eakte,reply/umzug" of the deliveries and "process_notice,klaerung" of the open tasks, sorted. */
char *deliveries_of(struct desk *desk, int64_t item);
char *tasks_of(struct desk *desk, int64_t item);

#endif
