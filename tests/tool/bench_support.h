/* bench_support.h - what the benches of journal and log share. */
#ifndef TESTS_TOOL_BENCH_SUPPORT_H
#define TESTS_TOOL_BENCH_SUPPORT_H

#include <glib.h>
#include <jansson.h>
#include <stdbool.h>

/* Ends the bench with 70 and the error's message, or goes on. By address: what `ok` sets is read after it. */
void bench_must(bool ok, GError **error);

/* The middle one of n > 0 values; sorts them. */
double bench_median(double *values, unsigned n);

/* {"sample": "xxx…"} with `size` letters; new reference. */
json_t *bench_sample(unsigned size);

#endif
