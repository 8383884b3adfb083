"""IMAP servers that lie, die, trickle and nest (lessons.md F1-F4, facts.md part A 2.4): no crash, no loss, no message
that stops the others, and every wait ends."""
import json
import sqlite3
import time
import unittest

from support import Counterpart, Hostile, Intake, message


class Server(Intake):
    @classmethod
    def setUpClass(cls):
        cls.server = Hostile()

    @classmethod
    def tearDownClass(cls):
        cls.server.stop()

    def setUp(self):
        super().setUp()
        self.password = self.secret("password", "secret")
        self.use()

    def use(self, limits=None, **more):
        options = {"type": "imap", "host": "localhost", "port": self.server.port, "ca_file": self.server.ca,
                   "user": "alice", "password_file": self.password, "connect_limit": "3s", "command_limit": "3s",
                   "fetch_limit": "3s"}
        options.update(more)
        self.configure({"mail": {k: v for k, v in options.items() if v is not None}}, limits or {})

    def play(self, n=5, **script):
        script.setdefault("validity", 7)
        script.setdefault("messages", {str(uid): message(uid) for uid in range(1, n + 1)})
        self.server.play(**script)

    def pull_until_quiet(self, rounds=4):
        for _ in range(rounds):
            process = self.start()
            out, self.words = process.communicate(timeout=60)
            self.assertIn(process.returncode, (0, 69), self.words)
            self.assertNotIn("Sanitizer", self.words)
        return json.loads(out)

    def later(self, seconds):
        """As if so much time had passed since the last tries."""
        with sqlite3.connect(self.journal) as db:
            state = json.loads(db.execute("SELECT state FROM mailbox").fetchone()[0])
            for pending in state["connector"]["pending"]:
                pending[2] -= seconds
            db.execute("UPDATE mailbox SET state = ?", [json.dumps(state)])

    def keys(self):
        return sorted(int(key.split(":")[1]) for key in self.items())


class OneBadMessage(Server):
    """F3: whatever one message does, the four others are taken in, and it is retried, then refused, never lost."""

    def check(self, fault, refused=True):
        self.play(fault={"3": fault})
        self.pull_until_quiet()
        self.assertEqual(self.keys(), [1, 2, 4, 5])
        self.assertEqual([p[0] for p in self.state()["connector"]["pending"]], [3])
        for seconds in (700, 4000, 90000):
            self.later(seconds)
            self.pull_until_quiet(1)
        self.assertEqual(self.gaps(), {"7:3": "unfetchable"})
        self.assertEqual(self.balance(), (5, 4, 1, 0))
        self.play()
        self.later(90000)
        self.pull_until_quiet(1)
        self.assertEqual(self.keys(), [1, 2, 3, 4, 5])
        self.assertEqual((self.gaps(), self.state()["connector"]["pending"]), ({}, []))

    def test_body_nil(self):  # fdm#149
        self.check("nil")

    def test_body_empty_though_it_has_a_size(self):  # OTRS PR#694
        self.check("empty")

    def test_the_connection_dies_over_it(self):  # osTicket#6441
        self.check("kill")

    def test_the_server_says_no(self):
        self.check("no")

    def test_a_literal_of_2_gib_and_then_silence(self):
        self.check("huge_literal")

    def test_a_literal_that_wraps_at_2_to_the_32(self):
        self.check("wrap_literal")

    def test_a_literal_that_is_longer_than_what_comes(self):
        self.check("short_literal")

    def test_a_literal_without_end(self):
        self.check("long_literal")

    def test_one_byte_now_and_then(self):
        self.check("trickle")

    def test_endless_news_instead_of_an_answer(self):
        self.check("flood")


class Messages(Server):
    def test_a_quoted_body_is_a_body(self):
        self.play(1, fault={"1": "quoted"})
        self.assertEqual(self.pull()["taken"], 1)
        self.assertEqual(self.items()["7:1"][3], b"Subject: quoted")

    def test_a_message_expunged_between_size_and_body_vanishes_from_the_balance(self):  # CAMEL-17812
        self.play(fault={"2": "gone"})
        self.pull_until_quiet(1)
        self.play(messages={str(u): message(u) for u in (1, 3, 4, 5)})
        self.later(700)
        report = self.pull()
        self.assertEqual((self.keys(), report["pending"]), ([1, 3, 4, 5], 0))
        self.assertEqual(self.balance(), (5, 4, 0, 1))

    def test_the_time_of_receipt_is_the_internal_date(self):
        self.play(1)
        self.pull()
        self.assertEqual(self.items()["7:1"][1], 1683844200 * 1000000)

    def test_a_server_without_uidnext_is_asked_for_new_mail_all_the_same(self):  # Courier
        self.play(3, uidnext=False)
        self.assertEqual(self.pull()["taken"], 3)
        self.assertEqual(self.pull()["seen"], 0)
        self.play(4, uidnext=False)
        self.assertEqual(self.pull()["taken"], 1)

    def test_a_uidvalidity_change_with_reused_uids_skips_nothing(self):  # paperless#8944, osTicket#6979
        self.play(5)
        self.pull()
        self.play(validity=8, messages={str(u): message(u + 3) for u in range(1, 6)})
        report = self.pull()
        self.assertEqual((report["taken"], report["relinked"]), (3, 2))
        self.assertEqual(len(self.items()), 8)

    def test_a_server_without_uidvalidity_is_refused(self):
        self.play(validity=0)
        self.pull(code=69)
        self.assertIn("UIDVALIDITY", self.words)

    def test_without_uidplus_nothing_is_ever_expunged(self):
        self.play(2, capability="IMAP4rev1 AUTH=PLAIN")
        self.use(settle="move", move_to="Erledigt")
        self.assertEqual(self.pull()["unsettled"], 0)
        commands = " ".join(self.server.commands())
        self.assertIn("UID COPY 1:2", commands)
        self.assertNotIn("EXPUNGE", commands)
        self.assertNotIn("CLOSE", commands)

    def test_with_uidplus_exactly_the_moved_ones_are_expunged(self):
        self.play(messages={"4": message(4), "9": message(9)}, capability="IMAP4rev1 UIDPLUS")
        self.use(settle="move", move_to="Erledigt")
        self.pull()
        self.assertIn("UID EXPUNGE 4,9", self.server.commands())
        self.assertEqual([c for c in self.server.commands() if "EXPUNGE" in c], ["UID EXPUNGE 4,9"])

    def test_only_peek_is_used(self):
        self.play(2)
        self.use(settle="none")
        self.pull()
        fetches = [c for c in self.server.commands() if "BODY" in c]
        self.assertTrue(fetches and all("BODY.PEEK[]" in c for c in fetches))
        self.assertFalse([c for c in self.server.commands() if "STORE" in c])


class Sessions(Server):
    def refused(self, words, seconds=15, **script):
        self.play(**script)
        begin = time.monotonic()
        self.pull(code=69)
        self.assertIn(words, self.words)
        self.assertLess(time.monotonic() - begin, seconds)

    def test_a_server_that_never_greets(self):  # zammad#2321, n8n#30871
        self.refused("took too long", session="silent")

    def test_a_greeting_that_trickles(self):
        self.refused("took too long", session="slow_greeting")

    def test_a_server_that_says_goodbye(self):
        self.refused("takes no connection", session="bye")

    def test_preauth(self):
        self.refused("PREAUTH", session="preauth")

    def test_a_deeply_nested_answer_does_not_reach_the_parser(self):
        self.refused("nested too deeply", session="nest")

    def test_a_line_without_end(self):
        self.refused("more than was asked for", session="no_end")

    def test_a_refused_login(self):
        self.refused("refused the login", session="refuse_login")

    def test_plain_text_slipped_in_behind_starttls(self):  # CVE-2020-15953
        self.use(security="starttls")
        self.refused("localhost", starttls="inject")
        self.assertEqual(self.server.commands(), [])

    def test_preauth_before_starttls(self):
        self.use(security="starttls")
        self.refused("PREAUTH", starttls="preauth")

    def test_starttls_as_it_should_be(self):
        self.use(security="starttls")
        self.play(1, starttls="good")
        self.assertEqual(self.pull()["taken"], 1)

    def test_xoauth2_with_a_token_from_a_file_and_from_the_token_service(self):
        self.play(1, capability="IMAP4rev1 SASL-IR AUTH=XOAUTH2")
        token = self.secret("token", "ein-token")
        self.use(auth="xoauth2", password_file=None, token_file=token)
        self.assertEqual(self.pull()["taken"], 1)
        far = Counterpart()
        self.addCleanup(far.stop)
        self.use(auth="xoauth2", password_file=None, token_url="https://localhost:%d/token" % far.port,
                 token_ca_file=far.ca, client_id="posteingang", client_secret_file=self.secret("c", "geheim & gut"))
        self.pull()
        self.assertEqual(far.state()["tokens_issued"], 1)
        self.assertTrue([c for c in self.server.commands() if c.startswith("AUTHENTICATE XOAUTH2 ")])


if __name__ == "__main__":
    unittest.main()
