/* db_sqlite_log.c - checkpoints in a thread and a connection of their own.
 *
 * SQLite's own automatic checkpoint runs within the commit that fills the log: two flushes and thousands of
 * pages, while the source waits for the next question. A passive checkpoint on another connection stops
 * nobody. It never catches up with a writer that never rests, though; so that one finishes it from time to
 * time.
 */
#include "journal/db_sqlite_log.h"

#include <glib.h>

struct sqlite_log {
	char *path;
	sqlite3 *handle; /* of the watched connection */
	sqlite3 *own;    /* used by one thread at a time */
	GThread *thread;
	gint running;
	int at; /* length of the log when it was last looked after */
};

/* The statement makes the new connection open the log. */
static sqlite3 *open_own(const struct sqlite_log *log)
{
	sqlite3 *own = NULL;
	int status = sqlite3_open_v2(log->path, &own, SQLITE_OPEN_READWRITE | SQLITE_OPEN_NOMUTEX, NULL);
	if (status == SQLITE_OK)
		status = sqlite3_exec(own, "PRAGMA synchronous=FULL; SELECT 1 FROM sqlite_master LIMIT 1",
		        NULL, NULL, NULL);
	if (status == SQLITE_OK)
		return own;
	sqlite3_close(own);
	return NULL;
}

/* A failure here is none yet: the writer does it when the log is full, and is told then. */
static gpointer run(gpointer data)
{
	struct sqlite_log *log = data;
	if (!log->own)
		log->own = open_own(log);
	if (log->own)
		sqlite3_wal_checkpoint_v2(log->own, NULL, SQLITE_CHECKPOINT_PASSIVE, NULL, NULL);
	g_atomic_int_set(&log->running, 0);
	return NULL;
}

static void wait_for_thread(struct sqlite_log *log)
{
	if (log->thread)
		g_thread_join(g_steal_pointer(&log->thread));
}

static void start(struct sqlite_log *log)
{
	wait_for_thread(log);
	g_atomic_int_set(&log->running, 1);
	log->thread = g_thread_try_new("checkpoint", run, log, NULL);
	if (!log->thread)
		g_atomic_int_set(&log->running, 0);
}

/* What is committed stays committed, whatever becomes of the checkpoint. */
static int on_commit(void *data, sqlite3 *handle, const char *name, int pages)
{
	struct sqlite_log *log = data;
	if (pages < log->at) /* the log has started anew */
		log->at = 0;
	if (pages >= SQLITE_LOG_MOST) {
		wait_for_thread(log);
		sqlite3_wal_checkpoint_v2(handle, name, SQLITE_CHECKPOINT_PASSIVE, NULL, NULL);
	} else if (pages - log->at >= SQLITE_LOG_START && !g_atomic_int_get(&log->running)) {
		log->at = pages;
		start(log);
	}
	return SQLITE_OK;
}

struct sqlite_log *sqlite_log_new(sqlite3 *handle, const char *path)
{
	struct sqlite_log *log = g_new0(struct sqlite_log, 1);
	log->path = g_strdup(path);
	log->handle = handle;
	sqlite3_wal_hook(handle, on_commit, log);
	return log;
}

void sqlite_log_free(struct sqlite_log *log)
{
	if (!log)
		return;
	sqlite3_wal_hook(log->handle, NULL, NULL);
	wait_for_thread(log);
	sqlite3_close(log->own);
	g_free(log->path);
	g_free(log);
}
