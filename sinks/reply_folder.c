/* reply_folder.c - replies as files: for a mail server's pickup folder, a portal's inbox folder, or a trial.
 *
 *     PATH/<item number / 1000>/<delivery key>.eml    (.json for a postbox message)
 *
 * The name comes from the key, so a repetition would write the same file; it is at most once all the same.
 */
#include "core/error.h"
#include "core/file.h"
#include "sinks/folder.h"
#include "sinks/members.h"
#include "sinks/mime.h"

#include <fcntl.h>
#include <string.h>
#include <unistd.h>

struct folder_settings {
	char *path, *from, *from_name;
};

static const struct option reply_folder_options[] = {
        {.name = "path",
                .type = OPTION_PATH,
                .offset = offsetof(struct folder_settings, path),
                .flags = OPTION_REQUIRED,
                .help = "Folder into which replies are put; made if it is not there."},
        {.name = "from",
                .type = OPTION_STRING,
                .offset = offsetof(struct folder_settings, from),
                .fallback = "posteingang@localhost",
                .help = "Address in From."},
        {.name = "from_name",
                .type = OPTION_STRING,
                .offset = offsetof(struct folder_settings, from_name),
                .help = "Name in From."},
        OPTION_END,
};

struct sink_session {
	const struct folder_settings *settings;
	enum sink_role role;
	char *instance;
	int root;
};

static void folder_check(
        const void *settings, enum sink_role role, const struct yaml_node *map, struct diag *diag)
{
	(void)role;
	if (!mime_address_is_valid(((const struct folder_settings *)settings)->from))
		yaml_error(
		        diag, yaml_get(map, "from"), "\"from\": expected an address like name@example.org");
}

static void folder_close(struct sink_session *session)
{
	if (!session)
		return;
	if (session->root >= 0)
		close(session->root);
	g_free(session->instance);
	g_free(session);
}

static struct sink_session *folder_open(
        const struct outlet *outlet, const struct sink_world *world, GError **error)
{
	struct sink_session *session = g_new0(struct sink_session, 1);
	session->settings = outlet->settings;
	session->role = outlet->role;
	session->instance = g_strdup(world->instance);
	session->root = folder_make(session->settings->path, error);
	if (session->root >= 0 && folder_make_staging(session->root, error))
		return session;
	folder_close(session);
	return NULL;
}

static GBytes *postbox_message(const struct reply *reply)
{
	JSON_AUTO message = json_object();
	json_set_string(message, "in_reply_to", reply->in_reply_to);
	json_set_string(message, "notice", reply->notice);
	json_set_string(message, "address", reply->to);
	json_set_string(message, "subject", reply->subject);
	json_set_string(message, "body", reply->body);
	json_set_bool(message, "automatic", true);
	return json_canonical_bytes(message);
}

static GBytes *render(const struct sink_session *session, const struct reply *reply, GError **error)
{
	const struct folder_settings *s = session->settings;
	if (session->role == SINK_REPLY_POSTBOX)
		return postbox_message(reply);
	const struct mime_settings mime = {
	        s->from, s->from_name, strchr(s->from, '@') + 1, session->instance};
	return mime_reply(reply, &mime, error);
}

static bool put(int root, const char *name, GBytes *bytes, GError **error)
{
	char *staged = NULL;
	int fd = folder_stage(root, &staged, error);
	if (fd < 0)
		return false;
	bool ok = folder_write(fd, g_bytes_get_data(bytes, NULL), g_bytes_get_size(bytes), error);
	ok = folder_end(fd, ok, true, error);
	g_autoptr(GHashTable) folders = g_hash_table_new_full(g_str_hash, g_str_equal, g_free, NULL);
	char *folder = g_path_get_dirname(name);
	ok = ok && folder_sub(root, folder, error) && folder_place(root, &staged, name, error);
	g_hash_table_add(folders, folder);
	folder_unstage(root, &staged);
	return ok && folder_sync_all(root, folders, error);
}

static void folder_deliver(struct sink_session *session, struct sink_job *const *jobs, unsigned n)
{
	for (unsigned i = 0; i < n; i++) {
		struct sink_job *job = jobs[i];
		g_autofree char *base = folder_name(job->delivery->key);
		const char *ending = session->role == SINK_REPLY_POSTBOX ? "json" : "eml";
		g_autofree char *name = g_strdup_printf("%s.%s", base, ending);
		g_autoptr(GBytes) bytes = render(session, job->reply, &job->error);
		job->done = bytes && put(session->root, name, bytes, &job->error);
		if (job->done) {
			job->receipt = json_object();
			json_set_string(job->receipt, "document", name);
		} else if (error_scope(job->error) == SCOPE_SOURCE)
			return;
	}
}

static char *folder_describe(const struct outlet *outlet)
{
	return g_strdup_printf("folder %s", ((const struct folder_settings *)outlet->settings)->path);
}

const struct sink sink_reply_folder = {
        .name = "folder",
        .roles = 1 << SINK_REPLY_EMAIL | 1 << SINK_REPLY_POSTBOX,
        .summary = "Replies as files: a pickup folder, or a trial without servers.",
        .options = reply_folder_options,
        .settings_size = sizeof(struct folder_settings),
        .batch = 50,
        .check = folder_check,
        .open = folder_open,
        .deliver = folder_deliver,
        .close = folder_close,
        .describe = folder_describe,
};
