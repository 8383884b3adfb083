/* Machines against persons: who wrote, and whose address failed. */
#include "core/mail.h"

#include <criterion/criterion.h>
#include <string.h>

static struct message *decode(const char *text, const char *envelope_from)
{
	mail_setup();
	g_autoptr(GBytes) raw = g_bytes_new(text, strlen(text));
	return mail_decode(raw, envelope_from);
}

static void expect(const char *text, enum automatic automatic)
{
	AUTO(message) m = decode(text, NULL);
	cr_expect_eq(m->automatic, automatic, "got %s for\n%s", automatic_name(m->automatic), text);
}

#define TO "To: service@agentur.example.org\n"
#define DSN(action, status)                                                                                  \
	"Return-Path: <>\nFrom: MAILER-DAEMON@mx.example.org\n" TO "Subject: Undelivered\n"                  \
	"Content-Type: multipart/report; report-type=delivery-status; boundary=b\n\n--b\n\nnot "             \
	"delivered\n--b\n"                                                                                   \
	"Content-Type: message/delivery-status\n\nReporting-MTA: dns; mx.example.org\n\n"                    \
	"Final-Recipient: rfc822; kunde@example.net\nAction: " action "\nStatus: " status "\n\n--b\n"        \
	"Content-Type: message/rfc822\n\nFrom: service@agentur.example.org\nMessage-ID: "                    \
	"<unsere@agentur>\n\nx\n--b--\n"

Test(automatic, a_delivery_report_names_recipient_status_action_and_our_mail)
{
	AUTO(message) m = decode(DSN("failed", "5.1.1 (unknown)"), NULL);
	cr_assert_eq(m->automatic, AUTOMATIC_BOUNCE);
	cr_expect_str_eq(m->bounce->recipient, "kunde@example.net");
	cr_expect_str_eq(m->bounce->status, "5.1.1");
	cr_expect_str_eq(m->bounce->action, "failed");
	cr_expect_str_eq(m->bounce->original_message_id, "unsere@agentur");
	cr_expect_str_eq(m->bounce->envelope_to, "service@agentur.example.org");
}

Test(automatic, a_warning_is_a_delayed_bounce_and_a_success_is_a_report)
{
	AUTO(message) late = decode(DSN("delayed", "4.4.1"), NULL);
	cr_assert_eq(late->automatic, AUTOMATIC_BOUNCE);
	cr_expect_str_eq(late->bounce->action, "delayed");
	AUTO(message) good = decode(DSN("delivered", "2.0.0"), NULL);
	cr_expect_eq(good->automatic, AUTOMATIC_REPORT);
	cr_expect_null(good->bounce);
}

Test(automatic, prose_bounces_are_read)
{
	AUTO(message)
	m = decode("From: MAILER-DAEMON@mail.example.org\n" TO "Subject: failure notice\n\n"
	           "Hi. This is the qmail-send program. I wasn't able to deliver your message.\n\n"
	           "<kunde@example.net>:\nSorry, no mailbox here by that name. (#5.1.1)\n\n"
	           "--- Below this line is a copy of the message.\n\nMessage-ID: <unsere@agentur>\n",
	        NULL);
	cr_assert_eq(m->automatic, AUTOMATIC_BOUNCE);
	cr_expect_str_eq(m->bounce->recipient, "kunde@example.net");
	cr_expect_str_eq(m->bounce->status, "5.1.1");
	cr_expect_str_eq(m->bounce->original_message_id, "unsere@agentur");
}

Test(automatic, exchange_in_german_says_it_in_its_own_words)
{
	AUTO(message)
	m = decode(
	        "From: Systemadministrator <postmaster@example.org>\n" TO "Subject: Unzustellbar:Umzug\n"
	        "Content-Type: text/plain; charset=utf-8\n\n"
	        "Ihre Nachricht hat einige oder alle Empfänger nicht erreicht.\n\nFolgende(r) Empfänger kann/"
	        "können nicht erreicht werden:\n\n    kunde@example.net am 02.05.2023 10:12\n",
	        NULL);
	cr_assert_eq(m->automatic, AUTOMATIC_BOUNCE);
	cr_expect_str_eq(m->bounce->recipient, "kunde@example.net");
}

Test(automatic, an_answer_that_calls_itself_automatic_is_one)
{
	expect("From: a@example.org\n" TO
	       "Subject: Re: x\n\nDieses Postfach wird nicht mehr gelesen. Meine neue "
	       "Adresse: b@example.org. Diese Antwort wurde automatisch erzeugt.\n",
	        AUTOMATIC_REPLIED);
	expect("From: a@example.org\n" TO
	       "Subject: Re: x\n\nIch bekomme immer nur: Dies ist eine automatische "
	       "Antwort. Wann meldet sich jemand?\n",
	        AUTOMATIC_NO);
}

Test(automatic, a_person_who_writes_about_a_bounce_is_a_person)
{
	expect("From: Max <max@example.org>\n" TO "Subject: Fw: Undelivered Mail Returned to Sender\n\n"
	       "meine Mail kam zurück, siehe unten.\n\n> <a@b.de>: 550 5.1.1 User unknown\n",
	        AUTOMATIC_NO);
	expect("From: Max <max@example.org>\n" TO "Subject: Unzustellbar: Ihr Brief\n\n"
	       "der Brief kam unzustellbar zurück, ich bin umgezogen.\n",
	        AUTOMATIC_NO);
}

Test(automatic, reports_are_no_bounces)
{
	expect("From: a@example.org\n" TO "Subject: Gelesen: x\nContent-Type: multipart/report; "
	       "report-type=disposition-notification; boundary=b\n\n--b\n\ngelesen\n--b\n"
	       "Content-Type: message/disposition-notification\n\nDisposition: "
	       "manual-action/MDN-sent-manually; displayed\n\n--b--\n",
	        AUTOMATIC_REPORT);
	expect("From: fbl@example.org\n" TO "Subject: FW: x\nContent-Type: multipart/report; "
	       "report-type=feedback-report; boundary=b\n\n--b\n\nx\n--b\nContent-Type: "
	       "message/feedback-report\n\n"
	       "Feedback-Type: abuse\n\n--b--\n",
	        AUTOMATIC_REPORT);
	expect("From: noreply-dmarc@example.org\n" TO
	       "Subject: Report Domain: x\nContent-Type: application/gzip\n"
	       "Content-Disposition: attachment; filename=\"a.example!b.example!1!2.xml.gz\"\n\nx\n",
	        AUTOMATIC_REPORT);
}

Test(automatic, absence_notes_are_replies_with_and_without_headers)
{
	expect("From: a@example.org\n" TO "Subject: Re: x\nAuto-Submitted: auto-replied\n\nBin weg.\n",
	        AUTOMATIC_REPLIED);
	expect("From: a@example.org\n" TO "Subject: x\nPrecedence: auto_reply\n\nBin weg.\n",
	        AUTOMATIC_REPLIED);
	expect("From: a@example.org\n" TO "Subject: Automatische Antwort: x\n\nBin weg.\n",
	        AUTOMATIC_REPLIED);
	expect("From: a@example.org\n" TO
	       "Subject: Weihnachten\n\nVielen Dank für Ihre Nachricht. Ich bin im Urlaub und "
	       "habe keinen Zugriff auf meine Mails. In dringenden Fällen wenden Sie sich an meine "
	       "Vertretung.\n",
	        AUTOMATIC_REPLIED);
	expect("From: t@example.org\n" TO "Subject: [Ticket#1] x\nAuto-Submitted: auto-generated\n"
	       "In-Reply-To: <1@vz.agentur.example.org>\n\nWir melden uns.\n",
	        AUTOMATIC_REPLIED);
}

Test(automatic, a_customers_notice_of_absence_is_a_persons)
{
	expect("From: a@example.org\n" TO
	       "Subject: Abwesenheitsmeldung\n\nSehr geehrter Herr Fricke, ich möchte mich vom "
	       "21.12. bis 3.1. abmelden. Bitte um kurze Zustimmung.\n",
	        AUTOMATIC_NO);
	expect("From: a@example.org\n" TO
	       "Subject: Urlaub\n\nVielen Dank für Ihre Nachricht. Ich bin vom 3. bis 10. August "
	       "im Urlaub und nicht erreichbar. Nach meiner Rückkehr melde ich mich.\n",
	        AUTOMATIC_NO);
	expect("From: a@example.org\n" TO
	       "Subject: AW: Automatische Antwort: x\n\nDanke für die Bestätigung.\n",
	        AUTOMATIC_NO);
}

Test(automatic, machines_without_a_mail_of_ours_are_generated)
{
	expect("From: noreply@shop.example.org\n" TO "Subject: Ihre Sendung\n\nIhr Paket kommt heute.\n",
	        AUTOMATIC_GENERATED);
	expect("From: nagios@example.org\n" TO "Subject: DOWN\nAuto-Submitted: auto-generated\n\nhost down\n",
	        AUTOMATIC_GENERATED);
}

Test(automatic, gateways_that_carry_a_persons_words_are_no_machines)
{
	expect("From: noreply@agentur.example.org\nReply-To: Branka <b@example.net>\n" TO
	       "Subject: Kontaktformular\n\n"
	       "Name: Branka\nE-Mail: b@example.net\nNachricht: Ich bin umgezogen.\n",
	        AUTOMATIC_NO);
	expect("From: faxgateway@example.org\n" TO
	       "Subject: Fax von 0341 555\nPrecedence: bulk\n\n2 Seiten\n",
	        AUTOMATIC_NO);
	expect("From: a@example.org\n" TO
	       "Subject: Umzug\nList-Unsubscribe: <https://x>\nPrecedence: bulk\n\n"
	       "Bitte ändern Sie: neue Anschrift Ziegeleiweg 19. Konto DE02 1203 0000 0000 2020 51.\n",
	        AUTOMATIC_NO);
}

Test(automatic, lists_are_told_by_their_headers)
{
	expect("From: a@example.org\n" TO "Subject: [liste] x\nList-Id: <liste.example.org>\n\nHallo\n",
	        AUTOMATIC_LIST);
	expect("From: a@example.org\n" TO
	       "Subject: Angebot\nList-Unsubscribe: <https://x>\n\nJetzt sparen, hier abmelden\n",
	        AUTOMATIC_LIST);
}

Test(automatic, text_alone_is_judged_without_headers)
{
	cr_expect_eq(automatic_from_text(
	                     "mailer-daemon@example.org", "Undelivered Mail", "could not be delivered"),
	        AUTOMATIC_BOUNCE);
	cr_expect_eq(
	        automatic_from_text("a@example.org", "Automatische Antwort: x", "weg"), AUTOMATIC_REPLIED);
	cr_expect_eq(automatic_from_text("a@example.org", "Umzug", "Ich ziehe um."), AUTOMATIC_NO);
	cr_expect_eq(automatic_from_text(NULL, NULL, NULL), AUTOMATIC_NO);
}
