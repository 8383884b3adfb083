/* option.c - one setter per type; the table says which. */
#include "config/option.h"
#include "core/date.h"
#include "core/error.h"
#include "core/file.h"
#include "core/json.h"

#include <string.h>

struct unit {
	const char *name;
	int64_t factor;
};

static bool number_with_unit(const char *text, const struct unit *units, int64_t *out)
{
	char *end;
	if (!g_ascii_isdigit(*text))
		return false;
	guint64 value = g_ascii_strtoull(text, &end, 10);
	while (*end == ' ')
		end++;
	for (; units->name; units++) {
		if (strcmp(end, units->name) != 0)
			continue;
		if (value > (guint64)(INT64_MAX / units->factor))
			return false;
		*out = (int64_t)value * units->factor;
		return true;
	}
	return false;
}

bool duration_parse(const char *text, int64_t *seconds)
{
	static const struct unit units[] = {
	        {"", 1}, {"s", 1}, {"m", 60}, {"h", 3600}, {"d", 86400}, {NULL, 0}};
	return number_with_unit(text, units, seconds);
}

bool size_parse(const char *text, int64_t *bytes)
{
	static const struct unit units[] = {
	        {"", 1}, {"B", 1}, {"KiB", 1 << 10}, {"MiB", 1 << 20}, {"GiB", 1 << 30}, {NULL, 0}};
	return number_with_unit(text, units, bytes);
}

static void *field(const struct option *option, void *into)
{
	return (char *)into + option->offset;
}

struct reader {
	const struct yaml_node *map;
	void *into;
	struct diag *diag;
};

/* The node the option's value came from, for messages: the value itself, else the map. */
static const struct yaml_node *place(const struct reader *r, const struct option *option)
{
	const struct yaml_node *node = yaml_get(r->map, option->name);
	return node ? node : r->map;
}

static const char *text_of(const struct reader *r, const struct option *option)
{
	return yaml_string(r->map, option->name, option->fallback, r->diag);
}

static void read_string(const struct reader *r, const struct option *option)
{
	*(char **)field(option, r->into) = g_strdup(text_of(r, option));
}

static void read_bool(const struct reader *r, const struct option *option)
{
	bool fallback = option->fallback && strcmp(option->fallback, "true") == 0;
	*(bool *)field(option, r->into) = yaml_bool(r->map, option->name, fallback, r->diag);
}

static void store_number(
        const struct reader *r, const struct option *option, bool parsed, int64_t value, const char *form)
{
	int64_t max = option->min == 0 && option->max == 0 ? INT64_MAX : option->max;
	if (!parsed || value < option->min || value > max) {
		yaml_error(r->diag, place(r, option),
		        "\"%s\" is \"%s\", expected %s from %" G_GINT64_FORMAT " to %" G_GINT64_FORMAT,
		        option->name, text_of(r, option), form, (gint64)option->min, (gint64)max);
		return;
	}
	*(int64_t *)field(option, r->into) = value;
}

static void read_number(const struct reader *r, const struct option *option)
{
	const char *text = text_of(r, option);
	int64_t value = 0;
	gint64 plain = 0;
	if (!text)
		return;
	if (option->type == OPTION_DURATION) {
		bool ok = duration_parse(text, &value);
		store_number(r, option, ok, value, "a duration (90s, 5m, 2h, 7d)");
	} else if (option->type == OPTION_SIZE) {
		bool ok = size_parse(text, &value);
		store_number(r, option, ok, value, "a size (64KiB, 25MiB)");
	} else {
		bool ok = g_ascii_string_to_signed(text, 10, INT64_MIN, INT64_MAX, &plain, NULL);
		store_number(r, option, ok, plain, "a whole number");
	}
}

static int word_index(const char *const *words, const char *word)
{
	for (int i = 0; word && words[i]; i++)
		if (strcmp(words[i], word) == 0)
			return i;
	return 0;
}

static void read_enum(const struct reader *r, const struct option *option)
{
	int fallback = word_index(option->words, option->fallback);
	*(int *)field(option, r->into) = yaml_enum(r->map, option->name, option->words, fallback, r->diag);
}

static void read_list(const struct reader *r, const struct option *option)
{
	GPtrArray *owned = g_ptr_array_new_with_free_func(g_free);
	g_autoptr(GPtrArray) strings = yaml_strings(r->map, option->name, r->diag);
	for (guint i = 0; i < strings->len; i++)
		g_ptr_array_add(owned, g_strdup(g_ptr_array_index(strings, i)));
	if (!yaml_get(r->map, option->name) && option->fallback)
		g_ptr_array_add(owned, g_strdup(option->fallback));
	*(GPtrArray **)field(option, r->into) = owned;
}

static char *resolve(const struct yaml_node *node, const char *path)
{
	if (!node || !node->file || g_path_is_absolute(path))
		return g_strdup(path);
	g_autofree char *folder = g_path_get_dirname(node->file);
	return g_build_filename(folder, path, NULL);
}

static void read_path(const struct reader *r, const struct option *option)
{
	const char *text = text_of(r, option);
	*(char **)field(option, r->into) = text ? resolve(r->map, text) : NULL;
}

static bool is_loopback(const char *host)
{
	return g_str_has_prefix(host, "127.") || g_str_has_prefix(host, "localhost:") ||
	       g_str_has_prefix(host, "localhost/") || strcmp(host, "localhost") == 0 ||
	       g_str_has_prefix(host, "[::1]");
}

static void read_url(const struct reader *r, const struct option *option)
{
	const char *text = text_of(r, option);
	if (!text)
		return;
	bool plain = g_str_has_prefix(text, "http://") && is_loopback(text + strlen("http://"));
	if (!plain && !g_str_has_prefix(text, "https://"))
		yaml_error(r->diag, place(r, option),
		        "\"%s\" is \"%s\", expected https://… (http:// only on a loopback address)",
		        option->name, text);
	if (strchr(text, '@'))
		yaml_error(r->diag, place(r, option), "\"%s\": no user name or password in an address",
		        option->name);
	*(char **)field(option, r->into) = g_strdup(text);
}

static void read_pointer(const struct reader *r, const struct option *option)
{
	const char *text = text_of(r, option);
	if (text && !json_pointer_is_valid(text))
		yaml_error(r->diag, place(r, option),
		        "\"%s\" is \"%s\", expected a JSON Pointer like /items/0/id", option->name, text);
	*(char **)field(option, r->into) = g_strdup(text);
}

static void read_date(const struct reader *r, const struct option *option)
{
	*(int32_t *)field(option, r->into) = yaml_day(r->map, option->name, r->diag);
}

static char *secret_key(const struct option *option, const char *suffix)
{
	return g_strconcat(option->name, suffix, NULL);
}

static void read_secret(const struct reader *r, const struct option *option)
{
	g_autofree char *file_key = secret_key(option, "_file"), *env_key = secret_key(option, "_env");
	const char *file = yaml_string(r->map, file_key, NULL, r->diag);
	const char *variable = yaml_string(r->map, env_key, NULL, r->diag);
	char **into = field(option, r->into);
	g_autoptr(GError) error = NULL;
	if (file) {
		g_autofree char *path = resolve(r->map, file);
		*into = secret_read(path, &error);
		if (!*into)
			yaml_error(r->diag, yaml_get(r->map, file_key), "%s", error->message);
	} else if (variable) {
		*into = g_strdup(g_getenv(variable));
		if (!*into)
			yaml_error(r->diag, yaml_get(r->map, env_key), "the environment has no variable %s",
			        variable);
	}
}

static void read_group(const struct reader *r, const struct option *option)
{
	const struct yaml_node *map = yaml_get(r->map, option->name);
	if (map && !yaml_expect(map, YAML_MAP, r->diag))
		map = NULL;
	options_read(map, option->group, NULL, r->into, r->diag);
}

typedef void read_function(const struct reader *r, const struct option *option);

static read_function *const readers[] = {
        [OPTION_STRING] = read_string,
        [OPTION_BOOL] = read_bool,
        [OPTION_INT] = read_number,
        [OPTION_DURATION] = read_number,
        [OPTION_SIZE] = read_number,
        [OPTION_ENUM] = read_enum,
        [OPTION_LIST] = read_list,
        [OPTION_PATH] = read_path,
        [OPTION_URL] = read_url,
        [OPTION_POINTER] = read_pointer,
        [OPTION_DATE] = read_date,
        [OPTION_SECRET] = read_secret,
        [OPTION_GROUP] = read_group,
};

static void add_known(GPtrArray *known, const struct option *option)
{
	if (option->type != OPTION_SECRET) {
		g_ptr_array_add(known, g_strdup(option->name));
		return;
	}
	g_ptr_array_add(known, secret_key(option, "_file"));
	g_ptr_array_add(known, secret_key(option, "_env"));
}

static void check_known(
        const struct yaml_node *map, const struct option *table, const char *const *also, struct diag *diag)
{
	g_autoptr(GPtrArray) known = g_ptr_array_new_with_free_func(g_free);
	for (const struct option *option = table; option->name; option++)
		add_known(known, option);
	for (; also && *also; also++)
		g_ptr_array_add(known, g_strdup(*also));
	g_ptr_array_add(known, NULL);
	yaml_check_keys(map, (const char *const *)known->pdata, diag);
}

static bool is_given(const struct yaml_node *map, const struct option *option)
{
	if (option->type != OPTION_SECRET)
		return yaml_get(map, option->name) != NULL;
	g_autofree char *file_key = secret_key(option, "_file"), *env_key = secret_key(option, "_env");
	return yaml_get(map, file_key) || yaml_get(map, env_key);
}

void options_read(const struct yaml_node *map, const struct option *table, const char *const *also,
        void *into, struct diag *diag)
{
	struct reader r = {map, into, diag};
	if (map)
		check_known(map, table, also, diag);
	for (const struct option *option = table; option->name; option++) {
		if (map && option->flags & OPTION_REQUIRED && !is_given(map, option))
			yaml_error(diag, map, "missing key \"%s%s\": %s", option->name,
			        option->type == OPTION_SECRET ? "_file" : "", option->help);
		readers[option->type](&r, option);
	}
}

static void clear_one(const struct option *option, void *into)
{
	char **string = field(option, into);
	switch (option->type) {
	case OPTION_SECRET:
		if (*string)
			explicit_bzero(*string, strlen(*string));
		g_clear_pointer(string, g_free);
		break;
	case OPTION_STRING:
	case OPTION_PATH:
	case OPTION_URL:
	case OPTION_POINTER:
		g_clear_pointer(string, g_free);
		break;
	case OPTION_LIST:
		g_clear_pointer((GPtrArray **)field(option, into), g_ptr_array_unref);
		break;
	case OPTION_GROUP:
		options_clear(option->group, into);
		break;
	case OPTION_BOOL:
	case OPTION_INT:
	case OPTION_DURATION:
	case OPTION_SIZE:
	case OPTION_ENUM:
	case OPTION_DATE:
		break;
	}
}

void options_clear(const struct option *table, void *into)
{
	for (const struct option *option = table; option->name; option++)
		clear_one(option, into);
}

static char *describe_type(const struct option *option)
{
	static const char *const names[] = {
	        [OPTION_STRING] = "text",
	        [OPTION_BOOL] = "true or false",
	        [OPTION_INT] = "whole number",
	        [OPTION_DURATION] = "duration",
	        [OPTION_SIZE] = "size",
	        [OPTION_ENUM] = "one of",
	        [OPTION_LIST] = "value or list",
	        [OPTION_PATH] = "path",
	        [OPTION_URL] = "https address",
	        [OPTION_POINTER] = "JSON Pointer",
	        [OPTION_DATE] = "date",
	        [OPTION_SECRET] = "secret, as NAME_file or NAME_env",
	        [OPTION_GROUP] = "map",
	};
	if (option->type != OPTION_ENUM)
		return g_strdup(names[option->type]);
	g_autofree char *words = g_strjoinv(", ", (char **)option->words);
	return g_strdup_printf("one of %s", words);
}

char *option_describe(const struct option *option)
{
	g_autofree char *type = describe_type(option);
	GString *out = g_string_new(type);
	if (option->type == OPTION_INT && (option->min || option->max))
		g_string_append_printf(out, ", %" G_GINT64_FORMAT " to %" G_GINT64_FORMAT,
		        (gint64)option->min, (gint64)option->max);
	if (option->fallback)
		g_string_append_printf(out, ", default %s", option->fallback);
	if (option->flags & OPTION_REQUIRED)
		g_string_append(out, ", required");
	return g_string_free(out, FALSE);
}
