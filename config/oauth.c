/* oauth.c - what no single option can check. */
#include "config/oauth.h"

void oauth_check(const struct oauth *oauth, const struct yaml_node *map, struct diag *diag)
{
	if (oauth->token_url && (!oauth->client_id || !oauth->client_secret))
		yaml_error(
		        diag, yaml_get(map, "token_url"), "token_url needs client_id and client_secret_file");
}
