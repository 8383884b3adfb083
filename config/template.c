/* template.c - texts with holes, and a closed list of what may fill them.
 *
 * A text is cut into segments when it is loaded, so that a mistake is found by `check` and not by a customer.
 */
#include "config/template.h"
#include "config/yaml.h"
#include "core/date.h"
#include "core/error.h"

#include <string.h>

enum hole { HOLE_NONE, HOLE_DIENSTSTELLE, HOLE_TELEFON, HOLE_PORTAL, HOLE_EINGANG, HOLE_VORGANG, HOLE_BLOCK };
static const char *const hole_names[] = {
        "", "dienststelle", "telefon", "portal", "eingang", "vorgang", "block", NULL};
static const char *const kind_words[] = {"reply", "block", "task", NULL};

struct segment {
	enum hole hole;
	char *text; /* HOLE_NONE: the words; HOLE_BLOCK: what follows only a block that is there */
};

struct template
{
	char *name;
	enum template_kind kind;
	GArray *subject, *body; /* of struct segment */
};

struct templates {
	GPtrArray *all;
	char *values[G_N_ELEMENTS(hole_names)]; /* of the first three holes */
};

static void segment_clear(void *data)
{
	g_free(((struct segment *)data)->text);
}

static GArray *segments_new(void)
{
	GArray *segments = g_array_new(FALSE, FALSE, sizeof(struct segment));
	g_array_set_clear_func(segments, segment_clear);
	return segments;
}

static void template_free(void *data)
{
	struct template *template = data;
	g_free(template->name);
	g_array_unref(template->subject);
	g_array_unref(template->body);
	g_free(template);
}

void templates_free(struct templates *templates)
{
	if (!templates)
		return;
	g_ptr_array_unref(templates->all);
	for (size_t i = 0; i < G_N_ELEMENTS(templates->values); i++)
		g_free(templates->values[i]);
	g_free(templates);
}

void text_free(struct text *text)
{
	if (!text)
		return;
	g_free(text->subject);
	g_free(text->body);
	g_free(text);
}

/* Where the parser stands in a file. */
struct reader {
	const char *file;
	const char *start, *at; /* at is inside start…, NUL-terminated */
	struct template *template;
	struct diag *diag;
};

static void complain(const struct reader *r, const char *where, const char *what, const char *word)
{
	int line = 1;
	const char *begin = r->start;
	for (const char *p = r->start; p < where; p++) {
		if (*p == '\n') {
			line++;
			begin = p + 1;
		}
	}
	int column = (int)g_utf8_pointer_to_offset(begin, where) + 1;
	diag_add(r->diag, SEVERITY_ERROR, r->file, line, column, "%s%s%s%s", what, word ? " \"" : "",
	        word ? word : "", word ? "\"" : "");
}

static void add_text(GArray *segments, const char *from, const char *to)
{
	if (to <= from)
		return;
	struct segment segment = {HOLE_NONE, g_strndup(from, (gsize)(to - from))};
	g_array_append_val(segments, segment);
}

static bool is_allowed(const struct reader *r, enum hole hole, bool subject)
{
	if (subject)
		return hole == HOLE_VORGANG;
	return hole != HOLE_BLOCK || r->template->kind != TEMPLATE_BLOCK;
}

static void unknown_hole(const struct reader *r, const char *where, const char *name)
{
	const char *near = did_you_mean(name, hole_names + 1);
	g_autofree char *all = g_strjoinv(", ", (char **)(hole_names + 1));
	g_autofree char *what = g_strdup_printf("placeholder not in the closed list (%s)%s%s%s:", all,
	        near ? "; did you mean \"" : "", near ? near : "", near ? "\"?" : "");
	complain(r, where, what, name);
}

/* {{block}} alone on its line: the line and an empty one behind it go with the block. */
static const char *take_tail(const char *open, const char *after, const char *begin, char **tail)
{
	const char *end = after;
	if ((open == begin || open[-1] == '\n') && *end == '\n')
		end += end[1] == '\n' ? 2 : 1;
	*tail = g_strndup(after, (gsize)(end - after));
	return end;
}

/* One {{NAME}} at `open`; returns where to go on. */
static const char *take_hole(
        const struct reader *r, const char *open, const char *begin, bool subject, GArray *into)
{
	const char *close = strstr(open, "}}");
	const char *line_end = open + strcspn(open, "\n");
	if (!close || close > line_end) {
		complain(r, open, "\"{{\" without \"}}\" on the same line", NULL);
		return line_end;
	}
	g_autofree char *name = g_strstrip(g_strndup(open + 2, (gsize)(close - open - 2)));
	struct segment segment = {HOLE_NONE, NULL};
	for (enum hole hole = HOLE_DIENSTSTELLE; hole <= HOLE_BLOCK; hole++)
		if (strcmp(hole_names[hole], name) == 0)
			segment.hole = hole;
	if (segment.hole == HOLE_NONE)
		unknown_hole(r, open, name);
	else if (!is_allowed(r, segment.hole, subject))
		complain(r, open, "placeholder not allowed here:", name);
	else if (segment.hole == HOLE_BLOCK)
		close = take_tail(open, close + 2, begin, &segment.text) - 2;
	if (segment.hole != HOLE_NONE)
		g_array_append_val(into, segment);
	return close + 2;
}

static void cut(const struct reader *r, const char *from, const char *to, bool subject, GArray *into)
{
	const char *at = from;
	for (;;) {
		const char *open = strstr(at, "{{");
		if (!open || open >= to)
			break;
		add_text(into, at, open);
		at = take_hole(r, open, from, subject, into);
	}
	add_text(into, at, to);
}

static bool control_free(const struct reader *r)
{
	for (const char *p = r->start; *p; p = g_utf8_next_char(p)) {
		gunichar c = g_utf8_get_char(p);
		if (c != '\n' && g_unichar_iscntrl(c)) {
			complain(r, p, "control character (lines end with LF, blanks are spaces)", NULL);
			return false;
		}
	}
	return true;
}

static void read_key(struct reader *r, const char *line, const char *end, bool *has_kind)
{
	const char *colon = memchr(line, ':', (size_t)(end - line));
	if (!colon) {
		complain(r, line, "expected \"key: value\", or an empty line before the text", NULL);
		return;
	}
	g_autofree char *key = g_strndup(line, (gsize)(colon - line));
	const char *value = colon + 1;
	while (value < end && *value == ' ')
		value++;
	if (strcmp(key, "subject") == 0) {
		cut(r, value, end, true, r->template->subject);
		return;
	}
	if (strcmp(key, "kind") != 0) {
		complain(r, line, "unknown key, expected kind or subject:", key);
		return;
	}
	g_autofree char *word = g_strndup(value, (gsize)(end - value));
	for (int i = 0; kind_words[i]; i++) {
		if (strcmp(word, kind_words[i]) == 0) {
			r->template->kind = (enum template_kind)i;
			*has_kind = true;
			return;
		}
	}
	complain(r, value, "kind is one of reply, block, task, not", word);
	*has_kind = true;
}

static void read_template(struct reader *r)
{
	bool has_kind = false;
	while (*r->at && *r->at != '\n') {
		const char *end = r->at + strcspn(r->at, "\n");
		read_key(r, r->at, end, &has_kind);
		r->at = *end ? end + 1 : end;
	}
	if (!has_kind)
		complain(r, r->start, "the head lacks \"kind:\"", NULL);
	bool reply = has_kind && r->template->kind == TEMPLATE_REPLY;
	if (reply != (r->template->subject->len > 0))
		complain(r, r->start, reply ? "a reply needs a \"subject:\"" : "only a reply has a subject",
		        NULL);
	if (*r->at)
		r->at++;
	if (!*r->at)
		complain(r, r->start, "there is no text behind the head", NULL);
	cut(r, r->at, r->at + strlen(r->at), false, r->template->body);
}

static void load_one(
        struct templates *templates, const struct bundle *bundle, const char *path, struct diag *diag)
{
	gsize size;
	const char *data = g_bytes_get_data(bundle_get(bundle, path), &size);
	const char *file = bundle_file_name(bundle, path);
	if (size > TEMPLATE_MAX || !g_utf8_validate(data, (gssize)size, NULL)) {
		diag_add(diag, SEVERITY_ERROR, file, 1, 1,
		        size > TEMPLATE_MAX ? "larger than %d bytes" : "not UTF-8 (at most %d bytes)",
		        TEMPLATE_MAX);
		return;
	}
	struct template *template = g_new0(struct template, 1);
	g_autofree char *base = g_path_get_basename(path);
	template->name = g_strndup(base, strlen(base) - strlen(".txt"));
	template->subject = segments_new();
	template->body = segments_new();
	g_ptr_array_add(templates->all, template);
	g_autofree char *text = g_strndup(data, size);
	struct reader reader = {file, text, text, template, diag};
	if (control_free(&reader))
		read_template(&reader);
}

static void load_values(struct templates *templates, const struct bundle *bundle, struct diag *diag)
{
	static const char *const known[] = {"dienststelle", "telefon", "portal", NULL};
	GBytes *bytes = bundle_get(bundle, "templates/values.yaml");
	if (!bytes) {
		diag_add(diag, SEVERITY_ERROR, bundle_file_name(bundle, "templates/values.yaml"), 0, 0,
		        "missing: it holds dienststelle, telefon and portal");
		return;
	}
	AUTO(yaml_file) yaml = yaml_load(bundle_file_name(bundle, "templates/values.yaml"), bytes, diag);
	const struct yaml_node *root = yaml ? yaml_root(yaml) : NULL;
	if (!root || !yaml_expect(root, YAML_MAP, diag))
		return;
	yaml_check_keys(root, known, diag);
	for (int i = 0; known[i]; i++) {
		const char *value = yaml_required(root, known[i], diag);
		if (value && (strchr(value, '\n') || strlen(value) > 200))
			yaml_error(diag, yaml_get(root, known[i]), "expected one line of at most 200 bytes");
		templates->values[HOLE_DIENSTSTELLE + i] = g_strdup(value);
	}
}

struct templates *templates_load(const struct bundle *bundle, struct diag *diag)
{
	struct templates *templates = g_new0(struct templates, 1);
	templates->all = g_ptr_array_new_with_free_func(template_free);
	load_values(templates, bundle, diag);
	g_autoptr(GPtrArray) paths = bundle_list(bundle, "templates/", ".txt");
	for (guint i = 0; i < paths->len; i++)
		load_one(templates, bundle, g_ptr_array_index(paths, i), diag);
	return templates;
}

static const struct template *find(const struct templates *templates, const char *name)
{
	for (guint i = 0; i < templates->all->len; i++) {
		const struct template *template = g_ptr_array_index(templates->all, i);
		if (strcmp(template->name, name) == 0)
			return template;
	}
	return NULL;
}

bool templates_has(const struct templates *templates, const char *name, enum template_kind kind)
{
	const struct template *template = find(templates, name);
	return template && template->kind == kind;
}

static void append_day(GString *out, int64_t received)
{
	static const char *const months[] = {"Januar", "Februar", "März", "April", "Mai", "Juni", "Juli",
	        "August", "September", "Oktober", "November", "Dezember"};
	int year, month, day;
	day_to_civil(berlin_day(received), &year, &month, &day);
	g_string_append_printf(out, "%d. %s %d", day, months[month - 1], year);
}

static void fill(GString *out, const struct templates *templates, const GArray *segments,
        const struct template_values *values, const struct template *block)
{
	for (guint i = 0; i < segments->len; i++) {
		const struct segment *segment = &g_array_index(segments, struct segment, i);
		if (segment->hole == HOLE_NONE)
			g_string_append(out, segment->text);
		else if (segment->hole == HOLE_EINGANG)
			append_day(out, values->received);
		else if (segment->hole == HOLE_VORGANG)
			g_string_append(out, values->vorgang ? values->vorgang : "");
		else if (segment->hole != HOLE_BLOCK)
			g_string_append(out,
			        templates->values[segment->hole] ? templates->values[segment->hole] : "");
		else if (block) {
			fill(out, templates, block->body, values, NULL);
			while (out->len && out->str[out->len - 1] == '\n')
				g_string_truncate(out, out->len - 1);
			g_string_append(out, segment->text);
		}
	}
}

struct text *templates_fill(const struct templates *templates, const char *name,
        const struct template_values *values, GError **error)
{
	const struct template *template = find(templates, name);
	const struct template *block = values->block ? find(templates, values->block) : NULL;
	if (!template || (values->block && (!block || block->kind != TEMPLATE_BLOCK))) {
		fail(error, ERROR_CONFIG, "no %s named \"%s\" in templates/", template ? "block" : "template",
		        template ? values->block : name);
		return NULL;
	}
	struct text *text = g_new0(struct text, 1);
	g_autoptr(GString) subject = g_string_new(NULL);
	GString *body = g_string_new(NULL);
	fill(subject, templates, template->subject, values, NULL);
	fill(body, templates, template->body, values, block);
	text->subject = template->kind == TEMPLATE_REPLY ? g_strdup(subject->str) : NULL;
	text->body = g_string_free(body, FALSE);
	return text;
}
