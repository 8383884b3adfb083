#!/bin/sh
# exim.sh - a real Exim on loopback, with certificates of its own, for tests. Touches nothing but DIR.
#
#   exim.sh start DIR PORT     PORT: SMTP with STARTTLS; PORT+1: TLS from the first byte
#   exim.sh stop DIR
#
# Certificates as dovecot.sh makes them: 127.0.0.1 shows good, 127.0.0.2 wrong (other.example), 127.0.0.3 untrusted.
# Log-in only behind TLS: alice / "geheim & gut" (PLAIN, LOGIN). Mail goes to DIR/mail/all (Maildir, with
# Return-path and Envelope-to); the local part "unbekannt" is refused (550), "spaeter" deferred (451).
set -eu

here=$(cd "$(dirname "$0")" && pwd)
exim=$(command -v exim4 || command -v exim || ls /usr/sbin/exim4 2>/dev/null || true)

configure() {
	if [ "$(id -u)" = 0 ]; then owner=Debian-exim group=Debian-exim; else owner=$(id -un) group=$(id -gn); fi
	cat >"$dir/exim.conf" <<END
primary_hostname = localhost
spool_directory = $dir/spool
log_file_path = $dir/log/%s
pid_file_path = $dir/spool/exim.pid
local_interfaces = 127.0.0.1 : 127.0.0.2 : 127.0.0.3
daemon_smtp_ports = $port : $((port + 1))
tls_on_connect_ports = $((port + 1))
tls_advertise_hosts = *
tls_certificate = $pki/\${if eq{\$received_ip_address}{127.0.0.2}{wrong}{\${if eq{\$received_ip_address}{127.0.0.3}{untrusted}{good}}}}.pem
tls_privatekey = $pki/\${if eq{\$received_ip_address}{127.0.0.2}{wrong}{\${if eq{\$received_ip_address}{127.0.0.3}{untrusted}{good}}}}.key
auth_advertise_hosts = \${if eq{\$tls_in_cipher}{}{}{*}}
acl_smtp_rcpt = rcpt
acl_smtp_data = accept
message_size_limit = 1M
smtp_accept_queue_per_connection = 0
smtp_accept_max = 50
queue_run_max = 0
rfc1413_query_timeout = 0s
host_lookup =
ignore_bounce_errors_after = 0s
timeout_frozen_after = 0s
begin acl
rcpt:
  require authenticated = *
  deny local_parts = unbekannt
       message = 5.1.1 User unknown
  defer local_parts = spaeter
       message = 4.2.1 Try later
  accept
begin authenticators
plain:
  driver = plaintext
  public_name = PLAIN
  server_prompts = :
  server_condition = \${if and{{eq{\$auth2}{alice}}{eq{\$auth3}{geheim & gut}}}}
  server_set_id = \$auth2
login:
  driver = plaintext
  public_name = LOGIN
  server_prompts = Username:: : Password::
  server_condition = \${if and{{eq{\$auth1}{alice}}{eq{\$auth2}{geheim & gut}}}}
  server_set_id = \$auth1
begin routers
sink:
  driver = accept
  transport = folder
begin transports
folder:
  driver = appendfile
  maildir_format
  directory = $dir/mail/all
  create_directory
  user = $owner
  group = $group
  envelope_to_add
  return_path_add
END
	mkdir -p "$dir/spool" "$dir/log" "$dir/mail"
	if [ "$(id -u)" = 0 ]; then
		chown Debian-exim "$dir/spool" "$dir/log" "$dir/mail"
		chown Debian-exim "$pki"/*.key
	fi
	chmod 755 "$dir"
}

stop() {
	pid=$(cat "$dir/spool/exim.pid" 2>/dev/null) || return 0
	kill "$pid" 2>/dev/null || return 0
	for _ in 1 2 3 4 5 6 7 8 9 10; do
		kill -0 "$pid" 2>/dev/null || return 0
		sleep 0.2
	done
	kill -9 "$pid" 2>/dev/null || true
}

command=${1:?start or stop}
dir=${2:?folder}
pki=$dir/pki
case $command in
start)
	port=${3:?port}
	[ -n "$exim" ] || exit 77
	mkdir -p "$dir"
	"$here/dovecot.sh" certificates "$dir"
	configure
	"$exim" -C "$dir/exim.conf" -bd
	;;
stop) stop ;;
*) exit 64 ;;
esac
