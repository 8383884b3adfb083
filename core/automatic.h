/* automatic.h - is this mail a machine's, and if it came back: whose address failed, and why.
 *
 * Rests on RFC 3834, 3464, 8098, 5965, 2919, and on what the many without such headers write. A person's own
 * words stay "no", whatever gateway, form or mailing tool carried them.
 */
#ifndef CORE_AUTOMATIC_H
#define CORE_AUTOMATIC_H

#include "core/item.h"

#include <gmime/gmime.h>

/* Sets message->automatic and message->bounce. Headers, texts and attachments of `message` are there already;
 * `mail` is the parsed tree or NULL. */
void automatic_mark(struct message *message, GMimeMessage *mail);

#endif
