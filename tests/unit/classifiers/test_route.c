/* The route phase against a journal: what becomes of items, and what cannot go wrong on the way. */
#include "route_support.h"

#include "core/date.h"
#include "core/error.h"
#include "journal/db.h"
#include "journal/fact_table.h"
#include "journal/reply_token.h"
#include "journal/status.h"

#include <string.h>

#define MOVE "{\"type\":\"veraenderung\",\"kind\":\"umzug\"}"
#define WORK "{\"type\":\"veraenderung\",\"kind\":\"arbeitsaufnahme\"}"
#define DAY1 "2024-03-05T10:00:00+01:00"

static void expect(struct desk *desk, int64_t item, const char *deliveries, const char *tasks)
{
	g_autofree char *found = deliveries_of(desk, item), *open = tasks_of(desk, item);
	cr_expect_str_eq(found, deliveries);
	cr_expect_str_eq(open, tasks);
}

Test(route, a_notice_becomes_its_deliveries_and_tasks)
{
	AUTO(desk) desk = desk_new(NULL);
	int64_t item = take_form(desk, "1", DAY1, MOVE);
	struct route_counts counts = route_all(desk);
	cr_assert_eq(counts.decided, 1);
	cr_assert_eq(counts.doubt, 0);
	expect(desk, item, "archive,eakte,reply/umzug", "process_notice");
}

Test(route, what_is_decided_is_not_decided_again)
{
	AUTO(desk) desk = desk_new(NULL);
	take_form(desk, "1", DAY1, MOVE);
	route_all(desk);
	cr_assert_eq(route_all(desk).decided, 0);
	cr_assert_eq(records_of(desk->journal, "decided"), 1);
}

Test(route, a_registration_has_one_call_and_one_task)
{
	AUTO(desk) desk = desk_new(NULL);
	int64_t item = take_form(
	        desk, "1", DAY1, "{\"type\":\"arbeitsuchendmeldung\",\"cv\":{\"schulbildung\":\"filled\"}}");
	route_all(desk);
	expect(desk, item, "", "call,registration");
}

Test(route, the_same_case_is_called_once_in_thirty_days)
{
	AUTO(desk) desk = desk_new(NULL);
	const char *form = "{\"type\":\"arbeitsuchendmeldung\",\"text\":\"Kundennummer 123A456789\"}";
	int64_t first = take_form(desk, "1", DAY1, form);
	route_all(desk);
	int64_t second = take_form(desk, "2", DAY1, form);
	route_all(desk);
	expect(desk, first, "", "call,registration");
	expect(desk, second, "", "registration");
	JSON_AUTO detail = last_detail(desk->journal, "decided");
	json_t *tasks = json_object_get(detail, "tasks");
	bool linked = false;
	for (size_t i = 0; i < json_array_size(tasks); i++)
		linked |= json_object_get(json_array_get(tasks, i), "linked_to") != NULL;
	cr_assert(linked);
}

Test(route, a_second_reply_within_a_day_is_suppressed)
{
	AUTO(desk) desk = desk_new(NULL);
	int64_t first = take_form(desk, "1", DAY1, MOVE);
	int64_t second = take_form(desk, "2", DAY1, MOVE);
	route_all(desk);
	expect(desk, first, "archive,eakte,reply/umzug", "process_notice");
	expect(desk, second, "archive,eakte,reply/umzug!", "process_notice");
}

Test(route, an_item_that_cannot_be_read_is_doubt_and_its_neighbours_go_on)
{
	AUTO(desk) desk = desk_new(NULL);
	int64_t before = take_form(desk, "1", DAY1, WORK);
	int64_t broken = take_form(desk, "2", DAY1, "{\"type\":\"veraenderung\",\"kind\":7}");
	int64_t after = take_form(desk, "3", DAY1, WORK);
	struct route_counts counts = route_all(desk);
	cr_assert_eq(counts.decided, 3);
	cr_assert_eq(counts.doubt, 1);
	expect(desk, before, "archive,eakte", "");
	expect(desk, after, "archive,eakte", "");
	g_autofree char *deliveries = deliveries_of(desk, broken), *tasks = tasks_of(desk, broken);
	cr_assert_not_null(strstr(deliveries, "eakte"));
	cr_assert_str_eq(tasks, "klaerung");
}

/* A dropped file need not name channel and time: the item has them. */
Test(route, what_the_source_does_not_state_the_item_knows)
{
	const char line[] = "{\"from_email\":\"a.kunde@example.org\",\"form\":" WORK "}";
	struct item *item = item_new();
	item->channel = CHANNEL_ESERVICE;
	instant_parse(DAY1, &item->received);
	item->fields = json_read(line, strlen(line), NULL);
	AUTO(message) message = route_message(item, NULL);
	cr_assert_not(message->undecodable);
	cr_assert_str_eq(message->form->kind, "arbeitsaufnahme");
	cr_assert_eq(message->received, item->received);
	item_free(item);
}

Test(route, a_structured_mail_is_no_raw_mail)
{
	const char line[] =
	        "{\"envelope_from\":\"x@example.org\",\"subject\":\"Umzug\",\"body\":\"Neue Adresse\"}";
	struct item *item = item_new();
	item->channel = CHANNEL_EMAIL;
	instant_parse(DAY1, &item->received);
	item->fields = json_read(line, strlen(line), NULL);
	AUTO(message) message = route_message(item, NULL);
	cr_assert_str_eq(message->subject, "Umzug");
	item_free(item);
}

Test(route, an_item_that_ended_its_workers_is_decided_without_touching_its_bytes)
{
	AUTO(desk) desk = desk_new(NULL);
	int64_t item = take_form(desk, "1", DAY1, WORK);
	for (int i = 0; i < ITEM_POISON_ATTEMPTS; i++) {
		g_autoptr(GPtrArray) claims = claim_items(desk->journal, 10, MINUTE);
		cr_assert_eq(claims->len, 1);
		CHECK(journal_release_items(desk->journal, claims, 0, true, &why));
	}
	struct route_counts counts = route_all(desk);
	cr_assert_eq(counts.poisoned, 1);
	cr_assert_eq(counts.doubt, 1);
	g_autofree char *tasks = tasks_of(desk, item);
	cr_assert_str_eq(tasks, "klaerung");
}

Test(route, received_in_future_is_doubt)
{
	AUTO(desk) desk = desk_new(NULL);
	struct item *item = item_new();
	const char line[] =
	        "{\"id\":\"9\",\"channel\":\"eservice\",\"received\":\"" DAY1 "\",\"form\":" WORK "}";
	item->channel = CHANNEL_ESERVICE;
	item->source = g_strdup("test");
	item->mailbox = g_strdup("");
	item->key = g_strdup("9");
	instant_parse(DAY1, &item->received);
	item->raw = g_bytes_new_static(line, strlen(line));
	hash_hex(line, strlen(line), item->sha256);
	item->fields = json_read(line, strlen(line), NULL);
	int64_t id = take_item(desk, item, true);
	route_all(desk);
	g_autofree char *tasks = tasks_of(desk, id);
	cr_assert_str_eq(tasks, "klaerung");
}

Test(route, a_bundle_switched_between_deciding_and_writing_is_taken_up)
{
	AUTO(desk) desk = desk_new(NULL);
	AUTO(route) route = desk_route(desk);
	int64_t item = take_form(desk, "1", DAY1, WORK);
	struct route_counts counts = {0};
	unsigned n;
	CHECK(route_batch(route, instant_now(), &counts, &n, &why));
	g_autofree char *hash =
	        desk_activate(desk, bundle_with("contact_codes.yaml", "\"3030\"", "\"3930\""));
	int64_t second = take_form(desk, "2", DAY1, WORK);
	CHECK(route_batch(route, instant_now(), &counts, &n, &why));
	AUTO(item_view) old = journal_item(desk->journal, item, NULL);
	AUTO(item_view) fresh = journal_item(desk->journal, second, NULL);
	cr_assert_str_eq(old->contact_code, "3030");
	cr_assert_str_eq(fresh->contact_code, "3930");
	cr_assert_str_eq(fresh->bundle, hash);
}

Test(route, without_an_active_bundle_nothing_is_claimed)
{
	AUTO(place) place = place_new();
	struct journal *journal = place_open(place);
	AUTO(pipeline_active) active = pipeline_active_new();
	struct limits limits = {.batch = 10, .lease = 60};
	const struct route_options options = {.active = active, .limits = &limits};
	struct route *route = route_new(&options, journal, NULL);
	struct route_counts counts = {0};
	g_autoptr(GError) error = NULL;
	cr_assert_not(route_round(route, instant_now(), &counts, &error));
	cr_assert_eq(error_class(error), ERROR_CONFIG);
	route_free(route);
	journal_close(journal);
}

Test(route, the_stop_flag_leaves_the_rest_for_later)
{
	AUTO(desk) desk = desk_new(NULL);
	take_form(desk, "1", DAY1, WORK);
	volatile gint stop = 1;
	const struct route_options options = {.active = desk->active, .limits = &desk->limits, .stop = &stop};
	AUTO(route) route = route_new(&options, desk->journal, NULL);
	struct route_counts counts = {0};
	CHECK(route_round(route, instant_now(), &counts, &why));
	cr_assert_eq(counts.decided, 0);
	cr_assert_eq(route_all(desk).decided, 1);
}

Test(route, the_log_holds_scores_rules_and_facts_and_no_person)
{
	AUTO(desk) desk = desk_new(NULL);
	take_form(desk, "1", DAY1,
	        "{\"type\":\"veraenderung\",\"kind\":\"arbeitsaufnahme\",\"text\":\"Kundennummer 123A456789, "
	        "Erna Beispiel\"}");
	route_all(desk);
	JSON_AUTO detail = last_detail(desk->journal, "decided");
	g_autofree char *text = json_canonical(detail);
	cr_assert_null(strstr(text, "123A456789"));
	cr_assert_null(strstr(text, "Erna"));
	cr_assert_null(strstr(text, "a.kunde"));
	cr_assert_not_null(json_object_get(detail, "facts"));
	cr_assert_not_null(json_object_get(detail, "person"));
	cr_assert_eq(json_array_size(json_object_get(detail, "concerns")), 1);
	const json_t *action = json_array_get(json_object_get(detail, "actions"), 0);
	cr_assert_gt(json_array_size(json_object_get(action, "cites")), 0);
}

Test(route, the_reply_of_a_mail_goes_to_the_envelope_sender)
{
	AUTO(desk) desk = desk_new(NULL);
	int64_t item = take_mail(desk, "1", DAY1,
	        "From: Anna Kunde <other@example.org>\r\nTo: service@agentur.example.org\r\nSubject: "
	        "Umzug\r\n"
	        "Content-Type: text/plain; charset=utf-8\r\n\r\nIch bin umgezogen. Meine neue Adresse lautet "
	        "Hauptstr. 1, 50667 Köln.\r\n");
	route_all(desk);
	g_autoptr(GPtrArray) claims = claim_deliveries(desk->journal, "reply", instant_now());
	cr_assert_eq(claims->len, 1);
	const struct delivery *reply = claims->pdata[0];
	cr_assert_eq(reply->item->id, item);
	cr_assert(reply->at_most_once);
	cr_assert_str_eq(json_get_string(reply->params, "to"), "a.kunde@example.org");
	cr_assert_str_eq(json_get_string(reply->params, "concern"), "umzug");
}

/* A batch in which one item cannot be written: the database itself refuses it. */
Test(route, one_item_that_cannot_be_written_does_not_hold_up_the_batch)
{
	AUTO(desk) desk = desk_new(NULL);
	if (place_is_postgres(desk->place))
		cr_skip_test("the trigger is SQLite's");
	int64_t first = take_form(desk, "1", DAY1, WORK);
	int64_t second = take_form(desk, "2", DAY1, WORK);
	int64_t third = take_form(desk, "3", DAY1, WORK);
	g_autofree char *sql = g_strdup_printf(
	        "CREATE TRIGGER refuse BEFORE INSERT ON decision WHEN NEW.item = %" G_GINT64_FORMAT
	        " BEGIN SELECT RAISE(ABORT, 'refused'); END",
	        second);
	CHECK(db_script(journal_db(desk->journal), sql, &why));
	struct route_counts counts = route_all(desk);
	cr_assert_eq(counts.decided, 2);
	cr_assert_eq(counts.returned, 1);
	expect(desk, first, "archive,eakte", "");
	expect(desk, second, "", "");
	expect(desk, third, "archive,eakte", "");
}

Test(route, many_threads_decide_each_item_once)
{
	AUTO(desk) desk = desk_new(NULL);
	for (int i = 0; i < 60; i++) {
		g_autofree char *key = g_strdup_printf("%d", i);
		take_form(desk, key, DAY1, WORK);
	}
	desk->limits.batch = 7;
	struct journal_options options = place_options(desk->place);
	struct journal *other = journal_open(&options, NULL);
	const struct route_options route_options = {.active = desk->active, .limits = &desk->limits};
	AUTO(route) one = desk_route(desk);
	AUTO(route) two = route_new(&route_options, other, NULL);
	struct route_counts counts = {0};
	unsigned n1 = 1, n2 = 1;
	while (n1 + n2) {
		CHECK(route_batch(one, instant_now(), &counts, &n1, &why));
		CHECK(route_batch(two, instant_now(), &counts, &n2, &why));
	}
	cr_assert_eq(counts.decided, 60);
	cr_assert_eq(records_of(desk->journal, "decided"), 60);
	journal_close(other);
}

/* -- facts -- */

static void know(struct desk *desk, const char *kind, const char *value, const char *facts)
{
	JSON_AUTO object = json_read(facts, strlen(facts), NULL);
	const struct fact_row row = {.kind = kind, .value = value, .facts = object};
	AUTO(diag) diag = diag_new();
	if (!desk->facts)
		desk->facts = facts_config_load(NULL, diag);
	CHECK(journal_import_facts(desk->journal, &row, 1, &why));
}

Test(route, what_is_known_of_the_case_decides_and_is_frozen)
{
	AUTO(desk) desk = desk_new(NULL);
	know(desk, "email", "a.kunde@example.org", "{\"payment_method\":\"iban\"}");
	int64_t item = take_form(desk, "1", DAY1, MOVE);
	route_all(desk);
	expect(desk, item, "archive,reply/umzug", "process_notice");
	know(desk, "email", "a.kunde@example.org", "{\"payment_method\":\"pzzv\"}");
	AUTO(item_view) view = journal_item(desk->journal, item, NULL);
	cr_assert_str_eq(json_get_string(view->facts, "payment_method"), "iban");
	cr_assert_gt(json_get_int(view->facts, "asked", 0), 0);
	cr_assert(json_get_bool(view->facts, "answered", false));
}

Test(route, a_ticket_waits_for_its_day_and_says_whom_to_ask_about)
{
	AUTO(desk) desk = desk_new(NULL);
	know(desk, "email", "a.kunde@example.org",
	        "{\"documents_complete\":\"yes\",\"application_processed\":\"no\","
	        "\"expected_claim_start\":\"2024-04-01\"}");
	take_mail(desk, "1", DAY1,
	        "From: Anna Kunde <a.kunde@example.org>\r\nSubject: Bearbeitungsstand Arbeitslosengeld\r\n"
	        "Content-Type: text/plain; charset=utf-8\r\n\r\nWie ist der Bearbeitungsstand meines Antrags "
	        "auf "
	        "Arbeitslosengeld? Wann kommt das Geld?\r\n");
	route_all(desk);
	int64_t due;
	instant_parse("2024-04-08T00:00:00+02:00", &due);
	g_autoptr(GPtrArray) early = claim_deliveries(desk->journal, "ticket", due - 1);
	cr_assert_eq(early->len, 0);
	g_autoptr(GPtrArray) claims = claim_deliveries(desk->journal, "ticket", due);
	cr_assert_eq(claims->len, 1);
	const struct delivery *ticket = claims->pdata[0];
	cr_assert_str_eq(json_get_string(ticket->params, "dated"), "2024-04-01");
	cr_assert_str_eq(json_get_string(ticket->params, "ask"), "application_processed");
	cr_assert_str_eq(
	        json_get_string(json_object_get(ticket->params, "keys"), "email"), "a.kunde@example.org");
}

/* -- bounces -- */

static int64_t take_bounce(struct desk *desk, const char *key, const char *to)
{
	g_autofree char *mail = g_strdup_printf(
	        "From: MAILER-DAEMON@example.org\r\nTo: %s\r\nSubject: Undelivered Mail Returned to "
	        "Sender\r\n"
	        "MIME-Version: 1.0\r\n"
	        "Content-Type: multipart/report; report-type=delivery-status; boundary=b\r\n\r\n"
	        "--b\r\nContent-Type: text/plain\r\n\r\nNot delivered.\r\n"
	        "--b\r\nContent-Type: message/delivery-status\r\n\r\nReporting-MTA: dns; "
	        "mx.example.org\r\n\r\n"
	        "Final-Recipient: rfc822; a.kunde@example.org\r\nAction: failed\r\nStatus: 5.1.1\r\n"
	        "--b--\r\n",
	        to);
	return take_mail(desk, key, DAY1, mail);
}

Test(route, a_bounce_of_our_own_reply_becomes_a_task)
{
	AUTO(desk) desk = desk_new(NULL);
	int64_t item = take_form(desk, "1", DAY1, MOVE);
	route_all(desk);
	g_autofree char *name = journal_item_name(desk->journal, item);
	g_autofree char *delivery = g_strdup_printf("%s/reply/umzug", name);
	g_autofree char *token = journal_reply_token(desk->journal, delivery);
	g_autofree char *to = g_strdup_printf("bounce+%s@agentur.example.org", token);
	int64_t bounce = take_bounce(desk, "2", to);
	route_all(desk);
	expect(desk, bounce, "", "reply_undeliverable");
}

Test(route, a_bounce_of_anything_else_is_nothing)
{
	AUTO(desk) desk = desk_new(NULL);
	int64_t bounce = take_bounce(desk, "2", "bounce+r.00000000-1.0123456789abcdef@agentur.example.org");
	route_all(desk);
	expect(desk, bounce, "", "");
}
