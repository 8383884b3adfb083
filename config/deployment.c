/* deployment.c - finding and reading the deployment file. */
#include "config/deployment.h"

#include "config/bundle.h"
#include "core/error.h"
#include "core/file.h"
#include "core/log.h"

#include <string.h>

enum { MAX_FILE = 4 << 20 };

static const char *const level_words[] = {"error", "warning", "info", "debug", NULL};
static const char *const format_words[] = {"text", "json", NULL};

#define LIMIT(field) offsetof(struct deployment, limits) + offsetof(struct limits, field)

const struct option limits_options[] = {
        {.name = "item_size",
                .type = OPTION_SIZE,
                .fallback = "25MiB",
                .min = 1 << 10,
                .max = 1 << 30,
                .offset = LIMIT(item_size),
                .flags = OPTION_RELOAD,
                .help = "Items up to this size are handled in memory; larger ones are streamed to the "
                        "journal."},
        {.name = "hard_cap",
                .type = OPTION_SIZE,
                .fallback = "150MiB",
                .min = 1 << 10,
                .max = INT64_C(4) << 30,
                .offset = LIMIT(hard_cap),
                .flags = OPTION_RELOAD,
                .help = "Larger items stay at the source, untouched, with a standing task."},
        {.name = "batch",
                .type = OPTION_INT,
                .fallback = "100",
                .min = 1,
                .max = 1000,
                .offset = LIMIT(batch),
                .flags = OPTION_RELOAD,
                .help = "Items in one transaction."},
        {.name = "lease",
                .type = OPTION_DURATION,
                .fallback = "5m",
                .min = 1,
                .max = 86400,
                .offset = LIMIT(lease),
                .flags = OPTION_RELOAD,
                .help = "How long a worker may keep what it claimed before another may take it over."},
        {.name = "attempts",
                .type = OPTION_INT,
                .fallback = "12",
                .min = 1,
                .max = 100,
                .offset = LIMIT(attempts),
                .flags = OPTION_RELOAD,
                .help = "Attempts of a delivery before it becomes a dead letter and a task."},
        {.name = "retry_first",
                .type = OPTION_DURATION,
                .fallback = "30s",
                .min = 0,
                .max = 86400,
                .offset = LIMIT(retry_first),
                .flags = OPTION_RELOAD,
                .help = "Wait before the second attempt; doubled (with jitter) before each further one."},
        {.name = "retry_most",
                .type = OPTION_DURATION,
                .fallback = "4h",
                .min = 1,
                .max = 7 * 86400,
                .offset = LIMIT(retry_most),
                .flags = OPTION_RELOAD,
                .help = "Longest wait between two attempts."},
        {.name = "clock_tolerance",
                .type = OPTION_DURATION,
                .fallback = "10m",
                .min = 0,
                .max = 86400,
                .offset = LIMIT(clock_tolerance),
                .flags = OPTION_RELOAD,
                .help = "An item whose time of receipt lies further ahead counts as received in the future: "
                        "doubt."},
        {.name = "poll",
                .type = OPTION_DURATION,
                .fallback = "30s",
                .min = 1,
                .max = 86400,
                .offset = LIMIT(poll),
                .flags = OPTION_RELOAD,
                .help = "Pause between two rounds of the daemon."},
        {.name = "workers",
                .type = OPTION_INT,
                .fallback = "2",
                .min = 1,
                .max = 64,
                .offset = LIMIT(workers),
                .help = "Threads of one process."},
        OPTION_END,
};

static const struct option log_options[] = {
        {.name = "level",
                .type = OPTION_ENUM,
                .words = level_words,
                .fallback = "info",
                .offset = offsetof(struct deployment, log_level),
                .flags = OPTION_RELOAD,
                .help = "Least important log lines that are written."},
        {.name = "format",
                .type = OPTION_ENUM,
                .words = format_words,
                .fallback = "text",
                .offset = offsetof(struct deployment, log_format),
                .flags = OPTION_RELOAD,
                .help = "Form of the log lines on standard error."},
        OPTION_END,
};

static const struct option metrics_options[] = {
        {.name = "file",
                .type = OPTION_PATH,
                .offset = offsetof(struct deployment, metrics_file),
                .help = "Prometheus text file that each run replaces (for the node exporter's textfile "
                        "collector)."},
        {.name = "listen",
                .type = OPTION_STRING,
                .offset = offsetof(struct deployment, metrics_listen),
                .help = "Address and port on which the daemon serves /metrics and /healthz, such as "
                        "127.0.0.1:9464."},
        OPTION_END,
};

const struct option deployment_options[] = {
        {.name = "bundle",
                .type = OPTION_PATH,
                .offset = offsetof(struct deployment, bundle_folder),
                .help = "Folder of the bundle: catalogue, switches, contact codes, classifiers, rule sets, "
                        "templates. "
                        "Default: the folder of this file if it holds one, else the shipped bundle."},
        {.name = "note",
                .type = OPTION_STRING,
                .offset = offsetof(struct deployment, instance_note),
                .help = "Free text that status prints, such as the name of the service centre."},
        {.name = "limits", .type = OPTION_GROUP, .group = limits_options, .help = "Sizes, times and counts."},
        {.name = "log", .type = OPTION_GROUP, .group = log_options, .help = "Log lines on standard error."},
        {.name = "metrics", .type = OPTION_GROUP, .group = metrics_options, .help = "Prometheus metrics."},
        OPTION_END,
};

static const char *const family_keys[] = {"journal", "sources", "sinks", "facts", "seal", "retention", NULL};

static bool has_file(const char *folder, const char *name)
{
	g_autofree char *path = g_build_filename(folder, name, NULL);
	return g_file_test(path, G_FILE_TEST_IS_REGULAR);
}

char *shipped_bundle_folder(void)
{
	g_autofree char *exe = g_file_read_link("/proc/self/exe", NULL);
	if (exe) {
		g_autofree char *bin = g_path_get_dirname(exe);
		g_autofree char *prefix = g_path_get_dirname(bin);
		g_autofree char *near = g_build_filename(prefix, "share", "posteingang", "bundle", NULL);
		if (has_file(near, "catalogue.yaml"))
			return g_steal_pointer(&near);
	}
	if (has_file(POSTEINGANG_SOURCE_BUNDLE, "catalogue.yaml"))
		return g_strdup(POSTEINGANG_SOURCE_BUNDLE);
	return g_strdup(POSTEINGANG_INSTALLED_BUNDLE);
}

/* What --config or a place of the search names: a deployment file, a folder with one, or a bundle folder. */
struct place {
	char *file, *bundle;
};

static bool place_at(const char *path, struct place *out)
{
	if (!g_file_test(path, G_FILE_TEST_IS_DIR)) {
		bool exists = g_file_test(path, G_FILE_TEST_EXISTS);
		out->file = exists ? g_strdup(path) : NULL;
		return exists;
	}
	if (has_file(path, DEPLOYMENT_FILE))
		out->file = g_build_filename(path, DEPLOYMENT_FILE, NULL);
	if (has_file(path, "catalogue.yaml"))
		out->bundle = g_strdup(path);
	return out->file || out->bundle;
}

static bool find_place(const char *wanted, struct place *out, GError **error)
{
	static const char *const usual[] = {"config", "/etc/posteingang"};
	const char *variable = g_getenv("POSTEINGANG_CONFIG");
	if (!wanted && variable && *variable)
		wanted = variable;
	if (wanted) {
		if (place_at(wanted, out))
			return true;
		fail(error, ERROR_CONFIG, "%s: no deployment file, nor a folder with %s or catalogue.yaml",
		        wanted, DEPLOYMENT_FILE);
		return false;
	}
	for (size_t i = 0; i < G_N_ELEMENTS(usual); i++)
		if (g_file_test(usual[i], G_FILE_TEST_IS_DIR) && place_at(usual[i], out))
			return true;
	out->bundle = shipped_bundle_folder();
	return true;
}

static void read_families(struct deployment *d, struct diag *diag)
{
	const struct yaml_node *root = yaml_root(d->yaml);
	const struct yaml_node **const slots[] = {
	        &d->journal, &d->sources, &d->sinks, &d->facts, &d->seal, &d->retention};
	for (size_t i = 0; i < G_N_ELEMENTS(slots); i++) {
		const struct yaml_node *node = yaml_get(root, family_keys[i]);
		bool list = slots[i] == &d->facts && node && node->kind == YAML_LIST; /* several providers */
		if (node && (list || yaml_expect(node, YAML_MAP, diag)))
			*slots[i] = node;
	}
}

static void default_bundle(struct deployment *d)
{
	if (d->bundle_folder)
		return;
	g_autofree char *folder = g_path_get_dirname(d->file);
	d->bundle_folder =
	        has_file(folder, "catalogue.yaml") ? g_steal_pointer(&folder) : shipped_bundle_folder();
}

static bool read_deployment(struct deployment *d, struct diag *diag, GError **error)
{
	g_autoptr(GBytes) text = config_file_read(d->file, MAX_FILE, error);
	if (!text)
		return false;
	d->yaml = yaml_load(d->file, text, diag);
	const struct yaml_node *root = d->yaml ? yaml_root(d->yaml) : NULL;
	if (root && !yaml_expect(root, YAML_MAP, diag))
		root = NULL;
	options_read(root, deployment_options, family_keys, d, diag);
	if (root)
		read_families(d, diag);
	default_bundle(d);
	return true;
}

struct deployment *deployment_load(const char *wanted, struct diag *diag, GError **error)
{
	struct place place = {0};
	if (!find_place(wanted, &place, error))
		return NULL;
	AUTO(deployment) d = g_new0(struct deployment, 1);
	d->file = place.file;
	if (d->file) {
		g_free(place.bundle);
		return read_deployment(d, diag, error) ? g_steal_pointer(&d) : NULL;
	}
	options_read(NULL, deployment_options, NULL, d, diag);
	d->bundle_folder = place.bundle;
	return g_steal_pointer(&d);
}

void deployment_free(struct deployment *deployment)
{
	if (!deployment)
		return;
	options_clear(deployment_options, deployment);
	yaml_file_free(deployment->yaml);
	g_free(deployment->file);
	g_free(deployment);
}
