/* log_settings.c - from the section to keys and witness. */
#include "journal/log_settings.h"
#include "core/error.h"
#include "core/file.h"

#include <string.h>

#define FIELD(name) offsetof(struct log_settings, name)

const struct option log_options[] = {
        {.name = "signing_key",
                .type = OPTION_SECRET,
                .offset = FIELD(signing_key),
                .help = "File with the key that signs checkpoints, made by `posteingang keys new`. Only a "
                        "host that has it "
                        "seals; others skip."},
        {.name = "verifiers",
                .type = OPTION_LIST,
                .offset = FIELD(verifiers),
                .help = "Public keys whose signatures count besides our own: NAME+ID+BASE64, as `posteingang "
                        "keys show` "
                        "prints them. Keep those of rotated keys here."},
        {.name = "verifiers_file",
                .type = OPTION_PATH,
                .offset = FIELD(verifiers_file),
                .help = "File with further public keys, one a line."},
        {.name = "witness",
                .type = OPTION_STRING,
                .offset = FIELD(witness),
                .help = "Where each checkpoint goes besides the journal: a file (best on another disk), an "
                        "https:// address, "
                        "or - for standard output. A restored journal is recognised by it."},
        {.name = "witness_ca_file",
                .type = OPTION_PATH,
                .offset = FIELD(witness_ca_file),
                .help = "Certificate authorities for the witness's address; default: the system's."},
        {.name = "witness_bearer",
                .type = OPTION_SECRET,
                .offset = FIELD(witness_bearer),
                .help = "Bearer token for the witness's address."},
        {.name = "every",
                .type = OPTION_DURATION,
                .fallback = "30s",
                .min = 1,
                .max = 86400,
                .offset = FIELD(every),
                .flags = OPTION_RELOAD,
                .help = "Pause between two seals of the daemon."},
        OPTION_END,
};

static void resolve_witness(const struct yaml_node *map, struct log_settings *settings, struct diag *diag)
{
	const char *place = settings->witness;
	if (!place || strcmp(place, "-") == 0 || g_str_has_prefix(place, "https://") ||
	        g_path_is_absolute(place))
		return;
	if (g_str_has_prefix(place, "http")) {
		yaml_error(diag, yaml_get(map, "witness"),
		        "\"witness\" is \"%s\", expected a path, - or https://…", place);
		return;
	}
	g_autofree char *folder = g_path_get_dirname(map->file);
	char *path = g_build_filename(folder, place, NULL);
	g_free(settings->witness);
	settings->witness = path;
}

void log_settings_read(const struct yaml_node *map, struct log_settings *out, struct diag *diag)
{
	options_read(map, log_options, NULL, out, diag);
	if (!map)
		return;
	resolve_witness(map, out, diag);
	for (guint i = 0; out->verifiers && i < out->verifiers->len; i++) {
		g_autoptr(GError) error = NULL;
		AUTO(log_verifier)
		verifier = log_verifier_parse(g_ptr_array_index(out->verifiers, i), &error);
		if (!verifier)
			yaml_error(diag, yaml_get(map, "verifiers"), "%s", error->message);
	}
	g_autoptr(GError) error = NULL;
	AUTO(log_signer) signer = log_settings_signer(out, &error);
	if (error)
		yaml_error(diag, map, "signing_key: %s", error->message);
}

void log_settings_clear(struct log_settings *settings)
{
	options_clear(log_options, settings);
}

struct log_signer *log_settings_signer(const struct log_settings *settings, GError **error)
{
	return settings->signing_key ? log_signer_parse(settings->signing_key, error) : NULL;
}

struct witness *log_settings_witness(const struct log_settings *settings, GError **error)
{
	if (!settings->witness)
		return NULL;
	struct witness_settings witness = {
	        settings->witness, settings->witness_ca_file, settings->witness_bearer};
	return witness_new(&witness, error);
}

static bool add_verifier(GPtrArray *into, const char *text, GError **error)
{
	struct log_verifier *verifier = log_verifier_parse(text, error);
	if (verifier)
		g_ptr_array_add(into, verifier);
	return verifier != NULL;
}

bool log_verifiers_read(const char *path, GPtrArray *into, GError **error)
{
	g_autoptr(GBytes) bytes = file_read(path, 1 << 20, error);
	if (!bytes)
		return false;
	gsize size;
	const char *data = g_bytes_get_data(bytes, &size);
	g_autofree char *text = g_strndup(data ? data : "", size);
	g_auto(GStrv) lines = g_strsplit(text, "\n", -1);
	for (char **line = lines; *line; line++) {
		g_strstrip(*line);
		if (**line && **line != '#' && !add_verifier(into, *line, error)) {
			g_prefix_error(error, "%s:%d: ", path, (int)(line - lines) + 1);
			return false;
		}
	}
	return true;
}

GPtrArray *log_settings_verifiers(const struct log_settings *settings, GError **error)
{
	g_autoptr(GPtrArray) all = g_ptr_array_new_with_free_func((GDestroyNotify)log_verifier_free);
	for (guint i = 0; settings->verifiers && i < settings->verifiers->len; i++)
		if (!add_verifier(all, g_ptr_array_index(settings->verifiers, i), error))
			return NULL;
	if (settings->verifiers_file && !log_verifiers_read(settings->verifiers_file, all, error))
		return NULL;
	if (settings->signing_key) {
		AUTO(log_signer) signer = log_settings_signer(settings, error);
		g_autofree char *own = signer ? log_signer_verifier(signer) : NULL;
		if (!own || !add_verifier(all, own, error))
			return NULL;
	}
	return g_steal_pointer(&all);
}
