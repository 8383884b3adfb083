"""script/demo shows every rule at work, on all three channels and in all times."""
import os
import pathlib
import re
import shutil
import subprocess
import tempfile
import unittest

from posteingang import BINARY, SOURCE

# Samples whose decision a reader of the demo looks for: name → what must be among the actions.
EXPECTED = {
    "101-arbeitsuchend-2021": ["call (3)", "task registration (3)"],
    "102-ortsabwesenheit-2024": ["reply (R)", "task process_notice (H)"],
    "104-umzug-pzzv": ["eakte (5)", "reply (R)"],
    "106-konto-2026": ["eakte (5)", "task fraud_check (Z)"],
    "108-name-pzzv-2024": ["eakte (5)", "task pzzv_steps (N)"],
    "114-stand-alg-vollstaendig": ["ticket (1)"],
    "116-stand-alg-bearbeitet": ["none (1)"],
    "117-kindergeld": ["forward (F)", "ticket (F)"],
    "119-erledigt-2022": ["none (6)"],
    "120-erledigt-unbekannt": ["task process_notice (H)"],
    "121-erledigt-luecke": ["task confirm_resolved (6)"],
    "122-bounce": ["none (M)"],
    "126-arbeitslosmeldung": ["task arbeitslosmeldung_urgent (Z)"],
    "127-vollmacht": ["task representative (B)"],
    "128-zwei-nummern": ["klaerung (B)"],
    "132-anschrift-passt-nicht": ["klaerung (A)"],
    "133-vor-2020": ["klaerung (C)", "eakte (C)"],
    "201-frage-2024": ["task postbox_dialog (P)"],
    "202-frage-2022": ["call (P)"],
    "204-frage-mailwunsch": ["klaerung (P)"],
    "301-registrierung-vollstaendig": ["call (2)", "task registration (2)"],
    "302-registrierung-nur-schulbildung-fehlt": ["task registration (2)"],
    "305-registrierung-internetperson-2022": ["task account_check (I)"],
    "309-ortsabwesenheit": ["reply (4)", "archive (4)"],
    "313-umzug-ohne-adresse": ["task reply_draft (4)"],
    "319-unbekannte-art": ["klaerung (D)", "eakte (5)"],
}


class Demo(unittest.TestCase):
    @classmethod
    def setUpClass(cls):
        cls.folder = pathlib.Path(tempfile.mkdtemp(prefix="pe-demo-"))
        cls.addClassCleanup(shutil.rmtree, cls.folder)
        cls.before = cls.checkout()
        done = subprocess.run([SOURCE / "script/demo", BINARY], capture_output=True, timeout=600, check=False,
                              env=dict(os.environ, DEMO_DIR=str(cls.folder / "demo")))
        cls.text, cls.code, cls.words = done.stdout.decode(), done.returncode, done.stderr.decode()
        cls.actions = dict(re.findall(r"^\d{4}-\d\d-\d\d  (\S+) .*\n +→ (.*)$", cls.text, re.M))

    @staticmethod
    def checkout():
        return sorted(path.name for path in (SOURCE / "docs/demo").rglob("*"))

    def test_it_ends_well_and_accounts_for_every_item(self):
        self.assertEqual(self.code, 0, self.words)
        self.assertIn("every item is accounted for", self.text)

    def test_it_has_items_enough_of_every_channel(self):
        counts = [len([name for name in self.actions if name[0] == digit]) for digit in "123"]
        self.assertGreaterEqual(sum(counts), 60)
        self.assertTrue(all(n >= 15 for n in counts), counts)

    def test_every_rule_is_seen_at_work(self):
        rules = set(re.findall(r"\((\w+)\)", " ".join(self.actions.values())))
        self.assertLessEqual(set("ABDFHIMNPRZ123456"), rules)

    def test_the_samples_are_decided_as_told(self):
        for name, wanted in EXPECTED.items():
            for action in wanted:
                self.assertIn(action, self.actions[name], name)

    def test_a_cv_that_lacks_only_schulbildung_drops_the_call(self):
        self.assertNotIn("call", self.actions["302-registrierung-nur-schulbildung-fehlt"])

    def test_nothing_but_words_goes_to_a_pipe(self):
        self.assertNotIn("\x1b", self.text)

    def test_the_checkout_is_left_as_it_was(self):
        self.assertEqual(self.checkout(), self.before)


if __name__ == "__main__":
    unittest.main()
