"""activate and replay over real history: what changes, what is refused, and that dry and real run agree."""
import json
import unittest

from installation import Installation, form
from posteingang import lines

CODE = ("contact_codes.yaml", '"3030"', '"3930"')
# What nobody knew as a kind becomes one that touches no payment.
LOSS = ("catalogue.yaml", "[sonstiges Anliegen,", "[Raumfahrt, sonstiges Anliegen,")


class Replay(unittest.TestCase):
    def setUp(self):
        self.home = Installation()
        self.addCleanup(self.home.__exit__)
        self.home.drop(form("a", "arbeitsaufnahme"), form("b", "umzug"), form("c", "Raumfahrt"),
                       form("d", "ortsabwesenheit", **{"from": "2024-04-01", "to": "2024-04-05"}))
        self.home.take_in()

    def replay(self, *changes, options=()):
        candidate = self.home.copy_bundle("candidate", *changes)
        return self.home.run("replay", "--candidate", candidate, "--format", "jsonl", *options)

    def test_the_active_bundle_gives_identical_bytes(self):
        process = self.replay()
        self.assertEqual((process.returncode, process.stdout), (0, b""), process.stderr)
        self.assertIn(b"4 items: 4 identical", process.stderr)

    def test_a_change_is_told_by_kind_with_samples(self):
        process = self.replay(CODE)
        self.assertEqual(process.returncode, 0, process.stderr)
        [change] = lines(process)
        self.assertEqual((change["change"], change["items"], change["eakte_lost"]), ("contact_code", 1, 0))
        self.assertEqual(len(change["samples"]), 1)

    def test_what_would_leave_the_eakte_is_named_and_exits_1(self):
        process = self.replay(LOSS)
        self.assertEqual(process.returncode, 1, process.stderr)
        self.assertIn(b"1 payment-relevant items would leave the eAkte", process.stderr)
        self.assertIn(1, [c["eakte_lost"] for c in lines(process) if c["change"] == "-eakte"])

    def test_two_runs_print_the_same_bytes(self):
        self.assertEqual(self.replay(CODE).stdout,
                         self.home.run("replay", "--candidate", self.home.folder / "candidate", "--format",
                                       "jsonl").stdout)

    def test_since_leaves_older_items_out(self):
        process = self.replay(CODE, options=["--since", "2024-03-06"])
        self.assertEqual((process.returncode, process.stdout), (0, b""))
        self.assertEqual(self.home.run("replay", "--candidate", self.home.bundle, "--since", "x").returncode, 64)

    def test_it_goes_on_where_it_stopped(self):
        note = self.home.folder / "note.json"
        first = self.replay(CODE, options=["--resume", note])
        report = json.loads(note.read_text())["report"]
        self.assertEqual(report["items"], 4)
        self.home.drop(form("e", "arbeitsaufnahme"))
        self.home.take_in()
        second = self.home.run("replay", "--candidate", self.home.folder / "candidate", "--format", "jsonl",
                               "--resume", note)
        self.assertEqual(lines(first)[0]["items"], 1)
        self.assertEqual(lines(second)[0]["items"], 2)
        other = self.home.run("replay", "--candidate", self.home.bundle, "--resume", note)
        self.assertEqual(other.returncode, 65)

    def test_activate_refuses_what_would_leave_the_eakte(self):
        candidate = self.home.copy_bundle("candidate", LOSS)
        process = self.home.run("activate", candidate)
        self.assertEqual((process.returncode, process.stdout), (1, b""), process.stderr)
        self.assertIn(b"would leave the eAkte", process.stderr)
        name = next(l.split()[0] for l in process.stderr.decode().splitlines() if "would leave" in l)
        process = self.home.run("activate", candidate, "--accept", name)
        self.assertEqual(process.returncode, 0, process.stderr)

    def test_activate_takes_what_only_changes_a_code(self):
        process = self.home.run("activate", self.home.copy_bundle("candidate", CODE))
        self.assertEqual(process.returncode, 0, process.stderr)
        hash_ = process.stdout.decode().split()[-1]
        self.home.drop(form("e", "arbeitsaufnahme"))
        self.home.take_in()
        told = json.loads(self.home.run("explain", "5", "--format", "jsonl").stdout)
        self.assertEqual(told["decision"]["contact_code"], "3930")
        self.assertEqual(told["decision"]["bundle"], hash_)

    def test_activate_refuses_a_broken_bundle_with_its_place(self):
        broken = self.home.copy_bundle("broken", ("catalogue.yaml", "priority: 130", "priority: high"))
        process = self.home.run("activate", broken)
        self.assertEqual((process.returncode, process.stdout), (78, b""))
        self.assertRegex(process.stderr.decode(), r"catalogue\.yaml:\d+:\d+: error: ")

    def test_reprocess_decides_again_and_repeats_no_effect(self):
        self.home.run("activate", self.home.copy_bundle("candidate", CODE))
        self.assertEqual(self.home.run("reprocess", "1").returncode, 64)
        process = self.home.run("reprocess", "1", "--reason", "Kontaktcode")
        self.assertEqual(process.returncode, 0, process.stderr)
        self.home.take_in()
        told = json.loads(self.home.run("explain", "1", "--format", "jsonl").stdout)
        self.assertIn(told["decision"]["contact_code"], ("3930", "3021", "3090", "3020"))
        self.assertEqual(self.home.run("reprocess", "999", "--reason", "x").returncode, 65)


if __name__ == "__main__":
    unittest.main()
