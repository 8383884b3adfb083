/* log_offline.c - checks an exported log: what a stranger's tool would do, done by ours. */
#include "config/bundle.h"
#include "core/error.h"
#include "core/file.h"
#include "core/json.h"
#include "journal/log_export.h"
#include "journal/log_installation.h"
#include "journal/record_scan.h"

#include <errno.h>
#include <glib/gstdio.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum { MOST_FILE = 512 << 20 };

struct offline {
	const char *folder;
	const struct verify_options *options;
	struct verify_report *report;
	GArray *roots; /* root after n leaves, for sizes somebody asks for: struct asked */
	struct log_tree tree;
	GPtrArray *notes; /* of char * */
	GArray *bare;     /* of uint64_t: leaves without their record */
	GArray *expired;  /* of struct expired_leaves: that may lack them */
};

struct asked {
	uint64_t size;
	struct log_hash root;
	bool known;
};

static void add(struct offline *o, const char *kind, char *place, const char *text)
{
	verify_add(o->report, o->options, kind, place, g_strdup(text));
}

static int by_size(const void *a, const void *b)
{
	uint64_t x = ((const struct asked *)a)->size, y = ((const struct asked *)b)->size;
	return (x > y) - (x < y);
}

static void ask(struct offline *o, const GPtrArray *notes)
{
	for (guint i = 0; notes && i < notes->len; i++) {
		struct checkpoint checkpoint = {0};
		if (checkpoint_parse(g_ptr_array_index(notes, i), &checkpoint, NULL)) {
			struct asked asked = {.size = checkpoint.size};
			g_array_append_val(o->roots, asked);
		}
		checkpoint_clear(&checkpoint);
	}
}

/* Where a record was deleted after its term, its leaf stands; another record must say so. */
static bool is_bare_leaf(const char *line, size_t size, struct log_hash *leaf)
{
	if (size > 256 || !g_str_has_prefix(line, "{\"leaf\":"))
		return false;
	JSON_AUTO object = json_read(line, size, NULL);
	const char *text = json_get_string(object, "leaf");
	gsize length = 0;
	g_autofree guchar *bytes = text ? g_base64_decode(text, &length) : NULL;
	if (length == HASH_SIZE)
		memcpy(leaf->bytes, bytes, HASH_SIZE);
	return length == HASH_SIZE;
}

static void hear_expired(struct offline *o, const char *line, size_t size)
{
	JSON_AUTO body = json_read(line, size, NULL);
	size_t i;
	json_t *pair;
	const json_t *detail = json_object_get(body, "detail");
	json_array_foreach (json_object_get(detail, "leaves"), i, pair) {
		struct expired_leaves leaves = {.from = (uint64_t)json_integer_value(json_array_get(pair, 0)),
		        .to = (uint64_t)json_integer_value(json_array_get(pair, 1)),
		        .before = json_get_int(detail, "before", 0),
		        .told = json_get_int(body, "time", 0)};
		g_array_append_val(o->expired, leaves);
	}
}

static void read_record(struct offline *o, const char *line, size_t size)
{
	struct log_hash leaf;
	struct record_view view;
	if (is_bare_leaf(line, size, &leaf)) {
		g_array_append_val(o->bare, o->tree.size);
	} else {
		log_leaf_hash(line, size, &leaf);
		if (record_scan(line, size, &view) && text_span_equal(&view.event, "evidence.deleted"))
			hear_expired(o, line, size);
	}
	log_tree_append(&o->tree, &leaf);
}

static void check_bare(struct offline *o)
{
	for (guint b = 0; b < o->bare->len; b++) {
		uint64_t n = g_array_index(o->bare, uint64_t, b);
		bool told = false;
		for (guint i = 0; !told && i < o->expired->len; i++) {
			const struct expired_leaves *e = &g_array_index(o->expired, struct expired_leaves, i);
			told = n >= e->from && n < e->to;
		}
		if (!told)
			add(o, FINDING_RECORD_GONE, g_strdup_printf("leaf %" G_GUINT64_FORMAT, (guint64)n),
			        "the record is gone, and no other says that its term was over");
	}
}

/* Time of the first checkpoint that holds leaf `n`; 0: none does. Checkpoints stand in ascending order. */
static int64_t sealed_by(const struct offline *o, uint64_t n)
{
	int64_t time = 0;
	for (guint i = 0; !time && i < o->notes->len; i++) {
		struct checkpoint checkpoint = {0};
		if (checkpoint_parse(g_ptr_array_index(o->notes, i), &checkpoint, NULL) &&
		        checkpoint.size > n)
			time = checkpoint.time;
		checkpoint_clear(&checkpoint);
	}
	return time;
}

static void check_expired(struct offline *o)
{
	for (guint i = 0; i < o->expired->len; i++) {
		const struct expired_leaves *e = &g_array_index(o->expired, struct expired_leaves, i);
		int64_t sealed = e->to ? sealed_by(o, e->to - 1) : 0;
		if (!sealed || sealed > e->before ||
		        e->told - e->before < o->options->evidence_term * INT64_C(1000000))
			add(o, FINDING_EARLY, g_strdup_printf("leaf %" G_GUINT64_FORMAT, (guint64)e->from),
			        "this record was deleted before its term was over");
	}
}

/* Reads records.jsonl line by line, growing the tree; `roots` is sorted. */
static bool read_records(struct offline *o, GError **error)
{
	g_autofree char *path = g_build_filename(o->folder, "records.jsonl", NULL);
	FILE *in = g_fopen(path, "r");
	if (!in) {
		fail(error, ERROR_INPUT, "%s: %s", path, g_strerror(errno));
		return false;
	}
	char *line = NULL;
	size_t room = 0;
	guint next = 0;
	for (ssize_t n = 0; n >= 0;) {
		for (; next < o->roots->len &&
		        g_array_index(o->roots, struct asked, next).size == o->tree.size;
		        next++) {
			struct asked *asked = &g_array_index(o->roots, struct asked, next);
			log_tree_root(&o->tree, &asked->root);
			asked->known = true;
		}
		n = getline(&line, &room, in);
		if (n <= 0)
			break;
		read_record(o, line, (size_t)n - (line[n - 1] == '\n'));
	}
	free(line);
	fclose(in);
	o->report->leaves = o->tree.size;
	log_tree_root(&o->tree, &o->report->root);
	return true;
}

static const struct asked *find(struct offline *o, uint64_t size)
{
	struct asked key = {.size = size};
	if (o->roots->len == 0)
		return NULL;
	return bsearch(&key, o->roots->data, o->roots->len, sizeof key, by_size);
}

static void check_note(struct offline *o, const char *note, const char *where, guint number, const char *kind)
{
	struct checkpoint checkpoint = {0};
	g_autofree char *place = g_strdup_printf("%s, note %u", where, number);
	g_autoptr(GError) why = NULL;
	if (!checkpoint_parse(note, &checkpoint, &why)) {
		add(o, FINDING_CHECKPOINT, g_strdup(place), why->message);
		return;
	}
	if (o->options->n_verifiers &&
	        !checkpoint_verify(note, o->options->verifiers, o->options->n_verifiers, &why))
		add(o, FINDING_SIGNATURE, g_strdup(place), why->message);
	const struct asked *asked = find(o, checkpoint.size);
	if (!asked || !asked->known)
		add(o, FINDING_TAIL, g_strdup(place), "the log ends before this checkpoint");
	else if (!log_hash_equal(&asked->root, &checkpoint.root))
		add(o, kind, g_strdup(place), "the records up to here do not have this root");
	checkpoint_clear(&checkpoint);
}

static GPtrArray *read_lines(const struct offline *o, const char *name, GError **error)
{
	g_autofree char *path = g_build_filename(o->folder, name, NULL);
	g_autoptr(GBytes) bytes = file_read(path, MOST_FILE, error);
	if (!bytes)
		return NULL;
	gsize size;
	const char *data = g_bytes_get_data(bytes, &size);
	g_autofree char *text = g_strndup(data ? data : "", size);
	g_auto(GStrv) lines = g_strsplit(text, "\n", -1);
	GPtrArray *objects = g_ptr_array_new_with_free_func((GDestroyNotify)json_decref);
	for (char **line = lines; *line; line++) {
		if (!**line)
			continue;
		json_t *object = json_read(*line, strlen(*line), error);
		if (!object) {
			g_prefix_error(error, "%s:%d: ", path, (int)(line - lines) + 1);
			g_ptr_array_unref(objects);
			return NULL;
		}
		g_ptr_array_add(objects, object);
	}
	return objects;
}

static bool read_notes(struct offline *o, GError **error)
{
	g_autoptr(GPtrArray) lines = read_lines(o, "checkpoints.jsonl", error);
	for (guint i = 0; lines && i < lines->len; i++) {
		const char *note = json_get_string(g_ptr_array_index(lines, i), "note");
		g_ptr_array_add(o->notes, g_strdup(note ? note : ""));
	}
	o->report->checkpoints = o->notes->len;
	return lines != NULL;
}

/* True if the proof that is written there holds between the roots of the records. */
static bool proof_holds(struct offline *o, const json_t *line)
{
	uint64_t from = (uint64_t)json_get_int(line, "from", 0), to = (uint64_t)json_get_int(line, "to", 0);
	const struct asked *old = find(o, from), *new = find(o, to);
	json_t *hashes = json_object_get(line, "proof"), *entry;
	g_autoptr(GArray) proof = g_array_new(FALSE, FALSE, sizeof(struct log_hash));
	size_t i;
	json_array_foreach (hashes, i, entry) {
		gsize size = 0;
		const char *text = json_string_value(entry);
		g_autofree guchar *bytes = text ? g_base64_decode(text, &size) : NULL;
		if (size != HASH_SIZE)
			return false;
		g_array_append_vals(proof, bytes, 1);
	}
	return old && new &&
	       old->known &&new->known &&log_consistency_check(from, &old->root, to, &new->root,
	               (const struct log_hash *)(void *)proof->data, proof->len);
}

static bool check_proofs(struct offline *o, GError **error)
{
	g_autoptr(GPtrArray) lines = read_lines(o, "proofs.jsonl", error);
	for (guint i = 0; lines && i < lines->len; i++)
		if (!proof_holds(o, g_ptr_array_index(lines, i)))
			add(o, FINDING_ROOT, g_strdup_printf("proofs.jsonl, line %u", i + 1),
			        "the proof does not hold");
	return lines != NULL;
}

static bool check_manifest(struct offline *o, GError **error)
{
	g_autoptr(GPtrArray) lines = read_lines(o, "manifest.json", error);
	if (!lines)
		return false;
	const json_t *manifest = lines->len ? g_ptr_array_index(lines, 0) : NULL;
	if (json_get_int(manifest, "format", 0) != LOG_EXPORT_FORMAT) {
		fail(error, ERROR_INPUT, "%s: not an exported log of format %d", o->folder,
		        LOG_EXPORT_FORMAT);
		return false;
	}
	g_autofree char *root = g_base64_encode(o->report->root.bytes, HASH_SIZE);
	if ((uint64_t)json_get_int(manifest, "size", -1) != o->tree.size)
		add(o, FINDING_TAIL, g_strdup("manifest.json"),
		        "there are more or fewer records than it says");
	else if (o->tree.size && g_strcmp0(json_get_string(manifest, "root"), root) != 0)
		add(o, FINDING_ROOT, g_strdup("manifest.json"), "the records do not have this root");
	return true;
}

static bool check_bundles(struct offline *o)
{
	g_autofree char *folder = g_build_filename(o->folder, "bundles", NULL);
	g_autoptr(GDir) dir = g_dir_open(folder, 0, NULL);
	const char *name;
	while (dir && (name = g_dir_read_name(dir)) != NULL) {
		g_autofree char *path = g_build_filename(folder, name, NULL);
		g_autoptr(GBytes) packed = file_read(path, MOST_FILE, NULL);
		AUTO(bundle) bundle = packed ? bundle_unpack(packed, NULL) : NULL;
		if (!bundle || strcmp(bundle_hash(bundle), name) != 0)
			add(o, FINDING_RECORD_BENT, g_strdup_printf("bundles/%s", name),
			        "its bytes do not have this hash");
	}
	return true;
}

static void check_notes(struct offline *o)
{
	for (guint i = 0; i < o->notes->len; i++)
		check_note(o, g_ptr_array_index(o->notes, i), "checkpoints.jsonl", i + 1, FINDING_ROOT);
	for (guint i = 0; o->options->kept && i < o->options->kept->len; i++)
		check_note(o, g_ptr_array_index(o->options->kept, i), "kept", i + 1, FINDING_KEPT);
	if (o->notes->len)
		o->report->newest = g_strdup(g_ptr_array_index(o->notes, o->notes->len - 1));
}

struct verify_report *log_verify_export(
        const char *folder, const struct verify_options *options, GError **error)
{
	AUTO(verify_report) report = verify_report_new();
	struct offline o = {.folder = folder, .options = options, .report = report};
	o.roots = g_array_new(FALSE, FALSE, sizeof(struct asked));
	o.notes = g_ptr_array_new_with_free_func(g_free);
	o.bare = g_array_new(FALSE, FALSE, sizeof(uint64_t));
	o.expired = g_array_new(FALSE, FALSE, sizeof(struct expired_leaves));
	bool ok = read_notes(&o, error);
	if (ok) {
		ask(&o, o.notes);
		ask(&o, options->kept);
		g_array_sort(o.roots, by_size);
		ok = read_records(&o, error);
	}
	if (ok) {
		check_notes(&o);
		check_bare(&o);
		check_expired(&o);
		ok = check_proofs(&o, error) && check_manifest(&o, error) && check_bundles(&o);
	}
	g_array_unref(o.roots);
	g_ptr_array_unref(o.notes);
	g_array_unref(o.bare);
	g_array_unref(o.expired);
	return ok ? g_steal_pointer(&report) : NULL;
}
