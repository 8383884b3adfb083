/* What was deleted is gone from the very file; what is held stays; the log stays verifiable throughout. */
#include "core/date.h"
#include "core/error.h"
#include "journal/content.h"
#include "journal/log_privacy.h"
#include "scene.h"

#include <glib/gstdio.h>
#include <string.h>
#include <unistd.h>

#define NUMBER "123A456789"

static const struct retention terms = {
        .content = 90 * 86400, .klaerung = 180 * 86400, .automatic = 30 * 86400, .evidence = 3653 * 86400};

static void hash_of(struct journal *journal, char out[HASH_HEX_SIZE])
{
	journal_pseudonym(journal, "kundennummer", NUMBER, out);
}

/* One mail of a person, decided with that task (or nothing to do) and closed at once unless a task is open.
 */
static int64_t decided(
        struct journal *journal, unsigned key, const char *person, struct new_task *task, json_t *findings)
{
	int64_t item = take_mails(journal, key, 1);
	g_autoptr(GPtrArray) claims = claim_items(journal, 1, MINUTE);
	struct new_decision decision = plain_decision(g_ptr_array_index(claims, 0));
	decision.relevance = RELEVANCE_NO;
	decision.person = person;
	decision.findings = findings;
	decision.tasks = task;
	decision.n_tasks = task ? 1 : 0;
	CHECK(journal_commit_decisions(journal, BUNDLE, &decision, 1, DAY, &why));
	return item;
}

static struct expire_result expire(struct journal *journal, int64_t later, bool dry_run)
{
	struct expire_options options = {
	        .terms = &terms, .now = instant_now() + later, .dry_run = dry_run, .batch = 3};
	struct expire_result result;
	CHECK(journal_expire(journal, &options, &result, &why));
	return result;
}

static bool has_content(struct journal *journal, int64_t item)
{
	g_autoptr(GBytes) bytes = journal_content(journal, item, 1 << 20, NULL);
	return bytes != NULL;
}

/* True if the text stands in the database file or its log. */
static bool stands_in_files(const struct place *place, const char *text)
{
	const char *const ends[] = {"", "-wal"};
	for (size_t i = 0; i < G_N_ELEMENTS(ends); i++) {
		g_autofree char *path = g_strconcat(place_path(place), ends[i], NULL), *data = NULL;
		gsize size = 0;
		if (g_file_get_contents(path, &data, &size, NULL) && memmem(data, size, text, strlen(text)))
			return true;
	}
	return false;
}

Test(log_privacy, content_goes_ninety_days_after_the_item_was_closed_and_not_before)
{
	AUTO(scene) scene = scene_new();
	struct journal *journal = scene->journal;
	int64_t item = decided(journal, 10, NULL, NULL, NULL);
	cr_assert_eq(expire(journal, 89 * DAY, false).items, 0);
	cr_assert(has_content(journal, item));
	cr_assert_eq(expire(journal, 91 * DAY, true).items, 1);
	cr_assert(has_content(journal, item), "a dry run deletes nothing");
	cr_assert_eq(expire(journal, 91 * DAY, false).items, 1);
	cr_assert_not(has_content(journal, item));
	cr_assert_eq(expire(journal, 91 * DAY, false).items, 0);
	cr_assert_eq(records_of(journal, "content.deleted"), 1);
	seal_scene(scene);
	assert_whole(scene);
}

Test(log_privacy, automatic_mail_goes_earlier_and_what_a_person_cleared_later)
{
	AUTO(scene) scene = scene_new();
	struct journal *journal = scene->journal;
	JSON_AUTO bounce = json_pack("{s:s}", "automatic", "bounce");
	struct new_task task = {.kind = "klaerung", .text = "Bitte klären"};
	int64_t automatic = decided(journal, 10, NULL, NULL, bounce);
	int64_t cleared = decided(journal, 11, NULL, &task, NULL);
	struct task_closing closing = {.reason = "geklärt"};
	CHECK(journal_close_task(journal, task.id, &closing, &why));
	expire(journal, 31 * DAY, false);
	cr_assert_not(has_content(journal, automatic));
	expire(journal, 170 * DAY, false);
	cr_assert(has_content(journal, cleared));
	expire(journal, 181 * DAY, false);
	cr_assert_not(has_content(journal, cleared));
}

Test(log_privacy, an_item_with_an_open_task_is_never_touched)
{
	AUTO(scene) scene = scene_new();
	struct new_task task = {.kind = "process_notice"};
	int64_t item = decided(scene->journal, 10, NULL, &task, NULL);
	expire(scene->journal, 10000 * DAY, false);
	cr_assert(has_content(scene->journal, item));
}

Test(log_privacy, deleted_bytes_and_words_are_gone_from_the_database_file)
{
	AUTO(scene) scene = scene_new();
	struct journal *journal = scene->journal;
	if (place_is_postgres(scene->place))
		cr_skip_test("the files of a PostgreSQL server are its own");
	struct new_task task = {.kind = "klaerung", .text = "Rueckruf bei Erika Mustermann"};
	decided(journal, 4711, NULL, &task, NULL);
	struct task_closing closing = {.reason = "Erika war nicht erreichbar"};
	CHECK(journal_close_task(journal, task.id, &closing, &why));
	CHECK(journal_scrub(journal, &(bool){false}, &why));
	cr_assert(stands_in_files(scene->place, "Guten Tag 4711"), "the test looks in the right place");
	cr_assert(stands_in_files(scene->place, "Erika Mustermann"));
	expire(journal, 181 * DAY, false);
	bool clean;
	CHECK(journal_scrub(journal, &clean, &why));
	cr_assert(clean);
	cr_assert_not(stands_in_files(scene->place, "Guten Tag 4711"));
	cr_assert_not(stands_in_files(scene->place, "Erika Mustermann"));
	cr_assert_not(stands_in_files(scene->place, "nicht erreichbar"));
	seal_scene(scene);
	assert_whole(scene);
}

Test(log_privacy, a_hold_beats_the_term_until_it_is_released)
{
	AUTO(scene) scene = scene_new();
	struct journal *journal = scene->journal;
	char person[HASH_HEX_SIZE];
	int64_t by_item, by_person;
	hash_of(journal, person);
	int64_t one = decided(journal, 10, NULL, NULL, NULL), two = decided(journal, 11, person, NULL, NULL);
	CHECK(journal_hold_add(journal, one, NULL, "Klage S 12 AL 34/24", &by_item, &why));
	CHECK(journal_hold_add(journal, 0, person, "Klage", &by_person, &why));
	cr_assert_eq(expire(journal, 100 * DAY, false).held, 2);
	cr_assert(has_content(journal, one) && has_content(journal, two));
	CHECK(journal_hold_release(journal, by_person, &why));
	expire(journal, 100 * DAY, false);
	cr_assert(has_content(journal, one));
	cr_assert_not(has_content(journal, two));
	g_autoptr(GPtrArray) holds = journal_holds(journal, false, NULL);
	cr_assert_eq(holds->len, 1);
	JSON_AUTO detail = last_detail(journal, "hold");
	cr_assert_null(json_object_get(detail, "reason"), "reasons name cases: they are not logged");
	g_autoptr(GError) error = NULL;
	cr_assert_not(journal_hold_release(journal, by_person, &error));
	cr_assert_eq(error_class(error), ERROR_INPUT);
}

static struct witness *file_witness(char **path)
{
	g_autofree char *folder = g_dir_make_tmp("witness-XXXXXX", NULL);
	*path = g_build_filename(folder, "witness", NULL);
	struct witness_settings settings = {.place = *path};
	return witness_new(&settings, NULL);
}

Test(log_privacy, an_erased_person_leaves_nothing_but_evidence_and_open_items_follow_when_closed)
{
	AUTO(scene) scene = scene_new();
	struct journal *journal = scene->journal;
	char person[HASH_HEX_SIZE];
	struct new_task task = {.kind = "process_notice"};
	struct erase_result result;
	hash_of(journal, person);
	int64_t closed = decided(journal, 10, person, NULL, NULL);
	int64_t open = decided(journal, 11, person, &task, NULL);
	int64_t other = decided(journal, 12, NULL, NULL, NULL);
	CHECK(journal_person_erase(journal, person, NULL, &result, &why));
	cr_assert_eq(result.erased, 1);
	cr_assert_eq(result.open, 1);
	cr_assert_not(has_content(journal, closed));
	cr_assert(has_content(journal, open) && has_content(journal, other));
	struct task_closing closing = {.reason = "erledigt"};
	CHECK(journal_close_task(journal, task.id, &closing, &why));
	expire(journal, 0, false);
	cr_assert_not(has_content(journal, open));
	cr_assert(has_content(journal, other));
	seal_scene(scene);
	assert_whole(scene);
}

Test(log_privacy, erased_stays_erased_when_an_older_journal_meets_the_witness)
{
	AUTO(scene) scene = scene_new();
	struct journal *journal = scene->journal;
	g_autofree char *path = NULL;
	AUTO(witness) witness = file_witness(&path);
	char person[HASH_HEX_SIZE];
	struct erase_result result;
	hash_of(journal, person);
	CHECK(witness_add_erasure(witness, "person", person, instant_now(), &why));
	int64_t item = decided(journal, 10, person, NULL, NULL); /* as it stands in the backup */
	CHECK(journal_reapply_erasures(journal, witness, &result, &why));
	cr_assert_eq(result.erased, 1);
	cr_assert_not(has_content(journal, item));
	CHECK(journal_reapply_erasures(journal, witness, &result, &why));
	cr_assert_eq(result.erased, 0);
	cr_assert_eq(records_of(journal, "person.erased"), 1);
}

Test(log_privacy, erasure_reaches_the_witness_before_the_journal)
{
	AUTO(scene) scene = scene_new();
	g_autofree char *path = NULL;
	AUTO(witness) witness = file_witness(&path);
	char person[HASH_HEX_SIZE];
	struct erase_result result;
	hash_of(scene->journal, person);
	CHECK(journal_person_erase(scene->journal, person, witness, &result, &why));
	g_autoptr(GPtrArray) erasures = witness_erasures(witness, NULL);
	cr_assert_eq(erasures->len, 1);
	cr_assert_str_eq(((const struct erasure *)erasures->pdata[0])->hash, person);
}

Test(log_privacy, an_item_that_was_opened_again_meanwhile_keeps_its_content)
{
	AUTO(scene) scene = scene_new();
	int64_t item = decided(scene->journal, 10, NULL, NULL, NULL);
	CHECK(journal_reprocess(scene->journal, item, "test", &why));
	cr_assert_eq(expire(scene->journal, 100 * DAY, false).items, 0);
	cr_assert(has_content(scene->journal, item));
}
