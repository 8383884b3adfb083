/* The analyser as routing sees it, with the shipped bundle: findings, doubt, marks, evidence. */
#include "classifier_support.h"
#include "classifiers/analyse.h"
#include "classifiers/analyse_html.h"
#include "core/date.h"

#include <criterion/criterion.h>
#include <string.h>

static struct analyser *analyser;
static struct analyser_scratch *scratch;

static void setup(void)
{
	AUTO(bundle) bundle = shipped_bundle();
	AUTO(diag) diag = diag_new();
	analyser = analyser_load(bundle, diag);
	g_autofree char *text = diag_text(diag);
	cr_assert_not_null(analyser, "%s", text);
	scratch = analyser_scratch_new(analyser);
}

static void teardown(void)
{
	analyser_scratch_free(scratch);
	analyser_free(analyser);
}

TestSuite(analyse, .init = setup, .fini = teardown);

static struct findings *read_text(const char *subject, const char *text)
{
	AUTO(message) message = text_message(subject, text);
	return analyse(analyser, scratch, message);
}

Test(analyse, what_people_write_without_a_keyword_is_found)
{
	AUTO(findings)
	absence = read_text("Bescheid", "bin vom 3. bis 17. August bei meiner Mutter in Izmir");
	cr_assert_not_null(findings_find(absence, "ortsabwesenheit"));
	cr_assert_eq(absence->absence_days, 15);
	AUTO(findings)
	account = read_text(NULL, "bitte künftig aufs Konto meiner Frau DE02120300000000202051");
	cr_assert_not_null(findings_find(account, "zahlungsverbindung"));
}

Test(analyse, an_empty_message_has_neither_finding_nor_doubt)
{
	static const char *const empty[] = {NULL, "", " \n\t\n", "!!! ... ???"};
	for (size_t i = 0; i < G_N_ELEMENTS(empty); i++) {
		AUTO(findings) findings = read_text(empty[i], empty[i]);
		cr_assert_eq(findings->concerns->len, 0);
		cr_assert_not(findings->doubt);
	}
}

Test(analyse, what_cannot_be_decoded_is_doubt)
{
	AUTO(message) message = text_message(NULL, "");
	message->undecodable = true;
	AUTO(findings) findings = analyse(analyser, scratch, message);
	cr_assert(findings->doubt);
	cr_assert_str_eq(findings->doubt_reason, "undecodable");
}

static struct message *form_message(const char *kind, int32_t from, int32_t to, const char *text)
{
	struct message *message = text_message(NULL, NULL);
	message->channel = CHANNEL_ESERVICE;
	message->form = form_new();
	message->form->type = FORM_VERAENDERUNG;
	message->form->kind = g_strdup(kind);
	message->form->from = from;
	message->form->to = to;
	message->form->text = g_strdup(text);
	return message;
}

Test(analyse, a_form_kind_is_known_by_its_public_name_and_an_unknown_one_is_doubt)
{
	AUTO(message) move = form_message("Neue Anschrift", DAY_NONE, DAY_NONE, NULL);
	AUTO(findings) found = analyse(analyser, scratch, move);
	cr_assert_eq(found->concerns->len, 1);
	const struct finding *finding = findings_find(found, "umzug");
	cr_assert_not_null(finding);
	cr_assert_eq(finding->score, SCORE_MAX);
	const struct evidence *evidence = g_ptr_array_index(finding->evidence, 0);
	cr_assert_str_eq(evidence->field, "form.kind");
	cr_assert_not(found->doubt);
	AUTO(message) other = form_message("Haustierwechsel", DAY_NONE, DAY_NONE, NULL);
	AUTO(findings) unknown = analyse(analyser, scratch, other);
	cr_assert(unknown->doubt);
	cr_assert_str_eq(unknown->doubt_reason, "unknown_form_kind");
}

Test(analyse, the_length_of_an_absence_counts_both_days_and_an_end_before_the_start_is_doubt)
{
	int32_t first = day_from_civil(2024, 7, 1);
	AUTO(message) three = form_message("ortsabwesenheit", first, first + 20, NULL);
	AUTO(findings) a = analyse(analyser, scratch, three);
	cr_assert_eq(a->absence_days, 21);
	cr_assert_not(a->doubt);
	AUTO(message) wrong = form_message("ortsabwesenheit", first, first - 1, NULL);
	AUTO(findings) b = analyse(analyser, scratch, wrong);
	cr_assert(b->doubt);
	cr_assert_str_eq(b->doubt_reason, "dates");
	cr_assert_eq(b->absence_days, -1);
	AUTO(message) open = form_message("ortsabwesenheit", first, DAY_NONE, NULL);
	AUTO(findings) c = analyse(analyser, scratch, open);
	cr_assert_eq(c->absence_days, -1);
	cr_assert_not(c->doubt);
}

Test(analyse, text_in_a_form_adds_concerns_but_no_sonstiges)
{
	AUTO(message)
	message = form_message("umzug", DAY_NONE, DAY_NONE,
	        "Außerdem bin ich seit heute krankgeschrieben, die AU geht bis zum 29. Januar.");
	AUTO(findings) findings = analyse(analyser, scratch, message);
	cr_assert_not_null(findings_find(findings, "umzug"));
	cr_assert_not_null(findings_find(findings, "arbeitsunfaehigkeit"));
	AUTO(message) thanks = form_message("umzug", DAY_NONE, DAY_NONE, "Vielen Dank für Ihre Mühe!");
	AUTO(findings) polite = analyse(analyser, scratch, thanks);
	cr_assert_eq(polite->concerns->len, 1);
}

Test(analyse, two_numbers_of_customers_conflict)
{
	AUTO(findings) one = read_text(NULL, "Kundennummer 123A456789, ja 123 A 456789. Ich ziehe um.");
	cr_assert_not(one->numbers_conflict);
	cr_assert_eq(one->kundennummern->len, 1);
	cr_assert_str_eq(g_ptr_array_index(one->kundennummern, 0), "123A456789");
	AUTO(findings) two = read_text(NULL, "Kundennummer 123A456789 und 987B654321. Ich ziehe um.");
	cr_assert(two->numbers_conflict);
}

Test(analyse, authority_is_stated_but_not_when_denied)
{
	AUTO(findings)
	stated = read_text(NULL, "Als rechtlicher Betreuer teile ich mit: Herr Kern ist umgezogen.");
	cr_assert(stated->authority_stated);
	AUTO(findings) denied = read_text(NULL, "Eine Vollmacht habe ich nicht.");
	cr_assert_not(denied->authority_stated);
}

Test(analyse, kindergeld_belongs_to_the_familienkasse)
{
	AUTO(findings)
	findings = read_text("Kindergeld", "Wann wird über meinen Antrag auf Kindergeld entschieden?");
	const struct finding *finding = findings_find(findings, "bearbeitungsstand_kindergeld");
	cr_assert_not_null(finding);
	cr_assert_eq(finding->rechtskreis, RECHTSKREIS_FAMILIENKASSE);
}

static const char *field_of(const struct message *message, const char *field)
{
	if (strcmp(field, "subject") == 0)
		return message->subject;
	return strcmp(field, "html") == 0 ? message->html : message->text;
}

Test(analyse, evidence_lies_in_the_field_it_names_on_whole_characters)
{
	static const char *const texts[] = {
	        "Grüß Gott, ich wohne jetzt in der Görresstraße 17, 53113 Bonn. Das Konto bleibt.",
	        "Ｎｅｕｅ Adresse: Weg 3, 12345 Köln \xe2\x80\x8b und krankge-\nschrieben bis 3.2.",
	        "Seit der Hochzeit heiße ich Öztürk, früher Şahin. Neue IBAN DE02 1203 0000 0000 2020 51."};
	for (size_t i = 0; i < G_N_ELEMENTS(texts); i++) {
		AUTO(message) message = text_message("Änderung", texts[i]);
		AUTO(findings) findings = analyse(analyser, scratch, message);
		cr_assert_gt(findings->concerns->len, 0);
		for (guint c = 0; c < findings->concerns->len; c++) {
			const struct finding *finding = g_ptr_array_index(findings->concerns, c);
			cr_assert_gt(finding->evidence->len, 0, "%s without evidence", finding->concern);
			for (guint e = 0; e < finding->evidence->len; e++) {
				const struct evidence *evidence = g_ptr_array_index(finding->evidence, e);
				const char *field = field_of(message, evidence->field);
				cr_assert_leq(evidence->offset + evidence->length, strlen(field));
				cr_assert(g_utf8_validate(field + evidence->offset, evidence->length, NULL));
			}
		}
	}
}

Test(analyse, evidence_of_html_points_into_the_html)
{
	const char *html = "<html><style>p{}</style><body><p>Meine neue <b>Anschrift</b>: H&ouml;fe 3, "
	                   "53113&nbsp;Bonn</p></body></html>";
	uint32_t offset, length;
	cr_assert(html_place(html, "neue Anschrift", 14, 0, &offset, &length));
	cr_assert_eq(strncmp(html + offset, "neue <b>Anschrift", 17), 0);
	cr_assert(html_place(html, "Höfe", 5, 0, &offset, &length));
	cr_assert_eq(strncmp(html + offset, "H&ouml;fe", length), 0);
	cr_assert_not(html_place(html, "p{}", 3, 0, &offset, &length), "hidden text is no evidence");
}

Test(analyse, the_same_message_gives_the_same_scores_again_and_after_others)
{
	AUTO(findings) first = read_text("Konto", "bitte auf mein neues Konto DE02120300000000202051");
	AUTO(findings) between = read_text(NULL, "ganz etwas anderes, ich bin krank bis Freitag");
	AUTO(findings) again = read_text("Konto", "bitte auf mein neues Konto DE02120300000000202051");
	(void)between;
	cr_assert_eq(first->concerns->len, again->concerns->len);
	for (guint i = 0; i < first->concerns->len; i++) {
		const struct finding *a = g_ptr_array_index(first->concerns, i),
		                     *b = g_ptr_array_index(again->concerns, i);
		cr_assert_str_eq(a->concern, b->concern);
		cr_assert_eq(a->score, b->score);
		cr_assert(a->score >= 0 && a->score <= SCORE_MAX);
	}
}

Test(analyse, hostile_text_does_not_break_it)
{
	g_autoptr(GRand) random = g_rand_new_with_seed(4);
	static const char *const pieces[] = {"umzug ", "1.1.", "bis ", "\n", "DE02", "?", "ß", "\xff", "> ",
	        "123A456789 ", "😀", "-\n", "\xe2\x80\x8b", "nicht ", "ich bin krank ", "*", "@", "http://"};
	for (int round = 0; round < 60; round++) {
		g_autoptr(GString) text = g_string_new(NULL);
		for (int i = 0; i < 4000; i++)
			g_string_append(text, pieces[g_rand_int_range(random, 0, G_N_ELEMENTS(pieces))]);
		AUTO(findings) findings = read_text(text->str, text->str);
		cr_assert_not_null(findings);
	}
}
