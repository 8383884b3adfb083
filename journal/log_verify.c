/* log_verify.c - the log itself: leaves, tree, checkpoints, kept notes, witness. Rows: log_rows.c. */
#include "journal/log_verify.h"
#include "core/error.h"
#include "journal/internal.h"
#include "journal/log_rows.h"
#include "journal/log_seal.h"

#include <string.h>

enum { LEAVES_A_READ = 2000 };

struct verifying {
	struct journal *journal;
	const struct verify_options *options;
	struct verify_report *report;
	struct db_rows *checkpoints; /* size, note */
	struct db_rows *restores;    /* records of accepted restores */
	GHashTable *roots;           /* size (text) → struct log_hash: at each size somebody asks for */
	struct log_tree tree;
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

/* Called whenever the tree has grown: remembers the root if somebody asks for it. */
static void note_root(struct verifying *v)
{
	char key[32];
	g_snprintf(key, sizeof key, "%" G_GUINT64_FORMAT, (guint64)v->tree.size);
	if (!g_hash_table_contains(v->roots, key))
		return;
	struct log_hash *root = g_new(struct log_hash, 1);
	log_tree_root(&v->tree, root);
	g_hash_table_insert(v->roots, g_strdup(key), root);
}

static const struct log_hash *root_of(struct verifying *v, uint64_t size)
{
	char key[32];
	g_snprintf(key, sizeof key, "%" G_GUINT64_FORMAT, (guint64)size);
	return g_hash_table_lookup(v->roots, key);
}

/* Columns beside the bytes are for searching only; they must say what the bytes say. */
static void check_columns(
        struct verifying *v, struct db_rows *rows, unsigned i, uint64_t n, const char *data, gsize size)
{
	JSON_AUTO body = json_read(data, size, NULL);
	const char *event = json_get_string(body, "event"), *name = json_get_string(body, "item");
	int64_t item = 0;
	if (name)
		journal_item_parse(v->journal, name, &item, NULL);
	if (g_strcmp0(event, db_rows_text(rows, i, 4)) != 0 ||
	        json_get_int(body, "time", -1) != db_rows_int(rows, i, 5) || item != db_rows_int(rows, i, 6))
		add(v, FINDING_COLUMN, leaf_place(n),
		        "event, time or item beside the record are not its own");
}

static void check_leaf(struct verifying *v, struct db_rows *rows, unsigned i)
{
	uint64_t n = (uint64_t)db_rows_int(rows, i, 0);
	for (; v->tree.size < n; v->report->leaves = v->tree.size) {
		static const struct log_hash nothing;
		add(v, FINDING_LEAF_GAP, leaf_place(v->tree.size), "this leaf is missing");
		log_tree_append(&v->tree, &nothing);
		note_root(v);
	}
	g_autoptr(GBytes) hash = db_rows_bytes(rows, i, 2);
	g_autoptr(GBytes) body = db_rows_bytes(rows, i, 3);
	struct log_hash leaf = {{0}};
	if (g_bytes_get_size(hash) == HASH_SIZE)
		memcpy(leaf.bytes, g_bytes_get_data(hash, NULL), HASH_SIZE);
	if (!body) {
		add(v, FINDING_RECORD_GONE, leaf_place(n), "the sealed record is gone");
	} else {
		gsize size;
		const char *data = g_bytes_get_data(body, &size);
		struct log_hash real;
		log_leaf_hash(data, size, &real);
		if (!log_hash_equal(&real, &leaf))
			add(v, FINDING_RECORD_BENT, leaf_place(n),
			        "the record's bytes are not those that were sealed");
		else
			check_columns(v, rows, i, n, data, size);
		leaf = real;
	}
	log_tree_append(&v->tree, &leaf);
	note_root(v);
}

static bool check_leaves(struct verifying *v, GError **error)
{
	int64_t from = 0;
	note_root(v);
	for (;;) {
		struct db_value args[] = {db_int(from), db_int(LEAVES_A_READ)};
		AUTO(db_rows)
		rows = db_query(v->journal->db,
		        "SELECT l.n, l.record, l.hash, r.body, r.event, r.time, r.item FROM leaf l"
		        " LEFT JOIN record r ON r.id = l.record WHERE l.n >= $1 ORDER BY l.n LIMIT $2",
		        args, 2, error);
		if (!rows)
			return false;
		unsigned n = db_rows_count(rows);
		for (unsigned i = 0; i < n; i++)
			check_leaf(v, rows, i);
		v->report->leaves = v->tree.size;
		if (v->options->progress)
			v->options->progress(v->tree.size, v->expected, v->options->data);
		if (n < LEAVES_A_READ)
			return true;
		from = db_rows_int(rows, n - 1, 0) + 1;
	}
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
	const struct log_hash *root = root_of(v, checkpoint->size);
	if (root && log_hash_equal(root, &checkpoint->root))
		g_free(place);
	else if (root)
		add(v, kind, place, "the records up to here do not have this root");
	else
		add(v, FINDING_TAIL, place, "the log ends before this checkpoint");
}

static bool load_checkpoints(struct verifying *v, GError **error)
{
	v->checkpoints =
	        db_query(v->journal->db, "SELECT size, note FROM checkpoint ORDER BY size", NULL, 0, error);
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
	for (unsigned i = 0; i < db_rows_count(v->restores); i++) {
		g_autoptr(GBytes) bytes = db_rows_bytes(v->restores, i, 0);
		gsize size;
		const char *data = g_bytes_get_data(bytes, &size);
		JSON_AUTO body = json_read(data, size, NULL);
		const json_t *detail = json_object_get(body, "detail");
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

static bool load_restores(struct verifying *v, GError **error)
{
	v->restores = db_query(v->journal->db,
	        "SELECT body FROM record WHERE event = 'restore.accepted' ORDER BY id", NULL, 0, error);
	return v->restores != NULL;
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

static bool count_unsealed(struct verifying *v, GError **error)
{
	AUTO(db_rows)
	rows = db_query(v->journal->db,
	        "SELECT count(*) FROM record r WHERE NOT EXISTS (SELECT 1 FROM leaf l WHERE l.record = r.id)",
	        NULL, 0, error);
	if (rows)
		v->report->unsealed = (uint64_t)db_rows_int(rows, 0, 0);
	return rows != NULL;
}

static bool verify_all(struct verifying *v, GError **error)
{
	g_autoptr(GPtrArray) witnessed = NULL;
	unsigned broken = 0;
	if (v->options->witness && !(witnessed = witness_notes(v->options->witness, &broken, error)))
		return false;
	if (!load_checkpoints(v, error) || !load_restores(v, error))
		return false;
	want_note_roots(v, v->options->kept);
	want_note_roots(v, witnessed);
	if (!check_leaves(v, error) || !count_unsealed(v, error))
		return false;
	log_tree_root(&v->tree, &v->report->root);
	check_checkpoints(v);
	check_notes(v, v->options->kept, "kept");
	check_notes(v, witnessed, "witness");
	return v->options->log_only || verify_rows(v->journal, v->options, v->report, error);
}

struct verify_report *journal_verify(
        struct journal *journal, const struct verify_options *options, GError **error)
{
	AUTO(verify_report) report = verify_report_new();
	struct verifying v = {.journal = journal, .options = options, .report = report};
	v.roots = g_hash_table_new_full(g_str_hash, g_str_equal, g_free, g_free);
	bool ok = db_begin_reading(journal->db, error);
	ok = ok && verify_all(&v, error);
	db_rollback(journal->db);
	g_hash_table_unref(v.roots);
	db_rows_free(v.checkpoints);
	db_rows_free(v.restores);
	return ok ? g_steal_pointer(&report) : NULL;
}
