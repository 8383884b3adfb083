/* oauth.h - the options of OAuth 2 client credentials (RFC 6749 section 4.4), once for every source and sink.
 *
 *     struct x_settings { struct oauth oauth; … };
 *     const struct option x_options[] = {…, OAUTH_OPTIONS(struct x_settings, oauth), …, OPTION_END};
 */
#ifndef CONFIG_OAUTH_H
#define CONFIG_OAUTH_H

#include "config/option.h"

struct oauth {
	char *token_url, *client_id, *client_secret, *scope;
};

#define OAUTH_OPTION_(structure, member, key, kind, words)                                                   \
	{                                                                                                    \
		.name = #key, .type = kind, .offset = offsetof(structure, member.key), .help = words         \
	}

#define OAUTH_OPTIONS(structure, member)                                                                     \
	OAUTH_OPTION_(                                                                                       \
	        structure, member, token_url, OPTION_URL, "OAuth 2 token endpoint (client credentials)."),   \
	        OAUTH_OPTION_(structure, member, client_id, OPTION_STRING, "OAuth 2 client id."),            \
	        OAUTH_OPTION_(structure, member, client_secret, OPTION_SECRET, "OAuth 2 client secret."),    \
	        OAUTH_OPTION_(structure, member, scope, OPTION_STRING, "OAuth 2 scope asked for.")

/* Reports half given credentials. */
void oauth_check(const struct oauth *oauth, const struct yaml_node *map, struct diag *diag);

#endif
