/* deliver_support.h - a journal with planned deliveries, and sinks that do as a test says. */
#ifndef TEST_SINKS_DELIVER_SUPPORT_H
#define TEST_SINKS_DELIVER_SUPPORT_H

#include "../journal/fixture.h"
#include "sinks/deliver.h"
#include "support.h"

/* A sink under the test's hand: counts calls and fails as told. */
struct puppet {
	unsigned calls; /* jobs tried */
	enum error_scope_or_ok {
		PUPPET_OK,
		PUPPET_ITEM_LATER,
		PUPPET_ITEM_NEVER,
		PUPPET_UNCERTAIN,
		PUPPET_SOURCE
	} answer;
	void (*before)(void *context); /* called before the answer; may be NULL */
	void *context;
	char *last_to; /* of the last reply */
};

struct scene {
	struct place *place;
	struct journal *journal;
	struct sinks sinks;
	struct templates *templates;
	struct limits limits;
	struct facts_config *facts_config;
	struct facts_source *facts;
	volatile gint stop;
	bool hold;
	int64_t now;
	struct puppet puppets[SINK_ROLES];
	struct deliver_counts counts; /* of the last round */
};

/* An empty journal, every role a puppet that says yes; now is 8 April 2024, 12:00. */
struct scene *scene_new(void);
void scene_free(struct scene *scene);
AUTO_FREE(scene);
/* Takes the sink of that role away. */
void scene_without(struct scene *scene, enum sink_role role);
/* Replaces the puppet by what the YAML says. */
struct sinks *scene_real(struct scene *scene, enum sink_role role, const char *yaml);

/* A mail (or other channel) taken in and decided with these; returns the item. `params` is stolen. */
int64_t scene_plan(struct scene *scene, enum channel channel, const char *raw, const char *envelope_from,
        struct new_delivery *deliveries, unsigned n, struct new_task *tasks, unsigned n_tasks);
int64_t scene_plan_one(struct scene *scene, const char *handler, json_t *params);
/* A reply to a plain mail from kunde@example.org with that extra header ("" or "X: y\r\n"). */
int64_t scene_plan_reply(struct scene *scene, const char *header, json_t *params);
json_t *reply_params(const char *channel);

/* One round; true if it said that all went well. */
bool scene_round(struct scene *scene);

/* State of the item's only delivery of that handler; NULL if there is none. Free with g_free. */
char *scene_state(struct scene *scene, int64_t item, const char *handler);
int scene_attempts(struct scene *scene, int64_t item);
/* The open tasks of that kind. */
int64_t scene_tasks(struct scene *scene, const char *kind);

#endif
