/* bounce.c - most mail systems of the last thirty years wrote a text of their own; what they share is told
 * here, not one by one. */
#include "core/bounce.h"
#include "core/fold.h"
#include "core/mail_header.h"
#include "core/mail_part.h"

#include <string.h>

#define MAX_REPORT 65536

void delivery_report_free(struct delivery_report *delivery)
{
	if (!delivery)
		return;
	g_free(delivery->recipient);
	g_free(delivery->status);
	g_free(delivery->action);
	g_free(delivery->original_message_id);
	g_free(delivery->original_to);
	g_free(delivery);
}

bool is_mail_system(const char *from_name, const char *from_email)
{
	static const char *const locals[] = {"mailer-daemon", "mailerdaemon", "mail-daemon", "mailer_daemon",
	        "postmaster", "mdaemon", "microsoftexchange", "mail.daemon", "smtp_mail_service",
	        "maildaemon", "\"system", "automailer-daemon", "e500_smtp", NULL};
	static const char *const names[] = {"mail delivery", "mailer-daemon", "mailer daemon",
	        "mail administrator", "system administrator", "systemadministrator", "postmaster",
	        "mail delivery subsystem", "jetmail", "mail system", "mail router", "internet mail delivery",
	        "mailsystem", "mail server", NULL};
	g_autofree char *email = g_ascii_strdown(from_email ? from_email : "", -1);
	g_autofree char *name = g_ascii_strdown(from_name ? from_name : "", -1);
	char *at = strchr(email, '@');
	if (at)
		*at = '\0';
	for (const char *const *local = locals; *local; local++)
		if (g_str_has_prefix(email, *local))
			return true;
	return fold_has(name, names);
}

bool bounce_subject(const char *subject)
{
	static const char *const words[] = {"undeliver", "unzustellbar", "delivery fail", "delivery err",
	        "mail delivery", "returned mail", "failure notice", "failure delivery",
	        "delivery status notification", "delivery notification", "mail failed", "failed mail",
	        "not be delivered", "nicht zugestellt", "nicht zustellbar", "zustellung fehlgeschlagen",
	        "mail error", "mail system error", "delivery problem", "returned to sender",
	        "returning message", "zurückgesendet", "delayed", "warning: message",
	        "warning: could not send", "non-deliverable", "nondeliverable", "non remis",
	        "mail not delivered", "problem mit der zustellung", "fehler bei der zustellung",
	        "zustellproblem", "zustellfehler", "zustellungsfehler", "mensaje no entregado",
	        "échec de la remise", "échec de distribution", "nichtzustellbarkeit", "zustellung verzögert",
	        "verzögert", "delivery has failed", "message status", "nondelivery", "undelivered",
	        "delivery report", "unzustellbarkeit", "delivery delay", "rückläufer", "mailbox full",
	        "postfach voll", "konnte nicht zugestellt", "zustellbericht", "not deliverable",
	        "mail returned", "message not delivered", "user unknown", "returned e-mail", "bounced mail",
	        "non-delivery", "mail failure", "не доставлен", "недоставлен", "投递失败", "发送失败", "退信",
	        NULL};
	return fold_has(subject, words);
}

bool bounce_text(const char *text)
{
	static const char *const words[] = {"not be delivered", "able to deliver", "not deliver",
	        "undeliverable", "did not reach the following", "did not reach some or all",
	        "empfänger nicht erreicht", "nicht erreicht werden", "wasn't found at",
	        "delivery to the following", "nicht zugestellt", "nicht ausgeliefert", "nicht zustellbar",
	        "not yet been delivered", "fatal error", "permanent error", "address(es) failed",
	        "failed recipient", "failed address", "mailbox unavailable", "user unknown", "unknown user",
	        "delivery failed", "host unknown", "did not receive", "returned mail", "delivery attempts",
	        "transcript of session", "not exist", "mail delivery", "message delivery", "undelivered",
	        "mailbox is full", "mailbox full", "over quota", "exceeded storage", "exceeding their quota",
	        "unzustellbar", "fehler bei der nachrichtenzustellung", "nachrichtenzustellung",
	        "no such user", "recipient rejected", "address rejected", "unknown address",
	        "delivery has failed", "delivery error", "could not deliver", "couldn't be delivered",
	        "nicht übermittelt", "zustellung", "unable to send", "did not exactly match",
	        "was not delivered", "failed to deliver", "remise a échoué", "n'a pas pu être",
	        "delivery status", "message could not", "not accepting mail", "was returned",
	        "no valid recipients", "unknown local", "is disabled", "unknown recipient",
	        "invalid final delivery", "delivery problem", "user not known", "postponed", "no mailbox",
	        "not accepted", "не может быть доставлено", "无法发送", "无法送达", "affected recipient",
	        "non-delivery", "delivery failure", "konnte ihre nachricht nicht", "message was rejected",
	        "nicht gefunden", NULL};
	return fold_has(text, words);
}

bool bounce_formula(const char *text)
{
	static const char *const words[] = {"to the following recipient", "not be delivered to",
	        "non-delivery report", "failed recipient", "following recipients failed",
	        "the following address", "pas pu etre delivre", "pas pu être délivré",
	        "nicht zugestellt werden:", "folgende empfänger", "folgenden empfänger", NULL};
	return fold_has(text, words) && strchr(text, '@');
}

bool is_mailer_daemon(const char *from_email)
{
	static const char *const locals[] = {
	        "mailer-daemon@", "mailerdaemon@", "mail-daemon@", "microsoftexchange", NULL};
	g_autofree char *email = g_ascii_strdown(from_email ? from_email : "", -1);
	for (const char *const *local = locals; *local; local++)
		if (g_str_has_prefix(email, *local))
			return true;
	return false;
}

bool delay_text(const char *subject, const char *text)
{
	static const char *const subjects[] = {"delayed", "delay", "delivery warning", "verzögert",
	        "verzögerung", "warning: could not send", "warning: message", "retardé", NULL};
	static const char *const words[] = {"not yet been delivered", "noch nicht zugestellt",
	        "has been delayed", "delivery attempts will continue", "will be retried",
	        "has been postponed", "we will continue to try", "no action is required on your part",
	        "this is a warning message only", "you do not need to resend", "weiterhin versucht",
	        "wird weiter versucht", "verzögert sich", "not been delivered yet", "will continue to try",
	        "zustellversuche werden", "zustellung verzögert",
	        "delivery to the following recipients has been delayed", NULL};
	return fold_has(subject, subjects) || fold_has(text, words);
}

/* One line "Name: value", folded ones joined, of a delivery report. */
struct fields {
	char *final, *original, *status, *action;
};

static void fields_clear(struct fields *fields)
{
	g_free(fields->final);
	g_free(fields->original);
	g_free(fields->status);
	g_free(fields->action);
	*fields = (struct fields){.final = NULL};
}

/* "rfc822; <user@example.org>" → "user@example.org", or NULL where no address is. */
static char *recipient_of(const char *value)
{
	const char *semicolon = value ? strchr(value, ';') : NULL;
	if (!value)
		return NULL;
	g_autoptr(GPtrArray) addresses = addresses_parse(semicolon ? semicolon + 1 : value, NULL);
	for (guint i = 0; i < addresses->len; i++) {
		const struct address *address = g_ptr_array_index(addresses, i);
		if (address->email && strchr(address->email, '@'))
			return g_strdup(address->email);
	}
	return NULL;
}

/* "5.1.1 (unknown user)" → "5.1.1". */
static char *status_of(const char *value)
{
	if (!value || !strchr("245", value[0]) || !value[0] || value[1] != '.')
		return NULL;
	size_t size = strspn(value, "0123456789.");
	return size >= 5 && size <= 9 ? g_strndup(value, size) : NULL;
}

static bool is_action(const char *action, const char *name)
{
	return action && strcmp(action, name) == 0;
}

/* Takes one recipient's block into the result: failures before delays before the rest. */
static void take_fields(struct delivery_report *delivery, struct fields *fields)
{
	bool good = is_action(fields->action, "delivered") || is_action(fields->action, "relayed") ||
	            is_action(fields->action, "expanded");
	bool delayed = is_action(fields->action, "delayed") ||
	               (!fields->action && fields->status && fields->status[0] == '4');
	bool failed = !good && !delayed && (fields->action || (fields->status && fields->status[0] == '5'));
	if (!failed && !delayed) {
		delivery->good |= good;
		fields_clear(fields);
		return;
	}
	bool better = !delivery->bad || (failed && !is_action(delivery->action, "failed"));
	delivery->bad = true;
	if (better) {
		g_free(delivery->recipient);
		g_free(delivery->status);
		g_free(delivery->action);
		delivery->recipient =
		        recipient_of(fields->original); /* what we wrote to, before any forwarding */
		if (!delivery->recipient)
			delivery->recipient = recipient_of(fields->final);
		delivery->status = status_of(fields->status);
		delivery->action = g_strdup(failed ? "failed" : "delayed");
	}
	fields_clear(fields);
}

static void set_field(char **field, const char *value)
{
	if (*field)
		return;
	*field = g_strstrip(g_strdup(value));
}

static void read_field(struct fields *fields, char *line)
{
	char *colon = strchr(line, ':');
	if (!colon)
		return;
	*colon = '\0';
	g_strchomp(line);
	if (g_ascii_strcasecmp(line, "Final-Recipient") == 0)
		set_field(&fields->final, colon + 1);
	else if (g_ascii_strcasecmp(line, "Original-Recipient") == 0)
		set_field(&fields->original, colon + 1);
	else if (g_ascii_strcasecmp(line, "X-Actual-Recipient") == 0)
		set_field(&fields->original, colon + 1);
	else if (g_ascii_strcasecmp(line, "Status") == 0)
		set_field(&fields->status, colon + 1);
	else if (g_ascii_strcasecmp(line, "Action") == 0 && !fields->action) {
		fields->action = g_strstrip(g_ascii_strdown(colon + 1, -1));
		fields->action[strcspn(fields->action, " (;")] = '\0';
	}
}

static char *report_text(const GByteArray *bytes)
{
	return g_strndup(bytes->len ? (const char *)bytes->data : "", MIN(bytes->len, MAX_REPORT));
}

static void read_report(struct delivery_report *delivery, const GByteArray *bytes)
{
	g_autofree char *text = report_text(bytes);
	g_auto(GStrv) lines = g_strsplit(text, "\n", 2000);
	struct fields fields = {.final = NULL};
	delivery->report = true;
	for (char **line = lines; *line; line++) {
		g_strchomp(*line);
		if (!**line) {
			take_fields(delivery, &fields);
			continue;
		}
		if (g_ascii_strncasecmp(*line, "Final-Recipient", 15) == 0 && fields.final)
			take_fields(delivery, &fields); /* blocks without the empty line between them */
		read_field(&fields, *line);
	}
	take_fields(delivery, &fields);
}

static char *bare_id(const char *raw)
{
	const char *open = raw ? strchr(raw, '<') : NULL, *close = open ? strchr(open, '>') : NULL;
	if (!close)
		return NULL;
	g_autofree char *id = g_utf8_make_valid(open + 1, close - open - 1);
	return g_strdup(g_strstrip(id));
}

static void read_returned(struct delivery_report *delivery, GMimeObject *headers)
{
	delivery->returned = true;
	if (!delivery->original_message_id)
		delivery->original_message_id = bare_id(part_header(headers, "Message-ID"));
	if (!delivery->original_to)
		delivery->original_to = recipient_of(part_header(headers, "To"));
}

/* text/rfc822-headers: the headers of the returned mail as text. */
static void read_returned_text(struct delivery_report *delivery, const GByteArray *bytes)
{
	g_autofree char *text = report_text(bytes);
	g_autofree char *whole = g_strconcat(text, "\n\n", NULL);
	OBJECT(GMimeStream) stream = g_mime_stream_mem_new_with_buffer(whole, strlen(whole));
	OBJECT(GMimeParser) parser = g_mime_parser_new_with_stream(stream);
	OBJECT(GMimeMessage) inner = g_mime_parser_construct_message(parser, NULL);
	if (inner)
		read_returned(delivery, GMIME_OBJECT(inner));
}

static void look_at(struct delivery_report *delivery, GMimeObject *object, int depth)
{
	GMimeContentType *type = g_mime_object_get_content_type(object);
	if (depth > 6 || !type)
		return;
	if (GMIME_IS_MULTIPART(object)) {
		int count = MIN(g_mime_multipart_get_count(GMIME_MULTIPART(object)), 50);
		for (int i = 0; i < count; i++)
			look_at(delivery, g_mime_multipart_get_part(GMIME_MULTIPART(object), i), depth + 1);
	} else if (GMIME_IS_MESSAGE_PART(object)) {
		GMimeMessage *inner = g_mime_message_part_get_message(GMIME_MESSAGE_PART(object));
		if (inner)
			read_returned(delivery, GMIME_OBJECT(inner));
	} else if (GMIME_IS_PART(object)) {
		bool broken = false;
		bool status = g_mime_content_type_is_type(type, "message", "delivery-status") ||
		              g_mime_content_type_is_type(type, "message", "global-delivery-status");
		bool headers = g_mime_content_type_is_type(type, "text", "rfc822-headers") ||
		               g_mime_content_type_is_type(type, "message", "global-headers");
		if (!status && !headers)
			return;
		g_autoptr(GByteArray) bytes = part_content(GMIME_PART(object), &broken);
		if (status)
			read_report(delivery, bytes);
		else
			read_returned_text(delivery, bytes);
	}
}

struct delivery_report *delivery_report_read(GMimeMessage *mail)
{
	struct delivery_report *delivery = g_new0(struct delivery_report, 1);
	GMimeObject *root = mail ? g_mime_message_get_mime_part(mail) : NULL;
	if (root)
		look_at(delivery, root, 0);
	return delivery;
}

/* Where the copy of our own mail begins: what stands there is not the mail system's word. */
static size_t report_size(const char *text)
{
	static const char *const marks[] = {"\n--- Below", "\n--- Original", "\n--- The header of",
	        "\n------ This is a copy", "Message text follows", "\nOriginal message follows",
	        "-- Header of the source", "\n-------- Returned Mail", "\n----- Original message",
	        "\n   ----- Original message", "\nReturn-path: ", "\nReturn-Path: ", "\n----- Message header",
	        "\nOriginal message as received", "\nOriginal message headers", "\nOriginalkopf",
	        "\nUrsprüngliche Nachrichtenkopf", "\n----- Unsent message follows", "\n--- Auszug",
	        "\n--- Ihre", "\n--- Text of", "\n----- Text of", "\n----- Begin", "\n   ----- Unsent",
	        "\n----- Ursprüngliche", "\n>Received:", "\nReceived: from", "\nMessage contents follow",
	        "\n--- Undelivered", "\n----- Undelivered", "\n------ Forwarded", NULL};
	size_t size = strlen(text);
	for (const char *const *mark = marks; *mark; mark++) {
		const char *at = strstr(text, *mark);
		if (at && at != text)
			size = MIN(size, (size_t)(at - text));
	}
	return MIN(size, 20000);
}

static bool is_address_char(char c)
{
	return g_ascii_isalnum(c) || (c && strchr("._%+-=~/!#$&'*?^`{|}", c));
}

/* The address around the "@" at `at`, or NULL. */
static char *address_around(const char *text, const char *at, const char *end)
{
	const char *start = at, *stop = at + 1;
	while (start > text && at - start < 64 && is_address_char(start[-1]))
		start--;
	while (stop < end && stop - at < 255 && (g_ascii_isalnum(*stop) || *stop == '.' || *stop == '-'))
		stop++;
	while (stop > at && (stop[-1] == '.' || stop[-1] == '-'))
		stop--;
	while (start < at && strchr("'`/", *start))
		start++;
	const char *equal = memrchr(start, '=', (size_t)(at - start)); /* "SMTP=user@host" */
	if (equal)
		start = equal + 1;
	if (start == at || stop == at + 1)
		return NULL;
	return g_strndup(start, (size_t)(stop - start));
}

static bool is_ours(const struct message *message, const char *address)
{
	if (is_mail_system(NULL, address) ||
	        (message->from_email && g_ascii_strcasecmp(message->from_email, address) == 0))
		return true;
	g_autofree char *wanted = g_ascii_strdown(address, -1);
	for (guint i = 0; i < message->to->len; i++) {
		g_autofree char *to = g_ascii_strdown(g_ptr_array_index(message->to, i), -1);
		if (strstr(to, wanted))
			return true;
	}
	return false;
}

/* How sure it is that the address at `at` is the one that failed: "<a@b>:" at the start of a line most. */
static int address_rank(const char *text, const char *start, const char *stop)
{
	const char *line = start;
	while (line > text && line[-1] != '\n')
		line--;
	size_t lead = strspn(line, " \t<(\"'");
	bool first = line + lead >= start || line + lead + 8 >= start;
	bool marked = *stop == '>' || *stop == ':' || *stop == '\0' || *stop == '\n' || *stop == ' ';
	g_autofree char *before = g_ascii_strdown(line, start - line);
	const char *label = before + strspn(before, " \t");
	if (g_str_has_prefix(label, "to:") || g_str_has_prefix(label, "cc:") ||
	        g_str_has_prefix(label, "an:"))
		return 0;
	if (strstr(before, "contact") || strstr(before, "from") || strstr(before, "absender") ||
	        strstr(before, "help") || strstr(before, "http") || strstr(before, "sender") ||
	        strstr(before, "mailto:"))
		return 0;
	return first && marked ? 2 : 1;
}

static char *recipient_in_text(const struct message *message, const char *text, size_t size)
{
	const char *end = text + size;
	char *best = NULL;
	int best_rank = -1;
	unsigned seen = 0;
	for (const char *at = memchr(text, '@', size); at && seen < 200;
	        at = memchr(at + 1, '@', (size_t)(end - at - 1)), seen++) {
		char *address = address_around(text, at, end);
		if (!address)
			continue;
		const char *start = at - strcspn(address, "@");
		int rank =
		        is_ours(message, address) ? -1 : address_rank(text, start, start + strlen(address));
		if (rank <= best_rank) {
			g_free(address);
			continue;
		}
		g_free(best);
		best = address;
		best_rank = rank;
	}
	return best;
}

/* "5.1.1" or "#4.4.1" in prose; not a date, not an address of a host. */
static char *status_in_text(const char *text, size_t size)
{
	for (size_t i = 0; i + 5 <= size; i++) {
		const char *p = text + i;
		if ((*p != '4' && *p != '5') || p[1] != '.' || !g_ascii_isdigit(p[2]))
			continue;
		if (i && (g_ascii_isalnum(p[-1]) || p[-1] == '.' || p[-1] == ':'))
			continue;
		size_t length = strspn(p, "0123456789.");
		g_autofree char *code = g_strndup(p, length);
		g_auto(GStrv) parts = g_strsplit(code, ".", 5);
		guint count = g_strv_length(parts);
		if (count < 3 || strlen(parts[1]) > 3 || !*parts[2] || strlen(parts[2]) > 3 ||
		        (count > 3 && *parts[3]))
			continue;
		return g_strdup_printf("%s.%s.%s", parts[0], parts[1], parts[2]);
	}
	return NULL;
}

/* Message-ID among the headers that came back as text. */
static char *id_in_text(const char *text)
{
	static const char *const names[] = {
	        "\nMessage-ID:", "\nMessage-Id:", "\nMessage-id:", "\n>Message-ID:"};
	for (size_t i = 0; i < G_N_ELEMENTS(names); i++) {
		const char *at = strstr(text, names[i]);
		char *id = at ? bare_id(at) : NULL;
		if (id)
			return id;
	}
	return NULL;
}

struct bounce *bounce_build(const struct message *message, const struct delivery_report *delivery,
        const char *failed, const char *sent_to)
{
	struct bounce *bounce = g_new0(struct bounce, 1);
	size_t size = report_size(message->text);
	g_autofree char *subject = fold_text(message->subject, 500);
	g_autofree char *text = fold_text(message->text, 6000);
	bounce->recipient = g_strdup(delivery->recipient);
	if (!bounce->recipient)
		bounce->recipient = recipient_of(failed);
	if (!bounce->recipient)
		bounce->recipient = recipient_in_text(message, message->text, size);
	if (!bounce->recipient && delivery->original_to && !is_ours(message, delivery->original_to))
		bounce->recipient = g_strdup(delivery->original_to);
	bounce->status = delivery->status ? g_strdup(delivery->status) : status_in_text(message->text, size);
	bounce->action = g_strdup(delivery->action);
	if (!bounce->action)
		bounce->action = g_strdup(delay_text(subject, text) ? "delayed" : "failed");
	bounce->original_message_id = delivery->original_message_id ? g_strdup(delivery->original_message_id)
	                                                            : id_in_text(message->text);
	if (!bounce->original_message_id)
		bounce->original_message_id = g_strdup(message->in_reply_to);
	bounce->envelope_to = g_strdup(sent_to);
	return bounce;
}
