"""What the black-box tests of intake share: servers on ports of their own, runs of intake_tool, and a look into the
journal. Run by ctest with INTAKE_TOOL set; a missing server skips, in CI it fails."""
import json
import os
import shutil
import socket
import sqlite3
import ssl
import subprocess
import tempfile
import time
import unittest
import urllib.request

HERE = os.path.dirname(os.path.abspath(__file__))
SERVERS = os.path.normpath(os.path.join(HERE, "../../servers"))
TOOL = os.environ.get("INTAKE_TOOL", "intake_tool")
SANITIZED = "/asan/" in TOOL or "/tsan/" in TOOL  # memory and time mean nothing there
PYTHON = "/usr/bin/python3"


def need(what, found):
    if found:
        return
    if os.environ.get("CI"):
        raise AssertionError(what + " is missing, and in CI nothing is skipped")
    raise unittest.SkipTest(what + " is not installed")


def free_ports(n):
    """n consecutive free ports."""
    for base in range(20000 + os.getpid() % 20000, 60000, 7):
        taken = []
        try:
            for port in range(base, base + n):
                s = socket.socket()
                taken.append(s)
                s.bind(("127.0.0.1", port))
            return base
        except OSError:
            continue
        finally:
            for s in taken:
                s.close()
    raise RuntimeError("no free ports")


def wait_for_port(port, host="127.0.0.1"):
    for _ in range(200):
        try:
            socket.create_connection((host, port), 1).close()
            return
        except OSError:
            time.sleep(0.05)
    raise RuntimeError("port %d does not answer" % port)


class Dovecot:
    def __init__(self):
        need("dovecot", shutil.which("dovecot") or os.path.exists("/usr/sbin/dovecot"))
        need("openssl", shutil.which("openssl"))
        self.dir = tempfile.mkdtemp(prefix="intake-dovecot-")
        os.chmod(self.dir, 0o755)
        self.port = free_ports(2)
        self.tls = self.port + 1
        self.ca = self.dir + "/pki/ca.pem"
        subprocess.run([SERVERS + "/dovecot.sh", "start", self.dir, str(self.port)], check=True)
        wait_for_port(self.tls)

    def stop(self):
        subprocess.run([SERVERS + "/dovecot.sh", "stop", self.dir], check=True)
        shutil.rmtree(self.dir, ignore_errors=True)

    def drop(self, user, texts, folder=""):
        """Puts messages into a mailbox, as a delivering server would."""
        base = os.path.join(self.dir, "mail", user, folder)
        made = []
        for part in ("", "cur", "new", "tmp"):
            path = os.path.join(base, part)
            if not os.path.isdir(path):
                os.makedirs(path)
        self.number = getattr(self, "number", 0)
        for text in texts:
            self.number += 1
            name = os.path.join(base, "new", "%d.M%06dP1.test" % (1600000000 + self.number, self.number))
            with open(name, "wb") as out:
                out.write(text if isinstance(text, bytes) else text.encode())
            made.append(name)
        if os.geteuid() == 0:
            subprocess.run(["chown", "-R", "mail:mail", os.path.join(self.dir, "mail", user)], check=True)
        return made

    def client(self, user):
        import imaplib
        context = ssl.create_default_context(cafile=self.ca)
        client = imaplib.IMAP4_SSL("localhost", self.tls, ssl_context=context)
        client.login(user, "secret")
        return client


class Script:
    """A server of tests/servers in Python, with the PKI of dovecot.sh."""

    def __init__(self, name, *extra, certificate="good"):
        need("openssl", shutil.which("openssl"))
        self.dir = tempfile.mkdtemp(prefix="intake-server-")
        subprocess.run([SERVERS + "/dovecot.sh", "certificates", self.dir], check=True)
        self.ca = self.dir + "/pki/ca.pem"
        self.port = free_ports(1)
        self.process = subprocess.Popen(
            [PYTHON, SERVERS + "/" + name, str(self.port)]
            + ["%s/pki/%s.%s" % (self.dir, certificate, kind) for kind in ("pem", "key")]
            + [self.dir + "/" + e for e in extra], stdout=subprocess.PIPE)
        assert self.process.stdout.readline() == b"ready\n"

    def stop(self):
        self.process.kill()
        self.process.wait()
        self.process.stdout.close()
        shutil.rmtree(self.dir, ignore_errors=True)


class Counterpart(Script):
    def __init__(self, certificate="good"):
        super().__init__("http_counterpart.py", certificate=certificate)
        self.context = ssl.create_default_context(cafile=self.ca)

    def control(self, name, **data):
        request = urllib.request.Request("https://localhost:%d/_control/%s" % (self.port, name),
                                         data=json.dumps(data).encode(), method="POST")
        with urllib.request.build_opener(urllib.request.ProxyHandler({}),
                                         urllib.request.HTTPSHandler(context=self.context)).open(request) as answer:
            return json.load(answer)

    def state(self):
        return self.control("state")


class Hostile(Script):
    def __init__(self, certificate="good"):
        super().__init__("hostile_imap.py", "script.json", "log", certificate=certificate)
        self.script = {}

    def play(self, **script):
        self.script = script
        with open(self.dir + "/script.json", "w") as out:
            json.dump(script, out)
        open(self.dir + "/log", "w").close()

    def commands(self):
        with open(self.dir + "/log") as log:
            return log.read().splitlines()


class Intake(unittest.TestCase):
    """One journal and one configuration for each test."""

    def setUp(self):
        self.dir = tempfile.mkdtemp(prefix="intake-test-")
        self.journal = self.dir + "/journal.sqlite"
        self.config = self.dir + "/posteingang.yaml"

    def tearDown(self):
        shutil.rmtree(self.dir, ignore_errors=True)

    def secret(self, name, value):
        path = self.dir + "/" + name
        with open(path, "w") as out:
            out.write(value + "\n")
        os.chmod(path, 0o600)
        return path

    def configure(self, sources, limits=None):
        """Writes the deployment file: JSON is YAML."""
        with open(self.config, "w") as out:
            json.dump({"sources": sources, "limits": limits or {}}, out)

    def start(self, action="pull"):
        environment = dict(os.environ, LSAN_OPTIONS="print_suppressions=0:suppressions=" + HERE + "/lsan.supp")
        return subprocess.Popen([TOOL, action, self.config, self.journal], stdout=subprocess.PIPE,
                                stderr=subprocess.PIPE, text=True, env=environment)

    def run_tool(self, action="pull", code=0, seconds=120):
        process = self.start(action)
        out, self.words = process.communicate(timeout=seconds)
        self.assertEqual(process.returncode, code, self.words)
        self.assertNotIn("Sanitizer", self.words)
        self.assertNotIn("runtime error", self.words)
        return [json.loads(line) for line in out.splitlines()]

    def pull(self, code=0, seconds=120):
        return self.run_tool("pull", code, seconds)[0]

    def rows(self, sql):
        with sqlite3.connect(self.journal) as db:
            return db.execute(sql).fetchall()

    def items(self):
        """key → (channel, received, fields, raw)."""
        result = {}
        for number, key, channel, received, fields in self.rows("SELECT id,key,channel,received,fields FROM item"):
            chunks = self.rows("SELECT bytes FROM content WHERE id >= %d AND id < %d ORDER BY id"
                               % (number * 4096, number * 4096 + 4096))
            result[key] = (channel, received, json.loads(fields), b"".join(c[0] for c in chunks))
        return result

    def gaps(self):
        return dict(self.rows("SELECT key, reason FROM gap WHERE cleared IS NULL"))

    def state(self):
        return json.loads(self.rows("SELECT state FROM mailbox")[0][0])

    def balance(self):
        """The intake balance sheet of all days: seen = taken + refused + vanished + pending."""
        return self.rows("SELECT sum(seen), sum(taken), sum(refused), sum(vanished) FROM source_day")[0]


def message(n, body="Guten Tag"):
    return ("Return-Path: <kunde%d@example.org>\r\nReceived: from a by mx.test; Fri, 12 May 2023 00:30:00 +0200\r\n"
            "Message-ID: <%d@example.org>\r\nFrom: Kunde %d <kunde%d@example.org>\r\nSubject: Nummer %d\r\n\r\n%s\r\n"
            % (n, n, n, n, n, body))
