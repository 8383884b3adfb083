/* progress.c - one line on standard error, drawn over and over. */
#include "cli/progress.h"

#include <stdio.h>
#include <unistd.h>

enum { BAR = 30 };

struct progress {
	const char *what;
	bool shown, drawn;
	int64_t started, last; /* monotonic µs */
};

struct progress *progress_new(const char *what)
{
	struct progress *progress = g_new0(struct progress, 1);
	progress->what = what;
	progress->shown = isatty(STDERR_FILENO);
	progress->started = g_get_monotonic_time();
	return progress;
}

void progress_free(struct progress *progress)
{
	if (!progress)
		return;
	if (progress->drawn)
		fprintf(stderr, "\r\033[K");
	g_free(progress);
}

bool progress_is_shown(const struct progress *progress)
{
	return progress->shown;
}

void progress_show(struct progress *progress, int64_t done, int64_t total)
{
	int64_t now = g_get_monotonic_time();
	if (!progress->shown || now - progress->last < G_USEC_PER_SEC / 10)
		return;
	progress->last = now;
	progress->drawn = true;
	int64_t rate = done * G_USEC_PER_SEC / MAX(now - progress->started, 1);
	fprintf(stderr, "\r\033[K%s ", progress->what);
	if (total > 0) {
		int filled = (int)(BAR * MIN(done, total) / total);
		fputc('[', stderr);
		for (int i = 0; i < BAR; i++)
			fputc(i < filled ? '#' : '.', stderr);
		fprintf(stderr, "] %3d %% ", (int)(100 * MIN(done, total) / total));
	}
	fprintf(stderr, "%" G_GINT64_FORMAT " items, %" G_GINT64_FORMAT "/s", done, rate);
	fflush(stderr);
}
