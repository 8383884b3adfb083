/* Replay: the dry run decides as the real run did, and says what a candidate would change. */
#include "route_support.h"

#include "classifiers/replay.h"
#include "core/date.h"

#include <string.h>

#define DAY1 "2024-03-05T10:00:00+01:00"

#define ABSENCE                                                                                              \
	"{\"type\":\"veraenderung\",\"kind\":\"ortsabwesenheit\","                                           \
	"\"from\":\"2024-04-01\",\"to\":\"2024-04-10\"}"

static const char *const forms[] = {
        "{\"type\":\"veraenderung\",\"kind\":\"umzug\"}",
        "{\"type\":\"veraenderung\",\"kind\":\"arbeitsaufnahme\"}",
        ABSENCE,
        "{\"type\":\"veraenderung\",\"kind\":\"nie gehört\"}",
        "{\"type\":\"arbeitsuchendmeldung\",\"cv\":{\"schulbildung\":\"empty\"}}",
};

static void fill(struct desk *desk, int n)
{
	for (int i = 0; i < n; i++) {
		g_autofree char *key = g_strdup_printf("%d", i);
		take_form(desk, key, DAY1, forms[i % (int)G_N_ELEMENTS(forms)]);
	}
	cr_assert_eq(route_all(desk).decided, n);
}

static struct replay_report *replay_with(struct desk *desk, struct bundle *bundle)
{
	GError *error = NULL;
	AUTO(pipeline) candidate = pipeline_open(bundle, &error);
	check_ok(candidate != NULL, error, "candidate");
	struct journal_options journal = place_options(desk->place);
	const struct replay_options options = {.candidate = candidate, .journal = &journal, .threads = 2};
	struct replay_report *report = replay_report_new();
	check_ok(replay_run(&options, report, &error), error, "replay");
	return report;
}

static const struct replay_change *change(const struct replay_report *report, const char *kind)
{
	for (guint i = 0; i < report->changes->len; i++) {
		const struct replay_change *found = report->changes->pdata[i];
		if (strcmp(found->kind, kind) == 0)
			return found;
	}
	return NULL;
}

Test(replay, the_same_bundle_gives_the_same_bytes)
{
	AUTO(desk) desk = desk_new(NULL);
	fill(desk, 150);
	AUTO(replay_report) report = replay_with(desk, bundle_with(NULL, NULL, NULL));
	cr_assert_eq(report->items, 150);
	cr_assert_eq(report->outcomes[REPLAY_IDENTICAL], 150);
	cr_assert_eq(report->changes->len, 0);
}

Test(replay, an_item_whose_bytes_are_not_touched_is_decided_alike_again)
{
	AUTO(desk) desk = desk_new(NULL);
	take_form(desk, "p", DAY1, forms[1]);
	for (int i = 0; i < ITEM_POISON_ATTEMPTS; i++) {
		g_autoptr(GPtrArray) claims = claim_items(desk->journal, 10, MINUTE);
		CHECK(journal_release_items(desk->journal, claims, 0, true, &why));
	}
	cr_assert_eq(route_all(desk).poisoned, 1);
	AUTO(replay_report) report = replay_with(desk, bundle_with(NULL, NULL, NULL));
	cr_assert_eq(report->outcomes[REPLAY_IDENTICAL], 1);
}

Test(replay, another_contact_code_is_a_change_of_its_kind_with_samples)
{
	AUTO(desk) desk = desk_new(NULL);
	fill(desk, 150);
	AUTO(replay_report)
	report = replay_with(desk, bundle_with("contact_codes.yaml", "\"3030\"", "\"3930\""));
	cr_assert_eq(report->outcomes[REPLAY_CHANGED], 30);
	cr_assert_eq(report->outcomes[REPLAY_SAME], 120);
	const struct replay_change *code = change(report, "contact_code");
	cr_assert_not_null(code);
	cr_assert_eq(code->items, 30);
	cr_assert_eq(code->samples->len, REPLAY_SAMPLES);
	cr_assert_eq(report->lost, 0);
}

Test(replay, a_payment_relevant_item_that_would_leave_the_eakte_is_named)
{
	AUTO(desk) desk = desk_new(NULL);
	fill(desk, 20);
	/* What nobody knew as a kind becomes one that touches no payment. */
	AUTO(replay_report)
	report = replay_with(desk,
	        bundle_with("catalogue.yaml", "[sonstiges Anliegen,", "[nie gehört, sonstiges Anliegen,"));
	cr_assert_eq(report->lost, 4);
	cr_assert_eq(report->losses->len, 4);
	cr_assert_not_null(change(report, "-eakte"));
}

Test(replay, goes_on_behind_what_a_report_has_seen)
{
	AUTO(desk) desk = desk_new(NULL);
	fill(desk, 10);
	AUTO(pipeline) candidate = pipeline_open(bundle_with(NULL, NULL, NULL), NULL);
	struct journal_options journal = place_options(desk->place);
	const struct replay_options options = {.candidate = candidate, .journal = &journal, .threads = 1};
	AUTO(replay_report) report = replay_report_new();
	CHECK(replay_run(&options, report, &why));
	JSON_AUTO json = replay_report_to_json(report);
	AUTO(replay_report) again = replay_report_from_json(json, NULL);
	take_form(desk, "new", DAY1, forms[0]);
	route_all(desk);
	CHECK(replay_run(&options, again, &why));
	cr_assert_eq(again->items, 11);
	cr_assert_eq(again->outcomes[REPLAY_IDENTICAL], 11);
}

Test(replay, history_before_the_given_day_is_left_out)
{
	AUTO(desk) desk = desk_new(NULL);
	take_form(desk, "old", "2021-01-01T10:00:00+01:00", forms[0]);
	take_form(desk, "new", DAY1, forms[0]);
	route_all(desk);
	AUTO(pipeline) candidate = pipeline_open(bundle_with(NULL, NULL, NULL), NULL);
	struct journal_options journal = place_options(desk->place);
	int64_t since;
	instant_parse("2024-01-01T00:00:00+01:00", &since);
	const struct replay_options options = {
	        .candidate = candidate, .journal = &journal, .threads = 1, .since = since};
	AUTO(replay_report) report = replay_report_new();
	CHECK(replay_run(&options, report, &why));
	cr_assert_eq(report->items, 1);
}
