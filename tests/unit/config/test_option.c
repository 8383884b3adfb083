/* Option tables: defaults, ranges, units, secrets. */
#include "config/option.h"
#include "core/date.h"

#include <criterion/criterion.h>
#include <glib/gstdio.h>
#include <string.h>

struct sample {
	char *host, *path, *password, *url;
	int64_t port, wait, size;
	int mode;
	bool fast;
	GPtrArray *boxes;
};

static const char *const modes[] = {"draft", "send", NULL};

static const struct option table[] = {
        {.name = "host",
                .type = OPTION_STRING,
                .offset = offsetof(struct sample, host),
                .flags = OPTION_REQUIRED,
                .help = "Name of the server."},
        {.name = "port",
                .type = OPTION_INT,
                .fallback = "993",
                .min = 1,
                .max = 65535,
                .offset = offsetof(struct sample, port),
                .help = "Port."},
        {.name = "wait",
                .type = OPTION_DURATION,
                .fallback = "5m",
                .offset = offsetof(struct sample, wait),
                .help = "Wait."},
        {.name = "size",
                .type = OPTION_SIZE,
                .fallback = "25MiB",
                .offset = offsetof(struct sample, size),
                .help = "Size."},
        {.name = "mode",
                .type = OPTION_ENUM,
                .words = modes,
                .fallback = "send",
                .offset = offsetof(struct sample, mode),
                .help = "Mode."},
        {.name = "fast",
                .type = OPTION_BOOL,
                .fallback = "true",
                .offset = offsetof(struct sample, fast),
                .help = "Fast."},
        {.name = "boxes",
                .type = OPTION_LIST,
                .fallback = "INBOX",
                .offset = offsetof(struct sample, boxes),
                .help = "Boxes."},
        {.name = "path",
                .type = OPTION_PATH,
                .fallback = "data",
                .offset = offsetof(struct sample, path),
                .help = "Path."},
        {.name = "url", .type = OPTION_URL, .offset = offsetof(struct sample, url), .help = "Address."},
        {.name = "password",
                .type = OPTION_SECRET,
                .offset = offsetof(struct sample, password),
                .help = "Password."},
        OPTION_END,
};

static struct diag *read_text(const char *text, struct sample *into)
{
	struct diag *diag = diag_new();
	g_autoptr(GBytes) bytes = g_bytes_new_static(text, strlen(text));
	AUTO(yaml_file) yaml = yaml_load("/etc/posteingang/p.yaml", bytes, diag);
	options_read(yaml_root(yaml), table, NULL, into, diag);
	return diag;
}

Test(option, defaults_fill_what_the_file_leaves_out)
{
	struct sample s = {0};
	AUTO(diag) diag = read_text("host: mail.example.org\n", &s);
	cr_assert_eq(diag_total(diag), 0);
	cr_assert_eq(s.port, 993);
	cr_assert_eq(s.wait, 300);
	cr_assert_eq(s.size, 25 << 20);
	cr_assert_eq(s.mode, 1);
	cr_assert(s.fast);
	cr_assert_str_eq(g_ptr_array_index(s.boxes, 0), "INBOX");
	cr_assert_str_eq(s.path, "/etc/posteingang/data");
	options_clear(table, &s);
}

Test(option, each_mistake_has_its_line)
{
	struct sample s = {0};
	AUTO(diag)
	diag = read_text(
	        "prot: 1\nport: 70000\nwait: soon\nurl: http://example.org/\npassword: geheim\n", &s);
	g_autoptr(GString) all = g_string_new(NULL);
	for (unsigned i = 0; i < diag_total(diag); i++)
		g_string_append_printf(all, "%d %s\n", diag_get(diag, i)->line, diag_get(diag, i)->text);
	cr_expect(strstr(all->str, "1 unknown key \"prot\", did you mean \"port\"?"), "%s", all->str);
	cr_expect(strstr(all->str, "2 \"port\" is \"70000\""), "%s", all->str);
	cr_expect(strstr(all->str, "3 \"wait\" is \"soon\""), "%s", all->str);
	cr_expect(strstr(all->str, "4 \"url\""), "%s", all->str);
	cr_expect(strstr(all->str, "5 unknown key \"password\""), "%s", all->str);
	cr_expect(strstr(all->str, "missing key \"host\""), "%s", all->str);
	options_clear(table, &s);
}

Test(option, a_secret_comes_from_a_file_that_others_cannot_read)
{
	g_autofree char *folder = g_dir_make_tmp("option-XXXXXX", NULL);
	g_autofree char *secret = g_build_filename(folder, "secret", NULL);
	g_autofree char *text = g_strdup_printf("host: h\npassword_file: %s\n", secret);
	g_file_set_contents_full(secret, "hunter2\n", -1, 0, 0600, NULL);
	struct sample s = {0};
	AUTO(diag) diag = read_text(text, &s);
	cr_assert_eq(diag_total(diag), 0);
	cr_assert_str_eq(s.password, "hunter2");
	options_clear(table, &s);
	g_chmod(secret, 0644);
	AUTO(diag) refused = read_text(text, &s);
	cr_assert_eq(diag_count(refused, SEVERITY_ERROR), 1);
	options_clear(table, &s);
	g_unlink(secret);
	g_rmdir(folder);
}
