/* log_verify.c - the log itself: leaves, tree, checkpoints, kept notes, witness. Rows: log_rows.c. */
#include "journal/log_verify.h"
#include "core/error.h"
#include "journal/ahead.h"
#include "journal/internal.h"
#include "journal/log_installation.h"
#include "journal/log_reading.h"
#include "journal/log_rows.h"
#include "journal/log_seal.h"
#include "journal/record_scan.h"

#include <string.h>

enum { LEAVES_A_READ = 500, READS_AHEAD = 8, MOST_MISSING = 1000 };

struct asked {
	struct log_hash root;
	GBytes *peaks; /* of the tree of that size */
};

struct verifying {
	struct journal *journal;
	const struct verify_options *options;
	struct verify_report *report;
	struct db_rows *checkpoints; /* size, note */
	struct installation installation;
	GHashTable *roots; /* size (text) → struct asked: at each size somebody asks for */
	struct log_tree tree;
	int64_t now;       /* the database's */
	bool blind;        /* an auditor: some columns are not shown */
	uint64_t expected; /* leaves according to the newest checkpoint */
};

static void finding_free(void *data)
{
	struct verify_finding *finding = data;
	g_free(finding->place);
	g_free(finding->text);
	g_free(finding);
}

struct verify_report *verify_report_new(void)
{
	struct verify_report *report = g_new0(struct verify_report, 1);
	report->findings = g_ptr_array_new_with_free_func(finding_free);
	return report;
}

void verify_report_free(struct verify_report *report)
{
	if (!report)
		return;
	g_ptr_array_unref(report->findings);
	g_free(report->newest);
	g_free(report);
}

void verify_add(struct verify_report *report, const struct verify_options *options, const char *kind,
        char *place, char *text)
{
	unsigned max = options->max_findings ? options->max_findings : 1000;
	if (report->findings->len >= max) {
		report->more_findings = true;
		g_free(place);
		g_free(text);
		return;
	}
	struct verify_finding *finding = g_new(struct verify_finding, 1);
	*finding = (struct verify_finding){kind, place, text};
	g_ptr_array_add(report->findings, finding);
}

static void add(struct verifying *v, const char *kind, char *place, const char *text)
{
	verify_add(v->report, v->options, kind, place, g_strdup(text));
}

static char *leaf_place(uint64_t n)
{
	return g_strdup_printf("leaf %" G_GUINT64_FORMAT, (guint64)n);
}

static char *size_place(uint64_t size)
{
	return g_strdup_printf("checkpoint %" G_GUINT64_FORMAT, (guint64)size);
}

static void want_root(struct verifying *v, uint64_t size)
{
	char *key = g_strdup_printf("%" G_GUINT64_FORMAT, (guint64)size);
	if (g_hash_table_contains(v->roots, key))
		g_free(key);
	else
		g_hash_table_insert(v->roots, key, NULL);
}

static void asked_free(void *data)
{
	struct asked *asked = data;
	if (asked)
		g_bytes_unref(asked->peaks);
	g_free(asked);
}

/* Called whenever the tree has grown: remembers the root if somebody asks for it. */
static void note_root(struct verifying *v)
{
	char key[32];
	g_snprintf(key, sizeof key, "%" G_GUINT64_FORMAT, (guint64)v->tree.size);
	if (!g_hash_table_contains(v->roots, key))
		return;
	struct asked *asked = g_new0(struct asked, 1);
	log_tree_root(&v->tree, &asked->root);
	asked->peaks = log_tree_pack(&v->tree);
	g_hash_table_insert(v->roots, g_strdup(key), asked);
}

static const struct asked *asked_at(struct verifying *v, uint64_t size)
{
	char key[32];
	g_snprintf(key, sizeof key, "%" G_GUINT64_FORMAT, (guint64)size);
	return g_hash_table_lookup(v->roots, key);
}

/* Columns beside the bytes are for searching only; they must say what the bytes say. */
static void check_columns(
        struct verifying *v, struct db_rows *rows, unsigned i, uint64_t n, const char *data, gsize size)
{
	struct record_view view;
	int64_t item = 0;
	bool ok = record_scan(data, size, &view);
	g_autofree char *name = ok && view.item.start ? g_strndup(view.item.start, view.item.size) : NULL;
	if (name)
		journal_item_parse(v->journal, name, &item, NULL);
	if (!ok || !text_span_equal(&view.event, db_rows_text(rows, i, 4)) ||
	        view.time != db_rows_int(rows, i, 5) || item != db_rows_int(rows, i, 6))
		add(v, FINDING_COLUMN, leaf_place(n),
		        "event, time or item beside the record are not its own");
}

/* True if a record of the log says that this leaf's record was deleted when its term was over. */
static bool is_expired(const struct verifying *v, uint64_t n)
{
	const struct expired_leaves *expired = (const void *)v->installation.expired->data;
	guint low = 0, high = v->installation.expired->len; /* the last that begins at or before n */
	while (low < high) {
		guint middle = low + (high - low) / 2;
		if (expired[middle].from <= n)
			low = middle + 1;
		else
			high = middle;
	}
	return low && n < expired[low - 1].to;
}

/* Leaves that are not there; no more of them than tell the story. False: the rest makes no sense. */
static bool pass_missing(struct verifying *v, uint64_t n)
{
	static const struct log_hash nothing;
	uint64_t missing = n - v->tree.size;
	if (!missing)
		return true;
	verify_add(v->report, v->options, FINDING_LEAF_GAP, leaf_place(v->tree.size),
	        g_strdup_printf("%" G_GUINT64_FORMAT " leaves from here on are missing", (guint64)missing));
	if (missing > MOST_MISSING)
		return false;
	while (v->tree.size < n) {
		log_tree_append(&v->tree, &nothing);
		note_root(v);
	}
	return true;
}

static bool check_leaf(struct verifying *v, struct db_rows *rows, unsigned i)
{
	uint64_t n = (uint64_t)db_rows_int(rows, i, 0);
	if (!pass_missing(v, n))
		return false;
	g_autoptr(GBytes) hash = db_rows_bytes(rows, i, 2);
	g_autoptr(GBytes) body = db_rows_bytes(rows, i, 3);
	struct log_hash leaf = {{0}};
	if (hash && g_bytes_get_size(hash) == HASH_SIZE)
		memcpy(leaf.bytes, g_bytes_get_data(hash, NULL), HASH_SIZE);
	if (!body && !is_expired(v, n)) {
		add(v, FINDING_RECORD_GONE, leaf_place(n), "the sealed record is gone");
	} else if (body) {
		gsize size;
		const char *data = g_bytes_get_data(body, &size);
		struct log_hash real;
		log_leaf_hash(data ? data : "", size, &real);
		if (!log_hash_equal(&real, &leaf))
			add(v, FINDING_RECORD_BENT, leaf_place(n),
			        "the record's bytes are not those that were sealed");
		else
			check_columns(v, rows, i, n, data ? data : "", size);
		leaf = real;
	}
	log_tree_append(&v->tree, &leaf);
	note_root(v);
	return true;
}

struct leaf_reading {
	struct journal *journal;
	int64_t from;
	bool end;
};

static void *read_leaves(void *data, GError **error)
{
	struct leaf_reading *reading = data;
	struct db_value args[] = {db_int(reading->from), db_int(LEAVES_A_READ)};
	if (reading->end)
		return NULL;
	struct db_rows *rows = db_query(reading->journal->db,
	        "SELECT l.n, l.record, l.hash, r.body, r.event, r.time, r.item FROM leaf l"
	        " LEFT JOIN record r ON r.id = l.record WHERE l.n >= $1 ORDER BY l.n LIMIT $2",
	        args, 2, error);
	unsigned n = rows ? db_rows_count(rows) : 0;
	reading->end = n < LEAVES_A_READ;
	if (n)
		reading->from = db_rows_int(rows, n - 1, 0) + 1;
	return rows;
}

static void free_rows(void *rows)
{
	db_rows_free(rows);
}

static bool check_leaves(struct verifying *v, GError **error)
{
	struct leaf_reading reading = {.journal = v->journal};
	g_autoptr(GError) why = NULL;
	AUTO(ahead) ahead = ahead_start(read_leaves, &reading, free_rows, READS_AHEAD);
	struct db_rows *rows;
	bool sensible = true;
	note_root(v);
	while (sensible && (rows = ahead_next(ahead, &why)) != NULL) {
		for (unsigned i = 0; sensible && i < db_rows_count(rows); i++)
			sensible = check_leaf(v, rows, i);
		db_rows_free(rows);
		v->report->leaves = v->tree.size;
		if (v->options->progress)
			v->options->progress(v->tree.size, v->expected, v->options->data);
	}
	if (!why)
		return true;
	g_propagate_error(error, g_steal_pointer(&why));
	return false;
}

static void check_signature(struct verifying *v, const char *note, char *place)
{
	g_autoptr(GError) why = NULL;
	if (v->options->n_verifiers == 0 ||
	        checkpoint_verify(note, v->options->verifiers, v->options->n_verifiers, &why))
		g_free(place);
	else
		add(v, FINDING_SIGNATURE, place, why->message);
}

static void check_root(
        struct verifying *v, const struct checkpoint *checkpoint, const char *kind, char *place)
{
	const struct asked *asked = asked_at(v, checkpoint->size);
	if (asked && log_hash_equal(&asked->root, &checkpoint->root))
		g_free(place);
	else if (asked)
		add(v, kind, place, "the records up to here do not have this root");
	else
		add(v, FINDING_TAIL, place, "the log ends before this checkpoint");
}

static bool load_checkpoints(struct verifying *v, GError **error)
{
	v->checkpoints = db_query(v->journal->db,
	        "SELECT size, note, peaks, time FROM checkpoint ORDER BY size", NULL, 0, error);
	if (!v->checkpoints)
		return false;
	unsigned n = db_rows_count(v->checkpoints);
	for (unsigned i = 0; i < n; i++)
		want_root(v, (uint64_t)db_rows_int(v->checkpoints, i, 0));
	v->report->checkpoints = n;
	v->expected = n ? (uint64_t)db_rows_int(v->checkpoints, n - 1, 0) : 0;
	v->report->newest = n ? g_strdup(db_rows_text(v->checkpoints, n - 1, 1)) : NULL;
	return true;
}

/* The columns beside the note: where the sequencer goes on from, and the time. */
static void check_beside(struct verifying *v, unsigned i, const struct checkpoint *checkpoint)
{
	g_autoptr(GBytes) peaks = db_rows_bytes(v->checkpoints, i, 2);
	const struct asked *asked = asked_at(v, checkpoint->size);
	if (db_rows_int(v->checkpoints, i, 3) != checkpoint->time ||
	        (asked && (!peaks || !g_bytes_equal(peaks, asked->peaks))))
		add(v, FINDING_COLUMN, size_place(checkpoint->size),
		        "time or subtrees beside the checkpoint are not its own");
}

static void check_checkpoints(struct verifying *v)
{
	for (unsigned i = 0; i < db_rows_count(v->checkpoints); i++) {
		uint64_t size = (uint64_t)db_rows_int(v->checkpoints, i, 0);
		const char *note = db_rows_text(v->checkpoints, i, 1);
		struct checkpoint checkpoint = {0};
		if (!checkpoint_parse(note, &checkpoint, NULL) || checkpoint.size != size) {
			add(v, FINDING_CHECKPOINT, size_place(size), "cannot be read, or is of another size");
		} else {
			check_signature(v, note, size_place(size));
			check_root(v, &checkpoint, FINDING_ROOT, size_place(size));
			check_beside(v, i, &checkpoint);
		}
		checkpoint_clear(&checkpoint);
	}
	if (v->tree.size != v->expected)
		add(v, FINDING_CHECKPOINT, size_place(v->expected),
		        "there are more or fewer leaves than the newest checkpoint says");
}

/* "name/instance/epoch" of this instance: the epoch; 0: of another log. */
static int64_t epoch_of(const struct verifying *v, const char *origin)
{
	g_auto(GStrv) parts = g_strsplit(origin, "/", -1);
	guint n = g_strv_length(parts);
	gint64 epoch;
	bool ours = n >= 3 && strcmp(parts[n - 2], journal_instance(v->journal)) == 0 &&
	            g_ascii_string_to_signed(parts[n - 1], 10, 1, G_MAXINT64, &epoch, NULL);
	return ours ? epoch : 0;
}

/* Up to which size a checkpoint of that epoch must still be part of this log: the smallest that a restore
 * after it was accepted at. Without such a record there is no limit. */
static uint64_t epoch_end(const struct verifying *v, int64_t epoch)
{
	uint64_t end = UINT64_MAX;
	const GPtrArray *restores = v->installation.restores;
	for (guint i = 0; i < restores->len; i++) {
		const json_t *detail = restores->pdata[i];
		if (json_get_int(detail, "epoch", 0) > epoch)
			end = MIN(end, (uint64_t)json_get_int(detail, "size", 0));
	}
	return end;
}

/* Checkpoints from elsewhere: those of this log must be part of it, but for what a restore gave up. */
static void check_notes(struct verifying *v, const GPtrArray *notes, const char *where)
{
	for (guint i = 0; notes && i < notes->len; i++) {
		const char *note = g_ptr_array_index(notes, i);
		struct checkpoint checkpoint = {0};
		g_autofree char *place = g_strdup_printf("%s, note %u", where, i + 1);
		if (!checkpoint_parse(note, &checkpoint, NULL)) {
			add(v, FINDING_KEPT, g_strdup(place), "cannot be read as a checkpoint");
			continue;
		}
		int64_t epoch = epoch_of(v, checkpoint.origin);
		if (epoch && checkpoint.size <= epoch_end(v, epoch)) {
			check_signature(v, note, g_strdup(place));
			check_root(v, &checkpoint, FINDING_KEPT, g_strdup(place));
		}
		checkpoint_clear(&checkpoint);
	}
}

/* A witness that was swapped or emptied: whoever seals tells it at least the newest checkpoint. */
static void check_witness(struct verifying *v, const GPtrArray *notes)
{
	bool known = false;
	for (guint i = 0; notes && !known && i < notes->len; i++) {
		struct checkpoint checkpoint = {0};
		known = checkpoint_parse(g_ptr_array_index(notes, i), &checkpoint, NULL) &&
		        epoch_of(v, checkpoint.origin) != 0;
		checkpoint_clear(&checkpoint);
	}
	if (notes && !known && v->report->checkpoints && witness_can_answer(v->options->witness))
		add(v, FINDING_KEPT, g_strdup("witness"), "it holds no checkpoint of this log");
}

static void want_note_roots(struct verifying *v, const GPtrArray *notes)
{
	for (guint i = 0; notes && i < notes->len; i++) {
		struct checkpoint checkpoint = {0};
		if (checkpoint_parse(g_ptr_array_index(notes, i), &checkpoint, NULL))
			want_root(v, checkpoint.size);
		checkpoint_clear(&checkpoint);
	}
}

static const char unsealed_sqlite[] =
        "SELECT count(*), COALESCE(sum(CASE WHEN r.id <= c.id THEN 1 ELSE 0 END), 0)"
        " FROM record r, log_cursor c WHERE NOT EXISTS (SELECT 1 FROM leaf l WHERE l.record = r.id)";
static const char unsealed_postgres[] =
        "SELECT count(*), COALESCE(CAST(sum(CASE WHEN (r.xid, r.id) <= (CAST(CAST(c.xid AS text) AS xid8), "
        "c.id)"
        " THEN 1 ELSE 0 END) AS bigint), CAST(0 AS bigint))"
        " FROM record r, log_cursor c WHERE NOT EXISTS (SELECT 1 FROM leaf l WHERE l.record = r.id)";

/* What is not sealed yet stands behind the cursor; before it, it never will be. */
static bool count_unsealed(struct verifying *v, GError **error)
{
	bool lite = db_dialect(v->journal->db) == DB_SQLITE;
	AUTO(db_rows)
	rows = db_query(v->journal->db, lite ? unsealed_sqlite : unsealed_postgres, NULL, 0, error);
	if (!rows)
		return false;
	v->report->unsealed = (uint64_t)db_rows_int(rows, 0, 0);
	if (db_rows_int(rows, 0, 1))
		verify_add(v->report, v->options, FINDING_SKIPPED, g_strdup("log"),
		        g_strdup_printf("%" G_GINT64_FORMAT
		                        " records were passed by: they will never get a place in the log",
		                db_rows_int(rows, 0, 1)));
	return true;
}

/* When leaf `n` was certainly in the log: the time of the first checkpoint that has it; 0: of none. */
static int64_t sealed_by(const struct verifying *v, uint64_t n)
{
	unsigned low = 0, all = db_rows_count(v->checkpoints), high = all;
	while (low < high) {
		unsigned middle = low + (high - low) / 2;
		if ((uint64_t)db_rows_int(v->checkpoints, middle, 0) > n)
			high = middle;
		else
			low = middle + 1;
	}
	return low < all ? db_rows_int(v->checkpoints, low, 3) : 0;
}

/* Times beside checkpoints were compared with the signed ones before. */
static void check_expired(struct verifying *v)
{
	const GArray *expired = v->installation.expired;
	for (guint i = 0; i < expired->len; i++) {
		const struct expired_leaves *leaves = &g_array_index(expired, struct expired_leaves, i);
		int64_t sealed = leaves->to ? sealed_by(v, leaves->to - 1) : 0;
		bool old = sealed && sealed <= leaves->before;
		if (!old || leaves->told > v->now ||
		        leaves->told - leaves->before < v->options->evidence_term * INT64_C(1000000))
			add(v, FINDING_EARLY, leaf_place(leaves->from),
			        "this record was deleted before its term was over");
	}
}

static bool verify_all(struct verifying *v, GError **error)
{
	g_autoptr(GPtrArray) witnessed = NULL;
	unsigned broken = 0;
	if (v->options->witness && !(witnessed = witness_notes(v->options->witness, &broken, error)))
		return false;
	if (!load_checkpoints(v, error) ||
	        !verify_installation(v->journal, v->options, v->report, v->blind, &v->installation, error))
		return false;
	want_note_roots(v, v->options->kept);
	want_note_roots(v, witnessed);
	if (!check_leaves(v, error) || !count_unsealed(v, error))
		return false;
	log_tree_root(&v->tree, &v->report->root);
	check_checkpoints(v);
	check_expired(v);
	check_notes(v, v->options->kept, "kept");
	check_notes(v, witnessed, "witness");
	check_witness(v, witnessed);
	return (v->options->log_only || verify_rows(v->journal, v->options, v->report, v->blind, error)) &&
	       (!v->options->contents || verify_contents(v->journal, v->options, v->report, error));
}

struct verify_report *journal_verify(
        struct journal *journal, const struct verify_options *options, GError **error)
{
	AUTO(verify_report) report = verify_report_new();
	struct verifying v = {.journal = journal, .options = options, .report = report};
	v.roots = g_hash_table_new_full(g_str_hash, g_str_equal, g_free, asked_free);
	bool ok = journal_is_auditor(journal, &v.blind, error) && db_begin_reading(journal->db, error) &&
	          db_now(journal->db, &v.now, error);
	ok = ok && verify_all(&v, error);
	db_rollback(journal->db);
	g_hash_table_unref(v.roots);
	db_rows_free(v.checkpoints);
	installation_clear(&v.installation);
	return ok ? g_steal_pointer(&report) : NULL;
}
