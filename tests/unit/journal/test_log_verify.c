/* Each way of tampering with journal or log is found; an honest journal raises no alarm. */
#include "core/error.h"
#include "fixture.h"
#include "journal/log_seal.h"
#include "journal/log_verify.h"
#include "journal/record.h"

#include <criterion/parameterized.h>
#include <glib/gstdio.h>
#include <string.h>

/* A journal with items, decisions, a confirmed delivery and tasks, sealed in two steps. */
struct scene {
	struct place *place;
	struct journal *journal;
	struct log_signer *signer;
	struct log_verifier *verifier;
	GPtrArray *kept; /* the auditor's copies of both checkpoints */
};

static void seal_scene(struct scene *scene)
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

static void confirm_one(struct journal *journal)
{
	g_autoptr(GPtrArray) claims = claim_deliveries(journal, "eakte", INT64_MAX / 4);
	cr_assert_gt(claims->len, 0);
	JSON_AUTO receipt = json_pack("{s:s}", "sha256", "00");
	struct delivery_result result = {
	        .delivery = claims->pdata[0], .outcome = DELIVERY_CONFIRMED, .receipt = receipt};
	CHECK(journal_delivery_results(journal, &result, 1, 1, &why));
}

static struct scene *scene_new(void)
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

static void scene_free(struct scene *scene)
{
	journal_close(scene->journal);
	log_signer_free(scene->signer);
	log_verifier_free(scene->verifier);
	g_ptr_array_unref(scene->kept);
	place_free(scene->place);
	g_free(scene);
}

static struct verify_report *verify(struct scene *scene)
{
	struct verify_options options = {
	        .verifiers = &scene->verifier, .n_verifiers = 1, .kept = scene->kept};
	GError *error = NULL;
	struct verify_report *report = journal_verify(scene->journal, &options, &error);
	check_ok(report != NULL, error, "verify");
	return report;
}

static void assert_found(struct scene *scene, const char *what, const char *kind)
{
	AUTO(verify_report) report = verify(scene);
	for (guint i = 0; i < report->findings->len; i++) {
		const struct verify_finding *finding = report->findings->pdata[i];
		if (strcmp(finding->kind, kind) == 0)
			return;
	}
	cr_assert(false, "%s is not found as %s (%u other findings)", what, kind, report->findings->len);
}

static void tamper(struct scene *scene, const char *sql)
{
	if (place_is_postgres(scene->place)) {
		CHECK(db_script(journal_db(scene->journal), sql, &why));
		return;
	}
	g_autofree char *unchecked = g_strconcat("PRAGMA foreign_keys = OFF; ", sql, NULL);
	CHECK(db_script(journal_db(scene->journal), unchecked, &why));
}

Test(log_verify, an_honest_journal_has_no_findings)
{
	struct scene *scene = scene_new();
	AUTO(verify_report) report = verify(scene);
	for (guint i = 0; i < report->findings->len; i++) {
		const struct verify_finding *finding = report->findings->pdata[i];
		cr_expect(false, "%s: %s: %s", finding->kind, finding->place, finding->text);
	}
	cr_assert_eq(report->unsealed, 0);
	cr_assert_eq(report->items, 3);
	cr_assert_eq(report->checkpoints, 2);
	scene_free(scene);
}

/* {name, SQL, what must be found} */
static const struct {
	const char *name, *sql, *kind;
} cases[] = {
        {"a changed byte of a record",
                "UPDATE record SET body = (SELECT body FROM record WHERE id = 2) WHERE id = 3",
                FINDING_RECORD_BENT},
        {"a removed record", "DELETE FROM record WHERE id = 3", FINDING_RECORD_GONE},
        {"a removed leaf", "DELETE FROM leaf WHERE n = 2", FINDING_LEAF_GAP},
        {"a removed record with its leaf, later ones moved up",
                "DELETE FROM record WHERE id = 3; DELETE FROM leaf WHERE n = 2;"
                " UPDATE leaf SET n = n + 1000000 WHERE n > 2; UPDATE leaf SET n = n - 1000001 WHERE n > "
                "1000000",
                FINDING_ROOT},
        {"two records in the other's place",
                "UPDATE leaf SET n = -1 WHERE n = 1; UPDATE leaf SET n = 1 WHERE n = 2; UPDATE leaf SET n = "
                "2 WHERE n = -1",
                FINDING_ROOT},
        {"a cut tail, with its checkpoint",
                "DELETE FROM record WHERE id IN (SELECT record FROM leaf WHERE n >= (SELECT min(size) FROM "
                "checkpoint));"
                " DELETE FROM leaf WHERE n >= (SELECT min(size) FROM checkpoint);"
                " DELETE FROM checkpoint WHERE size > (SELECT min(size) FROM checkpoint)",
                FINDING_TAIL},
        {"a checkpoint of the wrong size",
                "UPDATE checkpoint SET size = size + 1 WHERE size = (SELECT max(size) FROM checkpoint)",
                FINDING_CHECKPOINT},
        {"another's signature", "UPDATE checkpoint SET note = replace(note, 'test', 'evil')",
                FINDING_SIGNATURE},
        {"a column beside the record", "UPDATE record SET event = 'decided' WHERE event = 'received'",
                FINDING_COLUMN},
        {"a time beside the record", "UPDATE record SET time = time + 1 WHERE id = 2", FINDING_COLUMN},
        {"a delivery that nobody planned",
                "INSERT INTO delivery (id, item, handler, key, not_before, due, state, at_most_once, "
                "created, changed)"
                " VALUES (9999, 1, 'eakte', 'x/eakte', 0, 0, 'confirmed', 0, 0, 0)",
                FINDING_NO_RECORD},
        {"a delivery that is gone", "DELETE FROM delivery WHERE handler = 'archive'", FINDING_NO_ROW},
        {"a delivery said to be done", "UPDATE delivery SET state = 'confirmed' WHERE handler = 'archive'",
                FINDING_DISAGREES},
        {"a task that is gone", "DELETE FROM task WHERE kind = 'klaerung'", FINDING_NO_ROW},
        {"a task closed behind the log", "UPDATE task SET state = 'done'", FINDING_DISAGREES},
        {"a decision rewritten", "UPDATE decision SET decision = '{\"id\":1}' WHERE item = 2",
                FINDING_DISAGREES},
        {"facts rewritten", "UPDATE decision SET facts = '{\"deceased\":\"yes\"}' WHERE item = 2",
                FINDING_DISAGREES},
        {"a decision that is gone", "DELETE FROM decision WHERE item = 2", FINDING_NO_ROW},
        {"another content", "UPDATE item SET sha256 = 'ff' WHERE id = 1", FINDING_DISAGREES},
};

static void run_case(size_t i)
{
	struct scene *scene = scene_new();
	tamper(scene, cases[i].sql);
	assert_found(scene, cases[i].name, cases[i].kind);
	scene_free(scene);
}

ParameterizedTestParameters(log_verify, each_tampering_is_found)
{
	static size_t numbers[G_N_ELEMENTS(cases)];
	for (size_t i = 0; i < G_N_ELEMENTS(cases); i++)
		numbers[i] = i;
	return cr_make_param_array(size_t, numbers, G_N_ELEMENTS(cases));
}

ParameterizedTest(size_t *i, log_verify, each_tampering_is_found)
{
	run_case(*i);
}

Test(log_verify, a_log_rewritten_from_the_start_with_the_real_key_is_a_fork_for_whoever_kept_a_checkpoint)
{
	struct scene *scene = scene_new();
	tamper(scene, "DELETE FROM leaf; DELETE FROM checkpoint; UPDATE log_cursor SET xid = 0, id = 0;"
	              " DELETE FROM record WHERE id = 2");
	seal_scene(scene);
	g_ptr_array_set_size(scene->kept, 2);
	assert_found(scene, "a rewritten log", FINDING_KEPT);
	scene_free(scene);
}

Test(log_verify, a_wrong_key_is_found)
{
	struct scene *scene = scene_new();
	AUTO(log_signer) other = log_signer_generate("test", NULL);
	g_autofree char *text = log_signer_verifier(other);
	log_verifier_free(scene->verifier);
	scene->verifier = log_verifier_parse(text, NULL);
	assert_found(scene, "a wrong key", FINDING_SIGNATURE);
	scene_free(scene);
}
