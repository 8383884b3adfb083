/* suggest.c - `posteingang suggest LABELS`: terms that would help, with what each would gain. */
#include "classifiers/suggest.h"

#include "cli/commands.h"
#include "cli/load.h"
#include "cli/output.h"
#include "core/error.h"

enum { MAX_DEFAULT = 20, MAX_MOST = 1000 };

static const struct output_column columns[] = {
        {"concern", "CONCERN", false},
        {"term", "TERM", false},
        {"gain", "GAIN", true},
        {"missed", "MISSED TODAY", true},
        {"with", "WITH", true},
        {"without", "WITHOUT", true},
        {"weight", "WEIGHT", true},
        {NULL, NULL, false},
};

static bool print(const GPtrArray *suggestions, enum output_format format, GError **error)
{
	AUTO(output) out = output_new(stdout, format, columns);
	for (guint i = 0; i < suggestions->len; i++) {
		const struct suggestion *suggestion = suggestions->pdata[i];
		output_text(out, suggestion->concern);
		output_text(out, suggestion->term);
		output_int(out, suggestion->gain);
		output_int(out, suggestion->missed);
		output_int(out, suggestion->with);
		output_int(out, suggestion->without);
		output_int(out, suggestion->weight);
		output_row(out);
	}
	return output_end(out, error);
}

int run_suggest(struct invocation *invocation, GError **error)
{
	const char *max_text = invocation_option(invocation, "max");
	guint64 max = MAX_DEFAULT;
	if (max_text && !g_ascii_string_to_unsigned(max_text, 10, 1, MAX_MOST, &max, NULL)) {
		fail(error, ERROR_USAGE, "--max %s: expected a number from 1 to %d", max_text, MAX_MOST);
		return 64;
	}
	AUTO(bundle) bundle = load_bundle(invocation, error);
	AUTO(labels) labels = bundle ? load_labels(bundle, invocation_argument(invocation, 0), error) : NULL;
	g_autoptr(GPtrArray) suggestions = labels ? suggest_run(bundle, labels, (unsigned)max, error) : NULL;
	return suggestions && print(suggestions, invocation_format(invocation), error) ? 0 : 1;
}
