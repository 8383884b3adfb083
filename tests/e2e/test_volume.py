"""A large mailbox and long queues, in one run, twice in a row. VOLUME=20000,5000,5000 is the long form (script/soak)."""
import os
import time
import unittest

from case import ServerCase
from posteingang import run_measured

MAILS, POSTBOX, ESERVICE = map(int, os.environ.get("VOLUME", "2000,500,500").split(","))


class Volume:
    def test_a_large_backlog_goes_through_in_one_run_and_the_second_run_does_nothing(self):
        total = MAILS + POSTBOX + ESERVICE
        self.site.put(mails=range(0, MAILS), postbox=range(MAILS, MAILS + POSTBOX), eservice=range(MAILS + POSTBOX, total))
        began = time.monotonic()
        first, memory = run_measured("run", "--config", self.site.folder, "--once")
        print(f"{total} items in {time.monotonic() - began:.1f} s, peak memory {memory} MiB", flush=True)
        self.assertEqual(first.returncode, 0, first.stderr.decode())
        second = self.site.run("run", "--once", timeout=7200)
        self.assertEqual(second.returncode, 0, second.stderr.decode())
        for nothing in ('taken="0"', 'decided="0"', 'confirmed="0"'):
            self.assertIn(nothing, second.stderr.decode())
        self.check_accounted()


class VolumeOnSqlite(Volume, ServerCase):
    pass


class VolumeOnPostgres(Volume, ServerCase):
    POSTGRES = True


if __name__ == "__main__":
    unittest.main()
