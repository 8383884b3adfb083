/* hold.c - `posteingang hold`: what must not be deleted, and why. */
#include "cli/commands.h"
#include "cli/output.h"
#include "cli/person_number.h"
#include "cli/world.h"
#include "core/error.h"
#include "journal/log_privacy.h"

#include <string.h>

static const struct output_column columns[] = {
        {"hold", "HOLD", true},
        {"item", "ITEM", false},
        {"person", "PERSON", false},
        {"reason", "REASON", false},
        {"actor", "BY", false},
        {"created", "SINCE", false},
        {"released", "RELEASED", false},
        {NULL, NULL, false},
};

static bool list(const struct invocation *inv, struct journal *journal, GError **error)
{
	g_autoptr(GPtrArray) holds = journal_holds(journal, invocation_switch(inv, "all"), error);
	if (!holds)
		return false;
	AUTO(output) out = output_new(stdout, invocation_format(inv), columns);
	for (guint i = 0; i < holds->len; i++) {
		const struct hold *hold = holds->pdata[i];
		output_int(out, hold->id);
		output_text(out, hold->item_name);
		output_text(out, hold->person);
		output_text(out, hold->reason);
		output_text(out, hold->actor);
		output_time(out, hold->created);
		output_time(out, hold->released);
		output_row(out);
	}
	return output_end(out, error);
}

static bool add(const struct invocation *inv, struct journal *journal, GError **error)
{
	const char *name = invocation_argument(inv, 1), *reason = invocation_option(inv, "reason");
	char person[HASH_HEX_SIZE];
	int64_t item = 0, id;
	if (!reason || !*reason) {
		fail(error, ERROR_USAGE, "hold: --reason TEXT is missing; it is kept with the hold");
		return false;
	}
	if (name ? !journal_item_parse(journal, name, &item, error)
	         : !person_number_hash(inv, journal, NULL, person, error))
		return false;
	if (!journal_hold_add(journal, item, name ? NULL : person, reason, &id, error))
		return false;
	printf("%" G_GINT64_FORMAT "\n", id);
	return true;
}

static bool release(const struct invocation *inv, struct journal *journal, GError **error)
{
	const char *text = invocation_argument(inv, 1);
	gint64 id;
	if (text && g_ascii_string_to_signed(text, 10, 1, G_MAXINT64, &id, NULL))
		return journal_hold_release(journal, id, error);
	fail(error, ERROR_USAGE, "hold: release needs the number of a hold, as `hold list` shows it");
	return false;
}

static const struct {
	const char *name;
	bool (*act)(const struct invocation *inv, struct journal *journal, GError **error);
} verbs[] = {{"add", add}, {"release", release}, {"list", list}};

int run_hold(struct invocation *invocation, GError **error)
{
	const char *word = invocation_argument(invocation, 0);
	for (size_t i = 0; i < G_N_ELEMENTS(verbs); i++) {
		if (strcmp(verbs[i].name, word) != 0)
			continue;
		AUTO(journal) journal = NULL;
		AUTO(world) world = world_open(invocation, WORLD_READ, &journal, error);
		return world && verbs[i].act(invocation, journal, error) ? 0 : 1;
	}
	fail(error, ERROR_USAGE, "hold: no \"%s\", expected add, release or list", word);
	return 1;
}
