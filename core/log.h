/* log.h - structured log lines on standard error: `level event key=value …` or JSON, never personal data.
 *
 * Only ids, names from the configuration, counts and error classes go in. Values are escaped: CR, LF and
 * control bytes cannot start a line of their own.
 */
#ifndef CORE_LOG_H
#define CORE_LOG_H

#include <glib.h>
#include <stdbool.h>

enum log_level { LOG_LEVEL_ERROR, LOG_LEVEL_WARNING, LOG_LEVEL_INFO, LOG_LEVEL_DEBUG };
enum log_format { LOG_FORMAT_TEXT, LOG_FORMAT_JSON };

/* Sets the process-wide sink (standard error) once, at start. Default: info, text. */
void log_setup(enum log_level level, enum log_format format);
bool log_wants(enum log_level level);

/* log_event(LOG_LEVEL_INFO, "pull.done", "source", name, "items", "12", NULL): pairs of strings, NULL at the
 * end. */
void log_event(enum log_level level, const char *event, ...) G_GNUC_NULL_TERMINATED;

/* The same for an error met while doing `what`; class, scope and time become keys, the text is the message.
 */
void log_error(const char *what, const GError *error);

#endif
