/* http_queue.c - `postbox` and `eservice`: queues of items behind HTTPS (docs/openapi/postbox.yaml,
 * eservice.yaml).
 *
 * The queue gives what is not acknowledged, oldest first, in pages; a page's items are committed to the
 * journal before they are acknowledged. What was seen but not acknowledged comes again and is known by its
 * id, so no position has to be remembered between two rounds.
 */
#include "config/oauth.h"
#include "core/date.h"
#include "core/error.h"
#include "core/hash.h"
#include "core/http.h"
#include "intake/json_slice.h"
#include "intake/members.h"
#include "intake/queue_map.h"

#include <string.h>

struct http_queue {
	char *url, *ca_file, *proxy;
	char *bearer;
	struct oauth oauth;
	int64_t connect_limit, total_limit, stall_limit, max_page;
	char *items_path, *acknowledge_path;
	char *items, *next, *count, *oldest; /* pointers into a page */
	struct queue_map map;
};

#define AT(field) offsetof(struct http_queue, field)
#define POINTER(key, text, field, words)                                                                     \
	{                                                                                                    \
		.name = key, .type = OPTION_POINTER, .fallback = text, .offset = AT(field), .help = words    \
	}

static const struct option page_options[] = {
        POINTER("items", "/items", items, "The list of items in an answer."),
        POINTER("next", "/next", next, "The cursor of the next page; absent or null on the last one."),
        POINTER("count", "/count", count, "How many items wait, this page included."),
        POINTER("oldest", "/oldest", oldest, "When the oldest waiting item was received."),
        OPTION_END,
};

static const struct option field_options[] = {
        POINTER("id", "/id", map.id, "The service's own id of the item: its identity for ever."),
        POINTER("received", "/received", map.received, "Time of receipt, RFC 3339 with offset."),
        POINTER("mailbox", "/mailbox", map.mailbox, "Postbox or queue the item came to."),
        POINTER("from_name", "/from/name", map.from_name, "Sender's name."),
        POINTER("from_email", "/from/email", map.from_email, "Sender's e-mail address."),
        POINTER("subject", "/subject", map.subject, "Subject."),
        POINTER("body", "/body", map.body, "Plain text."),
        POINTER("html", "/html", map.html, "HTML text."),
        POINTER("automatic", "/automatic", map.automatic, "Automatic mail, as `inspect` names it."),
        POINTER("attachments", "/attachments", map.attachments, "List of attachments."),
        POINTER("attachment_name", "/name", map.attachment_name, "File name within an attachment."),
        POINTER("attachment_type", "/type", map.attachment_type, "Media type within an attachment."),
        POINTER("form_type", "/form/type", map.form_type, "Form: arbeitsuchendmeldung or veraenderung."),
        POINTER("form_kind", "/form/kind", map.form_kind, "Kind of a change notice."),
        POINTER("form_from", "/form/from", map.form_from, "First day the notice is about."),
        POINTER("form_to", "/form/to", map.form_to, "Last day the notice is about."),
        POINTER("form_text", "/form/text", map.form_text, "Free text of the form."),
        POINTER("form_cv", "/form/cv", map.form_cv,
                "CV entries: an object of name and filled|empty|unknown."),
        POINTER("facts", "/facts", map.facts, "Facts the service states with the item."),
        POINTER("archived", "/archived", map.archived,
                "true, or the id of the entry, where the service says that it keeps the event history."),
        OPTION_END,
};

static const struct option queue_options[] = {
        {.name = "url",
                .type = OPTION_URL,
                .offset = AT(url),
                .flags = OPTION_REQUIRED,
                .help = "Base address of the service."},
        {.name = "ca_file",
                .type = OPTION_PATH,
                .offset = AT(ca_file),
                .help = "PEM file of the authorities to trust instead of the system's."},
        {.name = "proxy",
                .type = OPTION_STRING,
                .offset = AT(proxy),
                .help = "http://host:port of a proxy; without it none is used."},
        {.name = "bearer", .type = OPTION_SECRET, .offset = AT(bearer), .help = "Bearer token."},
        OAUTH_OPTIONS(struct http_queue, oauth),
        {.name = "connect_limit",
                .type = OPTION_DURATION,
                .fallback = "10s",
                .min = 1,
                .max = 300,
                .offset = AT(connect_limit),
                .help = "Time to connect."},
        {.name = "total_limit",
                .type = OPTION_DURATION,
                .fallback = "2m",
                .min = 1,
                .max = 3600,
                .offset = AT(total_limit),
                .help = "Absolute time of one call."},
        {.name = "stall_limit",
                .type = OPTION_DURATION,
                .fallback = "20s",
                .min = 1,
                .max = 3600,
                .offset = AT(stall_limit),
                .help = "A call without progress ends after this time."},
        {.name = "max_page",
                .type = OPTION_SIZE,
                .fallback = "4MiB",
                .min = 4096,
                .max = 256 << 20,
                .offset = AT(max_page),
                .help = "Largest answer taken; with a larger page the page size is halved down to one item."},
        {.name = "items_path",
                .type = OPTION_STRING,
                .fallback = "/items",
                .offset = AT(items_path),
                .help = "Path of the list, below url; limit and cursor are added as query."},
        {.name = "acknowledge_path",
                .type = OPTION_STRING,
                .fallback = "/acknowledgements",
                .offset = AT(acknowledge_path),
                .help = "Path the acknowledgement is posted to, below url. With {id} in it one PUT an item, "
                        "without it one POST of {\"ids\":[…]} a batch."},
        {.name = "page",
                .type = OPTION_GROUP,
                .group = page_options,
                .help = "JSON Pointers into an answer."},
        {.name = "fields",
                .type = OPTION_GROUP,
                .group = field_options,
                .help = "JSON Pointers into an item."},
        OPTION_END,
};

struct connection {
	const struct source *source;
	const struct http_queue *settings;
	const struct intake_world *world;
	struct intake_world world_copy;
	struct http_client *client;
	char *cursor; /* of the next page; NULL: the first */
	bool ended;
	int64_t limit;   /* items a page; shrinks when a page is too large */
	size_t max_page; /* bytes */
	unsigned pages;  /* asked for by this connection */
};

/* A service that hands out ever new cursors must not keep us for ever. */
enum { PAGES_MAX = 100000, ACKNOWLEDGE_MAX = 500 };

static void queue_check(const void *opaque, const struct yaml_node *map, struct diag *diag)
{
	const struct http_queue *settings = opaque;
	if (settings->bearer && settings->oauth.token_url)
		yaml_error(diag, map, "a bearer token and a token_url exclude each other");
	oauth_check(&settings->oauth, map, diag);
	if (*settings->items_path != '/' || *settings->acknowledge_path != '/')
		yaml_error(diag, map, "items_path and acknowledge_path begin with '/'");
}

static GPtrArray *queue_mailboxes(const struct source *source)
{
	(void)source;
	GPtrArray *names = g_ptr_array_new_with_free_func(g_free);
	g_ptr_array_add(names, g_strdup(""));
	return names;
}

static struct http_client *client_of(
        const struct source *source, const struct intake_world *world, GError **error)
{
	const struct http_queue *s = source->settings;
	g_autofree char *name = g_strdup_printf("source %s", source->name);
	const struct http_settings http = {
	        .name = name,
	        .url = s->url,
	        .ca_file = s->ca_file,
	        .proxy = s->proxy,
	        .bearer = s->bearer,
	        .token_url = s->oauth.token_url,
	        .client_id = s->oauth.client_id,
	        .client_secret = s->oauth.client_secret,
	        .scope = s->oauth.scope,
	        .connect_seconds = (int)s->connect_limit,
	        .total_seconds = (int)s->total_limit,
	        .stall_seconds = (int)s->stall_limit,
	        .max_response = (size_t)s->max_page,
	        .stop = world->stop,
	};
	return http_client_new(&http, error);
}

static int64_t page_limit(const struct intake_world *world)
{
	return CLAMP(world->limits->batch, 1, 200);
}

static struct connection *queue_open(const struct source *source, const char *mailbox, const json_t *state,
        const struct intake_world *world, GError **error)
{
	(void)mailbox;
	int64_t not_before = json_get_int(state, "not_before", 0);
	if (not_before > world->now() && not_before <= world->now() + INSTANT_DAY) {
		fail(error, ERROR_AGAIN, "source %s: the service asked to wait", source->name);
		return NULL;
	}
	struct http_client *client = client_of(source, world, error);
	if (!client)
		return NULL;
	struct connection *c = g_new0(struct connection, 1);
	c->source = source;
	c->settings = source->settings;
	c->world_copy = *world;
	c->world = &c->world_copy;
	c->client = client;
	c->limit = page_limit(world);
	c->max_page = (size_t)c->settings->max_page;
	return c;
}

static void queue_close(struct connection *c)
{
	if (!c)
		return;
	http_client_free(c->client);
	g_free(c->cursor);
	g_free(c);
}

/* --- reading a page --- */

static char *page_path(const struct connection *c)
{
	bool query = strchr(c->settings->items_path, '?') != NULL;
	GString *path = g_string_new(c->settings->items_path);
	g_string_append_printf(path, "%climit=%" G_GINT64_FORMAT, query ? '&' : '?', c->limit);
	if (c->cursor) {
		g_autofree char *cursor = http_escape(c->cursor);
		g_string_append_printf(path, "&cursor=%s", cursor);
	}
	return g_string_free(path, FALSE);
}

/* The service asked to wait: no worker asks again before. */
static void remember_wait(const struct connection *c, struct batch *batch)
{
	int64_t seconds = http_retry_after(c->client);
	if (seconds == 0)
		return;
	batch->state = json_object();
	json_set_int(batch->state, "not_before", c->world->now() + seconds * INSTANT_SECOND);
}

/* Too large a page is asked for in halves; one item that is alone too large for a page still gets as much
 * room as any item may have, so that it does not block the others. False: nothing smaller is left. */
static bool make_room(struct connection *c)
{
	if (c->limit > 1) {
		c->limit /= 2;
		return true;
	}
	size_t most = (size_t)c->world->limits->hard_cap + 65536;
	if (c->max_page >= most)
		return false;
	c->max_page = most;
	http_set_max_response(c->client, most);
	return true;
}

/* Back to ordinary pages, step by step, once the large ones are behind us. */
static void page_was_read(struct connection *c)
{
	int64_t most = page_limit(c->world);
	c->limit = MIN(2 * c->limit, most);
	c->max_page = (size_t)c->settings->max_page;
	http_set_max_response(c->client, c->max_page);
}

static struct http_response *get_page(struct connection *c, GError **error)
{
	for (;;) {
		g_autofree char *path = page_path(c);
		struct http_request request = {.path = path};
		g_autoptr(GError) failure = NULL;
		struct http_response *page = http_send(c->client, &request, &failure);
		if (page) {
			page_was_read(c);
			return page;
		}
		if (!http_was_too_large(c->client) || !make_room(c)) {
			g_propagate_error(error, g_steal_pointer(&failure));
			return NULL;
		}
	}
}

/* A scalar of the page, parsed; NULL if absent or broken. New reference. */
static json_t *page_value(const struct json_slice *page, const char *pointer)
{
	struct json_slice at;
	if (!pointer || !json_slice_find(*page, pointer, &at) || at.size > 65536)
		return NULL;
	return json_read(at.text, at.size, NULL);
}

static void take_cursor(struct connection *c, const struct json_slice *page)
{
	JSON_AUTO next = page_value(page, c->settings->next);
	g_autofree char *cursor = NULL;
	if (json_is_integer(next))
		cursor = g_strdup_printf("%" JSON_INTEGER_FORMAT, json_integer_value(next));
	else if (json_string_length(next) > 0)
		cursor = g_strdup(json_string_value(next));
	bool same = cursor && c->cursor && strcmp(cursor, c->cursor) == 0;
	c->ended = !cursor || same || ++c->pages >= PAGES_MAX;
	g_free(c->cursor);
	c->cursor = g_steal_pointer(&cursor);
}

/* The id of an item that is no valid JSON as a whole. */
static char *id_of_broken(const struct connection *c, struct json_slice raw)
{
	JSON_AUTO value = page_value(&raw, c->settings->map.id);
	if (!value)
		return NULL;
	JSON_AUTO object = json_object();
	json_object_set(object, "id", value);
	const struct queue_map map = {.id = (char *)"/id"};
	return queue_map_id(&map, object);
}

static struct item *item_of(const struct connection *c, struct json_slice raw)
{
	struct item *item = item_new();
	item->channel = c->source->connector->channel;
	item->raw = g_bytes_new(raw.text, raw.size);
	item->received = c->world->now();
	JSON_AUTO object = json_read(raw.text, raw.size, NULL);
	if (!json_is_object(object)) {
		item->key = id_of_broken(c, raw);
		item->fields = json_object();
		json_set_bool(item->fields, "undecodable", true);
		return item;
	}
	item->key = queue_map_id(&c->settings->map, object);
	item->fields = queue_map_fields(&c->settings->map, item->channel, object);
	const char *received = json_get_string(item->fields, "received");
	if (!received || !instant_parse(received, &item->received)) {
		g_autofree char *now = instant_format_utc(item->received);
		json_set_string(item->fields, "received", now);
	}
	return item;
}

static bool is_known(const struct connection *c, const char *key)
{
	bool known = false;
	if (!c->world->known || !c->world->known(c->world->known_context, &key, 1, &known, NULL))
		return false;
	return known;
}

/* Without an id it can neither be kept apart nor acknowledged: recorded once, under its content. */
static void refuse(const struct connection *c, struct batch *batch, struct item *item, const char *reason)
{
	if (!item->key) {
		char hex[HASH_HEX_SIZE];
		gsize size;
		const void *data = g_bytes_get_data(item->raw, &size);
		hash_hex(data, size, hex);
		item->key = g_strconcat("sha256:", hex, NULL);
	}
	int64_t size = (int64_t)g_bytes_get_size(item->raw);
	if (is_known(c, item->key)) {
		item_free(item);
		return;
	}
	struct fetched *fetched = batch_add(batch, FETCHED_REFUSED, item);
	fetched->reason = reason;
	fetched->size = size;
	batch->seen++;
}

static void take_items(const struct connection *c, struct batch *batch, const GArray *slices)
{
	for (unsigned i = 0; i < slices->len; i++) {
		struct json_slice raw = g_array_index(slices, struct json_slice, i);
		struct item *item = item_of(c, raw);
		if (!item->key)
			refuse(c, batch, item, "no_id");
		else if ((int64_t)raw.size > c->world->limits->hard_cap)
			refuse(c, batch, item, "too_large");
		else
			batch_add(batch, FETCHED_ITEM, item)->size = (int64_t)raw.size;
	}
}

/* How many of the entries the journal has not seen before: for the balance. */
static bool count_new(const struct connection *c, struct batch *batch, GError **error)
{
	unsigned n = batch->entries->len;
	g_autofree const char **keys = g_new0(const char *, n + 1);
	g_autofree bool *known = g_new0(bool, n + 1);
	for (unsigned i = 0; i < n; i++)
		keys[i] = ((const struct fetched *)batch->entries->pdata[i])->item->key;
	if (n > 0 && c->world->known && !c->world->known(c->world->known_context, keys, n, known, error))
		return false;
	batch->seen = 0;
	for (unsigned i = 0; i < n; i++)
		batch->seen += !known[i];
	return true;
}

static bool read_page(
        struct connection *c, struct batch *batch, const struct json_slice *page, GError **error)
{
	struct json_slice list;
	g_autoptr(GArray) slices =
	        json_slice_find(*page, c->settings->items, &list) ? json_slice_elements(list) : NULL;
	if (!slices) {
		fail(error, ERROR_UNAVAILABLE, "source %s: the answer holds no list at %s", c->source->name,
		        c->settings->items);
		return false;
	}
	if (slices->len > INT16_MAX) {
		fail(error, ERROR_UNAVAILABLE, "source %s: a page of %u items", c->source->name, slices->len);
		return false;
	}
	take_items(c, batch, slices);
	if (!count_new(c, batch, error))
		return false;
	take_cursor(c, page);
	if (slices->len == 0)
		c->ended = true;
	batch->more = !c->ended;
	return true;
}

static bool queue_next(struct connection *c, struct batch *batch, GError **error)
{
	if (c->ended)
		return true;
	AUTO(http_response) response = get_page(c, error);
	if (!response) {
		remember_wait(c, batch);
		return false;
	}
	gsize size;
	const char *text = g_bytes_get_data(response->body, &size);
	const struct json_slice page = {text, size};
	return read_page(c, batch, &page, error);
}

/* --- settling --- */

/* The item is not (any longer) in the queue: that is what was wanted. */
static bool is_gone(int status)
{
	return status == 404 || status == 410;
}

static bool acknowledge_one(struct connection *c, const char *key, GError **error)
{
	g_autofree char *id = http_escape(key);
	g_autoptr(GString) path = g_string_new(c->settings->acknowledge_path);
	g_string_replace(path, "{id}", id, 0);
	struct http_request request = {.method = "PUT", .path = path->str, .any_client_error = true};
	AUTO(http_response) response = http_send(c->client, &request, error);
	if (!response)
		return false;
	if (response->status < 300 || is_gone(response->status))
		return true;
	fail_as(error, ERROR_DENIED, SCOPE_ITEM, WHEN_LATER, "source %s: acknowledging was answered %d",
	        c->source->name, response->status);
	return false;
}

static bool settle_singly(struct connection *c, GPtrArray *keys, GError **error)
{
	bool ok = true;
	for (unsigned i = keys->len; i-- > 0;) {
		g_autoptr(GError) failure = NULL;
		if (acknowledge_one(c, keys->pdata[i], &failure)) {
			g_ptr_array_remove_index(keys, i);
			continue;
		}
		bool only_this = error_class(failure) == ERROR_DENIED;
		if (ok)
			g_propagate_error(error, g_steal_pointer(&failure));
		ok = false;
		if (!only_this)
			break;
	}
	return ok;
}

/* The body's ids are done unless the answer names them in "failed". */
static void drop_settled(GPtrArray *keys, const json_t *sent, const json_t *answer)
{
	g_autoptr(GHashTable) failed = g_hash_table_new(g_str_hash, g_str_equal);
	g_autoptr(GHashTable) done = g_hash_table_new(g_str_hash, g_str_equal);
	size_t i;
	json_t *id;
	json_array_foreach (json_object_get(answer, "failed"), i, id) {
		if (json_is_string(id))
			g_hash_table_add(failed, (gpointer)json_string_value(id));
	}
	json_array_foreach (json_object_get(sent, "ids"), i, id) {
		if (!g_hash_table_contains(failed, json_string_value(id)))
			g_hash_table_add(done, (gpointer)json_string_value(id));
	}
	for (unsigned k = keys->len; k-- > 0;)
		if (g_hash_table_contains(done, keys->pdata[k]))
			g_ptr_array_remove_index(keys, k);
}

/* Acknowledges the keys in `part` and drops from it what is done; a repetition changes nothing at the far
 * side. */
static bool acknowledge_part(struct connection *c, GPtrArray *part, GError **error)
{
	JSON_AUTO body = json_object();
	json_t *ids = json_array();
	json_object_set_new(body, "ids", ids);
	for (unsigned i = 0; i < part->len; i++)
		json_add_string(ids, part->pdata[i]);
	g_autofree char *text = json_canonical(body);
	char hex[HASH_HEX_SIZE];
	hash_hex(text, strlen(text), hex);
	struct http_request request = {
	        .method = "POST", .path = c->settings->acknowledge_path, .idempotency_key = hex};
	JSON_AUTO answer = http_json(c->client, &request, body, error);
	if (!answer)
		return false;
	drop_settled(part, body, answer);
	return true;
}

static void move_keys(GPtrArray *from, unsigned n, GPtrArray *to)
{
	for (unsigned i = 0; i < n; i++)
		g_ptr_array_add(to, g_strdup(from->pdata[i]));
	if (n > 0)
		g_ptr_array_remove_range(from, 0, n);
}

static bool settle_together(struct connection *c, GPtrArray *keys, GError **error)
{
	g_autoptr(GPtrArray) left = g_ptr_array_new_with_free_func(g_free);
	bool ok = true;
	while (ok && keys->len > 0) {
		g_autoptr(GPtrArray) part = g_ptr_array_new_with_free_func(g_free);
		move_keys(keys, MIN(keys->len, ACKNOWLEDGE_MAX), part);
		ok = acknowledge_part(c, part, error);
		move_keys(part, part->len, left);
	}
	move_keys(left, left->len, keys);
	if (ok && keys->len > 0)
		fail_as(error, ERROR_DENIED, SCOPE_ITEM, WHEN_LATER, "source %s: %u acknowledgements failed",
		        c->source->name, keys->len);
	return ok && keys->len == 0;
}

/* To acknowledge is harmless to repeat: an outcome that is not known means no more than "not served". */
static void fail_settle(GError *failure, GError **error)
{
	if (error_class(failure) == ERROR_UNCERTAIN)
		fail(error, ERROR_UNAVAILABLE, "%s", failure->message);
	else
		g_propagate_error(error, g_error_copy(failure));
	g_error_free(failure);
}

static bool queue_settle(struct connection *c, GPtrArray *keys, GError **error)
{
	GError *failure = NULL;
	bool singly = strstr(c->settings->acknowledge_path, "{id}") != NULL;
	bool ok = singly ? settle_singly(c, keys, &failure) : settle_together(c, keys, &failure);
	if (!ok)
		fail_settle(failure, error);
	return ok;
}

/* --- status --- */

static bool queue_oldest(struct connection *c, struct oldest *out, GError **error)
{
	int64_t limit = c->limit;
	g_autofree char *cursor = g_steal_pointer(&c->cursor);
	c->limit = 1;
	AUTO(http_response) response = get_page(c, error);
	c->limit = limit;
	c->cursor = g_steal_pointer(&cursor);
	if (!response)
		return false;
	gsize size;
	const char *text = g_bytes_get_data(response->body, &size);
	const struct json_slice page = {text, size};
	JSON_AUTO count = page_value(&page, c->settings->count);
	JSON_AUTO oldest = page_value(&page, c->settings->oldest);
	*out = (struct oldest){.count = json_is_integer(count) ? json_integer_value(count) : -1};
	if (json_is_string(oldest))
		instant_parse(json_string_value(oldest), &out->received);
	return true;
}

static char *queue_describe(const struct source *source, const char *mailbox)
{
	(void)mailbox;
	const struct http_queue *settings = source->settings;
	return g_strdup_printf("%s %s", source->connector->name, settings->url);
}

const struct connector connector_postbox = {
        .name = "postbox",
        .channel = CHANNEL_POSTBOX,
        .summary = "messages of the portal's postbox over HTTPS",
        .options = queue_options,
        .settings_size = sizeof(struct http_queue),
        .check = queue_check,
        .mailboxes = queue_mailboxes,
        .open = queue_open,
        .next = queue_next,
        .settle = queue_settle,
        .oldest = queue_oldest,
        .close = queue_close,
        .describe = queue_describe,
};

const struct connector connector_eservice = {
        .name = "eservice",
        .channel = CHANNEL_ESERVICE,
        .summary = "eService forms (change notices, online registrations) over HTTPS",
        .options = queue_options,
        .settings_size = sizeof(struct http_queue),
        .check = queue_check,
        .mailboxes = queue_mailboxes,
        .open = queue_open,
        .next = queue_next,
        .settle = queue_settle,
        .oldest = queue_oldest,
        .close = queue_close,
        .describe = queue_describe,
};
