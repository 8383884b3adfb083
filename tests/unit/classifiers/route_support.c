#include "route_support.h"

#include "core/date.h"
#include "core/mail.h"

#include <glib/gstdio.h>
#include <string.h>

static void place_file(const char *root, const char *path, GBytes *bytes)
{
	g_autofree char *file = g_build_filename(root, path, NULL);
	g_autofree char *folder = g_path_get_dirname(file);
	g_mkdir_with_parents(folder, 0700);
	cr_assert(g_file_set_contents(
	        file, g_bytes_get_data(bytes, NULL), (gssize)g_bytes_get_size(bytes), NULL));
}

struct bundle *bundle_with(const char *path, const char *from, const char *to)
{
	GError *error = NULL;
	struct bundle *shipped = bundle_read(SOURCE_DIR "/config", &error);
	check_ok(shipped != NULL, error, "shipped bundle");
	if (!path)
		return shipped;
	g_autofree char *root = g_dir_make_tmp("bundle.XXXXXX", NULL);
	g_autoptr(GPtrArray) files = bundle_list(shipped, "", "");
	for (guint i = 0; i < files->len; i++)
		place_file(root, files->pdata[i], bundle_get(shipped, files->pdata[i]));
	g_autoptr(GString) text = g_string_new_len(g_bytes_get_data(bundle_get(shipped, path), NULL),
	        (gssize)g_bytes_get_size(bundle_get(shipped, path)));
	cr_assert_gt(g_string_replace(text, from, to, 0), 0, "%s has no \"%s\"", path, from);
	g_autoptr(GBytes) changed = g_bytes_new(text->str, text->len);
	place_file(root, path, changed);
	bundle_free(shipped);
	struct bundle *bundle = bundle_read(root, &error);
	check_ok(bundle != NULL, error, "changed bundle");
	g_autofree char *remove = g_strdup_printf("rm -rf '%s'", root);
	cr_assert_eq(system(remove), 0);
	return bundle;
}

char *desk_activate(struct desk *desk, struct bundle *bundle)
{
	GError *error = NULL;
	struct pipeline *pipeline = pipeline_open(bundle, &error);
	check_ok(pipeline != NULL, error, "pipeline");
	check_ok(pipeline_activate(pipeline, desk->journal, &error), error, "activate");
	char *hash = g_strdup(bundle_hash(pipeline_bundle(pipeline)));
	pipeline_free(pipeline);
	return hash;
}

struct desk *desk_new(struct bundle *bundle)
{
	struct desk *desk = g_new0(struct desk, 1);
	mail_setup();
	desk->place = place_new();
	desk->journal = place_open(desk->place);
	desk->active = pipeline_active_new();
	desk->limits = (struct limits){.batch = 100, .lease = 300};
	g_free(desk_activate(desk, bundle ? bundle : bundle_with(NULL, NULL, NULL)));
	return desk;
}

void desk_free(struct desk *desk)
{
	if (!desk)
		return;
	facts_config_free(desk->facts);
	pipeline_active_free(desk->active);
	journal_close(desk->journal);
	place_free(desk->place);
	g_free(desk);
}

int64_t take_item(struct desk *desk, struct item *item, bool in_future)
{
	GError *error = NULL;
	struct mailbox_lease *lease =
	        journal_lease_mailbox(desk->journal, "test", item->mailbox, MINUTE, &error);
	check_ok(lease != NULL, error, "lease");
	struct intake_entry entry = {.item = item, .received_in_future = in_future};
	struct intake_batch batch = {.entries = &entry, .n_entries = 1, .oldest_waiting = -1, .waiting = -1};
	check_ok(journal_take_in(desk->journal, lease, &batch, &error), error, "take in");
	check_ok(journal_release_mailbox(desk->journal, lease, &error), error, "release");
	mailbox_lease_free(lease);
	item_free(item);
	return entry.id;
}

static struct item *item_of(enum channel channel, const char *key, const char *received, const char *raw)
{
	struct item *item = item_new();
	item->channel = channel;
	item->source = g_strdup("test");
	item->mailbox = g_strdup("");
	item->key = g_strdup(key);
	cr_assert(instant_parse(received, &item->received));
	item->raw = g_bytes_new(raw, strlen(raw));
	hash_hex(raw, strlen(raw), item->sha256);
	return item;
}

int64_t take_form(struct desk *desk, const char *key, const char *received, const char *form_json)
{
	g_autofree char *line = g_strdup_printf("{\"id\":\"%s\",\"channel\":\"eservice\",\"received\":\"%s\","
	                                        "\"from_email\":\"a.kunde@example.org\",\"form\":%s}",
	        key, received, form_json);
	struct item *item = item_of(CHANNEL_ESERVICE, key, received, line);
	GError *error = NULL;
	item->fields = json_read(line, strlen(line), &error);
	check_ok(item->fields != NULL, error, "fields");
	return take_item(desk, item, false);
}

int64_t take_mail(struct desk *desk, const char *key, const char *received, const char *mail)
{
	struct item *item = item_of(CHANNEL_EMAIL, key, received, mail);
	item->fields = json_object();
	json_set_string(item->fields, "envelope_from", "a.kunde@example.org");
	return take_item(desk, item, false);
}

struct route *desk_route(struct desk *desk)
{
	const struct route_options options = {
	        .active = desk->active, .facts = desk->facts, .limits = &desk->limits};
	GError *error = NULL;
	struct route *route = route_new(&options, desk->journal, &error);
	check_ok(route != NULL, error, "route");
	return route;
}

struct route_counts route_all(struct desk *desk)
{
	struct route_counts counts = {0};
	GError *error = NULL;
	AUTO(route) route = desk_route(desk);
	check_ok(route_round(route, instant_now(), &counts, &error), error, "route");
	return counts;
}

static int by_text(gconstpointer a, gconstpointer b)
{
	return strcmp(*(const char *const *)a, *(const char *const *)b);
}

static char *joined(GPtrArray *words)
{
	g_ptr_array_sort(words, by_text);
	g_ptr_array_add(words, NULL);
	return g_strjoinv(",", (char **)words->pdata);
}

char *deliveries_of(struct desk *desk, int64_t item)
{
	GError *error = NULL;
	g_autoptr(GPtrArray) words = g_ptr_array_new_with_free_func(g_free);
	g_autoptr(GPtrArray) all = journal_item_deliveries(desk->journal, item, &error);
	check_ok(all != NULL, error, "deliveries");
	for (guint i = 0; i < all->len; i++) {
		const struct delivery_view *view = all->pdata[i];
		const char *suffix = strchr(view->key, '/');
		g_ptr_array_add(
		        words, g_strdup_printf("%s%s", suffix + 1, strcmp(view->state, "due") ? "!" : ""));
	}
	return joined(words);
}

char *tasks_of(struct desk *desk, int64_t item)
{
	GError *error = NULL;
	g_autoptr(GPtrArray) words = g_ptr_array_new_with_free_func(g_free);
	const struct task_filter filter = {.item = item};
	g_autoptr(GPtrArray) all = journal_tasks(desk->journal, &filter, &error);
	check_ok(all != NULL, error, "tasks");
	for (guint i = 0; i < all->len; i++)
		g_ptr_array_add(words, g_strdup(((const struct task *)all->pdata[i])->kind));
	return joined(words);
}
