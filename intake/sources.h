/* sources.h - the `sources:` part of the deployment file.
 *
 *     sources:
 *       service-centre-mail:        # the source's name: in item identity for ever, never rename
 *         type: imap
 *         …common options and those of the connector…
 */
#ifndef INTAKE_SOURCES_H
#define INTAKE_SOURCES_H

#include "intake/connector.h"

/* The options all sources share, beside `type`. */
extern const struct option source_options[];

/* Reads the map; mistakes go to diag. GPtrArray of struct source in file order, freed with it (never NULL).
 */
GPtrArray *sources_read(const struct yaml_node *map, struct diag *diag);

struct source *source_new(const char *name, const struct connector *connector);
void source_free(struct source *source);
AUTO_FREE(source);
const struct source *sources_find(const GPtrArray *sources, const char *name);

#endif
