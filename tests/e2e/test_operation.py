"""What an administrator relies on: the end in time, reload, status, metrics, a full disk, clerks' tasks."""
import json
import os
import resource
import signal
import subprocess
import unittest
import urllib.error
import urllib.request

import samples
import servers
from case import ServerCase
from posteingang import BINARY, run


class Daemon(ServerCase):
    def wait_items(self, n, seconds=60):
        servers.wait_for(lambda: len(self.site.items()) >= n, seconds)

    def healthy(self, port):
        try:
            return urllib.request.urlopen(f"http://127.0.0.1:{port}/healthz", timeout=10).status == 200
        except urllib.error.HTTPError as error:
            error.close()
            return False

    def test_it_takes_in_what_arrives_while_it_runs(self):
        self.site.put(mails=range(0, 2))
        self.start("run")
        servers.wait_for(lambda: (self.site.folder / "journal.db").exists())
        self.wait_items(2)
        self.site.put(mails=range(2, 4), postbox=range(4, 6))
        self.wait_items(6)

    def test_sigterm_under_load_ends_it_within_ten_seconds_and_nothing_is_lost(self):
        self.site.put(mails=range(0, 400), postbox=range(400, 500))
        daemon = self.start("run")
        servers.wait_for(lambda: "taken=" in self.site.log() or self.exim.queued() > 0, 60)
        daemon.send_signal(signal.SIGTERM)
        self.assertEqual(daemon.wait(10), 0, self.site.log())
        self.assertNotIn("stop.forced", self.site.log())
        self.site.drain()
        self.check_accounted()

    def test_sigint_ends_a_single_round_early_and_says_try_again(self):
        self.site.put(mails=range(0, 600))
        once = self.start("run", "--once")
        servers.wait_for(lambda: "pull.done" in self.site.log(), 60)
        once.send_signal(signal.SIGINT)
        self.assertIn(once.wait(10), (0, 75))
        self.site.drain()
        self.assertEqual(len(self.site.items()), 600)

    def test_sighup_takes_a_changed_file_whole(self):
        daemon = self.start("run")
        servers.wait_for(lambda: "started" in self.site.log())
        drop = self.site.folder / "drop"
        drop.mkdir()
        (drop / "late.eml").write_bytes(samples.mail(7))
        self.site.write(extra_sources=f"  drop:\n    type: maildir\n    layout: drop\n    path: {drop}\n")
        daemon.send_signal(signal.SIGHUP)
        servers.wait_for(lambda: "reload.done" in self.site.log())
        self.wait_items(1)
        self.assertIsNone(daemon.poll())

    def test_sighup_takes_a_wrong_file_not_at_all(self):
        daemon = self.start("run")
        servers.wait_for(lambda: "started" in self.site.log())
        self.site.write(extra="nonsense: true\n")
        daemon.send_signal(signal.SIGHUP)
        servers.wait_for(lambda: "reload.refused" in self.site.log())
        self.site.put(mails=range(0, 2))
        self.site.write(extra="")
        self.wait_items(2)
        self.assertIsNone(daemon.poll())

    def test_metrics_and_health_are_served_and_nothing_else(self):
        port = servers.free_ports(1)
        self.site.write(extra=f"metrics:\n  listen: 127.0.0.1:{port}\n")
        self.site.put(mails=range(0, 3))
        self.start("run")
        servers.wait_for(lambda: servers.listens(port) and "started" in self.site.log())
        servers.wait_for(lambda: self.healthy(port))
        page = urllib.request.urlopen(f"http://127.0.0.1:{port}/healthz", timeout=10).read()
        self.assertEqual(page, b"ok\n")
        text = urllib.request.urlopen(f"http://127.0.0.1:{port}/metrics", timeout=10).read().decode()
        for name in ("posteingang_items_undecided", "posteingang_deliveries_due",
                     "posteingang_tasks_open", "posteingang_build_info{version="):
            self.assertIn(name, text)
        self.assertNotIn("@", text)
        for request, status in (("/etc/passwd", 404), ("/metrics/../x", 404)):
            with self.assertRaises(urllib.error.HTTPError) as caught:
                urllib.request.urlopen(f"http://127.0.0.1:{port}{request}", timeout=10)
            self.assertEqual(caught.exception.code, status)
            caught.exception.close()


class Status(ServerCase):
    def test_a_source_with_a_message_older_than_its_bound_is_stuck(self):
        self.site.put(mails=range(0, 1))
        self.site.run("facts", "import", "--check", "/dev/null")
        self.site.run("migrate")
        done = self.site.run("status")
        self.assertEqual(done.returncode, 1, done.stderr.decode())
        row = [row for row in self.site.rows("status") if row["name"] == "mail"][0]
        self.assertEqual((row["state"], row["waiting"]), ("stuck", "1"))
        self.assertEqual(row["oldest"], "2024-06-10T08:13:20+02:00")

    def test_after_a_round_all_is_well(self):
        self.site.put(mails=range(0, 1))
        self.assertEqual(self.site.run("run", "--once").returncode, 0)
        done = self.site.run("status", "--quiet")
        self.assertEqual((done.returncode, done.stdout), (0, b""))

    def test_a_source_that_was_never_served_is_silent_even_if_nobody_asks_it(self):
        self.site.run("migrate")
        self.assertEqual(self.site.run("status", "--offline", "--quiet").returncode, 1)

    def test_a_paused_source_is_no_finding(self):
        self.site.run("run", "--once")
        drop = self.site.folder / "drop"
        drop.mkdir()
        self.site.write(extra_sources=f"  drop:\n    type: maildir\n    path: {drop}\n    layout: drop\n    paused: true\n")
        self.assertEqual(self.site.run("status", "--quiet").returncode, 0)

    def test_without_a_journal_it_says_how_one_is_made(self):
        done = self.site.run("status")
        self.assertEqual(done.returncode, 78)
        self.assertIn(b"posteingang run", done.stderr)
        self.assertFalse((self.site.folder / "journal.db").exists())


class FullDisk(ServerCase):
    """A journal that cannot grow: the source keeps the mail."""

    def test_the_source_keeps_what_the_journal_cannot_take_and_later_all_is_taken_once(self):
        self.site.put(mails=range(0, 10))
        self.site.drain()
        limit = (self.site.folder / "journal.db").stat().st_size + 300_000
        for n in range(10, 60):
            self.dovecot.put(samples.mail(n) + b"x" * 150_000, samples.received(n))
            self.site.put_mails.append(n)

        def small_files():
            signal.signal(signal.SIGXFSZ, signal.SIG_IGN)
            resource.setrlimit(resource.RLIMIT_FSIZE, (limit, limit))

        full = subprocess.run([BINARY, "run", "--once", "--config", self.site.folder], capture_output=True,
                              preexec_fn=small_files, timeout=120, check=False)
        self.assertNotEqual(full.returncode, 0, full.stderr.decode())
        self.assertEqual(len(self.dovecot.messages()), 60)
        self.site.drain()
        self.check_accounted()


class Tasks(ServerCase):
    def setUp(self):
        super().setUp()
        self.site.put(mails=[1])
        self.site.drain()

    def call(self):
        return self.site.rows("task", "list", "--kind", "call")[0]

    def test_a_call_has_one_attempt(self):
        number = self.call()["id"]
        first = self.site.run("task", "attempt", number, "--outcome", "not_reached")
        self.assertEqual(first.returncode, 0, first.stderr.decode())
        second = self.site.run("task", "attempt", number, "--outcome", "reached")
        self.assertNotEqual(second.returncode, 0)
        self.assertEqual(self.site.rows("task", "list", "--state", "done", "--kind", "call")[0]["outcome"], "not_reached")

    def test_a_clerk_closes_a_task_and_changes_the_contact_code(self):
        row = self.site.rows("task", "list", "--kind", "registration")[0]
        done = self.site.run("task", "done", row["id"], "--contact-code", "4711", "--reason", "war anders gemeint")
        self.assertEqual(done.returncode, 0, done.stderr.decode())
        self.assertEqual(self.site.items()[0]["contact_code"], "4711")
        again = self.site.run("task", "done", row["id"])
        self.assertEqual(again.returncode, 65)

    def test_an_override_needs_a_reason(self):
        row = self.site.rows("task", "list")[0]
        self.assertEqual(self.site.run("task", "done", row["id"], "--instead", "nichts").returncode, 64)

    def test_a_task_is_shown_with_its_text(self):
        shown = json.loads(self.site.run("task", "show", self.call()["id"], "--format", "jsonl").stdout)
        self.assertEqual(shown["kind"], "call")
        self.assertEqual(shown["state"], "open")
        self.assertTrue(shown["text"])

    def test_what_does_not_exist_is_bad_input(self):
        self.assertEqual(self.site.run("task", "show", "99999").returncode, 65)
        self.assertEqual(self.site.run("task", "shwo", "1").returncode, 64)


class CommandLine(unittest.TestCase):
    def test_completion_scripts_are_accepted_by_their_shell(self):
        script = run("completion", "bash")
        self.assertEqual(script.returncode, 0)
        checked = subprocess.run(["bash", "-n"], input=script.stdout, capture_output=True, check=False)
        self.assertEqual(checked.stderr, b"")
        for shell in ("zsh", "fish"):
            self.assertIn(b"classify", run("completion", shell).stdout)

    def test_completion_completes_commands_and_options(self):
        script = run("completion", "bash").stdout.decode()
        ask = script + '\nCOMP_WORDS=(posteingang sta); COMP_CWORD=1; _posteingang; echo "${COMPREPLY[@]}"\n' \
                       'COMP_WORDS=(posteingang status --q); COMP_CWORD=2; _posteingang; echo "${COMPREPLY[@]}"\n'
        answer = subprocess.run(["bash"], input=ask.encode(), capture_output=True, check=True).stdout.decode()
        self.assertEqual(answer.split(), ["status", "--quiet"])

    def test_every_command_prints_its_help(self):
        overview = run("help").stdout.decode().split("Commands:")[1]
        for line in overview.splitlines():
            if line.startswith("  "):
                self.assertEqual(run(line.split()[0], "--help").returncode, 0, line)

    def test_no_deployment_file_is_a_configuration_error_that_says_where_it_was_looked_for(self):
        done = run("run", "--once", "--config", str(os.path.join(os.environ.get("TMPDIR", "/tmp"), "nowhere")))
        self.assertEqual(done.returncode, 78)
        self.assertIn(b"posteingang.yaml", done.stderr)


if __name__ == "__main__":
    unittest.main()
