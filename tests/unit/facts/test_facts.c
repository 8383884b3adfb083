/* Facts: what is asked, how answers are put together, and that a dead service slows nobody down. */
#include "../journal/fixture.h"
#include "core/date.h"
#include "core/error.h"
#include "core/http.h"
#include "facts/provider.h"
#include "journal/fact_table.h"

#include <stdlib.h>
#include <string.h>

static struct facts_config *config_of(const char *yaml, char **findings)
{
	g_autoptr(GBytes) text = g_bytes_new(yaml, strlen(yaml));
	AUTO(diag) diag = diag_new();
	AUTO(yaml_file) file = yaml_load("test.yaml", text, diag);
	struct facts_config *config =
	        facts_config_load(file ? yaml_get(yaml_root(file), "facts") : NULL, diag);
	g_autoptr(GError) error = NULL;
	bool ok = diag_ok(diag, &error);
	if (findings)
		*findings = ok ? NULL : g_strdup(error->message);
	else
		cr_assert(ok, "%s", error->message);
	return config;
}

static void put(
        struct journal *journal, const char *kind, const char *value, const char *fact, const char *word)
{
	JSON_AUTO facts = json_pack("{s:s}", fact, word);
	struct fact_row row = {kind, value, facts};
	CHECK(journal_import_facts(journal, &row, 1, &why));
}

static GPtrArray *numbers(const char *first, const char *second)
{
	GPtrArray *list = g_ptr_array_new();
	if (first)
		g_ptr_array_add(list, (char *)first);
	if (second)
		g_ptr_array_add(list, (char *)second);
	return list;
}

static struct facts look_up(struct facts_source *source, GPtrArray *list, const char *email, bool *answered)
{
	struct facts_query query = {.kundennummern = list, .email = email};
	cr_assert(facts_look_up(source, &query, 1, NULL));
	if (answered)
		*answered = query.answered;
	if (list)
		g_ptr_array_unref(list);
	return query.facts;
}

struct scene {
	struct place *place;
	struct journal *journal;
	struct facts_config *config;
	struct facts_source *source;
};

static struct scene open_scene(const char *yaml)
{
	struct scene scene = {.place = place_new()};
	scene.journal = place_open(scene.place);
	scene.config = config_of(yaml, NULL);
	scene.source = facts_source_open(scene.config, scene.journal, NULL, NULL);
	return scene;
}

static void close_scene(struct scene *scene)
{
	facts_source_close(scene->source);
	facts_config_free(scene->config);
	journal_close(scene->journal);
	place_free(scene->place);
}

Test(facts, numbers_and_addresses_are_compared_in_one_form)
{
	static const struct {
		const char *text, *expected;
	} cases[] = {{"123A456789", "123A456789"}, {" 123 a 456-789 ", "123A456789"},
	        {"123.A/456789", "123A456789"}, {"1234456789", NULL}, {"123A45678", NULL},
	        {"123A4567890", NULL}, {"", NULL}, {NULL, NULL}, {"12ÄA456789", NULL}};
	for (size_t i = 0; i < G_N_ELEMENTS(cases); i++) {
		g_autofree char *got = facts_normalise_kundennummer(cases[i].text);
		cr_assert(g_strcmp0(got, cases[i].expected) == 0, "%s gives %s", cases[i].text, got);
	}
	g_autofree char *email = facts_normalise_email("  Anna.Beispiel@Example.ORG ");
	cr_assert_str_eq(email, "anna.beispiel@example.org");
	cr_assert_null(facts_normalise_email("anna"));
	cr_assert_null(facts_normalise_email("a@b, c@d"));
}

Test(facts, the_table_is_asked_by_number_first_and_by_address_only_without_one)
{
	struct scene scene = open_scene("");
	put(scene.journal, "kundennummer", "123A456789", "payment_method", "iban");
	put(scene.journal, "email", "a@b.de", "payment_method", "pzzv");
	bool answered;
	struct facts facts = look_up(scene.source, numbers("123 a 456789", NULL), "A@b.de", &answered);
	cr_assert(answered);
	cr_assert_eq(facts.payment_method, PAYMENT_METHOD_IBAN);
	facts = look_up(scene.source, NULL, "A@b.de", &answered);
	cr_assert_eq(facts.payment_method, PAYMENT_METHOD_PZZV);
	facts = look_up(scene.source, numbers("999Z999999", NULL), NULL, &answered);
	cr_assert_not(answered);
	cr_assert_eq(facts.payment_method, PAYMENT_METHOD_UNKNOWN);
	cr_assert_eq(facts.expected_claim_start, DAY_NONE);
	close_scene(&scene);
}

Test(facts, two_numbers_that_disagree_give_unknown)
{
	struct scene scene = open_scene("");
	put(scene.journal, "kundennummer", "123A456789", "benefit_recipient", "yes");
	put(scene.journal, "kundennummer", "321B987654", "benefit_recipient", "no");
	struct facts facts = look_up(scene.source, numbers("123A456789", "321B987654"), NULL, NULL);
	cr_assert_eq(facts.benefit_recipient, FACT_UNKNOWN);
	facts = look_up(scene.source, numbers("123A456789", "123 A 456789"), NULL, NULL);
	cr_assert_eq(facts.benefit_recipient, FACT_YES);
	close_scene(&scene);
}

Test(facts, without_a_source_all_is_unknown)
{
	struct facts_query query = {.email = "a@b.de"};
	cr_assert(facts_look_up(NULL, &query, 1, NULL));
	cr_assert_eq(query.facts.address_match, FACT_UNKNOWN);
	cr_assert_not(query.answered);
}

Test(facts, a_wrong_section_is_told_with_its_place)
{
	static const struct {
		const char *yaml, *expected;
	} cases[] = {
	        {"facts: {type: tabel}\n", "test.yaml:1:15: error: no facts provider"},
	        {"facts: {type: http}\n", "missing key \"url\""},
	        {"facts: {type: http, url: 'https://x.example', facts: {adress_match: /a}}\n",
	                "did you mean \"address_match\"?"},
	        {"facts: {type: http, url: 'https://x.example', facts: {minor: a}}\n",
	                "expected a JSON Pointer"},
	        {"facts: {type: table, path: x}\n", "path"},
	};
	for (size_t i = 0; i < G_N_ELEMENTS(cases); i++) {
		g_autofree char *findings = NULL;
		AUTO(facts_config) config = config_of(cases[i].yaml, &findings);
		cr_assert(findings && strstr(findings, cases[i].expected), "%s: %s", cases[i].yaml, findings);
	}
}

/* ---- a service ---- */

static const char *environment(const char *name)
{
	const char *value = getenv(name);
	cr_assert_not_null(value, "%s is not set: run me by tests/servers/smtp.sh", name);
	return value;
}

struct service {
	struct scene scene;
	struct http_client *control;
	char *token;
};

static void set(struct service *service, const char *name, const char *body)
{
	g_autofree char *path = g_strconcat("/_control/", name, NULL);
	const struct http_request request = {.method = "POST", .path = path};
	JSON_AUTO value = json_read(body, strlen(body), NULL);
	JSON_AUTO answer = http_json(service->control, &request, value, NULL);
	cr_assert_not_null(answer);
}

static int64_t calls(struct service *service)
{
	const struct http_request request = {.path = "/_control/state"};
	JSON_AUTO state = http_json(service->control, &request, NULL, NULL);
	return json_get_int(json_object_get(state, "calls"), "POST /facts", 0);
}

static struct service open_service(const char *extra)
{
	struct service service = {0};
	g_autofree char *url = g_strdup_printf("https://localhost:%s", environment("TEST_HTTP_PORT"));
	const struct http_settings settings = {.url = url, .ca_file = environment("TEST_SMTP_CA")};
	service.control = http_client_new(&settings, NULL);
	service.token = g_strdup("/tmp/facts-token-XXXXXX");
	int fd = g_mkstemp_full(service.token, 2, 0600);
	cr_assert_eq(write(fd, "fixed-test-token", 16), 16);
	close(fd);
	g_autofree char *yaml =
	        g_strdup_printf("facts: {type: http, url: '%s', ca_file: %s, bearer_file: %s%s}\n", url,
	                environment("TEST_SMTP_CA"), service.token, extra);
	service.scene = open_scene(yaml);
	set(&service, "reset", "{}");
	return service;
}

static void close_service(struct service *service)
{
	unlink(service->token);
	g_free(service->token);
	http_client_free(service->control);
	close_scene(&service->scene);
}

Test(facts_http, the_answer_is_read_by_pointers_and_what_makes_no_sense_is_unknown)
{
	struct service service = open_service(
	        ", facts: {payment_method: /konto/art, expected_claim_start: /beginn, deceased: /tot}");
	set(&service, "facts",
	        "{\"123A456789\":{\"konto\":{\"art\":\"iban\"},\"beginn\":\"2024-04-01T00:00:00+02:00\","
	        "\"tot\":false,"
	        "\"minor\":\"vielleicht\",\"represented\":7,\"address_match\":\"yes\"}}");
	bool answered;
	struct facts facts = look_up(service.scene.source, numbers("123A456789", NULL), NULL, &answered);
	cr_assert(answered);
	cr_assert_eq(facts.payment_method, PAYMENT_METHOD_IBAN);
	cr_assert_eq(facts.expected_claim_start, day_from_civil(2024, 4, 1));
	cr_assert_eq(facts.deceased, FACT_NO);
	cr_assert_eq(facts.minor, FACT_UNKNOWN);
	cr_assert_eq(facts.represented, FACT_UNKNOWN);
	cr_assert_eq(facts.address_match, FACT_YES);
	facts = look_up(service.scene.source, numbers("999Z999999", NULL), NULL, &answered);
	cr_assert_not(answered);
	close_service(&service);
}

Test(facts_http, a_dead_service_is_left_alone_and_all_is_unknown)
{
	struct service service = open_service(", breaker_failures: 2, breaker_pause: 60s");
	set(&service, "fault", "{\"path\":\"/facts\",\"kind\":\"status\",\"code\":500,\"times\":1000}");
	struct facts_query queries[20] = {0};
	g_autoptr(GPtrArray) list = numbers("123A456789", NULL);
	for (int i = 0; i < 20; i++)
		queries[i].kundennummern = list;
	for (int round = 0; round < 3; round++) {
		g_autoptr(GError) error = NULL;
		cr_assert_not(facts_look_up(service.scene.source, queries, 20, &error));
		cr_assert_not_null(error);
		cr_assert_null(strstr(error->message, "123A456789"));
		for (int i = 0; i < 20; i++)
			cr_assert_not(queries[i].answered);
	}
	cr_assert_eq(calls(&service), 2, "60 questions, two calls");
	close_service(&service);
}

Test(facts_http, a_slow_service_costs_a_batch_its_time_limit_and_no_more)
{
	struct service service = open_service(", timeout: 1s, budget: 2s, breaker_failures: 100");
	set(&service, "fault", "{\"path\":\"/facts\",\"kind\":\"stall\",\"seconds\":5,\"times\":1000}");
	struct facts_query queries[50] = {0};
	g_autoptr(GPtrArray) list = numbers("123A456789", NULL);
	for (int i = 0; i < 50; i++)
		queries[i].kundennummern = list;
	cr_assert_not(facts_look_up(service.scene.source, queries, 50, NULL));
	cr_assert_leq(calls(&service), 4);
	close_service(&service);
}

Test(facts_http, one_failed_call_leaves_the_others_their_answers)
{
	struct service service = open_service("");
	set(&service, "facts", "{\"123A456789\":{\"minor\":\"no\"}}");
	set(&service, "fault", "{\"path\":\"/facts\",\"kind\":\"garbage\",\"times\":1}");
	struct facts_query queries[2] = {0};
	g_autoptr(GPtrArray) list = numbers("123A456789", NULL);
	queries[0].kundennummern = queries[1].kundennummern = list;
	cr_assert_not(
	        facts_look_up(service.scene.source, queries, 2, NULL), "it says that something was wrong");
	cr_assert_not(queries[0].answered);
	cr_assert(queries[1].answered);
	cr_assert_eq(queries[1].facts.minor, FACT_NO);
	close_service(&service);
}

Test(facts_http, behind_a_silent_service_the_table_still_knows)
{
	struct service service = open_service("");
	g_autofree char *yaml = g_strdup_printf(
	        "facts:\n- {type: http, url: 'https://localhost:1', timeout: 1s}\n- {type: table}\n");
	AUTO(facts_config) config = config_of(yaml, NULL);
	AUTO(facts_source) source = facts_source_open(config, service.scene.journal, NULL, NULL);
	put(service.scene.journal, "kundennummer", "123A456789", "minor", "yes");
	struct facts_query query = {.kundennummern = numbers("123A456789", NULL)};
	cr_assert_not(facts_look_up(source, &query, 1, NULL));
	cr_assert(query.answered);
	cr_assert_eq(query.facts.minor, FACT_YES);
	g_ptr_array_unref((GPtrArray *)query.kundennummern);
	close_service(&service);
}
