/* proof_narrow.c - the ties between variables, as rules_env.c computes them, applied to sets of values.
 *
 * Each tie only removes what no input can be; where it cannot tell yet, it leaves everything: the search then
 * splits further. What it must never do is remove a value that some input has.
 */
#include "classifiers/proof_internal.h"

#include <string.h>

static bool may(const struct space *space, int var, int32_t cell)
{
	return word_set_has(&space->dom[var], cell);
}

static bool must(const struct space *space, int var, int32_t cell)
{
	struct word_set rest = space->dom[var];
	rest.bits[cell >> 6] &= ~(UINT64_C(1) << (cell & 63));
	return may(space, var, cell) && word_set_empty(&rest);
}

static void drop(struct space *space, int var, int32_t cell)
{
	space->dom[var].bits[cell >> 6] &= ~(UINT64_C(1) << (cell & 63));
}

static void keep(struct space *space, int var, const struct word_set *set)
{
	for (size_t i = 0; i < G_N_ELEMENTS(set->bits); i++)
		space->dom[var].bits[i] &= set->bits[i];
}

static void keep_only(struct space *space, int var, int32_t cell)
{
	struct word_set set = {{0}};
	word_set_add(&set, cell);
	keep(space, var, &set);
}

static struct word_set machine_words(void)
{
	struct word_set set = {{0}};
	word_set_add(&set, AUTOMATIC_BOUNCE);
	word_set_add(&set, AUTOMATIC_REPORT);
	word_set_add(&set, AUTOMATIC_REPLIED);
	return set;
}

static bool must_be_machine(const struct space *space)
{
	struct word_set rest = space->dom[VAR_AUTOMATIC];
	struct word_set machine = machine_words();
	rest.bits[0] &= ~machine.bits[0];
	return word_set_empty(&rest);
}

static bool may_be_machine(const struct space *space)
{
	return space->dom[VAR_AUTOMATIC].bits[0] & machine_words().bits[0];
}

/* A switch has the word of the day. */
static void tie_switches(const struct model *model, struct space *space)
{
	const struct cells *days = &model->cells[VAR_RECEIVED];
	const struct switches *switches = model->rules->switches;
	for (guint i = 0; i < switches->all->len; i++) {
		const struct dated_switch *dated = switches_get(switches, (int)i);
		int var = model->rules->vars->first_switch + (int)i;
		struct word_set possible = {{0}};
		for (unsigned c = 0; c < days->count; c++) {
			int32_t word = switch_on(dated, days->values[c]);
			if (!may(space, VAR_RECEIVED, (int32_t)c))
				continue;
			if (may(space, var, word))
				word_set_add(&possible, word);
			else
				drop(space, VAR_RECEIVED, (int32_t)c);
		}
		keep(space, var, &possible);
	}
}

/* Bounces, reports and auto-replies are never in doubt; no concern and no list is doubt. */
static void tie_doubt(const struct model *model, struct space *space)
{
	if (model->set->outside)
		return;
	if (must(space, VAR_DOUBT, true)) {
		struct word_set machine = machine_words();
		space->dom[VAR_AUTOMATIC].bits[0] &= ~machine.bits[0];
	}
	if (must_be_machine(space))
		keep_only(space, VAR_DOUBT, false);
	if (model->view == VIEW_WITNESS && must(space, VAR_CONCERN, CONCERN_NONE)) {
		if (must(space, VAR_AUTOMATIC, AUTOMATIC_NO))
			keep_only(space, VAR_DOUBT, true);
		if (must(space, VAR_DOUBT, false))
			drop(space, VAR_AUTOMATIC, AUTOMATIC_NO);
	}
}

/* In doubt sgb3; else as the catalogue or the classifier says. */
static void tie_rechtskreis(const struct model *model, struct space *space)
{
	struct word_set possible = {{0}};
	if (must(space, VAR_DOUBT, true) ||
	        (model->view == VIEW_WITNESS && must(space, VAR_CONCERN, CONCERN_NONE)))
		keep_only(space, VAR_RECHTSKREIS, RECHTSKREIS_SGB3);
	if (model->view == VIEW_ITEM || may(space, VAR_DOUBT, true) || may(space, VAR_CONCERN, CONCERN_NONE))
		return;
	for (guint i = 0; i < model->rules->catalogue->concerns->len; i++) {
		const struct concern *concern = catalogue_get(model->rules->catalogue, (int)i);
		if (!may(space, VAR_CONCERN, (int32_t)i + CONCERN_FIRST))
			continue;
		if (concern->rechtskreis_fixed)
			word_set_add(&possible, (int32_t)concern->rechtskreis);
		else
			memset(&possible, 0xff, sizeof possible);
		if (concern->rechtskreis_fixed && !may(space, VAR_RECHTSKREIS, (int32_t)concern->rechtskreis))
			drop(space, VAR_CONCERN, (int32_t)i + CONCERN_FIRST);
	}
	keep(space, VAR_RECHTSKREIS, &possible);
}

/* What one concern of the catalogue may come to, by itself, over the days, methods and lengths left. */
static unsigned payment_of_concern(
        const struct model *model, const struct space *space, const struct concern *concern)
{
	const struct cells *days = &model->cells[VAR_RECEIVED], *lengths = &model->cells[VAR_ABSENCE_DAYS];
	unsigned found = 0;
	if (concern->payment == PAYMENT_KIND_YES)
		return 1U << RELEVANCE_YES;
	if (concern->payment == PAYMENT_KIND_NO)
		return 1U << RELEVANCE_NO;
	for (unsigned d = 0; d < days->count; d++) {
		if (!may(space, VAR_RECEIVED, (int32_t)d))
			continue;
		for (int32_t m = 0; m <= PAYMENT_METHOD_OTHER_ADDRESS_BOUND; m++)
			for (unsigned l = 0; may(space, VAR_PAYMENT_METHOD, m) && l < lengths->count; l++)
				if (may(space, VAR_ABSENCE_DAYS, (int32_t)l))
					found |= 1U
					         << model_payment(model, concern->payment, d, (unsigned)m, l);
	}
	return found;
}

/* What the general ties leave for any concern, before the catalogue is asked. */
static unsigned payment_in_general(const struct space *space)
{
	unsigned possible = 0;
	bool foreign = may(space, VAR_RECHTSKREIS, RECHTSKREIS_SGB2) ||
	               may(space, VAR_RECHTSKREIS, RECHTSKREIS_FAMILIENKASSE);
	if (may(space, VAR_DOUBT, true))
		possible |= 1U << RELEVANCE_UNKNOWN;
	if (may(space, VAR_DOUBT, false) && (foreign || may_be_machine(space)))
		possible |= 1U << RELEVANCE_NO;
	return possible;
}

static unsigned relevances(const struct space *space, int var)
{
	return (unsigned)space->dom[var].bits[0];
}

static void keep_relevances(struct space *space, int var, unsigned mask)
{
	struct word_set set = {{mask, 0, 0, 0}};
	keep(space, var, &set);
}

/* Payment follows from the concern; a concern that cannot come to it goes. */
static void tie_concern_payment(const struct model *model, struct space *space)
{
	unsigned general = payment_in_general(space), all = 0;
	bool catalogue = may(space, VAR_DOUBT, false) && !must_be_machine(space) &&
	                 may(space, VAR_RECHTSKREIS, RECHTSKREIS_SGB3);
	for (int i = -1; i < (int)model->rules->catalogue->concerns->len; i++) {
		unsigned possible = general;
		if (!may(space, VAR_CONCERN, i + CONCERN_FIRST))
			continue;
		if (i < 0 && may(space, VAR_DOUBT, false))
			possible |= 1U << RELEVANCE_NO;
		if (i >= 0 && catalogue)
			possible |=
			        payment_of_concern(model, space, catalogue_get(model->rules->catalogue, i));
		if (possible & relevances(space, VAR_CONCERN_PAYMENT))
			all |= possible;
		else
			drop(space, VAR_CONCERN, i + CONCERN_FIRST);
	}
	keep_relevances(space, VAR_CONCERN_PAYMENT, all);
}

/* The item's payment: the maximum; in the view of a witness that of the concern at hand. */
static void tie_payment(const struct model *model, struct space *space)
{
	if (must(space, VAR_DOUBT, true))
		keep_only(space, VAR_PAYMENT, RELEVANCE_UNKNOWN);
	if (must_be_machine(space) && must(space, VAR_DOUBT, false))
		keep_only(space, VAR_PAYMENT, RELEVANCE_NO);
	if (model->view == VIEW_WITNESS) {
		keep(space, VAR_PAYMENT, &space->dom[VAR_CONCERN_PAYMENT]);
		keep(space, VAR_CONCERN_PAYMENT, &space->dom[VAR_PAYMENT]);
	} else if (model->view == VIEW_CONCERN) {
		for (int32_t r = RELEVANCE_NO; r < RELEVANCE_YES && !may(space, VAR_CONCERN_PAYMENT, r); r++)
			drop(space, VAR_PAYMENT, r);
		for (int32_t r = RELEVANCE_YES; r > RELEVANCE_NO && !may(space, VAR_PAYMENT, r); r--)
			drop(space, VAR_CONCERN_PAYMENT, r);
	} else {
		keep(space, VAR_CONCERN_PAYMENT, &space->dom[VAR_PAYMENT]);
	}
	if (must(space, VAR_FOREIGN_ONLY, true))
		keep_only(space, VAR_PAYMENT, RELEVANCE_NO);
	if (!may(space, VAR_PAYMENT, RELEVANCE_NO))
		keep_only(space, VAR_FOREIGN_ONLY, false);
}

/* Cells of the concern that leave "nothing but sonstiges" possible. */
static bool may_be_sonstiges(const struct model *model, const struct space *space)
{
	return may(space, VAR_CONCERN, CONCERN_NONE) ||
	       (model->rules->sonstiges >= 0 &&
	               may(space, VAR_CONCERN, model->rules->sonstiges + CONCERN_FIRST));
}

static void keep_sonstiges(const struct model *model, struct space *space)
{
	struct word_set set = {{0}};
	word_set_add(&set, CONCERN_NONE);
	if (model->rules->sonstiges >= 0)
		word_set_add(&set, model->rules->sonstiges + CONCERN_FIRST);
	keep(space, VAR_CONCERN, &set);
}

static void tie_company(const struct model *model, struct space *space)
{
	if (!may_be_sonstiges(model, space))
		keep_only(space, VAR_ONLY_SONSTIGES, false);
	if (must(space, VAR_ONLY_SONSTIGES, true))
		keep_sonstiges(model, space);
	if (must(space, VAR_RECHTSKREIS, RECHTSKREIS_SGB3) || must(space, VAR_DOUBT, true))
		keep_only(space, VAR_FOREIGN_ONLY, false);
	if (must(space, VAR_FOREIGN_ONLY, true)) {
		drop(space, VAR_RECHTSKREIS, RECHTSKREIS_SGB3);
		keep_only(space, VAR_DOUBT, false);
	}
	if (model->view == VIEW_ITEM && must(space, VAR_FOREIGN_ONLY, false))
		keep_only(space, VAR_RECHTSKREIS, RECHTSKREIS_SGB3);
	if (model->view != VIEW_WITNESS)
		return;
	if (must(space, VAR_CONCERN, CONCERN_NONE)) {
		keep_only(space, VAR_ONLY_SONSTIGES, true);
		keep_only(space, VAR_FOREIGN_ONLY, false);
	}
	if (must(space, VAR_ONLY_SONSTIGES, false) || must(space, VAR_FOREIGN_ONLY, true))
		drop(space, VAR_CONCERN, CONCERN_NONE);
}

static void tie_channel(const struct model *model, struct space *space)
{
	const struct cells *days = &model->cells[VAR_RECEIVED];
	int32_t first = INT32_MAX;
	if (must(space, VAR_CHANNEL_CLOSED, true))
		keep_only(space, VAR_CHANNEL, CHANNEL_EMAIL);
	for (guint i = 0; i < model->rules->switches->closed->len; i++) {
		const struct closed_mailbox *closed = g_ptr_array_index(model->rules->switches->closed, i);
		first = MIN(first, closed->from);
	}
	bool late = false;
	for (unsigned c = 0; c < days->count; c++)
		late |= may(space, VAR_RECEIVED, (int32_t)c) && days->values[c] >= first;
	if (!may(space, VAR_CHANNEL, CHANNEL_EMAIL) || !late)
		keep_only(space, VAR_CHANNEL_CLOSED, false);
}

/* cv_only_unused says which entries are empty. */
static void tie_cv(const struct model *model, struct space *space)
{
	int first = model->rules->vars->first_cv, count = (int)model->rules->catalogue->cv_entries->len;
	int can = 0, has_to = 0, forced = 0;
	for (int i = 0; i < count; i++) {
		can += may(space, first + i, CV_EMPTY);
		if (must(space, first + i, CV_EMPTY)) {
			has_to++;
			forced = i;
		}
	}
	if (has_to > 0)
		drop(space, VAR_CV_ONLY_UNUSED, CV_UNUSED_NONE);
	if (can < 2)
		drop(space, VAR_CV_ONLY_UNUSED, CV_UNUSED_SEVERAL);
	for (int i = 0; i < count; i++)
		if (!may(space, first + i, CV_EMPTY) || has_to > 1 || (has_to == 1 && forced != i))
			drop(space, VAR_CV_ONLY_UNUSED, CV_UNUSED_FIRST + i);
	if (must(space, VAR_CV_ONLY_UNUSED, CV_UNUSED_NONE))
		for (int i = 0; i < count; i++)
			drop(space, first + i, CV_EMPTY);
	for (int i = 0; i < count; i++) {
		if (!must(space, VAR_CV_ONLY_UNUSED, CV_UNUSED_FIRST + i))
			continue;
		for (int k = 0; k < count; k++)
			if (k == i)
				keep_only(space, first + k, CV_EMPTY);
			else
				drop(space, first + k, CV_EMPTY);
	}
}

static bool nothing_left(const struct model *model, const struct space *space)
{
	for (unsigned v = 0; v < model->var_count; v++)
		if (word_set_empty(&space->dom[v]))
			return true;
	return false;
}

bool space_narrow(const struct model *model, struct space *space)
{
	for (int round = 0; round < 2; round++) {
		if (!model->any_switch)
			tie_switches(model, space);
		tie_doubt(model, space);
		tie_rechtskreis(model, space);
		if (model->view != VIEW_ITEM)
			tie_concern_payment(model, space);
		tie_payment(model, space);
		tie_company(model, space);
		if (!model->any_switch)
			tie_channel(model, space);
		tie_cv(model, space);
		if (nothing_left(model, space))
			return false;
	}
	return true;
}
