/* The deliver phase on a real journal: what goes out, what comes back as a task, and what must never happen.
 */
#include "core/date.h"
#include "deliver_support.h"
#include "journal/content.h"
#include "journal/fact_table.h"
#include "journal/reply_token.h"

#include <signal.h>
#include <stdio.h>
#include <string.h>
#include <sys/wait.h>
#include <unistd.h>

static void state_is(struct scene *scene, int64_t item, const char *handler, const char *expected)
{
	g_autofree char *state = scene_state(scene, item, handler);
	cr_assert_not_null(state);
	cr_assert_str_eq(state, expected, "%s is %s", handler, state);
}

/* The state without its reason. */
static void ends_as(struct scene *scene, int64_t item, const char *handler, const char *expected)
{
	g_autofree char *state = scene_state(scene, item, handler);
	cr_assert(state && g_str_has_prefix(state, expected), "%s is %s", handler, state);
}

/* ---- documents ---- */

Test(deliver, documents_go_out_once_and_a_second_round_has_nothing_to_do)
{
	AUTO(scene) scene = scene_new();
	int64_t items[70];
	for (int i = 0; i < 70; i++)
		items[i] = scene_plan_one(scene, "eakte", NULL);
	cr_assert(scene_round(scene));
	cr_assert_eq(scene->puppets[SINK_EAKTE].calls, 70);
	cr_assert_eq(scene->counts.confirmed, 70);
	for (int i = 0; i < 70; i++)
		state_is(scene, items[i], "eakte", "confirmed");
	cr_assert(scene_round(scene));
	cr_assert_eq(scene->puppets[SINK_EAKTE].calls, 70);
	cr_assert_eq(scene->counts.confirmed, 0);
}

Test(deliver, the_original_bytes_reach_the_folder_and_a_lost_commit_makes_no_second_document)
{
	AUTO(scene) scene = scene_new();
	g_autofree char *folder = fresh_folder();
	g_autofree char *yaml = g_strdup_printf("eakte: {type: folder, path: %s}\n", folder);
	AUTO(sinks) real = scene_real(scene, SINK_EAKTE, yaml);
	int64_t item = scene_plan_one(scene, "eakte", NULL);
	cr_assert(scene_round(scene));
	state_is(scene, item, "eakte", "confirmed");
	g_autofree char *before = files_below(folder);
	cr_assert(strstr(before, "_eakte.eml\n"), "%s", before);
	/* As if the worker had died between effect and commit. */
	CHECK(db_script(
	        journal_db(scene->journal), "UPDATE delivery SET state = 'due', leased_until = 0", &why));
	cr_assert(scene_round(scene));
	g_autofree char *after = files_below(folder);
	cr_assert_str_eq(before, after);
	state_is(scene, item, "eakte", "confirmed");
	remove_folder(folder);
}

/* Takes in an item of `size` bytes, streamed, decided with one eAkte delivery. */
static int64_t plan_streamed(struct scene *scene, size_t size)
{
	GError *error = NULL;
	AUTO(mailbox_lease) lease = journal_lease_mailbox(scene->journal, "gross", "INBOX", MINUTE, &error);
	check_ok(lease != NULL, error, "lease");
	AUTO(content) content = content_begin(scene->journal, INT64_C(100) << 20, &error);
	check_ok(content != NULL, error, "content_begin");
	g_autofree char *bytes = g_strnfill(size, 'x');
	CHECK(content_append(content, bytes, size, &why));
	CHECK(content_finish(content, &why));
	g_autofree char *key = g_strdup_printf("gross-%zu", size);
	AUTO(item) item = mail(key, "", scene->now - DAY);
	g_clear_pointer(&item->raw, g_bytes_unref);
	memcpy(item->sha256, content_sha256(content), HASH_HEX_SIZE);
	struct intake_entry entry = {.item = item, .content = content};
	struct intake_batch batch = {.entries = &entry, .n_entries = 1, .seen = 1};
	CHECK(journal_take_in(scene->journal, lease, &batch, &why));
	CHECK(journal_release_mailbox(scene->journal, lease, &why));
	g_autoptr(GPtrArray) claims = claim_items(scene->journal, 1, MINUTE);
	struct new_decision decision = plain_decision(g_ptr_array_index(claims, 0));
	struct new_delivery delivery = {.handler = "eakte"};
	decision.deliveries = &delivery;
	decision.n_deliveries = 1;
	CHECK(journal_commit_decisions(scene->journal, BUNDLE, &decision, 1, scene->now, &why));
	return decision.item;
}

Test(deliver, large_and_empty_items_arrive_whole)
{
	AUTO(scene) scene = scene_new();
	g_autofree char *folder = fresh_folder();
	g_autofree char *yaml = g_strdup_printf("eakte: {type: folder, path: %s}\n", folder);
	AUTO(sinks) real = scene_real(scene, SINK_EAKTE, yaml);
	static const size_t sizes[] = {
	        0, 1, CONTENT_CHUNK - 1, CONTENT_CHUNK, CONTENT_CHUNK + 1, 3 * CONTENT_CHUNK + 7};
	int64_t items[G_N_ELEMENTS(sizes)];
	for (size_t i = 0; i < G_N_ELEMENTS(sizes); i++)
		items[i] = plan_streamed(scene, sizes[i]);
	int64_t small = scene_plan_one(scene, "eakte", NULL);
	cr_assert(scene_round(scene));
	for (size_t i = 0; i < G_N_ELEMENTS(sizes); i++)
		state_is(scene, items[i], "eakte", "confirmed");
	state_is(scene, small, "eakte", "confirmed");
	remove_folder(folder);
}

Test(deliver, an_item_whose_content_is_gone_is_a_task_and_holds_up_no_other)
{
	AUTO(scene) scene = scene_new();
	g_autofree char *folder = fresh_folder();
	g_autofree char *yaml = g_strdup_printf("eakte: {type: folder, path: %s}\n", folder);
	AUTO(sinks) real = scene_real(scene, SINK_EAKTE, yaml);
	int64_t gone = scene_plan_one(scene, "eakte", NULL);
	CHECK(db_script(journal_db(scene->journal), "DELETE FROM content", &why));
	int64_t other = scene_plan_one(scene, "eakte", NULL);
	cr_assert(scene_round(scene));
	state_is(scene, gone, "eakte", "failed input");
	state_is(scene, other, "eakte", "confirmed");
	cr_assert_eq(scene_tasks(scene, "dead_letter"), 1);
	remove_folder(folder);
}

Test(deliver, a_sink_that_is_down_stops_only_itself_and_costs_no_attempt)
{
	AUTO(scene) scene = scene_new();
	int64_t eakte[60];
	for (int i = 0; i < 60; i++)
		eakte[i] = scene_plan_one(scene, "eakte", NULL);
	int64_t archive = scene_plan_one(scene, "archive", NULL);
	int64_t reply = scene_plan_reply(scene, "", reply_params("email"));
	scene->puppets[SINK_EAKTE].answer = PUPPET_SOURCE;
	cr_assert_not(scene_round(scene), "the round says that something was down");
	cr_assert_eq(scene->counts.sinks_down, 1u << SINK_EAKTE);
	cr_assert_eq(scene->puppets[SINK_EAKTE].calls, 1, "asked once, not for each of the 60");
	cr_assert_eq(scene->counts.returned, 60);
	state_is(scene, archive, "archive", "confirmed");
	state_is(scene, reply, "reply", "confirmed");
	for (int i = 0; i < 60; i++) {
		state_is(scene, eakte[i], "eakte", "due");
		cr_assert_eq(scene_attempts(scene, eakte[i]), 0);
	}
	scene->puppets[SINK_EAKTE].answer = PUPPET_OK;
	cr_assert(scene_round(scene));
	cr_assert_eq(scene->counts.confirmed, 60);
}

Test(deliver, a_delivery_that_fails_by_itself_is_retried_later_and_then_becomes_a_task)
{
	AUTO(scene) scene = scene_new();
	int64_t bad = scene_plan_one(scene, "eakte", NULL);
	scene->puppets[SINK_EAKTE].answer = PUPPET_ITEM_LATER;
	cr_assert(scene_round(scene));
	ends_as(scene, bad, "eakte", "due");
	cr_assert_eq(scene_attempts(scene, bad), 1);
	cr_assert(scene_round(scene));
	cr_assert_eq(scene->puppets[SINK_EAKTE].calls, 1, "not before its time");
	for (int i = 0; i < 2; i++) {
		scene->now += 2 * HOUR;
		cr_assert(scene_round(scene));
	}
	cr_assert_eq(scene->puppets[SINK_EAKTE].calls, 3);
	state_is(scene, bad, "eakte", "failed attempts");
	cr_assert_eq(scene_tasks(scene, "dead_letter"), 1);
	scene->now += 2 * HOUR;
	cr_assert(scene_round(scene));
	cr_assert_eq(scene->puppets[SINK_EAKTE].calls, 3);
}

Test(deliver, a_final_refusal_is_a_task_at_once)
{
	AUTO(scene) scene = scene_new();
	int64_t bad = scene_plan_one(scene, "archive", NULL);
	scene->puppets[SINK_ARCHIVE].answer = PUPPET_ITEM_NEVER;
	cr_assert(scene_round(scene));
	state_is(scene, bad, "archive", "failed refused");
	cr_assert_eq(scene_tasks(scene, "dead_letter"), 1);
}

Test(deliver, an_unknown_outcome_of_a_repeatable_sink_is_tried_again_under_the_same_key)
{
	AUTO(scene) scene = scene_new();
	int64_t item = scene_plan_one(scene, "archive", NULL);
	scene->puppets[SINK_ARCHIVE].answer = PUPPET_UNCERTAIN;
	cr_assert(scene_round(scene));
	ends_as(scene, item, "archive", "due");
	scene->puppets[SINK_ARCHIVE].answer = PUPPET_OK;
	scene->now += HOUR;
	cr_assert(scene_round(scene));
	state_is(scene, item, "archive", "confirmed");
}

/* ---- replies ---- */

Test(deliver, a_reply_goes_to_the_sender_once)
{
	AUTO(scene) scene = scene_new();
	int64_t item = scene_plan_reply(scene, "", reply_params("email"));
	cr_assert(scene_round(scene));
	state_is(scene, item, "reply", "confirmed");
	cr_assert_str_eq(scene->puppets[SINK_REPLY_EMAIL].last_to, "kunde@example.org");
	cr_assert_eq(records_of(scene->journal, "delivery.sending"), 1);
	cr_assert(scene_round(scene));
	cr_assert_eq(scene->puppets[SINK_REPLY_EMAIL].calls, 1);
}

Test(deliver, a_reply_is_a_finished_mail_without_a_word_of_the_customer)
{
	AUTO(scene) scene = scene_new();
	g_autofree char *folder = fresh_folder();
	g_autofree char *yaml =
	        g_strdup_printf("reply_email: {type: folder, path: %s, from: eingang@amt.example}\n", folder);
	AUTO(sinks) real = scene_real(scene, SINK_REPLY_EMAIL, yaml);
	int64_t item =
	        scene_plan_reply(scene, "Subject: Anna Beispiel, 123A456789\r\n", reply_params("email"));
	cr_assert(scene_round(scene));
	state_is(scene, item, "reply", "confirmed");
	g_autofree char *names = files_below(folder);
	g_autofree char *text = file_text(folder, names);
	cr_assert(strstr(text, "In-Reply-To: <m1@example.org>"));
	cr_assert(strstr(text, "To: kunde@example.org\r\n"));
	cr_assert_null(strstr(text, "Anna"));
	cr_assert_null(strstr(text, "123A456789"));
	cr_assert_null(strstr(text, "ziehe"));
	remove_folder(folder);
}

Test(deliver, what_a_machine_wrote_gets_no_reply_even_if_routing_had_missed_it)
{
	AUTO(scene) scene = scene_new();
	int64_t automatic =
	        scene_plan_reply(scene, "Auto-Submitted: auto-replied\r\n", reply_params("email"));
	int64_t list = scene_plan_reply(scene, "List-Id: x\r\n", reply_params("email"));
	cr_assert(scene_round(scene));
	state_is(scene, automatic, "reply", "suppressed auto_submitted");
	state_is(scene, list, "reply", "suppressed list");
	cr_assert_eq(scene->puppets[SINK_REPLY_EMAIL].calls, 0);
}

Test(deliver, a_reply_to_anybody_but_the_envelope_sender_is_barred)
{
	AUTO(scene) scene = scene_new();
	json_t *params = reply_params("email");
	json_set_string(params, "to", "jemand@anderes.example");
	int64_t item = scene_plan_reply(scene, "Reply-To: jemand@anderes.example\r\n", params);
	cr_assert(scene_round(scene));
	state_is(scene, item, "reply", "suppressed not_the_sender");
	cr_assert_eq(scene->puppets[SINK_REPLY_EMAIL].calls, 0);
}

Test(deliver, what_cannot_be_sent_becomes_a_draft_for_a_person)
{
	AUTO(scene) scene = scene_new();
	json_t *nowhere = reply_params("email"), *draft = reply_params("email"),
	       *unknown = reply_params("email");
	json_object_del(nowhere, "to");
	json_set_string(draft, "mode", "draft");
	json_set_string(unknown, "template", "gibt_es_nicht");
	int64_t a = scene_plan_reply(scene, "", nowhere);
	int64_t b = scene_plan_reply(scene, "", draft);
	int64_t c = scene_plan_reply(scene, "", unknown);
	scene_without(scene, SINK_REPLY_POSTBOX);
	int64_t d = scene_plan_reply(scene, "", reply_params("postbox"));
	cr_assert(scene_round(scene));
	state_is(scene, a, "reply", "failed no_address");
	state_is(scene, b, "reply", "cancelled draft");
	state_is(scene, c, "reply", "failed no_template");
	state_is(scene, d, "reply", "failed no_sink");
	cr_assert_eq(scene_tasks(scene, "reply_draft"), 4);
	cr_assert_eq(scene_tasks(scene, "dead_letter"), 0);
	cr_assert_eq(scene->puppets[SINK_REPLY_EMAIL].calls, 0);
	const struct task_filter filter = {.kind = "reply_draft", .item = b};
	g_autoptr(GPtrArray) tasks = journal_tasks(scene->journal, &filter, NULL);
	const struct task *task = g_ptr_array_index(tasks, 0);
	cr_assert(g_str_has_prefix(task->text, "Betreff: Eingangsbestätigung"), "%s", task->text);
}

Test(deliver, an_undeliverable_reply_is_a_task)
{
	AUTO(scene) scene = scene_new();
	int64_t item = scene_plan_reply(scene, "", reply_params("email"));
	scene->puppets[SINK_REPLY_EMAIL].answer = PUPPET_ITEM_NEVER;
	cr_assert(scene_round(scene));
	state_is(scene, item, "reply", "failed refused");
	cr_assert_eq(scene_tasks(scene, "reply_undeliverable"), 1);
}

Test(deliver, an_unknown_outcome_of_a_reply_is_a_task_and_never_repeated)
{
	AUTO(scene) scene = scene_new();
	int64_t item = scene_plan_reply(scene, "", reply_params("email"));
	scene->puppets[SINK_REPLY_EMAIL].answer = PUPPET_UNCERTAIN;
	cr_assert(scene_round(scene));
	state_is(scene, item, "reply", "uncertain outcome_unknown");
	cr_assert_eq(scene_tasks(scene, "reply_uncertain"), 1);
	scene->now += 10 * DAY;
	cr_assert(scene_round(scene));
	cr_assert_eq(scene->puppets[SINK_REPLY_EMAIL].calls, 1);
}

static void die(void *context)
{
	(void)context;
	_exit(7);
}

Test(deliver, a_worker_that_dies_while_sending_leaves_a_task_and_no_second_reply)
{
	AUTO(scene) scene = scene_new();
	int64_t item = scene_plan_reply(scene, "", reply_params("email"));
	journal_close(scene->journal);
	pid_t child = fork();
	if (child == 0) {
		scene->journal = place_open(scene->place);
		scene->puppets[SINK_REPLY_EMAIL].before = die;
		scene_round(scene);
		_exit(0);
	}
	int status;
	waitpid(child, &status, 0);
	cr_assert_eq(WEXITSTATUS(status), 7, "it died in the middle");
	scene->journal = place_open(scene->place);
	state_is(scene, item, "reply", "sending");
	CHECK(db_script(
	        journal_db(scene->journal), "UPDATE delivery SET leased_until = 1", &why)); /* time passes */
	cr_assert(scene_round(scene));
	ends_as(scene, item, "reply", "uncertain");
	cr_assert_eq(scene_tasks(scene, "reply_uncertain"), 1);
	cr_assert_eq(scene->puppets[SINK_REPLY_EMAIL].calls, 0);
}

Test(deliver, one_channel_down_does_not_hold_up_the_other)
{
	AUTO(scene) scene = scene_new();
	int64_t mails[20], messages[20];
	for (int i = 0; i < 20; i++)
		mails[i] = scene_plan_reply(scene, "", reply_params("email"));
	for (int i = 0; i < 20; i++)
		messages[i] = scene_plan_reply(scene, "", reply_params("postbox"));
	scene->puppets[SINK_REPLY_EMAIL].answer = PUPPET_SOURCE;
	cr_assert_not(scene_round(scene));
	cr_assert_eq(scene->puppets[SINK_REPLY_EMAIL].calls, 1);
	for (int i = 0; i < 20; i++) {
		ends_as(scene, mails[i], "reply", "due");
		state_is(scene, messages[i], "reply", "confirmed");
	}
	scene->puppets[SINK_REPLY_EMAIL].answer = PUPPET_OK;
	scene->now += HOUR;
	cr_assert(scene_round(scene));
	cr_assert_eq(scene->counts.confirmed, 20);
}

static void take_over(void *context)
{
	struct scene *scene = context;
	CHECK(db_script(journal_db(scene->journal), "UPDATE delivery SET fence = fence + 1", &why));
}

Test(deliver, a_late_worker_writes_nothing)
{
	AUTO(scene) scene = scene_new();
	int64_t item = scene_plan_one(scene, "eakte", NULL);
	scene->puppets[SINK_EAKTE].before = take_over;
	scene->puppets[SINK_EAKTE].context = scene;
	cr_assert(scene_round(scene));
	cr_assert_eq(scene->counts.lost, 1);
	cr_assert_eq(scene->counts.confirmed, 0);
	ends_as(scene, item, "eakte", "due");
}

static void raise_stop(void *context)
{
	g_atomic_int_set(&((struct scene *)context)->stop, 1);
}

Test(deliver, the_stop_flag_lets_what_is_under_way_end_and_gives_the_rest_back)
{
	AUTO(scene) scene = scene_new();
	for (int i = 0; i < 8; i++)
		scene_plan_reply(scene, "", reply_params("email"));
	int64_t eakte = scene_plan_one(scene, "ticket", NULL);
	scene->puppets[SINK_REPLY_EMAIL].before = raise_stop;
	scene->puppets[SINK_REPLY_EMAIL].context = scene;
	cr_assert(scene_round(scene));
	cr_assert_eq(scene->counts.confirmed, 1);
	cr_assert_eq(scene->counts.returned, 7);
	cr_assert_eq(scene->counts.uncertain, 0);
	state_is(scene, eakte, "ticket", "due");
	scene->stop = 0;
	scene->puppets[SINK_REPLY_EMAIL].before = NULL;
	cr_assert(scene_round(scene));
	cr_assert_eq(scene->counts.confirmed, 8);
}

/* ---- kill at any moment ---- */

/* One effect at the far side: a byte that no kill takes back. */
static void make_effect(void *context)
{
	const char *path = context;
	FILE *file = fopen(path, "ae");
	fputc('x', file);
	fclose(file);
	g_usleep(300);
}

static int64_t effects(const char *path)
{
	g_autofree char *text = NULL;
	gsize size = 0;
	return g_file_get_contents(path, &text, &size, NULL) ? (int64_t)size : 0;
}

static void work_until_killed(struct scene *scene, char *path)
{
	scene->journal = place_open(scene->place);
	scene->puppets[SINK_REPLY_EMAIL].before = make_effect;
	scene->puppets[SINK_REPLY_EMAIL].context = path;
	scene_round(scene);
	_exit(0);
}

Test(deliver, killed_again_and_again_nothing_is_lost_and_nothing_doubled, .timeout = 300)
{
	enum { ITEMS = 40, KILLS = 20 };
	AUTO(scene) scene = scene_new();
	g_autofree char *folder = fresh_folder();
	g_autofree char *yaml = g_strdup_printf("eakte: {type: folder, path: %s/akte}\n", folder);
	AUTO(sinks) real = scene_real(scene, SINK_EAKTE, yaml);
	g_autofree char *sent = g_build_filename(folder, "sent", NULL);
	for (int i = 0; i < ITEMS; i++) {
		scene_plan_one(scene, "eakte", NULL);
		scene_plan_reply(scene, "", reply_params("email"));
	}
	for (useconds_t i = 0; i < KILLS; i++) {
		journal_close(scene->journal);
		pid_t child = fork();
		if (child == 0)
			work_until_killed(scene, sent);
		usleep(3000 + i * 4000);
		kill(child, SIGKILL);
		waitpid(child, NULL, 0);
		scene->journal = place_open(scene->place);
		CHECK(db_script(journal_db(scene->journal), "UPDATE delivery SET leased_until = 1", &why));
	}
	scene->puppets[SINK_REPLY_EMAIL].before = make_effect;
	scene->puppets[SINK_REPLY_EMAIL].context = sent;
	cr_assert(scene_round(scene));
	int64_t confirmed = number(scene->journal,
	        "SELECT count(*) FROM delivery WHERE handler = 'reply' AND state = 'confirmed'");
	int64_t uncertain = number(scene->journal,
	        "SELECT count(*) FROM delivery WHERE handler = 'reply' AND state = 'uncertain'");
	cr_assert_eq(confirmed + uncertain, ITEMS, "every reply went out, or a person knows");
	cr_assert_eq(scene_tasks(scene, "reply_uncertain"), uncertain);
	cr_assert_geq(effects(sent), confirmed);
	cr_assert_leq(effects(sent), ITEMS, "no reply twice");
	g_autofree char *akte = g_build_filename(folder, "akte", NULL);
	g_autofree char *names = files_below(akte);
	int documents = 0;
	for (const char *p = names; (p = strstr(p, "_eakte.meta.json")) != NULL; p++)
		documents++;
	cr_assert_eq(documents, ITEMS);
	cr_assert_eq(number(scene->journal,
	                     "SELECT count(*) FROM delivery WHERE handler = 'eakte' AND state = 'confirmed'"),
	        ITEMS);
	remove_folder(folder);
}

/* ---- restored journals ---- */

Test(deliver, a_restored_journal_lets_no_reply_and_no_call_out)
{
	AUTO(scene) scene = scene_new();
	int64_t reply = scene_plan_reply(scene, "", reply_params("email"));
	struct new_task tasks[] = {{.kind = "call", .post = true}, {.kind = "registration", .post = true}};
	int64_t item = scene_plan(scene, CHANNEL_EMAIL, "Subject: y\r\n\r\nz", "a@b.de", NULL, 0, tasks, 2);
	int64_t eakte = scene_plan_one(scene, "eakte", NULL);
	scene->hold = true;
	cr_assert(scene_round(scene));
	state_is(scene, reply, "reply", "uncertain restored");
	cr_assert_eq(scene_tasks(scene, "reply_uncertain"), 1);
	cr_assert_eq(scene->puppets[SINK_REPLY_EMAIL].calls, 0);
	cr_assert_eq(scene->puppets[SINK_TICKETS].calls, 1, "the registration alone");
	cr_assert_eq(scene_tasks(scene, "klaerung"), 1);
	state_is(scene, eakte, "eakte", "confirmed");
	(void)item;
}

/* ---- tickets ---- */

static int64_t plan_ticket(struct scene *scene, int64_t not_before)
{
	json_t *params = json_pack("{s:s,s:s,s:s,s:{s:[s]}}", "queue", "os_alg_plus", "dated", "2024-04-01",
	        "ask", "application_processed", "keys", "kundennummer", "123A456789");
	struct new_delivery delivery = {
	        .handler = "ticket", .suffix = "os_alg_plus", .params = params, .not_before = not_before};
	return scene_plan(
	        scene, CHANNEL_EMAIL, "Subject: Stand\r\n\r\nWie steht es?", "a@b.de", &delivery, 1, NULL, 0);
}

static void fact(struct scene *scene, const char *processed)
{
	JSON_AUTO facts = json_pack("{s:s}", "application_processed", processed);
	struct fact_row row = {"kundennummer", "123A456789", facts};
	CHECK(journal_import_facts(scene->journal, &row, 1, &why));
}

Test(deliver, a_ticket_waits_for_its_day)
{
	AUTO(scene) scene = scene_new();
	fact(scene, "no");
	int64_t item = plan_ticket(scene, scene->now + DAY);
	cr_assert(scene_round(scene));
	state_is(scene, item, "ticket", "due");
	scene->now += DAY;
	cr_assert(scene_round(scene));
	state_is(scene, item, "ticket", "confirmed");
	cr_assert_eq(scene->puppets[SINK_TICKETS].calls, 1);
}

Test(deliver, a_ticket_found_processed_when_due_is_cancelled)
{
	AUTO(scene) scene = scene_new();
	int64_t item = plan_ticket(scene, scene->now + DAY);
	fact(scene, "yes");
	scene->now += DAY;
	cr_assert(scene_round(scene));
	state_is(scene, item, "ticket", "cancelled processed");
	cr_assert_eq(scene->puppets[SINK_TICKETS].calls, 0);
	cr_assert_eq(records_of(scene->journal, "delivery.cancelled"), 1);
}

Test(deliver, unknown_is_asked_again_for_three_days_then_the_ticket_goes_and_says_so)
{
	AUTO(scene) scene = scene_new();
	scene_without(scene, SINK_TICKETS);
	int64_t due = scene->now + DAY;
	int64_t item = plan_ticket(scene, due);
	for (scene->now = due; scene->now < due + 3 * DAY; scene->now += 7 * HOUR) {
		cr_assert(scene_round(scene));
		state_is(scene, item, "ticket", "due");
		cr_assert_eq(scene_attempts(scene, item), 0, "waiting is no attempt");
	}
	scene->now = due + 3 * DAY;
	cr_assert(scene_round(scene));
	state_is(scene, item, "ticket", "confirmed processed_unknown");
	const struct task_filter filter = {.kind = "ticket"};
	g_autoptr(GPtrArray) tasks = journal_tasks(scene->journal, &filter, NULL);
	cr_assert_eq(tasks->len, 1);
	const struct task *task = g_ptr_array_index(tasks, 0);
	cr_assert(json_get_bool(task->params, "processed_unknown", false));
	cr_assert_str_eq(json_get_string(task->params, "queue"), "os_alg_plus");
	cr_assert(strstr(task->text, "war drei Tage lang nicht"));
}

Test(deliver, a_ticket_whose_day_is_past_is_due_at_once)
{
	AUTO(scene) scene = scene_new();
	fact(scene, "no");
	int64_t item = plan_ticket(scene, scene->now - 30 * DAY);
	cr_assert(scene_round(scene));
	state_is(scene, item, "ticket", "confirmed");
}

Test(deliver, without_an_external_system_a_due_ticket_is_a_task_of_the_journal)
{
	AUTO(scene) scene = scene_new();
	scene_without(scene, SINK_TICKETS);
	fact(scene, "no");
	int64_t item = plan_ticket(scene, 0);
	cr_assert(scene_round(scene));
	state_is(scene, item, "ticket", "confirmed");
	cr_assert_eq(scene_tasks(scene, "ticket"), 1);
}

Test(deliver, tasks_are_posted_outside_and_keep_the_number_they_got)
{
	AUTO(scene) scene = scene_new();
	struct new_task tasks[] = {{.kind = "registration", .post = true}};
	scene_plan(scene, CHANNEL_EMAIL, "Subject: y\r\n\r\nz", "a@b.de", NULL, 0, tasks, 1);
	cr_assert(scene_round(scene));
	AUTO(task) task = journal_task(scene->journal, tasks[0].id, NULL);
	cr_assert_str_eq(task->posted, "42");
}

Test(deliver, a_task_that_was_closed_meanwhile_is_not_posted)
{
	AUTO(scene) scene = scene_new();
	struct new_task tasks[] = {{.kind = "registration", .post = true}};
	scene_plan(scene, CHANNEL_EMAIL, "Subject: y\r\n\r\nz", "a@b.de", NULL, 0, tasks, 1);
	const struct task_closing closing = {.reason = "x"};
	CHECK(journal_close_task(scene->journal, tasks[0].id, &closing, &why));
	cr_assert(scene_round(scene));
	cr_assert_eq(scene->puppets[SINK_TICKETS].calls, 0);
}

/* ---- small things ---- */

Test(deliver, back_off_doubles_within_its_bounds)
{
	const struct limits limits = {.retry_first = 30, .retry_most = 14400};
	for (uint32_t random = 0; random < 5000; random += 7) {
		int64_t last = 0;
		for (int attempts = 1; attempts < 80; attempts++) {
			int64_t wait = deliver_backoff(&limits, attempts, random);
			int64_t plain = attempts < 11 ? INT64_C(30) << (attempts - 1) : 14400;
			plain = MIN(plain, 14400) * SECOND;
			cr_assert_geq(wait, plain - plain / 4);
			cr_assert_leq(wait, plain + plain / 4);
			cr_assert_geq(wait, last);
			last = wait;
		}
	}
	const struct limits none = {.retry_first = 0, .retry_most = 1};
	cr_assert_eq(deliver_backoff(&none, 5, 3), 0);
}

Test(deliver, a_bounce_finds_its_reply_by_message_id_or_address_and_cannot_be_forged)
{
	AUTO(scene) scene = scene_new();
	int64_t item = scene_plan_reply(scene, "", reply_params("email"));
	g_autofree char *name = journal_item_name(scene->journal, item);
	g_autofree char *key = g_strconcat(name, "/reply/umzug", NULL);
	g_autofree char *token = journal_reply_token(scene->journal, key);
	g_autofree char *id = g_strdup_printf("<%s@amt.example>", token);
	g_autofree char *address = g_ascii_strup("bounce+", -1);
	g_autofree char *verp = g_strdup_printf("%s%s@amt.example", address, token);
	int64_t found = 0, delivery = 0;
	cr_assert(journal_reply_of(scene->journal, id, NULL, &found, &delivery, NULL));
	cr_assert_eq(found, item);
	cr_assert_neq(delivery, 0);
	found = 0;
	cr_assert(journal_reply_of(scene->journal, "<x@y>", verp, &found, &delivery, NULL));
	cr_assert_eq(found, item);
	token[strlen(token) - 1] = token[strlen(token) - 1] == '0' ? '1' : '0';
	g_autofree char *forged = g_strdup_printf("<%s@amt.example>", token);
	cr_assert_not(journal_reply_of(scene->journal, forged, NULL, &found, &delivery, NULL));
	cr_assert_not(journal_reply_of(scene->journal, NULL, NULL, &found, &delivery, NULL));
	cr_assert_not(journal_reply_of(scene->journal, "<r..>", "+r.-.@", &found, &delivery, NULL));
}
