/* automatic_words.h - what machines write where no header tells: absence notes, receipts, notices,
 * newsletters; and by what a person's own message is known. All texts are folded: lower case, single blanks.
 */
#ifndef CORE_AUTOMATIC_WORDS_H
#define CORE_AUTOMATIC_WORDS_H

#include <stdbool.h>

/* "Automatische Antwort: …", "Abwesenheitsnotiz", "Out of Office": at the start of the subject. */
bool subject_says_reply(const char *subject);
/* "AW: …", "Fwd: …": a person answers or passes on. */
bool subject_is_answer(const char *subject);
/* The text of an absence note or a receipt that a machine sends. */
bool text_is_absence_note(const char *subject, const char *text);
bool text_is_receipt(const char *subject, const char *text);
/* "Dies ist eine automatische Antwort." */
bool text_is_automatic_answer(const char *text);
/* "Diese Nachricht wurde automatisch erstellt": the text says of itself that a machine wrote it. */
bool text_says_automatic(const char *text);
/* Read receipts and delivery receipts without MIME. */
bool text_is_read_receipt(const char *subject, const char *text);
/* "ich", "mein": somebody speaks of himself. */
bool text_is_first_person(const char *text);
/* A change, a number, an account: what a customer or employer has to do with this office. */
bool text_is_business(const char *text);
/* "noreply@", "benachrichtigung@" */
bool sender_takes_no_answer(const char *email);
/* Fax, scan, voice mail, web form, court mailbox: a machine carries a person's message. */
bool is_carried_message(const char *from, const char *subject, const char *text);
/* "Abmelden", "unsubscribe", offers: the text of a newsletter or advertisement. */
bool text_is_bulk(const char *text);

#endif
