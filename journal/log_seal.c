/* log_seal.c - one sequencer at a time turns records into leaves and signs what the tree has become. */
#include "journal/log_seal.h"
#include "core/date.h"
#include "core/error.h"
#include "core/log.h"
#include "journal/internal.h"
#include "journal/seal_sql.h"

#include <string.h>

enum { SEAL_LOCK = 0x504f5354, DEFAULT_BATCH = 5000 };

/* How far the sequencer has come: everything up to (xid, id) is a leaf. */
struct cursor {
	int64_t xid, id;
};

struct sealing {
	const struct seal_options *options;
	struct cursor cursor;
	struct log_tree tree;
	unsigned taken; /* by the transaction in hand */
	char *note;     /* of the transaction in hand */
	const char *origin;
};

/* One sequencer at a time: SQLite's write lock, else an advisory lock that ends with the transaction. */
static bool take_lock(struct journal *journal, GError **error)
{
	if (db_dialect(journal->db) == DB_SQLITE)
		return true;
	struct db_value args[] = {db_int(SEAL_LOCK)};
	AUTO(db_rows) rows = db_query(journal->db, "SELECT pg_advisory_xact_lock($1)", args, 1, error);
	return rows != NULL;
}

static bool load_tree(struct journal *journal, struct log_tree *tree, GError **error)
{
	AUTO(db_rows)
	rows = db_query(
	        journal->db, "SELECT size, peaks FROM checkpoint ORDER BY size DESC LIMIT 1", NULL, 0, error);
	if (!rows)
		return false;
	*tree = (struct log_tree){0};
	if (db_rows_count(rows) == 0)
		return true;
	g_autoptr(GBytes) peaks = db_rows_bytes(rows, 0, 1);
	gsize length;
	const void *data = g_bytes_get_data(peaks, &length);
	if (log_tree_unpack((uint64_t)db_rows_int(rows, 0, 0), data, length, tree))
		return true;
	fail(error, ERROR_INPUT, "the newest checkpoint of the journal is damaged: run `posteingang verify`");
	return false;
}

static bool load_cursor(struct journal *journal, struct cursor *cursor, GError **error)
{
	AUTO(db_rows)
	rows = db_query(journal->db, "SELECT xid, id FROM log_cursor WHERE one = 1", NULL, 0, error);
	if (!rows || db_rows_count(rows) != 1) {
		if (rows)
			fail(error, ERROR_INPUT, "the journal has no log cursor");
		return false;
	}
	*cursor = (struct cursor){db_rows_int(rows, 0, 0), db_rows_int(rows, 0, 1)};
	return true;
}

static struct db_rows *next_records(
        struct journal *journal, const struct sealing *sealing, unsigned limit, GError **error)
{
	struct db_value args[] = {db_int(sealing->cursor.xid), db_int(sealing->cursor.id), db_int(limit)};
	bool lite = db_dialect(journal->db) == DB_SQLITE;
	return db_query(
	        journal->db, lite ? SQL_NEXT_RECORDS_SQLITE : SQL_NEXT_RECORDS_POSTGRES, args, 3, error);
}

/* A database that was dumped and loaded elsewhere counts transactions anew: its rows carry xids that lie
 * ahead. They are moved to the present before anything is sealed. Plain restarts and file copies never come
 * here. */
static bool rebase_xids(struct journal *journal, GError **error)
{
	if (db_dialect(journal->db) == DB_SQLITE)
		return true;
	AUTO(db_rows)
	ahead = db_query(journal->db,
	        "SELECT 1 FROM log_cursor WHERE CAST(CAST(xid AS text) AS xid8) >= "
	        "pg_snapshot_xmax(pg_current_snapshot())"
	        " UNION ALL " SQL_RECORD_AHEAD,
	        NULL, 0, error);
	if (!ahead || db_rows_count(ahead) == 0)
		return ahead != NULL;
	return db_exec(journal->db,
	               "UPDATE record SET xid = pg_current_xact_id() WHERE NOT EXISTS"
	               " (SELECT 1 FROM leaf WHERE leaf.record = record.id)",
	               NULL, 0, NULL, error) &&
	       db_exec(journal->db,
	               "UPDATE record SET xid = CAST('1' AS xid8) WHERE xid <> pg_current_xact_id()"
	               " AND EXISTS (SELECT 1 FROM leaf WHERE leaf.record = record.id)",
	               NULL, 0, NULL, error) &&
	       db_exec(journal->db,
	               "UPDATE log_cursor SET xid = CAST(CAST(pg_snapshot_xmin(pg_current_snapshot()) AS "
	               "text) AS bigint)"
	               " - 1, id = 0 WHERE one = 1",
	               NULL, 0, NULL, error);
}

static bool write_leaves(
        struct journal *journal, struct sealing *sealing, struct db_rows *rows, GError **error)
{
	unsigned n = db_rows_count(rows);
	g_autofree struct log_hash *hashes = g_new(struct log_hash, n);
	AUTO(values) values = values_new(3); /* borrows the hashes */
	for (unsigned i = 0; i < n; i++) {
		g_autoptr(GBytes) body = db_rows_bytes(rows, i, 2);
		gsize size;
		const void *data = g_bytes_get_data(body, &size);
		log_leaf_hash(data, size, &hashes[i]);
		values_int(values, (int64_t)sealing->tree.size);
		values_int(values, db_rows_int(rows, i, 0));
		values_blob(values, hashes[i].bytes, HASH_SIZE);
		log_tree_append(&sealing->tree, &hashes[i]);
		sealing->cursor = (struct cursor){db_rows_int(rows, i, 1), db_rows_int(rows, i, 0)};
	}
	return values_exec(
	        values, journal, "INSERT INTO leaf (n, record, hash) VALUES ($1, $2, $3)", NULL, error);
}

static bool write_checkpoint(struct journal *journal, struct sealing *sealing, GError **error)
{
	struct checkpoint checkpoint = {.origin = (char *)sealing->origin, .size = sealing->tree.size};
	log_tree_root(&sealing->tree, &checkpoint.root);
	if (!db_now(journal->db, &checkpoint.time, error))
		return false;
	g_free(sealing->note);
	sealing->note = checkpoint_sign(sealing->options->signer, &checkpoint, error);
	if (!sealing->note)
		return false;
	g_autoptr(GBytes) peaks = log_tree_pack(&sealing->tree);
	struct db_value row[] = {db_int((int64_t)sealing->tree.size), db_text(sealing->note), db_bytes(peaks),
	        db_int(checkpoint.time)};
	struct db_value cursor[] = {db_int(sealing->cursor.xid), db_int(sealing->cursor.id)};
	return db_exec(journal->db,
	               "INSERT INTO checkpoint (size, note, peaks, time) VALUES ($1, $2, $3, $4)", row, 4,
	               NULL, error) &&
	       db_exec(journal->db, "UPDATE log_cursor SET xid = $1, id = $2 WHERE one = 1", cursor, 2, NULL,
	               error);
}

/* One transaction: lock, read where we are, take what is ready, sign. */
static bool seal_step(struct journal *journal, void *data, GError **error)
{
	struct sealing *sealing = data;
	unsigned limit = sealing->options->batch ? sealing->options->batch : DEFAULT_BATCH;
	if (!take_lock(journal, error) || !rebase_xids(journal, error) ||
	        !load_tree(journal, &sealing->tree, error) || !load_cursor(journal, &sealing->cursor, error))
		return false;
	AUTO(db_rows) rows = next_records(journal, sealing, limit, error);
	if (!rows)
		return false;
	sealing->taken = db_rows_count(rows);
	if (sealing->taken == 0)
		return true;
	return write_leaves(journal, sealing, rows, error) && write_checkpoint(journal, sealing, error);
}

static bool publish(const struct seal_options *options, const char *note, GError **error)
{
	return !options->witness || witness_add_note(options->witness, note, error);
}

/* The witness may lack the newest checkpoint: a crash between commit and publication, or it was away. */
static bool catch_up(struct journal *journal, const struct seal_options *options,
        const struct witness_check *check, GError **error)
{
	if (!options->witness || check->size == 0 ||
	        (check->witness.origin && check->witness.size == check->size))
		return true;
	AUTO(db_rows)
	rows = db_query(
	        journal->db, "SELECT note FROM checkpoint ORDER BY size DESC LIMIT 1", NULL, 0, error);
	return rows && (db_rows_count(rows) == 0 || publish(options, db_rows_text(rows, 0, 0), error));
}

static bool may_seal(struct journal *journal, const struct seal_options *options, GError **error)
{
	if (!options->witness || !witness_can_answer(options->witness))
		return true;
	g_autofree char *text = log_signer_verifier(options->signer);
	AUTO(log_verifier) verifier = log_verifier_parse(text, error);
	struct witness_check check = {0};
	if (!verifier || !journal_check_witness(journal, options->witness, &verifier, 1, &check, error))
		return false;
	bool ok = check.state != WITNESS_AHEAD && check.state != WITNESS_FORKED;
	if (!ok)
		fail(error, ERROR_CONFIG,
		        "the journal (%" G_GUINT64_FORMAT
		        " sealed records) %s its witness (%" G_GUINT64_FORMAT "): run `posteingang restore`",
		        check.size, check.state == WITNESS_AHEAD ? "is behind" : "does not agree with",
		        check.witness.size);
	ok = ok && catch_up(journal, options, &check, error);
	witness_check_clear(&check);
	return ok;
}

bool journal_seal(struct journal *journal, const struct seal_options *options, struct seal_result *result,
        GError **error)
{
	g_autofree char *origin = journal_log_origin(journal, log_signer_name(options->signer), error);
	if (!origin || !may_seal(journal, options, error))
		return false;
	struct sealing sealing = {.options = options, .origin = origin};
	unsigned limit = options->batch ? options->batch : DEFAULT_BATCH;
	uint64_t sealed = 0;
	bool ok;
	do {
		sealing.taken = 0;
		ok = journal_transact(journal, seal_step, &sealing, error);
		if (ok && sealing.taken) {
			sealed += sealing.taken;
			ok = publish(options, sealing.note, error);
		}
	} while (ok && sealing.taken == limit);
	g_free(sealing.note);
	*result = (struct seal_result){sealing.tree.size, sealed};
	return ok;
}

char *journal_log_origin(struct journal *journal, const char *key_name, GError **error)
{
	AUTO(db_rows)
	rows = db_query(journal->db, "SELECT value FROM meta WHERE name = 'log_epoch'", NULL, 0, error);
	if (!rows)
		return NULL;
	const char *epoch = db_rows_count(rows) ? db_rows_text(rows, 0, 0) : "1";
	return g_strdup_printf("%s/%s/%s", key_name, journal_instance(journal), epoch);
}

void witness_check_clear(struct witness_check *check)
{
	checkpoint_clear(&check->witness);
	*check = (struct witness_check){0};
}

/* "name/instance/epoch": the number behind the last slash, if the rest fits. */
static bool origin_epoch(const char *origin, const char *instance, int64_t *epoch)
{
	g_auto(GStrv) parts = g_strsplit(origin, "/", -1);
	guint n = g_strv_length(parts);
	return n >= 3 && strcmp(parts[n - 2], instance) == 0 &&
	       g_ascii_string_to_signed(parts[n - 1], 10, 1, G_MAXINT64, epoch, NULL);
}

/* The newest checkpoint of this instance among the witness's notes: highest epoch, then size. */
static void newest_note(const GPtrArray *notes, const char *instance, struct log_verifier *const *verifiers,
        unsigned n, struct checkpoint *out, int64_t *epoch)
{
	*epoch = 0;
	for (guint i = 0; i < notes->len; i++) {
		const char *note = g_ptr_array_index(notes, i);
		struct checkpoint candidate = {0};
		int64_t number;
		if (!checkpoint_parse(note, &candidate, NULL))
			continue;
		bool newer = origin_epoch(candidate.origin, instance, &number) &&
		             (number > *epoch || (number == *epoch && candidate.size > out->size)) &&
		             (n == 0 || checkpoint_verify(note, verifiers, n, NULL));
		if (newer) {
			checkpoint_clear(out);
			*out = candidate;
			*epoch = number;
		} else {
			checkpoint_clear(&candidate);
		}
	}
}

/* The journal's own root at `size`, rebuilt from its checkpoint or leaves. */
static bool root_at(
        struct journal *journal, uint64_t size, struct log_hash *root, bool *found, GError **error)
{
	struct db_value args[] = {db_int((int64_t)size)};
	AUTO(db_rows)
	rows = db_query(journal->db, "SELECT note FROM checkpoint WHERE size = $1", args, 1, error);
	if (!rows)
		return false;
	struct checkpoint own = {0};
	*found = db_rows_count(rows) && checkpoint_parse(db_rows_text(rows, 0, 0), &own, NULL);
	*root = own.root;
	checkpoint_clear(&own);
	return true;
}

static bool compare(
        struct journal *journal, struct witness_check *out, int64_t own_epoch, int64_t epoch, GError **error)
{
	if (!out->witness.origin) {
		out->state = WITNESS_EMPTY;
		return true;
	}
	if (epoch > own_epoch || (epoch == own_epoch && out->witness.size > out->size)) {
		out->state = WITNESS_AHEAD;
		return true;
	}
	struct log_hash root;
	bool found;
	if (epoch < own_epoch) { /* of an epoch that was closed by restore */
		out->state = WITNESS_AGREES;
		return true;
	}
	if (!root_at(journal, out->witness.size, &root, &found, error))
		return false;
	bool same = found && log_hash_equal(&root, &out->witness.root);
	out->state = same ? WITNESS_AGREES : WITNESS_FORKED;
	return true;
}

bool journal_check_witness(struct journal *journal, struct witness *witness,
        struct log_verifier *const *verifiers, unsigned n, struct witness_check *out, GError **error)
{
	unsigned broken;
	struct log_tree tree;
	int64_t epoch, own_epoch;
	g_autoptr(GPtrArray) notes = witness_newest_notes(witness, &broken, error);
	g_autofree char *origin = notes ? journal_log_origin(journal, "x", error) : NULL;
	if (!origin || !load_tree(journal, &tree, error))
		return false;
	if (broken)
		log_event(LOG_LEVEL_WARNING, "witness.broken_lines", NULL);
	*out = (struct witness_check){.size = tree.size};
	log_tree_root(&tree, &out->root);
	newest_note(notes, journal_instance(journal), verifiers, n, &out->witness, &epoch);
	if (!origin_epoch(origin, journal_instance(journal), &own_epoch))
		own_epoch = 1;
	return compare(journal, out, own_epoch, epoch, error);
}
