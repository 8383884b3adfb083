/* support.h - deliveries, content and sinks for the tests of this room, without a journal. */
#ifndef TEST_SINKS_SUPPORT_H
#define TEST_SINKS_SUPPORT_H

#include "core/hash.h"
#include "sinks/sink.h"

#include <criterion/criterion.h>

/* A folder that goes with the test process's own temporary folder. Free with g_free. */
char *fresh_folder(void);
void remove_folder(const char *path);

/* A sinks section with one sink: "eakte: {type: folder, path: …}". Fails the test on findings unless
 * `findings`. */
struct sinks *sinks_of(const char *yaml, char **findings);

/* A job for item `number` with that content; free with job_free. */
struct sink_job *job_new(int64_t number, const char *handler, const char *content);
void job_free(struct sink_job *job);
/* Clears the outcome, so that the job can be tried again. */
void job_reset(struct sink_job *job);
#define JOB __attribute__((cleanup(job_auto))) struct sink_job *
static inline void job_auto(struct sink_job **job)
{
	job_free(*job);
}

struct sink_session *session_of(const struct sinks *sinks, enum sink_role role, const volatile gint *stop);
void deliver_one(
        const struct sinks *sinks, struct sink_session *session, enum sink_role role, struct sink_job *job);

/* Files below a folder, hidden ones too, sorted, one a line: "0/1f-1.eml\n…". */
char *files_below(const char *folder);
char *file_text(const char *folder, const char *name);

#endif
