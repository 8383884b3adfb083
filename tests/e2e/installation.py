"""A small installation in a folder of its own: SQLite journal, one drop folder, sinks that write to folders."""
import json
import pathlib
import shutil
import tempfile

from posteingang import BUNDLE, run

DEPLOYMENT = """\
bundle: bundle
journal: {journal}
sources:
  drop: {{type: maildir, path: drop, layout: drop}}
log: {{level: warning}}
{extra}"""


class Installation:
    """`with Installation() as home:` … removed at the end. `journal`: the section of the deployment file."""

    def __init__(self, extra="", journal="{path: journal.db}"):
        self.folder = pathlib.Path(tempfile.mkdtemp(prefix="posteingang-"))
        self.file = self.folder / "posteingang.yaml"
        self.bundle = self.copy_bundle("bundle")
        (self.folder / "drop").mkdir()
        self.file.write_text(DEPLOYMENT.format(extra=extra, journal=journal))

    def __enter__(self):
        return self

    def __exit__(self, *_):
        shutil.rmtree(self.folder)

    def copy_bundle(self, name, *changes):
        """The shipped bundle under another name, with (path, old, new) replaced."""
        folder = self.folder / name
        shutil.copytree(BUNDLE, folder, ignore=shutil.ignore_patterns("*.c", "*.h", "CMakeLists.txt", "training"))
        for path, old, new in changes:
            text = (folder / path).read_text()
            assert old in text, f"{path} has no {old!r}"
            (folder / path).write_text(text.replace(old, new))
        return folder

    def drop(self, *items):
        for item in items:
            (self.folder / "drop" / f"{item['id']}.json").write_text(json.dumps(item, ensure_ascii=False))

    def run(self, command, *arguments, **options):
        return run(command, "--config", self.file, *arguments, **options)

    def take_in(self):
        """Pulls and decides what was dropped."""
        for phase in ("pull", "route"):
            process = self.run(phase)
            assert process.returncode == 0, (phase, process)


def form(name, kind, **keys):
    return {"id": name, "channel": "eservice", "received": "2024-03-05T10:00:00+01:00",
            "from_email": f"{name}@example.org", "form": dict({"type": "veraenderung", "kind": kind}, **keys)}
