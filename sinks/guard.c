/* guard.c - the header of the mail that is to be answered, and what in it forbids an answer. */
#include "sinks/guard.h"
#include "sinks/mime.h"

#include <string.h>

struct field {
	char *name, *value;
};

struct mail_head {
	GArray *fields; /* of struct field */
};

static void field_clear(void *data)
{
	struct field *field = data;
	g_free(field->name);
	g_free(field->value);
}

/* The value up to the end of its last folded line, line ends and other control bytes as blanks. */
static char *take_value(const char *from, const char *to)
{
	char *value = g_strndup(from, (gsize)(to - from));
	for (char *p = value; *p; p++)
		if ((unsigned char)*p < 0x20 || *p == 0x7f)
			*p = ' ';
	return g_strstrip(value);
}

static const char *end_of_field(const char *p, const char *end)
{
	for (;;) {
		const char *line_end = memchr(p, '\n', (size_t)(end - p));
		if (!line_end)
			return end;
		p = line_end + 1;
		if (p >= end || (*p != ' ' && *p != '\t'))
			return p;
	}
}

static void add_field(struct mail_head *head, const char *from, const char *to)
{
	const char *colon = memchr(from, ':', (size_t)(to - from));
	if (!colon)
		return;
	struct field field = {g_strchomp(g_strndup(from, (gsize)(colon - from))), take_value(colon + 1, to)};
	g_array_append_val(head->fields, field);
}

struct mail_head *mail_head_read(const void *data, size_t size)
{
	struct mail_head *head = g_new0(struct mail_head, 1);
	head->fields = g_array_new(FALSE, FALSE, sizeof(struct field));
	g_array_set_clear_func(head->fields, field_clear);
	const char *p = data, *end = p + MIN(size, (size_t)MAIL_HEAD_MAX);
	while (p < end && *p != '\n' && !(*p == '\r' && p + 1 < end && p[1] == '\n')) {
		const char *next = end_of_field(p, end);
		add_field(head, p, next);
		p = next;
	}
	return head;
}

void mail_head_free(struct mail_head *head)
{
	if (!head)
		return;
	g_array_unref(head->fields);
	g_free(head);
}

static const char *next_value(const struct mail_head *head, const char *name, guint *at)
{
	while (*at < head->fields->len) {
		const struct field *field = &g_array_index(head->fields, struct field, (*at)++);
		if (g_ascii_strcasecmp(field->name, name) == 0)
			return field->value;
	}
	return NULL;
}

const char *mail_head_get(const struct mail_head *head, const char *name)
{
	guint at = 0;
	return next_value(head, name, &at);
}

/* The first word of a value, comments and parameters aside. */
static bool first_word_is(const char *value, const char *word)
{
	size_t length = strlen(word);
	return g_ascii_strncasecmp(value, word, length) == 0 && !g_ascii_isalnum(value[length]) &&
	       value[length] != '-';
}

static bool is_automatic(const struct mail_head *head)
{
	guint at = 0;
	for (const char *value; (value = next_value(head, "Auto-Submitted", &at)) != NULL;)
		if (!first_word_is(value, "no"))
			return true;
	return false;
}

static bool is_bulk(const struct mail_head *head)
{
	guint at = 0;
	for (const char *value; (value = next_value(head, "Precedence", &at)) != NULL;)
		if (first_word_is(value, "bulk") || first_word_is(value, "list") ||
		        first_word_is(value, "junk"))
			return true;
	return false;
}

static bool is_list(const struct mail_head *head)
{
	for (guint i = 0; i < head->fields->len; i++)
		if (g_ascii_strncasecmp(g_array_index(head->fields, struct field, i).name, "List-", 5) == 0)
			return true;
	return false;
}

static bool is_report(const struct mail_head *head)
{
	const char *type = mail_head_get(head, "Content-Type");
	return type && g_ascii_strncasecmp(type, "multipart/report", 16) == 0;
}

static bool has_null_path(const struct mail_head *head)
{
	const char *path = mail_head_get(head, "Return-Path");
	return path && (strcmp(path, "<>") == 0 || *path == '\0');
}

/* `address` as a whole word of `text`, in any case. */
static bool mentions(const char *text, const char *address)
{
	g_autofree char *low_text = g_ascii_strdown(text, -1), *low = g_ascii_strdown(address, -1);
	size_t length = strlen(low);
	for (const char *p = low_text; length && (p = strstr(p, low)) != NULL; p++) {
		bool before = p == low_text || !(g_ascii_isalnum(p[-1]) || strchr("._+-", p[-1]));
		char next = p[length];
		bool after = next == '\0' || !(g_ascii_isalnum(next) ||
		                                     (strchr(".-", next) && g_ascii_isalnum(p[length + 1])));
		if (before && after)
			return true;
	}
	return false;
}

static bool is_addressed_to(const struct mail_head *head, const GPtrArray *own)
{
	static const char *const names[] = {
	        "To", "Cc", "Delivered-To", "X-Original-To", "Envelope-To", "Resent-To", "Resent-Cc", NULL};
	for (int i = 0; names[i]; i++) {
		guint at = 0;
		for (const char *value; (value = next_value(head, names[i], &at)) != NULL;)
			for (guint j = 0; j < own->len; j++)
				if (mentions(value, g_ptr_array_index(own, j)))
					return true;
	}
	return false;
}

const char *guard_address(const char *to)
{
	static const char *const machines[] = {"mailer-daemon", "postmaster", "noreply", "no-reply",
	        "no_reply", "donotreply", "do-not-reply", "nicht-antworten", "bounce", "bounces", "listserv",
	        "majordomo", "root", "daemon", NULL};
	if (!mime_address_is_valid(to))
		return "address";
	g_autofree char *local = g_ascii_strdown(to, (gssize)strcspn(to, "@"));
	char *plus = strchr(local, '+');
	if (plus)
		*plus = '\0';
	for (int i = 0; machines[i]; i++)
		if (strcmp(local, machines[i]) == 0)
			return "machine_sender";
	bool list = g_str_has_prefix(local, "owner-") || g_str_has_suffix(local, "-request") ||
	            g_str_has_suffix(local, "-owner") || g_str_has_suffix(local, "-bounces") ||
	            g_str_has_prefix(local, "noreply") || g_str_has_prefix(local, "no-reply");
	return list ? "machine_sender" : NULL;
}

const char *guard_reply(const struct mail_head *head, const char *to, const GPtrArray *own)
{
	if (mail_head_get(head, MIME_LOOP_HEADER))
		return "loop";
	if (is_automatic(head))
		return "auto_submitted";
	if (is_list(head) || is_bulk(head))
		return "list";
	if (mail_head_get(head, "X-Auto-Response-Suppress"))
		return "suppress_header";
	if (is_report(head))
		return "report";
	if (has_null_path(head))
		return "null_sender";
	if (own && own->len && !is_addressed_to(head, own))
		return "not_addressed";
	for (guint i = 0; own && i < own->len; i++)
		if (g_ascii_strcasecmp(to, g_ptr_array_index(own, i)) == 0)
			return "own_address";
	return guard_address(to);
}
