"""check: every mistake with its place, all at once; what breaks the invariants is no configuration."""
import unittest

from installation import Installation
from posteingang import BUNDLE, run


class Check(unittest.TestCase):
    def setUp(self):
        self.home = Installation()
        self.addCleanup(self.home.__exit__)

    def test_the_shipped_bundle_passes(self):
        process = run("check", "--config", BUNDLE)
        self.assertEqual(process.returncode, 0, process.stderr)
        self.assertRegex(process.stdout.decode(), r"bundle [0-9a-f]{64}\nengine [0-9a-f]{64}\n")

    def test_the_shipped_bundle_has_no_warnings(self):
        process = run("check", "--strict", "--config", BUNDLE)
        self.assertEqual((process.returncode, process.stderr), (0, b""))

    def test_a_deployment_passes(self):
        process = self.home.run("check")
        self.assertEqual(process.returncode, 0, process.stderr)

    def test_a_file_that_cannot_be_read_is_wrong_configuration(self):
        self.home.file.unlink()
        self.home.file.symlink_to("/proc/self/mem")
        process = self.home.run("check")
        self.assertEqual(process.returncode, 78, process.stderr)
        self.assertIn(b"posteingang.yaml", process.stderr)

    def test_all_mistakes_of_deployment_and_bundle_at_once(self):
        self.home.file.write_text(self.home.file.read_text() + "limts: {batch: 5}\nlimits: {batch: many}\n")
        self.home.copy_bundle("broken", ("contact_codes.yaml", "rechtskreis: sgb2", "rechtskreis: sgb7"),
                              ("catalogue.yaml", "payment: yes", "payment: maybe"))
        self.home.file.write_text(self.home.file.read_text().replace("bundle: bundle", "bundle: broken"))
        process = self.home.run("check")
        said = process.stderr.decode()
        self.assertEqual(process.returncode, 78, said)
        self.assertRegex(said, r"posteingang\.yaml:\d+:\d+: error: .*limts.*\n")
        self.assertIn("did you mean", said)
        for file in ("posteingang", "contact_codes", "catalogue"):
            self.assertRegex(said, rf"{file}\.yaml:\d+:\d+: error: ")

    def test_a_widened_reply_breaks_an_invariant(self):
        rules = self.home.bundle / "rulesets" / "202001001.yaml"
        head, rest = rules.read_text().split("\nrules:\n")
        self.assertIn("concern: [ortsabwesenheit, umzug], channel: postbox", rest)
        rest = rest.replace("concern: [ortsabwesenheit, umzug], channel: postbox", "channel: postbox")
        rules.write_text(head + "\nrules:\n" + rest)
        process = self.home.run("check")
        self.assertEqual(process.returncode, 78)
        self.assertRegex(process.stderr.decode(), r"202001001\.yaml:\d+:\d+: error: ")
        self.assertIn("antwort", process.stderr.decode())

    def test_a_template_that_a_rule_asks_for_is_missed(self):
        (self.home.bundle / "templates" / "umzug.txt").unlink()
        process = self.home.run("check")
        self.assertEqual(process.returncode, 78)
        self.assertRegex(process.stderr.decode(), r"templates/umzug\.txt: error: missing.*rule")
        self.assertEqual(self.home.run("activate", self.home.bundle).returncode, 78)

    def test_a_term_that_fails_its_own_test_is_an_error_at_its_place(self):
        terms = sorted((self.home.bundle / "classifiers").glob("terms_*.yaml"))
        self.assertTrue(terms)
        text = terms[0].read_text()
        self.assertIn("tests:", text)
        head, tests = text.split("tests:", 1)
        terms[0].write_text(head + "tests:\n  - {text: Guten Tag alles bestens, expect: [umzug]}\n" + tests.lstrip("\n"))
        process = self.home.run("check")
        self.assertEqual(process.returncode, 78, process.stderr)
        self.assertRegex(process.stderr.decode(), rf"{terms[0].name}:\d+:\d+: error: ")

    def test_notes_are_shown_when_asked_for(self):
        self.assertEqual(run("check", "--config", BUNDLE).stderr, b"")
        self.assertIn(b"note:", run("check", "--notes", "--config", BUNDLE).stderr)

    def test_a_folder_that_is_no_bundle(self):
        self.home.file.write_text("bundle: drop\n")
        self.assertEqual(self.home.run("check").returncode, 78)

    def test_a_file_that_is_not_there(self):
        self.assertEqual(run("check", "--config", self.home.folder / "none.yaml").returncode, 78)


if __name__ == "__main__":
    unittest.main()
