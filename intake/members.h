/* members.h - the connectors that the table in connector.c names; each in the file of its name. */
#ifndef INTAKE_MEMBERS_H
#define INTAKE_MEMBERS_H

#include "intake/connector.h"

extern const struct connector connector_eservice; /* http_queue.c */
extern const struct connector connector_imap;     /* imap.c */
extern const struct connector connector_maildir;  /* maildir.c */
extern const struct connector connector_postbox;  /* http_queue.c */

#endif
