/* provider.h - where facts come from: the contract of a facts provider.
 *
 * A look-up never fails an item: what cannot be asked in time is unknown, and *error tells the caller once
 * for its log. Providers are asked in the order of the configuration; the first that knows a fact has it.
 */
#ifndef FACTS_PROVIDER_H
#define FACTS_PROVIDER_H

#include "config/option.h"
#include "core/auto.h"
#include "facts/facts.h"
#include "journal/journal.h"

#include <glib.h>
#include <stdbool.h>
#include <stdint.h>

/* Whom one question is about. All borrowed, NULL where not known; not normalised. */
struct facts_query {
	const GPtrArray *kundennummern; /* of char *; more than one: asked in order, see facts_look_up() */
	const char *email;              /* sender's address */
	const char *name;               /* sender's name */
	const char *item;               /* public name of the item */
	/* out */
	struct facts facts; /* unknown where nobody knows */
	bool answered;      /* at least one provider knew the case */
};

struct facts_provider;
struct facts_session; /* a provider's own, opaque */

struct facts_outlet { /* one provider as configured */
	const struct facts_provider *provider;
	void *settings;
};

struct facts_provider {
	const char *name; /* `type:` in the configuration */
	const char *summary;
	const struct option *options;
	size_t settings_size;

	/* Checks what no single row can; may be NULL. `settings` may be completed from `map`. */
	void (*check)(void *settings, const struct yaml_node *map, struct diag *diag);
	/* Keys beside the options that check() reads itself; NULL-terminated, or NULL. */
	const char *const *also;
	/* Frees what check() made; may be NULL. */
	void (*clear)(void *settings);

	/* One thread's session. `journal` is that thread's handle and outlives it. No I/O. */
	struct facts_session *(*open)(const struct facts_outlet *outlet, struct journal *journal,
	        const volatile gint *stop, GError **error);

	/* Answers `n` questions, each with at most one Kundennummer, normalised, and a normalised address:
	 * results[i] is all unknown, and known[i] false, where this provider knows nothing. False with
	 * *error: could not be asked (all of them unknown). May block up to the provider's time limit for the
	 * whole batch; returns at once while its circuit breaker is open. */
	bool (*look_up)(struct facts_session *session, const struct facts_query *queries, unsigned n,
	        struct facts *results, bool *known, GError **error);

	void (*close)(struct facts_session *session); /* takes NULL */
};

extern const struct facts_provider *const facts_providers[]; /* providers.c, NULL-terminated */
const struct facts_provider *facts_provider_find(const char *name);

/* The `facts:` section: a list of providers, or one map. NULL map: the table alone. */
struct facts_config {
	GPtrArray *outlets; /* of struct facts_outlet */
};
struct facts_config *facts_config_load(const struct yaml_node *section, struct diag *diag);
void facts_config_free(struct facts_config *config);
AUTO_FREE(facts_config);

/* All providers opened for one thread. */
struct facts_source;
struct facts_source *facts_source_open(const struct facts_config *config, struct journal *journal,
        const volatile gint *stop, GError **error);
void facts_source_close(struct facts_source *source);
static inline void facts_source_free(struct facts_source *source)
{
	facts_source_close(source);
}
AUTO_FREE(facts_source);

/* Fills `facts` and `answered` of each query. False: some provider could not be asked (the facts are what the
 * others know; *error says why, for one log line), never a reason to hold an item. Several Kundennummern of
 * one query: facts on which their cases differ are unknown. NULL source: all unknown. */
bool facts_look_up(struct facts_source *source, struct facts_query *queries, unsigned n, GError **error);

/* A Kundennummer or address in the form in which providers compare it: "123A456789", lower case. NULL if it
 * cannot be one. Free with g_free. */
char *facts_normalise_kundennummer(const char *text);
char *facts_normalise_email(const char *text);

#endif
