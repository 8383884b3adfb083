/* log.c - one writer for all log lines, so that each is whole and escaped. */
#include "core/log.h"
#include "core/error.h"

#include <stdio.h>

static struct {
	enum log_level level;
	enum log_format format;
} sink = {LOG_LEVEL_INFO, LOG_FORMAT_TEXT};

static const char *const level_names[] = {"error", "warning", "info", "debug"};

void log_setup(enum log_level level, enum log_format format)
{
	sink.level = level;
	sink.format = format;
}

bool log_wants(enum log_level level)
{
	return level <= sink.level;
}

static void append_quoted(GString *line, const char *value)
{
	g_string_append_c(line, '"');
	for (const unsigned char *p = (const unsigned char *)value; *p; p++) {
		if (*p == '"' || *p == '\\')
			g_string_append_printf(line, "\\%c", *p);
		else if (*p < 0x20 || *p == 0x7f)
			g_string_append_printf(line, "\\u%04x", *p);
		else
			g_string_append_c(line, (char)*p);
	}
	g_string_append_c(line, '"');
}

static void append_pair(GString *line, const char *key, const char *value)
{
	if (sink.format == LOG_FORMAT_JSON)
		g_string_append_printf(line, ",\"%s\":", key);
	else
		g_string_append_printf(line, " %s=", key);
	append_quoted(line, value ? value : "");
}

static void line_begin(GString *line, enum log_level level, const char *event)
{
	g_autoptr(GDateTime) now = g_date_time_new_now_utc();
	g_autofree char *time = g_date_time_format(now, "%Y-%m-%dT%H:%M:%SZ");
	if (sink.format == LOG_FORMAT_JSON)
		g_string_append_printf(line, "{\"time\":\"%s\",\"level\":\"%s\",\"event\":\"%s\"", time,
		        level_names[level], event);
	else
		g_string_append_printf(line, "%s %s %s", time, level_names[level], event);
}

static void line_end(GString *line)
{
	g_string_append(line, sink.format == LOG_FORMAT_JSON ? "}\n" : "\n");
	fwrite(line->str, 1, line->len, stderr);
}

void log_event(enum log_level level, const char *event, ...)
{
	if (!log_wants(level))
		return;
	g_autoptr(GString) line = g_string_new(NULL);
	line_begin(line, level, event);
	va_list args;
	va_start(args, event);
	for (const char *key; (key = va_arg(args, const char *)) != NULL;)
		append_pair(line, key, va_arg(args, const char *));
	va_end(args);
	line_end(line);
}

void log_error(const char *what, const GError *error)
{
	static const char *const scopes[] = {"item", "mailbox", "source"};
	static const char *const whens[] = {"now", "later", "never"};
	log_event(LOG_LEVEL_ERROR, what, "scope", scopes[error_scope(error)], "retry",
	        whens[error_when(error)], "error", error->message, NULL);
}
