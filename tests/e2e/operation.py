"""One installation against all servers: deployment file, secrets, what was put in, and what stands at the far side."""
import csv
import email
import email.policy
import io
import json
import os
import pathlib
import shutil
import subprocess
import time

import samples
from posteingang import BINARY, BUNDLE, run

LEASE = 1  # seconds: what a killed worker leaves behind is free soon


class Site:
    def __init__(self, folder, dovecot, exim, counterpart, postgres=None):
        self.folder = pathlib.Path(folder)
        self.folder.mkdir(parents=True, exist_ok=True)
        self.dovecot, self.exim, self.counterpart, self.postgres = dovecot, exim, counterpart, postgres
        self.put_mails, self.put_postbox, self.put_eservice = [], [], []
        self.secret("imap", "secret")
        self.secret("smtp", "geheim & gut")
        self.secret("client", "geheim & gut")
        self.secret("pseudonym", "0123456789abcdef0123456789abcdef")
        if postgres:
            self.secret("database", postgres.password)
        self.options = {"user": dovecot.user, "imap_host": "localhost", "smtp_host": "localhost", "silent_after": "2h", "workers": 2,
                        "poll": "1s", "extra": "", "extra_sources": "", "journal_path": "journal.db"}
        self.write()

    def secret(self, name, value):
        path = self.folder / "secrets" / name
        path.parent.mkdir(exist_ok=True)
        path.write_text(value)
        path.chmod(0o600)

    def journal(self):
        if not self.postgres:
            return f"  type: sqlite\n  path: {self.options['journal_path']}\n  pseudonym_key_file: secrets/pseudonym\n"
        return (f"  type: postgres\n  conninfo: {self.postgres.conninfo}\n  password_file: secrets/database\n"
                "  pseudonym_key_file: secrets/pseudonym\n")

    def service(self, path):
        return (f"    url: {self.counterpart.url}{path}\n    ca_file: {self.counterpart.ca}\n"
                f"    token_url: {self.counterpart.url}/token\n    client_id: posteingang\n"
                "    client_secret_file: secrets/client\n")

    def write(self, **options):
        """Writes the deployment file; options change it from now on."""
        self.options.update(options)
        o = self.options
        text = f"""bundle: {BUNDLE}
journal:
{self.journal()}
sources:
  mail:
    type: imap
    host: {o['imap_host']}
    port: {self.dovecot.port + 1}
    ca_file: {self.dovecot.ca}
    user: {o['user']}
    password_file: secrets/imap
    silent_after: {o['silent_after']}
  postbox:
    type: postbox
{self.service('/postbox')}
  eservice:
    type: eservice
{self.service('/eservice')}{o['extra_sources']}
sinks:
  own_addresses: [servicecenter@example.org]
  eakte:
    type: folder
    path: eakte
  reply_email:
    type: smtp
    host: {o['smtp_host']}
    port: {self.exim.port}
    ca_file: {self.exim.ca}
    auth: plain
    user: alice
    password_file: secrets/smtp
    from: servicecenter@example.org
    bounce: bounce@example.org
  reply_postbox:
    type: postbox
{self.service('')}
  archive:
    type: http
{self.service('')}
  tickets:
    type: http
{self.service('')}
facts:
  type: table
limits:
  workers: {o['workers']}
  poll: {o['poll']}
  lease: {LEASE}s
  retry_first: 1s
{o['extra']}
"""
        (self.folder / "posteingang.yaml").write_text(text)

    # --- putting in ---

    def put(self, mails=(), postbox=(), eservice=()):
        for n in mails:
            self.dovecot.put(samples.mail(n), samples.received(n))
        if postbox:
            self.counterpart.put("postbox", [samples.postbox(n) for n in postbox])
        if eservice:
            self.counterpart.put("eservice", [samples.eservice(n) for n in eservice])
        self.put_mails += mails
        self.put_postbox += postbox
        self.put_eservice += eservice

    def total(self):
        return len(self.put_mails) + len(self.put_postbox) + len(self.put_eservice)

    # --- running ---

    def run(self, *words, timeout=300):
        return run(*words, "--config", self.folder, timeout=timeout)

    def prepare(self):
        """What an owner does once."""
        if not self.postgres:
            return
        for words in (["migrate"], ["activate", str(BUNDLE)]):
            done = self.run(*words)
            assert done.returncode == 0, done.stderr.decode()

    def start(self, *words, **kwargs):
        """A process in the background; its words go to a file."""
        log = open(self.folder / "run.log", "ab")
        process = subprocess.Popen([BINARY, *words, "--config", str(self.folder)], stdout=log, stderr=log, **kwargs)
        log.close()
        return process

    def log(self):
        path = self.folder / "run.log"
        return path.read_text() if path.exists() else ""

    def open_work(self):
        """What waits at sources and in phases; work set to a later day does not count."""
        rows = self.rows("status")
        return sum(int(row["waiting"] or 0) for row in rows if row["name"] not in ("tasks",))

    def drain(self, seconds=120):
        """Rounds until nothing is left: leases of the killed have to end first."""
        until = time.monotonic() + seconds
        while True:
            done = self.run("run", "--once")
            if done.returncode == 0 and self.open_work() == 0:
                return
            assert time.monotonic() < until, done.stderr.decode()
            time.sleep(0.3)

    def rows(self, *words):
        done = self.run(*words, "--format", "csv")
        if done.returncode not in (0, 1):
            raise AssertionError(done.stderr.decode())
        return list(csv.DictReader(io.StringIO(done.stdout.decode())))

    def items(self):
        return self.rows("items")

    def tasks(self, kind=None):
        rows = []
        for state in ("open", "done", "failed"):
            rows += self.rows("task", "list", "--state", state, *(["--kind", kind] if kind else []))
        return rows

    # --- the far side ---

    def documents(self):
        """eAkte: item name → original bytes' identity."""
        found = [path.name.split("_")[0] for path in (self.folder / "eakte").rglob("*.meta.json")
                 if ".staging" not in path.parts]
        return found

    def mail_replies(self):
        """Who was answered, one an answer: every customer has written once."""
        mails = [email.message_from_bytes(raw, policy=email.policy.default) for raw in self.exim.settled()]
        return [str(mail["To"]) for mail in mails]

    def postbox_replies(self):
        return [json.dumps(message["body"]["to"], sort_keys=True) for message in self.counterpart.state()["messages"]]

    def posted_calls(self):
        return [ticket["body"].get("reference") for ticket in self.counterpart.state()["tickets"]
                if ticket["body"].get("kind") == "call"]

    def remove(self):
        shutil.rmtree(self.folder, ignore_errors=True)


def decided(rows):
    """What was decided, without the names that differ from journal to journal: for comparing."""
    return sorted((row["source"], row["channel"], row["concerns"], row["ruleset"], row["basis"], row["payment_relevant"],
                   row["contact_code"], row["actions"], row["received"]) for row in rows)
