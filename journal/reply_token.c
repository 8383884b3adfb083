/* reply_token.c - making and recognising the token of a reply. */
#include "journal/reply_token.h"
#include "core/error.h"
#include "journal/deliveries.h"

#include <string.h>

enum { MAC_HEX = 16, TOKEN_MAX = 100 };

char *journal_reply_token(const struct journal *journal, const char *delivery_key)
{
	char mac[HASH_HEX_SIZE];
	journal_pseudonym(journal, "reply", delivery_key, mac);
	return g_strdup_printf("r.%.*s.%.*s", (int)strcspn(delivery_key, "/"), delivery_key, MAC_HEX, mac);
}

/* Does a token begin at p? Then it is copied, in lower case, and the item's name cut out of it. */
static bool take_token(const char *p, char **token, char **name)
{
	size_t length = strspn(p, "rR.-0123456789abcdefABCDEF");
	if (length > TOKEN_MAX || length < strlen("r.1.") + MAC_HEX)
		return false;
	*token = g_ascii_strdown(p, (gssize)length);
	char *dot = strrchr(*token, '.');
	if (g_str_has_prefix(*token, "r.") && dot > *token + 2 && strlen(dot + 1) == MAC_HEX) {
		*name = g_strndup(*token + 2, (gsize)(dot - *token - 2));
		return true;
	}
	g_clear_pointer(token, g_free);
	return false;
}

/* "<TOKEN@…" or "…+TOKEN@…". */
static bool find_token(const char *text, char mark, char **token, char **name)
{
	if (!text || strlen(text) > 1000)
		return false;
	for (const char *p = text; p; p = strchr(p, mark)) {
		if (*p == mark)
			p++;
		if (take_token(p, token, name))
			return true;
	}
	return false;
}

static bool match(struct journal *journal, const char *token, const char *name, int64_t *item,
        int64_t *delivery, GError **error)
{
	int64_t number;
	if (!journal_item_parse(journal, name, &number, NULL))
		return false;
	g_autoptr(GPtrArray) deliveries = journal_item_deliveries(journal, number, error);
	for (guint i = 0; deliveries && i < deliveries->len; i++) {
		const struct delivery_view *view = g_ptr_array_index(deliveries, i);
		g_autofree char *own = journal_reply_token(journal, view->key);
		if (strcmp(view->handler, "reply") != 0 || strcmp(own, token) != 0)
			continue;
		*item = number;
		*delivery = view->id;
		return true;
	}
	return false;
}

bool journal_reply_of(struct journal *journal, const char *message_id, const char *address, int64_t *item,
        int64_t *delivery, GError **error)
{
	g_autofree char *token = NULL, *name = NULL;
	if (!find_token(message_id, '<', &token, &name) && !find_token(address, '+', &token, &name))
		return false;
	return match(journal, token, name, item, delivery, error);
}
