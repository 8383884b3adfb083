/* automatic.c - headers first, words last. */
#include "core/automatic.h"
#include "core/mail.h"

#include <string.h>

void automatic_mark(struct message *message, GMimeMessage *mail)
{
	(void)mail;
	message->automatic = automatic_from_text(message->from_email, message->subject, message->text);
}

enum automatic automatic_from_text(const char *from_email, const char *subject, const char *text)
{
	static const char *const replied[] = {
	        "abwesenheitsnotiz", "automatische antwort", "out of office", NULL};
	(void)text;
	if (from_email && g_ascii_strncasecmp(from_email, "mailer-daemon@", 14) == 0)
		return AUTOMATIC_BOUNCE;
	g_autofree char *lower = g_utf8_casefold(subject ? subject : "", -1);
	for (const char *const *word = replied; *word; word++)
		if (g_str_has_prefix(lower, *word))
			return AUTOMATIC_REPLIED;
	return AUTOMATIC_NO;
}
