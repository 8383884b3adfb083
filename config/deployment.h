/* deployment.h - the deployment file: where this installation's sources, journal, sinks and facts are.
 *
 * The file names the bundle folder (what decides); everything else in it says how to reach the world. The
 * family sections stay YAML nodes here and are read with the option tables of intake/, journal/, sinks/ and
 * facts/. Found by --config, $POSTEINGANG_CONFIG, ./config/, /etc/posteingang/, else the shipped bundle
 * alone.
 */
#ifndef CONFIG_DEPLOYMENT_H
#define CONFIG_DEPLOYMENT_H

#include "config/option.h"

#define DEPLOYMENT_FILE "posteingang.yaml"

struct limits {
	int64_t item_size;               /* bytes kept in memory for one item; larger ones are streamed */
	int64_t hard_cap;                /* bytes; larger ones stay at the source with a standing task */
	int64_t batch;                   /* items a transaction */
	int64_t lease;                   /* seconds a claim holds without renewal */
	int64_t attempts;                /* of a delivery before it becomes a dead letter */
	int64_t retry_first, retry_most; /* seconds: bounds of the exponential back-off */
	int64_t clock_tolerance;         /* seconds an item may seem to come from the future */
	int64_t poll;                    /* seconds between two rounds of the daemon */
	int64_t workers;                 /* threads */
};

struct deployment {
	char *file; /* NULL: no deployment file, only a bundle */
	char *bundle_folder;
	struct yaml_file *yaml;
	const struct yaml_node *journal, *sources, *sinks, *facts, *seal, *retention; /* NULL if absent */
	struct limits limits;
	int log_level;  /* enum log_level */
	int log_format; /* enum log_format */
	char *metrics_file, *metrics_listen;
	char *instance_note; /* free text for `status`, or NULL */
};

extern const struct option deployment_options[]; /* the top level, for manual and sample */
extern const struct option limits_options[];

/* Looks where the manual says. `wanted` is the value of --config or NULL. Findings go to diag; NULL only if
 * the named file or folder cannot be read. */
struct deployment *deployment_load(const char *wanted, struct diag *diag, GError **error);
void deployment_free(struct deployment *deployment);
AUTO_FREE(deployment);

/* The folder of the bundle that is shipped with this build or installation. Free with g_free. */
char *shipped_bundle_folder(void);

#endif
