"""Real servers for tests, on loopback and ports of their own: Dovecot, Exim, PostgreSQL, the HTTP counterpart.

A missing server skips the test; with CI set it fails.
"""
import glob
import json
import os
import pathlib
import random
import shutil
import socket
import ssl
import subprocess
import sys
import tempfile
import time
import unittest
import urllib.request

HERE = pathlib.Path(__file__).resolve().parent
SCRIPTS = HERE.parent / "servers"
os.environ["PATH"] += os.pathsep + "/usr/sbin"


def missing(what):
    if os.environ.get("CI"):
        raise AssertionError(f"{what} is not installed, and in CI nothing is skipped")
    raise unittest.SkipTest(f"{what} is not installed")


def free_ports(n):
    """The first of n free ports in a row."""
    while True:
        base = random.randrange(20000, 32000)
        held = []
        try:
            for port in range(base, base + n):
                for host in ("127.0.0.1", "127.0.0.2", "127.0.0.3"):
                    one = socket.socket()
                    held.append(one)
                    one.bind((host, port))
            return base
        except OSError:
            continue
        finally:
            for one in held:
                one.close()


def script(name, *words):
    # Files, not pipes: a server that goes into the background keeps them open.
    with tempfile.TemporaryFile() as out:
        done = subprocess.run([SCRIPTS / name, *map(str, words)], stdin=subprocess.DEVNULL, stdout=out, stderr=out,
                              check=False)
        out.seek(0)
        text = out.read().decode(errors="replace")
    if done.returncode == 77:
        missing(name)
    if done.returncode != 0:
        raise AssertionError(f"{name} {words}: {text}")
    return text


def wait_for(what, seconds=20):
    """Until what() is true; fails after so long."""
    until = time.monotonic() + seconds
    while time.monotonic() < until:
        if what():
            return
        time.sleep(0.05)
    raise AssertionError(f"still not so after {seconds} s: {what}")


def listens(port):
    with socket.socket() as one:
        return one.connect_ex(("127.0.0.1", port)) == 0


class Dovecot:
    """Any user has the password "secret"; 127.0.0.2 and .3 show certificates that must be refused."""

    def __init__(self, folder):
        if not shutil.which("dovecot"):
            missing("dovecot")
        self.folder = pathlib.Path(folder)
        self.port = free_ports(2)
        self.number = 0
        script("dovecot.sh", "start", self.folder, self.port)
        wait_for(lambda: listens(self.port + 1))
        self.ca = self.folder / "pki/ca.pem"
        self.user = "alice"

    def put(self, raw, received, mailbox=""):
        """A message in the Maildir, as delivered at `received` (seconds)."""
        self.number += 1
        root = self.folder / "mail" / self.user
        box = root / ("." + mailbox if mailbox else "")
        for name in ("cur", "new", "tmp"):
            (box / name).mkdir(parents=True, exist_ok=True)
        name = f"{int(received)}.M{self.number}.test"
        (box / "tmp" / name).write_bytes(raw)
        os.utime(box / "tmp" / name, (received, received))
        if os.getuid() == 0:
            for path in (root, box, *(box / sub for sub in ("cur", "new", "tmp")), box / "tmp" / name):
                shutil.chown(path, "mail", "mail")
        os.rename(box / "tmp" / name, box / "new" / name)

    def messages(self):
        return glob.glob(f"{self.folder}/mail/{self.user}/cur/*") + glob.glob(f"{self.folder}/mail/{self.user}/new/*")

    def log(self):
        path = self.folder / "log"
        return path.read_text() if path.exists() else ""

    def stop(self):
        script("dovecot.sh", "stop", self.folder)


class Exim:
    """Takes mail of alice / "geheim & gut"."""

    def __init__(self, folder):
        if not shutil.which("exim4"):
            missing("exim4")
        self.folder = pathlib.Path(folder)
        self.port = free_ports(2)
        script("exim.sh", "start", self.folder, self.port)
        wait_for(lambda: listens(self.port))
        self.ca = self.folder / "pki/ca.pem"

    def mails(self):
        return [pathlib.Path(path).read_bytes() for path in glob.glob(f"{self.folder}/mail/all/new/*")]

    def queued(self):
        return len(glob.glob(f"{self.folder}/spool/input/*-D") + glob.glob(f"{self.folder}/spool/input/*/*-D"))

    def settled(self):
        """What it has taken is delivered."""
        wait_for(lambda: self.queued() == 0, 60)
        return self.mails()

    def stop(self):
        script("exim.sh", "stop", self.folder)


class Postgres:
    def __init__(self, folder):
        self.folder = pathlib.Path(folder)
        self.port = free_ports(1)
        script("postgres.sh", "start", self.folder, self.port)
        pairs = script("postgres.sh", "env", self.folder).splitlines()
        self.env = dict(pair.split("=", 1) for pair in pairs)
        self.password = self.env["TEST_POSTGRES_PASSWORD"]
        self.conninfo = self.env["TEST_POSTGRES_TCP"]

    def psql(self, text):
        binary = sorted(glob.glob("/usr/lib/postgresql/*/bin/psql"))[-1]
        done = subprocess.run([binary, "-XqAt", "-v", "ON_ERROR_STOP=1", self.env["TEST_POSTGRES"]], input=text.encode(), capture_output=True,
                              check=False)
        if done.returncode != 0:
            raise AssertionError(done.stderr.decode())
        return done.stdout.decode().splitlines()

    def reset(self):
        """An empty database again."""
        self.psql("DROP SCHEMA public CASCADE; CREATE SCHEMA public AUTHORIZATION posteingang;")

    def stop(self):
        script("postgres.sh", "stop", self.folder)


class Counterpart:
    """Postbox, eService, archive, tickets and facts over HTTPS (http_counterpart.py)."""

    def __init__(self, folder):
        self.folder = pathlib.Path(folder)
        script("dovecot.sh", "certificates", self.folder)
        pki = self.folder / "pki"
        self.port = free_ports(1)
        self.ca = pki / "ca.pem"
        self.process = subprocess.Popen(
            [sys.executable, SCRIPTS / "http_counterpart.py", str(self.port), pki / "good.pem", pki / "good.key"],
            stdout=subprocess.PIPE)
        self.process.stdout.readline()
        self.context = ssl.create_default_context(cafile=str(self.ca))
        self.url = f"https://localhost:{self.port}"

    def control(self, name, data=None):
        request = urllib.request.Request(f"{self.url}/_control/{name}", json.dumps(data or {}).encode())
        with urllib.request.urlopen(request, context=self.context, timeout=30) as answer:
            return json.loads(answer.read())

    def put(self, queue, items):
        for start in range(0, len(items), 1000):
            self.control("items", {"queue": queue, "items": items[start:start + 1000]})

    def state(self):
        return self.control("state")

    def stop(self):
        self.process.terminate()
        self.process.wait()
        self.process.stdout.close()


def folder():
    """A folder that server users may go through."""
    path = tempfile.mkdtemp(prefix="pe-", dir="/tmp")
    os.chmod(path, 0o755)
    return pathlib.Path(path)


