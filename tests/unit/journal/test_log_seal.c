/* Sealing: gapless, in commit order, signed, and never past a witness that knows more. */
#include "core/error.h"
#include "fixture.h"
#include "journal/record.h"
#include "journal/log_seal.h"

#include <glib/gstdio.h>
#include <string.h>

static struct witness *file_witness(char **path)
{
	g_autofree char *folder = g_dir_make_tmp("witness-XXXXXX", NULL);
	*path = g_build_filename(folder, "witness.jsonl", NULL);
	struct witness_settings settings = {.place = *path};
	return witness_new(&settings, NULL);
}

static uint64_t seal(struct journal *journal, struct log_signer *signer, struct witness *witness)
{
	struct seal_options options = {.signer = signer, .witness = witness, .batch = 3};
	struct seal_result result = {0};
	/* Other tests write to the same cluster: what they have open holds the sequencer back for a moment.
	 */
	do {
		CHECK(journal_seal(journal, &options, &result, &why));
	} while ((int64_t)result.size < number(journal, "SELECT count(*) FROM record"));
	return result.size;
}

/* Root over the bodies in leaf order, computed anew. */
static void assert_tree_fits(struct journal *journal)
{
	AUTO(db_rows)
	rows = db_query(journal_db(journal),
	        "SELECT l.n, r.body FROM leaf l JOIN record r ON r.id = l.record ORDER BY l.n", NULL, 0,
	        NULL);
	struct log_tree tree = {0};
	for (unsigned i = 0; i < db_rows_count(rows); i++) {
		cr_assert_eq(db_rows_int(rows, i, 0), i, "leaf numbers have a gap");
		g_autoptr(GBytes) body = db_rows_bytes(rows, i, 1);
		gsize size;
		const void *data = g_bytes_get_data(body, &size);
		struct log_hash leaf;
		log_leaf_hash(data, size, &leaf);
		log_tree_append(&tree, &leaf);
	}
	AUTO(db_rows)
	newest = db_query(
	        journal_db(journal), "SELECT note FROM checkpoint ORDER BY size DESC LIMIT 1", NULL, 0, NULL);
	struct checkpoint checkpoint;
	struct log_hash root;
	cr_assert(checkpoint_parse(db_rows_text(newest, 0, 0), &checkpoint, NULL));
	log_tree_root(&tree, &root);
	cr_assert_eq(checkpoint.size, tree.size);
	cr_assert(log_hash_equal(&checkpoint.root, &root));
	checkpoint_clear(&checkpoint);
}

Test(log_seal, all_records_become_leaves_once_and_the_witness_has_the_newest_checkpoint)
{
	AUTO(place) place = place_new();
	AUTO(journal) journal = place_open(place);
	AUTO(log_signer) signer = log_signer_generate("test", NULL);
	g_autofree char *path = NULL;
	AUTO(witness) witness = file_witness(&path);
	take_mails(journal, 1, 7);
	uint64_t first = seal(journal, signer, witness);
	cr_assert_eq((int64_t)first, number(journal, "SELECT count(*) FROM record"));
	take_mails(journal, 8, 2);
	cr_assert_eq(seal(journal, signer, witness), first + 2);
	cr_assert_eq(seal(journal, signer, witness), first + 2);
	assert_tree_fits(journal);
	g_autoptr(GPtrArray) notes = witness_notes(witness, NULL, NULL);
	struct checkpoint last;
	cr_assert(checkpoint_parse(g_ptr_array_index(notes, notes->len - 1), &last, NULL));
	cr_assert_eq(last.size, first + 2);
	checkpoint_clear(&last);
}

static gpointer write_many(gpointer data)
{
	AUTO(journal) journal = place_open(data);
	static gint next = 0;
	unsigned base = 1000 * (unsigned)g_atomic_int_add(&next, 1) + 1;
	for (unsigned i = 0; i < 20; i++) {
		GError *error = NULL;
		struct db *db = journal_db(journal);
		struct record record = {.event = RECORD_LOG_READ};
		bool ok = db_begin(db, &error) && record_write(journal, &record, 1, &error);
		if (ok && i % 5 == 0)
			g_usleep(20000); /* commits late */
		ok = ok && db_commit(db, &error);
		check_ok(ok, error, "write");
	}
	return GUINT_TO_POINTER(base);
}

Test(log_seal, writers_that_commit_late_are_never_behind_a_sealed_position, .timeout = 120)
{
	AUTO(place) place = place_new();
	AUTO(journal) journal = place_open(place);
	AUTO(log_signer) signer = log_signer_generate("test", NULL);
	GThread *writers[8];
	for (int i = 0; i < 8; i++)
		writers[i] = g_thread_new("writer", write_many, place);
	for (int i = 0; i < 20; i++) {
		struct seal_options options = {.signer = signer, .batch = 7};
		struct seal_result result;
		CHECK(journal_seal(journal, &options, &result, &why));
		g_usleep(10000);
	}
	for (int i = 0; i < 8; i++)
		g_thread_join(writers[i]);
	cr_assert_eq((int64_t)seal(journal, signer, NULL), number(journal, "SELECT count(*) FROM record"));
	assert_tree_fits(journal);
}

/* What a restored backup looks like: the newest part of the log is gone. */
static void rewind_to(struct journal *journal, int64_t size)
{
	struct db *db = journal_db(journal);
	struct db_value args[] = {db_int(size)};
	CHECK(db_exec(db, "DELETE FROM checkpoint WHERE size > $1", args, 1, NULL, &why));
	CHECK(db_exec(db, "DELETE FROM record WHERE id IN (SELECT record FROM leaf WHERE n >= $1)", args, 1,
	        NULL, &why));
	CHECK(db_exec(db, "DELETE FROM leaf WHERE n >= $1", args, 1, NULL, &why));
}

Test(log_seal, a_journal_behind_its_witness_is_not_sealed)
{
	AUTO(place) place = place_new();
	AUTO(journal) journal = place_open(place);
	AUTO(log_signer) signer = log_signer_generate("test", NULL);
	g_autofree char *path = NULL;
	AUTO(witness) witness = file_witness(&path);
	take_mails(journal, 1, 2);
	uint64_t before = seal(journal, signer, witness);
	take_mails(journal, 3, 4);
	seal(journal, signer, witness);
	rewind_to(journal, (int64_t)before);
	g_autoptr(GError) error = NULL;
	struct seal_options options = {.signer = signer, .witness = witness};
	struct seal_result result;
	cr_assert_not(journal_seal(journal, &options, &result, &error));
	cr_assert_eq(error_class(error), ERROR_CONFIG);
	cr_assert(strstr(error->message, "is behind its witness"), "%s", error->message);
}

Test(log_seal, a_torn_line_at_the_end_of_the_witness_spoils_nothing)
{
	AUTO(place) place = place_new();
	AUTO(journal) journal = place_open(place);
	AUTO(log_signer) signer = log_signer_generate("test", NULL);
	g_autofree char *path = NULL;
	AUTO(witness) witness = file_witness(&path);
	take_mails(journal, 1, 2);
	seal(journal, signer, witness);
	FILE *file = g_fopen(path, "a");
	fputs("{\"note\":\"test/", file);
	fclose(file);
	take_mails(journal, 3, 2);
	uint64_t size = seal(journal, signer, witness);
	unsigned broken;
	g_autoptr(GPtrArray) notes = witness_notes(witness, &broken, NULL);
	struct checkpoint last;
	cr_assert_eq(broken, 1);
	cr_assert(checkpoint_parse(g_ptr_array_index(notes, notes->len - 1), &last, NULL));
	cr_assert_eq(last.size, size);
	checkpoint_clear(&last);
}

Test(log_seal, a_checkpoint_the_witness_missed_is_sent_with_the_next_seal)
{
	AUTO(place) place = place_new();
	AUTO(journal) journal = place_open(place);
	AUTO(log_signer) signer = log_signer_generate("test", NULL);
	g_autofree char *path = NULL;
	AUTO(witness) witness = file_witness(&path);
	take_mails(journal, 1, 2);
	seal(journal, signer, NULL);
	uint64_t size = seal(journal, signer, witness);
	g_autoptr(GPtrArray) notes = witness_notes(witness, NULL, NULL);
	struct checkpoint last;
	cr_assert_eq(notes->len, 1);
	cr_assert(checkpoint_parse(g_ptr_array_index(notes, 0), &last, NULL));
	cr_assert_eq(last.size, size);
	checkpoint_clear(&last);
}
