/* migration_base.c - step 1: the tables of the way of an item, and its records.
 *
 * Partial indexes hold only what is open, so that claims cost the same at any size of history. Equal content
 * is found by `digest`, the first 8 bytes of its SHA-256: a small index; the whole hash is compared then.
 */
#include "journal/migrations.h"

static const char base[] =
        "CREATE TABLE migration (number bigint PRIMARY KEY, name text NOT NULL, time bigint NOT NULL,"
        " actor text NOT NULL);"
        "CREATE TABLE meta (name text PRIMARY KEY, value text NOT NULL);"

        /* sources */
        "CREATE TABLE mailbox (id @AUTO@, source text NOT NULL, name text NOT NULL,"
        " state text NOT NULL DEFAULT '{}', fence bigint NOT NULL DEFAULT 0,"
        " leased_until bigint NOT NULL DEFAULT 0, worker text, relisted bigint NOT NULL DEFAULT 0,"
        " last_success bigint NOT NULL DEFAULT 0, last_failure bigint NOT NULL DEFAULT 0, failure text,"
        " oldest_waiting bigint NOT NULL DEFAULT -1, waiting bigint NOT NULL DEFAULT -1,"
        " UNIQUE (source, name));"
        "CREATE TABLE source_day (mailbox bigint NOT NULL REFERENCES mailbox (id), day bigint NOT NULL,"
        " seen bigint NOT NULL DEFAULT 0, taken bigint NOT NULL DEFAULT 0,"
        " refused bigint NOT NULL DEFAULT 0, vanished bigint NOT NULL DEFAULT 0,"
        " PRIMARY KEY (mailbox, day));"
        "CREATE TABLE gap (mailbox bigint NOT NULL REFERENCES mailbox (id), key text NOT NULL,"
        " kind text NOT NULL, reason text NOT NULL, size bigint NOT NULL, time bigint NOT NULL,"
        " cleared bigint, task bigint, PRIMARY KEY (mailbox, key));"
        "CREATE INDEX gap_open ON gap (mailbox, key) WHERE cleared IS NULL AND kind = 'refused';"

        /* items */
        "CREATE TABLE item (id @PK@, mailbox bigint NOT NULL REFERENCES mailbox (id), key text NOT NULL,"
        " generation text, channel text NOT NULL, received bigint NOT NULL, taken bigint NOT NULL,"
        " size bigint NOT NULL, sha256 text NOT NULL, digest bigint NOT NULL, salt @BLOB@, fields text,"
        " future bigint NOT NULL DEFAULT 0, duplicate_of bigint,"
        " state text NOT NULL DEFAULT 'received', wake bigint NOT NULL, fence bigint NOT NULL DEFAULT 0,"
        " attempts bigint NOT NULL DEFAULT 0, worker text, decided bigint, round bigint NOT NULL DEFAULT 0,"
        " relevance text, contact_code text, person text, open bigint NOT NULL DEFAULT 0, closed bigint,"
        " content_deleted bigint, UNIQUE (mailbox, key));"
        "CREATE INDEX item_due ON item (wake, id) WHERE state = 'received';"
        "CREATE INDEX item_digest ON item (digest, id);"
        "CREATE INDEX item_received ON item (received);"
        "CREATE INDEX item_person ON item (person) WHERE person IS NOT NULL;"
        "CREATE INDEX item_closed ON item (closed) WHERE closed IS NOT NULL AND content_deleted IS NULL;"
        "CREATE TABLE item_alias (mailbox bigint NOT NULL REFERENCES mailbox (id), key text NOT NULL,"
        " generation text NOT NULL, item bigint NOT NULL REFERENCES item (id), time bigint NOT NULL,"
        " PRIMARY KEY (mailbox, key));"
        "CREATE INDEX item_alias_item ON item_alias (item);"
        /* id = item * 4096 + number of the chunk; no reference: chunks may come before their item */
        "CREATE TABLE content (id @PK@, bytes @BLOB@ NOT NULL);"
        "CREATE TABLE upload (item @PK@, started bigint NOT NULL);"

        /* decisions */
        "CREATE TABLE decision (item bigint NOT NULL REFERENCES item (id), round bigint NOT NULL,"
        " time bigint NOT NULL, bundle text NOT NULL, engine text NOT NULL, ruleset text NOT NULL,"
        " relevance text NOT NULL, contact_code text NOT NULL, decision text NOT NULL,"
        " findings text NOT NULL, facts text NOT NULL, PRIMARY KEY (item, round));"
        "CREATE TABLE delivery (id @PK@, item bigint REFERENCES item (id), handler text NOT NULL,"
        " key text NOT NULL UNIQUE, params text, not_before bigint NOT NULL, due bigint NOT NULL,"
        " leased_until bigint NOT NULL DEFAULT 0, state text NOT NULL, attempts bigint NOT NULL DEFAULT 0,"
        " fence bigint NOT NULL DEFAULT 0, worker text, at_most_once bigint NOT NULL, task bigint,"
        " receipt text, reason text, created bigint NOT NULL, changed bigint NOT NULL);"
        "CREATE INDEX delivery_due ON delivery (handler, due, id) WHERE state = 'due';"
        "CREATE INDEX delivery_sending ON delivery (leased_until) WHERE state = 'sending';"
        "CREATE INDEX delivery_item ON delivery (item);"
        "CREATE TABLE task (id @PK@, item bigint REFERENCES item (id), kind text NOT NULL, text text,"
        " params text, state text NOT NULL DEFAULT 'open', outcome text, reason text, actor text,"
        " created bigint NOT NULL, not_before bigint NOT NULL DEFAULT 0, closed bigint, concern text,"
        " once text, posted text);"
        "CREATE INDEX task_open ON task (id) WHERE state = 'open';"
        "CREATE INDEX task_item ON task (item) WHERE item IS NOT NULL;"
        "CREATE UNIQUE INDEX task_once ON task (once) WHERE state = 'open' AND once IS NOT NULL;"
        "CREATE TABLE call_window (case_key text NOT NULL, concern text NOT NULL, task bigint NOT NULL,"
        " item bigint NOT NULL, time bigint NOT NULL, PRIMARY KEY (case_key, concern));"
        "CREATE TABLE reply_window (sender text NOT NULL, concern text NOT NULL, delivery bigint NOT NULL,"
        " time bigint NOT NULL, PRIMARY KEY (sender, concern));"

        /* configuration and facts */
        "CREATE TABLE bundle (hash text PRIMARY KEY, packed @BLOB@ NOT NULL, stored bigint NOT NULL,"
        " actor text NOT NULL);"
        "CREATE TABLE activation (id @AUTO@, hash text NOT NULL REFERENCES bundle (hash),"
        " actor text NOT NULL, time bigint NOT NULL);"
        "CREATE TABLE active (one bigint PRIMARY KEY CHECK (one = 1),"
        " hash text NOT NULL REFERENCES bundle (hash));"
        "CREATE TABLE fact_row (kind text NOT NULL, key text NOT NULL, facts text NOT NULL,"
        " written bigint NOT NULL, PRIMARY KEY (kind, key));"

        /* the log: see record.h; expiry and erasure */
        "CREATE TABLE record (id @AUTO@, xid @XID@, time bigint NOT NULL, item bigint, event text NOT NULL,"
        " body @BLOB@ NOT NULL);"
        "CREATE INDEX record_item ON record (item) WHERE item IS NOT NULL;"
        "CREATE TABLE hold (id @AUTO@, item bigint, person text, reason text NOT NULL, actor text NOT NULL,"
        " created bigint NOT NULL, released bigint);"
        "CREATE TABLE erasure (id @AUTO@, item bigint, person text, actor text NOT NULL,"
        " time bigint NOT NULL);";

static const char for_sqlite[] =
        "CREATE TABLE number (name text PRIMARY KEY, value bigint NOT NULL);"
        "INSERT INTO number (name, value) VALUES ('item', 0), ('task', 0), ('delivery', 0);";

/* Mails compress badly and a batch waits for it: store them as they are. */
static const char for_postgres[] = "CREATE SEQUENCE item_number; CREATE SEQUENCE task_number;"
                                   "CREATE SEQUENCE delivery_number;"
                                   "ALTER TABLE content ALTER COLUMN bytes SET STORAGE EXTERNAL;"
                                   "CREATE INDEX record_order ON record (xid, id);";

const struct migration migration_base = {
        .number = 1,
        .name = "base",
        .sql = base,
        .sqlite_sql = for_sqlite,
        .postgres_sql = for_postgres,
};
