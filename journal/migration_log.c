/* migration_log.c - step 10: the sealed log beside the records.
 *
 * leaf gives each sealed record its position; checkpoint holds the signed note and the compact range of that
 * size; log_cursor is where the sequencer goes on (see log_seal.c).
 */
#include "journal/migrations.h"

static const char log_tables[] =
        "CREATE TABLE leaf (n @PK@, record bigint NOT NULL UNIQUE, hash @BLOB@ NOT NULL);"
        "CREATE TABLE checkpoint (size @PK@, note text NOT NULL, peaks @BLOB@ NOT NULL, time bigint NOT "
        "NULL);"
        "CREATE TABLE log_cursor (one bigint PRIMARY KEY CHECK (one = 1), xid bigint NOT NULL, id bigint NOT "
        "NULL);"
        "INSERT INTO log_cursor (one, xid, id) VALUES (1, 0, 0);"
        "INSERT INTO meta (name, value) VALUES ('log_epoch', '1');";

const struct migration migration_log = {
        .number = 10,
        .name = "log",
        .sql = log_tables,
};
