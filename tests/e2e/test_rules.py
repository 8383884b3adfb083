"""rules list|show|table|diff: the law as a page."""
import csv
import io
import unittest

from posteingang import BUNDLE, run


def rules(*arguments):
    return run("rules", *arguments, "--config", BUNDLE)


class Rules(unittest.TestCase):
    def test_the_calendar_names_all_sets(self):
        said = rules("list").stdout.decode()
        for words in ("202001001", "202305004", "02.01.2020", "12.05.2023", "expired"):
            self.assertIn(words, said)

    def test_a_table_is_csv_with_a_heading(self):
        process = rules("table", "202305004", "--format", "csv")
        rows = list(csv.reader(io.StringIO(process.stdout.decode(), newline="")))
        self.assertEqual(process.returncode, 0, process.stderr)
        self.assertGreater(len(rows), 30)
        self.assertEqual({len(row) for row in rows}, {len(rows[0])})

    def test_a_table_is_a_whole_page(self):
        said = rules("table", "202001001", "--html").stdout.decode()
        self.assertIn("<html", said)
        self.assertTrue(said.rstrip().endswith("</html>"))

    def test_one_rule_in_sentences(self):
        said = rules("show", "202001001", "5").stdout.decode()
        self.assertIn("2.4 a)5", said)

    def test_what_a_new_instruction_changes(self):
        process = rules("diff", "202001001", "202305004")
        self.assertEqual(process.returncode, 0, process.stderr)
        self.assertIn("postbox_dialog", process.stdout.decode())

    def test_wrong_words(self):
        self.assertEqual(rules("show", "202001002").returncode, 64)
        self.assertEqual(rules("sing").returncode, 64)
        self.assertEqual(rules("list", "--format", "jsonl").returncode, 64)
        self.assertEqual(rules().returncode, 64)


if __name__ == "__main__":
    unittest.main()
