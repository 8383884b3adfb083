/* automatic_words.c - phrase tables, German first. A single phrase never decides where a customer could have
 * written it as well: "Abwesenheit" in a subject is what this office gets every day. */
#include "core/automatic_words.h"
#include "core/fold.h"

#include <glib.h>
#include <string.h>

#define MAX_NOTE 2500 /* bytes; absence notes and receipts are short */

bool subject_says_reply(const char *subject)
{
	static const char *const starts[] = {"automatische antwort:", "automatische antwort auf",
	        "automatische antwort -", "automatische antwort (", "automatische rückantwort",
	        "automatische eingangsbestätigung", "automatische abwesenheit", "autom. antwort",
	        "out of office", "out-of-office", "out of the office", "automatic reply", "automated reply",
	        "auto-reply", "autoreply", "auto reply", "auto:", "auto-antwort", "autoantwort",
	        "auto response", "autoresponse", "auto-response", "automated response", "automatic response",
	        "réponse automatique", "message d'absence", "risposta automatica", "respuesta automática",
	        "automatisch antwoord", "automatyczna odpowiedź", "ooo:", "[auto-reply]", "[autoreply]",
	        "[automatische antwort]", "vacation reply", "vacation message", "away from my mail",
	        "notification d'absence", "absence du bureau", "automatiskt svar", "automatisk svar", NULL};
	return fold_starts(subject, starts) || strcmp(subject, "automatische antwort") == 0;
}

/* A mail program writes "Abwesenheitsnotiz: (subject of our mail)"; customers use these words as well. */
static bool subject_says_absence(const char *subject)
{
	static const char *const starts[] = {"abwesenheitsnotiz", "abwesenheitsmeldung",
	        "abwesenheitsbenachrichtigung", "abwesenheitsassistent", "abwesenheitsinfo",
	        "abwesenheitsmail", NULL};
	return fold_starts(subject, starts);
}

bool subject_is_answer(const char *subject)
{
	static const char *const starts[] = {
	        "re:", "aw:", "antw:", "fw:", "fwd:", "wg:", "antwort:", "re :", "aw :", "re[", "sv:", NULL};
	return fold_starts(subject, starts);
}

/* Words with which customers tell of an absence of their own; a machine's note has none of them. */
static bool is_customers_absence(const char *text)
{
	static const char *const words[] = {"kundennummer", "kundennr", "ortsabwesen", "mitteilen",
	        "hiermit melde", "genehmig", "beantrage", "arbeitslos", "arbeitsuchend", "vermittl",
	        "bewilligt", "bitte um rückruf", "bitte um kurze", "bitte um best", "bitte um zu", "darf ich",
	        "in ordnung", "krankgeschrieben", "arbeitsunfähig", "leistungsbezug", "ist das so", "zusage",
	        "zustimm", "abmelden", "melde mich ab", "mich ab", "jobcenter", "agentur", "erlaub",
	        "maßnahme", "bewerbung", NULL};
	return fold_has(text, words);
}

static bool thanks_for_mail(const char *text)
{
	static const char *const words[] = {"danke für ihre mail", "danke für ihre e-mail",
	        "danke für ihre email", "danke für ihre nachricht", "danke für deine mail",
	        "danke für deine nachricht", "dank für ihre mail", "dank für ihre e-mail",
	        "dank für ihre email", "dank für ihre nachricht", "dank für deine", "dank für eure",
	        "danke für eure", "danke für die nachricht", "dank für die nachricht",
	        "thank you for your mail", "thank you for your e-mail", "thank you for your email",
	        "thank you for your message", "thanks for your email", "thanks for your mail",
	        "thanks for your message", "thanks for writing", "merci pour votre message",
	        "merci pour votre mail", "sehr geehrter absender", NULL};
	return fold_has(text, words);
}

/* What only somebody says whose mailbox answers by itself. */
static unsigned mailbox_cues(const char *text)
{
	static const char *const words[] = {"zugriff auf meine", "zugriff auf mein", "lese keine",
	        "lese meine", "weitergeleitet", "nicht gelesen", "meine vertretung", "meiner vertretung",
	        "zur vertretung", "mein team", "meine kolleg", "meinen kolleg", "mein kolleg",
	        "eingehende nachricht", "eingehende e-mail", "nicht im büro", "schreibtisch", "vertritt mich",
	        "nicht am arbeitsplatz", "außer haus", "nicht im haus", "kann ihre nachricht",
	        "kann ihre e-mail", "ihre e-mail erreicht mich", "ihre nachricht erreicht mich",
	        "wieder mails", "wieder für sie da", "nicht besetzt", "automatische antwort",
	        "antwort wurde automatisch", "automatische nachricht", "limited access", "no access to",
	        "will respond", "out of office", "out of the office", "in my absence", "my colleague",
	        "back in the office", "be returning", "this inbox", "automatic reply",
	        "automatically generated reply", NULL};
	return fold_count(text, words);
}

static unsigned absence_cues(const char *text)
{
	static const char *const words[] = {"in dringenden", "in eiligen", "rückkehr", "notf", "urlaub",
	        "abwesen", "ich zurück", "wieder zurück", "zurück bin", "zurück am", "wieder da",
	        "nicht erreichbar", "nicht zu erreichen", "verreist", "wenden sie sich", "betriebsferien",
	        "annual leave", "on vacation", "on leave", "urgent", "will be back", "return on",
	        "away until", "absent", "de retour", "congé", "elternzeit", "zur kur", "geschlossen", NULL};
	return fold_count(text, words);
}

bool text_is_absence_note(const char *subject, const char *text)
{
	static const char *const subjects[] = {"nicht im büro", "außer haus", "im urlaub", "abwesen",
	        "out of office", "vacation", "nicht erreichbar", "urlaub", "nicht im haus", "away", "ferien",
	        "on leave", NULL};
	if (strlen(text) > MAX_NOTE)
		return false;
	bool thanks = thanks_for_mail(text), told = fold_has(subject, subjects);
	if ((subject_is_answer(subject) && !thanks) || is_customers_absence(text))
		return false;
	unsigned mailbox = mailbox_cues(text) + (strstr(subject, "nicht im büro") != NULL),
	         absence = absence_cues(text);
	bool named = subject_says_absence(subject) || g_str_has_prefix(text, "abwesenheitsnotiz");
	if (named)
		return strchr(subject, ':') || mailbox + absence > 0;
	return (mailbox >= 2 && absence > 0) || (mailbox > 0 && absence > 0 && (thanks || told));
}

bool text_is_receipt(const char *subject, const char *text)
{
	static const char *const received[] = {"ist bei uns eingegangen", "bei uns eingegangen",
	        "haben wir erhalten", "haben ihre nachricht erhalten", "haben ihre e-mail erhalten",
	        "haben ihre anfrage erhalten", "eingangsbestätigung", "wurde eine ticketnummer",
	        "ticketnummer", "ticket-nummer", "wurde erfasst", "wurde unter der", "vorgangsnummer",
	        "has been received", "have received your", "we received your", "besprechungsanfrage wurde",
	        "meeting request was", "terminanfrage wurde", "request has been", "ticket has been", NULL};
	static const char *const machine[] = {"automatisch", "antworten sie nicht auf diese",
	        "antworten sie bitte nicht auf", "automatic", "automated", "do not reply", "systemgeneriert",
	        "maschinell", NULL};
	static const char *const subjects[] = {"eingangsbestätigung", "[ticket", "ticket#",
	        "empfangsbestätigung ihrer", "[case", "[request", NULL};
	if (strlen(text) > MAX_NOTE ||
	        text_is_first_person(text)) /* "jedes Mal kam eine automatische Eingangsbestätigung" */
		return false;
	bool answer = subject_is_answer(subject) && !fold_has(subject, subjects);
	return fold_has(text, received) && (fold_has(text, machine) || fold_has(subject, subjects)) &&
	       !(answer && !fold_has(text, machine));
}

/* At the beginning or as a sentence of its own; "Ich bekam: Dies ist eine …" is a person's. */
bool text_is_automatic_answer(const char *text)
{
	static const char *const phrases[] = {"diese antwort wurde automatisch",
	        "diese antwort wird automatisch", "dies ist eine automatische antwort",
	        "dies ist eine automatisch generierte antwort", "dies ist eine automatisch erstellte antwort",
	        "dies ist eine automatisierte antwort", "this is an automated reply",
	        "this is an automatic reply", "this is an auto-reply", "this is an automated response",
	        "this is an automatic response", "ceci est une réponse automatique", NULL};
	if (strlen(text) > MAX_NOTE)
		return false;
	for (const char *const *phrase = phrases; *phrase; phrase++) {
		const char *at = strstr(text, *phrase);
		const char *before = at;
		while (before > text && strchr(" *-#[(", before[-1]))
			before--;
		if (at && (before == text || strchr(".!?", before[-1])))
			return true;
	}
	return false;
}

bool text_says_automatic(const char *text)
{
	static const char *const words[] = {"automatisch erstellt", "automatisch generiert",
	        "automatisch erzeugt", "automatisch versandt", "automatisch versendet",
	        "automatische benachrichtigung", "automatische nachricht", "automatische e-mail",
	        "maschinell erstellt", "systemseitig erstellt", "antworten sie nicht auf diese",
	        "antworten sie bitte nicht auf diese", "nicht auf diese e-mail", "automatically generated",
	        "automated message", "automatic notification", "do not reply to this", "please do not reply",
	        "please don't reply", "cet e-mail a été envoyé automatiquement", "keine antwort auf diese",
	        "vom system automatisch", NULL};
	return fold_has(text, words);
}

bool text_is_read_receipt(const char *subject, const char *text)
{
	static const char *const starts[] = {"gelesen:", "read:", "lesebestätigung",
	        "nicht gelesen:", "not read:", "return receipt", "read receipt",
	        "empfangsbestätigung (angezeigt)", "ungelesen gelöscht:", "lu :", "lu:", NULL};
	static const char *const words[] = {"wurde gelesen", "was read on", "wurde am", "gelesen am",
	        "gelesen.", "return receipt", "lesebestätigung", "empfangsbestätigung", "has been displayed",
	        "angezeigt", "ungelesen gelöscht", "was deleted without", "was displayed", NULL};
	return fold_starts(subject, starts) && strlen(text) < 1500 && (!*text || fold_has(text, words));
}

bool sender_takes_no_answer(const char *email)
{
	static const char *const locals[] = {"noreply", "no-reply", "no_reply", "no.reply", "donotreply",
	        "do-not-reply", "do_not_reply", "nicht-antworten", "nichtantworten", "keine-antwort",
	        "keineantwort", "wordpress@", "www-data@", "apache@", "notification", "benachrichtigung",
	        "automailer", "autoresponder", "mailrobot", "nepasrepondre", "ne-pas-repondre", "noresponse",
	        "no-response", "bitte-nicht-antworten", "bounces+", "nobody@", "root@", "cron@", "nagios@",
	        "icinga@", "monitoring@", "alert@", "alerts@", "system@", NULL};
	g_autofree char *lower = g_ascii_strdown(email ? email : "", -1);
	char *at = strchr(lower, '@');
	if (at)
		at[1] = '\0';
	return fold_has(lower, locals);
}

bool is_carried_message(const char *from, const char *subject, const char *text)
{
	static const char *const senders[] = {"fax", "scan", "kopierer", "mfp", "voicemail", "voice",
	        "anrufbeantworter", "sprachbox", "egvp", "bebpo", "demail", "de-mail", "kontaktformular",
	        "formular", "webform", "contact", "gateway", "mailbox-", "sprachnachricht", "ricoh", "konica",
	        "kyocera", "xerox", NULL};
	static const char *const subjects[] = {"fax von", "fax from", "neues fax", "telefax", "scan von",
	        "gescannt", "scanned", "kontaktformular", "kontaktanfrage", "formular", "sprachnachricht",
	        "voicemail", "voice mail", "egvp", "nachricht über", "anfrage über", "neue nachricht von",
	        "contact form", "anruf von", "anrufbeantworter", "sprachbox", "webformular",
	        "online-formular", "einladung:", "angenommen:", "abgelehnt:", "mit vorbehalt:", NULL};
	static const char *const fields[] = {"name:", "vorname:", "nachname:", "e-mail:", "email:",
	        "telefon:", "nachricht:", "anliegen:", "ihre nachricht:", "betreff:", "kundennummer:",
	        "anschrift:", "mitteilung:", "message:", "phone:", NULL};
	g_autofree char *lower = g_ascii_strdown(from ? from : "", -1);
	if (fold_has(lower, senders) || fold_has(subject, subjects))
		return true;
	return fold_count(text, fields) >= 3 || strstr(text, "über das kontaktformular") ||
	       strstr(text, "hat ihnen eine nachricht");
}

bool text_is_first_person(const char *text)
{
	static const char *const words[] = {" ich ", " mein", " mir ", " mich ", NULL};
	return g_str_has_prefix(text, "ich ") || fold_has(text, words);
}

bool text_is_business(const char *text)
{
	static const char *const words[] = {"kundennummer", "kunden-nr", "kd-nr", "kdnr", "betriebsnummer",
	        "aktenzeichen", "bitte ändern", "neue anschrift", "neue adresse", "neue bankverbindung",
	        "konto de", "iban", "arbeitsbescheinigung", "bescheinigung", "mitarbeiter", "arbeitsvertrag",
	        "kündigung", NULL};
	return fold_has(text, words);
}

bool text_is_bulk(const char *text)
{
	static const char *const words[] = {"abmelden", "abbestellen", "austragen", "unsubscribe",
	        "newsletter", "im browser", "view in browser", "weitere angebote", "keine weiteren",
	        "keine e-mails mehr", "aus dem verteiler", "opt-out", "abmeldelink", "gratis", "rabatt",
	        "gutschein", "jetzt sparen", "impressum", "désabonner", "email preferences", "abonn", NULL};
	return fold_has(text, words);
}
