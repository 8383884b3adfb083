"""Content matchers of Debian on the mails of bench_route: rspamd with a multimap, Pigeonhole's sieve-filter.
bench_peers.py FOLDER MAILS TERMS. Prints mails a second; what is not installed is said and left out."""
import pathlib
import re
import shutil
import subprocess
import sys
import time

FOLDER = pathlib.Path(sys.argv[1]).resolve()
MAILS = int(sys.argv[2])
SOURCE = pathlib.Path(__file__).resolve().parent.parent.parent
sys.path.insert(0, str(SOURCE / "tests/e2e"))
import samples


def terms(n):
    found = []
    for path in sorted((SOURCE / "config/classifiers").glob("*.yaml")):
        found += re.findall(r'"([^"@#\\*]{5,40})"', path.read_text())
    return sorted(set(found))[:n]


def mails():
    box = FOLDER / "Maildir"
    for name in ("cur", "new", "tmp"):
        (box / name).mkdir(parents=True, exist_ok=True)
    filler = b"Das Wetter war in den letzten Wochen wechselhaft. "
    for n in range(MAILS):
        mail = samples.mail(n)
        (box / "cur" / f"{n}.M1.bench:2,").write_bytes(mail + filler * ((10240 - len(mail)) // len(filler)) + b"\r\n")
    return box


def sieve(box):
    if not shutil.which("sieve-filter"):
        print("  sieve-filter is not installed (script/bootstrap bench)")
        return
    rules = 'require ["body", "fileinto"];\n' + "".join(
        f'if body :text :contains "{text}" {{ fileinto "T{n}"; }}\n' for n, text in enumerate(terms(100)))
    script = FOLDER / "bench.sieve"
    script.write_text(rules)
    shutil.chown(FOLDER, "mail")
    for path in FOLDER.rglob("*"):
        shutil.chown(path, "mail", "mail")
    subprocess.run(["sievec", script], check=True, capture_output=True)
    conf = FOLDER / "dovecot.conf"
    conf.write_text(f"base_dir = {FOLDER}/run\nmail_location = maildir:{box}\nfirst_valid_uid = 1\nfirst_valid_gid = 1\n"
                    "mail_uid = mail\nmail_gid = mail\nssl = no\nlog_path = /dev/stderr\n")
    began = time.monotonic()
    done = subprocess.run(["sieve-filter", "-c", conf, "-u", "mail", script, "INBOX"], capture_output=True, check=False)
    seconds = time.monotonic() - began
    if done.returncode != 0:
        print("  sieve-filter failed:", done.stderr.decode()[-200:])
        return
    print(f"  sieve-filter, 100 body rules    {MAILS / seconds:8.0f} a second")


def rspamd(box):
    if not shutil.which("rspamd"):
        print("  rspamd is not installed (script/bootstrap bench)")
        return
    home = FOLDER / "rspamd"
    home.mkdir(exist_ok=True)
    (home / "terms.map").write_text("\n".join("/" + re.escape(text).replace("/", "\\/") + "/i" for text in terms(2000)) + "\n")
    (home / "rspamd.conf").write_text(f"""options {{ pidfile = "{home}/pid"; cache_file = "{home}/cache"; dns {{ nameserver = ["127.0.0.1"]; }} }}
logging {{ type = "file"; filename = "{home}/log"; level = "warning"; }}
worker "normal" {{ bind_socket = "127.0.0.1:21333"; count = 1; }}
modules {{ path = "/usr/share/rspamd/plugins/multimap.lua"; }}
multimap {{ TERMS {{ type = "content"; filter = "text"; map = "{home}/terms.map"; regexp_multi = true; regexp = true; }} }}
lua = "/usr/share/rspamd/rules/rspamd.lua";
metric {{ name = "default"; actions {{ reject = 1000; }} group {{ symbols {{ TERMS {{ weight = 1; }} }} }} }}
""")
    shutil.chown(home, "_rspamd")
    server = subprocess.Popen(["rspamd", "-c", home / "rspamd.conf", "-f", "-u", "_rspamd", "-g", "_rspamd"],
                              stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
    try:
        time.sleep(6)
        files = [str(path) for path in sorted((box / "cur").iterdir())[:1000]]
        began = time.monotonic()
        done = subprocess.run(["rspamc", "-h", "127.0.0.1:21333", "-n", "8", *files], capture_output=True, check=False)
        seconds = time.monotonic() - began
    finally:
        server.terminate()
        server.wait()
    if done.returncode != 0 or b"Action" not in done.stdout:
        print("  rspamd failed:", (done.stdout + done.stderr)[-200:].decode(errors="replace"))
        return
    print(f"  rspamd, 2,000 terms, one worker {len(files) / seconds:8.0f} a second")


FOLDER.mkdir(parents=True, exist_ok=True)
BOX = mails()
print(f"{MAILS} mails of about 10 KB, body matching only, nothing stored")
rspamd(BOX)
sieve(BOX)
