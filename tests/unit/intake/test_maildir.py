"""Maildir and drop folder: moved only after the journal has it, nothing blocks, the time of receipt is right."""
import json
import os
import unittest

from support import SANITIZED, Intake, message

MAY_12 = 1683844200 * 1000000  # 2023-05-12T00:30:00+02:00


class Maildir(Intake):
    def setUp(self):
        super().setUp()
        self.box = self.dir + "/box"
        for part in ("new", "cur", "tmp"):
            os.makedirs(self.box + "/" + part)
        self.configure({"spool": {"type": "maildir", "path": self.box, "envelope_from": "header",
                                  "trusted_hosts": ["mx.test"], "mailbox": "team@example.org"}})

    def put(self, name, text, part="new"):
        with open("%s/%s/%s" % (self.box, part, name), "wb") as out:
            out.write(text if isinstance(text, bytes) else text.encode())

    def test_messages_are_taken_and_moved_to_cur(self):
        for n in range(7):
            self.put("17.%d.host" % n, message(n))
        self.assertEqual(self.pull()["taken"], 7)
        self.assertEqual(os.listdir(self.box + "/new"), [])
        self.assertEqual(sorted(os.listdir(self.box + "/cur")), ["17.%d.host:2," % n for n in range(7)])
        self.assertEqual(self.pull()["taken"], 0)

    def test_original_bytes_envelope_sender_and_time_of_receipt_are_kept(self):
        self.put("a.1.host", message(1).replace("<kunde1@example.org>\r\nRec", "<>\r\nRec"))
        self.pull()
        channel, received, fields, raw = self.items()["a.1.host"]
        self.assertEqual((channel, received, fields["envelope_from"]), ("email", MAY_12, ""))
        self.assertEqual(raw, message(1).replace("<kunde1@example.org>\r\nRec", "<>\r\nRec").encode())

    def test_an_untrusted_host_does_not_give_the_time_of_receipt(self):
        self.put("a.1.host", message(1).replace("mx.test", "liar.test"))
        os.utime(self.box + "/new/a.1.host", (1700000000, 1700000000))
        self.pull()
        self.assertEqual(self.items()["a.1.host"][1], 1700000000 * 1000000)

    def test_what_is_unreadable_is_recorded_once_and_blocks_nothing(self):
        self.put("a.1.host", message(1))
        os.symlink("/etc/passwd", self.box + "/new/b.link")
        os.mkfifo(self.box + "/new/c.fifo")
        first, second = self.pull(), self.pull()
        self.assertEqual((first["taken"], first["refused"], second["refused"]), (1, 2, 0))
        self.assertEqual(self.gaps(), {"b.link": "unreadable", "c.fifo": "unreadable"})
        self.assertTrue(os.path.islink(self.box + "/new/b.link"))
        self.assertEqual(self.balance(), (3, 1, 2, 0))

    def test_a_message_beyond_the_hard_cap_stays_untouched(self):
        self.configure({"spool": {"type": "maildir", "path": self.box}}, {"hard_cap": "8KiB", "item_size": "2KiB"})
        self.put("big", b"Subject: x\n\n" + b"x" * 9000)
        self.put("medium", b"Subject: y\n\n" + b"y" * 5000)
        self.put("small", message(1))
        self.assertEqual(self.pull()["taken"], 2)
        self.assertEqual(self.gaps(), {"big": "too_large"})
        self.assertEqual(os.listdir(self.box + "/new"), ["big"])
        self.assertEqual(len(self.items()["medium"][3]), 5012)

    def test_100_mib_are_streamed_in_bounded_memory(self):
        self.put("big", b"Subject: x\n\n" + b"x" * (100 << 20))
        report = self.pull()
        self.assertEqual(report["taken"], 1)
        self.assertEqual(self.rows("SELECT size FROM item"), [((100 << 20) + 12,)])
        if not SANITIZED:
            self.assertLess(report["rss_kib"], 64 * 1024)

    def test_after_a_crash_between_commit_and_move_nothing_is_doubled(self):
        self.put("a.1.host", message(1))
        self.pull()
        os.rename(self.box + "/cur/a.1.host:2,", self.box + "/new/a.1.host")
        self.assertEqual(self.pull()["taken"], 0)
        self.assertEqual(os.listdir(self.box + "/new"), [])
        self.assertEqual(len(self.items()), 1)

    def test_a_receipt_in_the_future_is_marked(self):
        self.put("a.1.host", message(1).replace("2023", "2093"))
        self.pull()
        self.assertTrue(self.items()["a.1.host"][2]["received_in_future"])
        self.assertEqual(self.rows("SELECT future FROM item"), [(1,)])

    def test_the_oldest_waiting_message_is_told(self):
        self.put("a", message(1))
        self.put("b", message(2))
        os.utime(self.box + "/new/b", (1600000000, 1600000000))
        answer = self.run_tool("oldest")[0]
        self.assertEqual((answer["count"], answer["received"]), (2, 1600000000 * 1000000))

    def test_a_missing_folder_is_a_failure_of_that_source_only(self):
        self.put("a", message(1))
        self.configure({"gone": {"type": "maildir", "path": self.dir + "/nowhere"},
                        "spool": {"type": "maildir", "path": self.box}})
        report = self.pull(code=69)
        self.assertEqual((report["taken"], report["failed"]), (1, 1))


class Drop(Intake):
    def setUp(self):
        super().setUp()
        self.box = self.dir + "/drop"
        os.makedirs(self.box)
        self.configure({"drop": {"type": "maildir", "layout": "drop", "path": self.box}})

    def put(self, name, text):
        with open(self.box + "/" + name, "w") as out:
            out.write(text)

    def test_mail_and_json_are_taken_and_moved_to_done(self):
        self.put("one.eml", message(1))
        self.put("two.json", json.dumps({"id": "p1", "channel": "eservice", "received": "2023-05-12T00:30:00+02:00",
                                         "form": {"type": "veraenderung", "kind": "umzug"}}))
        self.put("three.txt", "not ours")
        self.assertEqual(self.pull()["taken"], 2)
        self.assertEqual(sorted(os.listdir(self.box)), ["done", "three.txt"])
        self.assertEqual(sorted(os.listdir(self.box + "/done")), ["one.eml", "two.json"])
        channel, received, fields, _ = next(i for i in self.items().values() if i[0] == "eservice")
        self.assertEqual((received, fields["form"]["kind"]), (MAY_12, "umzug"))

    def test_broken_json_becomes_an_item_in_doubt_and_not_a_stop(self):
        self.put("bad.json", '{"id": ')
        self.put("good.json", '{"id": "1"}')
        self.assertEqual(self.pull()["taken"], 2)

    def test_the_same_name_dropped_again_is_a_new_item(self):
        self.put("daily.json", '{"id": "1"}')
        self.pull()
        self.put("daily.json", '{"id": "2"}')
        self.pull()
        self.assertEqual(len(self.items()), 2)
        self.assertEqual(sorted(os.listdir(self.box + "/done")), ["daily.json", "daily.json.1"])


if __name__ == "__main__":
    unittest.main()
