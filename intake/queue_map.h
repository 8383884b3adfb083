/* queue_map.h - from a service's item to a `classify` line, by JSON Pointers of the configuration.
 *
 * Values are copied as they are: one of a wrong type makes the item undecodable later (doubt), it is never
 * dropped silently.
 */
#ifndef INTAKE_QUEUE_MAP_H
#define INTAKE_QUEUE_MAP_H

#include "config/option.h"
#include "core/item.h"

/* Pointers into one item, NULL or "" where the service has no such thing. */
struct queue_map {
	char *id, *received, *mailbox;
	char *from_name, *from_email, *subject, *body, *html, *automatic;
	char *attachments, *attachment_name, *attachment_type;
	char *form_type, *form_kind, *form_from, *form_to, *form_text, *form_cv;
	char *facts;
	char *archived; /* true or an id: the service keeps the event history itself (archive, mode assert) */
};

/* The id as text: a string or whole number of 1…200 printable characters; NULL if there is none. g_free. */
char *queue_map_id(const struct queue_map *map, const json_t *object);

/* `fields` for struct item. New reference. */
json_t *queue_map_fields(const struct queue_map *map, enum channel channel, const json_t *object);

#endif
