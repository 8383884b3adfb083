/* The cost of claims must not grow with history: their plans use the partial indexes. */
#include "fixture.h"
#include "journal/claim_sql.h"
#include "journal/seal_sql.h"

#include <string.h>

#define FINISHED 200000

static void fill(struct journal *journal, bool lite)
{
	const char *series =
	        lite ? "WITH RECURSIVE g(n) AS (SELECT 1 UNION ALL SELECT n + 1 FROM g WHERE n < 200000)"
	             : "WITH g AS (SELECT generate_series(1, 200000) AS n)";
	g_autofree char *items = g_strdup_printf("%s INSERT INTO item (id, mailbox, key, channel, received, "
	                                         "taken, size, sha256, digest, wake, state)"
	                                         " SELECT 1000 + n, (SELECT min(id) FROM mailbox), CAST(n AS "
	                                         "text), 'email', n, n, 10, 'x', n, n,"
	                                         " 'decided' FROM g",
	        series);
	g_autofree char *deliveries = g_strdup_printf(
	        "%s INSERT INTO delivery (id, item, handler, key, not_before, due, state, at_most_once, "
	        "created,"
	        " changed) SELECT 1000 + n, 1000 + n, 'eakte', 'k' || n, 0, n, 'confirmed', 0, n, n FROM g",
	        series);
	CHECK(db_script(journal_db(journal), items, &why));
	CHECK(db_script(journal_db(journal), deliveries, &why));
	CHECK(db_script(journal_db(journal), "ANALYZE", &why));
}

static char *plan(struct journal *journal, bool lite, const char *sql)
{
	/* values where the placeholders are: a plan of a statement, not of its preparation */
	g_autoptr(GString) text = g_string_new(lite ? "EXPLAIN QUERY PLAN " : "EXPLAIN ");
	g_string_append(text, sql);
	g_string_replace(text, "handler = $1", "handler = 'eakte'", 0);
	g_string_replace(text, "handler > $1", "handler > ''", 0);
	for (int i = 1; i <= 4; i++) {
		g_autofree char *name = g_strdup_printf("$%d", i);
		g_string_replace(text, name, "50", 0);
	}
	GError *error = NULL;
	AUTO(db_rows) rows = db_query(journal_db(journal), text->str, NULL, 0, &error);
	check_ok(rows != NULL, error, text->str);
	GString *out = g_string_new(NULL);
	for (unsigned r = 0; r < db_rows_count(rows); r++)
		g_string_append_printf(out, "%s\n", db_rows_text(rows, r, lite ? 3 : 0));
	return g_string_free(out, FALSE);
}

static void uses(struct journal *journal, bool lite, const char *sql, const char *index)
{
	g_autofree char *text = plan(journal, lite, sql);
	cr_assert_not_null(strstr(text, index), "%s\n%s", sql, text);
	cr_assert_null(strstr(text, "Seq Scan"), "%s\n%s", sql, text);
	cr_assert_null(strstr(text, "Sort"), "%s\n%s", sql, text);
	cr_assert_null(strstr(text, "TEMP B-TREE"), "%s\n%s", sql, text);
}

Test(plans, claims_use_the_partial_indexes_at_200000_finished_items, .timeout = 120)
{
	AUTO(place) place = place_new();
	AUTO(journal) journal = place_open(place);
	activate(journal, BUNDLE);
	for (unsigned i = 1; i <= 3; i++)
		planned(journal, i, "eakte", false);
	take_mails(journal, 10, 5);
	bool lite = !place_is_postgres(place);
	fill(journal, lite);
	uses(journal, lite, SQL_DUE_ITEMS, "item_due");
	uses(journal, lite, SQL_DUE_DELIVERIES, "delivery_due");
	uses(journal, lite, SQL_NEXT_HANDLER, "delivery_due");
	uses(journal, lite, SQL_LOST_DELIVERIES, "delivery_sending");
	g_autoptr(GPtrArray) claims = claim_items(journal, 10, MINUTE);
	cr_assert_eq(claims->len, 5);
}

/* The plan that a prepared statement keeps, whatever its values. */
static char *kept_plan(struct journal *journal, const char *sql, const char *values)
{
	g_autofree char *prepare = g_strdup_printf("SET plan_cache_mode = force_generic_plan;"
	                                           " PREPARE kept AS %s",
	        sql);
	g_autofree char *explain = g_strdup_printf("EXPLAIN EXECUTE kept%s", values);
	CHECK(db_script(journal_db(journal), prepare, &why));
	GError *error = NULL;
	AUTO(db_rows) rows = db_query(journal_db(journal), explain, NULL, 0, &error);
	check_ok(rows != NULL, error, explain);
	CHECK(db_script(journal_db(journal), "DEALLOCATE kept", &why));
	GString *out = g_string_new(NULL);
	for (unsigned r = 0; r < db_rows_count(rows); r++)
		g_string_append_printf(out, "%s\n", db_rows_text(rows, r, 0));
	return g_string_free(out, FALSE);
}

static void keeps(struct journal *journal, const char *sql, const char *values)
{
	g_autofree char *text = kept_plan(journal, sql, values);
	cr_assert_not_null(strstr(text, "record_order"), "%s\n%s", sql, text);
	cr_assert_null(strstr(text, "Seq Scan on record"), "%s\n%s", sql, text);
	cr_assert_null(strstr(text, "Sort"), "%s\n%s", sql, text);
}

Test(plans, the_sequencer_reads_on_in_the_index_at_any_size_of_the_log, .timeout = 120)
{
	AUTO(place) place = place_new();
	AUTO(journal) journal = place_open(place);
	if (!place_is_postgres(place)) {
		uses(journal, true, SQL_NEXT_RECORDS_SQLITE, "INTEGER PRIMARY KEY");
		return;
	}
	CHECK(db_script(journal_db(journal),
	        "INSERT INTO record (xid, time, event, body) SELECT CAST(CAST(n AS text) AS xid8), n, 'x', "
	        "'x'"
	        " FROM generate_series(1, 100000) AS n",
	        &why));
	keeps(journal, SQL_NEXT_RECORDS_POSTGRES, "(50, 50, 500)"); /* before statistics are there */
	keeps(journal, SQL_RECORD_AHEAD, "");
	CHECK(db_script(journal_db(journal), "ANALYZE", &why));
	keeps(journal, SQL_NEXT_RECORDS_POSTGRES, "(50, 50, 500)");
	keeps(journal, SQL_RECORD_AHEAD, "");
}
