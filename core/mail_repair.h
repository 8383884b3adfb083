/* mail_repair.h - bytes made fit for gmime: headers in order, nothing that its parser takes quadratic time or
 * boundless memory for. Used by core/mail.c only. */
#ifndef CORE_MAIL_REPAIR_H
#define CORE_MAIL_REPAIR_H

#include "core/item.h"

/* Where the headers begin: behind empty lines and mailbox "From " lines. */
size_t mail_start(const char *p, size_t size);

/* Do headers stand at the start? */
bool mail_has_headers(const char *p, size_t size);

/* A repaired copy, or NULL if there is nothing to repair; what was done is said in `defects`. Free with
 * g_byte_array_unref. */
GByteArray *mail_repair(struct message *message, const char *p, size_t size);

#endif
