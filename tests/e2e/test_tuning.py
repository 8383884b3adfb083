"""evaluate, train, suggest and terms: the tools of who tunes the classifier."""
import json
import pathlib
import unittest

from installation import Installation, form
from posteingang import BUNDLE, lines, run

FIXTURES = pathlib.Path(__file__).resolve().parent.parent / "fixtures" / "german"
LABELS = [
    ("1", "Neue Adresse", "Ich bin umgezogen, meine neue Adresse lautet Hauptstr. 1, 50667 Köln.", ["umzug"]),
    ("2", "Neues Konto", "Meine neue IBAN lautet DE02 1203 0000 0000 2020 51.", ["zahlungsverbindung"]),
    ("3", "Krank", "Ich bin seit gestern krankgeschrieben, die Bescheinigung liegt bei.", ["arbeitsunfaehigkeit"]),
    ("4", "Termin", "Können wir den Termin am Dienstag verschieben?", ["sonstiges"]),
]


def label(id_, subject, body, concerns):
    return {"id": id_, "channel": "email", "received": "2024-03-05", "from_email": "a@example.org", "subject": subject,
            "body": body, "concerns": concerns, "optional": [], "third_party": False, "resolved": False,
            "difficulty": "easy", "why": "x"}


class Tuning(unittest.TestCase):
    def setUp(self):
        self.home = Installation()
        self.addCleanup(self.home.__exit__)
        self.labels = self.home.folder / "labels.jsonl"
        self.labels.write_text("".join(json.dumps(label(*l)) + "\n" for l in LABELS))


    def test_evaluate_prints_figures_and_one_line_a_message(self):
        process = run("evaluate", self.labels, "--config", BUNDLE)
        self.assertEqual(process.returncode, 0, process.stderr)
        self.assertIn("umzug", process.stdout.decode())
        found = lines(run("evaluate", self.labels, "--config", BUNDLE, "--format", "jsonl"))
        self.assertEqual([f["id"] for f in found], ["1", "2", "3", "4"])
        self.assertGreater(found[0]["scores"]["umzug"], found[0]["scores"]["zahlungsverbindung"])
        self.assertTrue(all(0 <= score <= 1000000 for f in found for score in f["scores"].values()))

    def test_evaluate_prints_a_full_score_as_one(self):
        self.labels.write_text(json.dumps(label(*LABELS[1])) + "\n")
        process = run("evaluate", self.labels, "--config", BUNDLE)
        row, = [l.split() for l in process.stdout.decode().splitlines() if l.startswith("all concerns")]
        self.assertEqual(row[-3:], ["1.000", "1.000", "1.000"])

    def test_labels_that_are_not_there_are_bad_input(self):
        for command in ("evaluate", "suggest"):
            process = run(command, self.home.folder / "none.jsonl", "--config", BUNDLE)
            self.assertEqual(process.returncode, 65, process.stderr)
            self.assertIn(b"No such file", process.stderr)

    def test_evaluate_writes_a_page_of_its_own(self):
        page = self.home.folder / "page.html"
        process = run("evaluate", self.labels, "--config", BUNDLE, "--html", page)
        self.assertEqual(process.returncode, 0, process.stderr)
        text = page.read_text()
        self.assertIn("<svg", text)
        self.assertNotIn("<script", text)

    def test_evaluate_compares_two_bundles(self):
        other = self.home.copy_bundle("other")
        process = run("evaluate", self.labels, "--config", BUNDLE, "--compare", other)
        self.assertEqual(process.returncode, 0, process.stderr)

    def test_bad_labels_are_told_with_their_line(self):
        self.labels.write_text(self.labels.read_text() + json.dumps(label("5", "x", "y", ["raumfahrt"])) + "\n")
        process = run("evaluate", self.labels, "--config", BUNDLE)
        self.assertEqual(process.returncode, 65)
        self.assertIn("5", process.stderr.decode())

    def test_suggest_proposes_terms(self):
        process = run("suggest", self.labels, "--config", BUNDLE, "--format", "csv")
        self.assertEqual(process.returncode, 0, process.stderr)
        self.assertTrue(process.stdout.startswith(b"concern,term,gain,"))

    def test_terms_test_shows_hits_with_offsets(self):
        process = run("terms", "test", "Ich bin umgezogen.", "--config", BUNDLE)
        self.assertEqual(process.returncode, 0, process.stderr)
        self.assertRegex(process.stdout.decode(), r"8 +9 +term +umgezogen")

    def test_terms_hot_and_unused_count_over_history(self):
        self.home.drop(form("a", "umzug", text="Ich bin umgezogen, bitte notieren Sie die neue Adresse."))
        self.home.take_in()
        hot, unused = self.home.run("terms", "hot"), self.home.run("terms", "unused")
        self.assertEqual((hot.returncode, unused.returncode), (0, 0), hot.stderr + unused.stderr)
        self.assertIn("umgezogen", hot.stdout.decode())
        self.assertNotIn("notieren", hot.stdout.decode())

    def test_wrong_words(self):
        for words in (["terms", "sing"], ["terms", "test"], ["terms", "hot", "x"], ["terms", "hot", "--max", "0"],
                      ["suggest", self.labels, "--max", "x"], ["evaluate", self.labels, "--format", "csv"],
                      ["evaluate", self.labels, "--model", "x"]):
            self.assertEqual(self.home.run(words[0], *words[1:]).returncode, 64, words)


class Unseen(unittest.TestCase):
    """Plain messages of writers that no model was trained on."""

    def test_plain_words_of_unknown_writers_are_understood(self):
        for name, most_errors in (("plain_short", 45), ("plain_formal", 65)):
            with self.subTest(name):
                found = lines(run("evaluate", FIXTURES / f"{name}.jsonl", "--config", BUNDLE, "--format", "jsonl"))
                self.assertEqual(len(found), 220)
                self.assertLessEqual(sum(f["errors"] for f in found), most_errors)
                self.assertLessEqual(sum(f["missed_payment"] for f in found), 4)
                self.assertEqual(sum(f["wrong_reply"] for f in found), 0)


class Train(unittest.TestCase):
    def test_the_same_labels_give_the_same_model_and_it_loads(self):
        with Installation() as home:
            labels = home.folder / "labels"
            labels.mkdir()
            source = pathlib.Path(BUNDLE) / "training"
            rows = sorted(source.glob("*.jsonl"))[0].read_text().splitlines(keepends=True)[:80]
            (labels / "one.jsonl").write_text("".join(rows[:40]))
            (labels / "two.jsonl").write_text("".join(rows[40:]))
            first = run("train", labels, "--config", home.bundle, "--output", home.folder / "a.model")
            second = run("train", labels, "--config", home.bundle)
            self.assertEqual((first.returncode, second.returncode), (0, 0), first.stderr + second.stderr)
            model = home.bundle / "classifiers" / "concerns.model"
            self.assertEqual((home.folder / "a.model").read_bytes(), model.read_bytes())
            process = run("evaluate", labels, "--config", home.bundle, "--cross-validate", "--model", home.folder / "b.model")
            self.assertEqual(process.returncode, 0, process.stderr)
            self.assertEqual((home.folder / "b.model").read_bytes(), model.read_bytes())


if __name__ == "__main__":
    unittest.main()
