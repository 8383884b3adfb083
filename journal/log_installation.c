/* log_installation.c - bundles, holds, erasures, gaps, migrations, standing tasks: records against rows.
 *
 * What must be the same on both sides becomes one line of text; each line counts +1 where a record says it
 * and -1 where a row stands. What is not zero in the end is a finding.
 */
#include "journal/log_installation.h"
#include "config/bundle.h"
#include "core/json.h"
#include "journal/internal.h"
#include "journal/log_rows.h"
#include "journal/log_said.h"

#include <string.h>

enum { RECORDS_A_READ = 2000 };

struct said_hold {
	int64_t id, created, released;
	char *item, *person, *actor;
};

struct checking {
	struct journal *journal;
	const struct verify_options *options;
	struct verify_report *report;
	struct installation *out;
	struct said *said; /* standing tasks and their postings */
	GHashTable *holds; /* number → struct said_hold */
	GHashTable *gaps;  /* keyed key → line: the last word on it */
	char *active;      /* hash of the last activation */
	int64_t epoch;
};

static void hold_free_said(void *data)
{
	struct said_hold *hold = data;
	g_free(hold->item);
	g_free(hold->person);
	g_free(hold->actor);
	g_free(hold);
}

void installation_clear(struct installation *installation)
{
	if (installation->restores)
		g_ptr_array_unref(installation->restores);
	if (installation->expired)
		g_array_unref(installation->expired);
	*installation = (struct installation){0};
}

static void count(struct checking *c, char *line, int by)
{
	said_count(c->said, line, by);
}

static char *gap_line(const struct checking *c, const char *where, const char *key, const char *kind,
        const char *reason, int64_t size, int64_t time)
{
	return g_strdup_printf("gap at %s: %s, %s, %" G_GINT64_FORMAT " bytes, at %" G_GINT64_FORMAT " %s",
	        where, kind, reason ? reason : "", size, time, c->said->blind ? "" : key);
}

/* ---- what records say ---- */

static void hear_hold(struct checking *c, const json_t *body, const json_t *detail, int64_t time)
{
	int64_t id = json_get_int(detail, "hold", 0);
	struct said_hold *hold = g_hash_table_lookup(c->holds, &id);
	if (!hold) {
		hold = g_new0(struct said_hold, 1);
		hold->id = id;
		g_hash_table_insert(c->holds, &hold->id, hold);
	}
	if (g_strcmp0(json_get_string(detail, "state"), "added") != 0) {
		hold->released = time;
		return;
	}
	hold->created = time;
	hold->item = g_strdup(json_get_string(body, "item"));
	hold->person = g_strdup(json_get_string(detail, "person"));
	hold->actor = g_strdup(json_get_string(body, "actor"));
}

static void hear_gap(struct checking *c, const char *event, const json_t *detail, int64_t time)
{
	const char *key = json_get_string(detail, "key"), *source = json_get_string(detail, "source"),
	           *mailbox = json_get_string(detail, "mailbox");
	if (!key || !source || !mailbox)
		return;
	g_autofree char *where = g_strconcat(source, "/", mailbox, NULL);
	g_hash_table_insert(c->gaps, g_strconcat(where, "\n", key, NULL),
	        gap_line(c, where, key, event, json_get_string(detail, "reason"),
	                json_get_int(detail, "size", 0), time));
}

static void hear_expired(struct checking *c, const json_t *detail, int64_t time)
{
	size_t i;
	json_t *pair;
	json_array_foreach (json_object_get(detail, "leaves"), i, pair) {
		struct expired_leaves leaves = {.from = (uint64_t)json_integer_value(json_array_get(pair, 0)),
		        .to = (uint64_t)json_integer_value(json_array_get(pair, 1)),
		        .before = json_get_int(detail, "before", 0),
		        .told = time};
		g_array_append_val(c->out->expired, leaves);
	}
}

static void hear_other(struct checking *c, const json_t *body, const json_t *detail, int64_t time)
{
	const char *event = json_get_string(body, "event"), *actor = json_get_string(body, "actor");
	if (strcmp(event, "bundle.activated") == 0) {
		g_free(c->active);
		c->active = g_strdup(json_get_string(detail, "bundle"));
		count(c, g_strdup_printf("activation: %s by %s at %" G_GINT64_FORMAT, c->active, actor, time),
		        1);
	} else if (strcmp(event, "person.erased") == 0) {
		count(c,
		        g_strdup_printf("erasure: %s by %s at %" G_GINT64_FORMAT,
		                json_get_string(detail, "person"), actor, json_get_int(detail, "time", 0)),
		        1);
	} else if (strcmp(event, "migrated") == 0) {
		count(c,
		        g_strdup_printf("schema step: %" G_GINT64_FORMAT " by %s at %" G_GINT64_FORMAT,
		                json_get_int(detail, "step", 0), actor, time),
		        1);
	} else if (strcmp(event, "restore.accepted") == 0) {
		g_ptr_array_add(c->out->restores, json_incref((json_t *)detail));
		c->epoch = json_get_int(detail, "epoch", c->epoch);
	} else if (strcmp(event, "hold") == 0) {
		hear_hold(c, body, detail, time);
	} else if (strcmp(event, "refused") == 0 || strcmp(event, "vanished") == 0) {
		hear_gap(c, event, detail, time);
	} else if (strcmp(event, "evidence.deleted") == 0) {
		hear_expired(c, detail, time);
	}
}

static void hear(struct checking *c, GBytes *bytes, int64_t row)
{
	struct record_view view;
	gsize size = 0;
	const char *data = bytes ? g_bytes_get_data(bytes, &size) : NULL;
	if (!record_scan(data ? data : "", size, &view)) {
		verify_add(c->report, c->options, FINDING_COLUMN,
		        g_strdup_printf("record %" G_GINT64_FORMAT, row),
		        g_strdup("its bytes are no record"));
		return;
	}
	said_hear(c->said, 0, &view);
	if (text_span_equal(&view.event, "log.read"))
		return;
	JSON_AUTO body = json_read(data, size, NULL);
	const json_t *detail = json_object_get(body, "detail");
	if (json_get_string(body, "event") && json_get_string(body, "actor"))
		hear_other(c, body, detail, view.time);
}

static bool hear_records(struct checking *c, GError **error)
{
	for (int64_t after = INT64_MIN;;) {
		struct db_value args[] = {db_int(after), db_int(RECORDS_A_READ)};
		AUTO(db_rows)
		rows = db_query(c->journal->db,
		        "SELECT id, body FROM record WHERE id > $1 AND (item IS NULL OR event = 'hold')"
		        " ORDER BY id LIMIT $2",
		        args, 2, error);
		unsigned n = rows ? db_rows_count(rows) : 0;
		for (unsigned i = 0; i < n; i++) {
			g_autoptr(GBytes) body = db_rows_bytes(rows, i, 1);
			hear(c, body, db_rows_int(rows, i, 0));
		}
		if (n < RECORDS_A_READ)
			return rows != NULL;
		after = db_rows_int(rows, n - 1, 0);
	}
}

static char *hold_line(int64_t id, const char *item, const char *person, const char *actor, int64_t created,
        int64_t released)
{
	return g_strdup_printf("hold: %" G_GINT64_FORMAT " of %s%s by %s at %" G_GINT64_FORMAT
	                       ", released %" G_GINT64_FORMAT,
	        id, item ? item : "", person ? person : "", actor ? actor : "", created, released);
}

static void count_last_words(struct checking *c)
{
	GHashTableIter iter;
	gpointer value;
	g_hash_table_iter_init(&iter, c->holds);
	while (g_hash_table_iter_next(&iter, NULL, &value)) {
		const struct said_hold *hold = value;
		count(c,
		        hold_line(hold->id, hold->item, hold->person, hold->actor, hold->created,
		                hold->released),
		        1);
	}
	g_hash_table_iter_init(&iter, c->gaps);
	while (g_hash_table_iter_next(&iter, NULL, &value))
		count(c, g_strdup(value), 1);
}

/* ---- what rows say ---- */

static struct db_rows *ask(struct checking *c, const char *sql, GError **error)
{
	return db_query(c->journal->db, sql, NULL, 0, error);
}

static bool count_activations(struct checking *c, GError **error)
{
	AUTO(db_rows) rows = ask(c, "SELECT hash, actor, time FROM activation", error);
	for (unsigned i = 0; rows && i < db_rows_count(rows); i++)
		count(c,
		        g_strdup_printf("activation: %s by %s at %" G_GINT64_FORMAT, db_rows_text(rows, i, 0),
		                db_rows_text(rows, i, 1), db_rows_int(rows, i, 2)),
		        -1);
	AUTO(db_rows) active = rows ? ask(c, "SELECT hash FROM active", error) : NULL;
	if (!active)
		return false;
	const char *hash = db_rows_count(active) ? db_rows_text(active, 0, 0) : NULL;
	if (g_strcmp0(hash, c->active) != 0)
		verify_add(c->report, c->options, FINDING_DISAGREES, g_strdup("active bundle"),
		        g_strdup("is not the one that was activated last"));
	return true;
}

static bool count_erasures(struct checking *c, GError **error)
{
	AUTO(db_rows) rows = ask(c, "SELECT person, actor, time FROM erasure", error);
	for (unsigned i = 0; rows && i < db_rows_count(rows); i++)
		count(c,
		        g_strdup_printf("erasure: %s by %s at %" G_GINT64_FORMAT, db_rows_text(rows, i, 0),
		                db_rows_text(rows, i, 1), db_rows_int(rows, i, 2)),
		        -1);
	return rows != NULL;
}

static bool count_migrations(struct checking *c, GError **error)
{
	AUTO(db_rows) rows = ask(c, "SELECT number, actor, time FROM migration", error);
	for (unsigned i = 0; rows && i < db_rows_count(rows); i++)
		count(c,
		        g_strdup_printf("schema step: %" G_GINT64_FORMAT " by %s at %" G_GINT64_FORMAT,
		                db_rows_int(rows, i, 0), db_rows_text(rows, i, 1), db_rows_int(rows, i, 2)),
		        -1);
	return rows != NULL;
}

static bool count_holds(struct checking *c, GError **error)
{
	AUTO(db_rows) rows = ask(c, "SELECT id, item, person, actor, created, released FROM hold", error);
	for (unsigned i = 0; rows && i < db_rows_count(rows); i++) {
		int64_t item = db_rows_int(rows, i, 1);
		g_autofree char *name = item ? journal_item_name(c->journal, item) : NULL;
		count(c,
		        hold_line(db_rows_int(rows, i, 0), name, db_rows_text(rows, i, 2),
		                db_rows_text(rows, i, 3), db_rows_int(rows, i, 4), db_rows_int(rows, i, 5)),
		        -1);
	}
	return rows != NULL;
}

static bool count_gaps(struct checking *c, GError **error)
{
	AUTO(db_rows)
	rows = ask(c,
	        "SELECT m.source, m.name, g.kind, g.reason, g.size, g.time, g.key FROM gap g"
	        " JOIN mailbox m ON m.id = g.mailbox",
	        error);
	for (unsigned i = 0; rows && i < db_rows_count(rows); i++) {
		char pseudonym[HASH_HEX_SIZE];
		const char *key = db_rows_text(rows, i, 6);
		g_autofree char *where =
		        g_strconcat(db_rows_text(rows, i, 0), "/", db_rows_text(rows, i, 1), NULL);
		journal_pseudonym(c->journal, "key", key ? key : "", pseudonym);
		count(c,
		        gap_line(c, where, pseudonym, db_rows_text(rows, i, 2), db_rows_text(rows, i, 3),
		                db_rows_int(rows, i, 4), db_rows_int(rows, i, 5)),
		        -1);
	}
	return rows != NULL;
}

static bool check_epoch(struct checking *c, GError **error)
{
	AUTO(db_rows) rows = ask(c, "SELECT value FROM meta WHERE name = 'log_epoch'", error);
	if (!rows)
		return false;
	g_autofree char *epoch = g_strdup_printf("%" G_GINT64_FORMAT, c->epoch);
	if (!db_rows_count(rows) || g_strcmp0(db_rows_text(rows, 0, 0), epoch) != 0)
		verify_add(c->report, c->options, FINDING_DISAGREES, g_strdup("epoch"),
		        g_strdup("is not the one of the last restore that was accepted"));
	return true;
}

static bool check_bundles(struct checking *c, GError **error)
{
	if (!c->options->bundles)
		return true;
	AUTO(db_rows) hashes = ask(c, "SELECT hash FROM bundle ORDER BY hash", error);
	for (unsigned i = 0; hashes && i < db_rows_count(hashes); i++) {
		struct db_value args[] = {db_text(db_rows_text(hashes, i, 0))};
		AUTO(db_rows)
		rows = db_query(c->journal->db, "SELECT packed FROM bundle WHERE hash = $1", args, 1, error);
		if (!rows)
			return false;
		g_autoptr(GBytes) packed = db_rows_bytes(rows, 0, 0);
		AUTO(bundle) bundle = packed ? bundle_unpack(packed, NULL) : NULL;
		if (!bundle || strcmp(bundle_hash(bundle), db_rows_text(hashes, i, 0)) != 0)
			verify_add(c->report, c->options, FINDING_DISAGREES,
			        g_strdup_printf("bundle %s", db_rows_text(hashes, i, 0)),
			        g_strdup("its bytes do not have this hash"));
	}
	return hashes != NULL;
}

/* ---- both ---- */

static bool compare(struct checking *c, GError **error)
{
	count_last_words(c);
	bool ok = count_activations(c, error) && count_erasures(c, error) && count_migrations(c, error) &&
	          count_holds(c, error) && count_gaps(c, error) && check_epoch(c, error) &&
	          check_bundles(c, error);
	if (ok)
		said_report_lines(c->said, c->options, c->report);
	return ok && verify_rows_of_none(c->journal, c->options, c->report, c->said, error);
}

static gint by_first_leaf(gconstpointer a, gconstpointer b)
{
	uint64_t x = ((const struct expired_leaves *)a)->from, y = ((const struct expired_leaves *)b)->from;
	return (x > y) - (x < y);
}

bool verify_installation(struct journal *journal, const struct verify_options *options,
        struct verify_report *report, bool blind, struct installation *out, GError **error)
{
	struct checking c = {
	        .journal = journal, .options = options, .report = report, .out = out, .epoch = 1};
	out->restores = g_ptr_array_new_with_free_func((GDestroyNotify)json_decref);
	out->expired = g_array_new(FALSE, FALSE, sizeof(struct expired_leaves));
	c.said = said_new(journal, blind);
	c.holds = g_hash_table_new_full(g_int64_hash, g_int64_equal, NULL, hold_free_said);
	c.gaps = g_hash_table_new_full(g_str_hash, g_str_equal, g_free, g_free);
	bool ok = hear_records(&c, error) && (options->log_only || compare(&c, error));
	g_array_sort(out->expired, by_first_leaf);
	said_free(c.said);
	g_hash_table_unref(c.holds);
	g_hash_table_unref(c.gaps);
	g_free(c.active);
	return ok;
}
