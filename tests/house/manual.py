"""Manual, README, sample and --help say the same: manual.py SOURCE_DIR BINARY."""
import os
import pathlib
import re
import shutil
import subprocess
import sys
import unittest

SOURCE = pathlib.Path(sys.argv[1])
BINARY = sys.argv[2]


def output(*words):
    return subprocess.run([BINARY, *words], capture_output=True, check=True).stdout.decode()


def overview():
    text = output("--help")
    return re.findall(r"^  ([a-z]+) +\S", text.split("Commands:")[1], re.M)


class Manual(unittest.TestCase):
    def test_generated_parts_are_as_the_tables_of_the_program(self):
        done = subprocess.run([SOURCE / "script/man", "--check", BINARY], capture_output=True, check=False)
        self.assertEqual(done.returncode, 0, done.stderr.decode())

    def test_every_command_of_the_help_has_its_paragraph_in_the_manual(self):
        text = (SOURCE / "docs/man/posteingang.1").read_text()
        self.assertEqual(overview(), re.findall(r"^\.Ss ([a-z]+)$", text, re.M))

    def test_every_option_of_a_command_stands_in_its_help_and_in_the_manual(self):
        text = (SOURCE / "docs/man/posteingang.1").read_text()
        for command in overview():
            shown = re.findall(r"^  --([a-z-]+)", output(command, "--help"), re.M)
            part = text.split(f"\n.Ss {command}\n")[1].split("\n.Ss ")[0].split("\n.Sh ")[0]
            told = re.findall(r"^\.It Fl Fl ([a-z-]+)", part, re.M)
            self.assertEqual([name for name in shown if name != "help"], told, command)

    def test_what_the_readme_tells_to_type_exists(self):
        known = set(overview())
        for name in ["README.md", "docs/examples/single/posteingang.yaml", "docs/examples/cluster/posteingang.yaml"]:
            text = (SOURCE / name).read_text()
            for command in re.findall(r"posteingang ([a-z]+)(?: |`|$|\n)", text):
                if command in {"takes", "says"}:
                    continue
                self.assertIn(command, known, f"{name} speaks of `posteingang {command}`")

    def test_the_manual_is_well_formed(self):
        if not shutil.which("mandoc"):
            if os.environ.get("CI"):
                self.fail("mandoc is missing")
            self.skipTest("mandoc is missing")
        pages = sorted(str(page) for page in (SOURCE / "docs/man").iterdir())
        done = subprocess.run(["mandoc", "-Tlint", "-Wwarning", *pages], capture_output=True, check=False)
        self.assertEqual(done.stdout.decode(), "")


unittest.main(argv=sys.argv[:1])
