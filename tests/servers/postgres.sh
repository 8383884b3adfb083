#!/bin/sh
# postgres.sh - a private PostgreSQL for tests; touches no server of the user's own.
#
#   postgres.sh start DIR [PORT]   cluster in DIR/data, socket in DIR/s; with PORT also on 127.0.0.1
#   postgres.sh stop DIR           stops it; DIR stays
#   postgres.sh run COMMAND…       starts one in a new folder, runs COMMAND, stops and removes it
#   postgres.sh env DIR            prints the settings as NAME=value lines
#
# COMMAND sees TEST_POSTGRES (a libpq connection string, superuser by socket), TEST_POSTGRES_TCP (role
# posteingang with the password in TEST_POSTGRES_PASSWORD, SCRAM over loopback) and TEST_POSTGRES_DIR.
# PG_FSYNC=on measures with real commits. Without PostgreSQL: exit 77 (skipped), with CI set: exit 1.
set -eu

bin=$(ls -d /usr/lib/postgresql/*/bin 2>/dev/null | sort -t/ -k5 -V | tail -1)
[ -n "$bin" ] || bin=$(dirname "$(command -v pg_ctl || echo /none)")
if [ ! -x "$bin/initdb" ]; then
	echo "postgres.sh: PostgreSQL is not installed (apt-get install postgresql)" >&2
	[ -n "${CI:-}" ] && exit 1
	echo "skipped" >&2
	exit 77
fi

as_postgres() {
	if [ "$(id -u)" = 0 ]; then runuser -u postgres -- "$@"; else "$@"; fi
}

# A socket's path must stay below 108 bytes.
socket_dir() {
	if [ "${#1}" -lt 70 ]; then echo "$1/s"; else cat "$1/socket_dir"; fi
}

port_of() {
	cat "$1/port"
}

environment() {
	s=$(socket_dir "$1")
	p=$(port_of "$1")
	echo "TEST_POSTGRES_DIR=$1"
	echo "TEST_POSTGRES=host=$s port=$p dbname=posteingang user=postgres"
	echo "TEST_POSTGRES_TCP=host=127.0.0.1 port=$p dbname=posteingang user=posteingang"
	echo "TEST_POSTGRES_PASSWORD=geheim und lang"
}

start() {
	dir=$1 port=${2:-}
	mkdir -p "$dir"
	chmod 755 "$dir"
	dir=$(cd "$dir" && pwd)
	[ "${#dir}" -lt 70 ] || mktemp -d /tmp/pg.XXXXXX >"$dir/socket_dir"
	s=$(socket_dir "$dir")
	listen=''
	[ -z "$port" ] || listen=127.0.0.1
	echo "${port:-5432}" >"$dir/port"
	mkdir -p "$dir/data" "$s"
	[ "$(id -u)" != 0 ] || chown postgres "$dir/data" "$s"
	if [ ! -f "$dir/data/PG_VERSION" ]; then
		as_postgres "$bin/initdb" -D "$dir/data" -N -A trust -U postgres --no-locale -E UTF8 >/dev/null
		printf '%s\n' 'local all all trust' 'host all all 127.0.0.1/32 scram-sha-256' \
			| as_postgres tee "$dir/data/pg_hba.conf" >/dev/null
	fi
	as_postgres "$bin/pg_ctl" -D "$dir/data" -s -w -t 30 -l "$dir/data/log" -o "-k '$s' -p ${port:-5432} \
		-c listen_addresses='$listen' -c fsync=${PG_FSYNC:-off} -c max_connections=50 -c shared_buffers=64MB \
		-c max_wal_size=4GB -c logging_collector=off" start >/dev/null
	psql="as_postgres $bin/psql -q -X -v ON_ERROR_STOP=1 -h $s -p ${port:-5432} -U postgres"
	if [ "$($psql -At -c "SELECT count(*) FROM pg_roles WHERE rolname = 'posteingang'" postgres)" = 0 ]; then
		$psql -c "CREATE ROLE posteingang LOGIN PASSWORD 'geheim und lang'" postgres
		$psql -c "CREATE DATABASE posteingang OWNER posteingang" postgres
	fi
}

stop() {
	[ ! -f "$1/data/postmaster.pid" ] || as_postgres "$bin/pg_ctl" -D "$1/data" -s -m immediate -w stop >/dev/null || true
	[ ! -f "$1/socket_dir" ] || rm -rf "$(cat "$1/socket_dir")"
}

free_port() {
	for port in $(shuf -i 20000-32000 -n 50); do
		grep -qi ":$(printf '%04X' "$port") " /proc/net/tcp || { echo "$port"; return; }
	done
}

run() {
	dir=$(mktemp -d "${TMPDIR:-/tmp}/pg.XXXXXX")
	trap 'stop "$dir"; rm -rf "$dir"' EXIT
	trap 'exit 143' TERM INT
	start "$dir" "$(free_port)"
	environment "$dir" >"$dir/env"
	while IFS= read -r line; do export "${line?}"; done <"$dir/env"
	"$@"
}

command=${1:?start, stop, run or env}
shift
case $command in
start) start "$@" ;;
stop) stop "$(cd "$1" && pwd)" ;;
env) environment "$(cd "$1" && pwd)" ;;
run) run "$@" ;;
*) echo "postgres.sh: start, stop, run or env" >&2; exit 64 ;;
esac
