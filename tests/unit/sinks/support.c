#include "support.h"
#include "core/date.h"

#include <ftw.h>
#include <glib/gstdio.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

char *fresh_folder(void)
{
	char *folder = g_dir_make_tmp("sinks-XXXXXX", NULL);
	cr_assert_not_null(folder);
	return folder;
}

static int remove_one(const char *path, const struct stat *st, int type, struct FTW *at)
{
	(void)st, (void)type, (void)at;
	return remove(path);
}

void remove_folder(const char *path)
{
	nftw(path, remove_one, 16, FTW_DEPTH | FTW_PHYS);
}

struct sinks *sinks_of(const char *yaml, char **findings)
{
	g_autoptr(GBytes) text = g_bytes_new(yaml, strlen(yaml));
	AUTO(diag) diag = diag_new();
	AUTO(yaml_file) file = yaml_load("test.yaml", text, diag);
	struct sinks *sinks = sinks_load(file ? yaml_root(file) : NULL, diag);
	g_autoptr(GError) error = NULL;
	bool ok = diag_ok(diag, &error);
	if (findings)
		*findings = ok ? NULL : g_strdup(error->message);
	else
		cr_assert(ok, "%s", error->message);
	return sinks;
}

static bool give(void *giver, content_taker take, void *context, GError **error)
{
	/* In two pieces, as from a journal. */
	const char *content = giver;
	size_t size = strlen(content), half = size / 2;
	return (half == 0 || take(context, content, half, error)) &&
	       take(context, content + half, size - half, error);
}

struct sink_job *job_new(int64_t number, const char *handler, const char *content)
{
	struct delivery *delivery = g_new0(struct delivery, 1);
	delivery->handler = g_strdup(handler);
	delivery->item_name = g_strdup_printf("1f3a2b4c-%" G_GINT64_FORMAT, number);
	delivery->key = g_strdup_printf("%s/%s", delivery->item_name, handler);
	delivery->params = json_pack("{s:s,s:[s]}", "reason", "payment_relevant", "concerns", "umzug");
	delivery->item = item_new();
	delivery->item->id = number;
	delivery->item->channel = CHANNEL_EMAIL;
	delivery->item->source = g_strdup("imap");
	delivery->item->mailbox = g_strdup("INBOX");
	delivery->item->key = g_strdup_printf("1:%" G_GINT64_FORMAT, number);
	delivery->item->received = berlin_instant(day_from_civil(2024, 4, 8), 12);
	delivery->item_size = (int64_t)strlen(content);
	hash_hex(content, strlen(content), delivery->item->sha256);
	struct sink_job *job = g_new0(struct sink_job, 1);
	job->delivery = delivery;
	job->content = give;
	job->content_giver_data = g_strdup(content);
	return job;
}

void job_reset(struct sink_job *job)
{
	g_clear_pointer(&job->receipt, json_decref);
	g_clear_error(&job->error);
	job->done = false;
}

void job_free(struct sink_job *job)
{
	if (!job)
		return;
	job_reset(job);
	delivery_free((struct delivery *)job->delivery);
	g_free(job->content_giver_data);
	g_free(job);
}

struct sink_session *session_of(const struct sinks *sinks, enum sink_role role, const volatile gint *stop)
{
	const struct sink_world world = {.instance = "1f3a2b4c", .stop = stop};
	g_autoptr(GError) error = NULL;
	const struct outlet *outlet = &sinks->outlets[role];
	struct sink_session *session = outlet->sink->open(outlet, &world, &error);
	cr_assert_not_null(session, "%s", error ? error->message : "");
	return session;
}

void deliver_one(
        const struct sinks *sinks, struct sink_session *session, enum sink_role role, struct sink_job *job)
{
	struct sink_job *const jobs[] = {job};
	sinks->outlets[role].sink->deliver(session, jobs, 1);
}

static void collect(const char *root, const char *below, GPtrArray *names)
{
	g_autofree char *path = g_build_filename(root, below, NULL);
	g_autoptr(GDir) dir = g_dir_open(path, 0, NULL);
	const char *name;
	while (dir && (name = g_dir_read_name(dir)) != NULL) {
		g_autofree char *one = *below ? g_build_filename(below, name, NULL) : g_strdup(name);
		g_autofree char *full = g_build_filename(root, one, NULL);
		if (g_file_test(full, G_FILE_TEST_IS_DIR))
			collect(root, one, names);
		else
			g_ptr_array_add(names, g_steal_pointer(&one));
	}
}

static int by_name(const void *a, const void *b)
{
	return strcmp(*(char *const *)a, *(char *const *)b);
}

char *files_below(const char *folder)
{
	g_autoptr(GPtrArray) names = g_ptr_array_new_with_free_func(g_free);
	collect(folder, "", names);
	g_ptr_array_sort(names, by_name);
	g_ptr_array_add(names, NULL);
	return g_strjoinv("\n", (char **)names->pdata);
}

char *file_text(const char *folder, const char *name)
{
	g_autofree char *path = g_build_filename(folder, name, NULL);
	char *text = NULL;
	cr_assert(g_file_get_contents(path, &text, NULL, NULL), "%s", path);
	return text;
}
