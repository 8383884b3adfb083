/* keys.c - `posteingang keys`: the key that signs checkpoints, made, rotated and shown. */
#include "cli/commands.h"
#include "cli/world.h"
#include "core/error.h"
#include "core/file.h"

#include <stdio.h>
#include <string.h>

/* Writes the private key 0600 and prints the public one. An existing file is never overwritten. */
static int make_key(const char *name, const char *path, GError **error)
{
	if (g_file_test(path, G_FILE_TEST_EXISTS)) {
		fail(error, ERROR_USAGE, "keys: %s is there already; a key is never overwritten", path);
		return 1;
	}
	AUTO(log_signer) signer = log_signer_generate(name, error);
	if (!signer)
		return 1;
	g_autofree char *private = log_signer_export(signer), *public = log_signer_verifier(signer);
	g_autofree char *line = g_strconcat(private, "\n", NULL);
	bool ok = file_write_durable(path, line, strlen(line), 0600, error);
	explicit_bzero(private, strlen(private));
	explicit_bzero(line, strlen(line));
	if (ok)
		printf("%s\n", public);
	return ok ? 0 : 1;
}

static int show(const struct log_settings *settings, GError **error)
{
	AUTO(log_signer) signer = log_settings_signer(settings, error);
	if (!signer) {
		if (error && !*error)
			fail(error, ERROR_CONFIG,
			        "keys: this host has no signing key (seal.signing_key_file)");
		return 1;
	}
	g_autofree char *public = log_signer_verifier(signer);
	printf("%s\n", public);
	for (guint i = 0; settings->verifiers && i < settings->verifiers->len; i++)
		printf("%s\n", (const char *)g_ptr_array_index(settings->verifiers, i));
	return 0;
}

/* The new key under the old one's name; the old public key is printed for `verifiers`. */
static int rotate(const struct log_settings *settings, const char *path, GError **error)
{
	AUTO(log_signer) signer = log_settings_signer(settings, error);
	if (!signer) {
		if (error && !*error)
			fail(error, ERROR_CONFIG, "keys: there is no key to rotate: `posteingang keys new`");
		return 1;
	}
	g_autofree char *old = log_signer_verifier(signer);
	int code = make_key(log_signer_name(signer), path, error);
	if (code == 0)
		fprintf(stderr,
		        "Point seal.signing_key_file to %s and keep the old public key in seal.verifiers:\n  "
		        "- \"%s\"\n",
		        path, old);
	return code;
}

int run_keys(struct invocation *invocation, GError **error)
{
	const char *what = invocation_argument(invocation, 0), *path = invocation_argument(invocation, 1);
	const char *name = invocation_option(invocation, "name");
	if (strcmp(what, "new") == 0 && path && name)
		return make_key(name, path, error);
	if (strcmp(what, "new") == 0) {
		fail(error, ERROR_USAGE, "keys new: expected --name NAME and a FILE for the private key");
		return 1;
	}
	bool rotating = strcmp(what, "rotate") == 0;
	if ((!rotating && strcmp(what, "show") != 0) || (rotating && !path)) {
		fail(error, ERROR_USAGE, "keys: expected new FILE, rotate FILE or show");
		return 1;
	}
	AUTO(world) world = world_load(invocation_config(invocation), stderr, error);
	if (!world)
		return 1;
	return rotating ? rotate(&world->log, path, error) : show(&world->log, error);
}
