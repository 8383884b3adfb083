/* Folding with its way back, sentences, cues: what every later stage stands on. */
#include "classifiers/prepare.h"
#include "core/mail.h"

#include <criterion/criterion.h>
#include <string.h>

static char *folded(const char *text)
{
	return fold_string(text);
}

static void same_fold(const char *a, const char *b)
{
	g_autofree char *x = folded(a), *y = folded(b);
	cr_assert_str_eq(x, y, "\"%s\" folds to \"%s\", \"%s\" to \"%s\"", a, x, b, y);
}

Test(fold, spellings_of_one_word_become_one)
{
	same_fold("Änderung", "aenderung");
	same_fold("STRASSE", "Straße");
	same_fold("Kündigung", "KUENDIGUNG");
	same_fold("A\xcc\x88nderung", "Änderung");   /* decomposed */
	same_fold("ＩＢＡＮ　１２", "iban 12");      /* full-width */
	same_fold("Kündi\xc2\xadgung", "kündigung"); /* soft hyphen */
	same_fold("Um\xe2\x80\x8bzug", "Umzug");     /* zero-width */
	same_fold("adrese", "Adresse");
}

Test(fold, a_letter_with_an_accent_is_what_its_parts_are)
{
	for (gunichar c = 0xc0; c < 0x250; c++) {
		char bytes[8] = {0};
		g_unichar_to_utf8(c, bytes);
		g_autofree char *whole = g_strdup_printf("t%sx %s", bytes, bytes);
		g_autofree char *parts = g_utf8_normalize(whole, -1, G_NORMALIZE_ALL);
		same_fold(whole, parts);
	}
	same_fold("Øæßðþ", "oasdth");
	same_fold("\xc3\x97", "\xc3\x97");
	g_autofree char *cut = fold_string("ab\xc3");
	cr_assert_str_eq(cut, "ab ", "a cut character is a blank");
}

Test(fold, a_word_broken_at_a_line_end_is_whole_again)
{
	same_fold("Ver-\nänderung", "Veränderung");
	same_fold("Ver-\r\n  änderung", "Veränderung");
	g_autofree char *two = fold_string("Hin-\nRückfahrt");
	cr_assert_not_null(strchr(two, '\n'), "a capital begins a word of its own");
}

Test(fold, every_folded_byte_knows_a_source_byte_and_order_is_kept)
{
	const char *text = "Grüße, Ｆｒａｕ Müller-\nlüdenscheidt\xe2\x80\x8b! \xff\xfe ßẞ 😀 İstanbul";
	struct folded f;
	folded_init(&f);
	fold_append(&f, text, 0, (uint32_t)strlen(text));
	cr_assert_eq(f.origin->len, f.text->len + 1);
	for (guint i = 0; i + 1 < f.origin->len; i++) {
		uint32_t a = g_array_index(f.origin, uint32_t, i),
		         b = g_array_index(f.origin, uint32_t, i + 1);
		cr_assert_leq(a, b);
		cr_assert_lt(a, strlen(text));
	}
	cr_assert_eq(g_array_index(f.origin, uint32_t, f.text->len), strlen(text));
	folded_clear(&f);
}

Test(fold, folding_twice_changes_nothing)
{
	g_autofree char *once = folded("Größere Maßnahme: ÄÖÜ ﬁ Ｘ");
	g_autofree char *twice = folded(once);
	cr_assert_str_eq(once, twice);
}

static enum cue_kind kind_of(const char *text)
{
	g_autofree char *f = folded(text);
	struct cue cue;
	int32_t today = day_from_civil(2024, 1, 15);
	return cue_at(f, strlen(f), 0, today, &cue) ? cue.kind : CUE_NONE;
}

Test(cue, an_iban_counts_only_with_its_check_digits)
{
	cr_assert_eq(kind_of("DE02120300000000202051"), CUE_IBAN);
	cr_assert_eq(kind_of("DE02 1203 0000 0000 2020 51"), CUE_IBAN);
	cr_assert_eq(kind_of("DE02 1203 0000 0000 2020 52"), CUE_IBAN_SHAPE);
	cr_assert_eq(kind_of("DE** **** **** **** **20 51"), CUE_IBAN_SHAPE);
	cr_assert(iban_valid("AT611904300234573201", 20));
	cr_assert_not(iban_valid("AT611904300234573201", 19), "too short for its country");
	cr_assert_eq(kind_of("der zug"), CUE_NONE);
}

Test(cue, numbers_of_customers_are_read_in_every_spelling)
{
	g_autofree char *f = folded("123 a 456 789");
	struct cue cue;
	cr_assert(cue_at(f, strlen(f), 0, 0, &cue));
	cr_assert_eq(cue.kind, CUE_KUNDENNUMMER);
	cr_assert_str_eq(cue.number, "123A456789");
	cr_assert_eq(kind_of("123FK456789"), CUE_KINDERGELDNUMMER);
	cr_assert_eq(kind_of("12345BG1234567"), CUE_BG_NUMMER);
	cr_assert_eq(kind_of("12345//1234567"), CUE_BG_NUMMER);
	cr_assert_eq(kind_of("12O A45678O"), CUE_KUNDENNUMMER, "O read as 0");
	cr_assert_neq(kind_of("1234A456789"), CUE_KUNDENNUMMER);
}

Test(cue, a_range_of_days_is_one_cue_with_both_ends)
{
	g_autofree char *f = folded("3. bis 17. August");
	struct cue cue;
	cr_assert(cue_at(f, strlen(f), 0, day_from_civil(2024, 7, 1), &cue));
	cr_assert_eq(cue.kind, CUE_DATE_RANGE);
	cr_assert_eq(cue.from, day_from_civil(2024, 8, 3));
	cr_assert_eq(cue.to, day_from_civil(2024, 8, 17));
}

Test(cue, a_range_over_new_year_ends_in_the_next)
{
	g_autofree char *f = folded("23.12. bis 2.1.");
	struct cue cue;
	cr_assert(cue_at(f, strlen(f), 0, day_from_civil(2023, 12, 1), &cue));
	cr_assert_eq(cue.from, day_from_civil(2023, 12, 23));
	cr_assert_eq(cue.to, day_from_civil(2024, 1, 2));
}

Test(cue, dates_amounts_hours_and_addresses_are_told_apart)
{
	cr_assert_eq(kind_of("1.2.2024"), CUE_DATE_FUTURE);
	cr_assert_eq(kind_of("1. Dezember 2023"), CUE_DATE_PAST);
	cr_assert_eq(kind_of("16.01."), CUE_DATE_SOON);
	cr_assert_eq(kind_of("31.2.2024"), CUE_DATE, "a day that does not exist has no place in time");
	cr_assert_eq(kind_of("450 Euro"), CUE_EURO_LIMIT);
	cr_assert_eq(kind_of("1.234,50 €"), CUE_EURO);
	cr_assert_eq(kind_of("12 Stunden"), CUE_HOURS_SMALL);
	cr_assert_eq(kind_of("38,5 Std."), CUE_HOURS_FULL);
	cr_assert_eq(kind_of("53113 Bonn"), CUE_POSTCODE);
	cr_assert_eq(kind_of("14:30 Uhr"), CUE_TIME);
	cr_assert_eq(kind_of("jana@example.org"), CUE_EMAIL);
	cr_assert_eq(kind_of("7"), CUE_NUMBER);
}

static struct message *message_of(const char *subject, const char *text)
{
	struct message *message = message_new();
	message->received = berlin_instant(day_from_civil(2024, 1, 15), 12);
	message->subject = g_strdup(subject);
	message->text = g_strdup(text);
	return message;
}

static guint sentences_of(const char *text)
{
	struct prepared p;
	prepared_init(&p);
	AUTO(message) message = message_of(NULL, text);
	prepare_message(&p, message);
	guint n = p.sentences->len;
	prepared_clear(&p);
	return n;
}

Test(sentence, dates_abbreviations_and_wrapped_lines_do_not_end_one)
{
	cr_assert_eq(sentences_of("Ich bin am 3. Mai in der Hauptstr. 5 bei Dr. Kolb."), 1);
	cr_assert_eq(sentences_of("Ich komme. Du gehst! Warum?"), 3);
	cr_assert_eq(sentences_of("Dies ist eine sehr lange Zeile, die vom Mailprogramm an dieser\nstelle "
	                          "umgebrochen wurde."),
	        1);
	cr_assert_eq(sentences_of("Hallo\nich zieh um"), 2);
	cr_assert_eq(sentences_of(""), 0);
	cr_assert_eq(sentences_of(" \n\n . ! "), 0);
}

Test(prepare, places_are_bytes_of_the_original_field)
{
	const char *text = "Grüß Gott,\nmeine neue Anschrift: Gör\xe2\x80\x8bresstraße 17, 53113 Bonn.";
	struct prepared p;
	prepared_init(&p);
	AUTO(message) message = message_of("Müller", text);
	prepare_message(&p, message);
	for (guint i = 0; i < p.tokens->len; i++) {
		struct place place = prepared_place(&p, i, i);
		const char *field = place.field == FIELD_SUBJECT ? message->subject : text;
		cr_assert_leq(place.offset + place.length, strlen(field));
		cr_assert_gt(place.length, 0);
		cr_assert(g_utf8_validate(field + place.offset, (gssize)place.length, NULL));
		if (prepared_token(&p, i)->cue)
			continue;
		g_autofree char *piece = g_strndup(field + place.offset, place.length);
		g_autofree char *again = fold_string(piece);
		cr_assert_eq(strncmp(again, p.stream->str + prepared_token(&p, i)->stream, strlen(again)), 0,
		        "%s", again);
	}
	prepared_clear(&p);
}

Test(prepare, every_byte_of_the_stream_has_its_token_from_wherever_one_looks)
{
	struct prepared p;
	prepared_init(&p);
	AUTO(message) message = message_of("Krank", "Ich bin krank. Bis 3.5.! Ja");
	prepare_message(&p, message);
	cr_assert_str_eq(p.stream->str, " krank \n  ich bin krank \n bis xdatum \n ja \n ");
	static const uint32_t at[] = {0, 0, 0, 0, 0, 0, 0, 0, 1, 1, 1, 1, 1, 1, 2, 2, 2, 2, 3, 3, 3, 3, 3, 3,
	        3, 4, 4, 4, 4, 4, 5, 5, 5, 5, 5, 5, 5, 5, 6, 6, 6, 6, 6, 7};
	cr_assert_eq(G_N_ELEMENTS(at), p.stream->len);
	for (size_t offset = 0; offset < p.stream->len; offset++)
		for (uint32_t near = 0; near < 9; near++)
			cr_assert_eq(prepared_token_at(&p, offset, near), at[offset], "byte %zu near %u",
			        offset, near);
	prepared_clear(&p);
}

Test(prepare, quoted_history_is_not_read)
{
	struct prepared p;
	prepared_init(&p);
	AUTO(message)
	message = message_of(NULL, "ja gut\n\n> neue Bankverbindung\n> DE02120300000000202051\n");
	prepare_message(&p, message);
	cr_assert_eq(p.cues->len, 0);
	cr_assert_eq(p.tokens->len, 2);
	prepared_clear(&p);
}

Test(prepare, hostile_text_stays_within_bounds)
{
	g_autoptr(GString) text = g_string_new(NULL);
	for (int i = 0; i < 40000; i++)
		g_string_append(text, i % 3 ? "1.1. " : "DE0");
	struct prepared p;
	prepared_init(&p);
	AUTO(message) message = message_of(NULL, text->str);
	prepare_message(&p, message);
	cr_assert(p.truncated);
	cr_assert_leq(p.tokens->len, PREPARE_MAX_TOKENS);
	prepared_clear(&p);
}
