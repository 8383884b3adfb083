"""kill -9 at random moments under load, then a normal run: nothing lost, nothing doubled, counted at the far side.

KILLS=200 is the long form (script/soak).
"""
import os
import random
import signal
import time
import unittest

from case import ServerCase

KILLS = int(os.environ.get("KILLS", "20"))


class Killed:
    def test_whatever_moment_it_is_killed_at_nothing_is_lost_and_nothing_doubled(self):
        seed = random.randrange(1 << 30)
        dice = random.Random(seed)
        print(f"seed {seed}", flush=True)
        n = 0
        for _ in range(KILLS):
            self.site.put(mails=range(n, n + 12), postbox=range(n + 12, n + 16), eservice=range(n + 16, n + 20))
            n += 20
            workers = [self.start("run") for _ in range(self.WORKERS)]
            time.sleep(dice.uniform(0.3, 2.5))
            for worker in workers:
                self.assertIsNone(worker.poll(), self.site.log())
                worker.send_signal(signal.SIGKILL)
                worker.wait()
        self.site.drain()
        self.check_accounted()


class KilledOnSqlite(Killed, ServerCase):
    WORKERS = 1


class KilledOnPostgres(Killed, ServerCase):
    POSTGRES = True
    WORKERS = 2


if __name__ == "__main__":
    unittest.main()
