"""The main job on real servers: Dovecot, Exim, the HTTP counterpart; SQLite and PostgreSQL."""
import time
import unittest

from case import ServerCase
from operation import decided
from posteingang import BUNDLE, SOURCE


class MainJob:
    def test_every_item_is_accounted_for_and_a_second_run_does_nothing(self):
        self.site.put(mails=range(0, 60), postbox=range(60, 80), eservice=range(80, 100))
        first = self.site.run("run", "--once")
        self.assertEqual(first.returncode, 0, first.stderr.decode())
        self.check_accounted()
        before = self.http.state()
        second = self.site.run("run", "--once")
        self.assertEqual(second.returncode, 0, second.stderr.decode())
        self.assertIn('taken="0"', second.stderr.decode())
        self.assertIn('decided="0"', second.stderr.decode())
        self.assertIn('confirmed="0"', second.stderr.decode())
        after = self.http.state()
        for what in ("messages", "tickets", "archive"):
            self.assertEqual(len(before[what]), len(after[what]), what)
        self.check_accounted()

    def test_what_is_in_the_journal_is_settled_at_the_source(self):
        self.site.put(mails=range(0, 3), postbox=range(3, 5), eservice=range(5, 7))
        self.assertEqual(self.site.run("run", "--once").returncode, 0)
        state = self.http.state()
        self.assertEqual(state["waiting"], {"postbox": 0, "eservice": 0})
        self.assertEqual(sorted(state["acknowledged"]["postbox"]), ["p3", "p4"])
        self.assertEqual(len(self.dovecot.messages()), 3)
        self.assertEqual([row["unsettled"] for row in self.site.rows("status") if row["what"] == "source"],
                         ["0", "0", "0"])

    def test_two_runs_at_once_give_what_one_gives(self):
        self.site.put(mails=range(0, 80), postbox=range(80, 100), eservice=range(100, 120))
        runs = [self.start("run", "--once") for _ in range(2)]
        for process in runs:
            self.assertIn(process.wait(120), (0, 75), self.site.log())
        self.site.drain()
        self.check_accounted()

    def test_a_source_that_is_down_does_not_hold_up_the_others(self):
        self.site.put(postbox=range(0, 5), eservice=range(5, 10))
        self.site.write(imap_host="127.0.0.3")
        done = self.site.run("run", "--once")
        self.assertEqual(done.returncode, 69, done.stderr.decode())
        self.assertEqual(len(self.site.items()), 10)


class OnSqlite(MainJob, ServerCase):
    pass


class OnPostgres(MainJob, ServerCase):
    POSTGRES = True

    def test_a_worker_needs_no_more_than_the_role_we_ship(self):
        roles = (SOURCE / "journal/roles.sql").read_text()
        self.pg.psql("SET client_min_messages = warning; DROP ROLE IF EXISTS worker1; CREATE ROLE worker1 LOGIN "
                     f"PASSWORD 'nur Arbeit'; {roles} GRANT posteingang_worker TO worker1;")
        self.site.secret("database", "nur Arbeit")
        self.site.put(mails=range(0, 20), postbox=range(20, 30), eservice=range(30, 40))
        owner = self.pg.conninfo
        self.pg.conninfo = owner.replace("user=posteingang", "user=worker1")
        try:
            self.site.write()
            done = self.site.run("run", "--once")
            self.assertEqual(done.returncode, 0, done.stderr.decode())
            self.assertEqual(self.site.run("status", "--quiet").returncode, 0)
            refused = self.site.run("activate", str(BUNDLE))
            self.assertNotEqual(refused.returncode, 0)
        finally:
            self.pg.conninfo = owner
        self.site.secret("database", self.pg.password)
        self.site.write()
        self.check_accounted()

    def test_three_workers_at_once_give_the_same_as_one_on_sqlite(self):
        alone = self.fresh_site("alone", None)
        for site in (alone, self.site):
            site.put(postbox=range(0, 40), eservice=range(40, 80))
            if site is alone:
                site.put(mails=range(80, 200))
                self.assertEqual(site.run("run", "--once").returncode, 0)
                self.http.control("reset")
            else:
                site.put_mails = list(alone.put_mails)
                workers = [self.start("run", "--once") for _ in range(3)]
                for process in workers:
                    self.assertIn(process.wait(180), (0, 75), site.log())
                site.drain()
        self.assertEqual(decided(alone.items()), decided(self.site.items()))
        self.assertEqual(len(self.site.items()), 200)


class Certificates(ServerCase):
    """What shows a certificate for another name, or of an unknown authority, gets neither password nor mail."""

    def refused(self, **options):
        self.site.put(mails=range(0, 5))
        self.site.write(**options)
        done = self.site.run("run", "--once")
        self.assertEqual(done.returncode, 69, done.stderr.decode())
        return done.stderr.decode()

    def test_an_imap_server_with_a_certificate_for_another_host_is_refused(self):
        self.refused(imap_host="127.0.0.2")
        self.assertEqual(self.site.items(), [])
        self.assertNotIn(f"Login: user=<{self.dovecot.user}>", self.dovecot.log())

    def test_an_imap_server_with_an_untrusted_certificate_is_refused(self):
        self.refused(imap_host="127.0.0.3")
        self.assertEqual(self.site.items(), [])
        self.assertNotIn(f"Login: user=<{self.dovecot.user}>", self.dovecot.log())

    def check_smtp(self, host):
        self.refused(smtp_host=host)
        self.assertEqual(self.exim.settled(), [])
        self.assertEqual(self.site.tasks("reply_uncertain"), [])
        self.site.write(smtp_host="localhost")
        until = time.monotonic() + 60
        while not self.exim.settled() and time.monotonic() < until:  # the second attempt is due a second later
            self.site.drain()
            time.sleep(0.3)
        self.assertGreater(len(self.exim.settled()), 0)

    def test_no_reply_goes_to_an_smtp_server_with_a_certificate_for_another_host_and_none_is_lost(self):
        self.check_smtp("127.0.0.2")

    def test_no_reply_goes_to_an_smtp_server_with_an_untrusted_certificate_and_none_is_lost(self):
        self.check_smtp("127.0.0.3")


if __name__ == "__main__":
    unittest.main()
