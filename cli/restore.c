/* restore.c - `posteingang restore`: a journal from a backup, what went out since, and accepting that. */
#include "cli/commands.h"
#include "cli/far_sides.h"
#include "cli/output.h"
#include "cli/world.h"
#include "core/date.h"
#include "core/error.h"
#include "journal/log_privacy.h"
#include "journal/log_restore.h"

static const struct output_column columns[] = {
        {"sink", "SINK", false},
        {"key", "KEY", false},
        {"why", "THE JOURNAL KNOWS", false},
        {"sha256", "CONTENT", false},
        {NULL, NULL, false},
};

static const char *const state_words[] = {
        [WITNESS_AGREES] = "agrees with its witness",
        [WITNESS_EMPTY] = "has a witness that holds nothing yet",
        [WITNESS_AHEAD] = "is older than its witness",
        [WITNESS_FORKED] = "has another history than its witness",
};

struct adding {
	struct restoring *restoring;
	const char *role;
	GError **error;
	bool ok;
};

static bool add_entry(void *data, const struct sink_entry *entry)
{
	struct adding *adding = data;
	adding->ok = restoring_add(adding->restoring, adding->role, entry->key, entry->sha256, adding->error);
	return adding->ok;
}

static bool ask_far_sides(
        const struct world *world, struct journal *journal, struct restoring *restoring, GError **error)
{
	for (enum sink_role role = 0; role < SINK_ROLES; role++) {
		const struct outlet *outlet = &world->sinks->outlets[role];
		struct adding adding = {restoring, sink_role_name(role), error, true};
		if (outlet->sink && !outlet->sink->list)
			fprintf(stderr, "%s cannot be listed: what went there is not known\n", adding.role);
		else if (outlet->sink &&
		         (!far_side_list(outlet, journal, add_entry, &adding, error) || !adding.ok))
			return false;
	}
	return true;
}

static void tell_standing(const struct witness_check *check, int64_t backup)
{
	g_autofree char *point = backup ? instant_format_berlin(backup) : g_strdup("nothing");
	g_autofree char *seen = check->witness.time ? instant_format_berlin(check->witness.time) : NULL;
	fprintf(stderr, "The journal %s: %" G_GUINT64_FORMAT " records sealed, newest record %s\n",
	        state_words[check->state], (guint64)check->size, point);
	if (check->witness.origin)
		fprintf(stderr, "Witness: %" G_GUINT64_FORMAT " records%s%s\n", (guint64)check->witness.size,
		        seen ? ", " : "", seen ? seen : "");
}

static bool print_sent(const struct invocation *inv, const GPtrArray *sent, GError **error)
{
	AUTO(output) out = output_new(stdout, invocation_format(inv), columns);
	for (guint i = 0; i < sent->len; i++) {
		const struct restore_sent *entry = sent->pdata[i];
		output_text(out, entry->role);
		output_text(out, entry->key);
		output_text(out, entry->why);
		output_text(out, entry->sha256);
		output_row(out);
	}
	return output_end(out, error);
}

static bool seal_now(
        const struct world *world, struct journal *journal, struct witness *witness, GError **error)
{
	g_autoptr(GError) bad = NULL;
	AUTO(log_signer) signer = log_settings_signer(&world->log, &bad);
	if (bad) {
		g_propagate_error(error, g_steal_pointer(&bad));
		return false;
	}
	if (!signer) {
		fprintf(stderr,
		        "This host has no key: the gap is signed when the sealing host seals next.\n");
		return true;
	}
	const struct seal_options options = {.signer = signer, .witness = witness};
	struct seal_result sealed;
	return journal_seal(journal, &options, &sealed, error);
}

static bool accept_gap(const struct world *world, struct journal *journal, struct witness *witness,
        const struct witness_check *check, struct restoring *restoring, GError **error)
{
	struct restore_result result;
	struct erase_result erased;
	if (!journal_restore_accept(journal, check, restoring, &result, error) ||
	        !journal_reapply_erasures(journal, witness, &erased, error) ||
	        !seal_now(world, journal, witness, error))
		return false;
	fprintf(stderr,
	        "Accepted: epoch %" G_GINT64_FORMAT ", numbers go on at %" G_GINT64_FORMAT
	        ", %" G_GINT64_FORMAT " open calls are klaerung now, %" G_GINT64_FORMAT
	        " erasures repeated\n",
	        result.epoch, result.first, result.calls, erased.erased);
	return true;
}

static int restore(const struct invocation *inv, const struct world *world, struct journal *journal,
        struct witness *witness, const struct witness_check *check, GError **error)
{
	int64_t backup;
	AUTO(restoring) restoring = restoring_new(journal);
	bool behind = check->state == WITNESS_AHEAD || check->state == WITNESS_FORKED;
	if (!journal_backup_point(journal, &backup, error))
		return 1;
	tell_standing(check, backup);
	if (!ask_far_sides(world, journal, restoring, error))
		return 1;
	const GPtrArray *sent = restoring_sent(restoring, error);
	if (!sent || !print_sent(inv, sent, error))
		return 1;
	if (invocation_switch(inv, "accept"))
		return accept_gap(world, journal, witness, check, restoring, error) ? 0 : 1;
	return behind ? 1 : 0;
}

int run_restore(struct invocation *invocation, GError **error)
{
	AUTO(journal) journal = NULL;
	AUTO(world) world = world_open(invocation, WORLD_READ, &journal, error);
	if (!world)
		return 1;
	g_autoptr(GError) bad = NULL;
	AUTO(witness) witness = log_settings_witness(&world->log, &bad);
	g_autoptr(GPtrArray) keys = bad ? NULL : log_settings_verifiers(&world->log, &bad);
	struct witness_check check = {0};
	if (!bad && (!witness || !witness_can_answer(witness)))
		fail(&bad, ERROR_CONFIG,
		        "restore: there is no witness to ask (seal.witness: a file or an address)");
	if (bad || !journal_check_witness(journal, witness, (struct log_verifier *const *)keys->pdata,
	                   keys->len, &check, &bad)) {
		g_propagate_error(error, g_steal_pointer(&bad));
		return 1;
	}
	int code = restore(invocation, world, journal, witness, &check, error);
	witness_check_clear(&check);
	return code;
}
