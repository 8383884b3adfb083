#!/bin/bash
# smtp.sh run PROGRAM [ARGUMENTS]: runs a test program beside a real Exim, an SMTP server that misbehaves and the
# HTTP counterpart, all on loopback and ports of their own, and stops them again.
#
# The program finds them in the environment:
#   TEST_SMTP_CA                        authority of the good certificates
#   TEST_SMTP_EXIM_PORT (STARTTLS; +1: TLS), TEST_SMTP_EXIM_MAIL (Maildir of what arrived)
#   TEST_SMTP_FAULTS_PORT (see smtp_faults.py), TEST_SMTP_FAULTS_TAKEN (JSON Lines of what it took)
#   TEST_HTTP_PORT (see http_counterpart.py), TEST_PKI (folder)
# Without Exim: 77 (skipped), in CI a failure.
set -eu
here=$(cd "$(dirname "$0")" && pwd)
[ "${1:?run}" = run ] || exit 64
shift

if ! command -v exim4 >/dev/null && [ ! -x /usr/sbin/exim4 ]; then
  echo "smtp.sh: exim4 is not installed: skipped"
  [ -z "${CI:-}" ] || exit 1
  exit 77
fi

free_port() { # N: a port with N - 1 free ones behind it
  /usr/bin/python3 - "$1" <<'END'
import random, socket, sys
n = int(sys.argv[1])
while True:
    base = random.randrange(20000, 32000)
    held = []
    try:
        for port in range(base, base + n):
            for host in ("127.0.0.1", "127.0.0.2", "127.0.0.3"):
                one = socket.socket()
                held.append(one)
                one.bind((host, port))
    except OSError:
        continue
    finally:
        for one in held:
            one.close()
    print(base)
    break
END
}

dir=$(mktemp -d /tmp/smtp-test.XXXXXX)
pids=()
finish() {
  "$here/exim.sh" stop "$dir" || true
  for pid in "${pids[@]}"; do kill "$pid" 2>/dev/null || true; done
  rm -rf "$dir"
}
trap finish EXIT
trap 'exit 143' TERM INT

wait_for() { # PORT
  for _ in $(seq 100); do
    (exec 3<>"/dev/tcp/127.0.0.1/$1") 2>/dev/null && return
    sleep 0.1
  done
  echo "smtp.sh: nothing listens on port $1" >&2
  exit 1
}

exim_port=$(free_port 2)
"$here/exim.sh" start "$dir" "$exim_port"
faults_port=$(free_port 6)
/usr/bin/python3 "$here/smtp_faults.py" "$faults_port" "$dir/pki/good.pem" "$dir/pki/good.key" "$dir/taken.jsonl" >"$dir/faults.log" 2>&1 &
pids+=($!)
http_port=$(free_port 1)
/usr/bin/python3 "$here/http_counterpart.py" "$http_port" "$dir/pki/good.pem" "$dir/pki/good.key" >"$dir/http.log" 2>&1 &
pids+=($!)
touch "$dir/taken.jsonl"
wait_for "$exim_port"
wait_for "$faults_port"
wait_for "$http_port"

export TEST_SMTP_CA=$dir/pki/ca.pem TEST_SMTP_EXIM_PORT=$exim_port TEST_SMTP_EXIM_MAIL=$dir/mail/all
export TEST_SMTP_FAULTS_PORT=$faults_port TEST_SMTP_FAULTS_TAKEN=$dir/taken.jsonl
export TEST_HTTP_PORT=$http_port TEST_PKI=$dir/pki
status=0
"$@" || status=$?
exit "$status"
