/* installation.h - the deployment file's sections, opened when a command needs them.
 *
 * A command reads only the sections it uses: `activate` on an admin's machine needs the journal, not the
 * password of the SMTP server. What is wrong is ERROR_CONFIG with all lines of that section.
 */
#ifndef CLI_INSTALLATION_H
#define CLI_INSTALLATION_H

#include "cli/command.h"
#include "config/deployment.h"
#include "facts/provider.h"
#include "intake/sources.h"
#include "journal/journal.h"
#include "sinks/sink.h"

struct installation;

/* Finds and reads the deployment file; sets up logging as it says. ERROR_CONFIG if there is only a bundle. */
struct installation *installation_open(const struct invocation *invocation, GError **error);
void installation_free(struct installation *installation);
AUTO_FREE(installation);

const struct deployment *installation_deployment(const struct installation *installation);

/* The `journal:` section as options; borrowed, live as long as the installation. The embedded default makes
 * its own pseudonym key (FILE.key) the first time. */
const struct journal_options *installation_journal_options(struct installation *installation, GError **error);
/* A handle for this thread. */
struct journal *installation_journal(struct installation *installation, GError **error);

/* The other sections, read at the first call; borrowed. */
const struct facts_config *installation_facts(struct installation *installation, GError **error);
const struct sinks *installation_sinks(struct installation *installation, GError **error);
const GPtrArray *installation_sources(struct installation *installation, GError **error);

/* All sections at once, for `check`: findings go to diag. */
void installation_check(const struct deployment *deployment, struct diag *diag);

extern const struct option journal_section[]; /* the `journal:` section, for check and the manual */

#endif
