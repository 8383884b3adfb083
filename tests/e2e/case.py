"""The base of tests against all servers: started once a class, an installation a test."""
import collections
import shutil
import signal
import unittest

import servers
from operation import Site


class ServerCase(unittest.TestCase):
    POSTGRES = False

    @classmethod
    def setUpClass(cls):
        cls.root = servers.folder()
        cls.running = []
        cls.addClassCleanup(cls.stop_servers)
        for name, kind in (("dovecot", servers.Dovecot), ("exim", servers.Exim), ("http", servers.Counterpart)) + (
                (("pg", servers.Postgres),) if cls.POSTGRES else ()):
            server = kind(cls.root / name)
            setattr(cls, name, server)
            cls.running.append(server)
        cls.count = 0

    @classmethod
    def stop_servers(cls):
        for server in cls.running:
            server.stop()
        shutil.rmtree(cls.root, ignore_errors=True)

    def setUp(self):
        type(self).count += 1
        self.dovecot.user = f"alice{self.count}"
        self.http.control("reset")
        self.exim.settled()
        for path in (self.exim.folder / "mail/all/new").glob("*"):
            path.unlink()
        if self.POSTGRES:
            self.pg.reset()
        self.site = Site(self.root / f"site{self.count}", self.dovecot, self.exim, self.http,
                                 self.pg if self.POSTGRES else None)
        self.site.prepare()

    def fresh_site(self, name, postgres):
        """Another installation at the same servers."""
        site = Site(self.root / name, self.dovecot, self.exim, self.http, postgres)
        site.prepare()
        return site

    def start(self, *words, site=None, **kwargs):
        process = (site or self.site).start(*words, **kwargs)
        self.addCleanup(self.end, process)
        return process

    def end(self, process):
        if process.poll() is None:
            process.send_signal(signal.SIGKILL)
        process.wait()

    def check_once(self, names, what):
        twice = [name for name, n in collections.Counter(names).items() if n > 1]
        self.assertEqual(twice, [], f"doubled: {what}")

    def check_accounted(self, site=None):
        """Nothing lost, nothing doubled, counted at the far side."""
        site = site or self.site
        rows = site.items()
        self.assertEqual(len(rows), site.total(), "items")
        self.check_once([(row["source"], row["key"]) for row in rows], "items")
        self.assertEqual([row for row in rows if row["accounted"] != "yes"], [], "without effect or task")
        self.check_documents(site, rows)
        self.check_replies(site, rows)
        self.check_calls(site, rows)
        for command in ("balance", "verify"):
            done = site.run(command)
            self.assertEqual(done.returncode, 0, done.stdout.decode() + done.stderr.decode())

    def check_documents(self, site, rows):
        wanted = sorted(row["item"] for row in rows if "eakte (" in row["actions"])
        self.assertGreater(len(wanted), 0)
        self.assertEqual(sorted(site.documents()), wanted, "eAkte documents")

    def check_replies(self, site, rows):
        """At most once each; what did not leave has a task that says so."""
        mails, messages = site.mail_replies(), site.postbox_replies()
        self.check_once(mails, "replies by mail")
        self.check_once(messages, "replies to the postbox")
        wanted = sum(row["actions"].count("reply (") for row in rows)
        uncertain = len(site.tasks("reply_uncertain"))
        self.assertGreater(wanted, 0)
        self.assertLessEqual(len(mails) + len(messages), wanted, "replies")
        self.assertGreaterEqual(len(mails) + len(messages) + uncertain, wanted, "replies lost")

    def check_calls(self, site, rows):
        wanted = sum(row["actions"].count("call (") for row in rows)
        calls = site.posted_calls()
        self.assertGreater(wanted, 0)
        self.check_once(calls, "call tasks")
        self.assertEqual(len(calls), wanted, "call tasks")
