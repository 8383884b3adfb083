/* log_witness.c - lines out, lines in. */
#include "journal/log_witness.h"
#include "core/error.h"
#include "core/file.h"
#include "core/hash.h"
#include "core/http.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

struct witness {
	char *path;               /* file */
	struct http_client *http; /* address; neither: standard output */
};

struct witness *witness_new(const struct witness_settings *settings, GError **error)
{
	AUTO(witness) witness = g_new0(struct witness, 1);
	if (g_str_has_prefix(settings->place, "http")) {
		struct http_settings http = {.name = "witness",
		        .url = settings->place,
		        .ca_file = settings->ca_file,
		        .bearer = settings->bearer,
		        .max_response = WITNESS_MAX};
		witness->http = http_client_new(&http, error);
		return witness->http ? g_steal_pointer(&witness) : NULL;
	}
	if (strcmp(settings->place, "-") != 0)
		witness->path = g_strdup(settings->place);
	return g_steal_pointer(&witness);
}

void witness_free(struct witness *witness)
{
	if (!witness)
		return;
	g_free(witness->path);
	http_client_free(witness->http);
	g_free(witness);
}

bool witness_can_answer(const struct witness *witness)
{
	return witness->path || witness->http;
}

static bool fail_path(const char *what, const char *path, GError **error)
{
	fail(error, ERROR_UNAVAILABLE, "witness: %s %s: %s", what, path, g_strerror(errno));
	return false;
}

/* One write(2) with O_APPEND: lines of several writers do not mix. A torn last line is closed first. */
static bool append_to_file(const char *path, const char *line, GError **error)
{
	int fd = open(path, O_RDWR | O_APPEND | O_CREAT | O_CLOEXEC, 0640);
	if (fd < 0)
		return fail_path("open", path, error);
	char last = '\n';
	off_t end = lseek(fd, 0, SEEK_END);
	if (end > 0 && pread(fd, &last, 1, end - 1) != 1)
		last = '\n';
	g_autofree char *whole = g_strconcat(last == '\n' ? "" : "\n", line, "\n", NULL);
	size_t size = strlen(whole);
	bool ok = write(fd, whole, size) == (ssize_t)size && fsync(fd) == 0;
	if (!ok)
		fail_path("write", path, error);
	close(fd);
	return ok;
}

static bool post_line(struct http_client *http, const char *line, GError **error)
{
	g_autoptr(GBytes) body = g_bytes_new_static(line, strlen(line));
	char key[HASH_HEX_SIZE];
	hash_hex(line, strlen(line), key);
	struct http_request request = {.method = "POST", .body = body, .idempotency_key = key};
	AUTO(http_response) response = http_send(http, &request, error);
	return response != NULL;
}

static bool add_line(struct witness *witness, json_t *object, GError **error)
{
	g_autofree char *line = json_canonical(object);
	if (witness->http)
		return post_line(witness->http, line, error);
	if (witness->path)
		return append_to_file(witness->path, line, error);
	if (printf("%s\n", line) > 0 && fflush(stdout) == 0)
		return true;
	fail(error, ERROR_UNAVAILABLE, "witness: standard output: %s", g_strerror(errno));
	return false;
}

bool witness_add_note(struct witness *witness, const char *note, GError **error)
{
	JSON_AUTO object = json_object();
	json_set_string(object, "note", note);
	return add_line(witness, object, error);
}

bool witness_add_erasure(
        struct witness *witness, const char *kind, const char *hash, int64_t time, GError **error)
{
	JSON_AUTO object = json_object();
	json_set_string(object, "erased", hash);
	json_set_string(object, "kind", kind);
	json_set_int(object, "time", time);
	return add_line(witness, object, error);
}

enum { TAIL = 65536 };

/* The last TAIL bytes of a file, from the first whole line on. */
static GBytes *read_tail(const char *path, GError **error)
{
	int fd = open(path, O_RDONLY | O_CLOEXEC);
	if (fd < 0) {
		fail_path("open", path, error);
		return NULL;
	}
	off_t end = lseek(fd, 0, SEEK_END);
	off_t start = end > TAIL ? end - TAIL : 0;
	g_autofree char *buffer = g_malloc(TAIL);
	ssize_t n = pread(fd, buffer, TAIL, start);
	close(fd);
	if (n < 0) {
		fail_path("read", path, error);
		return NULL;
	}
	const char *newline = start ? memchr(buffer, '\n', (size_t)n) : NULL;
	size_t skip = newline ? (size_t)(newline + 1 - buffer) : 0;
	return g_bytes_new(buffer + skip, (size_t)n - skip);
}

/* All lines, or the last ones; "" if there is nothing yet. */
static GBytes *read_lines(struct witness *witness, bool tail, GError **error)
{
	if (tail && witness->path && g_file_test(witness->path, G_FILE_TEST_EXISTS))
		return read_tail(witness->path, error);
	if (witness->http) {
		struct http_request request = {.accept = "application/x-ndjson", .any_client_error = true};
		AUTO(http_response) response = http_send(witness->http, &request, error);
		if (!response)
			return NULL;
		return response->status == 200 ? g_bytes_ref(response->body) : g_bytes_new_static("", 0);
	}
	if (witness->path && g_file_test(witness->path, G_FILE_TEST_EXISTS))
		return file_read(witness->path, WITNESS_MAX, error);
	return g_bytes_new_static("", 0);
}

/* Calls `take` for each object that can be read. */
static bool each_line(struct witness *witness, bool tail, void (*take)(json_t *object, GPtrArray *into),
        GPtrArray *into, unsigned *broken, GError **error)
{
	g_autoptr(GBytes) bytes = read_lines(witness, tail, error);
	if (!bytes)
		return false;
	gsize size;
	const char *data = g_bytes_get_data(bytes, &size);
	g_autofree char *text = g_strndup(data ? data : "", size);
	g_auto(GStrv) lines = g_strsplit(text, "\n", -1);
	for (char **line = lines; *line; line++) {
		if (!**line)
			continue;
		JSON_AUTO object = json_read(*line, strlen(*line), NULL);
		if (object)
			take(object, into);
		else if (broken)
			(*broken)++;
	}
	return true;
}

static void take_note(json_t *object, GPtrArray *into)
{
	const char *note = json_get_string(object, "note");
	if (note)
		g_ptr_array_add(into, g_strdup(note));
}

static GPtrArray *notes_of(struct witness *witness, bool tail, unsigned *broken, GError **error)
{
	g_autoptr(GPtrArray) notes = g_ptr_array_new_with_free_func(g_free);
	if (broken)
		*broken = 0;
	return each_line(witness, tail, take_note, notes, broken, error) ? g_steal_pointer(&notes) : NULL;
}

GPtrArray *witness_notes(struct witness *witness, unsigned *broken, GError **error)
{
	return notes_of(witness, false, broken, error);
}

GPtrArray *witness_newest_notes(struct witness *witness, unsigned *broken, GError **error)
{
	return notes_of(witness, true, broken, error);
}

static void erasure_free(void *data)
{
	struct erasure *erasure = data;
	g_free(erasure->kind);
	g_free(erasure->hash);
	g_free(erasure);
}

static void take_erasure(json_t *object, GPtrArray *into)
{
	const char *hash = json_get_string(object, "erased"), *kind = json_get_string(object, "kind");
	if (!hash || !kind)
		return;
	struct erasure *erasure = g_new0(struct erasure, 1);
	*erasure = (struct erasure){g_strdup(kind), g_strdup(hash), json_get_int(object, "time", 0)};
	g_ptr_array_add(into, erasure);
}

GPtrArray *witness_erasures(struct witness *witness, GError **error)
{
	g_autoptr(GPtrArray) erasures = g_ptr_array_new_with_free_func(erasure_free);
	return each_line(witness, false, take_erasure, erasures, NULL, error) ? g_steal_pointer(&erasures)
	                                                                      : NULL;
}
