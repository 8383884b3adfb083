/* migration_evidence.c - step 12: keys of items whose evidence is gone, so that what a source still has is
 * not taken for new (log_evidence.c). `taken` 0: a key under which the item was known again. */
#include "journal/migrations.h"

static const char evidence_tables[] =
        "CREATE TABLE expired_key (mailbox bigint NOT NULL REFERENCES mailbox (id), key text NOT NULL,"
        " item bigint NOT NULL, taken bigint NOT NULL, PRIMARY KEY (mailbox, key));";

const struct migration migration_evidence = {
        .number = 12,
        .name = "evidence",
        .sql = evidence_tables,
};
