/* person.c - `posteingang person`: what is kept of one person, handed out or erased (Art. 15, 17 GDPR). */
#include "cli/commands.h"
#include "cli/person_number.h"
#include "cli/world.h"
#include "core/date.h"
#include "core/error.h"
#include "core/file.h"
#include "journal/content.h"
#include "journal/deliveries.h"
#include "journal/fact_table.h"
#include "journal/items.h"
#include "journal/log_privacy.h"
#include "journal/tasks.h"

#include <errno.h>
#include <fcntl.h>
#include <glib/gstdio.h>
#include <string.h>
#include <unistd.h>

/* ---- export ---- */

static void set_time(json_t *object, const char *key, int64_t time)
{
	g_autofree char *text = time ? instant_format_berlin(time) : NULL;
	json_set_string(object, key, text);
}

static bool add_deliveries(struct journal *journal, int64_t item, json_t *into, GError **error)
{
	g_autoptr(GPtrArray) deliveries = journal_item_deliveries(journal, item, error);
	json_t *list = json_array();
	for (guint i = 0; deliveries && i < deliveries->len; i++) {
		const struct delivery_view *view = deliveries->pdata[i];
		json_t *object = json_object();
		json_set_string(object, "handler", view->handler);
		json_set_string(object, "state", view->state);
		json_object_set(object, "params", view->params);
		json_object_set_new(
		        object, "receipt", view->receipt ? json_incref(view->receipt) : json_null());
		set_time(object, "changed", view->changed);
		json_array_append_new(list, object);
	}
	json_object_set_new(into, "deliveries", list);
	return deliveries != NULL;
}

static bool add_tasks(struct journal *journal, int64_t item, json_t *into, GError **error)
{
	static const char *const states[] = {"open", "done", "failed"};
	json_t *list = json_array();
	json_object_set_new(into, "tasks", list);
	for (size_t s = 0; s < G_N_ELEMENTS(states); s++) {
		struct task_filter filter = {.state = states[s], .item = item, .max = 10000};
		g_autoptr(GPtrArray) tasks = journal_tasks(journal, &filter, error);
		if (!tasks)
			return false;
		for (guint i = 0; i < tasks->len; i++) {
			const struct task *task = tasks->pdata[i];
			json_t *object = json_object();
			json_set_string(object, "kind", task->kind);
			json_set_string(object, "state", task->state);
			json_set_string(object, "text", task->text);
			json_object_set(object, "params", task->params);
			json_set_string(object, "reason", task->reason);
			set_time(object, "created", task->created);
			set_time(object, "closed", task->closed);
			json_array_append_new(list, object);
		}
	}
	return true;
}

/* The original bytes, in pieces, durable. */
static bool write_content(struct journal *journal, const struct item_view *view, const char *folder,
        json_t *into, GError **error)
{
	if (view->content_deleted || !view->size)
		return true;
	g_autofree char *name =
	        g_strdup_printf("%s.%s", view->name, view->item->channel == CHANNEL_EMAIL ? "eml" : "json");
	g_autofree char *path = g_build_filename(folder, name, NULL);
	int fd = g_open(path, O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC, 0600);
	bool ok = fd >= 0;
	for (unsigned n = 0; ok; n++) {
		g_autoptr(GBytes) bytes = NULL;
		gsize size = 0;
		if (!journal_content_chunk(journal, view->item->id, n, &bytes, error)) {
			close(fd);
			return false;
		}
		if (!bytes)
			break;
		const void *data = g_bytes_get_data(bytes, &size);
		ok = write(fd, data, size) == (gssize)size;
	}
	ok = ok && fsync(fd) == 0;
	if (!ok)
		fail(error, ERROR_AGAIN, "person: %s: %s", path, g_strerror(errno));
	if (fd >= 0)
		close(fd);
	json_set_string(into, "content", name);
	return ok;
}

static json_t *item_json(struct journal *journal, int64_t item, const char *folder, GError **error)
{
	AUTO(item_view) view = journal_item(journal, item, error);
	if (!view)
		return NULL;
	json_t *object = json_object();
	json_set_string(object, "item", view->name);
	json_set_string(object, "channel", channel_name(view->item->channel));
	set_time(object, "received", view->item->received);
	set_time(object, "decided", view->decided);
	set_time(object, "content_deleted", view->content_deleted);
	json_object_set_new(
	        object, "fields", view->item->fields ? json_incref(view->item->fields) : json_null());
	json_object_set_new(object, "decision", view->decision ? json_incref(view->decision) : json_null());
	json_object_set_new(object, "facts", view->facts ? json_incref(view->facts) : json_null());
	if (add_deliveries(journal, item, object, error) && add_tasks(journal, item, object, error) &&
	        write_content(journal, view, folder, object, error))
		return object;
	json_decref(object);
	return NULL;
}

static json_t *known_facts(struct journal *journal, const char *number, GError **error)
{
	struct fact_row row = {.kind = "kundennummer", .value = number};
	if (!journal_look_up_facts(journal, &row, 1, error))
		return NULL;
	return row.facts ? row.facts : json_object();
}

static bool write_items(
        struct journal *journal, const GArray *items, const char *folder, json_t *whole, GError **error)
{
	json_t *list = json_array();
	json_object_set_new(whole, "items", list);
	for (guint i = 0; i < items->len; i++) {
		json_t *object = item_json(journal, g_array_index(items, int64_t, i), folder, error);
		if (!object)
			return false;
		json_array_append_new(list, object);
	}
	return true;
}

static bool export_to(
        struct journal *journal, const char *number, const char *hash, const char *folder, GError **error)
{
	if (g_mkdir(folder, 0700) != 0) {
		fail(error, ERROR_USAGE, "person: %s: %s (a new folder is made)", folder, g_strerror(errno));
		return false;
	}
	g_autoptr(GArray) items = journal_person_items(journal, hash, error);
	JSON_AUTO whole = json_object();
	json_t *facts = items ? known_facts(journal, number, error) : NULL;
	if (!facts)
		return false;
	json_set_string(whole, "kundennummer", number);
	json_object_set_new(whole, "imported_facts", facts);
	if (!write_items(journal, items, folder, whole, error))
		return false;
	g_autofree char *path = g_build_filename(folder, "person.json", NULL);
	g_autofree char *text = json_dumps(whole, JSON_INDENT(2) | JSON_REAL_PRECISION(15));
	if (!file_write_durable(path, text, strlen(text), 0600, error) ||
	        !journal_person_exported(journal, hash, items->len, error))
		return false;
	fprintf(stderr, "%u items in %s\n", items->len, folder);
	return true;
}

static bool do_export(
        const struct invocation *inv, struct world *world, struct journal *journal, GError **error)
{
	(void)world;
	const char *folder = invocation_option(inv, "out");
	char hash[HASH_HEX_SIZE];
	if (!folder) {
		fail(error, ERROR_USAGE, "person: export needs --out DIR");
		return false;
	}
	g_autofree char *number = person_number_read(inv, invocation_argument(inv, 1), error);
	if (!number)
		return false;
	journal_pseudonym(journal, "kundennummer", number, hash);
	return export_to(journal, number, hash, folder, error);
}

/* ---- erasure ---- */

static bool do_erase(
        const struct invocation *inv, struct world *world, struct journal *journal, GError **error)
{
	char hash[HASH_HEX_SIZE];
	struct erase_result result;
	bool clean;
	if (!person_number_hash(inv, journal, invocation_argument(inv, 1), hash, error))
		return false;
	g_autoptr(GError) bad = NULL;
	AUTO(witness) witness = log_settings_witness(&world->log, &bad);
	if (bad) {
		g_propagate_error(error, g_steal_pointer(&bad));
		return false;
	}
	bool remembers = witness && witness_can_answer(witness);
	if (!journal_person_erase(journal, hash, remembers ? witness : NULL, &result, error) ||
	        !journal_scrub(journal, &clean, error))
		return false;
	fprintf(stderr,
	        "%" G_GINT64_FORMAT " items and %" G_GINT64_FORMAT " facts erased; %" G_GINT64_FORMAT
	        " items are still open and go with `expire` once they are closed, %" G_GINT64_FORMAT
	        " are kept by a hold\n",
	        result.erased, result.facts, result.open, result.held);
	if (!remembers)
		fprintf(stderr,
		        "No witness remembers this erasure: a restored backup would bring the content "
		        "back.\n");
	if (!clean)
		fprintf(stderr,
		        "A reader holds the database: deleted bytes leave its files with `expire`.\n");
	return true;
}

int run_person(struct invocation *invocation, GError **error)
{
	const char *verb = invocation_argument(invocation, 0);
	bool export = strcmp(verb, "export") == 0;
	if (!export && strcmp(verb, "erase") != 0) {
		fail(error, ERROR_USAGE, "person: no \"%s\", expected export or erase", verb);
		return 1;
	}
	AUTO(journal) journal = NULL;
	AUTO(world) world = world_open(invocation, WORLD_READ, &journal, error);
	if (!world)
		return 1;
	return (export ? do_export : do_erase)(invocation, world, journal, error) ? 0 : 1;
}
