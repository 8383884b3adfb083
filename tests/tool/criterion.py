#!/usr/bin/python3
"""criterion.py COMMAND…: runs a Criterion program and says whether it really passed.

Criterion passes a test whose process leaks, and a run that tested nothing. Here both fail, and so does what UBSan
prints. Leaks that Criterion's own runner makes (first caller within libcriterion, none of ours) do not count:
they come and go with its scheduling.
"""
import os
import re
import subprocess
import sys

SKIPPED = 77
ALLOCATOR = re.compile(r"#\d+ 0x\w+ in (?:__interceptor_)?(?:malloc|calloc|realloc|strdup)\b")


def leaks(text):
    """Each leak as the list of its frames."""
    for block in re.split(r"^(?:Direct|Indirect) leak of .*$", text, flags=re.M)[1:]:
        frames = [line.strip() for line in block.split("\n\n")[0].splitlines() if re.match(r"\s+#\d", line)]
        yield [frame for frame in frames if not ALLOCATOR.search(frame)]


def is_criterions(frames):
    return bool(frames) and all("/libcriterion.so" in frame or "/libc.so" in frame for frame in frames)


def verdict(code, text):
    """Exit code of a run that ended with `code` and printed `text`; 0: it passed."""
    if code == SKIPPED:
        return SKIPPED
    if "Tested: 0 " in text or "runtime error:" in text:
        return 1
    if "LeakSanitizer" in text:
        if not all(is_criterions(frames) for frames in leaks(text)):
            return 1
        return 0 if "Failing: 0 | Crashing: 0" in text else 1  # the leak itself made the exit code
    return code


def self_test():
    theirs = "==1==ERROR: LeakSanitizer: x\n\nDirect leak of 48 byte(s) in 1 object(s) allocated from:\n" \
             "    #0 0x7f in __interceptor_calloc a.cpp:77\n    #1 0x7f  (/lib/libcriterion.so.3+0x1a332)\n\n"
    ours = theirs.replace("(/lib/libcriterion.so.3+0x1a332)", "in db_open /x/db.c:41")
    unknown = theirs.replace("    #1 0x7f  (/lib/libcriterion.so.3+0x1a332)\n", "    #1 0x7f in g_malloc (/lib/libglib.so)\n")
    passed, failed = "Tested: 2 | Passing: 2 | Failing: 0 | Crashing: 0\n", "Tested: 2 | Passing: 1 | Failing: 1 | Crashing: 0\n"
    assert verdict(1, passed + theirs) == 0 and verdict(1, failed + theirs) == 1
    assert verdict(1, passed + ours) == 1 and verdict(0, passed + ours) == 1
    assert verdict(0, passed + unknown) == 1 and verdict(1, passed + theirs + ours) == 1
    assert verdict(1, failed) == 1 and verdict(0, passed) == 0
    assert verdict(0, "Tested: 0 | Passing: 0") == 1 and verdict(0, "a.c:1: runtime error: x") == 1
    assert verdict(0, "Tested: 10 | Passing: 10") == 0 and verdict(77, "") == 77
    print("verdicts as expected")


def main(command):
    if command == ["--self-test"]:
        self_test()
        return 0
    environment = dict(os.environ, ASAN_OPTIONS="detect_leaks=1")
    with subprocess.Popen(command, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, env=environment) as process:
        lines = []
        for line in process.stdout:
            sys.stdout.buffer.write(line)
            sys.stdout.flush()
            lines.append(line.decode(errors="replace"))
    return verdict(process.returncode, "".join(lines))


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
