/* A backup goes back, the world has seen more: nothing goes out twice. Real far sides: an eAkte folder, Exim,
 * and the HTTP counterpart for tickets; both journals (tests/servers/smtp.sh, postgres.sh). */
#include "core/date.h"
#include "core/http.h"
#include "deliver_support.h"
#include "journal/log_balance.h"
#include "journal/log_restore.h"

#include <stdlib.h>
#include <string.h>

#define BEARER "fixed-test-token"

struct stage {
	struct scene *scene;
	char *folder;
	struct sinks *parts[3];
	struct http_client *control;
	struct log_signer *signer;
	struct log_verifier *verifier;
	struct witness *witness;
};

static const char *environment(const char *name)
{
	const char *value = getenv(name);
	cr_assert_not_null(value, "%s is not set: run me by tests/servers/smtp.sh", name);
	return value;
}

static struct http_client *counterpart(void)
{
	g_autofree char *url = g_strdup_printf("https://localhost:%s", environment("TEST_HTTP_PORT"));
	const struct http_settings settings = {.url = url, .ca_file = environment("TEST_SMTP_CA")};
	return http_client_new(&settings, NULL);
}

static json_t *control(struct stage *stage, const char *name, const char *body)
{
	g_autofree char *path = g_strconcat("/_control/", name, NULL);
	const struct http_request request = {.method = body ? "POST" : "GET", .path = path};
	JSON_AUTO value = body ? json_read(body, strlen(body), NULL) : NULL;
	json_t *answer = http_json(stage->control, &request, value, NULL);
	cr_assert_not_null(answer);
	return answer;
}

static char *secret_file(const struct stage *stage, const char *name, const char *text)
{
	char *path = g_build_filename(stage->folder, name, NULL);
	cr_assert(g_file_set_contents_full(path, text, -1, 0, 0600, NULL));
	return path;
}

static void open_far_sides(struct stage *stage)
{
	const char *ca = environment("TEST_SMTP_CA");
	g_autofree char *token = secret_file(stage, "token", BEARER);
	g_autofree char *password = secret_file(stage, "password", "geheim & gut\n");
	g_autofree char *eakte = g_strdup_printf("eakte: {type: folder, path: %s/eakte}\n", stage->folder);
	g_autofree char *reply =
	        g_strdup_printf("reply_email: {type: smtp, host: localhost, port: %s, ca_file: %s,"
	                        " from: eingang@amt.example, bounce: bounce@amt.example, timeout: 5s,"
	                        " auth: plain, user: alice, password_file: %s}\n",
	                environment("TEST_SMTP_EXIM_PORT"), ca, password);
	g_autofree char *tickets = g_strdup_printf("tickets: {type: http, url: 'https://localhost:%s', "
	                                           "ca_file: %s, bearer_file: %s, timeout: 5s}\n",
	        environment("TEST_HTTP_PORT"), ca, token);
	stage->parts[0] = scene_real(stage->scene, SINK_EAKTE, eakte);
	stage->parts[1] = scene_real(stage->scene, SINK_REPLY_EMAIL, reply);
	stage->parts[2] = scene_real(stage->scene, SINK_TICKETS, tickets);
}

static void stage_open(struct stage *stage)
{
	*stage = (struct stage){.scene = scene_new(), .folder = fresh_folder(), .control = counterpart()};
	json_decref(control(stage, "reset", "{}"));
	open_far_sides(stage);
	stage->signer = log_signer_generate("test", NULL);
	g_autofree char *public = log_signer_verifier(stage->signer);
	stage->verifier = log_verifier_parse(public, NULL);
	g_autofree char *path = g_build_filename(stage->folder, "witness", NULL);
	struct witness_settings settings = {.place = path};
	stage->witness = witness_new(&settings, NULL);
}

static void stage_close(struct stage *stage)
{
	witness_free(stage->witness);
	log_verifier_free(stage->verifier);
	log_signer_free(stage->signer);
	http_client_free(stage->control);
	scene_free(stage->scene);
	for (size_t i = 0; i < G_N_ELEMENTS(stage->parts); i++)
		sinks_free(stage->parts[i]);
	remove_folder(stage->folder);
	g_free(stage->folder);
}

static void seal(struct stage *stage)
{
	struct seal_options options = {.signer = stage->signer, .witness = stage->witness};
	struct seal_result result = {0};
	do {
		CHECK(journal_seal(stage->scene->journal, &options, &result, &why));
	} while ((int64_t)result.size < number(stage->scene->journal, "SELECT count(*) FROM record"));
}

/* A relocation that is filed, answered, and gets a ticket. */
static int64_t arrives(struct stage *stage, const char *mark)
{
	struct new_delivery deliveries[] = {{.handler = "eakte", .params = json_object()},
	        {.handler = "reply",
	                .suffix = "umzug",
	                .params = reply_params("email"),
	                .at_most_once = true},
	        {.handler = "ticket",
	                .suffix = "leistung",
	                .params = json_pack("{s:s}", "queue", "leistung")}};
	g_autofree char *raw = g_strdup_printf("From: kunde@example.org\r\nTo: eingang@amt.example\r\n"
	                                       "Message-ID: <%s@example.org>\r\n\r\nIch ziehe um.\r\n",
	        mark);
	return scene_plan(stage->scene, CHANNEL_EMAIL, raw, "kunde@example.org", deliveries, 3, NULL, 0);
}

static void back_to_the_backup(struct stage *stage)
{
	struct scene *scene = stage->scene;
	facts_source_close(scene->facts);
	journal_close(scene->journal);
	place_restore(scene->place);
	scene->journal = place_open(scene->place);
	scene->facts = facts_source_open(scene->facts_config, scene->journal, NULL, NULL);
}

static bool add_entry(void *restoring, const struct sink_entry *entry)
{
	return restoring_add(restoring, "eakte", entry->key, entry->sha256, NULL);
}

static void list_eakte(struct stage *stage, sink_lister lister, void *context)
{
	const struct outlet *outlet = &stage->scene->sinks.outlets[SINK_EAKTE];
	const struct sink_world world = {.instance = journal_instance(stage->scene->journal)};
	struct sink_session *session = outlet->sink->open(outlet, &world, NULL);
	CHECK(outlet->sink->list(session, lister, context, &why));
	outlet->sink->close(session);
}

/* Accepts, having seen what stands in the eAkte; tells how much of it the journal did not know. */
static unsigned accept(struct stage *stage)
{
	struct witness_check check = {0};
	struct restore_result result;
	AUTO(restoring) restoring = restoring_new(stage->scene->journal);
	list_eakte(stage, add_entry, restoring);
	CHECK(journal_check_witness(
	        stage->scene->journal, stage->witness, &stage->verifier, 1, &check, &why));
	cr_assert_eq(check.state, WITNESS_AHEAD);
	CHECK(journal_restore_accept(stage->scene->journal, &check, restoring, &result, &why));
	witness_check_clear(&check);
	return restoring_sent(restoring, NULL)->len;
}

/* ---- what the world holds ---- */

static bool count_entry(void *count, const struct sink_entry *entry)
{
	(void)entry;
	++*(unsigned *)count;
	return true;
}

static unsigned documents(struct stage *stage)
{
	unsigned n = 0;
	list_eakte(stage, count_entry, &n);
	return n;
}

/* Mails of this journal that Exim has delivered; it is given the time to deliver one too many. */
static unsigned mails(struct stage *stage, unsigned expected)
{
	g_autofree char *folder = g_build_filename(environment("TEST_SMTP_EXIM_MAIL"), "new", NULL);
	g_autofree char *token = g_strdup_printf("<r.%s-", journal_instance(stage->scene->journal));
	unsigned n = 0;
	for (int i = 0; i < 100 && n < expected + (i > 20 ? 0 : 1); i++, g_usleep(50000)) {
		g_autoptr(GDir) dir = g_dir_open(folder, 0, NULL);
		const char *name;
		for (n = 0; dir && (name = g_dir_read_name(dir)) != NULL;) {
			g_autofree char *path = g_build_filename(folder, name, NULL), *text = NULL;
			n += g_file_get_contents(path, &text, NULL, NULL) && strstr(text, token);
		}
	}
	return n;
}

static size_t tickets(struct stage *stage)
{
	JSON_AUTO state = control(stage, "state", NULL);
	return json_array_size(json_object_get(state, "tickets"));
}

static void run(struct stage *stage)
{
	cr_assert(scene_round(stage->scene));
}

Test(restore, nothing_goes_out_twice_after_a_backup_went_back, .timeout = 120)
{
	struct stage stage;
	stage_open(&stage);
	arrives(&stage, "before");
	run(&stage);                                       /* all of it stands in the backup */
	int64_t planned_item = arrives(&stage, "planned"); /* its effects do not */
	seal(&stage);
	place_backup(stage.scene->place);
	run(&stage);
	int64_t lost = arrives(&stage, "lost"); /* nor does this item at all */
	run(&stage);
	seal(&stage);
	cr_assert_eq(documents(&stage), 3);
	cr_assert_eq(mails(&stage, 3), 3);
	cr_assert_eq(tickets(&stage), 3);

	back_to_the_backup(&stage);
	cr_assert_eq(accept(&stage), 2, "the planned and the lost item are in the eAkte beyond the journal");
	run(&stage);
	cr_assert_eq(arrives(&stage, "lost"), lost, "taken in again under its old number");
	run(&stage);
	cr_assert_eq(documents(&stage), 3);
	cr_assert_eq(mails(&stage, 3), 3);
	cr_assert_eq(tickets(&stage), 3);
	cr_assert_eq(scene_tasks(stage.scene, "reply_uncertain"), 2);
	g_autofree char *filed = scene_state(stage.scene, planned_item, "eakte");
	cr_assert_str_eq(filed, "confirmed");
	stage_close(&stage);
}

Test(restore, an_item_nobody_can_tell_about_gets_a_person_and_no_second_ticket, .timeout = 120)
{
	struct stage stage;
	stage_open(&stage);
	seal(&stage);
	place_backup(stage.scene->place);
	struct new_delivery ticket = {.handler = "ticket", .params = json_object()};
	scene_plan(stage.scene, CHANNEL_EMAIL, "Subject: s\r\n\r\nStand?\r\n", "a@example.org", &ticket, 1,
	        NULL, 0);
	run(&stage);
	seal(&stage);
	back_to_the_backup(&stage);
	accept(&stage);
	struct new_delivery again = {.handler = "ticket", .params = json_object()};
	int64_t item = scene_plan(stage.scene, CHANNEL_EMAIL, "Subject: s\r\n\r\nStand?\r\n", "a@example.org",
	        &again, 1, NULL, 0);
	run(&stage);
	cr_assert_eq(tickets(&stage), 1);
	cr_assert_eq(scene_tasks(stage.scene, "klaerung"), 1);
	g_autofree char *state = scene_state(stage.scene, item, "ticket");
	cr_assert_str_eq(state, "uncertain restored");
	stage_close(&stage);
}

struct far {
	struct balance_far *far;
};

static bool add_document(void *data, const struct sink_entry *entry)
{
	const struct far *far = data;
	return balance_far_add(far->far, entry->key, entry->sha256, entry->size, NULL);
}

Test(restore, the_books_balance_with_the_real_eakte_and_an_orphan_is_found, .timeout = 120)
{
	struct stage stage;
	stage_open(&stage);
	arrives(&stage, "one");
	run(&stage);
	struct balance_options options = {.from = DAY_NONE, .to = DAY_NONE};
	for (int orphan = 0; orphan < 2; orphan++) {
		if (orphan)
			CHECK(db_script(journal_db(stage.scene->journal),
			        "UPDATE delivery SET key = 'x', state = 'due' WHERE handler = 'eakte'",
			        &why));
		AUTO(balance_report) report = journal_balance(stage.scene->journal, &options, NULL);
		AUTO(balance_far) far = balance_far_new(stage.scene->journal, &options, report);
		struct far data = {far};
		list_eakte(&stage, add_document, &data);
		CHECK(balance_far_end(far, &why));
		cr_assert_eq(report->differences->len, (guint)orphan);
		cr_assert_eq(report->documents, 1);
	}
	stage_close(&stage);
}
