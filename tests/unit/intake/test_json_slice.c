/* Finding values in JSON text that may be broken elsewhere. */
#include "intake/json_slice.h"

#include <criterion/criterion.h>
#include <string.h>

static char *at(const char *text, const char *pointer)
{
	struct json_slice whole = {text, strlen(text)}, out;
	return json_slice_find(whole, pointer, &out) ? g_strndup(out.text, out.size) : NULL;
}

static void expect(const char *text, const char *pointer, const char *value)
{
	g_autofree char *found = at(text, pointer);
	if (!value)
		cr_assert_null(found, "%s", found);
	else
		cr_assert_str_eq(found ? found : "(nothing)", value);
}

static unsigned count(const char *text)
{
	struct json_slice array = {text, strlen(text)};
	g_autoptr(GArray) elements = json_slice_elements(array);
	return elements ? elements->len : 999;
}

Test(slice, values_keep_their_bytes)
{
	const char *text = " { \"a\" : {\"b\":[1, {\"c\":1.50} ,\"x]\\\"}\"]}, \"n\":null }";
	expect(text, "/a/b/1", "{\"c\":1.50}");
	expect(text, "/a/b/2", "\"x]\\\"}\"");
	expect(text, "/a/b/0", "1");
	expect(text, "/n", "null");
	expect(text, "/a/b/3", NULL);
	expect(text, "/z", NULL);
}

Test(slice, escaped_pointer_tokens_are_understood)
{
	expect("{\"a/b\":1,\"m~n\":2}", "/a~1b", "1");
	expect("{\"a/b\":1,\"m~n\":2}", "/m~0n", "2");
}

Test(slice, text_that_is_cut_off_gives_nothing)
{
	expect("{\"a\":[1,2", "/a", NULL);
	expect("{\"a\":\"x", "/a", NULL);
	expect("{\"a\":12", "/a", NULL);
	expect("", "/a", NULL);
	expect("{\"a\"", "/a", NULL);
}

Test(slice, elements_are_counted_though_one_is_broken)
{
	cr_assert_eq(count("[]"), 0);
	cr_assert_eq(count("[ 1 , {\"a\":1,\"a\":2} , {bad}, \"\xff\" ]"), 4);
	cr_assert_eq(count("[1,2"), 999);
	cr_assert_eq(count("{}"), 999);
}

Test(slice, depth_does_not_hurt)
{
	g_autofree char *open = g_strnfill(1000000, '['), *close = g_strnfill(1000000, ']');
	g_autofree char *text = g_strconcat("{\"deep\":", open, close, ",\"a\":1}", NULL);
	expect(text, "/a", "1");
	g_autofree char *cut = g_strconcat("{\"deep\":", open, NULL);
	expect(cut, "/a", NULL);
}
