/* The event history on disk: a line a notice, whatever crashes and whoever else writes. */
#include "core/error.h"
#include "support.h"

#include <glib/gstdio.h>
#include <signal.h>
#include <string.h>
#include <sys/wait.h>
#include <unistd.h>

struct place {
	char *folder;
	struct sinks *sinks;
	struct sink_session *session;
};

static struct place open_place(void)
{
	struct place place = {.folder = fresh_folder()};
	g_autofree char *yaml = g_strdup_printf(
	        "eakte: {type: folder, path: %s/akte}\narchive: {type: jsonl, path: %s/archiv}\n",
	        place.folder, place.folder);
	place.sinks = sinks_of(yaml, NULL);
	place.session = session_of(place.sinks, SINK_ARCHIVE, NULL);
	return place;
}

static void close_place(struct place *place)
{
	place->sinks->outlets[SINK_ARCHIVE].sink->close(place->session);
	sinks_free(place->sinks);
	remove_folder(place->folder);
	g_free(place->folder);
}

static unsigned lines_of(const struct place *place, const char *name)
{
	g_autofree char *text = file_text(place->folder, name);
	unsigned n = 0;
	for (const char *p = text; *p; p++)
		n += *p == '\n';
	cr_assert(*text == '\0' || text[strlen(text) - 1] == '\n', "a torn line");
	return n;
}

static struct sink_job *notice(int64_t number, const char *mode)
{
	g_autofree char *content = g_strdup_printf("{\"form\":%" G_GINT64_FORMAT "}", number);
	struct sink_job *job = job_new(number, "archive", content);
	json_set_string(job->delivery->params, "mode", mode);
	return job;
}

Test(archive_jsonl, a_notice_is_a_line_in_the_file_of_its_day)
{
	struct place place = open_place();
	JOB job = notice(3, "write");
	deliver_one(place.sinks, place.session, SINK_ARCHIVE, job);
	cr_assert(job->done);
	g_autofree char *text = file_text(place.folder, "archiv/2024-04-08.jsonl");
	JSON_AUTO entry = json_read(text, strlen(text), NULL);
	cr_assert_str_eq(json_get_string(entry, "reference"), "1f3a2b4c-3");
	cr_assert_str_eq(json_get_string(entry, "content"), "eyJmb3JtIjozfQ==");
	cr_assert_str_eq(json_get_string(job->receipt, "entry"), "2024-04-08.jsonl");
	close_place(&place);
}

Test(archive_jsonl, repeating_writes_no_second_line_also_after_a_restart)
{
	struct place place = open_place();
	for (int i = 0; i < 3; i++) {
		struct sink_session *session = session_of(place.sinks, SINK_ARCHIVE, NULL);
		JOB job = notice(3, "write");
		deliver_one(place.sinks, session, SINK_ARCHIVE, job);
		cr_assert(job->done);
		job_reset(job);
		deliver_one(place.sinks, session, SINK_ARCHIVE, job);
		cr_assert(job->done);
		place.sinks->outlets[SINK_ARCHIVE].sink->close(session);
	}
	cr_assert_eq(lines_of(&place, "archiv/2024-04-08.jsonl"), 1);
	close_place(&place);
}

Test(archive_jsonl, a_torn_last_line_is_cut_off_and_written_again)
{
	struct place place = open_place();
	JOB first = notice(1, "write");
	JOB second = notice(2, "write");
	deliver_one(place.sinks, place.session, SINK_ARCHIVE, first);
	g_autofree char *path = g_build_filename(place.folder, "archiv/2024-04-08.jsonl", NULL);
	FILE *file = fopen(path, "ae");
	fputs("{\"key\":\"1f3a2b4c-2/archive\",\"conte", file);
	fclose(file);
	deliver_one(place.sinks, place.session, SINK_ARCHIVE, second);
	cr_assert(second->done);
	cr_assert_eq(lines_of(&place, "archiv/2024-04-08.jsonl"), 2);
	close_place(&place);
}

Test(archive_jsonl, what_the_source_says_it_archived_is_taken_as_the_receipt)
{
	struct place place = open_place();
	JOB job = notice(3, "assert");
	job->delivery->item->fields = json_pack("{s:s}", "archived", "EH-4711");
	deliver_one(place.sinks, place.session, SINK_ARCHIVE, job);
	cr_assert(job->done);
	cr_assert_str_eq(json_get_string(job->receipt, "id"), "EH-4711");
	g_autofree char *archive = g_build_filename(place.folder, "archiv", NULL);
	g_autofree char *names = files_below(archive);
	cr_assert_str_eq(names, "", "nothing is written then");
	JOB silent = notice(4, "assert");
	deliver_one(place.sinks, place.session, SINK_ARCHIVE, silent);
	cr_assert(silent->done);
	cr_assert_eq(lines_of(&place, "archiv/2024-04-08.jsonl"), 1, "a silent source's notice is kept here");
	close_place(&place);
}

Test(archive_jsonl, writers_beside_each_other_lose_and_double_nothing, .timeout = 60)
{
	struct place place = open_place();
	pid_t children[3];
	for (int c = 0; c < 3; c++) {
		children[c] = fork();
		if (children[c] != 0)
			continue;
		struct sink_session *session = session_of(place.sinks, SINK_ARCHIVE, NULL);
		for (int64_t i = 0; i < 60; i++) {
			/* Each number is tried by two of the three. */
			struct sink_job *job = notice((i + c * 30) % 90, "write");
			deliver_one(place.sinks, session, SINK_ARCHIVE, job);
			if (!job->done)
				_exit(1);
		}
		_exit(0);
	}
	for (int c = 0; c < 3; c++) {
		int status;
		waitpid(children[c], &status, 0);
		cr_assert_eq(status, 0);
	}
	cr_assert_eq(lines_of(&place, "archiv/2024-04-08.jsonl"), 90);
	close_place(&place);
}

Test(archive_jsonl, a_batch_over_several_days_goes_into_several_files)
{
	struct place place = open_place();
	struct sink_job *jobs[6];
	for (int i = 0; i < 6; i++) {
		jobs[i] = notice(i, "write");
		jobs[i]->delivery->item->received += i % 2 * INT64_C(86400000000);
	}
	place.sinks->outlets[SINK_ARCHIVE].sink->deliver(place.session, jobs, 6);
	for (int i = 0; i < 6; i++) {
		cr_assert(jobs[i]->done);
		job_free(jobs[i]);
	}
	cr_assert_eq(lines_of(&place, "archiv/2024-04-08.jsonl"), 3);
	cr_assert_eq(lines_of(&place, "archiv/2024-04-09.jsonl"), 3);
	close_place(&place);
}
