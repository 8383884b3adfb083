/* person_number.c - one way in for a Kundennummer, one form in which it goes on. */
#include "cli/person_number.h"
#include "cli/input.h"
#include "core/error.h"
#include "facts/provider.h"

#include <string.h>

enum { MOST = 4096 };

static char *text_of(const char *path, GError **error)
{
	g_autoptr(GBytes) bytes = input_read(path, MOST, error);
	if (!bytes)
		return NULL;
	gsize size;
	const char *data = g_bytes_get_data(bytes, &size);
	return g_strstrip(g_strndup(data ? data : "", size));
}

char *person_number_read(const struct invocation *invocation, const char *given, GError **error)
{
	const char *command = invocation_command(invocation)->name;
	const char *from = invocation_option(invocation, "from");
	if (!given == !from) {
		fail(error, ERROR_USAGE, "%s: expected a Kundennummer, or --from FILE", command);
		return NULL;
	}
	g_autofree char *text = from ? text_of(from, error) : g_strdup(given);
	if (!text)
		return NULL;
	char *number = facts_normalise_kundennummer(text);
	explicit_bzero(text, strlen(text));
	if (!number)
		fail(error, ERROR_INPUT, "%s: that is no Kundennummer (such as 123A456789)", command);
	return number;
}

bool person_number_hash(const struct invocation *invocation, const struct journal *journal, const char *given,
        char out[HASH_HEX_SIZE], GError **error)
{
	g_autofree char *number = person_number_read(invocation, given, error);
	if (!number)
		return false;
	journal_pseudonym(journal, "kundennummer", number, out);
	explicit_bzero(number, strlen(number));
	return true;
}
