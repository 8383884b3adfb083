"""explain: what was decided, on what evidence, under which rule; and what another day would have meant."""
import json
import unittest

from installation import Installation, form
from posteingang import BUNDLE, run

MAIL = """\
From: Anna Kunde <a.kunde@example.org>
To: service@agentur.example.org
Subject: Umzug
Content-Type: text/plain; charset=utf-8

Guten Tag, ich bin umgezogen. Meine neue Adresse: Görresstraße 17, 53113 Bonn.
"""


class Explain(unittest.TestCase):
    def setUp(self):
        self.home = Installation()
        self.addCleanup(self.home.__exit__)
        self.file = self.home.folder / "item.json"
        self.file.write_text(json.dumps(form("x", "umzug")))

    def explain(self, *arguments):
        return run("explain", "--config", BUNDLE, *arguments)

    def test_a_form_is_told_with_rules_and_citations(self):
        process = self.explain(self.file)
        self.assertEqual(process.returncode, 0, process.stderr)
        said = process.stdout.decode()
        for words in ("reply email umzug", "rule 4", "202001001 2.4 a)4", "eakte", "rule 5"):
            self.assertIn(words, said)

    def test_a_mail_is_told_with_the_words_that_decided(self):
        mail = self.home.folder / "item.eml"
        mail.write_text(MAIL)
        process = self.explain(mail, "--received", "2024-03-05")
        self.assertEqual(process.returncode, 0, process.stderr)
        said = process.stdout.decode()
        self.assertRegex(said, r'body \d+\+9 .* "umgezogen"')
        self.assertIn("received 2024-03-05T12:00:00+01:00", said)

    def test_a_clerk_reads_why_an_item_came_to_him(self):
        self.home.drop(dict(form("early", "umzug"), received="2019-03-05T10:00:00+01:00"))
        self.home.take_in()
        task, = [json.loads(line) for line in self.home.run("task", "list", "--kind", "klaerung", "--format", "jsonl")
                 .stdout.decode().splitlines()]
        said = self.home.run("task", "show", str(task["id"])).stdout.decode()
        self.assertIn("galt noch keine Weisung", said)

    def test_as_of_another_day_side_by_side(self):
        process = self.explain(self.file, "--as-of", "2023-02-01")
        said = process.stdout.decode()
        self.assertIn("as of 2023-02-01", said)
        self.assertIn("(expired)", said)
        process = self.explain(self.file, "--as-of", "2019-12-31", "--format", "jsonl")
        told = json.loads(process.stdout)
        self.assertTrue(told["decision_as_of"]["doubt"])
        self.assertFalse(told["decision"]["doubt"])

    def test_says_why_something_was_not_done(self):
        told = json.loads(self.explain(self.file, "--format", "jsonl").stdout)
        self.assertTrue(told["why"])
        self.assertIn("not", self.explain(self.file).stdout.decode().lower())

    def test_terminal_sequences_in_a_message_are_harmless(self):
        self.file.write_text(json.dumps({"id": "x", "channel": "email", "received": "2024-03-05",
                                         "subject": "Umzug \u001b[2J\u001b]0;x\u0007", "body": "neue Adresse"}))
        process = self.explain(self.file)
        self.assertNotIn(b"\033", process.stdout)

    def test_bad_words_and_bad_files(self):
        self.assertEqual(self.explain(self.file, "--as-of", "gestern").returncode, 64)
        self.assertEqual(self.explain(self.home.folder / "none.json").returncode, 65)
        self.file.write_text("{")
        self.assertEqual(self.explain(self.file).returncode, 65)

    def test_an_item_is_told_as_it_was_decided(self):
        self.home.drop(form("a", "umzug"))
        self.home.take_in()
        process = self.home.run("explain", "1")
        self.assertEqual(process.returncode, 0, process.stderr)
        self.assertIn("reply email umzug", process.stdout.decode())
        told = json.loads(self.home.run("explain", "1", "--format", "jsonl").stdout)
        [decision] = [told["decision"]]
        self.assertEqual(decision["id"], told["item"])

    def test_an_item_that_is_not_there(self):
        self.home.drop(form("a", "umzug"))
        self.home.take_in()
        self.assertEqual(self.home.run("explain", "77").returncode, 65)


if __name__ == "__main__":
    unittest.main()
