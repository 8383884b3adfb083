/* reply.c - splits the writer's own words from history, signatures and legal notices.
 *
 * The rules lean to one side: a stretch is cut only on evidence (quote marks, a mail client's fixed phrase, a
 * block of header lines), never because of where it stands. So closing formulas and names stay, and answers
 * between quotes are the writer's. A text of nothing but quote marks, without a phrase that says whose words
 * they are, counts as the writer's own; a text of nothing but a forwarded mail has no own words: no span. */
#include "core/mail.h"
#include "core/fold.h"
#include "core/reply_line.h"

#include <string.h>

#define MAX_LINES       40000 /* what follows is taken as what the last line was */
#define MAX_SIGNATURE   15    /* lines below "--" that still are a signature */
#define MAX_HEADER_RUN  14    /* lines of a header block, folded ones included */
#define MAX_ATTRIBUTION 5     /* lines of one attribution */

#define NO_LINE G_MAXUINT

struct splitter {
	const char *text;
	size_t size;
	GArray *lines; /* of struct reply_line */
	GArray *spans;
	GString *folded;
	guint folded_line; /* the line that `folded` holds, or NO_LINE */
	bool history;      /* a phrase or block of history was found */
	bool quotes;       /* lines with quote marks were found */
	bool own;          /* own words were found */
};

static const struct reply_line *line_at(const struct splitter *s, guint i)
{
	return &g_array_index(s->lines, struct reply_line, i);
}

static const char *fold(struct splitter *s, guint i)
{
	const struct reply_line *line = line_at(s, i);
	if (s->folded_line == i)
		return s->folded->str;
	g_string_truncate(s->folded, 0);
	fold_text_append(s->folded, s->text + line->offset, line->length, FOLD_MAX);
	s->folded_line = i;
	return s->folded->str;
}

/* Marks may be set apart by blanks: "> > text". */
static void measure(const char *text, struct reply_line *line)
{
	uint32_t i = 0;
	const char *p = text + line->offset;
	for (; i < line->length && line->depth < 100; i++) {
		if (p[i] == '>')
			line->depth++;
		else if (!line->depth && i >= 1)
			break;
		else if (p[i] != ' ' || !(line->depth || (i + 1 < line->length && p[i + 1] == '>')))
			break;
	}
	line->blank = true;
	for (; i < line->length && line->blank; i++)
		line->blank = g_ascii_isspace(p[i]);
	/* decoration, ">>> Angebot <<<", is no quote */
	if (line->depth > 1 && memmem(p, line->length, "<<", 2))
		line->depth = 0;
}

static void split_lines(struct splitter *s)
{
	for (size_t at = 0; at < s->size;) {
		const char *end = memchr(s->text + at, '\n', s->size - at);
		size_t next = end ? (size_t)(end + 1 - s->text) : s->size;
		if (s->lines->len + 1 >= MAX_LINES)
			next = s->size;
		struct reply_line line = {.offset = (uint32_t)at, .length = (uint32_t)(next - at)};
		measure(s->text, &line);
		g_array_append_val(s->lines, line);
		at = next;
	}
}

static void add_stretch(struct splitter *s, uint32_t from, uint32_t to)
{
	struct span *last = s->spans->len ? &g_array_index(s->spans, struct span, s->spans->len - 1) : NULL;
	if (from == to)
		return;
	if (last && last->offset + last->length == from) {
		last->length = to - last->offset;
		return;
	}
	struct span span = {from, to - from};
	g_array_append_val(s->spans, span);
}

static void keep(struct splitter *s, guint i)
{
	const struct reply_line *line = line_at(s, i);
	s->own |= !line->blank;
	add_stretch(s, line->offset, line->offset + line->length);
}

static bool is_rule(const char *p, size_t size)
{
	for (size_t i = 0; i < size; i++)
		if (!strchr("-_=~*# \t\r\n", p[i]) || !p[i])
			return false;
	return true;
}

/* Takes empty lines and rules ("_____") off the end of what was kept: they belong to what comes. */
static void trim_end(struct splitter *s)
{
	while (s->spans->len) {
		struct span *last = &g_array_index(s->spans, struct span, s->spans->len - 1);
		const char *start = s->text + last->offset;
		size_t length = last->length, body = length;
		if (body && start[body - 1] == '\n')
			body--;
		const char *before = memrchr(start, '\n', body);
		size_t line = before ? (size_t)(before + 1 - start) : 0;
		if (!is_rule(start + line, length - line))
			return;
		last->length = (uint32_t)line;
		if (last->length)
			continue;
		g_array_set_size(s->spans, s->spans->len - 1);
	}
}

/* Is the next line with content a quote? */
static bool quote_follows(const struct splitter *s, guint i)
{
	for (guint k = 0; i < s->lines->len && k < 4; i++, k++)
		if (!line_at(s, i)->blank || line_at(s, i)->depth)
			return line_at(s, i)->depth > 0;
	return false;
}

/* What a block of header lines holds. */
struct block {
	unsigned words; /* enum header_word, or-ed */
	guint lines;
	guint headers;
	bool address, date;
};

static void block_add(struct block *block, enum header_word word, const char *folded)
{
	static const struct {
		const char *text;
		enum header_word word;
	} inner[] = {{" gesendet: ", HEADER_DATE}, {" datum: ", HEADER_DATE}, {" sent: ", HEADER_DATE},
	        {" date: ", HEADER_DATE}, {" betreff: ", HEADER_SUBJECT}, {" subject: ", HEADER_SUBJECT},
	        {" an: ", HEADER_TO}, {" to: ", HEADER_TO}};
	block->headers += word != HEADER_OTHER;
	block->words |= word;
	for (size_t i = 0; i < G_N_ELEMENTS(inner); i++) {
		if (!strstr(folded, inner[i].text)) /* several headers in one line, as HTML made them */
			continue;
		block->headers += !(block->words & inner[i].word);
		block->words |= inner[i].word;
		word = inner[i].word == HEADER_DATE ? HEADER_DATE : word;
	}
	block->address |= has_address(folded);
	block->date |= word == HEADER_DATE && (has_year(folded) || has_time(folded));
}

/* Reads header lines from `i` on, quoted or not as the first is. A line that is none may stand between two: a
 * folded value; so may an empty one, as HTML leaves them. */
static struct block read_block(struct splitter *s, guint i)
{
	struct block block = {.lines = 0};
	guint misses = 0;
	for (guint k = 0; i + k < s->lines->len && k < MAX_HEADER_RUN && misses < 2; k++) {
		if (line_at(s, i + k)->depth)
			break;
		const char *folded = fold(s, i + k);
		enum header_word word = header_word(folded);
		if (word == HEADER_NONE) {
			misses++;
			continue;
		}
		if (word != HEADER_OTHER && (block.words & word) == word)
			break; /* a second block, or prose that repeats a word */
		block_add(&block, word, folded);
		block.lines = k + 1;
		misses = 0;
	}
	return block;
}

/* Header lines that only a mail client writes, or just a customer's letter head? At the top of a text, where
 * the rest would be lost, more is asked for. */
static bool is_header_block(const struct splitter *s, const struct block *block)
{
	bool from = block->words & HEADER_FROM, to = block->words & HEADER_TO;
	bool subject = block->words & HEADER_SUBJECT, date = block->words & HEADER_DATE;
	if (block->headers < 2)
		return false;
	if (!s->own)
		return from && date && block->date && (subject || to) &&
		       (block->address || block->headers >= 4);
	if (block->headers >= 3 && from)
		return true;
	return (from && subject) || (from && date && block->date) || (date && block->date && block->address);
}

static enum attribution judge(struct splitter *s, guint begin, guint end)
{
	g_string_truncate(s->folded, 0);
	s->folded_line = begin == end ? begin : NO_LINE;
	for (guint i = begin; i <= end; i++)
		fold_text_append(s->folded, s->text + line_at(s, i)->offset, line_at(s, i)->length, FOLD_MAX);
	return line_attribution(s->folded->str);
}

static char last_char(const struct splitter *s, guint i)
{
	const struct reply_line *line = line_at(s, i);
	uint32_t size = line->length;
	while (size && g_ascii_isspace(s->text[line->offset + size - 1]))
		size--;
	return size ? s->text[line->offset + size - 1] : '\0';
}

/* Can an attribution end in line `i`? */
static bool can_end(const struct splitter *s, guint i)
{
	const struct reply_line *line = line_at(s, i);
	char last = last_char(s, i);
	const char *p = s->text + line->offset;
	return last == ':' || last == '>' || (unsigned char)last >= 0x80 ||
	       memmem(p, line->length, "wrote", 5) || memmem(p, line->length, "schrieb", 7);
}

/* Is it really a later line that opens the attribution? Then line `begin` is a sentence of the writer. */
static bool opens_later(struct splitter *s, guint begin, guint end)
{
	char last = last_char(s, begin);
	if (end > begin && (last == '.' || last == '!' || last == '?'))
		return true;
	for (guint i = begin + 1; i <= end; i++)
		if (line_opener(fold(s, i)) == OPENER_WORD && judge(s, i, end) != ATTRIBUTION_NONE)
			return true;
	return false;
}

/* The attribution that begins in line `i`: the number of its lines, 0 if there is none. */
static guint attribution_lines(struct splitter *s, guint i, enum attribution *strength)
{
	if (line_opener(s->folded->str) == OPENER_NONE && !can_end(s, i))
		return 0;
	for (guint k = 0; k < MAX_ATTRIBUTION && i + k < s->lines->len; k++) {
		const struct reply_line *line = line_at(s, i + k);
		if (line->blank || line->depth || line->length > 2 * FOLD_MAX)
			return 0;
		if (!can_end(s, i + k))
			continue;
		*strength = judge(s, i, i + k);
		if (*strength != ATTRIBUTION_NONE)
			return opens_later(s, i, i + k) ? 0 : k + 1;
	}
	return 0;
}

/* "Danke. On Wed, Apr 4, 2012 at 3:59 PM, … wrote:": where the attribution begins in the line. */
static uint32_t own_words_before(const struct splitter *s, guint i)
{
	const struct reply_line *line = line_at(s, i);
	const char *start = s->text + line->offset, *p = start;
	const char *end = start + line->length;
	while ((p = memmem(p, (size_t)(end - p), "On ", 3)) != NULL) {
		bool apart = p > start && (p[-1] == ' ' || p[-1] == '-' || p[-1] == '.');
		bool day = p + 7 < end && (p[6] == ',' || g_ascii_isdigit(p[3]));
		if (apart && day) {
			while (p > start && strchr(" -", p[-1]))
				p--;
			return (uint32_t)(p - start);
		}
		p += 3;
	}
	return 0;
}

/* The next line with content from `i` on, or NO_LINE. */
static guint next_line(const struct splitter *s, guint i)
{
	for (; i < s->lines->len; i++)
		if (!line_at(s, i)->blank)
			return i;
	return NO_LINE;
}

static bool folded_is(struct splitter *s, guint i, const char *const *words)
{
	const char *folded = i == NO_LINE ? "" : fold(s, i);
	for (; *words; words++)
		if (strcmp(folded, *words) == 0)
			return true;
	return false;
}

/* The head that Lotus Notes sets above a mail: name or address, date, "An", names, "Thema", each in a line of
 * its own. */
static bool is_notes_head(struct splitter *s, guint i)
{
	static const char *const to[] = {"an", "to", "an:", "to:", NULL};
	static const char *const subject[] = {"thema", "subject", "betreff", "thema:", "subject:", NULL};
	guint date = next_line(s, i + 1), names = date == NO_LINE ? NO_LINE : next_line(s, date + 1);
	if (!s->own || names == NO_LINE || line_at(s, names)->length > 12 || !folded_is(s, names, to))
		return false;
	const char *folded = fold(s, date);
	if (!g_ascii_isdigit(folded[0]) || strlen(folded) > 40 || !has_year(folded) || !has_time(folded))
		return false;
	for (guint k = 0; k < 10 && names != NO_LINE; k++, names = next_line(s, names + 1))
		if (folded_is(s, names, subject))
			return true;
	return false;
}

static bool is_lone_separator(struct splitter *s, guint i)
{
	guint next = line_at(s, i)->length < 40 ? next_line(s, i + 1) : NO_LINE;
	return next != NO_LINE && line_is_bare_separator(fold(s, i)) &&
	       header_word(fold(s, next)) != HEADER_NONE;
}

enum step { STEP_NONE, STEP_SKIP, STEP_STOP };

/* What is to be done at line `i`: nothing special, skip *count lines, or stop: the rest is history. */
static enum step history_step(struct splitter *s, guint i, guint *count)
{
	enum attribution strength = ATTRIBUTION_NONE;
	enum separator separator = line_separator(fold(s, i));
	if (separator != SEPARATOR_NONE) {
		*count = 1;
		return separator == SEPARATOR_ORIGINAL && quote_follows(s, i + 1) ? STEP_SKIP : STEP_STOP;
	}
	if (is_lone_separator(s, i) || is_notes_head(s, i)) {
		*count = 1;
		return STEP_STOP;
	}
	if (header_word(fold(s, i)) != HEADER_NONE) {
		struct block block = read_block(s, i);
		*count = block.lines;
		if (is_header_block(s, &block))
			return quote_follows(s, i + block.lines) ? STEP_SKIP : STEP_STOP;
	}
	fold(s, i);
	*count = attribution_lines(s, i, &strength);
	if (*count && quote_follows(s, i + *count))
		return STEP_SKIP;
	return *count && strength == ATTRIBUTION_STRONG ? STEP_STOP : STEP_NONE;
}

/* "-- " or "--", "—", "__": the signature's mark. */
static bool is_signature_mark(const struct splitter *s, guint i)
{
	static const char *const marks[] = {"--", "__", "\xe2\x80\x94", "\xe2\x80\x93"};
	const struct reply_line *line = line_at(s, i);
	const char *text = s->text + line->offset;
	size_t size = line->length;
	while (size && g_ascii_isspace(text[size - 1]))
		size--;
	for (size_t k = 0; k < G_N_ELEMENTS(marks); k++)
		if (size == strlen(marks[k]) && memcmp(text, marks[k], size) == 0)
			return true;
	return false;
}

/* Lines with content up to the next quote or the end. */
static guint lines_below(const struct splitter *s, guint i)
{
	guint count = 0;
	for (; i < s->lines->len && !line_at(s, i)->depth && count <= MAX_SIGNATURE; i++)
		count += !line_at(s, i)->blank;
	return count;
}

/* A list's footer: a long rule, then words about a mailing list. */
static bool is_list_footer(struct splitter *s, guint i)
{
	const struct reply_line *line = line_at(s, i);
	if (line->length < 20 || !is_rule(s->text + line->offset, line->length))
		return false;
	for (guint k = 1; k < 4 && i + k < s->lines->len; k++) {
		const char *folded = fold(s, i + k);
		if (strstr(folded, "mailing list") || strstr(folded, "mailingliste") ||
		        strstr(folded, "listinfo"))
			return true;
	}
	return false;
}

/* A quoted line that a client broke: its tail stands without a mark between two quoted lines. */
static bool is_broken_quote(const struct splitter *s, guint i)
{
	if (i == 0 || i + 1 >= s->lines->len)
		return false;
	const struct reply_line *before = line_at(s, i - 1), *line = line_at(s, i),
	                        *after = line_at(s, i + 1);
	if (!before->depth || !after->depth)
		return false;
	const char *p = s->text + line->offset;
	char last = last_char(s, i - 1);
	p += *p == ' ';
	if (*p == '(' || *p == '<' || *p == '_')
		return memmem(p, line->length - 1, "http", 4) || *p == '_';
	bool cut =
	        before->length > 66 && (g_ascii_isalnum(last) || last == ',' || (unsigned char)last >= 0x80);
	return cut && g_ascii_islower(*p) && line->length < before->length + 20;
}

/* Skips a paragraph. Returns its last line. */
static guint paragraph_end(const struct splitter *s, guint i)
{
	while (i + 1 < s->lines->len && !line_at(s, i + 1)->blank && !line_at(s, i + 1)->depth)
		i++;
	return i;
}

/* A paragraph of two to four lines that is a legal notice only once its first two lines are read together. */
static bool short_notice(struct splitter *s, guint i)
{
	guint lines = 1;
	while (lines < 6 && i + lines < s->lines->len && !line_at(s, i + lines)->blank &&
	        !line_at(s, i + lines)->depth)
		lines++;
	if (lines < 2 || lines > 4)
		return false;
	judge(s, i, i + 1);
	return line_is_disclaimer(s->folded->str);
}

/* A gateway's warning above the mail: the number of its lines. */
static guint warning_lines(struct splitter *s, guint i)
{
	guint lines = 1;
	if (s->own)
		return 0;
	if (!line_is_gateway_warning(fold(s, i))) {
		if (i + 1 >= s->lines->len || line_at(s, i + 1)->blank || line_at(s, i + 1)->depth)
			return 0;
		judge(s, i, i + 1);
		if (!line_is_gateway_warning(s->folded->str))
			return 0;
		lines = 2;
	}
	while (lines < 5 && i + lines < s->lines->len && !line_at(s, i + lines)->blank &&
	        line_goes_on_warning(fold(s, i + lines)))
		lines++;
	return lines;
}

/* "Geschäftsführer: A. B. / Amtsgericht Nürnberg HRB 1 / USt-IdNr. …": a company's particulars, in one line
 * or in some below each other. */
static guint company_lines(struct splitter *s, guint i)
{
	unsigned words = line_company_words(fold(s, i));
	guint lines = words > 0;
	while (lines && i + lines < s->lines->len && lines < MAX_SIGNATURE && !line_at(s, i + lines)->depth) {
		unsigned more = line_company_words(fold(s, i + lines));
		if (!more)
			break;
		words += more;
		lines++;
	}
	return words >= 2 ? lines : 0;
}

static void keep_before_attribution(struct splitter *s, guint i)
{
	uint32_t own = own_words_before(s, i);
	const struct reply_line *line = line_at(s, i);
	if (own) {
		add_stretch(s, line->offset, line->offset + own);
		s->own = true;
	}
}

/* Unquoted lines that are neither history nor own words: signature, warning, legal notice. Returns
 * the number of lines to skip. */
static guint decoration(struct splitter *s, guint i, bool *signature)
{
	if ((is_signature_mark(s, i) && lines_below(s, i + 1) <= MAX_SIGNATURE) || is_list_footer(s, i)) {
		*signature = true;
		return 1;
	}
	guint count = warning_lines(s, i);
	count = count ? count : company_lines(s, i);
	const char *folded = fold(s, i);
	if (count || line_is_mobile_signature(folded))
		return MAX(count, 1);
	if (!line_is_disclaimer(folded) && !short_notice(s, i))
		return 0;
	return paragraph_end(s, i) - i + 1;
}

static void walk(struct splitter *s)
{
	bool signature = false;
	for (guint i = 0; i < s->lines->len; i++) {
		const struct reply_line *line = line_at(s, i);
		guint count = 0;
		if (line->depth >= 3 && line_is_groupwise(fold(s, i)) && !quote_follows(s, i + 1)) {
			s->history = true;
			trim_end(s);
			return;
		}
		if (line->depth) {
			s->quotes |= !line->blank;
			signature = false;
			continue;
		}
		if (line->blank) {
			if (!signature)
				keep(s, i);
			continue;
		}
		enum step step = history_step(s, i, &count);
		if (step != STEP_NONE) {
			s->history = true;
			trim_end(s);
			keep_before_attribution(s, i);
			if (step == STEP_STOP)
				return;
			signature = false;
			i += count - 1;
			continue;
		}
		count = signature ? 1 : is_broken_quote(s, i) ? 1 : decoration(s, i, &signature);
		if (count)
			i += count - 1;
		else
			keep(s, i);
	}
}

/* Do the quoted lines say whose words they are? */
static bool quotes_are_attributed(struct splitter *s)
{
	g_autoptr(GString) bare = g_string_new(NULL);
	guint headers = 0;
	for (guint i = 0; i < s->lines->len && i < 200; i++) {
		const struct reply_line *line = line_at(s, i);
		const char *p = s->text + line->offset;
		size_t skip = 0;
		while (skip < line->length && strchr("> ", p[skip]) && p[skip])
			skip++;
		g_string_truncate(bare, 0);
		fold_text_append(bare, p + skip, line->length - skip, FOLD_MAX);
		headers += header_word(bare->str) != HEADER_NONE;
		if (line_separator(bare->str) != SEPARATOR_NONE || headers >= 2 ||
		        line_attribution(bare->str) == ATTRIBUTION_STRONG)
			return true;
	}
	return false;
}

GArray *reply_spans(const char *text, size_t size, bool *quoted)
{
	struct splitter s = {.text = text,
	        .size = MIN(size, UINT32_MAX / 2),
	        .lines = g_array_new(FALSE, FALSE, sizeof(struct reply_line)),
	        .spans = g_array_new(FALSE, FALSE, sizeof(struct span)),
	        .folded = g_string_new(NULL),
	        .folded_line = NO_LINE};
	split_lines(&s);
	walk(&s);
	if (!s.own && s.quotes && !s.history && !quotes_are_attributed(&s)) {
		g_array_set_size(s.spans, 0);
		add_stretch(&s, 0, (uint32_t)s.size);
		s.quotes = false;
	} else {
		trim_end(&s);
	}
	if (!s.own && (s.quotes || s.history))
		g_array_set_size(s.spans, 0);
	*quoted = s.quotes || s.history;
	g_array_unref(s.lines);
	g_string_free(s.folded, TRUE);
	return s.spans;
}
