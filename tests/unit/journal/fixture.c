#include "fixture.h"
#include "journal/internal.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

struct place {
	char *folder, *path;     /* SQLite */
	char *schema, *conninfo; /* PostgreSQL */
	GBytes *key;
};

static void admin(const char *sql)
{
	struct db_options options = {.dialect = DB_POSTGRES, .conninfo = getenv("TEST_POSTGRES")};
	GError *error = NULL;
	struct db *db = db_open(&options, &error);
	check_ok(db && db_script(db, sql, &error), error, sql);
	db_close(db);
}

struct place *place_new(void)
{
	struct place *place = g_new0(struct place, 1);
	place->key = g_bytes_new_static("0123456789abcdef", 16);
	const char *postgres = getenv("TEST_POSTGRES");
	if (postgres) {
		place->schema =
		        g_strdup_printf("t%d_%" G_GINT64_FORMAT, (int)getpid(), g_get_monotonic_time());
		place->conninfo = g_strdup_printf("%s options='-c search_path=%s'", postgres, place->schema);
		g_autofree char *sql = g_strdup_printf("CREATE SCHEMA %s", place->schema);
		admin(sql);
		return place;
	}
	place->folder = g_dir_make_tmp("journal.XXXXXX", NULL);
	place->path = g_build_filename(place->folder, "journal.db", NULL);
	return place;
}

void place_free(struct place *place)
{
	if (!place)
		return;
	if (place->schema) {
		g_autofree char *sql =
		        g_strdup_printf("DROP SCHEMA %s CASCADE; DROP SCHEMA IF EXISTS %s_backup CASCADE;"
		                        "DROP SCHEMA IF EXISTS %s_audit CASCADE",
		                place->schema, place->schema, place->schema);
		admin(sql);
	} else {
		const char *const ends[] = {"", "-wal", "-shm", ".backup"};
		for (size_t i = 0; i < G_N_ELEMENTS(ends); i++) {
			g_autofree char *file = g_strconcat(place->path, ends[i], NULL);
			unlink(file);
		}
		rmdir(place->folder);
	}
	g_free(place->folder);
	g_free(place->path);
	g_free(place->schema);
	g_free(place->conninfo);
	g_bytes_unref(place->key);
	g_free(place);
}

static const char pg_backup[] =
        "DO $do$ DECLARE t record; BEGIN"
        " EXECUTE 'DROP SCHEMA IF EXISTS ' || current_schema() || '_backup CASCADE';"
        " EXECUTE 'CREATE SCHEMA ' || current_schema() || '_backup';"
        " FOR t IN SELECT tablename FROM pg_tables WHERE schemaname = current_schema() LOOP"
        " EXECUTE format('CREATE TABLE %I.%I AS TABLE %I', current_schema() || '_backup', t.tablename,"
        " t.tablename); END LOOP;"
        " EXECUTE format('CREATE TABLE %I.sequences AS SELECT sequencename, COALESCE(last_value, 0) AS value"
        " FROM pg_sequences WHERE schemaname = current_schema()', current_schema() || '_backup'); END $do$";
static const char pg_restore[] =
        "SET session_replication_role = replica;"
        "DO $do$ DECLARE t record; BEGIN"
        " FOR t IN SELECT tablename FROM pg_tables WHERE schemaname = current_schema() LOOP"
        " EXECUTE format('DELETE FROM %I', t.tablename);"
        " EXECUTE format('INSERT INTO %I SELECT * FROM %I.%I', t.tablename, current_schema() || '_backup',"
        " t.tablename); END LOOP;"
        " FOR t IN EXECUTE format('SELECT * FROM %I.sequences', current_schema() || '_backup') LOOP"
        " PERFORM setval(CAST(format('%I', t.sequencename) AS regclass), GREATEST(t.value, 1), t.value > 0);"
        " END LOOP; END $do$";

static void run_script(struct place *place, const char *sql)
{
	struct journal_options options = place_options(place);
	GError *error = NULL;
	struct db *db = db_open(&options.db, &error);
	check_ok(db && db_script(db, sql, &error), error, sql);
	db_close(db);
}

void place_backup(struct place *place)
{
	if (place->schema) {
		run_script(place, pg_backup);
		return;
	}
	g_autofree char *copy = g_strconcat(place->path, ".backup", NULL);
	unlink(copy);
	g_autofree char *sql = g_strdup_printf("VACUUM INTO '%s.backup'", place->path);
	run_script(place, sql);
}

void place_restore(struct place *place)
{
	if (place->schema) {
		run_script(place, pg_restore);
		return;
	}
	g_autofree char *copy = g_strconcat(place->path, ".backup", NULL), *bytes = NULL;
	g_autofree char *wal = g_strconcat(place->path, "-wal", NULL);
	g_autofree char *shm = g_strconcat(place->path, "-shm", NULL);
	gsize size;
	cr_assert(g_file_get_contents(copy, &bytes, &size, NULL));
	unlink(wal);
	unlink(shm);
	cr_assert(g_file_set_contents(place->path, bytes, (gssize)size, NULL));
}

bool place_is_postgres(const struct place *place)
{
	return place->schema != NULL;
}

const char *place_path(const struct place *place)
{
	return place->path;
}

const char *place_conninfo(const struct place *place)
{
	return place->conninfo;
}

struct journal_options place_options(const struct place *place)
{
	return (struct journal_options){.db = {.dialect = place->schema ? DB_POSTGRES : DB_SQLITE,
	                                        .path = place->path,
	                                        .conninfo = place->conninfo},
	        .pseudonym_key = place->key,
	        .migrate = true};
}

struct journal *place_open(struct place *place)
{
	struct journal_options options = place_options(place);
	GError *error = NULL;
	struct journal *journal = journal_open(&options, &error);
	check_ok(journal != NULL, error, "journal_open");
	return journal;
}

void check_ok(bool ok, GError *error, const char *what)
{
	if (!ok)
		cr_assert_fail("%s: %s", what, error ? error->message : "failed without an error");
	cr_assert_null(error);
}

int64_t number(struct journal *journal, const char *sql)
{
	GError *error = NULL;
	AUTO(db_rows) rows = db_query(journal_db(journal), sql, NULL, 0, &error);
	check_ok(rows != NULL, error, sql);
	cr_assert_eq(db_rows_count(rows), 1, "%s gave %u rows", sql, db_rows_count(rows));
	return db_rows_int(rows, 0, 0);
}

int64_t records_of(struct journal *journal, const char *event)
{
	GError *error = NULL;
	struct db_value args[] = {db_text(event)};
	AUTO(db_rows)
	rows = db_query(journal_db(journal), "SELECT count(*) FROM record WHERE event = $1", args, 1, &error);
	check_ok(rows != NULL, error, "records_of");
	return db_rows_int(rows, 0, 0);
}

json_t *last_detail(struct journal *journal, const char *event)
{
	GError *error = NULL;
	struct db_value args[] = {db_text(event)};
	AUTO(db_rows)
	rows = db_query(journal_db(journal),
	        "SELECT body FROM record WHERE event = $1 ORDER BY id DESC LIMIT 1", args, 1, &error);
	check_ok(rows && db_rows_count(rows), error, event);
	g_autoptr(GBytes) body = db_rows_bytes(rows, 0, 0);
	JSON_AUTO record = json_read(g_bytes_get_data(body, NULL), g_bytes_get_size(body), NULL);
	return json_incref(json_object_get(record, "detail"));
}

struct item *mail(const char *key, const char *text, int64_t received)
{
	struct item *item = item_new();
	item->channel = CHANNEL_EMAIL;
	item->key = g_strdup(key);
	item->received = received;
	item->raw = g_bytes_new(text, strlen(text));
	hash_hex(text, strlen(text), item->sha256);
	json_decref(item->fields);
	item->fields = json_object();
	return item;
}

int64_t take_mails(struct journal *journal, unsigned from, unsigned n)
{
	GError *error = NULL;
	AUTO(mailbox_lease) lease = journal_lease_mailbox(journal, "imap", "INBOX", MINUTE, &error);
	check_ok(lease != NULL, error, "lease");
	g_autofree struct intake_entry *entries = g_new0(struct intake_entry, n);
	for (unsigned i = 0; i < n; i++) {
		g_autofree char *key = g_strdup_printf("1:%u", from + i);
		g_autofree char *text =
		        g_strdup_printf("Subject: Nachricht %u\n\nGuten Tag %u\n", from + i, from + i);
		entries[i].item = mail(key, text, (int64_t)(from + i) * SECOND);
		entries[i].generation = "1";
	}
	struct intake_batch batch = {.entries = entries, .n_entries = n, .seen = n};
	CHECK(journal_take_in(journal, lease, &batch, &why));
	int64_t first = n ? entries[0].id : 0;
	for (unsigned i = 0; i < n; i++)
		item_free(entries[i].item);
	CHECK(journal_release_mailbox(journal, lease, &why));
	return first;
}

void activate(struct journal *journal, const char *hash)
{
	g_autoptr(GBytes) packed = g_bytes_new_static("bundle", 6);
	CHECK(journal_store_bundle(journal, hash, packed, &why));
	CHECK(journal_activate_bundle(journal, hash, &why));
}

struct new_decision plain_decision(const struct item_claim *claim)
{
	return (struct new_decision){.item = claim->item->id,
	        .fence = claim->fence,
	        .engine = "engine",
	        .ruleset = "2023-05-12",
	        .relevance = RELEVANCE_YES,
	        .contact_code = "K1"};
}

GPtrArray *claim_items(struct journal *journal, unsigned max, int64_t duration)
{
	GError *error = NULL;
	struct item_claim_options options = {.max = max, .duration = duration};
	GPtrArray *claims = journal_claim_items(journal, &options, &error);
	check_ok(claims != NULL, error, "claim_items");
	return claims;
}

GPtrArray *claim_deliveries(struct journal *journal, const char *handler, int64_t now)
{
	GError *error = NULL;
	const char *handlers[] = {handler, NULL};
	struct delivery_claim_options options = {
	        .max = 100, .duration = MINUTE, .now = now, .handlers = handler ? handlers : NULL};
	GPtrArray *deliveries = journal_claim_deliveries(journal, &options, &error);
	check_ok(deliveries != NULL, error, "claim_deliveries");
	return deliveries;
}

int64_t planned(struct journal *journal, unsigned key, const char *handler, bool at_most_once)
{
	take_mails(journal, key, 1);
	g_autoptr(GPtrArray) claims = claim_items(journal, 1, MINUTE);
	cr_assert_eq(claims->len, 1);
	struct new_decision decision = plain_decision(g_ptr_array_index(claims, 0));
	struct new_delivery delivery = {.handler = handler, .at_most_once = at_most_once};
	decision.deliveries = &delivery;
	decision.n_deliveries = 1;
	CHECK(journal_commit_decisions(journal, BUNDLE, &decision, 1, DAY, &why));
	cr_assert_neq(delivery.id, 0);
	return decision.item;
}
