/* rules_vars.c - the variables a rule may read: one table, plus one per switch and per CV entry. */
#include "classifiers/rules_internal.h"
#include "core/date.h"

#include <string.h>

struct rules_arena {
	GPtrArray *blocks;
	char *next;
	size_t left;
	GStringChunk *strings;
};

#define ARENA_BLOCK (64 * 1024)

struct rules_arena *rules_arena_new(void)
{
	struct rules_arena *arena = g_new0(struct rules_arena, 1);
	arena->blocks = g_ptr_array_new_with_free_func(g_free);
	arena->strings = g_string_chunk_new(16 * 1024);
	return arena;
}

void rules_arena_free(struct rules_arena *arena)
{
	if (!arena)
		return;
	g_ptr_array_unref(arena->blocks);
	g_string_chunk_free(arena->strings);
	g_free(arena);
}

void *rules_arena_alloc(struct rules_arena *arena, size_t size)
{
	size = (size + 15) / 16 * 16;
	if (size > arena->left) {
		arena->left = MAX(size, (size_t)ARENA_BLOCK);
		arena->next = g_malloc0(arena->left);
		g_ptr_array_add(arena->blocks, arena->next);
	}
	void *memory = arena->next;
	arena->next += size;
	arena->left -= size;
	return memory;
}

const char *rules_arena_string(struct rules_arena *arena, const char *text)
{
	return text ? g_string_chunk_insert_const(arena->strings, text) : NULL;
}

static const char *const booleans[] = {"false", "true", NULL};
static const char *const facts[] = {"unknown", "yes", "no", NULL};
static const char *const channels[] = {"email", "postbox", "eservice", NULL};
static const char *const form_types[] = {"none", "unknown", "arbeitsuchendmeldung", "veraenderung", NULL};
static const char *const automatics[] = {
        "no", "list", "auto-generated", "auto-replied", "report", "bounce", NULL};
static const char *const relevances[] = {"no", "unknown", "yes", NULL};
static const char *const rechtskreise[] = {"sgb3", "sgb2", "familienkasse", NULL};
static const char *const methods[] = {"unknown", "iban", "pzzv", "other_address_bound", NULL};
static const char *const preferred[] = {"unknown", "postbox", "email", "phone", NULL};
static const char *const cv_states[] = {"unknown", "empty", "filled", NULL};

static const struct {
	const char *name, *title;
	enum var_kind kind;
	const char *const *words;
	bool unknowable;
} fixed[VAR_FIXED_COUNT] = {
        [VAR_CHANNEL] = {"channel", "Kanal", VAR_KIND_WORD, channels, false},
        [VAR_MAILBOX] = {"mailbox", "Postfach der Dienststelle", VAR_KIND_MAILBOX, NULL, false},
        [VAR_RECEIVED] = {"received", "Eingangstag", VAR_KIND_DAY, NULL, false},
        [VAR_FORM_TYPE] = {"form_type", "Formular", VAR_KIND_WORD, form_types, false},
        [VAR_FORM_KIND] = {"form_kind", "Art der Mitteilung", VAR_KIND_WORD, NULL, false},
        [VAR_FORM_FROM] = {"form_from", "Formular: von", VAR_KIND_DAY, NULL, true},
        [VAR_FORM_TO] = {"form_to", "Formular: bis", VAR_KIND_DAY, NULL, true},
        [VAR_CV_ONLY_UNUSED] = {"cv_only_unused", "einziger leerer CV-Eintrag", VAR_KIND_WORD, NULL, false},
        [VAR_HAS_SENDER] = {"has_sender", "Absenderadresse bekannt", VAR_KIND_WORD, booleans, false},
        [VAR_OWN_BOUNCE] = {"own_bounce", "Rückläufer eigener Antwort", VAR_KIND_WORD, booleans, false},
        [VAR_AUTOMATIC] = {"automatic", "automatische Nachricht", VAR_KIND_WORD, automatics, false},
        [VAR_THIRD_PARTY] = {"third_party", "Dritter schreibt", VAR_KIND_WORD, booleans, false},
        [VAR_RESOLVED] = {"resolved", "inzwischen erledigt", VAR_KIND_WORD, booleans, false},
        [VAR_AUTHORITY_STATED] = {"authority_stated", "Vollmacht oder Betreuung genannt", VAR_KIND_WORD,
                booleans, false},
        [VAR_NUMBERS_CONFLICT] = {"numbers_conflict", "zwei Kundennummern", VAR_KIND_WORD, booleans, false},
        [VAR_UNSUITABLE_DOCUMENT] = {"unsuitable_document", "unlesbares Dokument", VAR_KIND_WORD, booleans,
                false},
        [VAR_RECEIVED_IN_FUTURE] = {"received_in_future", "Eingang in der Zukunft", VAR_KIND_WORD, booleans,
                false},
        [VAR_ABSENCE_DAYS] = {"absence_days", "Tage der Abwesenheit", VAR_KIND_NUMBER, NULL, true},
        [VAR_DOUBT] = {"doubt", "Zweifel", VAR_KIND_WORD, booleans, false},
        [VAR_PAYMENT] = {"payment", "zahlungsrelevant", VAR_KIND_WORD, relevances, false},
        [VAR_ONLY_SONSTIGES] = {"only_sonstiges", "nichts als Sonstiges", VAR_KIND_WORD, booleans, false},
        [VAR_FOREIGN_ONLY] = {"foreign_only", "nur fremde Rechtskreise", VAR_KIND_WORD, booleans, false},
        [VAR_CHANNEL_CLOSED] = {"channel_closed", "E-Mail-Kanal geschlossen", VAR_KIND_WORD, booleans, false},
        [VAR_ADDRESS_MATCH] = {"address_match", "Adressabgleich", VAR_KIND_WORD, facts, true},
        [VAR_BENEFIT_RECIPIENT] = {"benefit_recipient", "Leistungsbezug", VAR_KIND_WORD, facts, true},
        [VAR_DOCUMENTS_COMPLETE] = {"documents_complete", "Unterlagen vollständig", VAR_KIND_WORD, facts,
                true},
        [VAR_APPLICATION_PROCESSED] = {"application_processed", "Antrag bearbeitet", VAR_KIND_WORD, facts,
                true},
        [VAR_DUTY_OF_PROOF] = {"duty_of_proof", "Nachweispflicht", VAR_KIND_WORD, facts, true},
        [VAR_INTERNETPERSON] = {"internetperson", "Internetperson", VAR_KIND_WORD, facts, true},
        [VAR_REPRESENTED] = {"represented", "vertreten", VAR_KIND_WORD, facts, true},
        [VAR_DECEASED] = {"deceased", "verstorben", VAR_KIND_WORD, facts, true},
        [VAR_MINOR] = {"minor", "minderjährig", VAR_KIND_WORD, facts, true},
        [VAR_PAYMENT_METHOD] = {"payment_method", "Zahlungsweg", VAR_KIND_WORD, methods, true},
        [VAR_PREFERRED_CHANNEL] = {"preferred_channel", "gewünschter Kanal", VAR_KIND_WORD, preferred, true},
        [VAR_EXPECTED_CLAIM_START] = {"expected_claim_start", "voraussichtlicher Anspruchsbeginn",
                VAR_KIND_DAY, NULL, true},
        [VAR_CONCERN] = {"concern", "Anliegen", VAR_KIND_WORD, NULL, false},
        [VAR_RECHTSKREIS] = {"rechtskreis", "Rechtskreis", VAR_KIND_WORD, rechtskreise, false},
        [VAR_CONCERN_PAYMENT] = {"concern_payment", "Anliegen zahlungsrelevant", VAR_KIND_WORD, relevances,
                false},
};

static void var_free(void *data)
{
	struct var_info *info = data;
	if (info->words)
		g_ptr_array_unref(info->words);
	g_free((char *)info->name);
	g_free((char *)info->title);
	g_free(info);
}

static struct var_info *add_var(
        struct rules_vars *vars, const char *name, const char *title, enum var_kind kind, bool unknowable)
{
	struct var_info *info = g_new0(struct var_info, 1);
	info->name = g_strdup(name);
	info->title = g_strdup(title);
	info->kind = kind;
	info->unknowable = unknowable;
	if (kind == VAR_KIND_WORD || kind == VAR_KIND_MAILBOX)
		info->words = g_ptr_array_new_with_free_func(g_free);
	g_ptr_array_add(vars->all, info);
	g_hash_table_insert(vars->by_name, (char *)info->name, GUINT_TO_POINTER(vars->all->len));
	return info;
}

static void add_words(struct var_info *info, const char *const *words)
{
	for (; words && *words; words++)
		g_ptr_array_add(info->words, g_strdup(*words));
}

static void add_word(struct var_info *info, const char *word)
{
	g_ptr_array_add(info->words, g_strdup(word));
}

static struct var_info *info_at(struct rules_vars *vars, int var)
{
	return g_ptr_array_index(vars->all, var);
}

/* Words that come from the catalogue: the order matches the enums in rules_internal.h. */
static void add_catalogue_words(struct rules_vars *vars, const struct catalogue *catalogue)
{
	struct var_info *kind = info_at(vars, VAR_FORM_KIND), *concern = info_at(vars, VAR_CONCERN);
	struct var_info *cv = info_at(vars, VAR_CV_ONLY_UNUSED);
	add_word(kind, "none");
	add_word(kind, "unknown");
	add_word(concern, "none");
	for (guint i = 0; i < catalogue->concerns->len; i++) {
		add_word(kind, catalogue_get(catalogue, (int)i)->id);
		add_word(concern, catalogue_get(catalogue, (int)i)->id);
	}
	add_word(cv, "none");
	add_word(cv, "several");
	for (guint i = 0; i < catalogue->cv_entries->len; i++)
		add_word(cv, g_ptr_array_index(catalogue->cv_entries, i));
	add_word(info_at(vars, VAR_MAILBOX), "(other)");
}

static void add_switches(struct rules_vars *vars, const struct switches *switches)
{
	vars->first_switch = (int)vars->all->len;
	for (guint i = 0; i < switches->all->len; i++) {
		const struct dated_switch *dated = switches_get(switches, (int)i);
		g_autofree char *name = g_strconcat("switch.", dated->name, NULL);
		struct var_info *info = add_var(vars, name, dated->title, VAR_KIND_WORD, false);
		for (guint w = 0; w < dated->words->len; w++)
			add_word(info, g_ptr_array_index(dated->words, w));
	}
}

static void add_cv(struct rules_vars *vars, const struct catalogue *catalogue)
{
	vars->first_cv = (int)vars->all->len;
	for (guint i = 0; i < catalogue->cv_entries->len; i++) {
		const char *entry = g_ptr_array_index(catalogue->cv_entries, i);
		g_autofree char *name = g_strconcat("cv.", entry, NULL);
		g_autofree char *title = g_strconcat("Lebenslauf: ", entry, NULL);
		add_words(add_var(vars, name, title, VAR_KIND_WORD, true), cv_states);
	}
}

struct rules_vars *rules_vars_new(const struct catalogue *catalogue, const struct switches *switches)
{
	struct rules_vars *vars = g_new0(struct rules_vars, 1);
	vars->all = g_ptr_array_new_with_free_func(var_free);
	vars->by_name = g_hash_table_new(g_str_hash, g_str_equal);
	vars->by_mailbox = g_hash_table_new_full(g_str_hash, g_str_equal, g_free, NULL);
	for (int v = 0; v < VAR_FIXED_COUNT; v++) {
		struct var_info *info =
		        add_var(vars, fixed[v].name, fixed[v].title, fixed[v].kind, fixed[v].unknowable);
		info->per_concern = v >= VAR_CONCERN;
		add_words(info, fixed[v].words);
	}
	add_catalogue_words(vars, catalogue);
	add_switches(vars, switches);
	add_cv(vars, catalogue);
	return vars;
}

void rules_vars_free(struct rules_vars *vars)
{
	if (!vars)
		return;
	g_hash_table_unref(vars->by_name);
	g_hash_table_unref(vars->by_mailbox);
	g_ptr_array_unref(vars->all);
	g_free(vars);
}

int rules_vars_find(const struct rules_vars *vars, const char *name)
{
	return GPOINTER_TO_INT(g_hash_table_lookup(vars->by_name, name)) - 1;
}

const struct var_info *rules_vars_get(const struct rules_vars *vars, int var)
{
	return g_ptr_array_index(vars->all, var);
}

int rules_vars_mailbox(struct rules_vars *vars, const char *mailbox)
{
	int known = GPOINTER_TO_INT(g_hash_table_lookup(vars->by_mailbox, mailbox));
	struct var_info *info = info_at(vars, VAR_MAILBOX);
	if (known || info->words->len >= RULES_MAX_WORDS)
		return known ? known : -1;
	known = (int)info->words->len;
	add_word(info, mailbox);
	g_hash_table_insert(vars->by_mailbox, g_strdup(mailbox), GINT_TO_POINTER(known));
	return known;
}

char *rules_vars_word(const struct rules_vars *vars, int var, int32_t value)
{
	const struct var_info *info = rules_vars_get(vars, var);
	if (info->words)
		return g_strdup(g_ptr_array_index(info->words, value));
	if (value == RULES_UNKNOWN)
		return g_strdup("unknown");
	return info->kind == VAR_KIND_DAY ? day_format(value) : g_strdup_printf("%d", value);
}
