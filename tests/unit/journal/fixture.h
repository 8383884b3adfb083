/* fixture.h - a fresh journal per test: SQLite, or with TEST_POSTGRES in the environment a schema of its own.
 */
#ifndef TEST_JOURNAL_FIXTURE_H
#define TEST_JOURNAL_FIXTURE_H

#include "journal/bundles.h"
#include "journal/deliveries.h"
#include "journal/items.h"
#include "journal/journal.h"
#include "journal/sources.h"
#include "journal/tasks.h"

#include <criterion/criterion.h>

#define SECOND INT64_C(1000000)
#define MINUTE (60 * SECOND)
#define HOUR   (60 * MINUTE)
#define DAY    (24 * HOUR)
#define BUNDLE "aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa"

struct place; /* where the journal of this test lives */

struct place *place_new(void);
void place_free(struct place *place);
AUTO_FREE(place);
bool place_is_postgres(const struct place *place);
const char *place_path(const struct place *place);     /* SQLite */
const char *place_conninfo(const struct place *place); /* PostgreSQL */
struct journal_options place_options(const struct place *place);
/* Opens (migrating) or fails the test. */
struct journal *place_open(struct place *place);

/* A copy of the whole journal as it is now, and back to it: what an administrator's backup does. No handle
 * may be open while it goes back. */
void place_backup(struct place *place);
void place_restore(struct place *place);

/* Fails the test with the message if there is an error. */
void check_ok(bool ok, GError *error, const char *what);
#define CHECK(call)                                                                                          \
	do {                                                                                                 \
		GError *why = NULL;                                                                          \
		bool ok = (call);                                                                            \
		check_ok(ok, why, #call);                                                                    \
	} while (0)

/* One integer of a query. */
int64_t number(struct journal *journal, const char *sql);
int64_t records_of(struct journal *journal, const char *event);
/* The detail of the latest record of that event; new reference. */
json_t *last_detail(struct journal *journal, const char *event);

/* An e-mail with that key and text, received at `received`. */
struct item *mail(const char *key, const char *text, int64_t received);
/* Takes in `n` mails "1:from" … with different texts. Returns the first number. */
int64_t take_mails(struct journal *journal, unsigned from, unsigned n);
void activate(struct journal *journal, const char *hash);

/* A decision for a claim, with nothing to do. */
struct new_decision plain_decision(const struct item_claim *claim);
GPtrArray *claim_items(struct journal *journal, unsigned max, int64_t duration);
GPtrArray *claim_deliveries(struct journal *journal, const char *handler, int64_t now);
/* Takes in one mail and decides it with one delivery of that handler. */
int64_t planned(struct journal *journal, unsigned key, const char *handler, bool at_most_once);

#endif
