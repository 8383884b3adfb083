/* Own words against history: what a customer wrote must stay, what came from elsewhere must go. */
#include "core/mail.h"

#include <criterion/criterion.h>
#include <string.h>

static char *own_words(const char *text, bool *quoted)
{
	bool found;
	g_autoptr(GArray) spans = reply_spans(text, strlen(text), &found);
	GString *out = g_string_new(NULL);
	for (guint i = 0; i < spans->len; i++) {
		const struct span *span = &g_array_index(spans, struct span, i);
		g_string_append_len(out, text + span->offset, span->length);
	}
	if (quoted)
		*quoted = found;
	return g_strstrip(g_string_free(out, FALSE));
}

static void expect_own(const char *text, const char *own)
{
	bool quoted;
	g_autofree char *got = own_words(text, &quoted);
	cr_expect_str_eq(got, own, "of \"%s\"\n got \"%s\"", text, got);
	cr_expect(quoted, "no history seen in \"%s\"", text);
}

static void expect_all_own(const char *text)
{
	bool quoted;
	g_autofree char *got = own_words(text, &quoted);
	g_autofree char *all = g_strstrip(g_strdup(text));
	cr_expect_str_eq(got, all, "of \"%s\"\n got \"%s\"", text, got);
	cr_expect_not(quoted, "history seen in \"%s\"", text);
}

Test(reply, quotes_below_the_answer_go_with_their_attribution)
{
	expect_own("Ja, stimmt.\n\nAm 03.05.2021 um 10:12 schrieb Service:\n> Stimmt das?\n", "Ja, stimmt.");
	expect_own("Ja.\n\nAm Mo., 5. Aug. 2024 um 16:20 schrieb Team 4 <\nteam4@example.org>:\n\n> Frage\n",
	        "Ja.");
	expect_own("Ja.\n> Am 20.12.2022 schrieb Team:\n> Frage", "Ja.");
	expect_own("Yes.\n\nOn Fri, May 6, 2011 at 6:03 PM, Some Body from Some Place\n<some@example.org> "
	           "wrote:\n\n> Q\n",
	        "Yes.");
	expect_own("Ja.\nMax Muster <m@example.org> hat am 03.05.2023 12:04 geschrieben:\nFrage\n", "Ja.");
}

Test(reply, answers_between_quotes_stay)
{
	expect_own("Antworten im Text.\n\n> 1. Neue Anschrift?\nnein\n> 2. Neue Bank?\nja\n",
	        "Antworten im Text.\n\nnein\nja");
	expect_own("Am 03.05.2021 um 10:12 schrieb Service:\n> Frage\n\nMeine Antwort.\n", "Meine Antwort.");
}

Test(reply, separators_and_header_blocks_end_the_own_words)
{
	expect_own("Siehe unten.\n\n-----Ursprüngliche Nachricht-----\nVon: Team\nGesendet: Montag\n\nText\n",
	        "Siehe unten.");
	expect_own("Ok.\n\n________________________________\nVon: A <a@example.org>\nGesendet: Montag, 3. "
	           "Mai 2021 12:04\n"
	           "An: B\nBetreff: C\n\nText",
	        "Ok.");
	expect_own("Ok.\nVon: info@example.org\nBetreff: Rückruf\nGuten Tag", "Ok.");
	expect_own("Ok.\n\n  *Von:* A [mailto:\n  a@example.org]\n  *Gesendet:* 3. Mai 2021 12:04\n  *An:* "
	           "B\n\nText",
	        "Ok.");
	expect_own("Ok.\n\nAnfang der weitergeleiteten Nachricht:\nVon: A\n\nText\n", "Ok.");
	expect_own("Ok.\n\nGesendet: Mittwoch, 10. Mai 2023 um 12:12 Uhr\nVon: \"X\" <x@example.org>\nAn: "
	           "y@example.org\n"
	           "Betreff: Z\nText",
	        "Ok.");
}

/* Lotus Notes, GroupWise, BlackBerry, Samsung, t-online, Outlook on a phone. */
Test(reply, the_heads_of_rarer_programs_end_the_own_words)
{
	expect_own("Ok.\n\n\"Service\" <s@example.org>\n02.05.2023 "
	           "10:12\n\nAn\n<m@example.org>\nKopie\n\nThema\n"
	           "Umzug\n\nalt\n",
	        "Ok.");
	expect_own("Ok.\n\n>>> \"Service\" <s@example.org> 02.05.23 10.12 Uhr >>>\nalt\n", "Ok.");
	expect_own("Ok.\n\n  Originalnachricht  \nVon: Service\nGesendet: Dienstag, 2. Mai 2023 10:12\nAn: m@"
	           "example.org\nBetreff: Umzug\n\nalt",
	        "Ok.");
	expect_own("Ok.\n\nVon meinem/meiner Galaxy gesendet\n\n-------- Ursprüngliche Nachricht "
	           "--------\nVon: A "
	           "<a@example.org>\nDatum: 02.05.23 10:12 (GMT+01:00)\nAn: b@example.org\nBetreff: U\n\nalt",
	        "Ok.");
	expect_own("Ok.\n--\nGesendet mit der Telekom Mail App\n\n--- Original-Nachricht ---\nVon: "
	           "A\nBetreff: U\n"
	           "Datum: 02.05.2023, 10:12 Uhr\nAn: B\n\nalt",
	        "Ok.");
	expect_own(
	        "Ok.\n\nOutlook für iOS beziehen<https://aka.ms/x>\n________________________________\nVon: A "
	        "<a@example.org>\nGesendet: Tuesday, May 2, 2023 10:12:01 AM\nAn: b@example.org\nBetreff: "
	        "U\n\nalt",
	        "Ok.");
}

Test(reply, what_a_gateway_wrote_above_the_mail_goes)
{
	static const char *const mails[] = {"ACHTUNG: Diese E-Mail stammt von einem externen Absender. "
	                                    "Klicken Sie nicht auf Links.\n\nText",
	        "[EXTERN] Diese E-Mail kommt von außerhalb der Organisation.\nText",
	        "CAUTION: This email originated from outside\nof the organization. Do not click "
	        "links.\n\nText"};
	for (size_t i = 0; i < G_N_ELEMENTS(mails); i++) {
		g_autofree char *got = own_words(mails[i], NULL);
		cr_expect_str_eq(got, "Text", "\"%s\"", got);
	}
	expect_all_own("Achtung, ich wohne jetzt außerhalb.\nBitte ändern.\n");
	expect_all_own("Diese Mail kommt von außerhalb, weil ich im Ausland bin.\n");
	expect_all_own("Von der Firma Müller am 02.05.2023 gesendet\nAn\nwen muss ich mich wenden?\n");
}

Test(reply, a_forwarded_mail_alone_has_no_own_words)
{
	expect_own(
	        "-------- Weitergeleitete Nachricht --------\nBetreff: X\nVon: A <a@example.org>\n\nText\n",
	        "");
	expect_own("Von: A <a@example.org>\nGesendet: Montag, 3. Mai 2021 12:04\nAn: b@example.org\nBetreff: "
	           "X\n\nText",
	        "");
}

Test(reply, a_customers_own_words_are_never_taken_for_history)
{
	expect_all_own("Am 12.05.2023 um 10:30 Uhr schrieb mir Frau Müller:\nIch solle die Bescheinigung "
	               "schicken.\n");
	expect_all_own("Abwesend:\nVon: 03.05.2023\nBis: 10.05.2023\n");
	expect_all_own("Von: Max Muster, Hauptstr. 1\nAn: Agentur für Arbeit\nBetreff: Umzug\n\nIch bin "
	               "umgezogen.\n");
	expect_all_own("Von meinem Vermieter habe ich die Kündigung bekommen.\n");
	expect_all_own(
	        "Bitte behandeln Sie diese Nachricht vertraulich.\nDiese Nachricht ist mir sehr wichtig.\n");
	expect_all_own("Neue IBAN:\nDE02 1203 0000 0000 2020 51\n\nMit freundlichen Grüßen\nMax Muster\n");
	expect_all_own("> Ich habe alles\n> in dieses Feld geschrieben.\n");
	expect_all_own("Angebot\n>>> >>> http://example.org <<<\nEnde\n");
}

Test(reply, signatures_and_advertisements_go)
{
	g_autofree char *a = own_words("Text\n\n-- \nMax Muster\nHauptstr. 1\n", NULL);
	cr_expect_str_eq(a, "Text");
	g_autofree char *b = own_words("Text\n\nVon meinem iPhone gesendet\n", NULL);
	cr_expect_str_eq(b, "Text");
	g_autofree char *c = own_words("Text\n---\nGesendet mit der GMX Mail App\n", NULL);
	cr_expect_str_eq(c, "Text");
	g_autofree char *d = own_words(
	        "Text\n\nGesendet von Outlook für Android<https://aka.ms/x>\n\nNoch ein Satz.\n", NULL);
	cr_expect_str_eq(d, "Text\n\n\nNoch ein Satz.");
	g_autofree char *e =
	        own_words("Text\n\nDiese E-Mail enthält vertrauliche und rechtlich geschützte Informationen. "
	                  "Wenn Sie nicht der richtige Adressat sind, löschen Sie sie.\n",
	                NULL);
	cr_expect_str_eq(e, "Text");
	g_autofree char *f =
	        own_words("Text\n-- Diese Nachricht wurde von meinem Android Mobiltelefon mit WEB.DE "
	                  "Mail gesendet.\n",
	                NULL);
	cr_expect_str_eq(f, "Text");
	g_autofree char *g = own_words("Text\n\nVon Proton Mail für iOS gesendet\n", NULL);
	cr_expect_str_eq(g, "Text");
}

Test(reply, the_particulars_of_a_company_go_and_a_customers_address_stays)
{
	g_autofree char *a =
	        own_words("Anbei die Bescheinigung.\n\nMit freundlichen Grüßen\nA. Beispiel\n\nBau GmbH\n"
	                  "Geschäftsführer: B. Muster\nAmtsgericht Nürnberg HRB 12345\nUSt-IdNr. "
	                  "DE123456789\n",
	                NULL);
	cr_expect_str_eq(
	        a, "Anbei die Bescheinigung.\n\nMit freundlichen Grüßen\nA. Beispiel\n\nBau GmbH", "%s", a);
	g_autofree char *b =
	        own_words("Text\nSitz der Gesellschaft: Köln, Registergericht: Köln, HRB 1\n", NULL);
	cr_expect_str_eq(b, "Text");
	expect_all_own("Mein Geschäftsführer: Herr Muster, das Amtsgericht hat mir geschrieben.\n");
	expect_all_own("Neue Adresse ab Mai:\nMax Muster\nLindenweg 3\n90402 Nürnberg\nTel. 0911 "
	               "12345\nSteuernummer: "
	               "12/345\n");
}

Test(reply, a_quoted_line_that_a_client_broke_stays_quoted)
{
	expect_own("Ja.\n> Dies ist eine lange Zeile einer Frage, die der Client an dieser Stelle "
	           "einfach\nabgebrochen hat\n"
	           "> und hier weitergeht\n",
	        "Ja.");
}

Test(reply, hostile_text_takes_linear_time_and_stays_inside)
{
	GString *text = g_string_new(NULL);
	for (int i = 0; i < 200000; i++)
		g_string_append(text, i % 3 ? "Am 3.5. <a@b.de> schrieb:" : "Von: \n");
	bool quoted;
	g_autoptr(GArray) spans = reply_spans(text->str, text->len, &quoted);
	for (guint i = 0; i < spans->len; i++) {
		const struct span *span = &g_array_index(spans, struct span, i);
		cr_assert_leq((size_t)span->offset + span->length, text->len);
	}
	g_string_free(text, TRUE);
}
