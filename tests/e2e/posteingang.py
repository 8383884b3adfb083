"""Running the program in tests: POSTEINGANG names the binary, every run is bounded in time."""
import json
import os
import pathlib
import subprocess
import tempfile
import threading

SOURCE = pathlib.Path(__file__).resolve().parent.parent.parent
BINARY = os.environ.get("POSTEINGANG", str(SOURCE / "build" / "debug" / "posteingang"))
BUNDLE = pathlib.Path(os.environ.get("POSTEINGANG_BUNDLE", SOURCE / "config"))


def run(*arguments, stdin=b"", env=None, timeout=300):
    """The finished process; stdout and stderr as bytes."""
    environment = dict(os.environ, **(env or {}))
    environment.pop("POSTEINGANG_CONFIG", None)
    environment.update(env or {})
    if isinstance(stdin, str):
        stdin = stdin.encode()
    return subprocess.run([BINARY, *map(str, arguments)], input=stdin, capture_output=True, env=environment,
                          timeout=timeout, check=False)


def run_measured(*arguments, timeout=7200):
    """Like run(), and the largest memory of that very process in MiB."""
    with tempfile.TemporaryFile() as out, tempfile.TemporaryFile() as errors:
        process = subprocess.Popen([BINARY, *map(str, arguments)], stdout=out, stderr=errors)
        killer = threading.Timer(timeout, process.kill)
        killer.start()
        _, status, usage = os.wait4(process.pid, 0)
        killer.cancel()
        process.returncode = os.waitstatus_to_exitcode(status)
        out.seek(0)
        errors.seek(0)
        done = subprocess.CompletedProcess(process.args, process.returncode, out.read(), errors.read())
    return done, usage.ru_maxrss // 1024


def lines(process):
    """Standard output as JSON objects; fails with what the program said if it is not JSON Lines."""
    try:
        return [json.loads(line) for line in process.stdout.decode().splitlines()]
    except ValueError as error:
        raise AssertionError(f"{error}: {process.stdout[:300]!r} {process.stderr[:300]!r}") from error


def classify(items, *arguments, config=BUNDLE):
    """Decides a list of items (dicts) in one run."""
    text = "".join(json.dumps(item, ensure_ascii=False) + "\n" for item in items)
    process = run("classify", "--config", config, *arguments, stdin=text)
    return lines(process), process
