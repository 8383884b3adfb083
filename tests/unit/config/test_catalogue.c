/* The shipped catalogue, switches and contact codes answer as the dossier says. */
#include "config/catalogue.h"
#include "config/contact_codes.h"
#include "config/switches.h"
#include "core/date.h"

#include <criterion/criterion.h>
#include <string.h>

static struct bundle *shipped(void)
{
	return bundle_read(SOURCE_DIR "/config", NULL);
}

static const char *kind_of(const struct catalogue *catalogue, const char *kind)
{
	int index = catalogue_find_kind(catalogue, kind);
	return index < 0 ? "-" : catalogue_get(catalogue, index)->id;
}

Test(catalogue, every_public_form_kind_is_an_alias)
{
	static const char *const kinds[][2] = {{"wegfahren", "ortsabwesenheit"}, {"Umzug", "umzug"},
	        {"Nebenbeschäftigung/Ehrenamt", "nebeneinkommen"}, {"Arbeitsaufnahme", "arbeitsaufnahme"},
	        {"Schule", "sonstige_veraenderung"}, {"Ausbildung/Studium", "sonstige_veraenderung"},
	        {"Selbständigkeit", "sonstige_veraenderung"},
	        {"Mutterschutz/Elternzeit", "sonstige_veraenderung"},
	        {"Altersrente", "sonstige_veraenderung"}, {"Erwerbsminderungsrente", "sonstige_veraenderung"},
	        {"Praktikum/Freiwilligendienst/Wehrübung", "sonstige_veraenderung"},
	        {"Name/Familienstand", "namensaenderung"},
	        {"Krankheit / wieder gesund", "arbeitsunfaehigkeit"},
	        {"Steuerklasse", "sonstige_veraenderung"}, {"anderer Abmeldegrund", "sonstige_veraenderung"},
	        {"neue Bankverbindung", "zahlungsverbindung"}, {"Einnahmen", "nebeneinkommen"},
	        {"Aufenthaltsstatus", "sonstige_veraenderung"}};
	AUTO(bundle) bundle = shipped();
	AUTO(diag) diag = diag_new();
	AUTO(catalogue) catalogue = catalogue_load(bundle, diag);
	cr_assert_eq(diag_total(diag), 0);
	for (size_t i = 0; i < G_N_ELEMENTS(kinds); i++)
		cr_assert_str_eq(kind_of(catalogue, kinds[i][0]), kinds[i][1], "%s", kinds[i][0]);
}

Test(catalogue, spelling_of_a_kind_does_not_matter_but_an_unknown_one_is_unknown)
{
	AUTO(bundle) bundle = shipped();
	AUTO(diag) diag = diag_new();
	AUTO(catalogue) catalogue = catalogue_load(bundle, diag);
	cr_assert_str_eq(kind_of(catalogue, "NEUE BANKVERBINDUNG"), "zahlungsverbindung");
	cr_assert_str_eq(kind_of(catalogue, "selbstaendigkeit"), "sonstige_veraenderung");
	cr_assert_str_eq(kind_of(catalogue, "name_familienstand"), "namensaenderung");
	cr_assert_str_eq(kind_of(catalogue, "Wehru\xcc\x88"
	                                    "bung"),
	        "sonstige_veraenderung");
	cr_assert_str_eq(kind_of(catalogue, "Umzug ins Ausland"), "-");
	cr_assert_str_eq(kind_of(catalogue, ""), "-");
	cr_assert_str_eq(kind_of(catalogue, "\xff\xfe"), "-");
}

Test(catalogue, every_concern_of_the_design_is_there_and_is_its_own_kind)
{
	static const char *const ids[] = {"arbeitsuchendmeldung", "arbeitslosmeldung", "ortsabwesenheit",
	        "umzug", "zahlungsverbindung", "namensaenderung", "arbeitsaufnahme", "nebeneinkommen",
	        "arbeitsunfaehigkeit", "sonstige_veraenderung", "bearbeitungsstand_alg",
	        "bearbeitungsstand_kindergeld", "sonstiges"};
	AUTO(bundle) bundle = shipped();
	AUTO(diag) diag = diag_new();
	AUTO(catalogue) catalogue = catalogue_load(bundle, diag);
	cr_assert_eq(catalogue->concerns->len, G_N_ELEMENTS(ids));
	for (size_t i = 0; i < G_N_ELEMENTS(ids); i++)
		cr_assert_str_eq(kind_of(catalogue, ids[i]), ids[i]);
	cr_assert_eq(catalogue_find_cv(catalogue, "schulbildung"), 0);
	cr_assert_eq(catalogue_find_cv(catalogue, "hobbys"), -1);
}

Test(catalogue, a_switch_has_its_value_only_between_its_days)
{
	AUTO(bundle) bundle = shipped();
	AUTO(diag) diag = diag_new();
	AUTO(switches) switches = switches_load(bundle, diag);
	cr_assert_eq(diag_total(diag), 0);
	cr_assert_str_eq(switches_word(switches, "fraud_check", day_from_civil(2025, 2, 28)), "false");
	cr_assert_str_eq(switches_word(switches, "fraud_check", day_from_civil(2025, 3, 1)), "true");
	cr_assert_str_eq(switches_word(switches, "pzzv", day_from_civil(2025, 12, 31)), "true");
	cr_assert_str_eq(switches_word(switches, "pzzv", day_from_civil(2026, 1, 1)), "false");
	cr_assert_str_eq(switches_word(switches, "nothing", 0), "");
	cr_assert_not(switches_channel_closed(switches, "a@example.org", day_from_civil(2030, 1, 1)));
}

Test(catalogue, every_rechtskreis_has_a_code_for_everything)
{
	AUTO(bundle) bundle = shipped();
	AUTO(diag) diag = diag_new();
	AUTO(catalogue) catalogue = catalogue_load(bundle, diag);
	AUTO(contact_codes) codes = contact_codes_load(bundle, catalogue, diag);
	cr_assert_eq(diag_total(diag), 0);
	cr_assert_str_eq(contact_codes_find(codes, RECHTSKREIS_SGB3, "umzug", 0)->code, "3021");
	cr_assert_str_eq(contact_codes_find(codes, RECHTSKREIS_SGB3, CONTACT_CODE_DOUBT, 0)->code, "3090");
	cr_assert_str_eq(contact_codes_find(codes, RECHTSKREIS_SGB2, "umzug", 0)->code, "2090");
	cr_assert_str_eq(contact_codes_find(codes, RECHTSKREIS_FAMILIENKASSE, "umzug", 0)->code, "5090");
}
