/* imap_fetch.c - sizes, ranges, and one message in pieces. */
#include "core/date.h"
#include "intake/imap_private.h"

#include <string.h>

static void clear_message(gpointer data)
{
	struct imap_message *message = data;
	if (message->body)
		g_bytes_unref(message->body);
}

GArray *imap_messages_new(void)
{
	GArray *messages = g_array_new(FALSE, TRUE, sizeof(struct imap_message));
	g_array_set_clear_func(messages, clear_message);
	return messages;
}

struct mailimap_set *imap_set_of(const uint32_t *uids, unsigned n)
{
	struct mailimap_set *set = mailimap_set_new_empty();
	for (unsigned i = 0; i < n;) {
		unsigned last = i;
		while (last + 1 < n && uids[last + 1] == uids[last] + 1)
			last++;
		mailimap_set_add_interval(set, uids[i], uids[last]);
		i = last + 1;
	}
	return set;
}

static int64_t instant_of(const struct mailimap_date_time *date)
{
	bool valid = date->dt_month >= 1 && date->dt_month <= 12 && date->dt_day >= 1 && date->dt_day <= 31 &&
	             date->dt_year >= 1970 && date->dt_year <= 9999 && date->dt_hour < 24 &&
	             date->dt_min < 60;
	if (!valid)
		return 0;
	int zone = date->dt_zone / 100 * 60 + date->dt_zone % 100; /* +0130 is 130 */
	int64_t day = day_from_civil(date->dt_year, date->dt_month, date->dt_day);
	int64_t minutes = day * 1440 + date->dt_hour * 60 + date->dt_min - zone;
	return minutes * 60 * INSTANT_SECOND + date->dt_sec * INSTANT_SECOND;
}

static void read_static(const struct mailimap_msg_att_static *att, struct imap_message *message)
{
	switch (att->att_type) {
	case MAILIMAP_MSG_ATT_UID:
		message->uid = att->att_data.att_uid;
		break;
	case MAILIMAP_MSG_ATT_RFC822_SIZE:
		message->size = att->att_data.att_rfc822_size;
		break;
	case MAILIMAP_MSG_ATT_INTERNALDATE:
		if (att->att_data.att_internal_date)
			message->received = instant_of(att->att_data.att_internal_date);
		break;
	case MAILIMAP_MSG_ATT_BODY_SECTION: {
		const struct mailimap_msg_att_body_section *section = att->att_data.att_body_section;
		if (section && section->sec_body_part && !message->body)
			message->body = g_bytes_new(section->sec_body_part, section->sec_length);
		break;
	}
	default:
		break;
	}
}

static struct imap_message read_message(const struct mailimap_msg_att *att)
{
	struct imap_message message = {.size = -1};
	for (clistiter *i = clist_begin(att->att_list); i; i = clist_next(i)) {
		const struct mailimap_msg_att_item *item = clist_content(i);
		if (item->att_type == MAILIMAP_MSG_ATT_ITEM_STATIC && item->att_data.att_static)
			read_static(item->att_data.att_static, &message);
	}
	return message;
}

static struct imap_message *find_message(GArray *messages, uint32_t uid)
{
	for (unsigned i = 0; i < messages->len; i++) {
		struct imap_message *message = &g_array_index(messages, struct imap_message, i);
		if (message->uid == uid)
			return message;
	}
	return NULL;
}

static bool was_asked(const uint32_t *uids, unsigned n, uint32_t uid)
{
	for (unsigned low = 0, high = n; low < high;) {
		unsigned middle = (low + high) / 2;
		if (uids[middle] == uid)
			return true;
		if (uids[middle] < uid)
			low = middle + 1;
		else
			high = middle;
	}
	return false;
}

/* News about messages nobody asked for, and second answers, are left out. */
static void collect(clist *answers, const uint32_t *uids, unsigned n, GArray *out)
{
	for (clistiter *i = clist_begin(answers); i; i = clist_next(i)) {
		struct imap_message message = read_message(clist_content(i));
		struct imap_message *known = find_message(out, message.uid);
		if (known && !known->body && message.body)
			known->body = g_steal_pointer(&message.body);
		if (!known && was_asked(uids, n, message.uid))
			g_array_append_val(out, message);
		else
			clear_message(&message);
	}
}

static int by_uid(gconstpointer a, gconstpointer b)
{
	const struct imap_message *x = a, *y = b;
	return x->uid < y->uid ? -1 : x->uid > y->uid;
}

static bool fetch(struct imap_session *session, const uint32_t *uids, unsigned n,
        struct mailimap_fetch_type *type, const char *what, GArray *out, GError **error)
{
	clist *answers = NULL;
	struct mailimap_set *set = imap_set_of(uids, n);
	int result = mailimap_uid_fetch(session->imap, set, type, &answers);
	mailimap_set_free(set);
	mailimap_fetch_type_free(type);
	bool ok = imap_result(session, result, what, error);
	if (ok && answers) {
		collect(answers, uids, n, out);
		g_array_sort(out, by_uid);
	}
	if (result == MAILIMAP_NO_ERROR &&
	        answers) /* after a NO libetpan leaves a pointer to what it has freed */
		mailimap_fetch_list_free(answers);
	return ok;
}

static struct mailimap_fetch_type *attributes(void)
{
	struct mailimap_fetch_type *type = mailimap_fetch_type_new_fetch_att_list_empty();
	mailimap_fetch_type_new_fetch_att_list_add(type, mailimap_fetch_att_new_uid());
	mailimap_fetch_type_new_fetch_att_list_add(type, mailimap_fetch_att_new_internaldate());
	return type;
}

bool imap_sizes(struct imap_session *session, const uint32_t *uids, unsigned n, GArray *out, GError **error)
{
	struct mailimap_fetch_type *type = attributes();
	mailimap_fetch_type_new_fetch_att_list_add(type, mailimap_fetch_att_new_rfc822_size());
	imap_begin(session, session->settings->command_limit, IMAP_CHATTER);
	return fetch(session, uids, n, type, "FETCH of sizes", out, error);
}

static struct mailimap_fetch_att *whole_body(void)
{
	return mailimap_fetch_att_new_body_peek_section(mailimap_section_new(NULL));
}

/* RFC822.SIZE is a rough word on some servers: twice as much is let through. */
bool imap_fetch(struct imap_session *session, const uint32_t *uids, unsigned n, int64_t expected, GArray *out,
        GError **error)
{
	struct mailimap_fetch_type *type = attributes();
	mailimap_fetch_type_new_fetch_att_list_add(type, whole_body());
	imap_begin(session, session->settings->fetch_limit, 2 * expected + IMAP_CHATTER);
	return fetch(session, uids, n, type, "FETCH", out, error);
}

/* --- one message in pieces --- */

struct pieces {
	stream_sink sink;
	void *context;
	int64_t bytes, cap;
	bool any;
	GError *failure;
};

static bool take_piece(
        int type, struct mailimap_msg_att_body_section *section, const char *data, size_t size, void *context)
{
	(void)type, (void)section;
	struct pieces *pieces = context;
	pieces->any = true;
	pieces->bytes += (int64_t)size;
	if (pieces->failure)
		return false;
	if (pieces->bytes > pieces->cap) {
		fail_as(&pieces->failure, ERROR_DENIED, SCOPE_ITEM, WHEN_NEVER, "larger than the hard cap");
		return false;
	}
	return size == 0 || pieces->sink(pieces->context, data, size, &pieces->failure);
}

bool imap_stream_message(struct imap_session *session, uint32_t uid, int64_t cap, stream_sink sink,
        void *context, int64_t *bytes, GError **error)
{
	struct pieces pieces = {.sink = sink, .context = context, .cap = cap};
	struct mailimap_fetch_type *type = attributes();
	mailimap_fetch_type_new_fetch_att_list_add(type, whole_body());
	g_autoptr(GArray) answers = imap_messages_new();
	g_autoptr(GError) failure = NULL;
	imap_begin(session, session->settings->fetch_limit, cap + IMAP_CHATTER + 65536);
	mailimap_set_msg_body_handler(session->imap, take_piece, &pieces);
	bool ok = fetch(session, &uid, 1, type, "FETCH", answers, &failure);
	mailimap_set_msg_body_handler(session->imap, NULL, NULL);
	if (pieces.failure) {
		session->dead = true; /* the rest of the message is still on the wire */
		g_propagate_error(error, pieces.failure);
		return false;
	}
	if (!ok) {
		g_propagate_error(error, g_steal_pointer(&failure));
		return false;
	}
	*bytes = pieces.any ? pieces.bytes : -1;
	return true;
}
