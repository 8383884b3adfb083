/* The eAkte folder: whole documents or none, one an item, and a receipt that was read back. */
#include "core/error.h"
#include "support.h"

#include <fcntl.h>
#include <glib/gstdio.h>
#include <signal.h>
#include <string.h>
#include <sys/resource.h>
#include <sys/wait.h>
#include <unistd.h>

struct place {
	char *folder;
	struct sinks *sinks;
	struct sink_session *session;
};

static struct place open_place(const char *extra)
{
	struct place place = {.folder = fresh_folder()};
	g_autofree char *yaml = g_strdup_printf("eakte: {type: folder, path: %s/akte%s%s%s}\n"
	                                        "archive: {type: jsonl, path: %s/archiv}\n",
	        place.folder, extra ? ", taken: " : "", extra ? place.folder : "", extra ? extra : "",
	        place.folder);
	place.sinks = sinks_of(yaml, NULL);
	place.session = session_of(place.sinks, SINK_EAKTE, NULL);
	return place;
}

static void close_place(struct place *place)
{
	place->sinks->outlets[SINK_EAKTE].sink->close(place->session);
	sinks_free(place->sinks);
	remove_folder(place->folder);
	g_free(place->folder);
}

static char *documents(const struct place *place)
{
	g_autofree char *akte = g_build_filename(place->folder, "akte", NULL);
	return files_below(akte);
}

Test(eakte_folder, a_document_is_the_original_bytes_and_what_they_are)
{
	struct place place = open_place(NULL);
	JOB job = job_new(1017, "eakte", "From: a\r\n\r\nText");
	deliver_one(place.sinks, place.session, SINK_EAKTE, job);
	cr_assert(job->done, "%s", job->error ? job->error->message : "");
	g_autofree char *names = documents(&place);
	cr_assert_str_eq(names, "1/1f3a2b4c-1017_eakte.eml\n1/1f3a2b4c-1017_eakte.meta.json");
	g_autofree char *content = file_text(place.folder, "akte/1/1f3a2b4c-1017_eakte.eml");
	cr_assert_str_eq(content, "From: a\r\n\r\nText");
	g_autofree char *meta_text = file_text(place.folder, "akte/1/1f3a2b4c-1017_eakte.meta.json");
	JSON_AUTO meta = json_read(meta_text, strlen(meta_text), NULL);
	cr_assert_str_eq(json_get_string(meta, "sha256"), job->delivery->item->sha256);
	cr_assert_str_eq(json_get_string(meta, "received"), "2024-04-08T12:00:00+02:00");
	cr_assert_str_eq(json_get_string(meta, "reason"), "payment_relevant");
	cr_assert_str_eq(json_get_string(meta, "content"), "1f3a2b4c-1017_eakte.eml");
	cr_assert_str_eq(json_get_string(job->receipt, "sha256"), job->delivery->item->sha256);
	close_place(&place);
}

Test(eakte_folder, the_same_delivery_again_makes_no_second_document)
{
	struct place place = open_place(NULL);
	JOB job = job_new(5, "eakte", "Inhalt");
	deliver_one(place.sinks, place.session, SINK_EAKTE, job);
	g_autofree char *before = documents(&place);
	job_reset(job);
	deliver_one(place.sinks, place.session, SINK_EAKTE, job);
	cr_assert(job->done);
	g_autofree char *after = documents(&place);
	cr_assert_str_eq(before, after);
	close_place(&place);
}

Test(eakte_folder, what_the_importer_has_taken_is_not_put_down_again)
{
	struct place place = open_place("/taken");
	JOB job = job_new(5, "eakte", "Inhalt");
	deliver_one(place.sinks, place.session, SINK_EAKTE, job);
	static const char *const endings[] = {"eml", "meta.json"};
	g_autofree char *sub = g_build_filename(place.folder, "taken/0", NULL);
	g_mkdir(sub, 0700);
	for (int i = 0; i < 2; i++) {
		g_autofree char *from =
		        g_strdup_printf("%s/akte/0/1f3a2b4c-5_eakte.%s", place.folder, endings[i]);
		g_autofree char *to = g_strdup_printf("%s/1f3a2b4c-5_eakte.%s", sub, endings[i]);
		cr_assert_eq(g_rename(from, to), 0);
	}
	job_reset(job);
	deliver_one(place.sinks, place.session, SINK_EAKTE, job);
	cr_assert(job->done);
	g_autofree char *names = documents(&place);
	cr_assert_str_eq(names, "");
	close_place(&place);
}

Test(eakte_folder, other_bytes_under_the_same_key_are_never_overwritten)
{
	struct place place = open_place(NULL);
	JOB first = job_new(5, "eakte", "Inhalt");
	JOB second = job_new(5, "eakte", "anderer");
	deliver_one(place.sinks, place.session, SINK_EAKTE, first);
	deliver_one(place.sinks, place.session, SINK_EAKTE, second);
	cr_assert_not(second->done);
	cr_assert_eq(error_when(second->error), WHEN_NEVER);
	cr_assert_eq(error_scope(second->error), SCOPE_ITEM);
	g_autofree char *content = file_text(place.folder, "akte/0/1f3a2b4c-5_eakte.eml");
	cr_assert_str_eq(content, "Inhalt");
	close_place(&place);
}

Test(eakte_folder, bytes_that_have_not_the_hash_of_receipt_are_refused)
{
	struct place place = open_place(NULL);
	JOB job = job_new(5, "eakte", "Inhalt");
	memset(job->delivery->item->sha256, '0', 64);
	deliver_one(place.sinks, place.session, SINK_EAKTE, job);
	cr_assert_not(job->done);
	cr_assert_eq(error_scope(job->error), SCOPE_ITEM);
	g_autofree char *names = documents(&place);
	cr_assert_str_eq(names, "", "nothing is left behind: %s", names);
	close_place(&place);
}

Test(eakte_folder, one_bad_item_of_a_batch_takes_no_other_with_it)
{
	struct place place = open_place(NULL);
	struct sink_job *jobs[20];
	for (int i = 0; i < 20; i++) {
		g_autofree char *content = g_strdup_printf("Inhalt %d", i);
		jobs[i] = job_new(i, "eakte", content);
	}
	memset(jobs[7]->delivery->item->sha256, '0', 64);
	place.sinks->outlets[SINK_EAKTE].sink->deliver(place.session, jobs, 20);
	for (int i = 0; i < 20; i++)
		cr_assert_eq(jobs[i]->done, i != 7, "%d", i);
	g_autofree char *names = documents(&place);
	cr_assert_null(strstr(names, ".staging"));
	cr_assert_null(strstr(names, "-7_"));
	for (int i = 0; i < 20; i++)
		job_free(jobs[i]);
	close_place(&place);
}

Test(eakte_folder, a_document_changed_on_disk_gives_no_receipt)
{
	struct place place = open_place(NULL);
	JOB job = job_new(5, "eakte", "Inhalt");
	deliver_one(place.sinks, place.session, SINK_EAKTE, job);
	g_autofree char *path = g_build_filename(place.folder, "akte/0/1f3a2b4c-5_eakte.eml", NULL);
	cr_assert(g_file_set_contents(path, "Inhalx", -1, NULL));
	job_reset(job);
	deliver_one(place.sinks, place.session, SINK_EAKTE, job);
	cr_assert_not(job->done);
	json_t *receipt = NULL;
	cr_assert(place.sinks->outlets[SINK_EAKTE].sink->find(
	        place.session, "1f3a2b4c-5/eakte", &receipt, NULL));
	cr_assert_str_neq(json_get_string(receipt, "sha256"), job->delivery->item->sha256,
	        "the hash is of what is there");
	json_decref(receipt);
	close_place(&place);
}

static bool count_entry(void *context, const struct sink_entry *entry)
{
	unsigned *counts = context;
	counts[0]++;
	counts[1] += entry->sha256 != NULL;
	return true;
}

Test(eakte_folder, all_documents_can_be_listed_and_damaged_ones_show)
{
	struct place place = open_place(NULL);
	for (int i = 0; i < 3; i++) {
		JOB job = job_new(999 + i, "eakte", "Inhalt");
		deliver_one(place.sinks, place.session, SINK_EAKTE, job);
	}
	g_autofree char *path = g_build_filename(place.folder, "akte/1/1f3a2b4c-1000_eakte.eml", NULL);
	cr_assert_eq(g_unlink(path), 0);
	unsigned counts[2] = {0};
	cr_assert(place.sinks->outlets[SINK_EAKTE].sink->list(place.session, count_entry, counts, NULL));
	cr_assert_eq(counts[0], 3);
	cr_assert_eq(counts[1], 2);
	close_place(&place);
}

Test(eakte_folder, a_full_disk_is_the_folders_fault_and_leaves_nothing)
{
	struct place place = open_place(NULL);
	JOB small = job_new(1, "eakte", "klein");
	g_autofree char *big_text = g_strnfill(100000, 'x');
	JOB big = job_new(2, "eakte", big_text);
	signal(SIGXFSZ, SIG_IGN);
	struct rlimit limit = {50000, 50000};
	setrlimit(RLIMIT_FSIZE, &limit);
	deliver_one(place.sinks, place.session, SINK_EAKTE, big);
	cr_assert_not(big->done);
	cr_assert_eq(error_scope(big->error), SCOPE_SOURCE);
	deliver_one(place.sinks, place.session, SINK_EAKTE, small);
	cr_assert(small->done);
	g_autofree char *names = documents(&place);
	cr_assert_str_eq(names, "0/1f3a2b4c-1_eakte.eml\n0/1f3a2b4c-1_eakte.meta.json");
	close_place(&place);
}

/* Delivers items 0…99 in batches of 10, over and over, until it is killed. */
static void deliver_forever(const struct sinks *sinks)
{
	struct sink_session *session = session_of(sinks, SINK_EAKTE, NULL);
	for (int round = 0;; round++) {
		struct sink_job *jobs[10];
		for (int i = 0; i < 10; i++) {
			int64_t number = round * 10 + i;
			g_autofree char *content = g_strdup_printf("Inhalt %" G_GINT64_FORMAT, number);
			jobs[i] = job_new(number, "eakte", content);
		}
		sinks->outlets[SINK_EAKTE].sink->deliver(session, jobs, 10);
		for (int i = 0; i < 10; i++)
			job_free(jobs[i]);
	}
}

/* Every published document is whole; returns their number. */
static unsigned check_whole(const char *akte)
{
	g_autofree char *names = files_below(akte);
	g_auto(GStrv) lines = g_strsplit(names, "\n", -1);
	unsigned n = 0;
	for (char **line = lines; *line && **line; line++) {
		if (!g_str_has_suffix(*line, ".meta.json") || g_str_has_prefix(*line, "."))
			continue;
		g_autofree char *meta_text = file_text(akte, *line);
		JSON_AUTO meta = json_read(meta_text, strlen(meta_text), NULL);
		cr_assert_not_null(meta, "half metadata: %s", *line);
		g_autofree char *shard = g_path_get_dirname(*line);
		g_autofree char *name = g_build_filename(shard, json_get_string(meta, "content"), NULL);
		g_autofree char *content = file_text(akte, name);
		char sha256[HASH_HEX_SIZE];
		hash_hex(content, strlen(content), sha256);
		cr_assert_str_eq(sha256, json_get_string(meta, "sha256"), "half document: %s", name);
		n++;
	}
	return n;
}

Test(eakte_folder, kill_at_any_moment_leaves_whole_documents_and_repeating_makes_no_second, .timeout = 120)
{
	struct place place = open_place(NULL);
	g_autofree char *akte = g_build_filename(place.folder, "akte", NULL);
	unsigned before = 0;
	for (useconds_t i = 0; i < 25; i++) {
		pid_t child = fork();
		if (child == 0)
			deliver_forever(place.sinks);
		usleep(2000 + i * 1700);
		kill(child, SIGKILL);
		waitpid(child, NULL, 0);
		unsigned now = check_whole(akte);
		cr_assert_geq(now, before, "a document has vanished");
		before = now;
	}
	cr_assert_gt(before, 0, "the test never got as far as a document");
	/* A normal run afterwards: all items of the last rounds, each once. */
	for (int64_t i = 0; i < before + 10; i++) {
		g_autofree char *content = g_strdup_printf("Inhalt %" G_GINT64_FORMAT, i);
		JOB job = job_new(i, "eakte", content);
		deliver_one(place.sinks, place.session, SINK_EAKTE, job);
		cr_assert(job->done);
	}
	cr_assert_eq(check_whole(akte), before + 10);
	close_place(&place);
}

Test(eakte_folder, keys_give_names_that_stay_in_the_folder_and_differ)
{
	struct place place = open_place(NULL);
	static const char *const keys[] = {
	        "../../etc/passwd", "a/b", "a_b", "a-b", "..", ".hidden", "ä/eakte", "x\ny"};
	g_autoptr(GHashTable) seen = g_hash_table_new_full(g_str_hash, g_str_equal, g_free, NULL);
	for (size_t i = 0; i < G_N_ELEMENTS(keys); i++) {
		JOB job = job_new(5, "eakte", "Inhalt");
		g_free(job->delivery->key);
		((struct delivery *)job->delivery)->key = g_strdup(keys[i]);
		deliver_one(place.sinks, place.session, SINK_EAKTE, job);
		cr_assert(job->done, "%s", keys[i]);
		const char *document = json_get_string(job->receipt, "document");
		cr_assert_null(strstr(document, ".."), "%s", document);
		cr_assert(g_hash_table_add(seen, g_strdup(document)), "twice: %s", document);
	}
	close_place(&place);
}
