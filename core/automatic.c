/* automatic.c - headers first, words last; a person's own words beat the machine that carried them, except
 * where a header says outright that a machine wrote. */
#include "core/automatic.h"
#include "core/automatic_words.h"
#include "core/bounce.h"
#include "core/fold.h"
#include "core/mail.h"
#include "core/mail_header.h"
#include "core/mail_part.h"

#include <string.h>

/* The mail as the rules see it. */
struct view {
	const struct message *message;
	GMimeObject *headers, *body;
	struct delivery_report *delivery;
	char *subject, *own; /* folded; own is without history */
	char *text;          /* the whole text, folded when it is asked for */
	bool system;         /* sent by a mail system */
	bool null_sender;
	char *submitted; /* Auto-Submitted, lower case, or "" */
	char *precedence;
};

static const char *raw(struct view *view, const char *name)
{
	/* gmime keeps the content headers of a mail at its body */
	bool content = g_ascii_strncasecmp(name, "Content-", 8) == 0;
	return content && view->body ? part_header(view->body, name) : part_header(view->headers, name);
}

static bool has(struct view *view, const char *name)
{
	return raw(view, name) != NULL;
}

static char *value(struct view *view, const char *name)
{
	const char *text = raw(view, name);
	g_autofree char *decoded = text ? header_decode(text, NULL, NULL) : NULL;
	return g_ascii_strdown(decoded ? decoded : "", -1);
}

static bool value_has(struct view *view, const char *name, const char *word)
{
	g_autofree char *text = value(view, name);
	return strstr(text, word) != NULL;
}

static bool null_sender(struct view *view)
{
	if (view->message->envelope_from)
		return !*view->message->envelope_from;
	const char *path = raw(view, "Return-Path");
	while (path && g_ascii_isspace(*path))
		path++;
	return path && (strncmp(path, "<>", 2) == 0 || g_ascii_strncasecmp(path, "<MAILER-DAEMON", 14) == 0);
}

static const char *whole_text(struct view *view)
{
	if (!view->text)
		view->text = fold_text(view->message->text, 6000);
	return view->text;
}

/* Copies of headers that are asked for again and again. */
static void view_open(struct view *view, const struct message *message, GMimeMessage *mail)
{
	view->message = message;
	view->headers = GMIME_OBJECT(mail);
	view->body = g_mime_message_get_mime_part(mail);
	view->delivery = delivery_report_read(mail);
	view->subject = fold_text(message->subject, 500);
	view->own = fold_text(message->reply_text, 3000);
	view->null_sender = null_sender(view);
	view->system = is_mail_system(message->from_name, message->from_email);
	view->submitted = value(view, "Auto-Submitted");
	view->precedence = value(view, "Precedence");
}

static void view_close(struct view *view)
{
	delivery_report_free(view->delivery);
	g_free(view->subject);
	g_free(view->own);
	g_free(view->text);
	g_free(view->submitted);
	g_free(view->precedence);
}

static bool is_bounce(struct view *view)
{
	bool subject = bounce_subject(view->subject), machine = view->system || view->null_sender;
	if (!subject && !machine && !view->delivery->report)
		return false;
	bool text = bounce_text(whole_text(view));
	bool formula = bounce_formula(view->own) && !view->message->quoted && !view->message->in_reply_to;
	if (subject_is_answer(view->subject) && !view->system && !formula)
		return false;
	if (view->delivery->report)
		return view->delivery->bad || (!view->delivery->good && machine);
	if (has(view, "X-Failed-Recipients") && (machine || subject))
		return true;
	if (is_mailer_daemon(view->message->from_email) && (subject || view->delivery->returned))
		return true;
	if (view->system)
		return (subject && (text || view->delivery->returned || !*whole_text(view))) ||
		       (text && !subject_says_reply(view->subject) && !view->message->in_reply_to);
	if (view->null_sender && subject && text)
		return true;
	return subject && text &&
	       (formula ||
	               (view->delivery->returned && !view->message->in_reply_to && !view->message->quoted));
}

/* DMARC aggregate reports: "receiver!domain!begin!end.xml.gz". */
static bool has_dmarc_file(const struct message *message)
{
	for (guint i = 0; i < message->attachments->len; i++) {
		const struct attachment *file = g_ptr_array_index(message->attachments, i);
		const char *mark = file->name ? strchr(file->name, '!') : NULL;
		const char *second = mark ? strchr(mark + 1, '!') : NULL;
		if (second && strchr(second + 1, '!') &&
		        (strstr(second, ".xml") || strstr(second, ".zip") || strstr(second, ".gz")))
			return true;
	}
	return false;
}

static bool has_attachment_type(const struct message *message, const char *type)
{
	for (guint i = 0; i < message->attachments->len; i++) {
		const struct attachment *file = g_ptr_array_index(message->attachments, i);
		if (file->type && strcmp(file->type, type) == 0)
			return true;
	}
	return false;
}

static bool is_report(struct view *view)
{
	const struct message *message = view->message;
	if (subject_is_answer(view->subject) && !has(view, "Auto-Submitted") &&
	        !value_has(view, "Content-Type", "multipart/report"))
		return false;
	if (view->delivery->report && view->delivery->good && !view->delivery->bad)
		return true;
	if (has_attachment_type(message, "message/disposition-notification") ||
	        has_attachment_type(message, "message/feedback-report") ||
	        has_attachment_type(message, "application/tlsrpt+gzip") ||
	        has_attachment_type(message, "application/tlsrpt+json"))
		return true;
	if (value_has(view, "Content-Type", "report-type=\"disposition-notification") ||
	        value_has(view, "Content-Type", "report-type=disposition-notification") ||
	        has(view, "TLS-Report-Domain"))
		return true;
	if (has_dmarc_file(message))
		return true;
	return text_is_read_receipt(view->subject, view->own);
}

static bool has_reply_header(struct view *view)
{
	static const char *const names[] = {"X-Autoreply", "X-Autoreply-From", "X-Autorespond",
	        "X-Autoresponder", "X-Auto-Reply", "X-Auto-Reply-From", "X-Mail-Autoreply",
	        "X-AutoReply-From", "X-Vacation", "X-Away", "X-Autogenerated-Reply"};
	for (size_t i = 0; i < G_N_ELEMENTS(names); i++)
		if (has(view, names[i]) && !value_has(view, names[i], "no"))
			return true;
	return strstr(view->precedence, "auto_reply") || strstr(view->precedence, "auto-reply") ||
	       value_has(view, "X-Precedence", "auto_reply") || value_has(view, "Preference", "auto_reply") ||
	       value_has(view, "Delivered-To", "autoresponder") || value_has(view, "X-Mailer", "vacation") ||
	       value_has(view, "X-Mailer", "autoresponder") ||
	       value_has(view, "X-POST-MessageClass", "autoresponder") ||
	       value_has(view, "X-MS-Exchange-Generated-Message-Source", "mailbox rules") ||
	       g_str_has_prefix(view->submitted, "auto-replied");
}

/* Made by a machine, by a header's own word? "no" in Auto-Submitted is a person's. */
static bool says_generated(struct view *view)
{
	return (*view->submitted && !g_str_has_prefix(view->submitted, "no")) ||
	       has(view, "X-Auto-Generated") || has(view, "X-Cron-Env") || has(view, "X-Autogenerated");
}

static bool says_person(struct view *view)
{
	return g_str_has_prefix(view->submitted, "no");
}

/* "user@host.example.org" → "example.org" is a suffix of the host; compares the last two labels. */
static bool same_organisation(const char *id, const char *address)
{
	const char *host = id ? strrchr(id, '@') : NULL, *domain = address ? strrchr(address, '@') : NULL;
	if (!host || !domain)
		return false;
	g_autofree char *in = g_ascii_strdown(host + 1, -1), *of = g_ascii_strdown(domain + 1, -1);
	of[strcspn(of, "> ")] = '\0';
	char *last = strrchr(of, '.'), *label = last;
	while (label && label > of && label[-1] != '.')
		label--;
	return label && *of && g_str_has_suffix(in, label);
}

/* Does it refer to a mail of ours, and not to one of the sender's own? */
static bool refers_to_ours(struct view *view)
{
	const struct message *message = view->message;
	const char *id = message->in_reply_to;
	g_autofree char *references = id ? NULL : value(view, "References");
	if (!id && *references)
		id = g_strchomp(references);
	if (!id)
		return false;
	g_autofree char *bare = g_strndup(id, strcspn(id, ">"));
	for (guint i = 0; i < message->to->len; i++)
		if (same_organisation(bare, g_ptr_array_index(message->to, i)))
			return true;
	return !same_organisation(bare, message->from_email);
}

static bool is_replied(struct view *view)
{
	if (has_reply_header(view))
		return true;
	if (says_person(view))
		return false;
	bool told = subject_says_reply(view->subject);
	bool words = text_is_absence_note(view->subject, view->own) ||
	             text_is_receipt(view->subject, view->own) || text_is_automatic_answer(view->own);
	bool machine = says_generated(view) || view->null_sender;
	return told || words || (machine && (refers_to_ours(view) || subject_is_answer(view->subject)));
}

/* The answer would go to somebody else than the machine that sent: a form or gateway names the person. */
static bool answers_go_elsewhere(struct view *view)
{
	const struct message *message = view->message;
	if (!message->reply_to || !message->from_email)
		return false;
	g_autofree char *to = g_ascii_strdown(message->reply_to, -1);
	g_autofree char *from = g_ascii_strdown(message->from_email, -1);
	return !strstr(to, from) && !sender_takes_no_answer(to);
}

static bool is_carried(struct view *view)
{
	const struct message *message = view->message;
	g_autofree char *from = g_strconcat(message->from_email ? message->from_email : "", " ",
	        message->from_name ? message->from_name : "", NULL);
	return has(view, "X-Fax-Pages") || has(view, "X-Fax-CSID") || answers_go_elsewhere(view) ||
	       is_carried_message(from, view->subject, view->own);
}

static bool has_list_header(struct view *view)
{
	return has(view, "List-Id") || has(view, "List-Post") || has(view, "X-Mailing-List") ||
	       has(view, "X-BeenThere") || has(view, "Mailing-List") || strcmp(view->precedence, "list") == 0;
}

static bool is_generated(struct view *view)
{
	if (says_generated(view))
		return !is_carried(view) || text_says_automatic(view->own);
	if (says_person(view) || has_list_header(view) || has(view, "List-Unsubscribe"))
		return false;
	if (is_carried(view) || subject_is_answer(view->subject))
		return false;
	return sender_takes_no_answer(view->message->from_email) || view->null_sender ||
	       (text_says_automatic(view->own) && !text_is_first_person(view->own));
}

/* Unsubscribe headers come with serial-mail tools, too: then the text tells. */
static bool is_list(struct view *view)
{
	if (says_person(view))
		return false;
	if (has_list_header(view))
		return true;
	bool bulk = strstr(view->precedence, "bulk") || strstr(view->precedence, "junk");
	bool unsubscribe = has(view, "List-Unsubscribe");
	if ((!bulk && !unsubscribe) || is_carried(view))
		return false;
	return text_is_bulk(whole_text(view)) || (unsubscribe && !text_is_business(view->own));
}

static enum automatic decide(struct view *view)
{
	if (is_bounce(view))
		return AUTOMATIC_BOUNCE;
	if (is_report(view))
		return AUTOMATIC_REPORT;
	if (is_replied(view))
		return AUTOMATIC_REPLIED;
	if (is_generated(view))
		return AUTOMATIC_GENERATED;
	return is_list(view) ? AUTOMATIC_LIST : AUTOMATIC_NO;
}

/* The address of ours that the mail was sent to: a VERP address says whose mail it was. */
static char *sent_to(struct view *view)
{
	static const char *const names[] = {"X-Original-To", "Envelope-To", "Delivered-To", "To"};
	for (size_t i = 0; i < G_N_ELEMENTS(names); i++) {
		const char *text = raw(view, names[i]);
		g_autoptr(GPtrArray) addresses = addresses_parse(text ? text : "", NULL);
		if (addresses->len == 0)
			continue;
		const struct address *address = g_ptr_array_index(addresses, 0);
		if (address->email)
			return g_strdup(address->email);
	}
	return NULL;
}

void automatic_mark(struct message *message, GMimeMessage *mail)
{
	struct view view = {.text = NULL};
	if (!mail) {
		message->automatic =
		        automatic_from_text(message->from_email, message->subject, message->text);
		return;
	}
	view_open(&view, message, mail);
	message->automatic = decide(&view);
	if (message->automatic == AUTOMATIC_BOUNCE) {
		g_autofree char *to = sent_to(&view);
		message->bounce = bounce_build(message, view.delivery, raw(&view, "X-Failed-Recipients"), to);
	}
	view_close(&view);
}

enum automatic automatic_from_text(const char *from_email, const char *subject, const char *text)
{
	g_autofree char *folded_subject = fold_text(subject, 500);
	g_autofree char *folded = fold_text(text, 6000);
	bool answer = subject_is_answer(folded_subject);
	if (is_mail_system(NULL, from_email) && (bounce_subject(folded_subject) || bounce_text(folded)))
		return AUTOMATIC_BOUNCE;
	if (!answer && text_is_read_receipt(folded_subject, folded))
		return AUTOMATIC_REPORT;
	if (subject_says_reply(folded_subject) || text_is_absence_note(folded_subject, folded) ||
	        text_is_receipt(folded_subject, folded) || text_is_automatic_answer(folded))
		return AUTOMATIC_REPLIED;
	bool machine = sender_takes_no_answer(from_email) ||
	               (text_says_automatic(folded) && !text_is_first_person(folded));
	if (!answer && machine && !is_carried_message(from_email, folded_subject, folded))
		return AUTOMATIC_GENERATED;
	return AUTOMATIC_NO;
}
