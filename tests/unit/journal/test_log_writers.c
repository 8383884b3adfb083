/* Eight writers and a sequencer at once: the log has no gap, and verifies. Five seconds; LOG_SECONDS in the
 * environment makes it the minute of a release. */
#include "core/error.h"
#include "journal/record.h"
#include "scene.h"

#include <criterion/logging.h>

#include <stdlib.h>

#define WRITERS 8

struct crowd {
	struct scene *scene;
	gint stop;
	gint written;
};

static bool write_some(struct journal *journal, unsigned n, bool slowly, GError **error)
{
	JSON_AUTO detail = json_pack("{s:s}", "reason", "test");
	struct record records[8];
	for (unsigned i = 0; i < n; i++)
		records[i] = (struct record){RECORD_FACTS_IMPORTED, 0, detail};
	if (!db_begin(journal_db(journal), error))
		return false;
	bool ok = record_write(journal, records, n, error);
	if (slowly) /* commits long after others that began later */
		g_usleep((gulong)g_random_int_range(1000, 30000));
	ok = ok && db_commit(journal_db(journal), error);
	if (!ok)
		db_rollback(journal_db(journal));
	return ok;
}

static gpointer writer(gpointer data)
{
	struct crowd *crowd = data;
	struct journal_options options = place_options(crowd->scene->place);
	options.migrate = false;
	options.db.busy_ms = 60000;
	bool slow = place_is_postgres(crowd->scene->place);
	AUTO(journal) journal = journal_open(&options, NULL);
	while (journal && !g_atomic_int_get(&crowd->stop)) {
		unsigned n = (unsigned)g_random_int_range(1, 8);
		g_autoptr(GError) error = NULL;
		if (write_some(journal, n, slow && g_random_int_range(0, 8) == 0, &error))
			g_atomic_int_add(&crowd->written, (gint)n);
		else if (error_class(error) != ERROR_AGAIN)
			g_printerr("writer: %s\n", error->message);
	}
	return NULL;
}

static gpointer sequencer(gpointer data)
{
	struct crowd *crowd = data;
	struct journal_options options = place_options(crowd->scene->place);
	options.migrate = false;
	options.db.busy_ms = 60000;
	AUTO(journal) journal = journal_open(&options, NULL);
	const struct seal_options seal = {.signer = crowd->scene->signer, .batch = 500};
	while (journal && !g_atomic_int_get(&crowd->stop)) {
		struct seal_result result;
		g_autoptr(GError) error = NULL;
		if (!journal_seal(journal, &seal, &result, &error) && error_class(error) != ERROR_AGAIN)
			g_printerr("sequencer: %s\n", error->message);
		g_usleep(20000);
	}
	return NULL;
}

Test(log_writers, eight_at_once_give_a_log_without_a_gap_that_verifies, .timeout = 600)
{
	const char *seconds = getenv("LOG_SECONDS");
	struct crowd crowd = {.scene = scene_new()};
	int64_t before = number(crowd.scene->journal, "SELECT count(*) FROM record");
	GThread *threads[WRITERS + 2];
	for (int i = 0; i < WRITERS + 2; i++) /* two sequencers: one at a time does it */
		threads[i] = g_thread_new("crowd", i < WRITERS ? writer : sequencer, &crowd);
	g_usleep((gulong)(seconds ? atoi(seconds) : 5) * G_USEC_PER_SEC);
	g_atomic_int_set(&crowd.stop, 1);
	for (int i = 0; i < WRITERS + 2; i++)
		g_thread_join(threads[i]);
	seal_scene(crowd.scene);
	cr_assert_gt(crowd.written, 0);
	cr_assert_eq(number(crowd.scene->journal, "SELECT count(*) FROM record"), before + crowd.written);
	cr_assert_eq(number(crowd.scene->journal, "SELECT max(n) + 1 FROM leaf"), before + crowd.written);
	assert_whole(crowd.scene);
	AUTO(verify_report) report = verify(crowd.scene);
	cr_assert_eq((int64_t)report->leaves, before + crowd.written);
	cr_log_info("%d records by %d writers, %u checkpoints", crowd.written, WRITERS,
	        (unsigned)report->checkpoints);
	cr_assert_eq(report->unsealed, 0);
	scene_free(crowd.scene);
}
