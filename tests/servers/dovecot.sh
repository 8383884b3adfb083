#!/bin/sh
# dovecot.sh - a real Dovecot on loopback, with certificates of its own, for tests. Touches nothing but DIR.
#
#   dovecot.sh start DIR PORT     PORT: IMAP with STARTTLS; PORT+1: IMAP over TLS
#   dovecot.sh stop DIR
#
# Certificates in DIR/pki, all from openssl: ca.pem signs good (localhost, 127.0.0.1), wrong (other.example) and
# expired; untrusted is signed by another authority. 127.0.0.1 shows good, 127.0.0.2 wrong, 127.0.0.3 untrusted,
# 127.0.0.4 expired. Every user has the password "secret"; mail lies in DIR/mail/USER (Maildir).
set -eu

leaf() { # leaf NAME CA SAN DAYS
	openssl req -newkey ec -pkeyopt ec_paramgen_curve:P-256 -nodes -subj "/CN=$1" -keyout "$pki/$1.key" \
		-out "$pki/$1.csr" 2>/dev/null
	printf 'subjectAltName=%s\nextendedKeyUsage=serverAuth\n' "$3" >"$pki/$1.ext"
	openssl x509 -req -in "$pki/$1.csr" -CA "$pki/$2.pem" -CAkey "$pki/$2.key" -CAcreateserial -days "$4" \
		-extfile "$pki/$1.ext" -out "$pki/$1.pem" 2>/dev/null
}

authority() {
	openssl req -x509 -newkey ec -pkeyopt ec_paramgen_curve:P-256 -nodes -days 30 -subj "/CN=Test $1" \
		-addext basicConstraints=critical,CA:TRUE -keyout "$pki/$1.key" -out "$pki/$1.pem" 2>/dev/null
}

certificates() {
	[ -e "$pki/expired.pem" ] && return
	mkdir -p "$pki"
	authority ca
	authority stranger
	leaf good ca DNS:localhost,IP:127.0.0.1 30
	leaf wrong ca DNS:other.example 30
	leaf untrusted stranger DNS:localhost,IP:127.0.0.3 30
	leaf expired ca DNS:localhost,IP:127.0.0.4 -1
	chmod 644 "$pki"/*.key
}

configure() {
	if [ "$(id -u)" = 0 ]; then
		owner=mail
		users=""
	else
		owner=$(id -un)
		users="default_login_user = $owner
default_internal_user = $owner
default_internal_group = $(id -gn)
service anvil {
  chroot =
}
service imap-login {
  chroot =
}"
	fi
	cat >"$dir/dovecot.conf" <<END
base_dir = $dir/run
state_dir = $dir/state
log_path = $dir/log
protocols = imap
listen = 127.0.0.1, 127.0.0.2, 127.0.0.3, 127.0.0.4
ssl = required
ssl_cert = <$pki/good.pem
ssl_key = <$pki/good.key
ssl_min_protocol = TLSv1.2
local 127.0.0.2 {
  ssl_cert = <$pki/wrong.pem
  ssl_key = <$pki/wrong.key
}
local 127.0.0.3 {
  ssl_cert = <$pki/untrusted.pem
  ssl_key = <$pki/untrusted.key
}
local 127.0.0.4 {
  ssl_cert = <$pki/expired.pem
  ssl_key = <$pki/expired.key
}
$users
mail_location = maildir:$dir/mail/%u
mail_access_groups = $(id -gn)
first_valid_uid = 1
auth_mechanisms = plain login
passdb {
  driver = static
  args = password=secret
}
userdb {
  driver = static
  args = uid=$owner gid=$owner home=$dir/home/%u
}
service imap-login {
  inet_listener imap {
    port = $port
  }
  inet_listener imaps {
    port = $((port + 1))
    ssl = yes
  }
}
namespace inbox {
  inbox = yes
  mailbox Erledigt {
    auto = create
  }
}
END
	mkdir -p "$dir/mail" "$dir/home"
	[ "$(id -u)" != 0 ] || chown mail "$dir/mail" "$dir/home"
	chmod 755 "$dir"
}

start() {
	certificates
	configure
	"$(command -v dovecot || echo /usr/sbin/dovecot)" -c "$dir/dovecot.conf"
}

stop() {
	pid=$(cat "$dir/run/master.pid" 2>/dev/null) || return 0
	kill "$pid" 2>/dev/null || return 0
	for _ in 1 2 3 4 5 6 7 8 9 10; do
		kill -0 "$pid" 2>/dev/null || return 0
		sleep 0.5
	done
	kill -9 "$pid" 2>/dev/null || true
}

command=${1:?start or stop}
dir=${2:?folder}
pki=$dir/pki
case $command in
start)
	port=${3:?port}
	mkdir -p "$dir"
	start
	;;
stop) stop ;;
certificates)
	mkdir -p "$dir"
	certificates
	;;
*) exit 64 ;;
esac
