#!/usr/bin/env python3
"""The rooms of the house: an include points only to the room itself or to one named before it."""
import pathlib
import re
import sys

ROOMS = ["core", "config", "journal", "facts", "intake", "classifiers", "sinks", "cli"]
STRANGERS = [{"intake", "classifiers", "sinks"}]  # they meet in the journal


def allowed(room, target):
    if room == target:
        return True
    if ROOMS.index(target) >= ROOMS.index(room):
        return False
    return not any(room in group and target in group for group in STRANGERS)


def violations(root):
    for room in ROOMS:
        for path in sorted((root / room).rglob("*.[ch]")):
            for number, line in enumerate(path.read_text(encoding="utf-8").splitlines(), 1):
                match = re.match(r'\s*#\s*include\s+"([a-z]+)/', line)
                if match and match[1] in ROOMS and not allowed(room, match[1]):
                    yield f"{path.relative_to(root)}:{number}: {room}/ must not know {match[1]}/"


def self_test():
    """The check itself must be able to fail."""
    assert allowed("cli", "sinks") and allowed("journal", "core")
    assert not allowed("core", "config")
    assert not allowed("sinks", "intake") and not allowed("intake", "classifiers")


def main():
    self_test()
    found = list(violations(pathlib.Path(sys.argv[1])))
    print("\n".join(found) or "all includes point up the list")
    return 1 if found else 0


if __name__ == "__main__":
    sys.exit(main())
