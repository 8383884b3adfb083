"""Every deployment file that we ship is taken by `check` as it stands, once its secrets are there."""
import pathlib
import re
import shutil
import tempfile
import unittest

from posteingang import SOURCE, run

FILES = ["docs/examples/single/posteingang.yaml", "docs/examples/cluster/posteingang.yaml",
         "docs/examples/cluster/owner.yaml", "docs/examples/cluster/clerk.yaml", "docs/demo/posteingang.yaml",
         "docker/deployment/posteingang.yaml", "docker/deployment/owner.yaml"]


class Examples(unittest.TestCase):
    def setUp(self):
        self.folder = pathlib.Path(tempfile.mkdtemp(prefix="pe-examples-"))
        self.addCleanup(shutil.rmtree, self.folder)

    def secret(self, match):
        path = self.folder / pathlib.Path(match.group(2)).name
        signing = "signing" in path.name
        if signing:
            path.unlink(missing_ok=True)
            self.assertEqual(run("keys", "new", "--name", "test.example", path).returncode, 0)
        else:
            path.write_text("0123456789abcdef")
        path.chmod(0o600)
        return f"{match.group(1)}_file: {path}"

    def check(self, name):
        text = (SOURCE / name).read_text()
        text = re.sub(r"(?m)^(?!#)(\s*\w+)_file: (\S+)", self.secret, text)
        file = self.folder / "posteingang.yaml"
        file.write_text(text)
        done = run("check", "--config", file)
        self.assertEqual(done.returncode, 0, done.stderr.decode())

    def test_all_of_them(self):
        for name in FILES:
            with self.subTest(name):
                self.check(name)

    def test_no_example_is_forgotten(self):
        found = [str(path.relative_to(SOURCE)) for folder in ("docs/examples", "docker/deployment")
                 for path in (SOURCE / folder).rglob("*.yaml")]
        self.assertEqual(sorted(found + ["docs/demo/posteingang.yaml"]), sorted(FILES))


if __name__ == "__main__":
    unittest.main()
