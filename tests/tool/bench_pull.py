"""Pull over IMAP with TLS, durable, beside a client that throws the messages away and beside mbsync: one run, the same
mailbox on the same Dovecot. bench_pull.py PROGRAM FOLDER [MAILS [BYTES]]
"""
import imaplib
import os
import pathlib
import shutil
import ssl
import subprocess
import sys
import time

HERE = pathlib.Path(__file__).resolve().parent
sys.path.insert(0, str(HERE.parent / "e2e"))
import samples
import servers

PROGRAM = sys.argv[1]
FOLDER = pathlib.Path(sys.argv[2]).resolve()
MAILS = int(sys.argv[3]) if len(sys.argv) > 3 else 20000
BYTES = int(sys.argv[4]) if len(sys.argv) > 4 else 10240


def fill(dovecot):
    for n in range(MAILS):
        mail = samples.mail(n)
        filler = b"Das Wetter war wechselhaft. " * ((BYTES - len(mail)) // 28)
        dovecot.put(mail + filler + b"\r\n", samples.received(n))


def warm(dovecot):
    with imaplib.IMAP4_SSL("localhost", dovecot.port + 1, ssl_context=context(dovecot)) as imap:
        imap.login("alice", "secret")
        imap.select("INBOX")


def context(dovecot):
    return ssl.create_default_context(cafile=str(dovecot.ca))


def raw(dovecot):
    """As fast as the server hands them out: one FETCH per 200, bytes read from TLS and dropped."""
    sock = context(dovecot).wrap_socket(__import__("socket").create_connection(("127.0.0.1", dovecot.port + 1)),
                                        server_hostname="localhost")

    def command(tag, text):
        sock.sendall(f"{tag} {text}\r\n".encode())
        tail = b""
        wanted = f"\r\n{tag} ".encode()
        while wanted not in b"\r\n" + tail:
            data = sock.recv(1 << 18)
            assert data
            tail = (tail + data)[-4096:]

    sock.recv(4096)
    command("a1", "LOGIN alice secret")
    command("a2", "SELECT INBOX")
    began = time.monotonic()
    for first in range(1, MAILS + 1, 200):
        command(f"f{first}", f"FETCH {first}:{min(first + 199, MAILS)} (UID INTERNALDATE RFC822.SIZE BODY.PEEK[])")
    seconds = time.monotonic() - began
    sock.close()
    return seconds


def ours(dovecot, turn):
    site = FOLDER / f"site{turn}"
    site.mkdir()
    secret = site / "password"
    secret.write_text("secret")
    secret.chmod(0o600)
    (site / "posteingang.yaml").write_text(f"""journal: {{path: journal.db}}
sources:
  mail:
    type: imap
    host: localhost
    port: {dovecot.port + 1}
    ca_file: {dovecot.ca}
    user: alice
    password_file: password
    settle: none
""")
    subprocess.run([PROGRAM, "activate", "--config", site, HERE.parent.parent / "config"], check=True, capture_output=True)
    began = time.monotonic()
    done = subprocess.run([PROGRAM, "pull", "--config", site], check=True, capture_output=True)
    seconds = time.monotonic() - began
    assert f'taken="{MAILS}"' in done.stderr.decode(), done.stderr.decode()
    return seconds


def mbsync(dovecot):
    """Seconds, or why there are none. Its state belongs into the folder: the default is the user's home, where an
    earlier run's would be found."""
    if not shutil.which("mbsync"):
        return "is not installed (script/bootstrap bench)"
    box = FOLDER / "mbsync"
    (box / "folders").mkdir(parents=True)
    (box / "rc").write_text(f"""FSync yes

IMAPStore far
Host localhost
Port {dovecot.port + 1}
User alice
Pass secret
SSLType IMAPS
CertificateFile {dovecot.ca}
PipelineDepth 50

MaildirStore near
Path {box}/folders/
Inbox {box}/inbox

Channel one
Far :far:
Near :near:
Patterns INBOX
Sync Pull New
Create Near
SyncState *
""")
    began = time.monotonic()
    done = subprocess.run(["mbsync", "-c", box / "rc", "one"], capture_output=True, check=False, env={**os.environ, "HOME": str(box)})
    seconds = time.monotonic() - began
    got = sum(len(list((box / "inbox" / sub).glob("*"))) for sub in ("new", "cur"))
    if done.returncode != 0 or got != MAILS:
        return f"failed with {got} of {MAILS} mails: {done.stderr.decode()[-300:].strip()}"
    return seconds


def main():
    dovecot = servers.Dovecot(FOLDER / "dovecot")
    try:
        fill(dovecot)
        warm(dovecot)
        raw(dovecot)  # the server's own index is cold before
        turns = [(raw(dovecot), ours(dovecot, turn)) for turn in range(3)]
        best, pull = (min(times) for times in zip(*turns))
        other = mbsync(dovecot)
    finally:
        dovecot.stop()
    print("(each the best of three turns, one after the other)")
    print(f"{MAILS} mails of about {BYTES} bytes over TLS from one Dovecot")
    print(f"  thrown away             {MAILS / best:8.0f} a second")
    print(f"  posteingang pull        {MAILS / pull:8.0f} a second, from the start of the program to its end")
    print(f"ratio pull/thrown away {best / pull:.2f} (goal 0.70)")
    if isinstance(other, str):
        print(f"  mbsync {other}")
        return
    print(f"  mbsync, FSync yes       {MAILS / other:8.0f} a second")
    print(f"ratio pull/mbsync {other / pull:.1f} (goal 4)")


main()
