/* Evidence goes when its own, longer term is over; what is left of it in the log still proves that nothing
 * else is missing. */
#include "core/date.h"
#include "journal/log_balance.h"
#include "journal/log_export.h"
#include "journal/log_privacy.h"
#include "journal/record.h"
#include "scene.h"

#include <glib/gstdio.h>
#include <stdlib.h>
#include <string.h>

static struct expire_result expire(struct journal *journal, int64_t content, int64_t evidence)
{
	const struct retention terms = {
	        .content = content, .klaerung = content, .automatic = content, .evidence = evidence};
	const struct expire_options options = {.terms = &terms, .now = instant_now()};
	struct expire_result result;
	CHECK(journal_expire(journal, &options, &result, &why));
	return result;
}

/* Items 1 and 4 are finished and without content, 2 and 3 have deliveries to come; all is sealed. */
static struct scene *old_scene(void)
{
	struct scene *scene = scene_new();
	struct journal *journal = scene->journal;
	take_mails(journal, 4, 1);
	g_autoptr(GPtrArray) claims = claim_items(journal, 1, MINUTE);
	struct new_decision decision = plain_decision(claims->pdata[0]);
	CHECK(journal_commit_decisions(journal, BUNDLE, &decision, 1, DAY, &why));
	int64_t task = number(journal, "SELECT id FROM task WHERE state = 'open'");
	struct task_closing closing = {.reason = "erledigt"};
	CHECK(journal_close_task(journal, task, &closing, &why));
	cr_assert_eq(expire(journal, 0, 3650 * INT64_C(86400)).items, 2);
	seal_scene(scene);
	return scene;
}

static unsigned findings(struct scene *scene, int64_t evidence_term, const char *kind)
{
	struct verify_options options = {.verifiers = &scene->verifier,
	        .n_verifiers = 1,
	        .kept = scene->kept,
	        .evidence_term = evidence_term};
	GError *error = NULL;
	unsigned n = 0;
	AUTO(verify_report) report = journal_verify(scene->journal, &options, &error);
	check_ok(report != NULL, error, "verify");
	for (guint i = 0; i < report->findings->len; i++)
		n += strcmp(((const struct verify_finding *)report->findings->pdata[i])->kind, kind) == 0;
	return n;
}

Test(log_evidence, goes_with_its_records_after_its_term_and_the_log_stays_whole)
{
	AUTO(scene) scene = old_scene();
	struct expire_result result = expire(scene->journal, 0, 0);
	cr_assert_eq(result.ended, 2);
	cr_assert_eq(result.evidence, 0);
	cr_assert_eq(number(scene->journal, "SELECT count(*) FROM item"), 2);
	cr_assert_eq(number(scene->journal, "SELECT count(*) FROM record WHERE item IN (1, 4)"), 0);
	cr_assert_eq(number(scene->journal, "SELECT count(*) FROM decision"), 2);
	cr_assert_eq(records_of(scene->journal, "evidence.deleted"), 1);
	assert_whole(scene); /* with all checkpoints that were kept */
	seal_scene(scene);
	assert_whole(scene);
}

Test(log_evidence, stays_while_its_term_runs_or_a_hold_stands_or_something_is_open)
{
	AUTO(scene) scene = old_scene();
	int64_t hold;
	cr_assert_eq(expire(scene->journal, 0, 3650 * INT64_C(86400)).ended, 0);
	CHECK(journal_hold_add(scene->journal, 1, NULL, "Klage", &hold, &why));
	struct expire_result result = expire(scene->journal, 0, 0);
	cr_assert_eq(result.ended, 1, "two are open, item 1 is held");
	cr_assert_eq(result.evidence, 1, "what is held is counted");
	CHECK(journal_hold_release(scene->journal, hold, &why));
	cr_assert_eq(
	        expire(scene->journal, 0, 0).ended, 0, "the release is younger than the last checkpoint");
	seal_scene(scene);
	cr_assert_eq(expire(scene->journal, 0, 0).ended, 1);
	assert_whole(scene);
}

Test(log_evidence, what_goes_too_early_is_found)
{
	AUTO(scene) scene = old_scene();
	cr_assert_eq(expire(scene->journal, 0, 0).ended, 2);
	seal_scene(scene);
	cr_assert_eq(findings(scene, 0, FINDING_EARLY), 0);
	cr_assert_gt(findings(scene, 3650 * INT64_C(86400), FINDING_EARLY), 0);
}

static void forge(struct scene *scene, int64_t before, int64_t first, int64_t last)
{
	JSON_AUTO detail = json_pack("{s:I, s:i, s:[[I, I]]}", "before", (json_int_t)before, "items", 1,
	        "leaves", (json_int_t)first, (json_int_t)(last + 1));
	struct record record = {.event = RECORD_EVIDENCE_DELETED, .detail = detail};
	CHECK(db_begin(journal_db(scene->journal), &why));
	CHECK(record_write(scene->journal, &record, 1, &why));
	CHECK(db_commit(journal_db(scene->journal), &why));
}

Test(log_evidence, a_record_that_lies_about_the_age_of_what_was_deleted_is_found)
{
	AUTO(scene) scene = scene_new();
	int64_t term = 3650 * INT64_C(86400);
	forge(scene, instant_now() - term * SECOND - HOUR, 3, 4);
	tamper(scene, "DELETE FROM record WHERE id IN (SELECT record FROM leaf WHERE n IN (3, 4))");
	seal_scene(scene);
	cr_assert_gt(findings(scene, term, FINDING_EARLY), 0);
}

Test(log_evidence, a_key_that_the_source_still_has_is_not_taken_for_new_and_the_books_still_balance)
{
	AUTO(scene) scene = old_scene();
	expire(scene->journal, 0, 0);
	take_mails(scene->journal, 1, 4);
	cr_assert_eq(number(scene->journal, "SELECT count(*) FROM item"), 2);
	struct balance_options options = {.from = DAY_NONE, .to = DAY_NONE};
	GError *error = NULL;
	AUTO(balance_report) report = journal_balance(scene->journal, &options, &error);
	check_ok(report != NULL, error, "balance");
	for (guint i = 0; i < report->differences->len; i++) {
		const struct balance_difference *d = report->differences->pdata[i];
		cr_expect(strcmp(d->kind, BALANCE_COUNTERS) != 0, "%s: %s", d->place, d->text);
	}
}

static int run_stranger(const char *folder)
{
	g_autofree char *command = g_strdup_printf(
	        "/usr/bin/python3 %s/tests/tool/verify_log.py %s %s/keys.txt", SOURCE_DIR, folder, folder);
	return system(command);
}

static void change_file(const char *folder, const char *old, const char *new)
{
	g_autofree char *path = g_build_filename(folder, "records.jsonl", NULL), *text = NULL;
	cr_assert(g_file_get_contents(path, &text, NULL, NULL));
	g_autoptr(GString) changed = g_string_new(text);
	cr_assert_gt(g_string_replace(changed, old, new, 1), 0);
	cr_assert(g_file_set_contents(path, changed->str, (gssize)changed->len, NULL));
}

Test(log_evidence, an_export_shows_the_leaf_and_both_verifiers_want_to_know_why)
{
	AUTO(scene) scene = old_scene();
	expire(scene->journal, 0, 0);
	seal_scene(scene);
	g_autofree char *root = g_dir_make_tmp("log-XXXXXX", NULL),
	                *folder = g_build_filename(root, "log", NULL);
	g_autofree char *key = log_signer_verifier(scene->signer);
	g_autoptr(GPtrArray) keys = g_ptr_array_new();
	g_ptr_array_add(keys, key);
	const struct log_export_options options = {.folder = folder, .keys = keys};
	CHECK(journal_export_log(scene->journal, &options, NULL, &why));
	g_autofree char *bundle = g_build_filename(folder, "bundles", BUNDLE, NULL);
	cr_assert_eq(g_unlink(bundle), 0); /* the fixture's bundle is none */
	const struct verify_options how = {.verifiers = &scene->verifier, .n_verifiers = 1};
	AUTO(verify_report) good = log_verify_export(folder, &how, NULL);
	cr_assert_eq(good->findings->len, 0);
	cr_assert_eq(run_stranger(folder), 0);
	const struct verify_options strict = {
	        .verifiers = &scene->verifier, .n_verifiers = 1, .evidence_term = 3650 * INT64_C(86400)};
	AUTO(verify_report) early = log_verify_export(folder, &strict, NULL);
	cr_assert_gt(early->findings->len, 0, "it did not stay ten years");
	change_file(folder, "\"leaves\":[[", "\"leaves\":[[9999,99999],["); /* says something else */
	AUTO(verify_report) bad = log_verify_export(folder, &how, NULL);
	cr_assert_gt(bad->findings->len, 0);
	cr_assert_neq(run_stranger(folder), 0);
}
