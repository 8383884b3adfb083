/* members.h - the members of the family; each in the file of its name. */
#ifndef SINKS_MEMBERS_H
#define SINKS_MEMBERS_H

#include "sinks/sink.h"

extern const struct sink sink_archive_http;
extern const struct sink sink_archive_jsonl;
extern const struct sink sink_eakte_folder;
extern const struct sink sink_reply_folder;
extern const struct sink sink_reply_postbox;
extern const struct sink sink_reply_smtp;
extern const struct sink sink_tickets_http;

#endif
