/* analyse_html.c - a small view of HTML for evidence only: tags skipped, references decoded, with offsets.
 *
 * The readable text itself comes from core (html_to_text); this only finds its words again in the source. */
#include "classifiers/analyse_html.h"

#include <glib.h>
#include <string.h>

#define MAX_HTML (1024 * 1024)

struct view {
	GString *text;
	GArray *origin; /* uint32_t per byte, and one more */
};

static const struct {
	const char *name, *text;
} references[] = {{"auml;", "ä"}, {"ouml;", "ö"}, {"uuml;", "ü"}, {"Auml;", "Ä"}, {"Ouml;", "Ö"},
        {"Uuml;", "Ü"}, {"szlig;", "ß"}, {"amp;", "&"}, {"lt;", "<"}, {"gt;", ">"}, {"quot;", "\""},
        {"apos;", "'"}, {"nbsp;", " "}, {"euro;", "€"}, {"ndash;", "–"}, {"mdash;", "—"}, {"eacute;", "é"},
        {"egrave;", "è"}, {"shy;", ""}, {"bdquo;", "„"}, {"ldquo;", "“"}, {"rdquo;", "”"}, {"hellip;", "…"},
        {"ccedil;", "ç"}};

static void put(struct view *view, const char *bytes, size_t size, uint32_t origin)
{
	for (size_t i = 0; i < size; i++) {
		bool blank = g_ascii_isspace(bytes[i]) || (unsigned char)bytes[i] == 0xa0;
		if (blank && (view->text->len == 0 || view->text->str[view->text->len - 1] == ' '))
			continue;
		g_string_append_c(view->text, blank ? ' ' : bytes[i]);
		g_array_append_val(view->origin, origin);
	}
}

/* A reference at html[0] = '&'; returns its length, 0 if it is none we know. */
static size_t put_reference(struct view *view, const char *html, uint32_t origin)
{
	for (size_t i = 0; i < G_N_ELEMENTS(references); i++) {
		size_t n = strlen(references[i].name);
		if (strncmp(html + 1, references[i].name, n) == 0) {
			put(view, references[i].text, strlen(references[i].text), origin);
			return n + 1;
		}
	}
	if (html[1] != '#')
		return 0;
	bool hex = html[2] == 'x' || html[2] == 'X';
	char *end;
	guint64 code = g_ascii_strtoull(html + (hex ? 3 : 2), &end, hex ? 16 : 10);
	if (*end != ';' || code == 0 || code > 0x10ffff || (code >= 0xd800 && code < 0xe000))
		return 0;
	char bytes[6];
	int n = g_unichar_to_utf8(code == 0xa0 ? ' ' : (gunichar)code, bytes);
	put(view, bytes, (size_t)n, origin);
	return (size_t)(end + 1 - html);
}

static const char *skip_tag(const char *p)
{
	static const char *const hidden[] = {"style", "script", "head", "title"};
	for (size_t i = 0; i < G_N_ELEMENTS(hidden); i++) {
		size_t n = strlen(hidden[i]);
		if (g_ascii_strncasecmp(p + 1, hidden[i], n) == 0 && !g_ascii_isalnum(p[1 + n])) {
			g_autofree char *close = g_strdup_printf("</%s", hidden[i]);
			const char *end = strcasestr(p, close);
			p = end ? end : p;
			break;
		}
	}
	const char *end = strchr(p, '>');
	return end ? end + 1 : p + strlen(p);
}

static void read_html(struct view *view, const char *html)
{
	for (const char *p = html; *p && p - html < MAX_HTML;) {
		uint32_t origin = (uint32_t)(p - html);
		size_t n = *p == '&' ? put_reference(view, p, origin) : 0;
		if (n) {
			p += n;
		} else if (*p == '<' && (g_ascii_isalpha(p[1]) || p[1] == '/' || p[1] == '!')) {
			p = skip_tag(p);
			put(view, " ", 1, origin);
		} else {
			if ((unsigned char)*p == 0xc2 && (unsigned char)p[1] == 0xa0) {
				put(view, " ", 1, origin);
				p++;
			} else {
				put(view, p, 1, origin);
			}
			p++;
		}
	}
	uint32_t end = (uint32_t)strlen(html);
	g_array_append_val(view->origin, end);
}

static bool find(
        const struct view *view, const char *wanted, unsigned occurrence, uint32_t *offset, uint32_t *length)
{
	size_t n = strlen(wanted);
	const char *p = n ? strstr(view->text->str, wanted) : NULL;
	for (unsigned i = 0; p && i < occurrence; i++) {
		const char *next = strstr(p + 1, wanted);
		p = next ? next : NULL;
	}
	if (!p)
		return false;
	size_t at = (size_t)(p - view->text->str);
	uint32_t begin = g_array_index(view->origin, uint32_t, at),
	         end = g_array_index(view->origin, uint32_t, at + n);
	*offset = begin;
	*length = end - begin;
	return true;
}

bool html_place(const char *html, const char *text, uint32_t size, unsigned occurrence, uint32_t *offset,
        uint32_t *length)
{
	struct view view = {g_string_new(NULL), g_array_new(FALSE, FALSE, sizeof(uint32_t))};
	struct view wanted = {g_string_new(NULL), g_array_new(FALSE, FALSE, sizeof(uint32_t))};
	read_html(&view, html);
	put(&wanted, text, size, 0);
	bool ok = find(&view, wanted.text->str, occurrence, offset, length);
	g_string_free(view.text, TRUE);
	g_array_unref(view.origin);
	g_string_free(wanted.text, TRUE);
	g_array_unref(wanted.origin);
	return ok;
}
