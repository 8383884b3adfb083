/* html.c - HTML to readable text over libxml2's SAX events: what a reader sees, history marked with "> ".
 *
 * Hidden text does not count: a rule that fires on what nobody can see would be a way to steer us. The depth
 * is bounded because libxml2 looks through all open elements at every end tag; what lies deeper is stripped
 * of its tags without regard to meaning. */
#include "core/html.h"
#include "core/fold.h"
#include "core/mail.h"
#include "core/reply_line.h"

#include <libxml/HTMLparser.h>
#include <string.h>

#define MAX_DEPTH 250

struct frame {
	bool hidden, quoted, unmarked, pre, white, white_ground, ordered;
	int number; /* of the next item of an ordered list */
	bool block;
};

struct writer {
	GString *out;
	struct frame frames[MAX_DEPTH + 2];
	int depth;
	int breaks;      /* line ends due before the next character */
	bool blank;      /* a blank is due before the next character of this line */
	bool empty_line; /* the line holds nothing but a no-break space: it is meant to be seen as an empty
	                    one */
	bool rest_quoted;
	bool quoted_seen;
	bool attributed;  /* words that say whose the quotes are were seen */
	GArray *unmarked; /* of size_t: where "> " stands for a blockquote that nothing marks as a quote */
	guint own;        /* so many of these turned out to be the writer's own */
	htmlParserCtxtPtr parser;
	const char *input; /* whole document */
	size_t size;
	bool too_deep;
	size_t deep_at; /* where the parser gave up */
};

static const char *attribute(const xmlChar **attributes, const char *name)
{
	for (; attributes && attributes[0]; attributes += 2)
		if (g_ascii_strcasecmp((const char *)attributes[0], name) == 0)
			return attributes[1] ? (const char *)attributes[1] : "";
	return NULL;
}

static bool one_of(const char *name, const char *const *names)
{
	for (; *names; names++)
		if (strcmp(name, *names) == 0)
			return true;
	return false;
}

/* Lower case without blanks: "display: NONE" → "display:none". Styles are short; longer ones are cut. */
static char *style_fold(const char *style)
{
	if (!style)
		return g_strdup("");
	GString *out = g_string_new(";");
	for (size_t i = 0; style && style[i] && i < 4096; i++)
		if (!g_ascii_isspace(style[i]))
			g_string_append_c(out, g_ascii_tolower(style[i]));
	g_string_append_c(out, ';');
	return g_string_free(out, FALSE);
}

static bool white_value(const char *value)
{
	static const char *const whites[] = {
	        "#ffffff", "#fff", "white", "rgb(255,255,255)", "rgba(255,255,255", "ffffff"};
	for (size_t i = 0; i < G_N_ELEMENTS(whites); i++) {
		size_t size = strlen(whites[i]);
		if (g_ascii_strncasecmp(value, whites[i], size) == 0 && !g_ascii_isalnum(value[size]))
			return true;
	}
	return false;
}

static const char *style_value(const char *style, const char *property)
{
	const char *at = strstr(style, property);
	return at ? at + strlen(property) : NULL;
}

static bool zero(const char *value)
{
	size_t digits = strspn(value, "0.");
	return digits > 0 && !g_ascii_isdigit(value[digits]);
}

static bool style_hides(const char *style)
{
	static const char *const hiding[] = {
	        ";display:none", ";visibility:hidden", ";mso-hide:all", ";opacity:0;", ";opacity:0!", NULL};
	for (const char *const *one = hiding; *one; one++)
		if (strstr(style, *one))
			return true;
	const char *size = style_value(style, ";font-size:");
	const char *height = style_value(style, ";max-height:");
	return (size && zero(size)) || (height && zero(height) && strstr(style, ";overflow:hidden"));
}

/* White text is hidden only on a ground that says that it is white: class rules are not looked at. */
static void colours(struct frame *frame, const char *style, const xmlChar **attributes)
{
	const char *ground = style_value(style, ";background-color:");
	if (!ground)
		ground = style_value(style, ";background:");
	if (!ground)
		ground = attribute(attributes, "bgcolor");
	if (ground && *ground)
		frame->white_ground = white_value(ground);
	const char *colour = style_value(style, ";color:");
	if (!colour)
		colour = attribute(attributes, "color");
	if (colour && *colour)
		frame->white = white_value(colour);
}

/* Outlook's copies of ids and classes carry "x_" in front, once for every hop. */
static const char *without_x(const char *name)
{
	while (name[0] == 'x' && name[1] == '_')
		name += 2;
	return name;
}

static bool class_marks_quote(const char *class)
{
	static const char *const quotes[] = {"gmail_quote", "gmail_quote_container", "gmail_attr",
	        "yahoo_quoted", "moz-cite-prefix", "moz-forward-container", "protonmail_quote", "zmail_extra",
	        "tutanota_quote", "ms-outlook-mobile-reference-message",
	        "mail-editor-reference-message-container", "OutlookMessageHeader", "moz-email-headers-table",
	        "aol_quote", "quoted-mail", "WM_quote", NULL};
	if (!class)
		return false;
	g_auto(GStrv) names = g_strsplit_set(class, " \t\r\n", 20);
	for (char **name = names; *name; name++)
		if (one_of(without_x(*name), quotes))
			return true;
	return false;
}

static bool id_marks_quote(const char *id)
{
	static const char *const quotes[] = {"OLK_SRC_BODY_SECTION", "reply-intro", "replybody1",
	        "mail-editor-reference-message-container", "isReplyContent", NULL};
	return id && (one_of(without_x(id), quotes) || g_str_has_prefix(without_x(id), "yahoo_quoted"));
}

/* From here to the end of the document all is history. */
static bool starts_history(const char *id, const char *style, const xmlChar **attributes)
{
	static const char *const ids[] = {"divRplyFwdMsg", "appendonsend", "stopSpelling", NULL};
	if (id && one_of(without_x(id), ids))
		return true;
	const char *marker = attribute(attributes, "data-marker"); /* Zimbra */
	if (marker && strcmp(marker, "__DIVIDER__") == 0)
		return true;
	const char *top = strstr(style, ";border-top:solid#"); /* Outlook's line above "Von: …" */
	return strstr(style, ";border:none;") && top &&
	       (g_str_has_prefix(top + 18, "e1e1e11.0pt") || g_str_has_prefix(top + 18, "b5c4df1.0pt"));
}

/* Does what was written last say whose words come: "Am … schrieb …:", also over two lines? */
static bool ends_with_attribution(const struct writer *writer)
{
	const char *text = writer->out->str, *end = text + writer->out->len, *start = end;
	for (int lines = 0; lines < 2 && start > text && end - start < 500; lines++) {
		const char *before = memrchr(text, '\n', (size_t)(start - text) - (start > text));
		start = before ? before + 1 : text;
		const char *bare = start + (g_str_has_prefix(start, "> ") ? 2 : 0);
		g_autofree char *folded = g_strndup(bare, (gsize)(end - bare));
		g_autofree char *line = fold_text(folded, 500);
		if (line_attribution(line) != ATTRIBUTION_NONE || line_separator(line) != SEPARATOR_NONE)
			return true;
	}
	return false;
}

/* A blockquote that no mail client marked: a quote, but the writer's own if an attribution comes only after
 * it (the mail client's quote is that one), and where it carries no more than Gmail's class, if none comes
 * before. */
static bool is_unmarked_quote(struct writer *writer, struct frame *frame, const char *class)
{
	if (!writer->attributed && ends_with_attribution(writer)) {
		writer->attributed = true;
		writer->own = writer->unmarked->len;
	}
	frame->unmarked = !writer->attributed && !frame->quoted;
	return !class || !frame->unmarked || writer->quoted_seen || writer->out->len == 0;
}

/* A blockquote is a quote, except where an editor uses it to indent. */
static bool is_quote(struct writer *writer, const char *name, const char *style, const xmlChar **attributes)
{
	const char *field = attribute(attributes, "name");
	const char *class = attribute(attributes, "class");
	bool block = strcmp(name, "blockquote") == 0;
	if (block && !attribute(attributes, "type") && !attribute(attributes, "cite") &&
	        (!class || strcmp(class, "gmail_quote") == 0) && !*style)
		return is_unmarked_quote(writer, &writer->frames[writer->depth], class);
	if (class_marks_quote(class) || id_marks_quote(attribute(attributes, "id")))
		return true;
	if (block)
		return !strstr(style, ";border:none;") || class || attribute(attributes, "type") ||
		       attribute(attributes, "cite");
	return strcmp(name, "div") == 0 && field && strcmp(field, "quote") == 0; /* GMX, web.de */
}

static void break_lines(struct writer *writer, int lines)
{
	if (writer->empty_line)
		lines = MAX(lines, writer->breaks + 1);
	writer->empty_line = false;
	writer->breaks = MIN(MAX(writer->breaks, lines), 2);
	writer->blank = false;
}

static void mark_quote(struct writer *writer)
{
	size_t at = writer->out->len;
	if (writer->frames[writer->depth].unmarked && !writer->rest_quoted)
		g_array_append_val(writer->unmarked, at);
	g_string_append(writer->out, "> ");
}

/* Takes the marks off what turned out to be the writer's own. */
static void unmark_own(struct writer *writer)
{
	if (!writer->own)
		return;
	GString *out = g_string_sized_new(writer->out->len);
	size_t copied = 0;
	for (guint i = 0; i < writer->own; i++) {
		size_t at = g_array_index(writer->unmarked, size_t, i);
		g_string_append_len(out, writer->out->str + copied, (gssize)(at - copied));
		copied = at + 2;
	}
	g_string_append_len(out, writer->out->str + copied, (gssize)(writer->out->len - copied));
	g_string_free(writer->out, TRUE);
	writer->out = out;
}

/* Everything due before the next visible character. */
static void begin_character(struct writer *writer, bool quoted)
{
	bool first = writer->out->len == 0;
	writer->empty_line = false;
	if (writer->breaks && !first)
		g_string_append_len(writer->out, "\n\n", writer->breaks);
	if ((writer->breaks || first) && quoted)
		mark_quote(writer);
	else if (writer->blank && !writer->breaks && !first)
		g_string_append_c(writer->out, ' ');
	writer->breaks = 0;
	writer->blank = false;
	writer->quoted_seen |= quoted;
}

/* What takes no room on the screen: zero-width space and joiner, soft hyphen, byte order mark. */
static bool invisible(gunichar c)
{
	return c == 0xad || c == 0x200b || c == 0x200c || c == 0xfeff || c == 0x34f || c == 0x2060;
}

static void put_char(struct writer *writer, const struct frame *frame, const char *p, size_t length)
{
	gunichar c = g_utf8_get_char(p);
	bool space = c == ' ' || (c >= 9 && c <= 13);
	if (invisible(c))
		return;
	if (frame->pre && (c == '\n' || space)) {
		if (c == '\n')
			writer->breaks = MIN(writer->breaks + 1, 2);
		else if (writer->out->len && !writer->breaks)
			g_string_append_c(writer->out, ' ');
		return;
	}
	if (c == 0xa0) {
		writer->empty_line |= writer->breaks || writer->out->len == 0;
		writer->blank = true;
		return;
	}
	if (space) {
		writer->blank = true;
		return;
	}
	begin_character(writer, frame->quoted || writer->rest_quoted);
	g_string_append_len(writer->out, p, (gssize)length);
}

static void put_text(struct writer *writer, const char *text, size_t size)
{
	const struct frame *frame = &writer->frames[writer->depth];
	if (frame->hidden || (frame->white && frame->white_ground) || writer->out->len > MAIL_MAX_TEXT)
		return;
	const char *end = text + size;
	while (text < end) {
		size_t run = 0; /* plain letters go in one piece */
		while (text + run < end && text[run] > ' ' && text[run] < 0x7f)
			run++;
		if (run) {
			begin_character(writer, frame->quoted || writer->rest_quoted);
			g_string_append_len(writer->out, text, (gssize)run);
			text += run;
			continue;
		}
		size_t length = (size_t)g_utf8_skip[*(const guchar *)text];
		length = MIN(length, (size_t)(end - text));
		put_char(writer, frame, text, length);
		text += length;
	}
}

enum element { ELEMENT_INLINE, ELEMENT_BLOCK, ELEMENT_PARAGRAPH, ELEMENT_HIDDEN };

struct element_name {
	const char *name;
	enum element kind;
};

static int by_name(const void *key, const void *entry)
{
	return strcmp(key, ((const struct element_name *)entry)->name);
}

static enum element element_kind(const char *name)
{
	static const struct element_name names[] = {{"address", ELEMENT_BLOCK}, {"applet", ELEMENT_HIDDEN},
	        {"article", ELEMENT_BLOCK}, {"aside", ELEMENT_BLOCK}, {"audio", ELEMENT_HIDDEN},
	        {"blockquote", ELEMENT_PARAGRAPH}, {"body", ELEMENT_BLOCK}, {"canvas", ELEMENT_HIDDEN},
	        {"caption", ELEMENT_BLOCK}, {"center", ELEMENT_BLOCK}, {"datalist", ELEMENT_HIDDEN},
	        {"dd", ELEMENT_BLOCK}, {"details", ELEMENT_BLOCK}, {"div", ELEMENT_BLOCK},
	        {"dl", ELEMENT_BLOCK}, {"dt", ELEMENT_BLOCK}, {"fieldset", ELEMENT_BLOCK},
	        {"figcaption", ELEMENT_BLOCK}, {"figure", ELEMENT_BLOCK}, {"footer", ELEMENT_BLOCK},
	        {"form", ELEMENT_BLOCK}, {"h1", ELEMENT_PARAGRAPH}, {"h2", ELEMENT_PARAGRAPH},
	        {"h3", ELEMENT_PARAGRAPH}, {"h4", ELEMENT_PARAGRAPH}, {"h5", ELEMENT_PARAGRAPH},
	        {"h6", ELEMENT_PARAGRAPH}, {"head", ELEMENT_HIDDEN}, {"header", ELEMENT_BLOCK},
	        {"hr", ELEMENT_BLOCK}, {"li", ELEMENT_BLOCK}, {"main", ELEMENT_BLOCK},
	        {"map", ELEMENT_HIDDEN}, {"nav", ELEMENT_BLOCK}, {"object", ELEMENT_HIDDEN},
	        {"ol", ELEMENT_BLOCK}, {"option", ELEMENT_HIDDEN}, {"p", ELEMENT_PARAGRAPH},
	        {"pre", ELEMENT_PARAGRAPH}, {"script", ELEMENT_HIDDEN}, {"section", ELEMENT_BLOCK},
	        {"style", ELEMENT_HIDDEN}, {"summary", ELEMENT_BLOCK}, {"svg", ELEMENT_HIDDEN},
	        {"table", ELEMENT_BLOCK}, {"tbody", ELEMENT_BLOCK}, {"template", ELEMENT_HIDDEN},
	        {"tfoot", ELEMENT_BLOCK}, {"thead", ELEMENT_BLOCK}, {"title", ELEMENT_HIDDEN},
	        {"tr", ELEMENT_BLOCK}, {"ul", ELEMENT_BLOCK}, {"video", ELEMENT_HIDDEN}}; /* sorted */
	const struct element_name *found =
	        bsearch(name, names, G_N_ELEMENTS(names), sizeof names[0], by_name);
	return found ? found->kind : ELEMENT_INLINE;
}

/* 0 inline, 1 a line of its own, 2 with an empty line around. Outlook's paragraphs have no margins. */
static int block_lines(enum element kind, const char *name, const xmlChar **attributes)
{
	if (kind != ELEMENT_PARAGRAPH)
		return kind == ELEMENT_BLOCK;
	const char *class = attribute(attributes, "class");
	const char *style = attribute(attributes, "style");
	bool tight = strcmp(name, "p") == 0 &&
	             ((class && strstr(class, "Mso")) || (style && strstr(style, "margin:0")) ||
	                     (style && strstr(style, "margin: 0")));
	return tight ? 1 : 2;
}

static void put_marker(struct writer *writer, struct frame *list)
{
	char number[16];
	struct frame *frame = &writer->frames[writer->depth];
	if (list->ordered)
		g_snprintf(number, sizeof number, "%d. ", list->number++);
	else
		g_strlcpy(number, "- ", sizeof number);
	if (frame->hidden)
		return;
	begin_character(writer, frame->quoted || writer->rest_quoted);
	g_string_append(writer->out, number);
}

static void open_inline(struct writer *writer, const char *name)
{
	if (strcmp(name, "br") == 0 && !writer->frames[writer->depth].hidden) {
		writer->breaks = MIN(writer->breaks + 1, 2);
		writer->blank = writer->empty_line = false;
	} else if (strcmp(name, "td") == 0 || strcmp(name, "th") == 0) {
		writer->blank = true;
	}
}

static void give_up(struct writer *writer)
{
	const xmlParserInput *input = writer->parser->input;
	ptrdiff_t at = input->cur - input->base + (ptrdiff_t)input->consumed;
	writer->too_deep = true;
	writer->deep_at = at > 0 ? (size_t)at : 0;
	xmlStopParser(writer->parser);
}

static void on_start(void *data, const xmlChar *raw_name, const xmlChar **attributes)
{
	struct writer *writer = data;
	const char *name = (const char *)raw_name;
	if (writer->too_deep)
		return;
	if (writer->depth >= MAX_DEPTH) {
		give_up(writer);
		return;
	}
	struct frame *parent = &writer->frames[writer->depth++], *frame = parent + 1;
	*frame = *parent;
	g_autofree char *style = style_fold(attribute(attributes, "style"));
	enum element kind = element_kind(name);
	int lines = block_lines(kind, name, attributes);
	frame->block = lines > 0;
	frame->hidden |= attribute(attributes, "hidden") || style_hides(style) || kind == ELEMENT_HIDDEN;
	frame->quoted |= is_quote(writer, name, style, attributes);
	frame->pre |= strcmp(name, "pre") == 0;
	frame->ordered = strcmp(name, "ol") == 0;
	frame->number = 1;
	colours(frame, style, attributes);
	if (!frame->hidden && starts_history(attribute(attributes, "id"), style, attributes))
		writer->rest_quoted = true;
	if (lines || (frame->quoted && !parent->quoted))
		break_lines(writer, MAX(lines, 1));
	if (strcmp(name, "li") == 0)
		put_marker(writer, parent);
	else
		open_inline(writer, name);
}

static void on_end(void *data, const xmlChar *raw_name)
{
	struct writer *writer = data;
	if (writer->depth == 0 || writer->too_deep)
		return;
	struct frame *frame = &writer->frames[writer->depth--];
	const char *name = (const char *)raw_name;
	bool paragraph = element_kind(name) == ELEMENT_PARAGRAPH && strcmp(name, "p") != 0;
	if (frame->block || frame->quoted != writer->frames[writer->depth].quoted)
		break_lines(writer, paragraph ? 2 : 1);
}

static void on_text(void *data, const xmlChar *text, int size)
{
	struct writer *writer = data;
	if (!writer->too_deep && size > 0)
		put_text(writer, (const char *)text, (size_t)size);
}

/* What the parser did not get to, tags taken off. */
static void strip_rest(struct writer *writer)
{
	const char *p = writer->input + MIN(writer->deep_at, writer->size),
	           *end = writer->input + writer->size;
	writer->depth = 0;
	p = memchr(p, '>', (size_t)(end - p));
	p = p ? p + 1 : end;
	while (p < end) {
		const char *tag = memchr(p, '<', (size_t)(end - p));
		put_text(writer, p, (size_t)((tag ? tag : end) - p));
		const char *close = tag ? memchr(tag, '>', (size_t)(end - tag)) : NULL;
		writer->blank = true;
		p = close ? close + 1 : end;
	}
}

/* Word's "<![if !vml]>" is not HTML: libxml2 would show it as text. Made a comment in a copy, if there is
 * any. */
static char *without_conditions(const char *html, size_t size)
{
	char *copy = NULL, *p = memmem(html, size, "<![", 3);
	if (!p)
		return NULL;
	copy = g_strndup(html, size);
	for (p = copy; (p = strstr(p, "<![")) != NULL;) {
		size_t length = strcspn(p, ">\n");
		if (p[length] != '>' || length < 6)
			memset(p, ' ', length = 2);
		else if (p[length - 1] != '-') { /* else it ends a comment: "<![endif]-->" */
			memset(p, ' ', length);
			memcpy(p, "<!--", 4);
			memcpy(p + length - 2, "-->", 3);
		}
		p += length + 1;
	}
	return copy;
}

static void parse(struct writer *writer, const char *html, size_t size)
{
	htmlParserCtxtPtr parser = htmlNewParserCtxt();
	if (!parser)
		g_error("libxml2: out of memory");
	memset(parser->sax, 0, sizeof *parser->sax);
	parser->sax->startElement = on_start;
	parser->sax->endElement = on_end;
	parser->sax->characters = on_text;
	parser->sax->ignorableWhitespace = on_text;
	parser->userData = writer;
	writer->parser = parser;
	xmlDocPtr document = htmlCtxtReadMemory(parser, html, (int)size, NULL, "UTF-8",
	        HTML_PARSE_RECOVER | HTML_PARSE_NOERROR | HTML_PARSE_NOWARNING | HTML_PARSE_NONET |
	                HTML_PARSE_IGNORE_ENC | HTML_PARSE_COMPACT);
	if (document)
		xmlFreeDoc(document);
	htmlFreeParserCtxt(parser);
}

char *html_text(const char *html, size_t size, bool *quoted)
{
	struct writer *writer = g_new0(struct writer, 1);
	writer->out = g_string_sized_new(size / 2 + 1);
	writer->unmarked = g_array_new(FALSE, FALSE, sizeof(size_t));
	size = MIN(size, HTML_MAX_SIZE);
	g_autofree char *valid =
	        g_utf8_validate(html, (gssize)size, NULL) ? NULL : g_utf8_make_valid(html, (gssize)size);
	if (valid) {
		html = valid;
		size = strlen(valid);
	}
	writer->size = size;
	g_autofree char *copy = without_conditions(html, size);
	writer->input = copy ? copy : html;
	parse(writer, writer->input, writer->size);
	if (writer->too_deep)
		strip_rest(writer);
	unmark_own(writer);
	if (quoted)
		*quoted = writer->quoted_seen;
	if (writer->out->len && !g_str_has_suffix(writer->out->str, "\n"))
		g_string_append_c(writer->out, '\n');
	char *text = g_string_free(writer->out, FALSE);
	g_array_unref(writer->unmarked);
	g_free(writer);
	return text;
}

char *html_to_text(const char *html, size_t size)
{
	return html_text(html, size, NULL);
}
