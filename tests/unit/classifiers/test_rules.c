/* The shipped rules load, and decide the same again from what was archived. */
#include "rules_support.h"

#include <criterion/criterion.h>

Test(rules, a_relocation_by_email_is_answered_filed_and_given_to_a_person)
{
	g_autofree char *got = decide_in_short(shipped_rules(), "concern=umzug channel=email");
	cr_assert_str_eq(got, "eakte(payment_unknown); reply(email,umzug,vorteil); task(process_notice)");
}

Test(rules, archived_findings_decide_byte_equal_again)
{
	AUTO(rule_input)
	first = input_of("concern=umzug,sonstiges@sgb2 channel=eservice form=veraenderung "
	                 "cv.schulbildung=empty absence_days=3 payment_method=pzzv");
	JSON_AUTO archived = rule_input_to_json(first);
	AUTO(rule_input) second = rule_input_from_json(archived, NULL);
	cr_assert_not_null(second);
	AUTO(decision) a = rules_decide(shipped_rules(), first);
	AUTO(decision) b = rules_decide(shipped_rules(), second);
	JSON_AUTO x = decision_to_json(a);
	JSON_AUTO y = decision_to_json(b);
	g_autofree char *left = json_canonical(x), *right = json_canonical(y);
	cr_assert_str_eq(left, right);
}
