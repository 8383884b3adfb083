/* Canonical JSON (RFC 8785): the bytes that are hashed and kept for ten years. */
#include "core/json.h"

#include <criterion/criterion.h>
#include <string.h>

static void canonical_is(const char *json, const char *expected)
{
	g_autoptr(GError) error = NULL;
	JSON_AUTO value = json_read(json, strlen(json), &error);
	cr_assert_not_null(value, "%s", error ? error->message : "");
	g_autofree char *text = json_canonical(value);
	cr_assert_str_eq(text, expected);
	g_autoptr(GBytes) bytes = json_canonical_bytes(value);
	cr_assert_eq(g_bytes_get_size(bytes), strlen(expected));
}

/* The example of RFC 8785 section 3.2.3. */
Test(json, keys_stand_in_the_order_of_their_utf16_code_units)
{
	canonical_is("{\"\\u20ac\":\"Euro Sign\",\"\\r\":\"Carriage Return\","
	             "\"\\ufb33\":\"Hebrew Letter Dalet With Dagesh\",\"1\":\"One\","
	             "\"\\ud83d\\ude00\":\"Emoji: Grinning Face\",\"\\u0080\":\"Control\","
	             "\"\\u00f6\":\"Latin Small Letter O With Diaeresis\"}",
	        "{\"\\r\":\"Carriage Return\",\"1\":\"One\",\"\xc2\x80\":\"Control\","
	        "\"\xc3\xb6\":\"Latin Small Letter O With Diaeresis\",\"\xe2\x82\xac\":\"Euro Sign\","
	        "\"\xf0\x9f\x98\x80\":\"Emoji: Grinning Face\","
	        "\"\xef\xac\xb3\":\"Hebrew Letter Dalet With Dagesh\"}");
	canonical_is("{\"ab\":1,\"a\":2,\"\":3,\"b\":{\"z\":[],\"y\":{}}}",
	        "{\"\":3,\"a\":2,\"ab\":1,\"b\":{\"y\":{},\"z\":[]}}");
}

Test(json, strings_are_escaped_only_where_they_must_be)
{
	canonical_is("[\"\\u0000\\u0008\\t\\n\\u000b\\f\\r\\u001f\\\"\\\\\\/ \\u007f\\u00e4\"]",
	        "[\"\\u0000\\b\\t\\n\\u000b\\f\\r\\u001f\\\"\\\\/ \x7f\xc3\xa4\"]");
	canonical_is("[\"\",\"\\n\",\"a\\nb\"]", "[\"\",\"\\n\",\"a\\nb\"]");
}

Test(json, integers_of_every_size_are_written_plainly)
{
	canonical_is(
	        "[0,-1,7,-10,9007199254740991,-9007199254740991,9223372036854775807,-9223372036854775808]",
	        "[0,-1,7,-10,9007199254740991,-9007199254740991,9223372036854775807,-9223372036854775808]");
	canonical_is("[true,false,null]", "[true,false,null]");
}

Test(json, an_object_of_many_keys_is_in_order_too)
{
	JSON_AUTO object = json_object();
	g_autoptr(GString) expected = g_string_new("{");
	for (int i = 999; i >= 100; i--) {
		char key[16];
		g_snprintf(key, sizeof key, "k%d", (i * 7) % 900 + 100);
		json_set_int(object, key, 1);
	}
	for (int i = 100; i < 1000; i++)
		g_string_append_printf(expected, "%s\"k%d\":1", i > 100 ? "," : "", i);
	g_string_append_c(expected, '}');
	g_autofree char *text = json_canonical(object);
	cr_assert_eq(json_object_size(object), 900);
	cr_assert_str_eq(text, expected->str);
}
