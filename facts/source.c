/* source.c - all providers as one: questions are put in one form, answers put together. */
#include "facts/provider.h"

#include <string.h>

struct facts_source {
	GPtrArray *outlets;  /* borrowed: of struct facts_outlet */
	GPtrArray *sessions; /* of struct facts_session, beside them */
};

char *facts_normalise_kundennummer(const char *text)
{
	char number[16];
	size_t n = 0;
	for (const char *p = text ? text : ""; *p; p++) {
		if (strchr(" -./\t", *p))
			continue;
		if (n == 10)
			return NULL;
		number[n++] = g_ascii_toupper(*p);
	}
	for (size_t i = 0; i < n; i++)
		if (i == 3 ? !g_ascii_isupper(number[i]) : !g_ascii_isdigit(number[i]))
			return NULL;
	return n == 10 ? g_strndup(number, n) : NULL;
}

char *facts_normalise_email(const char *text)
{
	g_autofree char *low = g_strstrip(g_ascii_strdown(text ? text : "", -1));
	const char *at = strrchr(low, '@');
	if (!at || at == low || !at[1] || strlen(low) > 320)
		return NULL;
	for (const char *p = low; *p; p++)
		if ((unsigned char)*p <= 0x20 || *p == 0x7f || strchr("<>,;", *p))
			return NULL;
	return g_steal_pointer(&low);
}

struct facts_source *facts_source_open(
        const struct facts_config *config, struct journal *journal, const volatile gint *stop, GError **error)
{
	struct facts_source *source = g_new0(struct facts_source, 1);
	source->outlets = g_ptr_array_ref(config->outlets);
	source->sessions = g_ptr_array_new();
	for (guint i = 0; i < config->outlets->len; i++) {
		const struct facts_outlet *outlet = g_ptr_array_index(config->outlets, i);
		struct facts_session *session = outlet->provider->open(outlet, journal, stop, error);
		if (!session) {
			facts_source_close(source);
			return NULL;
		}
		g_ptr_array_add(source->sessions, session);
	}
	return source;
}

void facts_source_close(struct facts_source *source)
{
	if (!source)
		return;
	for (guint i = 0; i < source->sessions->len; i++) {
		const struct facts_outlet *outlet = g_ptr_array_index(source->outlets, i);
		outlet->provider->close(g_ptr_array_index(source->sessions, i));
	}
	g_ptr_array_unref(source->sessions);
	g_ptr_array_unref(source->outlets);
	g_free(source);
}

/* The questions as providers get them: one Kundennummer each, normalised. */
struct questions {
	GArray *list;    /* of struct facts_query */
	GArray *owner;   /* of unsigned: index of the caller's query */
	GPtrArray *kept; /* strings and arrays */
};

static void keep_array(void *array)
{
	g_ptr_array_unref(array);
}

static void add_question(struct questions *questions, const struct facts_query *query, char *email,
        char *number, unsigned owner)
{
	GPtrArray *numbers = NULL;
	if (number) {
		numbers = g_ptr_array_new_with_free_func(g_free);
		g_ptr_array_add(numbers, number);
		g_ptr_array_add(questions->kept, numbers);
	}
	struct facts_query one = {
	        .kundennummern = numbers, .email = email, .name = query->name, .item = query->item};
	g_array_append_val(questions->list, one);
	g_array_append_val(questions->owner, owner);
}

static void add_query(
        struct questions *questions, const struct facts_query *query, char *email, unsigned owner)
{
	guint before = questions->list->len;
	for (guint i = 0; query->kundennummern && i < query->kundennummern->len; i++) {
		char *number = facts_normalise_kundennummer(g_ptr_array_index(query->kundennummern, i));
		if (number)
			add_question(questions, query, email, number, owner);
	}
	if (questions->list->len == before)
		add_question(questions, query, email, NULL, owner);
}

/* One provider's answers: several questions of one query must agree; then what was unknown is filled. */
static void take(struct facts_query *queries, unsigned n, const struct questions *questions,
        const struct facts *results, const bool *known)
{
	g_autofree struct facts *merged = g_new0(struct facts, n);
	g_autofree bool *any = g_new0(bool, n), *seen = g_new0(bool, n);
	for (guint i = 0; i < questions->list->len; i++) {
		unsigned owner = g_array_index(questions->owner, unsigned, i);
		if (!seen[owner])
			merged[owner] = results[i];
		else
			facts_agree(&merged[owner], &results[i]);
		seen[owner] = true;
		any[owner] |= known[i];
	}
	for (unsigned i = 0; i < n; i++) {
		if (!any[i])
			continue;
		facts_complete(&queries[i].facts, &merged[i]);
		queries[i].answered = true;
	}
}

static bool ask_all(struct facts_source *source, const struct questions *questions,
        struct facts_query *queries, unsigned n, GError **error)
{
	unsigned m = questions->list->len;
	bool all = true;
	g_autofree struct facts *results = g_new0(struct facts, m);
	g_autofree bool *known = g_new0(bool, m);
	for (guint i = 0; i < source->sessions->len; i++) {
		const struct facts_outlet *outlet = g_ptr_array_index(source->outlets, i);
		for (unsigned j = 0; j < m; j++) {
			facts_init(&results[j]);
			known[j] = false;
		}
		all &= outlet->provider->look_up(g_ptr_array_index(source->sessions, i),
		        &g_array_index(questions->list, struct facts_query, 0), m, results, known,
		        all ? error : NULL);
		take(queries, n, questions, results, known);
	}
	return all;
}

bool facts_look_up(struct facts_source *source, struct facts_query *queries, unsigned n, GError **error)
{
	struct questions questions = {
	        .list = g_array_new(FALSE, FALSE, sizeof(struct facts_query)),
	        .owner = g_array_new(FALSE, FALSE, sizeof(unsigned)),
	        .kept = g_ptr_array_new_with_free_func(keep_array),
	};
	g_autoptr(GPtrArray) emails = g_ptr_array_new_with_free_func(g_free);
	for (unsigned i = 0; i < n; i++) {
		facts_init(&queries[i].facts);
		queries[i].answered = false;
		char *email = facts_normalise_email(queries[i].email);
		g_ptr_array_add(emails, email);
		add_query(&questions, &queries[i], email, i);
	}
	bool ok = n == 0 || !source || ask_all(source, &questions, queries, n, error);
	g_array_unref(questions.list);
	g_array_unref(questions.owner);
	g_ptr_array_unref(questions.kept);
	return ok;
}
