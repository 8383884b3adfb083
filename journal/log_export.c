/* log_export.c - writes the log, up to its newest checkpoint, as a folder. */
#include "journal/log_export.h"
#include "core/error.h"
#include "core/file.h"
#include "journal/internal.h"
#include "journal/log_seal.h"

#include <errno.h>
#include <glib/gstdio.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

enum { LEAVES_A_READ = 2000, MOST_PROOFS = 1000 };

struct exporting {
	struct journal *journal;
	const char *folder;
	const GPtrArray *keys;
	uint64_t size;
	GArray *leaves; /* of struct log_hash */
	struct db_rows *checkpoints;
};

static bool fail_at(const char *path, GError **error)
{
	fail(error, ERROR_UNAVAILABLE, "export %s: %s", path, g_strerror(errno));
	return false;
}

static bool make_folder(const char *folder, GError **error)
{
	g_autofree char *bundles = g_build_filename(folder, "bundles", NULL);
	g_autoptr(GDir) dir = g_dir_open(folder, 0, NULL);
	if (dir && g_dir_read_name(dir)) {
		fail(error, ERROR_USAGE, "export: %s is not empty", folder);
		return false;
	}
	return g_mkdir_with_parents(bundles, 0750) == 0 || fail_at(folder, error);
}

static FILE *open_in(const struct exporting *e, const char *name, char **path, GError **error)
{
	*path = g_build_filename(e->folder, name, NULL);
	FILE *file = g_fopen(*path, "wx");
	if (!file)
		fail_at(*path, error);
	return file;
}

static bool close_file(FILE *file, const char *path, GError **error)
{
	bool ok = fflush(file) == 0 && fsync(fileno(file)) == 0;
	if (!ok)
		fail_at(path, error);
	return fclose(file) == 0 && ok;
}

/* Of a record that is gone (its term is over: a record says so) its leaf. */
static void put_record(FILE *out, GBytes *body, const struct log_hash *leaf)
{
	gsize size = 0;
	const void *data = body ? g_bytes_get_data(body, &size) : NULL;
	g_autofree char *hash = body ? NULL : g_base64_encode(leaf->bytes, HASH_SIZE);
	if (body)
		fwrite(data, 1, size, out);
	else
		fprintf(out, "{\"leaf\":\"%s\"}", hash);
	fputc('\n', out);
}

/* One read of leaves; false on error, *more says whether to go on. */
static bool write_some(struct exporting *e, FILE *out, bool *more, GError **error)
{
	struct db_value args[] = {db_int(e->leaves->len), db_int((int64_t)e->size), db_int(LEAVES_A_READ)};
	AUTO(db_rows)
	rows = db_query(e->journal->db,
	        "SELECT l.hash, r.body FROM leaf l LEFT JOIN record r ON r.id = l.record WHERE l.n >= $1 AND "
	        "l.n "
	        "< $2"
	        " ORDER BY l.n LIMIT $3",
	        args, 3, error);
	for (unsigned i = 0; rows && i < db_rows_count(rows); i++) {
		g_autoptr(GBytes) hash = db_rows_bytes(rows, i, 0);
		g_autoptr(GBytes) body = db_rows_bytes(rows, i, 1);
		struct log_hash leaf = {{0}};
		if (hash && g_bytes_get_size(hash) == HASH_SIZE)
			memcpy(leaf.bytes, g_bytes_get_data(hash, NULL), HASH_SIZE);
		g_array_append_val(e->leaves, leaf);
		put_record(out, body, &leaf);
	}
	*more = rows && db_rows_count(rows) == LEAVES_A_READ;
	return rows != NULL;
}

static bool write_records(struct exporting *e, GError **error)
{
	g_autofree char *path = NULL;
	FILE *out = open_in(e, "records.jsonl", &path, error);
	bool ok = out != NULL, more = true;
	while (ok && more)
		ok = write_some(e, out, &more, error);
	if (ok && e->leaves->len != e->size) {
		fail(error, ERROR_INPUT,
		        "export: %u of %" G_GUINT64_FORMAT " records are there: run `posteingang verify`",
		        e->leaves->len, (guint64)e->size);
		ok = false;
	}
	return out && close_file(out, path, ok ? error : NULL) && ok;
}

static bool load_checkpoints(struct exporting *e, GError **error)
{
	e->checkpoints =
	        db_query(e->journal->db, "SELECT size, note FROM checkpoint ORDER BY size", NULL, 0, error);
	unsigned n = e->checkpoints ? db_rows_count(e->checkpoints) : 0;
	e->size = n ? (uint64_t)db_rows_int(e->checkpoints, n - 1, 0) : 0;
	return e->checkpoints != NULL;
}

static void put_json(FILE *out, json_t *object)
{
	g_autofree char *line = json_canonical(object);
	fprintf(out, "%s\n", line);
}

static bool write_checkpoints(struct exporting *e, GError **error)
{
	g_autofree char *path = NULL;
	FILE *out = open_in(e, "checkpoints.jsonl", &path, error);
	if (!out)
		return false;
	for (unsigned i = 0; i < db_rows_count(e->checkpoints); i++) {
		JSON_AUTO line = json_object();
		json_set_string(line, "note", db_rows_text(e->checkpoints, i, 1));
		put_json(out, line);
	}
	return close_file(out, path, error);
}

static json_t *proof_json(const struct exporting *e, uint64_t from)
{
	g_autoptr(GArray) proof =
	        log_consistency_proof((const struct log_hash *)(void *)e->leaves->data, from, e->size);
	json_t *line = json_object(), *hashes = json_array();
	for (guint i = 0; i < proof->len; i++) {
		g_autofree char *text =
		        g_base64_encode(g_array_index(proof, struct log_hash, i).bytes, HASH_SIZE);
		json_add_string(hashes, text);
	}
	json_set_int(line, "from", (int64_t)from);
	json_set_int(line, "to", (int64_t)e->size);
	json_object_set_new(line, "proof", hashes);
	return line;
}

/* At most MOST_PROOFS, evenly over the checkpoints: the records prove the rest. */
static bool write_proofs(struct exporting *e, GError **error)
{
	g_autofree char *path = NULL;
	FILE *out = open_in(e, "proofs.jsonl", &path, error);
	if (!out)
		return false;
	unsigned n = db_rows_count(e->checkpoints), step = n / MOST_PROOFS + 1;
	for (unsigned i = 0; i + 1 < n; i += step) {
		JSON_AUTO line = proof_json(e, (uint64_t)db_rows_int(e->checkpoints, i, 0));
		put_json(out, line);
	}
	return close_file(out, path, error);
}

static bool write_text(const struct exporting *e, const char *name, const char *text, GError **error)
{
	g_autofree char *path = g_build_filename(e->folder, name, NULL);
	return file_write_durable(path, text, strlen(text), 0640, error);
}

static bool write_manifest(struct exporting *e, GError **error)
{
	unsigned n = db_rows_count(e->checkpoints);
	struct checkpoint newest = {0};
	if (n && !checkpoint_parse(db_rows_text(e->checkpoints, n - 1, 1), &newest, error))
		return false;
	g_autofree char *root = g_base64_encode(newest.root.bytes, HASH_SIZE);
	JSON_AUTO manifest = json_object();
	json_set_int(manifest, "format", LOG_EXPORT_FORMAT);
	json_set_string(manifest, "instance", journal_instance(e->journal));
	json_set_string(manifest, "origin", newest.origin ? newest.origin : "");
	json_set_int(manifest, "size", (int64_t)e->size);
	json_set_string(manifest, "root", root);
	json_set_int(manifest, "time", newest.time);
	checkpoint_clear(&newest);
	g_autofree char *line = json_canonical(manifest), *text = g_strconcat(line, "\n", NULL);
	return write_text(e, "manifest.json", text, error);
}

static bool write_keys(const struct exporting *e, GError **error)
{
	g_autoptr(GString) text = g_string_new(NULL);
	for (guint i = 0; e->keys && i < e->keys->len; i++)
		g_string_append_printf(text, "%s\n", (const char *)g_ptr_array_index(e->keys, i));
	return write_text(e, "keys.txt", text->str, error);
}

static bool write_bundles(struct exporting *e, GError **error)
{
	AUTO(db_rows)
	rows = db_query(e->journal->db, "SELECT hash, packed FROM bundle ORDER BY hash", NULL, 0, error);
	for (unsigned i = 0; rows && i < db_rows_count(rows); i++) {
		g_autofree char *path =
		        g_build_filename(e->folder, "bundles", db_rows_text(rows, i, 0), NULL);
		g_autoptr(GBytes) packed = db_rows_bytes(rows, i, 1);
		gsize size;
		const void *data = g_bytes_get_data(packed, &size);
		if (!file_write_durable(path, data, size, 0640, error))
			return false;
	}
	return rows != NULL;
}

bool journal_export_log(
        struct journal *journal, const struct log_export_options *options, uint64_t *leaves, GError **error)
{
	struct exporting e = {.journal = journal, .folder = options->folder, .keys = options->keys};
	e.leaves = g_array_new(FALSE, FALSE, sizeof(struct log_hash));
	bool ok = make_folder(options->folder, error) && db_begin_reading(journal->db, error);
	ok = ok && load_checkpoints(&e, error) && write_records(&e, error) && write_checkpoints(&e, error) &&
	     write_proofs(&e, error) && write_keys(&e, error) && write_bundles(&e, error) &&
	     write_manifest(&e, error) && folder_sync(options->folder, error);
	db_rollback(journal->db);
	if (ok && leaves)
		*leaves = e.leaves->len;
	g_array_unref(e.leaves);
	db_rows_free(e.checkpoints);
	return ok;
}
