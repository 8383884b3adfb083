/* scene.c - see scene.h. */
#include "scene.h"

#include <string.h>

void seal_scene(struct scene *scene)
{
	struct seal_options options = {.signer = scene->signer};
	struct seal_result result = {0};
	/* Other tests write to the same cluster: what they have open holds the sequencer back for a moment.
	 */
	while ((int64_t)result.size < number(scene->journal, "SELECT count(*) FROM record")) {
		CHECK(journal_seal(scene->journal, &options, &result, &why));
		g_usleep(1000);
	}
	AUTO(db_rows)
	rows = db_query(journal_db(scene->journal), "SELECT note FROM checkpoint ORDER BY size DESC LIMIT 1",
	        NULL, 0, NULL);
	g_ptr_array_add(scene->kept, g_strdup(db_rows_text(rows, 0, 0)));
}

void confirm_one(struct journal *journal)
{
	g_autoptr(GPtrArray) claims = claim_deliveries(journal, "eakte", INT64_MAX / 4);
	cr_assert_gt(claims->len, 0);
	const struct delivery *delivery = claims->pdata[0];
	JSON_AUTO receipt = json_pack("{s:s}", "sha256", delivery->item->sha256);
	struct delivery_result result = {
	        .delivery = delivery, .outcome = DELIVERY_CONFIRMED, .receipt = receipt};
	CHECK(journal_delivery_results(journal, &result, 1, 1, &why));
}

struct scene *scene_new(void)
{
	struct scene *scene = g_new0(struct scene, 1);
	scene->place = place_new();
	scene->journal = place_open(scene->place);
	scene->signer = log_signer_generate("test", NULL);
	g_autofree char *text = log_signer_verifier(scene->signer);
	scene->verifier = log_verifier_parse(text, NULL);
	scene->kept = g_ptr_array_new_with_free_func(g_free);
	activate(scene->journal, BUNDLE);
	planned(scene->journal, 1, "eakte", false);
	planned(scene->journal, 2, "eakte", false);
	confirm_one(scene->journal);
	seal_scene(scene);
	planned(scene->journal, 3, "archive", false);
	struct new_task task = {.kind = "klaerung", .text = "Bitte prüfen"};
	int64_t id;
	CHECK(journal_open_task(scene->journal, 1, &task, NULL, &id, &why));
	seal_scene(scene);
	return scene;
}

void scene_free(struct scene *scene)
{
	journal_close(scene->journal);
	log_signer_free(scene->signer);
	log_verifier_free(scene->verifier);
	g_ptr_array_unref(scene->kept);
	place_free(scene->place);
	g_free(scene);
}

struct verify_report *verify(struct scene *scene)
{
	struct verify_options options = {
	        .verifiers = &scene->verifier, .n_verifiers = 1, .kept = scene->kept};
	GError *error = NULL;
	struct verify_report *report = journal_verify(scene->journal, &options, &error);
	check_ok(report != NULL, error, "verify");
	return report;
}

void tamper(struct scene *scene, const char *sql)
{
	if (place_is_postgres(scene->place)) {
		CHECK(db_script(journal_db(scene->journal), sql, &why));
		return;
	}
	g_autofree char *unchecked = g_strconcat("PRAGMA foreign_keys = OFF; ", sql, NULL);
	CHECK(db_script(journal_db(scene->journal), unchecked, &why));
}

void assert_whole(struct scene *scene)
{
	AUTO(verify_report) report = verify(scene);
	for (guint i = 0; i < report->findings->len; i++) {
		const struct verify_finding *finding = report->findings->pdata[i];
		cr_expect(false, "%s: %s: %s", finding->kind, finding->place, finding->text);
	}
	cr_assert_eq(report->findings->len, 0);
}
