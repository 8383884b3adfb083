/* retention.h - the `retention:` section of the deployment file: how long content stays (DESIGN.md section
 * 6).
 *
 * Content goes that long after the last delivery and task of its item were closed, evidence without content
 * after its own, longer term.
 */
#ifndef CONFIG_RETENTION_H
#define CONFIG_RETENTION_H

#include "config/option.h"

struct retention {
	int64_t content;   /* seconds after closing */
	int64_t klaerung;  /* of items that a person had to clear */
	int64_t automatic; /* of bounces, reports and other automatic mail */
	int64_t evidence;  /* seconds after closing; then rows and records of the item go */
};

extern const struct option retention_options[];

/* `map` may be NULL: the defaults. */
void retention_read(const struct yaml_node *map, struct retention *out, struct diag *diag);

#endif
