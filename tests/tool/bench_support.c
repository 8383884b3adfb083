/* bench_support.c - failing, the median, a detail of a given size. */
#include "bench_support.h"
#include "core/json.h"

#include <stdio.h>
#include <stdlib.h>

void bench_must(bool ok, GError **error)
{
	if (ok)
		return;
	fprintf(stderr, "%s: %s\n", g_get_prgname() ? g_get_prgname() : "bench",
	        error && *error ? (*error)->message : "failed");
	exit(70);
}

static int by_value(const void *a, const void *b)
{
	double x = *(const double *)a, y = *(const double *)b;
	return (x > y) - (x < y);
}

double bench_median(double *values, unsigned n)
{
	qsort(values, n, sizeof *values, by_value);
	return values[n / 2];
}

json_t *bench_sample(unsigned size)
{
	json_t *object = json_object();
	g_autofree char *text = g_strnfill(size, 'x');
	json_set_string(object, "sample", text);
	return object;
}
