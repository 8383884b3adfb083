#!/usr/bin/env python3
"""No file over 800 lines, no function over 80 (a brace alone in column 0 opens and closes one)."""
import pathlib
import sys

ROOMS = ["core", "config", "journal", "facts", "intake", "classifiers", "sinks", "cli"]
FILE_MAX, FUNCTION_MAX = 800, 80


def findings(path, text):
    lines = text.splitlines()
    if len(lines) > FILE_MAX:
        yield f"{path}: {len(lines)} lines"
    start = None
    for number, line in enumerate(lines, 1):
        if line == "{":
            start = number
        elif line == "}" and start:
            if number - start - 1 > FUNCTION_MAX:
                yield f"{path}:{start}: a function of {number - start - 1} lines"
            start = None


def main():
    root = pathlib.Path(sys.argv[1])
    assert list(findings("x.c", "{\n" + "x;\n" * 81 + "}\n")), "the check must be able to fail"
    found = [f for room in ROOMS for path in sorted((root / room).rglob("*.[ch]"))
             for f in findings(path.relative_to(root), path.read_text(encoding="utf-8"))]
    print("\n".join(found) or "all files and functions within bounds")
    return 1 if found else 0


if __name__ == "__main__":
    sys.exit(main())
