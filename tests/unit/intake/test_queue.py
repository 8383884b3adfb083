"""Postbox and eService queues over HTTPS, against a counterpart that counts what really arrives."""
import hashlib
import json
import time
import unittest

from support import Counterpart, Intake

MAY_12 = 1683844200 * 1000000


def post(n, **more):
    item = {"id": "p-%d" % n, "received": "2023-05-12T00:30:00+02:00", "subject": "Nummer %d" % n,
            "from": {"name": "Kunde", "email": "k@example.org"}, "body": "Ich ziehe um."}
    item.update(more)
    return item


class Queue(Intake):
    @classmethod
    def setUpClass(cls):
        cls.far = Counterpart()

    @classmethod
    def tearDownClass(cls):
        cls.far.stop()

    def setUp(self):
        super().setUp()
        self.far.control("reset")
        self.token = self.secret("token", "fixed-test-token")
        self.use()

    def use(self, kind="postbox", limits=None, host="localhost", **more):
        options = {"type": kind, "url": "https://%s:%d/%s" % (host, self.far.port, kind), "ca_file": self.far.ca,
                   "bearer_file": self.token}
        options.update(more)
        options = {k: v for k, v in options.items() if v is not None}
        self.configure({"portal": options}, limits or {"batch": 10})

    def put(self, *items, queue="postbox"):
        self.far.control("items", queue=queue, items=list(items))

    def test_everything_is_taken_page_by_page_and_acknowledged_after_commit(self):
        self.put(*[post(n) for n in range(57)])
        self.assertEqual(self.pull()["taken"], 57)
        state = self.far.state()
        self.assertEqual((state["waiting"]["postbox"], len(state["acknowledged"]["postbox"])), (0, 57))
        self.assertEqual(self.balance(), (57, 57, 0, 0))
        self.assertEqual(self.pull()["taken"], 0)

    def test_an_item_keeps_the_services_own_bytes_and_becomes_a_classify_line(self):
        page = '{"items": [ {"id":7 ,  "received":"2023-05-12T00:30:00+02:00","size":1.50,"body":"\\u00e4"} ]}'
        self.far.control("raw", queue="postbox", text=page)
        self.pull()
        channel, received, fields, raw = self.items()["7"]
        self.assertEqual(raw.decode(), page[12:-3])
        self.assertEqual((channel, received, fields["body"]), ("postbox", MAY_12, "ä"))
        self.assertEqual(self.rows("SELECT sha256 FROM item")[0][0], hashlib.sha256(raw).hexdigest())

    def test_eservice_forms_are_mapped(self):
        form = {"type": "arbeitsuchendmeldung", "cv": {"schulbildung": "empty", "studium": "filled"}}
        self.put(post(1, form=form, mailbox="online"), queue="eservice")
        self.use("eservice")
        self.pull()
        channel, _, fields, _ = self.items()["p-1"]
        self.assertEqual((channel, fields["form"], fields["mailbox"]), ("eservice", form, "online"))

    def test_another_wire_format_needs_only_pointers(self):
        page = {"data": {"list": [{"meta": {"nr": "x1"}, "zeit": "2023-05-12T00:30:00+02:00", "text": "Hallo"}]}}
        self.far.control("raw", queue="postbox", text=json.dumps(page))
        self.use(page={"items": "/data/list"}, fields={"id": "/meta/nr", "received": "/zeit", "body": "/text"})
        self.pull()
        self.assertEqual(self.items()["x1"][2]["body"], "Hallo")

    def test_a_broken_item_blocks_nothing_and_is_not_lost(self):
        page = ('{"items":[{"id":"a","body":"x"},{"id":"b","id":"b2","body":1e999},{"nothing":1},'
                '{"id":"c","body":"y"}]}')
        self.far.control("raw", queue="postbox", text=page)
        report = self.pull()
        self.assertEqual((report["taken"], report["refused"]), (3, 1))
        self.assertTrue(self.items()["b"][2]["undecodable"])
        self.assertEqual(list(self.gaps().values()), ["no_id"])

    def test_a_page_that_is_cut_off_or_no_json_takes_nothing(self):
        self.put(post(1))
        for fault in ("truncate", "garbage"):
            self.far.control("fault", path="/postbox/items", kind=fault)
            self.pull(code=69)
        self.assertEqual(self.pull()["taken"], 1)

    def test_an_item_seen_again_because_the_acknowledgement_failed_is_not_doubled(self):
        self.put(post(1), post(2))
        self.far.control("fault", path="/postbox/acknowledgements", kind="close", times=9)
        self.pull(code=69)
        self.assertEqual(sorted(self.state()["unsettled"]), ["p-1", "p-2"])
        self.far.control("reset")
        self.put(post(1), post(2))
        self.assertEqual(self.pull()["taken"], 0)
        self.assertEqual(sorted(self.far.state()["acknowledged"]["postbox"]), ["p-1", "p-2"])
        self.assertEqual(self.state()["unsettled"], [])
        self.assertEqual(self.balance(), (2, 2, 0, 0))

    def test_an_acknowledgement_whose_answer_is_lost_is_repeated_without_harm(self):
        self.put(post(1))
        self.far.control("fault", path="/postbox/acknowledgements", kind="close_after", times=2)
        self.pull(code=69)
        self.assertEqual(self.pull()["taken"], 0)
        self.assertEqual(self.far.state()["acknowledged"]["postbox"], ["p-1"])

    def test_one_id_that_cannot_be_acknowledged_does_not_stop_the_others(self):
        self.put(*[post(n) for n in range(25)])
        self.far.control("failed_ids", ids=["p-3"])
        report = self.pull()
        self.assertEqual((report["taken"], report["unsettled"]), (25, 1))
        self.assertEqual(self.far.state()["waiting"]["postbox"], 1)

    def test_acknowledging_one_by_one(self):
        self.put(post(1), post(2, id="a/b c"))
        self.use(acknowledge_path="/items/{id}/acknowledged")
        self.pull()
        self.assertEqual(sorted(self.far.state()["acknowledged"]["postbox"]), ["a/b c", "p-1"])

    def test_oauth_renews_a_revoked_token_once_and_asks_no_more_often_than_needed(self):
        self.put(*[post(n) for n in range(30)])
        secret = self.secret("client", "geheim & gut")
        self.use(bearer_file=None, token_url="https://localhost:%d/token" % self.far.port, client_id="posteingang",
                 client_secret_file=secret)
        self.far.control("fault", path="/postbox/acknowledgements", kind="status", code=401)
        self.assertEqual(self.pull()["taken"], 30)
        self.assertEqual(self.far.state()["tokens_issued"], 2)

    def test_a_wrong_secret_is_told_without_telling_it(self):
        secret = self.secret("client", "falsches-Geheimnis")
        self.use(bearer_file=None, token_url="https://localhost:%d/token" % self.far.port, client_id="posteingang",
                 client_secret_file=secret)
        self.pull(code=69)
        self.assertIn("invalid_client", self.words)
        self.assertNotIn("Geheimnis", self.words)

    def test_retry_after_is_kept_by_the_next_round(self):
        self.put(post(1))
        self.far.control("fault", path="/postbox/items", kind="status", code=429, retry_after=600)
        self.pull(code=75)
        calls = self.far.state()["calls"]["GET /postbox/items"]
        self.pull(code=75)
        self.assertEqual(self.far.state()["calls"]["GET /postbox/items"], calls)

    def test_certificates_of_another_host_an_unknown_authority_or_the_past_are_refused(self):
        for certificate in ("wrong", "untrusted", "expired"):
            far = Counterpart(certificate)
            self.addCleanup(far.stop)
            self.use(ca_file=far.ca, url="https://localhost:%d/postbox" % far.port)
            self.pull(code=69)
            far.context.check_hostname, far.context.verify_mode = False, 0
            self.assertEqual((far.state()["calls"], far.state()["refused"]), ({}, 0))
        self.use(ca_file=None)
        self.pull(code=69)
        self.assertEqual(self.far.state()["calls"], {})

    def test_a_redirect_is_not_followed_with_our_token(self):
        self.far.control("fault", path="/postbox/items", kind="redirect", times=3,
                         location="https://localhost:%d/elsewhere" % self.far.port)
        self.pull(code=69)
        self.assertNotIn("GET /elsewhere", self.far.state()["calls"])

    def test_a_stalling_and_a_trickling_service_are_cut_off(self):
        self.put(post(1))
        for fault in ({"kind": "stall", "seconds": 30}, {"kind": "slow", "seconds": 1}):
            self.far.control("fault", path="/postbox/items", **fault)
            self.use(total_limit="3s", stall_limit="2s")
            begin = time.monotonic()
            self.pull(code=69)
            self.assertLess(time.monotonic() - begin, 12)

    def test_a_page_too_large_is_asked_for_in_smaller_pieces(self):
        self.put(*[post(n, body="x" * 3000) for n in range(8)])
        self.use(max_page="8KiB")
        self.assertEqual(self.pull()["taken"], 8)

    def test_one_item_larger_than_a_page_does_not_block_the_others(self):
        self.put(post(1), post(2, body="x" * 40000), post(3))
        self.use(max_page="8KiB")
        self.assertEqual(self.pull()["taken"], 3)

    def test_a_queue_that_never_ends_with_the_same_cursor_is_left(self):
        page = '{"items":[{"id":"a"}],"next":"same"}'
        self.far.control("raw", queue="postbox", text=page)
        self.assertEqual(self.pull()["taken"], 1)

    def test_count_and_oldest_are_asked_of_the_service(self):
        self.put(post(1), post(2, received="2022-01-01T00:00:00Z"))
        answer = self.run_tool("oldest")[0]
        self.assertEqual((answer["count"], answer["received"]), (2, 1640995200 * 1000000))

    def test_the_daemon_asks_again_and_stops_at_sigterm(self):
        self.use(limits={"poll": "1s"})
        worker = self.start("daemon")
        for n in range(3):
            self.put(post(n))
            for _ in range(100):
                if len(self.far.state()["acknowledged"]["postbox"]) == n + 1:
                    break
                time.sleep(0.1)
        worker.terminate()
        _, words = worker.communicate(timeout=10)
        self.assertEqual((worker.returncode, len(self.items())), (0, 3), words)

    def test_two_workers_at_once_take_each_item_once(self):
        self.put(*[post(n) for n in range(300)])
        workers = [self.start() for _ in range(3)]
        for worker in workers:
            worker.communicate(timeout=60)
        self.pull()
        self.assertEqual(len(self.items()), 300)
        self.assertEqual(self.balance(), (300, 300, 0, 0))

    def test_killed_at_random_moments_nothing_is_lost_or_doubled(self):
        self.put(*[post(n) for n in range(400)])
        self.use(limits={"batch": 10, "lease": "5s"})
        for n in range(12):
            worker = self.start()
            time.sleep(0.05 + 0.02 * n)
            worker.kill()
            worker.communicate()
        while self.pull()["busy"]:
            time.sleep(1)
        self.assertEqual(len(self.items()), 400)
        self.assertEqual(self.far.state()["waiting"]["postbox"], 0)


if __name__ == "__main__":
    unittest.main()
