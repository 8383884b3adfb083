/* pipeline_check.c - do the parts of a bundle fit together? What the rules ask for must be there.
 *
 * Every concern is decided on every channel over the years a bundle speaks about; what comes out names its
 * templates and blocks. Cheaper to ask the rules than to read their minds.
 */
#include "classifiers/pipeline.h"

#include "core/date.h"

enum { FIRST_YEAR = 2020, YEARS = 15, STEP_DAYS = 31 };

struct fit {
	const struct pipeline *pipeline;
	struct diag *diag;
	GHashTable *told; /* names, each told once */
};

static void need(struct fit *fit, const struct decision *decision, const struct action *action,
        const char *name, enum template_kind kind)
{
	static const char *const kinds[] = {"reply", "block", "task"};
	if (!name || templates_has(pipeline_templates(fit->pipeline), name, kind) ||
	        !g_hash_table_add(fit->told, g_strdup(name)))
		return;
	g_autofree char *path = g_strdup_printf("templates/%s.txt", name);
	diag_add(fit->diag, SEVERITY_ERROR, bundle_file_name(pipeline_bundle(fit->pipeline), path), 0, 0,
	        "missing, or not of kind %s: rule %s of %s asks for it", kinds[kind], action->rule,
	        decision->ruleset);
}

static void look_at(struct fit *fit, const struct rule_input *input)
{
	AUTO(decision) decision = rules_decide(pipeline_rules(fit->pipeline), input);
	for (guint i = 0; i < decision->actions->len; i++) {
		const struct action *action = decision->actions->pdata[i];
		if (action->handler == HANDLER_REPLY)
			need(fit, decision, action, action->template, TEMPLATE_REPLY);
		need(fit, decision, action, action->block, TEMPLATE_BLOCK);
	}
}

/* One concern on one day: by all channels, answered in all ways. */
static void look_at_day(struct fit *fit, const struct concern *concern, int32_t day)
{
	for (int channel = CHANNEL_EMAIL; channel <= CHANNEL_ESERVICE; channel++) {
		for (int preferred = PREFERRED_CHANNEL_UNKNOWN; preferred <= PREFERRED_CHANNEL_PHONE;
		        preferred++) {
			AUTO(rule_input) input = rule_input_new();
			input->channel = (enum channel)channel;
			input->received = berlin_instant(day, 12);
			input->has_sender = true;
			input->facts.preferred_channel = (enum preferred_channel)preferred;
			rule_input_add_concern(input, concern->id, concern->rechtskreis);
			look_at(fit, input);
		}
	}
}

void pipeline_check(const struct pipeline *pipeline, struct diag *diag)
{
	const struct catalogue *catalogue = rules_catalogue(pipeline_rules(pipeline));
	g_autoptr(GHashTable) told = g_hash_table_new_full(g_str_hash, g_str_equal, g_free, NULL);
	struct fit fit = {pipeline, diag, told};
	int32_t first = day_from_civil(FIRST_YEAR, 1, 2), last = day_from_civil(FIRST_YEAR + YEARS, 1, 2);
	for (guint i = 0; i < catalogue->concerns->len; i++)
		for (int32_t day = first; day < last; day += STEP_DAYS)
			look_at_day(&fit, catalogue->concerns->pdata[i], day);
}
