/* A journal out of a backup: recognised, kept from doing things twice, accepted, and whole again. */
#include "core/date.h"
#include "core/error.h"
#include "journal/log_restore.h"
#include "scene.h"

#include <string.h>

struct world {
	struct scene *scene;
	struct witness *witness;
	char *path;
};

static void seal(struct world *world)
{
	struct seal_options options = {.signer = world->scene->signer, .witness = world->witness};
	struct seal_result result = {0};
	do {
		CHECK(journal_seal(world->scene->journal, &options, &result, &why));
	} while ((int64_t)result.size < number(world->scene->journal, "SELECT count(*) FROM record"));
}

/* A sealed journal with its witness, and a backup of it. */
static struct world world_new(void)
{
	struct world world = {.scene = scene_new()};
	g_autofree char *folder = g_dir_make_tmp("witness-XXXXXX", NULL);
	world.path = g_build_filename(folder, "witness", NULL);
	struct witness_settings settings = {.place = world.path};
	world.witness = witness_new(&settings, NULL);
	seal(&world);
	place_backup(world.scene->place);
	return world;
}

static void world_drop(struct world *world)
{
	witness_free(world->witness);
	scene_free(world->scene);
	g_free(world->path);
}

static void restore(struct world *world)
{
	journal_close(world->scene->journal);
	place_restore(world->scene->place);
	world->scene->journal = place_open(world->scene->place);
	g_ptr_array_set_size(world->scene->kept, 0);
}

static enum witness_state standing(struct world *world, struct witness_check *check)
{
	CHECK(journal_check_witness(
	        world->scene->journal, world->witness, &world->scene->verifier, 1, check, &why));
	return check->state;
}

static struct restore_result accept(struct world *world, struct restoring *restoring)
{
	struct witness_check check = {0};
	struct restore_result result = {0};
	standing(world, &check);
	CHECK(journal_restore_accept(world->scene->journal, &check, restoring, &result, &why));
	witness_check_clear(&check);
	return result;
}

Test(log_restore, a_journal_that_agrees_with_its_witness_has_nothing_to_accept)
{
	struct world world = world_new();
	struct witness_check check = {0};
	struct restore_result result;
	AUTO(restoring) restoring = restoring_new(world.scene->journal);
	g_autoptr(GError) error = NULL;
	cr_assert_eq(standing(&world, &check), WITNESS_AGREES);
	cr_assert_not(journal_restore_accept(world.scene->journal, &check, restoring, &result, &error));
	cr_assert_eq(error_class(error), ERROR_USAGE);
	witness_check_clear(&check);
	world_drop(&world);
}

Test(log_restore, after_acceptance_the_log_is_sealed_again_and_verify_finds_nothing)
{
	struct world world = world_new();
	struct witness_check check = {0};
	planned(world.scene->journal, 20, "eakte", false);
	seal(&world);
	restore(&world);
	cr_assert_eq(standing(&world, &check), WITNESS_AHEAD);
	witness_check_clear(&check);
	struct seal_options options = {.signer = world.scene->signer, .witness = world.witness};
	struct seal_result sealed;
	g_autoptr(GError) refused = NULL;
	cr_assert_not(
	        journal_seal(world.scene->journal, &options, &sealed, &refused), "it would fork the log");
	AUTO(restoring) restoring = restoring_new(world.scene->journal);
	cr_assert_eq(accept(&world, restoring).epoch, 2);
	planned(world.scene->journal, 20, "eakte", false);
	seal(&world);
	cr_assert_eq(standing(&world, &check), WITNESS_AGREES);
	witness_check_clear(&check);
	struct verify_options verify = {
	        .verifiers = &world.scene->verifier, .n_verifiers = 1, .witness = world.witness};
	GError *error = NULL;
	AUTO(verify_report) report = journal_verify(world.scene->journal, &verify, &error);
	check_ok(report != NULL, error, "verify");
	for (guint i = 0; i < report->findings->len; i++) {
		const struct verify_finding *f = report->findings->pdata[i];
		cr_expect(false, "%s: %s: %s", f->kind, f->place, f->text);
	}
	JSON_AUTO detail = last_detail(world.scene->journal, "restore.accepted");
	cr_assert_gt(json_get_int(detail, "witness_size", 0), json_get_int(detail, "size", 0));
	world_drop(&world);
}

Test(log_restore, new_numbers_never_meet_those_that_were_given_before)
{
	struct world world = world_new();
	int64_t lost = planned(world.scene->journal, 20, "eakte", false);
	seal(&world);
	restore(&world);
	AUTO(restoring) restoring = restoring_new(world.scene->journal);
	struct restore_result result = accept(&world, restoring);
	int64_t item = planned(world.scene->journal, 21, "eakte", false);
	cr_assert_gt(result.first, lost);
	cr_assert_geq(item, result.first);
	cr_assert_geq(number(world.scene->journal, "SELECT max(id) FROM delivery"), result.first);
	world_drop(&world);
}

Test(log_restore, content_that_the_eakte_has_already_is_taken_in_again_under_its_old_number)
{
	struct world world = world_new();
	struct journal *journal = world.scene->journal;
	int64_t lost = take_mails(journal, 30, 1);
	g_autofree char *name = journal_item_name(journal, lost), *key = g_strconcat(name, "/eakte", NULL);
	AUTO(db_rows)
	rows = db_query(
	        journal_db(journal), "SELECT sha256 FROM item ORDER BY id DESC LIMIT 1", NULL, 0, NULL);
	g_autofree char *sha256 = g_strdup(db_rows_text(rows, 0, 0));
	seal(&world);
	restore(&world);
	journal = world.scene->journal;
	AUTO(restoring) restoring = restoring_new(journal);
	CHECK(restoring_add(restoring, "eakte", key, sha256, &why));
	CHECK(restoring_add(restoring, "eakte", "0000abcd-9/eakte", "00", &why));
	const GPtrArray *sent = restoring_sent(restoring, NULL);
	cr_assert_eq(sent->len, 1);
	cr_assert_str_eq(((const struct restore_sent *)sent->pdata[0])->why, "no_item");
	struct restore_result result = accept(&world, restoring);
	cr_assert_eq(take_mails(journal, 30, 1), lost);
	cr_assert_geq(take_mails(journal, 31, 1), result.first);
	cr_assert_eq(number(journal, "SELECT count(*) FROM restored"), 0);
	world_drop(&world);
}

Test(log_restore, an_open_call_becomes_klaerung_for_it_may_have_been_made)
{
	struct world world = world_new();
	struct journal *journal = world.scene->journal;
	struct new_task call = {.kind = "call"};
	int64_t id;
	CHECK(journal_open_task(journal, 1, &call, NULL, &id, &why));
	seal(&world);
	place_backup(world.scene->place);
	CHECK(journal_attempt_task(journal, id, true, NULL, &why));
	seal(&world);
	restore(&world);
	journal = world.scene->journal;
	AUTO(restoring) restoring = restoring_new(journal);
	cr_assert_eq(accept(&world, restoring).calls, 1);
	struct task_filter calls = {.kind = "call"}, klaerung = {.kind = "klaerung", .item = 1};
	g_autoptr(GPtrArray) open = journal_tasks(journal, &calls, NULL);
	g_autoptr(GPtrArray) instead = journal_tasks(journal, &klaerung, NULL);
	cr_assert_eq(open->len, 0);
	cr_assert_geq(instead->len, 1);
	seal(&world);
	assert_whole(world.scene);
	world_drop(&world);
}

/* A new epoch is no way to rewrite what was sealed before the backup. */
Test(log_restore, checkpoints_from_before_the_backup_must_still_be_part_of_the_log)
{
	struct world world = world_new();
	planned(world.scene->journal, 20, "eakte", false);
	seal(&world);
	restore(&world);
	AUTO(restoring) restoring = restoring_new(world.scene->journal);
	accept(&world, restoring);
	seal(&world);
	tamper(world.scene, "DELETE FROM leaf; DELETE FROM checkpoint; UPDATE log_cursor SET xid = 0, id = 0;"
	                    " DELETE FROM record WHERE id = 2");
	struct seal_options options = {.signer = world.scene->signer};
	struct seal_result result = {0};
	do {
		CHECK(journal_seal(world.scene->journal, &options, &result, &why));
	} while ((int64_t)result.size < number(world.scene->journal, "SELECT count(*) FROM record"));
	struct verify_options verify = {.verifiers = &world.scene->verifier,
	        .n_verifiers = 1,
	        .witness = world.witness,
	        .log_only = true};
	AUTO(verify_report) report = journal_verify(world.scene->journal, &verify, NULL);
	unsigned kept = 0;
	for (guint i = 0; i < report->findings->len; i++) {
		const struct verify_finding *f = report->findings->pdata[i];
		kept += strcmp(f->kind, FINDING_KEPT) == 0;
	}
	cr_assert_geq(kept, 2, "the epoch before and the one now");
	world_drop(&world);
}
