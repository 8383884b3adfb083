/* archive_entry.h - a change notice as it stands in the event history (Ereignishistorie). */
#ifndef SINKS_ARCHIVE_ENTRY_H
#define SINKS_ARCHIVE_ENTRY_H

#include "sinks/sink.h"

/* Bytes of content one entry may hold: it goes out as one JSON text. */
#define ARCHIVE_MAX_CONTENT (16 * 1024 * 1024)

/* ArchiveEntry of docs/openapi/services.yaml. ERROR_INPUT of SCOPE_ITEM if the item is too large or its
 * content gone; NULL then. New reference. */
json_t *archive_entry(const struct sink_job *job, GError **error);

/* Mode of the delivery: the source says that it archives itself. */
bool archive_is_asserted(const struct delivery *delivery);
/* What the source said about it with the item (`archived`: true or the id of the entry): the receipt, a new
 * reference; NULL if it said nothing. */
json_t *archive_assertion(const struct delivery *delivery);

/* The bytes handed out by the job's giver, at most `max`. */
GBytes *job_content(const struct sink_job *job, size_t max, GError **error);

#endif
