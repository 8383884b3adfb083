/* table.c - facts that were imported into the journal (`posteingang facts import`). */
#include "facts/members.h"
#include "journal/fact_table.h"

static const struct option table_options[] = {
        OPTION_END,
};

struct facts_session {
	struct journal *journal;
};

static struct facts_session *table_open(
        const struct facts_outlet *outlet, struct journal *journal, const volatile gint *stop, GError **error)
{
	(void)outlet, (void)stop, (void)error;
	struct facts_session *session = g_new0(struct facts_session, 1);
	session->journal = journal;
	return session;
}

/* The row of the Kundennummer; where there is none, that of the address. */
static bool read_row(const struct fact_row *number, const struct fact_row *email, struct facts *out)
{
	const json_t *facts = number->facts ? number->facts : email->facts;
	return facts && facts_from_json(facts, out, NULL);
}

static bool table_look_up(struct facts_session *session, const struct facts_query *queries, unsigned n,
        struct facts *results, bool *known, GError **error)
{
	g_autofree struct fact_row *rows = g_new0(struct fact_row, 2 * n);
	g_autofree unsigned *at = g_new0(unsigned, 2 * n);
	static const struct fact_row none = {0};
	unsigned m = 0;
	for (unsigned i = 0; i < n; i++) {
		at[2 * i] = at[2 * i + 1] = UINT_MAX;
		if (queries[i].kundennummern) {
			at[2 * i] = m;
			rows[m++] = (struct fact_row){
			        "kundennummer", g_ptr_array_index(queries[i].kundennummern, 0), NULL};
		}
		if (queries[i].email) {
			at[2 * i + 1] = m;
			rows[m++] = (struct fact_row){"email", queries[i].email, NULL};
		}
	}
	bool ok = m == 0 || journal_look_up_facts(session->journal, rows, m, error);
	for (unsigned i = 0; ok && i < n; i++)
		known[i] = read_row(at[2 * i] < m ? &rows[at[2 * i]] : &none,
		        at[2 * i + 1] < m ? &rows[at[2 * i + 1]] : &none, &results[i]);
	for (unsigned i = 0; i < m; i++)
		json_decref(rows[i].facts);
	return ok;
}

static void table_close(struct facts_session *session)
{
	g_free(session);
}

const struct facts_provider facts_provider_table = {
        .name = "table",
        .summary = "The imported table in the journal.",
        .options = table_options,
        .open = table_open,
        .look_up = table_look_up,
        .close = table_close,
};
