"""The routing log, the audit and privacy, by the program itself: what an auditor and a data protection officer do."""
import csv
import glob
import hashlib
import io
import json
import pathlib
import shutil
import sqlite3
import subprocess
import unittest

from installation import Installation, form
from posteingang import SOURCE, lines
from servers import Postgres, folder

NUMBER = "123A456789"
EXTRA = """\
sinks:
  eakte: {type: folder, path: eakte}
  archive: {type: jsonl, path: archive}
  reply_email: {type: folder, path: replies, from: amt@example.org}
seal: {signing_key_file: key, witness: witness}
retention: {content: 0s, klaerung: 0s, automatic: 0s}
"""


class Sqlite:
    """The journal as an administrator sees it: one file."""

    journal = "{path: journal.db}"
    in_files = True

    def open(self, home):
        self.path = home.folder / "journal.db"

    def execute(self, statement):
        """Changes rows; how many."""
        database = sqlite3.connect(self.path)
        with database:
            count = database.execute(statement).rowcount
        database.close()
        return count

    def one(self, statement):
        database = sqlite3.connect(self.path)
        [row] = database.execute(statement).fetchall()
        database.close()
        return row[0]

    def backup(self):
        database = sqlite3.connect(self.path)
        database.execute(f"VACUUM INTO '{self.path}.backup'")
        database.close()

    def restore(self):
        for ending in ("-wal", "-shm"):
            pathlib.Path(f"{self.path}{ending}").unlink(missing_ok=True)
        pathlib.Path(f"{self.path}.backup").rename(self.path)

    @staticmethod
    def replaced(column, old, new):
        return f"replace({column}, '{old}', '{new}')"


class Server:
    """The same on PostgreSQL: a database for each test, owned by a user with a password, backed up by pg_dump."""

    in_files = False

    def __init__(self, postgres):
        self.postgres, self.name = postgres, "log"
        self.journal = (f"{{type: postgres, conninfo: '{postgres.conninfo.replace('posteingang', self.name, 1)}',"
                        " password_file: database, pseudonym_key_file: pseudonym}")
        self.tools = pathlib.Path(sorted(glob.glob("/usr/lib/postgresql/*/bin/psql"))[-1]).parent
        self.address = postgres.env["TEST_POSTGRES"].replace("dbname=posteingang", f"dbname={self.name}")

    def open(self, home):
        for name, text in (("database", self.postgres.password), ("pseudonym", "0123456789abcdef0123456789abcdef")):
            (home.folder / name).write_text(text)
            (home.folder / name).chmod(0o600)
        self.dump = home.folder / "backup"
        self.create()
        for words in (["migrate"], ["activate", home.bundle]):
            process = home.run(*words)
            assert process.returncode == 0, process

    def create(self):
        self.postgres.psql(f"DROP DATABASE IF EXISTS {self.name}")
        self.postgres.psql(f"CREATE DATABASE {self.name} OWNER posteingang")

    def tool(self, name, *words):
        done = subprocess.run([self.tools / name, *words], capture_output=True, check=False)
        assert done.returncode == 0, done
        return done.stdout.decode()

    def execute(self, statement):
        """SQL stands for both; a byte string and a text are two things here."""
        words = ["-XqAt", "-v", "ON_ERROR_STOP=1", "-c", f"WITH changed AS ({statement} RETURNING 1) SELECT count(*) FROM changed"]
        return int(self.tool("psql", *words, self.address))

    def one(self, statement):
        text = self.tool("psql", "-XqAt", "-c", statement, self.address).strip()
        return int(text) if text.lstrip("-").isdigit() else text

    def backup(self):
        self.dump.write_text(self.tool("pg_dump", self.address))

    def restore(self):
        self.create()
        self.tool("psql", "-Xq", "-v", "ON_ERROR_STOP=1", "-o", "/dev/null", "-f", str(self.dump), self.address)

    @staticmethod
    def replaced(column, old, new):
        if column != "body":
            return f"replace({column}, '{old}', '{new}')"
        return f"convert_to(replace(convert_from(body, 'UTF8'), '{old}', '{new}'), 'UTF8')"


class Log:
    """The tests, on the journal that `self.side()` gives."""

    def setUp(self):
        self.journal = self.side()
        self.home = Installation(EXTRA, self.journal.journal)
        self.addCleanup(self.home.__exit__)
        made = subprocess.run([*self.command(), "keys", "new", self.home.folder / "key", "--name", "test.example"],
                              capture_output=True, check=True)
        self.public = made.stdout.decode()
        self.journal.open(self.home)
        self.home.drop(form("a", "zahlungsverbindung", text=f"Meine Kundennummer ist {NUMBER}. Neue IBAN folgt."),
                       form("b", "umzug"),
                       form("d", "ortsabwesenheit", **{"from": "2024-04-01", "to": "2024-04-05"}))
        self.ok("run", "--once")

    @staticmethod
    def command():
        from posteingang import BINARY
        return [BINARY]

    def ok(self, *arguments, code=0, **options):
        process = self.home.run(*arguments, **options)
        self.assertEqual(process.returncode, code, process)
        return process

    def rows(self, *arguments, **options):
        return lines(self.ok(*arguments, "--format", "jsonl", **options))

    def tamper(self, statement):
        self.assertTrue(self.journal.execute(statement))

    def one(self, statement):
        return self.journal.one(statement)

    # --- verify ---

    def test_an_honest_log_has_no_finding_and_reading_it_leaves_a_record(self):
        self.assertEqual(self.rows("verify"), [])
        self.assertIn("verify", [r["detail"].get("command") for r in self.rows("log", "--event", "log.read")])

    def test_a_changed_record_is_a_finding(self):
        self.tamper(f"UPDATE record SET body = {self.journal.replaced('body', 'yes', 'no')} WHERE event = 'decided'")
        self.assertIn("record_bent", {f["kind"] for f in self.rows("verify", code=1)})

    def test_an_exported_log_is_verified_by_us_and_by_a_stranger(self):
        folder = self.home.folder / "log"
        self.ok("export", "--bundle", folder)
        keys = self.home.folder / "keys"
        keys.write_text(self.public)
        self.assertEqual(self.ok("verify", "--bundle", folder, "--keys", keys).returncode, 0)
        stranger = subprocess.run(["/usr/bin/python3", SOURCE / "tests/tool/verify_log.py", folder, keys],
                                  capture_output=True, check=False)
        self.assertEqual(stranger.returncode, 0, stranger)

    # --- redecide ---

    def test_every_decision_comes_out_the_same_again(self):
        rows = self.rows("audit", "redecide", "--sample", 10)
        self.assertEqual(len(rows), 3)
        self.assertEqual({(r["rules"], r["classifier"]) for r in rows}, {("equal", "equal")})

    def test_a_decision_that_the_rules_would_not_make_is_a_finding(self):
        self.tamper("UPDATE decision SET decision = replace(decision, '\"payment_relevant\":\"yes\"',"
                    " '\"payment_relevant\":\"no\"') WHERE item = 1")
        row, = self.rows("audit", "redecide", "1", code=1)
        self.assertEqual((row["rules"], row["difference"]), ("differs", "payment_relevant"))

    def test_another_engine_is_said_and_no_finding(self):
        self.tamper("UPDATE decision SET engine = 'other' WHERE item = 1")
        row, = self.rows("audit", "redecide", "1")
        self.assertEqual((row["rules"], row["classifier"]), ("equal", "engine differs"))

    def test_a_sample_beyond_all_items_ends_with_the_last_one(self):
        process = self.home.run("audit", "redecide", "--sample", 1000000, "--format", "jsonl", timeout=60)
        self.assertEqual(len(lines(process)), 3)

    def test_anybody_can_draw_the_same_sample_from_the_checkpoint(self):
        sample = [r["item"] for r in self.rows("audit", "redecide", "--sample", 2)]
        folder = self.home.folder / "log"
        self.ok("export", "--bundle", folder)
        note = json.loads((folder / "checkpoints.jsonl").read_text().splitlines()[-1])["note"]
        records = [json.loads(line) for line in (folder / "records.jsonl").read_text().splitlines()]
        size, drawn = int(note.splitlines()[1]), []
        seed, i = hashlib.sha256(note.encode()).digest(), 0
        while len(drawn) < 2:
            number = int.from_bytes(hashlib.sha256(seed + i.to_bytes(8, "big")).digest()[:8], "big") % size
            record, i = records[number], i + 1
            if record["event"] == "decided" and record["item"] not in drawn:
                drawn.append(record["item"])
        self.assertEqual(sample, drawn)

    # --- balance ---

    def test_what_came_in_adds_up(self):
        self.assertEqual(self.rows("balance"), [])
        total = self.rows("balance", "--sources")[-1]
        self.assertEqual((total["seen"], total["taken"], total["still"]), (3, 3, 0))

    def test_a_document_taken_from_the_eakte_is_missing(self):
        for meta in (self.home.folder / "eakte").glob("*/*.meta.json"):
            meta.unlink()
        self.assertEqual({r["kind"] for r in self.rows("balance", code=1)}, {"missing"})

    def test_a_document_nobody_delivered_is_an_orphan(self):
        meta = next((self.home.folder / "eakte").glob("*/*.meta.json"))
        forged = json.loads(meta.read_text())
        forged["key"] = forged["key"].replace("-1/", "-999/").replace("-2/", "-999/")
        meta.with_name("999.meta.json").write_text(json.dumps(forged))
        self.assertEqual({r["kind"] for r in self.rows("balance", code=1)}, {"orphan"})

    # --- log, export ---

    def test_the_records_of_an_item_tell_its_way(self):
        events = [r["event"] for r in self.rows("log", "1")]
        self.assertEqual(events[:2], ["received", "decided"])
        self.assertIn("delivery.confirmed", events)

    def test_export_filters_and_csv_and_jsonl_say_the_same(self):
        rows = self.rows("export", "--concern", "umzug")
        self.assertEqual([r["concerns"] for r in rows], [["umzug"]])
        table = list(csv.DictReader(io.StringIO(self.ok("export", "--concern", "umzug", "--format",
                                                        "csv").stdout.decode())))
        self.assertEqual([r["item"] for r in table], [r["item"] for r in rows])
        self.assertEqual(list(table[0]), list(rows[0]))
        for option, value, count in (("--channel", "email", 0), ("--action", "reply", 2), ("--rule", "5", 2),
                                     ("--cite", "202001001", 3), ("--item", "3", 1), ("--since", "2024-03-06", 0),
                                     ("--until", "2024-03-05", 3)):
            self.assertEqual(len(self.rows("export", option, value)), count, (option, value))

    def test_statistics_by_contact_code_count_every_item(self):
        self.assertEqual(sum(r["count"] for r in self.rows("log", "contact-codes")), 3)

    def test_what_a_clerk_decides_against_the_program_is_counted_by_rule_and_the_log_stays_whole(self):
        tasks = self.rows("task", "list")
        for task in tasks:
            self.ok("task", "done", task["id"], "--reason", "anders erledigt", "--instead", "none", "--rule", "H")
        row, = [r for r in self.rows("log", "overrides") if r["rule"] == "H" and r["instead"] == "none"]
        self.assertEqual(row["count"], len(tasks))
        self.assertNotIn("anders erledigt", json.dumps(self.rows("log")))
        self.ok("seal")
        self.assertEqual(self.rows("verify"), [])

    # --- privacy ---

    def close_tasks(self):
        """As clerks do; the command for it is tested elsewhere."""
        self.tamper("UPDATE item SET open = 0, closed = 1")

    def stands_in_files(self, text):
        if not self.journal.in_files:  # what a server's files hold is for its vacuum
            return bool(self.one(f"SELECT count(*) FROM content WHERE position('{text}' IN encode(bytes, 'escape')) > 0"))
        return any(text.encode() in (self.home.folder / name).read_bytes()
                   for name in ("journal.db", "journal.db-wal") if (self.home.folder / name).exists())

    def test_expired_content_is_gone_from_the_file_and_the_log_stays_whole(self):
        self.close_tasks()
        self.assertTrue(self.stands_in_files("Neue IBAN folgt"))
        self.assertEqual(len(self.rows("expire", "--dry-run")), 3)
        self.assertEqual(len(self.rows("expire")), 3)
        self.assertFalse(self.stands_in_files("Neue IBAN folgt"))
        self.assertFalse(self.stands_in_files(NUMBER))
        self.ok("seal")
        self.assertEqual(self.rows("verify", "--log-only"), [])
        row, = self.rows("audit", "redecide", "1")
        self.assertEqual((row["rules"], row["classifier"]), ("equal", "not possible"))

    def test_a_hold_keeps_an_item_until_it_is_released(self):
        self.close_tasks()
        number = self.ok("hold", "add", "1", "--reason", "Klage").stdout.decode().strip()
        self.assertEqual(len(self.rows("expire")), 2)
        [hold] = self.rows("hold", "list")
        self.assertEqual((str(hold["hold"]), hold["reason"]), (number, "Klage"))
        self.ok("hold", "release", number)
        self.assertEqual(len(self.rows("expire")), 1)

    def test_a_person_gets_her_data_and_the_number_stands_in_no_log(self):
        folder = self.home.folder / "out"
        self.ok("person", "export", "--from", "-", "--out", folder, stdin=NUMBER)
        person = json.loads((folder / "person.json").read_text())
        self.assertEqual(len(person["items"]), 1)
        self.assertIn(b"Neue IBAN folgt", (folder / person["items"][0]["content"]).read_bytes())
        self.assertNotIn(NUMBER, json.dumps(self.rows("log")))
        self.ok("person", "export", "--from", "-", "--out", folder, stdin=NUMBER, code=64)

    def test_an_erased_person_stays_erased_when_a_backup_comes_back(self):
        self.close_tasks()
        self.journal.backup()
        erased = self.ok("person", "erase", "--from", "-", stdin=NUMBER)
        self.assertIn(b"1 items", erased.stderr)
        self.assertFalse(self.stands_in_files("Neue IBAN folgt"))
        self.ok("seal")
        self.journal.restore()
        self.assertTrue(self.stands_in_files("Neue IBAN folgt"))
        self.ok("restore", code=1)
        self.ok("restore", "--accept")
        self.ok("expire", "--dry-run")
        self.assertFalse(self.one("SELECT count(*) FROM item WHERE id = 1 AND content_deleted IS NULL"))
        self.assertEqual(self.ok("verify", "--log-only").returncode, 0)

    # --- restore ---

    def test_a_restored_journal_takes_nothing_in_until_the_gap_is_accepted_then_nothing_is_doubled(self):
        self.journal.backup()
        self.home.drop(form("e", "umzug"), form("f", "arbeitsaufnahme"))
        self.ok("run", "--once")
        before = self.effects()
        self.journal.restore()
        self.home.run("run", "--once")
        self.assertEqual(self.one("SELECT count(*) FROM item"), 3, "nothing is taken in")
        listed = self.rows("restore", code=1)
        self.assertTrue(listed)
        self.assertEqual({r["why"] for r in listed}, {"no_item"})
        self.ok("restore", "--accept")
        # the dropped files were moved away when they were settled: a source that still has them gives them again
        self.home.drop(form("e", "umzug"), form("f", "arbeitsaufnahme"))
        self.ok("run", "--once")
        self.assertEqual(self.one("SELECT count(*) FROM item"), 5)
        self.assertEqual(self.effects(), before)
        self.ok("seal")
        self.assertEqual(self.rows("verify"), [])
        self.assertEqual(self.rows("balance"), [])

    def effects(self):
        def files(name):
            return len([p for p in (self.home.folder / name).rglob("*") if p.is_file() and ".staging" not in p.parts])
        archive = sum(len(p.read_text().splitlines()) for p in (self.home.folder / "archive").glob("*.jsonl"))
        return files("eakte"), files("replies"), archive


class OnSqlite(Log, unittest.TestCase):
    def side(self):
        return Sqlite()


class OnPostgres(Log, unittest.TestCase):
    @classmethod
    def setUpClass(cls):
        cls.folder = folder()
        cls.addClassCleanup(shutil.rmtree, cls.folder)
        cls.postgres = Postgres(cls.folder / "pg")
        cls.addClassCleanup(cls.postgres.stop)

    def side(self):
        return Server(self.postgres)


if __name__ == "__main__":
    unittest.main()
