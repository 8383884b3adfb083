"""The roles of roles.sql as logins with passwords of their own: each does its work by the program, and nothing else."""
import json
import pathlib
import shutil
import subprocess
import unittest

from installation import form
from posteingang import BINARY, BUNDLE, SOURCE, lines, run
from servers import Postgres, folder

NUMBER = "123A456789"
ROLES = ("worker", "clerk", "sealer", "expirer", "auditor")
DEPLOYMENT = """\
bundle: {bundle}
journal:
  type: postgres
  conninfo: host=127.0.0.1 port={port} dbname=posteingang user={user}
  password_file: secret-{user}
  pseudonym_key_file: pseudonym
log: {{level: warning}}
"""
WORK = """\
sources:
  drop: {type: maildir, path: drop, layout: drop}
sinks:
  eakte: {type: folder, path: eakte}
  archive: {type: jsonl, path: archive}
  reply_email: {type: folder, path: replies, from: amt@example.org}
"""
EXTRA = {"posteingang": "", "worker_login": WORK, "clerk_login": "", "sealer_login": "seal: {signing_key_file: key, witness: witness}\n",
         "expirer_login": "seal: {witness: witness}\nretention: {content: 0s, klaerung: 0s, automatic: 0s}\n",
         "auditor_login": "seal: {verifiers_file: keys.txt, witness: witness}\n" + WORK.split("\n", 2)[2]}


class Roles(unittest.TestCase):
    @classmethod
    def setUpClass(cls):
        cls.folder = folder()
        cls.addClassCleanup(shutil.rmtree, cls.folder)
        cls.postgres = Postgres(cls.folder / "pg")
        cls.addClassCleanup(cls.postgres.stop)
        (cls.folder / "drop").mkdir()
        cls.write("pseudonym", "0123456789abcdef0123456789abcdef")
        cls.write("secret-posteingang", cls.postgres.password)
        made = subprocess.run([BINARY, "keys", "new", cls.folder / "key", "--name", "test.example"],
                              capture_output=True, check=True)
        cls.write("keys.txt", made.stdout.decode())
        for user, extra in EXTRA.items():
            text = DEPLOYMENT.format(bundle=BUNDLE, port=cls.postgres.port, user=user) + extra
            (cls.folder / f"{user}.yaml").write_text(text)
        cls.install()

    @classmethod
    def write(cls, name, text):
        path = cls.folder / name
        path.write_text(text)
        path.chmod(0o600)

    @classmethod
    def install(cls):
        """As an administrator does: the owner, who is no superuser, makes schema and roles; logins get one role each."""
        cls.postgres.psql("ALTER ROLE posteingang CREATEROLE; GRANT CREATE ON DATABASE posteingang TO posteingang;"
                          "ALTER SCHEMA public OWNER TO posteingang;")
        cls.command(cls, "posteingang", "migrate")
        cls.command(cls, "posteingang", "activate", BUNDLE)
        roles = (SOURCE / "journal/roles.sql").read_text()
        cls.postgres.psql("SET ROLE posteingang;" + roles)
        cls.postgres.psql("SET ROLE posteingang;" + roles)
        for role in ROLES:
            cls.write(f"secret-{role}_login", f"Geheim, {role}!")
            cls.postgres.psql(f"CREATE ROLE {role}_login LOGIN PASSWORD 'Geheim, {role}!' IN ROLE posteingang_{role};")
        cls.postgres.psql("ALTER ROLE auditor_login SET search_path = public_audit, public")

    def command(self, user, *arguments, code=0, stdin=b""):
        process = run(arguments[0], "--config", self.folder / f"{user}.yaml", *arguments[1:], stdin=stdin)
        if process.returncode != code:
            raise AssertionError(f"{user}: {arguments}: {process}")
        return process

    def rows(self, user, *arguments, code=0):
        return lines(self.command(user, *arguments, "--format", "jsonl", code=code))

    def refused(self, user, *arguments, stdin=b""):
        """The database refuses it, whatever the program would do."""
        process = run(arguments[0], "--config", self.folder / f"{user}.yaml", *arguments[1:], stdin=stdin)
        self.assertNotEqual(process.returncode, 0, (user, arguments, process))
        self.assertIn(b"permission denied", process.stderr, (user, arguments, process))

    def take_in(self, *items):
        for item in items:
            (self.folder / "drop" / f"{item['id']}.json").write_text(json.dumps(item))
        self.command("worker_login", "run", "--once")
        self.command("sealer_login", "seal")

    def test_1_a_worker_takes_in_decides_and_delivers_and_a_sealer_seals(self):
        self.take_in(form("a", "zahlungsverbindung", text=f"Meine Kundennummer ist {NUMBER}. Neue IBAN folgt."),
                     form("b", "umzug"))
        self.assertEqual(len(list((self.folder / "eakte").glob("*/*.meta.json"))), 2)
        self.assertTrue((self.folder / "witness").read_text())

    def test_2_a_worker_reads_no_log_erases_nobody_and_activates_nothing(self):
        for command in (["verify"], ["log"], ["export", "--bundle", self.folder / "none"], ["expire"],
                        ["hold", "add", "1", "--reason", "x"], ["activate", BUNDLE]):
            with self.subTest(command=command):
                self.refused("worker_login", *command)
        self.refused("worker_login", "person", "erase", "--from", "-", stdin=NUMBER)

    def test_3_a_clerk_closes_tasks_and_reads_neither_log_nor_content(self):
        task = self.rows("clerk_login", "task", "list")[0]
        self.command("clerk_login", "task", "done", task["id"], "--reason", "erledigt")
        for command in (["log"], ["verify"], ["expire"], ["run", "--once"], ["hold", "add", "1", "--reason", "x"]):
            with self.subTest(command=command):
                self.refused("clerk_login", *command)

    def test_4_a_sealer_seals_and_does_nothing_else(self):
        for command in (["task", "list"], ["expire"], ["hold", "add", "1", "--reason", "x"]):
            with self.subTest(command=command):
                self.refused("sealer_login", *command)

    def test_5_an_auditor_verifies_balances_redecides_and_exports(self):
        self.assertEqual(self.rows("auditor_login", "verify"), [])
        self.assertEqual(self.rows("auditor_login", "balance"), [])
        again = self.rows("auditor_login", "audit", "redecide", "--sample", 5)
        self.assertEqual({(r["rules"], r["classifier"]) for r in again}, {("equal", "not possible")})
        self.assertEqual(len(self.rows("auditor_login", "export")), 2)
        self.assertIn("received", [r["event"] for r in self.rows("auditor_login", "log")])
        self.assertEqual(self.rows("auditor_login", "log", "overrides"), [])
        self.assertEqual(sum(r["count"] for r in self.rows("auditor_login", "log", "contact-codes")), 2)
        log = self.folder / "log"
        self.command("auditor_login", "export", "--bundle", log)
        self.command("auditor_login", "verify", "--bundle", log, "--keys", self.folder / "keys.txt")
        readers = {(r["actor"], r["detail"]["command"]) for r in self.rows("auditor_login", "log", "--event", "log.read")}
        self.assertLessEqual({("db:auditor_login", c) for c in ("verify", "balance", "export", "log")}, readers)

    def test_6_an_auditor_changes_nothing_and_sees_no_content(self):
        for command in (["expire"], ["hold", "add", "1", "--reason", "x"], ["run", "--once"], ["task", "done", "1"],
                        ["explain", "1", "--text"]):
            with self.subTest(command=command):
                process = run(command[0], "--config", self.folder / "auditor_login.yaml", *command[1:])
                self.assertNotEqual(process.returncode, 0, process)
                self.assertNotIn(b"IBAN folgt", process.stdout)
        self.refused("auditor_login", "person", "erase", "--from", "-", stdin=NUMBER)

    def test_7_an_expirer_holds_erases_and_expires_what_it_cannot_read(self):
        hold = self.command("expirer_login", "hold", "add", "1", "--reason", "Klage").stdout.decode().strip()
        self.assertEqual(len(self.rows("expirer_login", "hold", "list")), 1)
        self.command("expirer_login", "hold", "release", hold)
        self.command("expirer_login", "person", "erase", "--from", "-", stdin=NUMBER)
        self.command("expirer_login", "expire")
        for command in (["log"], ["verify"], ["task", "list"], ["run", "--once"],
                        ["person", "export", "--from", "-", "--out", self.folder / "out"]):
            with self.subTest(command=command):
                self.refused("expirer_login", *command, stdin=NUMBER)
        self.command("sealer_login", "seal")
        self.assertEqual(self.rows("auditor_login", "verify"), [])

    def test_8_a_wrong_password_opens_nothing(self):
        self.write("secret-auditor_login", "falsch")
        self.addCleanup(self.write, "secret-auditor_login", "Geheim, auditor!")
        process = run("verify", "--config", self.folder / "auditor_login.yaml")
        self.assertEqual(process.returncode, 69, process)
        self.assertNotIn(b"falsch", process.stderr)


if __name__ == "__main__":
    unittest.main()
