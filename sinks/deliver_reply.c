/* deliver_reply.c - replies: everything that can still hold one back, then `sending` is committed, then it
 * goes.
 */
#include "core/date.h"
#include "core/error.h"
#include "core/log.h"
#include "journal/content.h"
#include "journal/reply_token.h"
#include "sinks/deliver_private.h"
#include "sinks/guard.h"

#include <string.h>

static const char *param(const struct work *work, const char *key)
{
	return json_get_string(work->delivery->params, key);
}

static bool render(struct deliver *deliver, struct work *work)
{
	const char *name = param(work, "template");
	const struct template_values values = {
	        .received = work->delivery->item->received,
	        .vorgang = work->delivery->item_name,
	        .block = param(work, "block"),
	};
	g_autoptr(GError) error = NULL;
	if (name && templates_has(deliver->options.templates, name, TEMPLATE_REPLY))
		work->text = templates_fill(deliver->options.templates, name, &values, &error);
	if (error)
		log_error("deliver.template", error);
	return work->text != NULL;
}

void work_draft(struct deliver *deliver, struct work *work, const char *reason)
{
	static const char *const copied[] = {"channel", "concern", "template", "to", "cites", NULL};
	json_t *params = json_object();
	json_set_string(params, "delivery", work->delivery->key);
	json_set_string(params, "reason", reason);
	for (int i = 0; copied[i]; i++) {
		json_t *value = json_object_get(work->delivery->params, copied[i]);
		if (value)
			json_object_set(params, copied[i], value);
	}
	bool rendered = work->text || (work->delivery->item && render(deliver, work));
	char *text =
	        rendered ? g_strdup_printf("Betreff: %s\n\n%s", work->text->subject, work->text->body) : NULL;
	work_open_task(work, "reply_draft", params, text);
}

/* A person sends it. */
static void as_draft(
        struct deliver *deliver, struct work *work, enum delivery_outcome outcome, const char *reason)
{
	work_decide(work, outcome, reason);
	work_draft(deliver, work, reason);
}

/* ---- what may hold a reply back ---- */

/* The beginning of the mail that is answered. *gone: its content is not there any more. */
static struct mail_head *read_head(
        struct deliver *deliver, const struct work *work, bool *gone, GError **error)
{
	g_autoptr(GBytes) bytes = NULL;
	g_autoptr(GError) failure = NULL;
	*gone = false;
	if (journal_content_chunk(deliver->journal, work->delivery->item->id, 0, &bytes, &failure)) {
		gsize size = 0;
		const void *data = bytes ? g_bytes_get_data(bytes, &size) : NULL;
		return mail_head_read(data ? data : "", size);
	}
	*gone = error_class(failure) == ERROR_INPUT;
	if (!*gone)
		g_propagate_error(error, g_steal_pointer(&failure));
	return NULL;
}

static void keep_thread(struct work *work, const struct mail_head *head)
{
	work->in_reply_to = g_strdup(mail_head_get(head, "Message-ID"));
	work->references = g_strdup(mail_head_get(head, "References"));
}

/* A mail is answered to its envelope sender and nobody else. */
static const char *check_envelope(const struct work *work)
{
	json_t *sender = json_object_get(work->delivery->item->fields, "envelope_from");
	if (!json_is_string(sender))
		return NULL;
	if (json_string_length(sender) == 0)
		return "null_sender";
	return g_ascii_strcasecmp(json_string_value(sender), param(work, "to")) == 0 ? NULL
	                                                                             : "not_the_sender";
}

/* Reply to a mail. False: the journal failed. */
static bool check_mail(struct deliver *deliver, struct work *work, GError **error)
{
	bool gone;
	AUTO(mail_head) head = read_head(deliver, work, &gone, error);
	if (!head && !gone)
		return false;
	const char *why = check_envelope(work);
	if (!why && head)
		why = guard_reply(head, param(work, "to"), deliver->options.sinks->own_addresses);
	if (!why && gone)
		as_draft(deliver, work, DELIVERY_FAILED, "content_gone");
	else if (why && strcmp(why, "address") == 0)
		as_draft(deliver, work, DELIVERY_FAILED, "address");
	else if (why)
		work_decide(work, DELIVERY_SUPPRESSED, why);
	else
		keep_thread(work, head);
	return true;
}

static bool check_email(struct deliver *deliver, struct work *work, GError **error)
{
	if (!param(work, "to")) {
		as_draft(deliver, work, DELIVERY_FAILED, "no_address");
		return true;
	}
	if (work->delivery->item->channel == CHANNEL_EMAIL)
		return check_mail(deliver, work, error);
	if (guard_address(param(work, "to")))
		as_draft(deliver, work, DELIVERY_FAILED, "address");
	return true;
}

static void address_postbox(struct deliver *deliver, struct work *work)
{
	const struct item *item = work->delivery->item;
	const char *to = param(work, "to");
	work->reply.to = to ? to : json_get_string(item->fields, "from_email");
	if (item->channel == CHANNEL_POSTBOX)
		work->reply.in_reply_to = item->key;
	else if (item->channel == CHANNEL_ESERVICE)
		work->reply.notice = item->key;
	else if (!work->reply.to)
		as_draft(deliver, work, DELIVERY_FAILED, "no_address");
}

/* Fills what the sink gets; decides the work if it must not go. False: the journal failed. */
static bool prepare(struct deliver *deliver, struct work *work, GError **error)
{
	bool postbox = g_strcmp0(param(work, "channel"), "postbox") == 0;
	work->role = postbox ? SINK_REPLY_POSTBOX : SINK_REPLY_EMAIL;
	if (!work->delivery->item)
		work_decide(work, DELIVERY_FAILED, "no_item");
	else if (deliver->options.hold_effects || gap_holds(&deliver->gap, work->delivery->item->received))
		work_decide(work, DELIVERY_UNCERTAIN, "restored");
	else if (g_strcmp0(param(work, "mode"), "draft") == 0)
		as_draft(deliver, work, DELIVERY_CANCELLED, "draft");
	else if (!deliver_has(deliver, work->role))
		as_draft(deliver, work, DELIVERY_FAILED, "no_sink");
	else if (!render(deliver, work))
		as_draft(deliver, work, DELIVERY_FAILED, "no_template");
	if (work->decided)
		return true;
	work->reply.to = param(work, "to");
	if (postbox)
		address_postbox(deliver, work);
	else if (!check_email(deliver, work, error))
		return false;
	if (!postbox) {
		work->reply.in_reply_to = work->in_reply_to;
		work->reply.references = work->references;
	}
	work->token = journal_reply_token(deliver->journal, work->delivery->key);
	work->reply.token = work->token;
	work->reply.subject = work->text->subject;
	work->reply.body = work->text->body;
	work->reply.date = deliver->now;
	work->job.reply = &work->reply;
	return true;
}

/* ---- sending ---- */

static bool is_open(const struct work *work)
{
	return !work->decided && !work->lost;
}

/* What would find its sink down is not marked as sending for nothing. */
static void leave_down(struct deliver *deliver, struct work *works, unsigned n)
{
	for (unsigned i = 0; i < n; i++)
		if (is_open(&works[i]) && !deliver_session(deliver, works[i].role))
			deliver_jobs(deliver, &works[i], 1);
}

static bool mark_sending(struct deliver *deliver, struct work *works, unsigned n, GError **error)
{
	g_autofree struct delivery **open = g_new0(struct delivery *, n);
	g_autofree struct work **owners = g_new0(struct work *, n);
	g_autofree bool *lost = g_new0(bool, n);
	unsigned m = 0;
	for (unsigned i = 0; i < n; i++) {
		if (!is_open(&works[i]))
			continue;
		owners[m] = &works[i];
		open[m++] = works[i].delivery;
	}
	if (m && !journal_mark_sending(deliver->journal, open, m, lost, error))
		return false;
	for (unsigned i = 0; i < m; i++)
		owners[i]->lost = lost[i];
	return true;
}

bool deliver_replies(struct deliver *deliver, struct work *works, unsigned n, GError **error)
{
	for (unsigned i = 0; i < n; i++)
		if (is_open(&works[i]) && !prepare(deliver, &works[i], error))
			return false;
	leave_down(deliver, works, n);
	if (!mark_sending(deliver, works, n, error))
		return false;
	int64_t lease = deliver->options.limits->lease * INSTANT_SECOND;
	for (unsigned i = 0; i < n; i++) {
		/* One that took the time of all: what is left goes back rather than out behind its lease. */
		bool late = g_get_monotonic_time() - deliver->claimed > lease / 2;
		if (is_open(&works[i]) && (late || deliver_stopped(deliver)))
			work_decide(&works[i], DELIVERY_RETURNED, NULL);
		deliver_jobs(deliver, &works[i], 1);
	}
	return true;
}
