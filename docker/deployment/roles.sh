#!/bin/sh
# Run by the service `roles` of docker/compose.yaml: the worker's login and what it may do.
set -eu
export PGHOST=/var/run/postgresql PGUSER=owner PGDATABASE=posteingang
PGPASSWORD=$(cat /run/secrets/owner_password)
export PGPASSWORD
psql -q -v ON_ERROR_STOP=1 -f /roles.sql
psql -q -v ON_ERROR_STOP=1 -v password="$(cat /run/secrets/worker_password)" <<'END'
SELECT 'CREATE ROLE worker LOGIN' WHERE NOT EXISTS (SELECT FROM pg_roles WHERE rolname = 'worker') \gexec
ALTER ROLE worker PASSWORD :'password';
GRANT posteingang_worker TO worker;
END
