"""IMAP against a real Dovecot: TLS, state, settling, what moves on the wire, and kills at any moment."""
import os
import signal
import socket
import threading
import time
import unittest

from support import SANITIZED, Dovecot, Intake, free_ports, message


class Meter:
    """Counts the bytes between us and the server."""

    def __init__(self, port):
        self.port, self.bytes, self.target = free_ports(1), 0, port
        self.listener = socket.create_server(("127.0.0.1", self.port))
        threading.Thread(target=self.accept, daemon=True).start()

    def accept(self):
        while True:
            try:
                near, _ = self.listener.accept()
            except OSError:
                return
            far = socket.create_connection(("127.0.0.1", self.target))
            for pair in ((near, far), (far, near)):
                threading.Thread(target=self.copy, args=pair, daemon=True).start()

    def copy(self, source, sink):
        try:
            while True:
                data = source.recv(65536)
                if not data:
                    break
                self.bytes += len(data)
                sink.sendall(data)
        except OSError:
            pass
        for s in (source, sink):
            try:
                s.shutdown(socket.SHUT_RDWR)
            except OSError:
                pass


class Imap(Intake):
    @classmethod
    def setUpClass(cls):
        cls.server = Dovecot()
        cls.users = 0

    @classmethod
    def tearDownClass(cls):
        cls.server.stop()

    def setUp(self):
        super().setUp()
        type(self).users += 1
        self.user = "%s%d" % (self.id().split(".")[-1][5:25], self.users)
        self.password = self.secret("password", "secret")
        self.use()

    def use(self, limits=None, **more):
        options = {"type": "imap", "host": "localhost", "port": self.server.tls, "ca_file": self.server.ca,
                   "user": self.user, "password_file": self.password}
        options.update(more)
        self.configure({"mail": {k: v for k, v in options.items() if v is not None}}, limits or {})

    def flags(self, mailbox="INBOX"):
        client = self.server.client(self.user)
        client.select(mailbox, readonly=True)
        _, answers = client.fetch("1:*", "(UID FLAGS)") if client.search(None, "ALL")[1][0] else (None, [])
        client.logout()
        return [a.decode() for a in answers]

    # --- TLS ---

    def test_a_wrong_host_an_unknown_authority_and_an_expired_certificate_are_refused(self):
        for host, port in (("127.0.0.2", 1), ("127.0.0.3", 1), ("127.0.0.4", 1), ("127.0.0.2", 0), ("127.0.0.3", 0)):
            self.use(host=host, port=self.server.port + port, security="tls" if port else "starttls")
            self.pull(code=69)
            self.assertIn("certificate refused", self.words)
        self.use(ca_file=None)
        self.pull(code=69)
        with open(self.server.dir + "/log") as log:
            self.assertNotIn("user=<%s>" % self.user, log.read())

    def test_starttls_takes_messages_too(self):
        self.server.drop(self.user, [message(1)])
        self.use(port=self.server.port, security="starttls")
        self.assertEqual(self.pull()["taken"], 1)

    def test_a_wrong_password_is_a_failure_without_the_password(self):
        self.use(password_file=self.secret("wrong", "geheim-und-falsch"))
        self.pull(code=69)
        self.assertIn("refused the login", self.words)
        self.assertNotIn("geheim", self.words)

    def test_the_login_command_works(self):
        self.server.drop(self.user, [message(1)])
        self.use(auth="login")
        self.assertEqual(self.pull()["taken"], 1)

    # --- taking in ---

    def test_every_message_is_taken_once_with_its_bytes_and_internal_date(self):
        texts = [message(n, "ä" * (n * 50)) for n in range(250)]
        self.server.drop(self.user, texts)
        self.assertEqual(self.pull()["taken"], 250)
        again = self.pull()
        self.assertEqual((again["taken"], again["seen"]), (0, 0))
        raws = [raw.decode() for _, _, _, raw in self.items().values()]
        self.assertEqual(sorted(raws), sorted(texts))
        self.assertEqual(self.balance(), (250, 250, 0, 0))
        client = self.server.client(self.user)
        client.select("INBOX", readonly=True)
        _, answer = client.uid("FETCH", "1", "(INTERNALDATE)")
        stamp = time.mktime(__import__("imaplib").Internaldate2tuple(answer[0]))
        client.logout()
        key = next(k for k in self.items() if k.endswith(":1"))
        self.assertEqual(self.items()[key][1], int(stamp) * 1000000)

    def test_a_message_read_elsewhere_is_taken_all_the_same(self):  # freescout#3406
        self.server.drop(self.user, [message(1)])
        client = self.server.client(self.user)
        client.select("INBOX")
        client.store("1", "+FLAGS", "\\Seen")
        client.logout()
        self.assertEqual(self.pull()["taken"], 1)

    def test_equal_and_empty_message_ids_lose_nothing(self):  # freescout#4740
        self.server.drop(self.user, [message(1), message(1), message(2).replace("<2@example.org>", "")])
        report = self.pull()
        self.assertEqual((report["taken"], report["duplicates"]), (3, 1))

    def test_new_mail_is_found_and_only_that_is_asked_for(self):
        self.server.drop(self.user, [message(n) for n in range(5)])
        self.pull()
        self.server.drop(self.user, [message(9)])
        report = self.pull()
        self.assertEqual((report["taken"], report["seen"]), (1, 1))

    def test_several_mailboxes_have_each_their_own_state(self):
        self.server.drop(self.user, [message(1)])
        self.server.drop(self.user, [message(2), message(3)], ".Gesch&AOQ-ftsstelle")
        self.use(mailboxes=["INBOX", "Geschäftsstelle"])
        self.assertEqual(self.pull()["taken"], 3)
        names = [name for name, in self.rows("SELECT name FROM mailbox ORDER BY name")]
        self.assertEqual(names, ["Geschäftsstelle", "INBOX"])

    def test_a_missing_mailbox_does_not_stop_the_others(self):
        self.server.drop(self.user, [message(1)])
        self.use(mailboxes=["Nirgends", "INBOX"])
        report = self.pull(code=69)
        self.assertEqual((report["taken"], report["failed"]), (1, 1))

    def test_large_messages_are_streamed_and_those_beyond_the_cap_stay_untouched(self):
        self.server.drop(self.user, [message(1), message(2, "x" * (6 << 20)), message(3, "x" * (9 << 20)), message(4)])
        self.use({"hard_cap": "8MiB"}, settle="seen")
        self.assertEqual(self.pull()["taken"], 3)
        self.assertEqual(list(self.gaps().values()), ["too_large"])
        self.assertEqual([("\\Seen" in f) for f in self.flags()], [True, True, False, True])
        self.assertEqual(sorted(len(i[3]) for i in self.items().values())[-1], len(message(2, "x" * (6 << 20))))
        self.assertEqual(self.pull()["refused"], 0)
        self.assertEqual(self.balance(), (4, 3, 1, 0))
        self.assertEqual(self.run_tool("oldest")[0]["count"], 1)

    def test_memory_stays_bounded_with_a_message_of_100_mib(self):
        self.server.drop(self.user, [message(1, ("x" * 70 + "\r\n") * (100 << 20 >> 6))])
        report = self.pull()
        self.assertEqual(report["taken"], 1)
        if not SANITIZED:
            self.assertLess(report["rss_kib"], 64 * 1024)

    def test_a_second_poll_of_an_unchanged_mailbox_of_38000_moves_less_than_10_kb(self):  # paperless#13175
        self.server.drop(self.user, [message(n) for n in range(3000 if SANITIZED else 38000)])
        self.use(settle="none")
        self.pull(seconds=400)
        meter = Meter(self.server.tls)
        self.use(settle="none", port=meter.port)
        self.assertEqual(self.pull()["taken"], 0)
        self.assertGreater(meter.bytes, 500)
        self.assertLess(meter.bytes, 10 * 1024)

    # --- settling ---

    def test_settled_by_seen_flagged_or_keyword(self):
        for settle, flag in (("seen", "\\Seen"), ("flagged", "\\Flagged"), ("keyword", "$Posteingang")):
            self.server.drop(self.user, [message(1)])
            self.use(settle=settle)
            self.pull()
            self.assertIn(flag, self.flags()[-1])

    def test_settle_none_changes_nothing_at_the_server(self):
        self.server.drop(self.user, [message(1)])
        self.use(settle="none")
        self.pull()
        self.assertNotIn("Seen", self.flags()[0])
        self.assertEqual(self.state()["unsettled"], [])

    def test_settled_by_move(self):
        self.server.drop(self.user, [message(n) for n in range(30)])
        self.use(settle="move", move_to="Erledigt")
        self.assertEqual(self.pull()["taken"], 30)
        self.assertEqual((len(self.flags()), len(self.flags("Erledigt"))), (0, 30))
        self.server.drop(self.user, [message(99)])
        self.assertEqual(self.pull()["taken"], 1)
        self.assertEqual(len(self.flags("Erledigt")), 31)

    def test_a_move_to_a_missing_mailbox_loses_nothing_and_is_made_up_for(self):  # imapfilter#57
        self.server.drop(self.user, [message(n) for n in range(3)])
        self.use(settle="move", move_to="Nirgends")
        report = self.pull(code=69)
        self.assertEqual((report["taken"], report["unsettled"]), (3, 3))
        self.assertEqual(len(self.flags()), 3)
        client = self.server.client(self.user)
        client.create("Nirgends")
        client.logout()
        self.assertEqual(self.pull()["unsettled"], 0)
        self.assertEqual((len(self.flags()), len(self.flags("Nirgends"))), (0, 3))

    def test_others_deleted_messages_are_not_expunged(self):
        self.server.drop(self.user, [message(1), message(2)])
        client = self.server.client(self.user)
        client.select("INBOX")
        client.store("2", "+FLAGS", "\\Deleted")
        client.logout()
        self.use(settle="seen")
        self.pull()
        self.assertEqual(len(self.flags()), 2)

    # --- identity ---

    def test_after_a_uidvalidity_change_known_mail_is_linked_and_new_mail_taken(self):  # paperless#8944
        self.server.drop(self.user, [message(n) for n in range(20)])
        self.pull()
        box = self.server.dir + "/mail/" + self.user
        for name in os.listdir(box):
            if name.startswith("dovecot"):
                os.unlink(box + "/" + name)
        time.sleep(1.1)  # the new UIDVALIDITY is the time in seconds
        self.server.drop(self.user, [message(50)])
        report = self.pull()
        self.assertEqual((report["taken"], report["relinked"]), (1, 20))
        self.assertEqual(len(self.items()), 21)
        self.assertEqual(self.pull()["seen"], 0)

    def test_the_daily_listing_finds_what_was_missed_below_the_last_uid(self):
        self.server.drop(self.user, [message(n) for n in range(6)])
        self.pull()
        import sqlite3
        with sqlite3.connect(self.journal) as db:  # as if UID 3 had never been told to us
            number, = db.execute("SELECT id FROM item WHERE key LIKE '%:3'").fetchone()
            for table, column in (("record", "item"), ("item", "id")):
                db.execute("DELETE FROM %s WHERE %s = %d" % (table, column, number))
            db.execute("UPDATE mailbox SET relisted = 0")
        self.assertEqual(self.pull()["taken"], 1)
        self.assertEqual(len(self.items()), 6)

    # --- kills, workers, daemon ---

    def test_killed_at_random_moments_nothing_is_lost_or_doubled(self):
        self.server.drop(self.user, [message(n) for n in range(600)])
        self.use({"batch": 20, "lease": "5s"}, settle="move", move_to="Erledigt")
        for n in range(15):
            worker = self.start()
            time.sleep(0.05 + 0.03 * n)
            worker.kill()
            worker.communicate()
        while self.pull()["busy"]:
            time.sleep(1)
        self.assertEqual(len(self.items()), 600)
        self.assertEqual(len({raw for _, _, _, raw in self.items().values()}), 600)
        self.assertEqual((len(self.flags()), len(self.flags("Erledigt"))), (0, 600))

    def test_three_workers_at_once_take_each_message_once(self):
        self.server.drop(self.user, [message(n) for n in range(300)])
        self.use({"batch": 10})
        for worker in [self.start() for _ in range(3)]:
            worker.communicate(timeout=60)
        self.pull()
        self.assertEqual(len(self.items()), 300)
        self.assertEqual(self.balance(), (300, 300, 0, 0))

    def test_the_daemon_is_told_of_new_mail_by_idle_and_stops_at_sigterm(self):
        self.server.drop(self.user, [message(1)])
        self.use({"poll": "1h"})
        worker = self.start("daemon")
        self.addCleanup(worker.communicate)
        self.addCleanup(worker.kill)
        self.wait_for_items(1)
        for n in (2, 3):
            time.sleep(1)
            self.server.drop(self.user, [message(n)])
            self.wait_for_items(n)
        begin = time.monotonic()
        worker.send_signal(signal.SIGTERM)
        out, words = worker.communicate(timeout=20)
        self.assertEqual(worker.returncode, 0, words)
        self.assertLess(time.monotonic() - begin, 5)

    def wait_for_items(self, n):
        for _ in range(300):
            if os.path.exists(self.journal):
                try:
                    if self.rows("SELECT count(*) FROM item")[0][0] >= n:
                        return
                except Exception:
                    pass
            time.sleep(0.1)
        self.fail("message %d was not taken in" % n)

    def test_the_oldest_waiting_message_is_asked_of_the_server(self):
        self.server.drop(self.user, [message(n) for n in range(4)])
        answer = self.run_tool("oldest")[0]
        self.assertEqual(answer["count"], 4)
        self.assertGreater(answer["received"], 0)
        self.pull()
        self.assertEqual(self.run_tool("oldest")[0]["count"], 0)


if __name__ == "__main__":
    unittest.main()
