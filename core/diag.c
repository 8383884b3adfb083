/* diag.c - the list of findings behind `check`. */
#include "core/diag.h"
#include "core/error.h"

#include <string.h>

struct diag {
	GPtrArray *entries;
};

static void entry_free(void *data)
{
	struct diag_entry *entry = data;
	g_free(entry->file);
	g_free(entry->text);
	g_free(entry);
}

struct diag *diag_new(void)
{
	struct diag *diag = g_new0(struct diag, 1);
	diag->entries = g_ptr_array_new_with_free_func(entry_free);
	return diag;
}

void diag_free(struct diag *diag)
{
	if (!diag)
		return;
	g_ptr_array_unref(diag->entries);
	g_free(diag);
}

void diag_add(struct diag *diag, enum severity severity, const char *file, int line, int column,
        const char *format, ...)
{
	va_list args;
	va_start(args, format);
	struct diag_entry *entry = g_new0(struct diag_entry, 1);
	*entry = (struct diag_entry){
	        .severity = severity,
	        .file = g_strdup(file),
	        .line = line,
	        .column = column,
	        .text = g_strdup_vprintf(format, args),
	};
	va_end(args);
	g_ptr_array_add(diag->entries, entry);
}

unsigned diag_count(const struct diag *diag, enum severity severity)
{
	unsigned n = 0;
	for (unsigned i = 0; i < diag->entries->len; i++)
		n += diag_get(diag, i)->severity == severity;
	return n;
}

unsigned diag_total(const struct diag *diag)
{
	return diag->entries->len;
}

const struct diag_entry *diag_get(const struct diag *diag, unsigned index)
{
	return g_ptr_array_index(diag->entries, index);
}

static int by_place(const void *a, const void *b)
{
	const struct diag_entry *x = *(struct diag_entry *const *)a, *y = *(struct diag_entry *const *)b;
	int order = g_strcmp0(x->file, y->file);
	if (order)
		return order;
	return x->line != y->line ? x->line - y->line : x->column - y->column;
}

static void entry_format(GString *out, const struct diag_entry *entry)
{
	static const char *const words[] = {"error", "warning", "note"};
	if (entry->file)
		g_string_append_printf(out, "%s:", entry->file);
	if (entry->line)
		g_string_append_printf(out, "%d:%d:", entry->line, entry->column);
	g_string_append_printf(out, "%s%s: %s", out->len ? " " : "", words[entry->severity], entry->text);
}

static void print_until(const struct diag *diag, enum severity least, FILE *out)
{
	g_ptr_array_sort(diag->entries, by_place);
	for (unsigned i = 0; i < diag->entries->len; i++) {
		g_autoptr(GString) line = g_string_new(NULL);
		if (diag_get(diag, i)->severity > least)
			continue;
		entry_format(line, diag_get(diag, i));
		fprintf(out, "%s\n", line->str);
	}
}

void diag_print(const struct diag *diag, FILE *out)
{
	print_until(diag, SEVERITY_NOTE, out);
}

void diag_print_mistakes(const struct diag *diag, FILE *out)
{
	print_until(diag, SEVERITY_WARNING, out);
}

bool diag_ok(const struct diag *diag, GError **error)
{
	if (!diag_count(diag, SEVERITY_ERROR))
		return true;
	g_autoptr(GString) all = g_string_new(NULL);
	g_ptr_array_sort(diag->entries, by_place);
	for (unsigned i = 0; i < diag->entries->len; i++) {
		if (diag_get(diag, i)->severity != SEVERITY_ERROR)
			continue;
		g_autoptr(GString) line = g_string_new(NULL);
		entry_format(line, diag_get(diag, i));
		g_string_append_printf(all, "%s%s", all->len ? "\n" : "", line->str);
	}
	fail(error, ERROR_CONFIG, "%s", all->str);
	return false;
}

/* Levenshtein distance, bounded by the short words of a configuration (64 bytes). */
static unsigned distance(const char *a, const char *b)
{
	size_t la = strlen(a), lb = strlen(b);
	unsigned row[65];
	if (la > 64 || lb > 64)
		return 99;
	for (unsigned j = 0; j <= lb; j++)
		row[j] = j;
	for (size_t i = 1; i <= la; i++) {
		unsigned diagonal = row[0];
		row[0] = (unsigned)i;
		for (size_t j = 1; j <= lb; j++) {
			unsigned cost = diagonal + (a[i - 1] != b[j - 1]);
			diagonal = row[j];
			row[j] = MIN(cost, MIN(row[j], row[j - 1]) + 1);
		}
	}
	return row[lb];
}

const char *did_you_mean(const char *word, const char *const *candidates)
{
	const char *best = NULL;
	unsigned limit = strlen(word) > 4 ? 3 : 2, least = limit + 1;
	for (; *candidates; candidates++) {
		unsigned d = distance(word, *candidates);
		if (d < least && d < strlen(word)) {
			least = d;
			best = *candidates;
		}
	}
	return best;
}
