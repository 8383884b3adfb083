/* Where the daemon listens. */
#include "cli/metrics.h"

#include <criterion/criterion.h>

static void reads(const char *text, const char *host, uint16_t port)
{
	g_autofree char *found = NULL;
	uint16_t number = 0;
	cr_assert(metrics_address(text, &found, &number), "%s", text);
	cr_assert_str_eq(found ? found : "*", host);
	cr_assert_eq(number, port);
}

Test(metrics, an_address_is_a_numeric_host_and_a_port)
{
	reads("127.0.0.1:9464", "127.0.0.1", 9464);
	reads("[::1]:9464", "::1", 9464);
	reads("0.0.0.0:1", "0.0.0.0", 1);
}

Test(metrics, without_a_host_every_address_is_meant)
{
	reads(":9464", "*", 9464);
	reads("*:9464", "*", 9464);
}

Test(metrics, anything_else_is_refused)
{
	static const char *const texts[] = {"", "9464", "127.0.0.1", "127.0.0.1:", "127.0.0.1:0",
	        "127.0.0.1:65536", "127.0.0.1:x", "name.example:9464", "1.2.3:9464:9464"};
	for (size_t i = 0; i < G_N_ELEMENTS(texts); i++) {
		g_autofree char *host = NULL;
		uint16_t port;
		cr_assert_not(metrics_address(texts[i], &host, &port), "%s", texts[i]);
	}
}
