/* bounce.h - mails of ours that came back, or are late: with a report (RFC 3464) and with nothing but prose.
 */
#ifndef CORE_BOUNCE_H
#define CORE_BOUNCE_H

#include "core/item.h"

#include <gmime/gmime.h>

/* What the parts of a mail say about deliveries, mails in the mail left aside. */
struct delivery_report {
	bool report;               /* a message/delivery-status part is there */
	bool bad, good;            /* it tells of a failure or delay; of a success */
	char *recipient;           /* of the first failure, else of the first delay */
	char *status, *action;     /* as the report says; lower case; may be NULL */
	char *original_message_id; /* of the returned mail or its headers */
	char *original_to;         /* To of the returned mail, or NULL */
	bool returned;             /* the mail or its headers came back as a part */
};

struct delivery_report *delivery_report_read(GMimeMessage *mail);
void delivery_report_free(struct delivery_report *delivery);
AUTO_FREE(delivery_report);

/* Is the sender a mail system: MAILER-DAEMON, postmaster, "Mail Delivery System"? */
bool is_mail_system(const char *from_name, const char *from_email);

/* Phrases of mail systems, in folded text: lower case, single blanks. */
bool bounce_subject(const char *subject);
bool bounce_text(const char *text);
/* Only a machine writes "delivery to the following recipients failed", with an address. */
bool bounce_formula(const char *text);
bool is_mailer_daemon(const char *from_email);
bool delay_text(const char *subject, const char *text);

/* The bounce of a mail that is one. `message` has subject, text and recipients. Never NULL. */
struct bounce *bounce_build(const struct message *message, const struct delivery_report *delivery,
        const char *failed, const char *sent_to);

#endif
