/* imap_next.c - which UIDs are new, what was missed, what failed, and in which order they are fetched.
 *
 * Only UIDs above the last one are asked for; once a day all are listed and compared with the journal. What
 * broke the conversation is remembered, so that it cannot stop what comes behind it.
 */
#include "core/error.h"
#include "intake/header.h"
#include "intake/imap_connection.h"

#include <string.h>

char *imap_key(const struct connection *c, uint32_t uid)
{
	return g_strdup_printf("%" G_GUINT32_FORMAT ":%" G_GUINT32_FORMAT, c->state.validity, uid);
}

/* Another UIDVALIDITY: the UIDs we know mean nothing any more. All is listed anew; the journal re-links known
 * content by the generation of its key. */
void imap_check_validity(struct connection *c)
{
	if (c->state.validity == c->mailbox.validity)
		return;
	imap_state_clear(&c->state);
	imap_state_init(&c->state, NULL);
	c->state.validity = c->mailbox.validity;
	c->changed = true;
}

/* --- which UIDs --- */

static bool is_relist_due(const struct connection *c)
{
	return c->state.last == 0 || c->world.now() - c->world.last_relist >= INTAKE_RELIST_AFTER;
}

/* UIDs up to `last` that neither the journal nor the state knows: missed before, fetched now (F4). */
static bool find_missed(struct connection *c, const uint32_t *uids, unsigned n, GError **error)
{
	g_autoptr(GPtrArray) keys = g_ptr_array_new_with_free_func(g_free);
	bool known[KNOWN_AT_ONCE] = {false};
	for (unsigned i = 0; i < n; i++)
		g_ptr_array_add(keys, imap_key(c, uids[i]));
	if (!c->world.known)
		return true;
	if (!c->world.known(c->world.known_context, (const char *const *)keys->pdata, n, known, error))
		return false;
	for (unsigned i = 0; i < n; i++) {
		if (known[i] || imap_state_find(&c->state, uids[i]))
			continue;
		imap_state_add(&c->state, uids[i]);
		c->changed = true;
	}
	return true;
}

static bool is_listed(const GArray *all, uint32_t uid)
{
	unsigned low = 0, high = all->len;
	while (low < high) {
		unsigned middle = (low + high) / 2;
		uint32_t at = g_array_index(all, uint32_t, middle);
		if (at == uid)
			return true;
		if (at < uid)
			low = middle + 1;
		else
			high = middle;
	}
	return false;
}

static void add_vanished(struct connection *c, struct batch *batch, uint32_t uid)
{
	struct item *item = item_new();
	item->key = imap_key(c, uid);
	item->received = c->world.now();
	batch_add(batch, FETCHED_VANISHED, item)->reason = "gone";
}

/* What was pending or refused and is gone at the server. */
static void drop_vanished(struct connection *c, const GArray *all, struct batch *batch)
{
	for (unsigned i = c->state.pending->len; i-- > 0;) {
		struct imap_pending pending = g_array_index(c->state.pending, struct imap_pending, i);
		if (is_listed(all, pending.uid))
			continue;
		add_vanished(c, batch, pending.uid);
		batch->seen += pending.tries == 0;
		imap_state_remove(&c->state, pending.uid);
		c->changed = true;
	}
}

static bool relist(struct connection *c, struct batch *batch, GError **error)
{
	g_autoptr(GArray) all = g_array_new(FALSE, FALSE, sizeof(uint32_t));
	if (!imap_list(c->session, 1, c->mailbox.exists, all, error))
		return false;
	drop_vanished(c, all, batch);
	unsigned old = 0;
	while (old < all->len && g_array_index(all, uint32_t, old) <= c->state.last)
		old++;
	for (unsigned i = 0; i < old; i += KNOWN_AT_ONCE)
		if (!find_missed(c, &g_array_index(all, uint32_t, i), MIN(KNOWN_AT_ONCE, old - i), error))
			return false;
	g_array_set_size(c->fresh, 0);
	if (old < all->len)
		g_array_append_vals(c->fresh, &g_array_index(all, uint32_t, old), all->len - old);
	c->relisting = true;
	c->world.last_relist = c->world.now();
	return true;
}

/* UIDNEXT saves the question where the server gives it; Courier does not (facts.md 1.2). */
static bool list_fresh(struct connection *c, GError **error)
{
	g_array_set_size(c->fresh, 0);
	if (c->mailbox.next != 0 && c->mailbox.next <= c->state.last + 1)
		return true;
	bool many = c->mailbox.next == 0 || c->mailbox.next - c->state.last > 20000;
	return imap_list(c->session, c->state.last + 1, many ? c->mailbox.exists : 0, c->fresh, error);
}

static bool list(struct connection *c, struct batch *batch, GError **error)
{
	if (c->listed)
		return true;
	c->next = 0;
	g_array_set_size(c->sized, 0);
	bool again = c->mailbox.exists == 0 && is_relist_due(c); /* selected long ago */
	if (again && !imap_select(c->session, c->name, &c->mailbox, error))
		return false;
	imap_check_validity(c);
	if (!(is_relist_due(c) ? relist(c, batch, error) : list_fresh(c, error)))
		return false;
	c->listed = true;
	return true;
}

/* --- entries --- */

static struct item *item_of(const struct connection *c, const struct imap_message *message)
{
	struct item *item = item_new();
	item->channel = CHANNEL_EMAIL;
	item->key = imap_key(c, message->uid);
	item->received = message->received ? message->received : c->world.now();
	item->fields = json_object();
	return item;
}

/* Whom a reply may go to: what the delivering server wrote on top (RFC 5321 section 4.4). */
static void note_sender(const struct connection *c, struct item *item)
{
	gsize size;
	const char *raw = g_bytes_get_data(item->raw, &size);
	if (c->settings->envelope_from != IMAP_ENVELOPE_HEADER)
		return;
	g_autofree char *sender = header_return_path(raw, size);
	if (sender)
		json_set_string(item->fields, "envelope_from", sender);
}

static struct fetched *add_entry(
        struct connection *c, struct batch *batch, enum fetched_kind kind, const struct imap_message *message)
{
	struct fetched *fetched = batch_add(batch, kind, item_of(c, message));
	fetched->size = MAX(message->size, 0);
	fetched->generation = g_strdup_printf("%" G_GUINT32_FORMAT, c->state.validity);
	fetched->unsettled &= c->settings->settle != IMAP_SETTLE_NONE;
	return fetched;
}

static void add_refused(
        struct connection *c, struct batch *batch, const struct imap_message *message, const char *reason)
{
	add_entry(c, batch, FETCHED_REFUSED, message)->reason = reason;
}

static bool is_stopped(const struct connection *c)
{
	return c->world.stop && g_atomic_int_get(c->world.stop) != 0;
}

/* Could not be fetched; remembered, and told once it has gone on for too long. */
static void remember_failed(struct connection *c, struct batch *batch, const struct imap_message *message)
{
	if (is_stopped(c)) /* our own doing */
		return;
	if (imap_state_failed(&c->state, message->uid, c->world.now()))
		add_refused(c, batch, message, "unfetchable");
	c->changed = true;
}

/* A body where there should be one: NIL, and nothing at all for a message with a size, is no message. */
static bool has_body(const struct imap_message *message, int64_t size)
{
	return message->body && (g_bytes_get_size(message->body) > 0 || size <= 0);
}

static void add_whole(struct connection *c, struct batch *batch, struct imap_message *message)
{
	struct fetched *fetched = add_entry(c, batch, FETCHED_ITEM, message);
	fetched->size = (int64_t)g_bytes_get_size(message->body);
	fetched->item->raw = g_steal_pointer(&message->body);
	note_sender(c, fetched->item);
}

static bool is_large(const struct connection *c, const struct imap_message *message)
{
	return message->size > MIN(c->world.limits->item_size, WHOLE_MAX);
}

/* Refused for good or handed out alone, to be streamed; pending until the stream was whole. */
static void add_large(struct connection *c, struct batch *batch, const struct imap_message *message)
{
	const struct imap_pending *known = imap_state_find(&c->state, message->uid);
	bool told = known && known->tries >= IMAP_TRIES_REFUSED;
	c->changed = true;
	if (message->size > c->world.limits->hard_cap) {
		if (!told)
			add_refused(c, batch, message, "too_large");
		imap_state_refuse(&c->state, message->uid, c->world.now());
		return;
	}
	imap_state_add(&c->state, message->uid)->last_try = c->world.now() / G_USEC_PER_SEC;
	imap_state_find(&c->state, message->uid)->tries++;
	add_entry(c, batch, FETCHED_LARGE, message);
	g_hash_table_add(c->tried, GUINT_TO_POINTER(message->uid));
	c->large = message->uid;
}

/* --- what failed before --- */

struct whole {
	GByteArray *bytes;
};

static bool take_whole(void *context, const void *data, size_t size, GError **error)
{
	(void)error;
	struct whole *whole = context;
	g_byte_array_append(whole->bytes, data, (guint)size);
	return true;
}

/* One message alone; bounded even if the server lied about its size. */
static bool fetch_alone(struct connection *c, struct imap_message *message, GError **error)
{
	struct whole whole = {g_byte_array_new()};
	int64_t bytes = -1;
	bool ok = imap_stream_message(
	        c->session, message->uid, 2 * WHOLE_MAX, take_whole, &whole, &bytes, error);
	GBytes *body = g_byte_array_free_to_bytes(whole.bytes);
	if (ok && (bytes >= 0 || message->size == 0))
		message->body = body;
	else
		g_bytes_unref(body);
	return ok;
}

static struct imap_pending *next_due(struct connection *c)
{
	for (unsigned i = 0; i < c->state.pending->len; i++) {
		struct imap_pending *p = &g_array_index(c->state.pending, struct imap_pending, i);
		bool tried = g_hash_table_contains(c->tried, GUINT_TO_POINTER(p->uid));
		if (!tried && imap_pending_is_due(p, c->world.now()))
			return p;
	}
	return NULL;
}

/* Tries one pending UID. False: the conversation broke over it (already written down). */
static bool retry(struct connection *c, struct batch *batch, uint32_t uid, int64_t *bytes, GError **error)
{
	g_autoptr(GArray) sizes = imap_messages_new();
	g_hash_table_add(c->tried, GUINT_TO_POINTER(uid));
	struct imap_message nothing = {.uid = uid, .size = -1};
	if (!imap_sizes(c->session, &uid, 1, sizes, error)) {
		remember_failed(c, batch, &nothing);
		return false;
	}
	if (sizes->len == 0) {
		add_vanished(c, batch, uid);
		imap_state_remove(&c->state, uid);
		c->changed = true;
		return true;
	}
	struct imap_message *message = &g_array_index(sizes, struct imap_message, 0);
	if (is_large(c, message)) {
		add_large(c, batch, message);
		return true;
	}
	bool ok = fetch_alone(c, message, error);
	if (!ok || !has_body(message, message->size)) {
		remember_failed(c, batch, message);
		return ok;
	}
	*bytes += (int64_t)g_bytes_get_size(message->body);
	add_whole(c, batch, message);
	imap_state_remove(&c->state, uid);
	c->changed = true;
	return true;
}

static bool is_full(const struct connection *c, const struct batch *batch, int64_t bytes)
{
	return c->large || bytes >= INTAKE_BATCH_BYTES ||
	       batch->entries->len >= (unsigned)c->world.limits->batch;
}

/* A refusal of one message (NO) is that message's; only a broken conversation ends the batch. */
static bool retry_pending(struct connection *c, struct batch *batch, int64_t *bytes, GError **error)
{
	const struct imap_pending *due;
	while (!is_full(c, batch, *bytes) && (due = next_due(c)) != NULL) {
		g_autoptr(GError) failure = NULL;
		bool fresh = due->tries == 0;
		bool ok = retry(c, batch, due->uid, bytes, &failure);
		batch->seen += fresh; /* found by the re-listing: counted when first touched */
		if (!ok && imap_is_dead(c->session))
			return imap_fail_dead(c, error);
	}
	return true;
}

/* --- what is new --- */

static void mark_done(struct connection *c, uint32_t uid)
{
	c->state.last = MAX(c->state.last, uid);
	c->changed = true;
}

/* As many as one question takes, in whole batches: no small one is left over at the end. */
static unsigned sizes_ahead(const struct connection *c)
{
	unsigned batch = (unsigned)c->world.limits->batch;
	return batch < SIZES_AHEAD ? SIZES_AHEAD - SIZES_AHEAD % batch : SIZES_AHEAD;
}

/* Asks the sizes of the next stretch of fresh UIDs, if none are left over. */
static bool ask_sizes(struct connection *c, GError **error)
{
	if (c->sized->len > 0)
		return true;
	unsigned n = MIN(sizes_ahead(c), c->fresh->len - c->next);
	return imap_sizes(c->session, &g_array_index(c->fresh, uint32_t, c->next), n, c->sized, error);
}

static struct imap_message *size_of(const struct connection *c, uint32_t uid)
{
	for (unsigned i = 0; i < c->sized->len; i++) {
		struct imap_message *message = &g_array_index(c->sized, struct imap_message, i);
		if (message->uid == uid)
			return message;
	}
	return NULL;
}

/* The stretch [c->next, c->next + n) that fits into a batch; *expected its bytes. A large one stands alone.
 */
static unsigned choose(
        const struct connection *c, const struct batch *batch, int64_t bytes, int64_t *expected)
{
	unsigned most = MIN((unsigned)c->world.limits->batch - batch->entries->len, SIZES_AHEAD);
	uint32_t last_sized = g_array_index(c->sized, struct imap_message, c->sized->len - 1).uid;
	unsigned n = 0;
	for (; n < most && c->next + n < c->fresh->len; n++) {
		uint32_t uid = g_array_index(c->fresh, uint32_t, c->next + n);
		const struct imap_message *message = size_of(c, uid);
		if (uid > last_sized || (message && is_large(c, message)))
			break;
		int64_t size = message ? MAX(message->size, 0) : 0;
		if (n > 0 && bytes + *expected + size > INTAKE_BATCH_BYTES)
			break;
		*expected += size;
	}
	return n;
}

/* The whole stretch is to be tried one by one on a new connection. */
static void remember_stretch(struct connection *c, struct batch *batch, unsigned n)
{
	for (unsigned i = 0; i < n; i++) {
		uint32_t uid = g_array_index(c->fresh, uint32_t, c->next + i);
		imap_state_failed(&c->state, uid, c->world.now());
		mark_done(c, uid);
	}
	batch->seen += n;
	c->next += n;
}

static struct imap_message *body_of(const GArray *messages, uint32_t uid)
{
	for (unsigned i = 0; i < messages->len; i++) {
		struct imap_message *message = &g_array_index(messages, struct imap_message, i);
		if (message->uid == uid)
			return message;
	}
	return NULL;
}

static void take_one(struct connection *c, struct batch *batch, uint32_t uid, const GArray *messages)
{
	struct imap_message *message = body_of(messages, uid);
	const struct imap_message *sized = size_of(c, uid);
	struct imap_message nothing = {.uid = uid, .size = -1};
	if (!sized && !message)
		add_vanished(c, batch, uid);
	else if (!message || !has_body(message, sized ? sized->size : -1))
		remember_failed(c, batch, sized ? sized : &nothing);
	else
		add_whole(c, batch, message);
	mark_done(c, uid);
	batch->seen++;
}

/* UIDs that the server has no sizes for any more need not be asked for. */
static GArray *still_there(const struct connection *c, unsigned n)
{
	GArray *uids = g_array_new(FALSE, FALSE, sizeof(uint32_t));
	for (unsigned i = 0; i < n; i++) {
		uint32_t uid = g_array_index(c->fresh, uint32_t, c->next + i);
		if (size_of(c, uid))
			g_array_append_val(uids, uid);
	}
	return uids;
}

static bool fetch_stretch(
        struct connection *c, struct batch *batch, unsigned n, int64_t expected, GError **error)
{
	g_autoptr(GArray) messages = imap_messages_new();
	g_autoptr(GArray) uids = still_there(c, n);
	const uint32_t *list = (const uint32_t *)(const void *)uids->data;
	GError *failure = NULL;
	if (uids->len > 0 && !imap_fetch(c->session, list, uids->len, expected, messages, &failure)) {
		if (!is_stopped(c))
			remember_stretch(c, batch, n);
		if (imap_is_dead(c->session)) {
			g_propagate_error(error, failure);
			return false;
		}
		g_error_free(failure); /* NO to a range: perhaps of one message in it */
		return true;
	}
	for (unsigned i = 0; i < n; i++)
		take_one(c, batch, g_array_index(c->fresh, uint32_t, c->next + i), messages);
	c->next += n;
	return true;
}

static void drop_used_sizes(struct connection *c)
{
	unsigned used = 0;
	while (used < c->sized->len &&
	        g_array_index(c->sized, struct imap_message, used).uid <= c->state.last)
		used++;
	if (used > 0)
		g_array_remove_range(c->sized, 0, used);
}

/* None of the next UIDs is there any more. */
static void skip_unsized(struct connection *c, struct batch *batch)
{
	unsigned n = MIN(SIZES_AHEAD, c->fresh->len - c->next);
	for (unsigned i = 0; i < n; i++, c->next++) {
		uint32_t uid = g_array_index(c->fresh, uint32_t, c->next);
		add_vanished(c, batch, uid);
		mark_done(c, uid);
		batch->seen++;
	}
}

/* The first fresh one is large. */
static void take_large(struct connection *c, struct batch *batch)
{
	uint32_t uid = g_array_index(c->fresh, uint32_t, c->next);
	add_large(c, batch, size_of(c, uid));
	mark_done(c, uid);
	batch->seen++;
	c->next++;
}

static bool take_fresh(struct connection *c, struct batch *batch, int64_t bytes, GError **error)
{
	if (is_full(c, batch, bytes) || c->next >= c->fresh->len)
		return true;
	if (!ask_sizes(c, error))
		return false;
	int64_t expected = 0;
	unsigned n = 0;
	bool ok = true;
	if (c->sized->len == 0)
		skip_unsized(c, batch);
	else if ((n = choose(c, batch, bytes, &expected)) > 0)
		ok = fetch_stretch(c, batch, n, expected, error);
	else
		take_large(c, batch);
	drop_used_sizes(c);
	return ok;
}

/* --- next --- */

static void hand_out(struct connection *c, struct batch *batch)
{
	if (c->changed)
		batch->state = imap_state_json(&c->state);
	batch->relisted = c->relisting;
	batch->pending = c->state.pending->len;
	c->changed = c->relisting = false;
}

static bool take(struct connection *c, struct batch *batch, GError **error)
{
	int64_t bytes = 0;
	if (!list(c, batch, error))
		return false;
	return retry_pending(c, batch, &bytes, error) && take_fresh(c, batch, bytes, error);
}

bool imap_fail_dead(struct connection *c, GError **error)
{
	fail_as(error, ERROR_UNAVAILABLE, SCOPE_SOURCE, WHEN_NOW, "%s: the connection broke",
	        c->settings->host);
	return false;
}

/* What was got before the conversation broke is handed out first; the failure comes with the next call. */
bool imap_next(struct connection *c, struct batch *batch, GError **error)
{
	g_autoptr(GError) failure = NULL;
	c->large = 0; /* its stream went through, or it is pending */
	if (c->state.pending->len > PENDING_MAX) {
		fail_as(error, ERROR_UNAVAILABLE, SCOPE_MAILBOX, WHEN_LATER,
		        "%s: %u messages cannot be fetched", c->settings->host, c->state.pending->len);
		return false;
	}
	bool ok = !imap_is_dead(c->session) ? take(c, batch, &failure) : imap_fail_dead(c, &failure);
	hand_out(c, batch);
	if (!ok && batch->entries->len == 0) {
		g_propagate_error(error, g_steal_pointer(&failure));
		return false;
	}
	batch->more = !ok || c->next < c->fresh->len || c->large || next_due(c) != NULL;
	return true;
}

bool imap_stream(
        struct connection *c, const struct fetched *entry, stream_sink sink, void *context, GError **error)
{
	uint32_t uid = c->large;
	(void)entry;
	int64_t bytes = -1;
	GError *failure = NULL;
	bool ok = imap_stream_message(
	        c->session, uid, c->world.limits->hard_cap, sink, context, &bytes, &failure);
	c->changed = true;
	if (ok && bytes > 0) {
		imap_state_remove(&c->state, uid);
		return true;
	}
	if (ok)
		fail_as(&failure, ERROR_INPUT, SCOPE_ITEM, WHEN_LATER, "%s: a message without a body",
		        c->settings->host);
	else if (error_scope(failure) == SCOPE_ITEM && error_when(failure) == WHEN_NEVER)
		imap_state_refuse(&c->state, uid, c->world.now());
	g_propagate_error(error, failure);
	return false;
}
