"""We beside content matchers of Debian, on the same mails in one run: rspamd with a multimap of 2,000 terms and
Pigeonhole's sieve-filter with 100 body rules. bench_peers.py PROGRAM FOLDER [MAILS [BYTES]]. Prints mails a second and
ratios; what is not installed or fails is said and left out.

We do the whole routing path (decode, classify, decide, log, store durably; SQLite), they match bodies and store nothing.
Each gets one worker on the same core.
"""
import json
import os
import pathlib
import re
import shutil
import socket
import subprocess
import sys
import time

PROGRAM = sys.argv[1]
FOLDER = pathlib.Path(sys.argv[2]).resolve()
MAILS = int(sys.argv[3]) if len(sys.argv) > 3 else 2000
BYTES = int(sys.argv[4]) if len(sys.argv) > 4 else 10240
SOURCE = pathlib.Path(__file__).resolve().parent.parent.parent
sys.path.insert(0, str(SOURCE / "tests/e2e"))
import samples

GOAL = 10
ONE = ["taskset", "-c", "0"] if shutil.which("taskset") else []  # each of us gets the same core


def terms(n):
    """Pairs of words out of the training texts: what a term list of this office would hold."""
    found = {}
    for path in sorted((SOURCE / "config/training").glob("*.jsonl")):
        for line in path.read_text().splitlines():
            words = re.findall(r"[a-zäöüß]{4,14}", (json.loads(line).get("body") or "").lower())
            found.update(dict.fromkeys(f"{a} {b}" for a, b in zip(words, words[1:])))
    return list(found)[:n]


def mails(box):
    for name in ("cur", "new", "tmp"):
        (box / name).mkdir(parents=True)
    filler = "Das Wetter war in den letzten Wochen wechselhaft, aber das wissen Sie sicher selbst. ".encode()
    for n in range(MAILS):
        mail = samples.mail(n)
        raw = mail + filler * ((BYTES - len(mail)) // len(filler)) + b"\r\n"
        path = box / "new" / f"{int(samples.received(n))}.M{n}.bench"
        path.write_bytes(raw)
        os.utime(path, (samples.received(n), samples.received(n)))


def ours(box):
    """The seconds of `route` without its start, and the seconds of the start."""
    site = FOLDER / "site"
    site.mkdir()
    shutil.copytree(box, site / "mail")
    (site / "posteingang.yaml").write_text(
        "journal: {path: journal.db}\nsources:\n  mail: {type: maildir, path: mail}\n")
    def run(*words):
        began = time.monotonic()
        done = subprocess.run([*words[:-1], words[-1], "--config", site], capture_output=True, check=True)
        return time.monotonic() - began, done.stderr.decode()

    subprocess.run([PROGRAM, "activate", "--config", site, SOURCE / "config"], check=True, capture_output=True)
    run(PROGRAM, "pull")
    run(*ONE, PROGRAM, "seal")  # the matcher's compiled patterns are there
    seconds, words = run(*ONE, PROGRAM, "route")
    if f'decided="{MAILS}"' not in words:
        sys.exit(f"posteingang decided something else: {words[-300:]}")
    start, _ = run(*ONE, PROGRAM, "route")
    return seconds - start, start


def sieve(box):
    if not shutil.which("sieve-filter"):
        return "is not installed (script/bootstrap bench)"
    home = FOLDER / "sieve"
    shutil.copytree(box, home / "Maildir")
    script = home / "bench.sieve"
    script.write_text('require ["body", "fileinto"];\n' + "".join(
        f'if body :text :contains "{text}" {{ fileinto "T{n}"; }}\n' for n, text in enumerate(terms(100))))
    conf = home / "dovecot.conf"
    conf.write_text(f"base_dir = {home}/run\nmail_location = maildir:{home}/Maildir\nfirst_valid_uid = 1\n"
                    "first_valid_gid = 1\nmail_uid = mail\nmail_gid = mail\nssl = no\nlog_path = /dev/stderr\n"
                    "plugin {\n  sieve_max_actions = 200\n}\n")
    for path in (home, *home.rglob("*")):
        shutil.chown(path, "mail", "mail")
    compiled = subprocess.run(["sievec", "-c", conf, script], capture_output=True, check=False)
    if compiled.returncode != 0:
        return f"failed: {compiled.stderr.decode()[-300:]}"
    command = [*ONE, "sieve-filter", "-c", conf, script, "INBOX"]  # with -u it would ask a running Dovecot
    began = time.monotonic()
    done = subprocess.run(command, capture_output=True, check=False, user="mail", group="mail", extra_groups=[],
                          env={**os.environ, "HOME": str(home), "USER": "mail"})
    seconds = time.monotonic() - began
    return seconds if done.returncode == 0 else f"failed: {done.stderr.decode()[-300:]}"


def unpack_rspamd():
    """rspamd beside the system: its package wants Hyperscan, which excludes the Vectorscan that we are built with."""
    packages = FOLDER / "packages"
    packages.mkdir()
    packages.chmod(0o777)  # apt's own user writes into it
    wanted, missing = ["rspamd", "libhyperscan5"], ["libluajit-5.1-2", "libluajit-5.1-common", "libunwind8", "libsodium23"]
    wanted += [name for name in missing if subprocess.run(
        ["dpkg-query", "-W", name], capture_output=True, check=False).returncode != 0]
    done = subprocess.run(["apt-get", "download", *wanted], cwd=packages, capture_output=True, check=False)
    if done.returncode != 0:
        return None, f"cannot be fetched: {done.stderr.decode()[-200:].strip()}"
    root = packages / "root"
    for package in packages.glob("*.deb"):
        subprocess.run(["dpkg", "-x", package, root], check=True)
    return root, None


NETWORK = ("rbl", "spf", "dkim", "dkim_signing", "arc", "dmarc", "asn", "mx_check", "fuzzy_check", "phishing", "greylist",
           "history_redis", "ratelimit", "replies", "neural", "bayes_expiry", "url_redirector", "mid", "whitelist", "p0f")


def multimap(home):
    (home / "terms.map").write_text("".join(f"/{re.escape(text)}/i\n" for text in terms(2000)))
    return f'TERMS {{ type = "content"; filter = "text"; map = "{home}/terms.map"; regexp_multi = true; regexp = true; score = 1; }}\n'


def packaged_conf(home, root, port):
    """The package's own rules and modules, but for what would ask the network or Redis."""
    local = home / "local.d"
    local.mkdir()
    for name in NETWORK:
        (local / f"{name}.conf").write_text("enabled = false;\n")
    (local / "multimap.conf").write_text(multimap(home))
    (local / "options.inc").write_text('filters = "chartable,regexp";\ndns { nameserver = ["127.0.0.1:1"]; timeout = 0.01s; retransmits = 1; }\n'
                                       f'pidfile = "{home}/pid"; tempdir = "{home}"; url_tld = "{root}/usr/share/rspamd/effective_tld_names.dat";\n')
    (local / "logging.inc").write_text(f'type = "file"; filename = "{home}/log"; level = "warning";\n')
    (local / "worker-normal.inc").write_text(f'bind_socket = "127.0.0.1:{port}"; count = 1;\n')
    for name in ("controller", "proxy", "fuzzy"):
        (local / f"worker-{name}.inc").write_text("enabled = false; count = 0;\n")
    return root / "etc/rspamd/rspamd.conf", {"CONFDIR": root / "etc/rspamd", "LOCAL_CONFDIR": home}


def bare_conf(home, root, port):
    """The engine and the multimap, nothing else."""
    share = root / "usr/share/rspamd"
    (home / "start.lua").write_text('require "global_functions" ()\n')
    (home / "rspamd.conf").write_text(f"""options {{ pidfile = "{home}/pid"; cache_file = "{home}/cache"; tempdir = "{home}";
  hs_cache_dir = "{home}"; url_tld = "{share}/effective_tld_names.dat"; filters = "";
  dns {{ nameserver = ["127.0.0.1"]; }} explicit_modules = ["multimap"]; }}
logging {{ type = "file"; filename = "{home}/log"; level = "warning"; }}
worker "normal" {{ bind_socket = "127.0.0.1:{port}"; count = 1; }}
modules {{ path = "{share}/plugins/multimap.lua"; }}
multimap {{ {multimap(home)} }}
lua = "{home}/start.lua";
metric {{ name = "default"; actions {{ reject = 1000; }} group {{ symbols {{ TERMS {{ weight = 1; }} }} }} }}
""")
    return home / "rspamd.conf", {"CONFDIR": home}


def free_port():
    with socket.socket() as one:
        one.bind(("127.0.0.1", 0))
        return one.getsockname()[1]


def rspamd(box, root, configure):
    home, port = FOLDER / configure.__name__, free_port()
    home.mkdir()
    conf, more = configure(home, root, port)
    for path in (home, *home.rglob("*")):
        shutil.chown(path, "nobody", "nogroup")
    libraries = f"{root}/usr/lib/x86_64-linux-gnu:{root}/usr/lib/aarch64-linux-gnu:{root}/usr/lib/rspamd"
    environment = {**os.environ, "LD_LIBRARY_PATH": libraries}
    places = {"SHAREDIR": "usr/share/rspamd", "LUALIBDIR": "usr/share/rspamd/lualib", "RULESDIR": "usr/share/rspamd/rules",
              "PLUGINSDIR": "usr/share/rspamd/plugins"}
    words = [f"--var={name}={root / path}" for name, path in places.items()]
    words += [f"--var={name}={home}" for name in ("DBDIR", "RUNDIR", "LOGDIR")]
    words += [f"--var={name}={place}" for name, place in more.items()]
    client = [root / "usr/bin/rspamc", "-h", f"127.0.0.1:{port}"]
    files = sorted(str(path) for path in (box / "new").iterdir())
    server = subprocess.Popen([*ONE, root / "usr/bin/rspamd", "-c", conf, "-f", "-u", "nobody", "-g", "nogroup", *words],
                              env=environment, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
    try:
        for _ in range(60):
            ready = subprocess.run([*client, files[0]], env=environment, capture_output=True, check=False)
            if ready.returncode == 0 and b"Action" in ready.stdout:
                break
            time.sleep(0.5)
        began = time.monotonic()
        done = subprocess.run([*client, "-n", "8", *files], env=environment, capture_output=True, check=False)
        seconds = time.monotonic() - began
    finally:
        server.terminate()
        server.wait()
    hits, answers = done.stdout.count(b"Symbol: TERMS"), done.stdout.count(b"Action:")
    if done.returncode != 0 or answers != MAILS or hits < MAILS // 2:
        log = (home / "log").read_text()[-300:] if (home / "log").exists() else ""
        return f"failed: {answers} answers, {hits} with a term; {done.stderr.decode()[-200:]} {log}"
    return seconds


def tell(name, other, mine):
    if isinstance(other, str):
        print(f"  {name}: {other}")
        return
    print(f"  {name:40} {MAILS / other:8.0f} a second")
    print(f"ratio posteingang/{name} {other / mine:.1f} (goal {GOAL})")


def main():
    FOLDER.mkdir(parents=True, exist_ok=True)
    box = FOLDER / "Maildir"
    mails(box)
    mine, start = ours(box)
    print(f"{MAILS} mails of about {BYTES} bytes; one worker each")
    print(f"  {'posteingang route, shipped bundle':40} {MAILS / mine:8.0f} a second, after {start:.2f} s to start")
    root, failure = (pathlib.Path("/"), None) if shutil.which("rspamd") else unpack_rspamd()
    tell("rspamd, as packaged, 2,000 terms", failure or rspamd(box, root, packaged_conf), mine)
    tell("rspamd, the multimap alone", failure or rspamd(box, root, bare_conf), mine)
    tell("sieve-filter, 100 body rules", sieve(box), mine)


main()
