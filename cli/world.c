/* world.c - one door through which every command reaches deployment file and journal. */
#include "cli/world.h"
#include "classifiers/pipeline_active.h"
#include "core/date.h"
#include "core/error.h"
#include "core/log.h"
#include "journal/bundles.h"

/* Set when a world is loaded, before its threads start: the pull phase asks by a plain function. */
static int64_t fixed_now;

static void print_warnings(const struct diag *diag, FILE *out)
{
	for (unsigned i = 0; out && i < diag_total(diag); i++) {
		const struct diag_entry *entry = diag_get(diag, i);
		if (entry->severity == SEVERITY_WARNING)
			fprintf(out, "%s:%d:%d: warning: %s\n", entry->file, entry->line, entry->column,
			        entry->text);
	}
}

static void load_sections(struct world *world, const struct deployment *d, struct diag *diag)
{
	journal_settings_read(d->journal, &world->journal, diag);
	log_settings_read(d->seal, &world->log, diag);
	retention_read(d->retention, &world->retention, diag);
	world->sources = sources_read(d->sources, diag);
	world->sinks = sinks_load(d->sinks, diag);
	world->facts = facts_config_load(d->facts, diag);
}

void world_check(const struct deployment *deployment, struct diag *diag)
{
	AUTO(world) world = g_new0(struct world, 1);
	load_sections(world, deployment, diag);
}

struct world *world_load(const char *wanted, FILE *warnings, GError **error)
{
	AUTO(diag) diag = diag_new();
	AUTO(world) world = g_new0(struct world, 1);
	world->wanted = g_strdup(wanted);
	world->deployment = deployment_load(wanted, diag, error);
	if (!world->deployment)
		return NULL;
	if (!world->deployment->file) {
		fail(error, ERROR_CONFIG,
		        "no %s found (--config, $POSTEINGANG_CONFIG, ./config/, "
		        "/etc/posteingang/): this command needs one, see posteingang.yaml(5)",
		        DEPLOYMENT_FILE);
		return NULL;
	}
	load_sections(world, world->deployment, diag);
	if (!diag_ok(diag, error))
		return NULL;
	print_warnings(diag, warnings);
	return g_steal_pointer(&world);
}

void world_free(struct world *world)
{
	if (!world)
		return;
	journal_options_clear(&world->options);
	journal_settings_clear(&world->journal);
	log_settings_clear(&world->log);
	g_clear_pointer(&world->sources, g_ptr_array_unref);
	sinks_free(world->sinks);
	facts_config_free(world->facts);
	deployment_free(world->deployment);
	g_free(world->wanted);
	g_free(world);
}

/* The embedded default has nobody who would run `activate` first. */
static bool activate_first(const struct world *world, struct journal *journal, GError **error)
{
	g_autoptr(GError) missing = NULL;
	g_autofree char *active = journal_active_bundle(journal, &missing);
	if (active)
		return true;
	if (error_class(missing) != ERROR_CONFIG) {
		g_propagate_error(error, g_steal_pointer(&missing));
		return false;
	}
	struct bundle *bundle = bundle_read(world->deployment->bundle_folder, error);
	AUTO(pipeline) pipeline = bundle ? pipeline_open(bundle, error) : NULL;
	if (!pipeline || !pipeline_activate(pipeline, journal, error))
		return false;
	log_event(LOG_LEVEL_INFO, "bundle.activated", "bundle", bundle_hash(pipeline_bundle(pipeline)), NULL);
	return true;
}

bool world_ready(struct world *world, GError **error)
{
	journal_options_clear(&world->options);
	if (!journal_settings_options_of(&world->journal, &world->options, error))
		return false;
	fixed_now = world->journal.fixed_now;
	return true;
}

struct journal *world_connect(struct world *world, enum world_access access, GError **error)
{
	bool make = access != WORLD_READ && world->journal.type == DB_SQLITE;
	if (make && !journal_settings_prepare(&world->journal, error))
		return NULL;
	if (!make && !journal_settings_exists(&world->journal, error))
		return NULL;
	if (!world_ready(world, error))
		return NULL;
	struct journal_options first = world->options;
	first.migrate = make;
	AUTO(journal) journal = journal_open(&first, error);
	if (!journal || (make && access == WORLD_START && !activate_first(world, journal, error)))
		return NULL;
	return g_steal_pointer(&journal);
}

int64_t world_now(const struct world *world)
{
	return world->journal.fixed_now ? world->journal.fixed_now : instant_now();
}

int64_t world_clock(void)
{
	return fixed_now ? fixed_now : instant_now();
}

struct world *world_open(const struct invocation *invocation, enum world_access access,
        struct journal **journal, GError **error)
{
	AUTO(world) world = world_load(invocation_config(invocation), stderr, error);
	if (!world)
		return NULL;
	log_setup(
	        (enum log_level)world->deployment->log_level, (enum log_format)world->deployment->log_format);
	*journal = world_connect(world, access, error);
	return *journal ? g_steal_pointer(&world) : NULL;
}
