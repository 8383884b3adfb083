/* spool_item.h - what a file of a spool folder says of itself: channel, time of receipt, envelope sender,
 * fields. */
#ifndef INTAKE_SPOOL_ITEM_H
#define INTAKE_SPOOL_ITEM_H

#include "core/item.h"
#include "intake/spool.h"

/* Key and time of the file; no content. */
struct item *spool_item(const struct spool_file *file);

/* A mail by its first bytes. Time of receipt: the topmost Received: of a trusted host, else it stays.
 * `envelope`: the delivering server writes the envelope sender to Return-Path. */
void spool_item_mail(struct item *item, GBytes *head, const GPtrArray *trusted_hosts, bool envelope);

/* A line as `classify` reads it. What is no JSON object becomes an undecodable item: doubt, never a loss. */
void spool_item_json(struct item *item, GBytes *raw, enum channel channel);

#endif
