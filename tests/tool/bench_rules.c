/* bench_rules.c - figures of the rule engine: loading 5,000 rules (time, memory), one decision over 100
 * rules, and the proof of the shipped sets.
 *
 *     bench_rules CONFIG_FOLDER
 *
 * Prints `name value unit goal` a line. The rules are made up, of the shape of the shipped ones: three tests,
 * one action, one citation each.
 */
#include "classifiers/proof.h"
#include "classifiers/rules.h"
#include "core/date.h"
#include "core/hash.h"

#include <malloc.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

static const char head[] = "ruleset: bench\ntitle: t\nvalid_from: 2000-01-01\nbasis: in_force\n"
                           "sources: [{id: s, title: t}]\n"
                           "invariants: [{id: i, title: t, action: call, at_most: 1}]\nrules:\n";

static const char *const concerns[] = {"zahlungsverbindung", "umzug", "namensaenderung", "ortsabwesenheit",
        "sonstiges", "arbeitsuchendmeldung", "nebeneinkommen", "arbeitsaufnahme"};
static const char *const effects[] = {"then: [{task: {kind: process_notice, text: Text %d}}]",
        "then: [{klaerung: {reason: reason_%d}}]", "then: [{eakte: {reason: reason_%d}}]",
        "bars: [reply, task.fraud_check]\n    reason: reason_%d"};

static void add_rule(GString *out, int i)
{
	g_string_append_printf(out,
	        "  - id: \"%d\"\n    row: r%d\n    title: Regel %d\n    when:\n"
	        "      concern: [%s, %s]\n      channel: [%s]\n      address_match: [yes, unknown]\n    ",
	        i % 200, i, i, concerns[i % 8], concerns[(i + 3) % 8], i % 3 ? "email, postbox" : "eservice");
	/* the effects are formats of our own */
	g_auto(GStrv) parts = g_strsplit(effects[i % 4], "%d", 2);
	g_string_append_printf(out, "%s%d%s\n    cites: [{source: s, section: \"%d\"}]\n", parts[0], i % 50,
	        parts[1], i % 20);
}

static void pack(GString *body, const char *path, const char *text, gsize size)
{
	g_string_append_printf(body, "%s\n%" G_GSIZE_FORMAT "\n", path, size);
	g_string_append_len(body, text, (gssize)size);
}

/* The shipped bundle with `count` made-up rules instead of its rule sets. */
static struct bundle *bench_bundle(const char *folder, int count)
{
	AUTO(bundle) shipped = bundle_read(folder, NULL);
	static const char *const keep[] = {"catalogue.yaml", "contact_codes.yaml", "rulesets/bench.yaml",
	        "rulesets/outside.yaml", "switches.yaml"};
	g_autoptr(GString) rules = g_string_new(head), body = g_string_new(NULL);
	for (int i = 0; i < count; i++)
		add_rule(rules, i);
	for (size_t i = 0; i < G_N_ELEMENTS(keep); i++) {
		GBytes *bytes = shipped ? bundle_get(shipped, keep[i]) : NULL;
		gsize size = 0;
		const char *data = bytes ? g_bytes_get_data(bytes, &size) : NULL;
		if (data)
			pack(body, keep[i], data, size);
		else
			pack(body, keep[i], rules->str, rules->len);
	}
	char hash[HASH_HEX_SIZE];
	hash_hex(body->str, body->len, hash);
	g_autoptr(GString) all = g_string_new(NULL);
	g_string_append_printf(all, "posteingang-bundle-1\n%s\n", hash);
	g_string_append_len(all, body->str, (gssize)body->len);
	g_autoptr(GBytes) packed = g_bytes_new(all->str, all->len);
	struct bundle *bundle = bundle_unpack(packed, NULL);
	if (!bundle)
		exit(1);
	return bundle;
}

static struct rules *read_or_exit(const struct bundle *bundle)
{
	AUTO(diag) diag = diag_new();
	struct rules *rules = rules_read(bundle, diag);
	if (!rules) {
		diag_print(diag, stderr);
		exit(1);
	}
	return rules;
}

/* Of the processor: what else runs on the machine does not count. */
static double seconds(void)
{
	struct timespec now;
	clock_gettime(CLOCK_PROCESS_CPUTIME_ID, &now);
	return (double)now.tv_sec + (double)now.tv_nsec / 1e9;
}

/* "VmRSS" now or "VmHWM" at most, in MB. */
static double memory(const char *what)
{
	g_autofree char *status = NULL;
	if (!g_file_get_contents("/proc/self/status", &status, NULL, NULL))
		return 0;
	const char *at = strstr(status, what);
	return at ? (double)g_ascii_strtoll(at + strlen(what) + 1, NULL, 10) / 1024.0 : 0;
}

/* In a process of its own, so that its peak is its own. */
static void bench_load(const char *folder)
{
	pid_t child = fork();
	if (child == 0) {
		AUTO(bundle) bundle = bench_bundle(folder, 5000);
		malloc_trim(0);
		double before = memory("VmRSS");
		double start = seconds();
		AUTO(rules) rules = read_or_exit(bundle);
		double took = seconds() - start;
		printf("rules.load_5000 %.3f s goal 0.5\n", took);
		printf("rules.load_5000_peak %.1f MB goal 50\n", memory("VmHWM") - before);
		printf("rules.load_5000_held %.1f MB\n", (double)mallinfo2().uordblks / 1048576.0);
		fflush(stdout);
		_exit(0);
	}
	waitpid(child, NULL, 0);
}

static struct rule_input *bench_input(void)
{
	struct rule_input *input = rule_input_new();
	input->received = berlin_instant(day_from_civil(2024, 4, 10), 12);
	input->has_sender = true;
	rule_input_add_concern(input, "umzug", RECHTSKREIS_SGB3);
	return input;
}

static double microseconds_a_decision(const struct rules *rules, const struct rule_input *input)
{
	enum { ROUNDS = 5, COUNT = 40000 };
	double best = 1e9;
	for (int round = 0; round < ROUNDS; round++) {
		double start = seconds();
		for (int i = 0; i < COUNT; i++)
			decision_free(rules_decide(rules, input));
		best = MIN(best, (seconds() - start) / COUNT * 1e6);
	}
	return best;
}

static void bench_decide(const char *folder)
{
	AUTO(bundle) bundle = bench_bundle(folder, 100);
	AUTO(rules) rules = read_or_exit(bundle);
	AUTO(bundle) shipped = bundle_read(folder, NULL);
	AUTO(rules) real = read_or_exit(shipped);
	AUTO(rule_input) input = bench_input();
	printf("rules.decide_100 %.2f us goal 10\n", microseconds_a_decision(rules, input));
	printf("rules.decide_shipped %.2f us goal 10\n", microseconds_a_decision(real, input));
}

static void bench_proof(const char *folder)
{
	AUTO(bundle) bundle = bundle_read(folder, NULL);
	AUTO(rules) rules = read_or_exit(bundle);
	AUTO(diag) diag = diag_new();
	double start = seconds();
	proof_run(rules, diag);
	printf("rules.proof_shipped %.3f s goal 2\n", seconds() - start);
}

int main(int argc, char **argv)
{
	if (argc != 2) {
		fprintf(stderr, "usage: bench_rules CONFIG_FOLDER\n");
		return 64;
	}
	bench_load(argv[1]);
	bench_decide(argv[1]);
	bench_proof(argv[1]);
	return 0;
}
