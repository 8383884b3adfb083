/* bench_decode.c - what reading a mail costs: gmime's parse alone, and our whole decoder, over the same
 * files.
 *
 *     bench_decode FILE…       prints `name value unit` a line (CPU microseconds a mail)
 */
#include "core/file.h"
#include "core/mail.h"

#include <gmime/gmime.h>
#include <stdio.h>
#include <time.h>

enum { ROUNDS = 5, MOST = 64 << 20 };

static double cpu(void)
{
	struct timespec now;
	clock_gettime(CLOCK_PROCESS_CPUTIME_ID, &now);
	return (double)now.tv_sec * 1e6 + (double)now.tv_nsec / 1e3;
}

static void parse_only(GBytes *raw)
{
	gsize size;
	const char *data = g_bytes_get_data(raw, &size);
	GMimeStream *stream = g_mime_stream_mem_new_with_buffer(data, size);
	GMimeParser *parser = g_mime_parser_new_with_stream(stream);
	GMimeMessage *message = g_mime_parser_construct_message(parser, NULL);
	g_clear_object(&message);
	g_object_unref(parser);
	g_object_unref(stream);
}

static void decode(GBytes *raw)
{
	message_free(mail_decode(raw, NULL));
}

static void measure(const char *name, void (*work)(GBytes *), GPtrArray *mails)
{
	double best = 0;
	for (int round = 0; round < ROUNDS; round++) {
		double start = cpu();
		for (guint i = 0; i < mails->len; i++)
			work(g_ptr_array_index(mails, i));
		double each = (cpu() - start) / (double)mails->len;
		best = round == 0 || each < best ? each : best;
	}
	printf("%s %.1f us\n", name, best);
}

int main(int argc, char **argv)
{
	g_autoptr(GPtrArray) mails = g_ptr_array_new_with_free_func((GDestroyNotify)g_bytes_unref);
	mail_setup();
	for (int i = 1; i < argc; i++) {
		GBytes *raw = file_read(argv[i], MOST, NULL);
		if (raw)
			g_ptr_array_add(mails, raw);
	}
	if (mails->len == 0)
		return 64;
	measure("parse", parse_only, mails);
	measure("decode", decode, mails);
	return 0;
}
