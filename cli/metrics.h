/* metrics.h - how the journal and this process stand, in the Prometheus text format.
 *
 * As a file, replaced whole after each run (the node exporter's textfile collector reads it), and over HTTP
 * for the daemon: GET /metrics and GET /healthz, nothing else, on the address of `metrics.listen`. No
 * personal data: names of the configuration and counts.
 */
#ifndef CLI_METRICS_H
#define CLI_METRICS_H

#include "cli/phases.h"

/* Free with g_free. */
char *metrics_text(struct journal *journal, const struct tally *tally, int64_t now, GError **error);

/* Writes `metrics.file` if the deployment names one. */
bool metrics_write(
        const struct world *world, struct journal *journal, const struct tally *tally, GError **error);

/* The daemon's: a thread that renews file and page, and the listener. */
struct metrics;

/* ERROR_CONFIG if it cannot listen there. Both are borrowed. */
struct metrics *metrics_start(const struct world *world, struct phases *phases, GError **error);
void metrics_stop(struct metrics *metrics); /* takes NULL */

/* "host:port" of metrics.listen: host NULL means every address. False if it is not of that form. */
bool metrics_address(const char *text, char **host, uint16_t *port);

#endif
