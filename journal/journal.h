/* journal.h - the durable record in which intake, classifiers, sinks and clerks meet.
 *
 * One handle per thread and connection. All functions of the room (sources.h, content.h, items.h,
 * deliveries.h, tasks.h, bundles.h, fact_table.h, status.h) take it, are one transaction each unless they say
 * otherwise, write their log records (record.h) in that same transaction and fail as db.h says. After
 * ERROR_UNAVAILABLE or ERROR_UNCERTAIN call journal_reopen().
 *
 * Times are µs UTC. Leases run in the database's time; `now` parameters are business time (DESIGN.md section
 * 6) and come from the caller.
 */
#ifndef JOURNAL_JOURNAL_H
#define JOURNAL_JOURNAL_H

#include "core/hash.h"
#include "journal/db.h"

struct journal_options {
	struct db_options db;
	GBytes *pseudonym_key; /* ≥ 16 bytes; keyed hashes of persons and senders */
	const char *worker;    /* NULL: "host:pid:thread" */
	bool migrate;          /* bring the schema up to date while opening (embedded default, `migrate`) */
};

struct journal;

/* Refuses a schema it does not know and one that is too old (ERROR_CONFIG, names the command). Copies the
 * options. */
struct journal *journal_open(const struct journal_options *options, GError **error);
/* Closes the connection and opens it again, with the same options. */
bool journal_reopen(struct journal *journal, GError **error);
void journal_close(struct journal *journal);
static inline void journal_free(struct journal *journal)
{
	journal_close(journal);
}
AUTO_FREE(journal);

/* Runs the migrations that are missing, each in its own transaction, under a lock. `done` (may be NULL): how
 * many ran. */
bool journal_migrate(const struct db_options *options, unsigned *done, GError **error);
/* Highest migration this program knows. */
int journal_schema_version(void);

/* Random name of this journal, 8 hex digits, made by the first migration. Borrowed. */
const char *journal_instance(const struct journal *journal);
/* Public name of an item: "<instance>-<number>"; free with g_free. */
char *journal_item_name(const struct journal *journal, int64_t item);
/* Back: a name of this journal, or a bare number. ERROR_INPUT. */
bool journal_item_parse(const struct journal *journal, const char *name, int64_t *item, GError **error);

const char *journal_worker(const struct journal *journal);
/* Who acts: "db:<session user>" on PostgreSQL, "os:<user>" on SQLite. Never a flag. Borrowed. */
const char *journal_actor(const struct journal *journal);

/* Keyed hash of a value of a kind ("kundennummer", "sender", "key", …): the only form in which persons appear
 * in records. The caller normalises `value` first. */
void journal_pseudonym(
        const struct journal *journal, const char *kind, const char *value, char out[HASH_HEX_SIZE]);

/* The connection, for the room's own files and for tests. */
struct db *journal_db(struct journal *journal);

#endif
