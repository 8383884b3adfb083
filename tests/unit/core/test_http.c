/* The HTTP client's own checks; what it does on the wire is tested through the connectors that use it. */
#include "core/error.h"
#include "core/http.h"

#include <criterion/criterion.h>

Test(http, only_https_and_loopback_urls_are_bases)
{
	cr_assert(http_url_is_allowed("https://host.example:8443/path"));
	cr_assert(http_url_is_allowed("http://127.0.0.1:80"));
	cr_assert(http_url_is_allowed("http://localhost/x"));
	const char *const bad[] = {"http://host.example", "https://u:p@host.example", "https://h.example?x=1",
	        "https://h.example#x", "ftp://h.example", "https://", "host.example", "",
	        "http://127.0.0.1.evil.example"};
	for (unsigned i = 0; i < G_N_ELEMENTS(bad); i++)
		cr_assert_not(http_url_is_allowed(bad[i]), "%s", bad[i]);
}

Test(http, half_given_credentials_are_a_configuration_error)
{
	g_autoptr(GError) error = NULL;
	const struct http_settings settings = {.name = "x",
	        .url = "https://h.example",
	        .token_url = "https://h.example/token",
	        .client_id = "c"};
	cr_assert_null(http_client_new(&settings, &error));
	cr_assert_eq(error_class(error), ERROR_CONFIG);
}

Test(http, a_line_break_in_a_header_is_refused_before_anything_is_sent)
{
	const struct http_settings settings = {.name = "x", .url = "http://127.0.0.1:9"};
	g_autoptr(GError) error = NULL;
	AUTO(http_client) client = http_client_new(&settings, &error);
	struct http_request request = {.method = "POST", .idempotency_key = "a\r\nHost: evil"};
	cr_assert_null(http_send(client, &request, &error));
	cr_assert_eq(error_class(error), ERROR_INPUT);
}

Test(http, what_could_not_be_sent_may_be_tried_again_later)
{
	const struct http_settings settings = {.name = "x", .url = "http://127.0.0.1:9"};
	g_autoptr(GError) error = NULL;
	AUTO(http_client) client = http_client_new(&settings, &error);
	struct http_request request = {.method = "POST"};
	cr_assert_null(http_send(client, &request, &error));
	cr_assert(error_class(error) == ERROR_UNAVAILABLE && error_when(error) == WHEN_LATER);
}

Test(http, path_parts_are_escaped)
{
	g_autofree char *part = http_escape("a/b ä?");
	cr_assert_str_eq(part, "a%2Fb%20%C3%A4%3F");
}
