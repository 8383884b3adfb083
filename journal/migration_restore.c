/* migration_restore.c - step 11: what the far sides had when a restored journal was accepted (log_restore.h).
 */
#include "journal/migrations.h"

static const char restore_tables[] = "CREATE TABLE restored (item @PK@, sha256 text NOT NULL);"
                                     "CREATE INDEX restored_content ON restored (sha256);";

const struct migration migration_restore = {
        .number = 11,
        .name = "restore",
        .sql = restore_tables,
};
