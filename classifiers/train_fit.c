/* train_fit.c - liblinear at work: per output one regression, two processes side by side.
 *
 * liblinear draws its order from rand(): each fit starts it anew, and each output is fitted in one process,
 * so that the result does not depend on how the work is shared. */
#include "classifiers/train_internal.h"
#include "core/error.h"

#include <linear.h>
#include <math.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/wait.h>
#include <unistd.h>

#define WORKERS 2
#define COPIES  4 /* of a message, each with half of its features */

static void be_quiet(const char *text)
{
	(void)text;
}

/* All vectors as liblinear wants them, for one choice of messages. */
struct fit {
	const struct corpus *corpus;
	const bool *use;
	double cost;
	int32_t *column; /* row of the corpus → column of this fit + 1, or 0: too rare here */
	unsigned columns;
	struct feature_node *nodes; /* of messages, then windows */
	struct feature_node **message, **window;
	struct feature_node **copy; /* COPIES of each message */
	double *shared;             /* outputs × (columns + 1) */
};

static void count_columns(struct fit *fit)
{
	const struct corpus *corpus = fit->corpus;
	g_autofree uint32_t *seen = g_new0(uint32_t, corpus->keys->len + 1);
	for (guint i = 0; i < corpus->labels->messages->len; i++) {
		const struct vector *vector = &g_array_index(corpus->messages, struct vector, i);
		for (uint32_t e = vector->begin; fit->use[i] && e < vector->end; e++)
			seen[g_array_index(corpus->entries, struct entry, e).row]++;
	}
	fit->column = g_new0(int32_t, corpus->keys->len + 1);
	for (guint row = 0; row < corpus->keys->len; row++)
		if (seen[row] >= TRAIN_MIN_MESSAGES)
			fit->column[row] = (int32_t)++fit->columns;
}

/* Which half of its features copy 1 … COPIES of a message keeps; copy 0 is the message itself. */
static bool copy_keeps(const struct vector *vector, unsigned copy, int32_t row)
{
	uint64_t h = (uint64_t)row * 0x9e3779b97f4a7c15u ^
	             ((uint64_t)vector->owner * 0xbf58476d1ce4e5b9u + copy * 0x94d049bb133111ebu);
	h ^= h >> 31;
	h *= 0x94d049bb133111ebu;
	return copy == 0 || (h ^ h >> 29) & 1;
}

/* Writes one vector, its bias and its end; returns the place behind. */
static struct feature_node *write_vector(
        const struct fit *fit, const struct vector *vector, unsigned copy, struct feature_node *at)
{
	struct feature_node *begin = at;
	double square = 0;
	for (uint32_t e = vector->begin; e < vector->end; e++) {
		const struct entry *entry = &g_array_index(fit->corpus->entries, struct entry, e);
		if (!fit->column[entry->row] || !copy_keeps(vector, copy, entry->row))
			continue;
		double value = model_value(entry->count);
		*at++ = (struct feature_node){fit->column[entry->row], value};
		square += value * value;
	}
	for (struct feature_node *node = begin; node < at; node++)
		node->value /= sqrt(square);
	*at++ = (struct feature_node){(int)fit->columns + 1, 1.0};
	*at++ = (struct feature_node){-1, 0};
	return at;
}

/* Copies first … last of each vector, one vector's after another's. */
static struct feature_node **write_vectors(
        const struct fit *fit, const GArray *vectors, unsigned first, unsigned last, struct feature_node **at)
{
	struct feature_node **out =
	        g_new(struct feature_node *, (size_t)vectors->len * (last - first + 1) + 1);
	size_t n = 0;
	for (guint i = 0; i < vectors->len; i++)
		for (unsigned copy = first; copy <= last; copy++) {
			out[n++] = *at;
			*at = write_vector(fit, &g_array_index(vectors, struct vector, i), copy, *at);
		}
	return out;
}

static size_t node_count(const GArray *vectors)
{
	size_t n = 0;
	for (guint i = 0; i < vectors->len; i++) {
		const struct vector *vector = &g_array_index(vectors, struct vector, i);
		n += vector->end - vector->begin + 2;
	}
	return n;
}

static int8_t label_of(const struct fit *fit, guint message, unsigned output)
{
	return fit->use[message] ? fit->corpus->labels_of[(size_t)message * fit->corpus->outputs + output]
	                         : -1;
}

struct examples {
	GPtrArray *x;
	GArray *y; /* double */
};

static void add_example(struct examples *examples, struct feature_node *x, bool positive)
{
	double y = positive ? 1 : -1;
	g_ptr_array_add(examples->x, x);
	g_array_append_val(examples->y, y);
}

/* Weights (columns, then bias) towards +1. */
static void solve(
        const struct examples *examples, int columns, double cost, int solver, double eps, double *weights)
{
	struct problem problem = {.l = (int)examples->x->len,
	        .n = columns,
	        .y = (double *)(void *)examples->y->data,
	        .x = (struct feature_node **)examples->x->pdata,
	        .bias = -1};
	struct parameter parameter = {.solver_type = solver, .eps = eps, .C = cost, .p = 0.1};
	srand(1);
	struct model *model = train(&problem, &parameter);
	double sign = model->nr_class == 2 && model->label[0] == 1 ? 1 : -1;
	for (int i = 0; i < columns; i++)
		weights[i] = sign * model->w[i];
	free_and_destroy_model(&model);
}

static double dot(const struct feature_node *x, const double *weights)
{
	double sum = 0;
	for (; x->index >= 0; x++)
		sum += x->value * weights[x->index - 1];
	return sum;
}

/* The windows: all of messages without the label, the best of each with it. */
static void add_windows(
        const struct fit *fit, unsigned output, const double *weights, struct examples *examples)
{
	const GArray *windows = fit->corpus->windows;
	for (guint i = 0; i < windows->len;) {
		uint32_t owner = g_array_index(windows, struct vector, i).owner;
		int8_t label = label_of(fit, owner, output);
		guint best = i;
		double top = -HUGE_VAL;
		for (; i < windows->len && g_array_index(windows, struct vector, i).owner == owner; i++) {
			double score = label == 1 ? dot(fit->window[i], weights) : 0;
			if (label == 0)
				add_example(examples, fit->window[i], false);
			if (label == 1 && score > top) {
				top = score;
				best = i;
			}
		}
		if (label == 1)
			add_example(examples, fit->window[best], true);
	}
}

/* The copies: a strong word must not keep the weak ones beside it from being learned, for other writers will
 * use only those (Sutton, Sindelar, McCallum: Reducing Weight Undertraining, 2006). */
static void add_copies(const struct fit *fit, unsigned output, struct examples *examples)
{
	for (guint i = 0; i < fit->corpus->messages->len; i++) {
		int8_t label = label_of(fit, i, output);
		for (unsigned copy = 0; label >= 0 && copy < COPIES; copy++)
			add_example(examples, fit->copy[(size_t)i * COPIES + copy], label == 1);
	}
}

static void fit_output(const struct fit *fit, unsigned output)
{
	g_autoptr(GPtrArray) x = g_ptr_array_new();
	g_autoptr(GArray) y = g_array_new(FALSE, FALSE, sizeof(double));
	struct examples examples = {x, y};
	double *weights = fit->shared + (size_t)output * (fit->columns + 1);
	unsigned positive = 0;
	for (guint i = 0; i < fit->corpus->labels->messages->len; i++) {
		int8_t label = label_of(fit, i, output);
		positive += label == 1;
		if (label >= 0)
			add_example(&examples, fit->message[i], label == 1);
	}
	if (positive == 0 || positive == x->len) {
		weights[fit->columns] = positive ? 5 : -5; /* nothing to learn from */
		return;
	}
	solve(&examples, (int)fit->columns + 1, fit->cost, L2R_LR_DUAL, 0.1, weights);
	add_windows(fit, output, weights, &examples);
	add_copies(fit, output, &examples);
	solve(&examples, (int)fit->columns + 1, fit->cost, L2R_LR_DUAL, 0.1, weights);
}

static bool run_workers(const struct fit *fit, GError **error)
{
	pid_t workers[WORKERS];
	bool ok = true;
	for (unsigned w = 0; w < WORKERS; w++) {
		workers[w] = fork();
		if (workers[w] != 0)
			continue;
		for (unsigned o = w; o < fit->corpus->outputs; o += WORKERS)
			fit_output(fit, o);
		_exit(0);
	}
	for (unsigned w = 0; w < WORKERS; w++) {
		int status = 1;
		ok = workers[w] > 0 && waitpid(workers[w], &status, 0) == workers[w] && status == 0 && ok;
	}
	if (!ok)
		fail(error, ERROR_INTERNAL, "a training process died (out of memory?)");
	return ok;
}

static void quantise(const struct fit *fit, struct first_layer *out)
{
	unsigned outputs = fit->corpus->outputs;
	*out = (struct first_layer){.keys = fit->columns};
	out->key = g_new0(uint32_t, fit->columns + 1);
	out->weight = g_new0(int16_t, (size_t)(fit->columns + 1) * outputs);
	for (guint row = 0; row < fit->corpus->keys->len; row++)
		if (fit->column[row])
			out->key[fit->column[row] - 1] = g_array_index(fit->corpus->keys, uint32_t, row);
	for (unsigned o = 0; o < outputs; o++) {
		const double *weights = fit->shared + (size_t)o * (fit->columns + 1);
		for (unsigned c = 0; c < fit->columns; c++)
			out->weight[(size_t)c * outputs + o] =
			        (int16_t)CLAMP(lround(weights[c] * MODEL_UNIT), -32767, 32767);
		out->bias[o] = (int32_t)lround(weights[fit->columns] * 1000);
	}
}

bool first_layer_fit(
        const struct corpus *corpus, const bool *use, double cost, struct first_layer *out, GError **error)
{
	struct fit fit = {.corpus = corpus, .use = use, .cost = cost};
	set_print_string_function(be_quiet);
	count_columns(&fit);
	fit.nodes = g_new(struct feature_node,
	        node_count(corpus->messages) * (1 + COPIES) + node_count(corpus->windows));
	struct feature_node *at = fit.nodes;
	fit.message = write_vectors(&fit, corpus->messages, 0, 0, &at);
	fit.window = write_vectors(&fit, corpus->windows, 0, 0, &at);
	fit.copy = write_vectors(&fit, corpus->messages, 1, COPIES, &at);
	size_t size = sizeof(double) * corpus->outputs * (fit.columns + 1);
	fit.shared = mmap(NULL, size, PROT_READ | PROT_WRITE, MAP_SHARED | MAP_ANONYMOUS, -1, 0);
	if (fit.shared == MAP_FAILED)
		g_error("out of memory for %zu bytes of weights", size);
	bool ok = run_workers(&fit, error);
	if (ok)
		quantise(&fit, out);
	munmap(fit.shared, size);
	g_free(fit.column);
	g_free(fit.nodes);
	g_free(fit.message);
	g_free(fit.window);
	g_free(fit.copy);
	return ok;
}

void first_layer_clear(struct first_layer *layer)
{
	g_free(layer->key);
	g_free(layer->weight);
	*layer = (struct first_layer){0};
}

#define SECOND_BIAS 10.0 /* a large constant input: the bias is hardly regularised */

static void second_output(const struct corpus *corpus, const int32_t *scores, const bool *use, double cost,
        unsigned output, int32_t *row)
{
	unsigned inputs = 2 * corpus->outputs;
	guint n = corpus->messages->len;
	g_autoptr(GPtrArray) x = g_ptr_array_new();
	g_autoptr(GArray) y = g_array_new(FALSE, FALSE, sizeof(double));
	g_autofree struct feature_node *nodes = g_new(struct feature_node, (size_t)(n + 1) * (inputs + 2));
	struct examples examples = {x, y};
	unsigned positive = 0;
	for (guint i = 0; i < n; i++) {
		int8_t label = corpus->labels_of[(size_t)i * corpus->outputs + output];
		if (!use[i] || label < 0)
			continue;
		struct feature_node *at = nodes + (size_t)i * (inputs + 2);
		for (unsigned k = 0; k < inputs; k++)
			at[k] = (struct feature_node){(int)k + 1, scores[(size_t)i * inputs + k] / 1000.0};
		at[inputs] = (struct feature_node){(int)inputs + 1, SECOND_BIAS};
		at[inputs + 1] = (struct feature_node){-1, 0};
		add_example(&examples, at, label == 1);
		positive += label == 1;
	}
	memset(row, 0, (1 + inputs) * sizeof *row);
	row[1 + output] = MODEL_SECOND_UNIT;
	if (positive == 0 || positive == x->len)
		return;
	g_autofree double *weights = g_new0(double, inputs + 1);
	solve(&examples, (int)inputs + 1, cost, L2R_LR, 0.001, weights);
	row[0] = (int32_t)lround(weights[inputs] * SECOND_BIAS * 1000);
	for (unsigned k = 0; k < inputs; k++)
		row[1 + k] = (int32_t)lround(weights[k] * MODEL_SECOND_UNIT);
}

void second_layer_fit(
        const struct corpus *corpus, const int32_t *scores, const bool *use, double cost, int32_t *out)
{
	for (unsigned o = 0; o < corpus->outputs; o++)
		second_output(corpus, scores, use, cost, o, out + (size_t)o * (1 + 2 * corpus->outputs));
}
