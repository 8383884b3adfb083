/* Each way of tampering with journal or log is found; an honest journal raises no alarm. */
#include "core/error.h"
#include "core/json.h"
#include "journal/record.h"
#include "scene.h"

#include <criterion/parameterized.h>
#include <glib/gstdio.h>
#include <string.h>

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

Test(log_verify, an_honest_journal_has_no_findings)
{
	struct scene *scene = scene_new();
	assert_whole(scene);
	AUTO(verify_report) report = verify(scene);
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

Test(log_verify, a_receipt_for_other_bytes_than_were_received_is_found)
{
	AUTO(scene) scene = scene_new();
	planned(scene->journal, 9, "eakte", false);
	g_autoptr(GPtrArray) due = claim_deliveries(scene->journal, "eakte", INT64_MAX / 4);
	char other[HASH_HEX_SIZE];
	hash_hex("x", 1, other);
	JSON_AUTO receipt = json_pack("{s:s}", "sha256", other);
	for (guint i = 0; i < due->len; i++) {
		struct delivery_result result = {
		        .delivery = due->pdata[i], .outcome = DELIVERY_CONFIRMED, .receipt = receipt};
		CHECK(journal_delivery_results(scene->journal, &result, 1, 1, &why));
	}
	seal_scene(scene);
	assert_found(scene, "a receipt for other bytes", FINDING_DISAGREES);
}

Test(log_verify, a_record_the_sequencer_was_made_to_pass_by_is_found)
{
	AUTO(scene) scene = scene_new();
	planned(scene->journal, 9, "eakte", false);
	tamper(scene,
	        place_is_postgres(scene->place)
	                ? "UPDATE log_cursor SET xid = CAST(CAST(pg_current_xact_id() AS text) AS bigint) + 9"
	                : "UPDATE log_cursor SET id = (SELECT max(id) FROM record)");
	assert_found(scene, "a record passed by", FINDING_SKIPPED);
}

/* What verify says with that text as the witness's file. */
static unsigned findings_with_witness(struct scene *scene, const char *text)
{
	g_autofree char *folder = g_dir_make_tmp("witness.XXXXXX", NULL);
	g_autofree char *path = g_build_filename(folder, "witness", NULL);
	cr_assert(g_file_set_contents(path, text, -1, NULL));
	const struct witness_settings settings = {.place = path};
	AUTO(witness) witness = witness_new(&settings, NULL);
	struct verify_options options = {.verifiers = &scene->verifier, .n_verifiers = 1, .witness = witness};
	GError *error = NULL;
	AUTO(verify_report) report = journal_verify(scene->journal, &options, &error);
	check_ok(report != NULL, error, "verify");
	g_remove(path);
	g_rmdir(folder);
	return report->findings->len;
}

static char *witness_text(const struct scene *scene)
{
	GString *text = g_string_new(NULL);
	for (guint i = 0; i < scene->kept->len; i++) {
		JSON_AUTO line = json_object();
		json_set_string(line, "note", scene->kept->pdata[i]);
		g_autofree char *canonical = json_canonical(line);
		g_string_append_printf(text, "%s\n", canonical);
	}
	return g_string_free(text, FALSE);
}

Test(log_verify, a_witness_that_was_swapped_or_emptied_is_found)
{
	AUTO(scene) scene = scene_new();
	AUTO(scene) other = scene_new();
	g_autofree char *own = witness_text(scene), *foreign = witness_text(other);
	cr_assert_eq(findings_with_witness(scene, own), 0);
	cr_assert_gt(findings_with_witness(scene, foreign), 0);
	cr_assert_gt(findings_with_witness(scene, ""), 0);
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

/* Every byte of some records, each with another bit. */
Test(log_verify, a_flipped_bit_in_any_byte_of_a_record_is_found)
{
	AUTO(scene) scene = scene_new();
	AUTO(db_rows)
	rows = db_query(journal_db(scene->journal),
	        "SELECT id, body FROM record WHERE event IN ('received', 'decided') ORDER BY id LIMIT 2",
	        NULL, 0, NULL);
	for (unsigned r = 0; r < db_rows_count(rows); r++) {
		g_autoptr(GBytes) body = db_rows_bytes(rows, r, 1);
		gsize size;
		const guint8 *data = g_bytes_get_data(body, &size);
		g_autofree guint8 *bent = g_memdup2(data, size);
		for (gsize i = 0; i < size; i++) {
			struct db_value args[] = {db_int(db_rows_int(rows, r, 0)), db_blob(bent, size)};
			bent[i] ^= (guint8)(1u << i % 8);
			CHECK(db_exec(journal_db(scene->journal), "UPDATE record SET body = $2 WHERE id = $1",
			        args, 2, NULL, &why));
			struct verify_options options = {.log_only = true};
			AUTO(verify_report) report = journal_verify(scene->journal, &options, NULL);
			cr_assert_gt(report->findings->len, 0, "byte %zu of record %u", i, r);
			bent[i] = data[i];
		}
		struct db_value back[] = {db_int(db_rows_int(rows, r, 0)), db_blob(bent, size)};
		CHECK(db_exec(journal_db(scene->journal), "UPDATE record SET body = $2 WHERE id = $1", back,
		        2, NULL, &why));
	}
	assert_whole(scene);
}

Test(log_verify, a_replaced_record_with_its_leaf_recomputed_is_found)
{
	AUTO(scene) scene = scene_new();
	static const char forged[] =
	        "{\"actor\":\"os:evil\",\"detail\":{},\"event\":\"received\",\"time\":1,\"v\":1}";
	struct log_hash leaf;
	log_leaf_hash(forged, strlen(forged), &leaf);
	struct db_value args[] = {db_blob(forged, strlen(forged)), db_blob(leaf.bytes, HASH_SIZE)};
	CHECK(db_exec(
	        journal_db(scene->journal), "UPDATE record SET body = $1 WHERE id = 3", args, 1, NULL, &why));
	struct db_value hash[] = {args[1]};
	CHECK(db_exec(journal_db(scene->journal), "UPDATE leaf SET hash = $1 WHERE record = 3", hash, 1, NULL,
	        &why));
	assert_found(scene, "a replaced record", FINDING_ROOT);
}
