#include "deliver_support.h"
#include "config/deployment.h"
#include "core/date.h"
#include "core/error.h"

#include <string.h>

struct sink_session {
	struct puppet *puppet;
};

static struct sink_session *puppet_open(
        const struct outlet *outlet, const struct sink_world *world, GError **error)
{
	(void)world, (void)error;
	struct sink_session *session = g_new0(struct sink_session, 1);
	session->puppet = outlet->settings;
	return session;
}

static void puppet_close(struct sink_session *session)
{
	g_free(session);
}

static void answer(struct puppet *puppet, struct sink_job *job)
{
	switch (puppet->answer) {
	case PUPPET_OK:
		job->done = true;
		job->receipt = json_object();
		json_set_string(job->receipt, "id", "42");
		break;
	case PUPPET_ITEM_LATER:
		fail_as(&job->error, ERROR_AGAIN, SCOPE_ITEM, WHEN_LATER, "puppet: later");
		break;
	case PUPPET_ITEM_NEVER:
		fail_as(&job->error, ERROR_DENIED, SCOPE_ITEM, WHEN_NEVER, "puppet: never");
		break;
	case PUPPET_UNCERTAIN:
		fail_as(&job->error, ERROR_UNCERTAIN, SCOPE_ITEM, WHEN_LATER, "puppet: who knows");
		break;
	case PUPPET_SOURCE:
		fail(&job->error, ERROR_UNAVAILABLE, "puppet: down");
		break;
	}
}

static void puppet_deliver(struct sink_session *session, struct sink_job *const *jobs, unsigned n)
{
	struct puppet *puppet = session->puppet;
	for (unsigned i = 0; i < n; i++) {
		puppet->calls++;
		if (jobs[i]->reply) {
			g_free(puppet->last_to);
			puppet->last_to = g_strdup(jobs[i]->reply->to);
		}
		if (puppet->before)
			puppet->before(puppet->context);
		answer(puppet, jobs[i]);
		if (puppet->answer == PUPPET_SOURCE)
			return;
	}
}

static char *puppet_describe(const struct outlet *outlet)
{
	(void)outlet;
	return g_strdup("puppet");
}

/* As the real ones: replies at most once and one by one, the others repeatable. */
static const struct sink puppet_reply = {
        .name = "puppet",
        .batch = 1,
        .open = puppet_open,
        .deliver = puppet_deliver,
        .close = puppet_close,
        .describe = puppet_describe,
};
static const struct sink puppet_other = {
        .name = "puppet",
        .repeatable = true,
        .batch = 50,
        .open = puppet_open,
        .deliver = puppet_deliver,
        .close = puppet_close,
        .describe = puppet_describe,
};

struct scene *scene_new(void)
{
	struct scene *scene = g_new0(struct scene, 1);
	scene->place = place_new();
	scene->journal = place_open(scene->place);
	activate(scene->journal, BUNDLE);
	scene->now = berlin_instant(day_from_civil(2024, 4, 8), 12);
	scene->limits = (struct limits){
	        .batch = 100, .lease = 300, .attempts = 3, .retry_first = 30, .retry_most = 3600};
	for (enum sink_role role = 0; role < SINK_ROLES; role++) {
		bool reply = role == SINK_REPLY_EMAIL || role == SINK_REPLY_POSTBOX;
		scene->sinks.outlets[role] =
		        (struct outlet){role, reply ? &puppet_reply : &puppet_other, &scene->puppets[role]};
	}
	scene->sinks.own_addresses = g_ptr_array_new_with_free_func(g_free);
	AUTO(diag) diag = diag_new();
	AUTO(bundle) bundle = bundle_read(SOURCE_DIR "/config", NULL);
	scene->templates = templates_load(bundle, diag);
	scene->facts_config = facts_config_load(NULL, diag);
	cr_assert_eq(diag_count(diag, SEVERITY_ERROR), 0);
	scene->facts = facts_source_open(scene->facts_config, scene->journal, NULL, NULL);
	return scene;
}

void scene_free(struct scene *scene)
{
	if (!scene)
		return;
	facts_source_close(scene->facts);
	facts_config_free(scene->facts_config);
	templates_free(scene->templates);
	journal_close(scene->journal);
	place_free(scene->place);
	g_ptr_array_unref(scene->sinks.own_addresses);
	for (int i = 0; i < SINK_ROLES; i++)
		g_free(scene->puppets[i].last_to);
	g_free(scene);
}

void scene_without(struct scene *scene, enum sink_role role)
{
	scene->sinks.outlets[role] = (struct outlet){.role = role};
}

struct sinks *scene_real(struct scene *scene, enum sink_role role, const char *yaml)
{
	g_autofree char *findings = NULL;
	struct sinks *sinks = sinks_of(yaml, &findings);
	cr_assert_not_null(sinks->outlets[role].sink, "%s", findings);
	scene->sinks.outlets[role] = sinks->outlets[role];
	return sinks;
}

static int64_t take_in(struct scene *scene, enum channel channel, const char *raw, const char *envelope_from)
{
	static int number_of_item;
	GError *error = NULL;
	AUTO(mailbox_lease) lease = journal_lease_mailbox(scene->journal, "quelle", "INBOX", MINUTE, &error);
	check_ok(lease != NULL, error, "lease");
	g_autofree char *key = g_strdup_printf("id-%d", ++number_of_item);
	AUTO(item) item = mail(key, raw, scene->now - DAY);
	item->channel = channel;
	if (envelope_from)
		json_set_string(item->fields, "envelope_from", envelope_from);
	struct intake_entry entry = {.item = item};
	struct intake_batch batch = {.entries = &entry, .n_entries = 1, .seen = 1};
	CHECK(journal_take_in(scene->journal, lease, &batch, &why));
	CHECK(journal_release_mailbox(scene->journal, lease, &why));
	return entry.id;
}

int64_t scene_plan(struct scene *scene, enum channel channel, const char *raw, const char *envelope_from,
        struct new_delivery *deliveries, unsigned n, struct new_task *tasks, unsigned n_tasks)
{
	int64_t item = take_in(scene, channel, raw, envelope_from);
	g_autoptr(GPtrArray) claims = claim_items(scene->journal, 1, MINUTE);
	cr_assert_eq(claims->len, 1);
	struct new_decision decision = plain_decision(g_ptr_array_index(claims, 0));
	JSON_AUTO facts = json_object();
	json_set_int(facts, "asked", scene->now);
	decision.facts = facts;
	decision.deliveries = deliveries;
	decision.n_deliveries = n;
	decision.tasks = tasks;
	decision.n_tasks = n_tasks;
	CHECK(journal_commit_decisions(scene->journal, BUNDLE, &decision, 1, scene->now, &why));
	for (unsigned i = 0; i < n; i++)
		json_decref(deliveries[i].params);
	return item;
}

int64_t scene_plan_one(struct scene *scene, const char *handler, json_t *params)
{
	struct new_delivery delivery = {.handler = handler, .params = params};
	g_autofree char *raw = g_strdup_printf("Subject: x\r\n\r\nInhalt %d\r\n", (int)g_random_int());
	return scene_plan(scene, CHANNEL_EMAIL, raw, "kunde@example.org", &delivery, 1, NULL, 0);
}

json_t *reply_params(const char *channel)
{
	return json_pack("{s:s,s:s,s:s,s:s}", "channel", channel, "template", "umzug", "concern", "umzug",
	        "to", "kunde@example.org");
}

int64_t scene_plan_reply(struct scene *scene, const char *header, json_t *params)
{
	struct new_delivery delivery = {
	        .handler = "reply", .suffix = "umzug", .params = params, .at_most_once = true};
	bool postbox = strcmp(json_get_string(params, "channel"), "postbox") == 0;
	g_autofree char *raw = g_strdup_printf("From: kunde@example.org\r\nTo: eingang@amt.example\r\n"
	                                       "Message-ID: <m1@example.org>\r\n%s\r\nIch ziehe um. %d\r\n",
	        header, (int)g_random_int());
	return scene_plan(scene, postbox ? CHANNEL_POSTBOX : CHANNEL_EMAIL, raw,
	        postbox ? NULL : "kunde@example.org", &delivery, 1, NULL, 0);
}

bool scene_round(struct scene *scene)
{
	const struct deliver_options options = {
	        .sinks = &scene->sinks,
	        .templates = scene->templates,
	        .facts = scene->facts,
	        .limits = &scene->limits,
	        .hold_effects = scene->hold,
	        .stop = &scene->stop,
	};
	AUTO(deliver) deliver = deliver_new(&options);
	scene->counts = (struct deliver_counts){0};
	g_autoptr(GError) error = NULL;
	bool ok = deliver_round(deliver, scene->journal, scene->now, &scene->counts, &error);
	cr_assert(ok || error_class(error) == ERROR_UNAVAILABLE, "%s", error->message);
	cr_assert_eq(ok, error == NULL);
	return ok;
}

static struct delivery_view *view_of(GPtrArray *views, const char *handler)
{
	for (guint i = 0; i < views->len; i++) {
		struct delivery_view *view = g_ptr_array_index(views, i);
		if (!handler || strcmp(view->handler, handler) == 0)
			return view;
	}
	return NULL;
}

char *scene_state(struct scene *scene, int64_t item, const char *handler)
{
	g_autoptr(GPtrArray) views = journal_item_deliveries(scene->journal, item, NULL);
	const struct delivery_view *view = view_of(views, handler);
	return view ? g_strdup_printf("%s%s%s", view->state, view->reason ? " " : "",
	                      view->reason ? view->reason : "")
	            : NULL;
}

int scene_attempts(struct scene *scene, int64_t item)
{
	g_autoptr(GPtrArray) views = journal_item_deliveries(scene->journal, item, NULL);
	return view_of(views, NULL)->attempts;
}

int64_t scene_tasks(struct scene *scene, const char *kind)
{
	const struct task_filter filter = {.kind = kind};
	g_autoptr(GPtrArray) tasks = journal_tasks(scene->journal, &filter, NULL);
	return tasks->len;
}
