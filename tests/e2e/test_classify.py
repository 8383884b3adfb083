"""The contract of `classify` (DESIGN.md section 5): lines in, lines out, whatever the lines are."""
import contextlib
import json
import os
import pathlib
import select
import subprocess
import tempfile
import unittest

from posteingang import BINARY, BUNDLE, classify, lines, run

MOVE = {"channel": "eservice", "received": "2021-06-01", "from_email": "a.kunde@example.org",
        "form": {"type": "veraenderung", "kind": "umzug"}, "facts": {"payment_method": "iban"}}
KEYS = ["id", "bundle", "engine", "ruleset", "basis", "rechtskreis", "concerns", "third_party", "resolved", "automatic",
        "payment_relevant", "doubt", "contact_code", "actions", "suppressed"]


def text(*items):
    return "".join(json.dumps(item, ensure_ascii=False) + "\n" for item in items)


def raw(stdin):
    return run("classify", "--config", BUNDLE, stdin=stdin)


class Lines(unittest.TestCase):
    def check_bad(self, bad, number=2):
        """A bad line between two good ones: an error in its place, and exit 65."""
        if isinstance(bad, str):
            bad = bad.encode()
        process = raw(text(dict(MOVE, id="a")).encode() + bad + b"\n" + text(dict(MOVE, id="b")).encode())
        answers = lines(process)
        self.assertEqual([answers[0].get("id"), answers[-1].get("id")], ["a", "b"])
        self.assertEqual(len(answers), 3)
        self.assertEqual(answers[1]["line"], number)
        self.assertEqual(list(answers[1]), ["line", "error"])
        self.assertTrue(answers[1]["error"])
        self.assertEqual(process.returncode, 65)
        return answers[1]["error"]

    def test_keys_stand_in_the_order_of_the_contract(self):
        [answer], process = classify([dict(MOVE, id="x")])
        self.assertEqual(list(answer), KEYS)
        for action in answer["actions"]:
            self.assertEqual(list(action)[:4], ["handler", "kind", "rule", "cites"])
            for cite in action["cites"]:
                self.assertEqual(list(cite), ["source", "section", "basis"])
        self.assertEqual(process.returncode, 0)
        self.assertEqual(process.stderr, b"")
        self.assertRegex(answer["bundle"], "^[0-9a-f]{64}$")
        self.assertRegex(answer["engine"], "^[0-9a-f]{64}$")

    def test_no_json(self):
        self.check_bad("{not json")

    def test_no_object(self):
        self.check_bad("[1]")
        self.check_bad('"text"')

    def test_a_key_twice(self):
        self.check_bad('{"id":"c","id":"d","channel":"email","received":"2024-01-02"}')

    def test_something_behind_the_object(self):
        self.check_bad(text(dict(MOVE, id="c")).strip() + " x")

    def test_the_id_is_missing(self):
        self.check_bad(text(MOVE).strip())
        self.check_bad(text(dict(MOVE, id=None)).strip())

    def test_the_id_is_repeated(self):
        self.assertIn("repeated", self.check_bad(text(dict(MOVE, id="a")).strip()))

    def test_an_unknown_channel(self):
        self.assertIn("channel", self.check_bad(text(dict(MOVE, id="c", channel="fax")).strip()))

    def test_a_day_that_does_not_exist(self):
        self.assertIn("received", self.check_bad(text(dict(MOVE, id="c", received="2023-02-29")).strip()))

    def test_a_time_without_offset(self):
        self.assertIn("received", self.check_bad(text(dict(MOVE, id="c", received="2023-02-28T12:00:00")).strip()))

    def test_a_wrong_type(self):
        self.assertIn("body", self.check_bad(text(dict(MOVE, id="c", body=7)).strip()))

    def test_a_wrong_fact(self):
        self.assertIn("address_match", self.check_bad(
            text(dict(MOVE, id="c", facts={"address_match": "maybe"})).strip()))
        self.check_bad(text(dict(MOVE, id="c", facts=["x"])).strip())

    def test_a_wrong_automatic(self):
        self.assertIn("automatic", self.check_bad(text(dict(MOVE, id="c", automatic="yes")).strip()))

    def test_bytes_that_are_not_utf8(self):
        self.check_bad(b'{"id":"c\xff","channel":"email","received":"2024-01-02"}')

    def test_a_nul_byte(self):
        self.check_bad(b'{"id":"c","channel":"email","received":"2024-01-02","body":"a\x00b"}')

    def test_nesting_without_end(self):
        self.check_bad('{"id":"c","x":' + "[" * 100000)

    def test_a_number_beyond_all_bounds(self):
        self.check_bad('{"id":"c","channel":"email","received":"2024-01-02","x":1' + "0" * 400 + "}")

    def test_a_line_beyond_the_limit(self):
        self.assertIn("longer", self.check_bad(b'{"id":"c","body":"' + b"x" * (17 << 20) + b'"}'))

    def test_unknown_keys_are_ignored_and_null_is_absent(self):
        answers, process = classify([dict(MOVE, id="a", whatever={"x": [1, 2.5]}, mailbox=None, html=None, body=None,
                                          subject=None, attachments=None, automatic=None)])
        self.assertEqual(process.returncode, 0)
        self.assertEqual(answers[0]["concerns"][0]["id"], "umzug")

    def test_blank_lines_and_crlf_and_a_byte_order_mark(self):
        process = raw(b"\xef\xbb\xbf" + text(dict(MOVE, id="a")).replace("\n", "\r\n").encode() + b"\n \r\n"
                      + text(dict(MOVE, id="b")).encode().rstrip())
        self.assertEqual([a["id"] for a in lines(process)], ["a", "b"])
        self.assertEqual(process.returncode, 0)

    def test_nothing_in_nothing_out(self):
        process = raw(b"")
        self.assertEqual((process.returncode, process.stdout, process.stderr), (0, b"", b""))

    def test_all_lines_bad(self):
        process = raw(b"x\ny\n")
        self.assertEqual([a["line"] for a in lines(process)], [1, 2])
        self.assertEqual(process.returncode, 65)

    def test_ids_of_all_shapes_come_back_as_they_were(self):
        ids = ["ä ö", "\u0000x", "💶", "x" * 5000, 'quote"\\', "1", 1]
        answers, process = classify([dict(MOVE, id=i) for i in ids])
        self.assertEqual([a["id"] for a in answers], ids)
        self.assertEqual(process.returncode, 0)

    def test_a_file_and_a_missing_file(self):
        with tempfile.TemporaryDirectory() as folder:
            path = pathlib.Path(folder) / "items.jsonl"
            path.write_text(text(dict(MOVE, id="a")))
            process = run("classify", "--config", BUNDLE, path)
            self.assertEqual(lines(process)[0]["id"], "a")
            process = run("classify", "--config", BUNDLE, path.with_name("none"))
            self.assertEqual((process.returncode, process.stdout), (65, b""))

    def test_a_folder_without_configuration(self):
        with tempfile.TemporaryDirectory() as folder:
            process = run("classify", "--config", folder, stdin=text(dict(MOVE, id="a")))
            self.assertEqual((process.returncode, process.stdout), (78, b""))

    def test_needs_no_configuration_at_all(self):
        with tempfile.TemporaryDirectory() as folder:
            process = subprocess.run([BINARY, "classify"], input=text(dict(MOVE, id="a")).encode(), cwd=folder,
                                     capture_output=True, check=False)
            self.assertEqual(process.returncode, 0, process.stderr)
            self.assertEqual(json.loads(process.stdout)["id"], "a")


class Decisions(unittest.TestCase):
    def test_a_date_means_noon_in_berlin(self):
        items = [dict(MOVE, id=str(i), received=r) for i, r in enumerate(
            ["2023-05-12", "2023-05-12T12:00:00+02:00", "2023-05-12T10:00:00Z", "2023-05-12T00:00:00+02:00",
             "2023-05-11T23:59:59+02:00", "2023-05-11T22:00:00Z"])]
        answers, _ = classify(items)
        self.assertEqual([a["basis"] for a in answers],
                         ["in_force", "in_force", "in_force", "in_force", "expired", "in_force"])

    def test_each_line_is_decided_alone(self):
        answers, _ = classify([dict(MOVE, id=str(i)) for i in range(3)])
        self.assertTrue(all(any(x["handler"] == "reply" for x in a["actions"]) for a in answers))

    def test_an_absent_automatic_is_derived(self):
        item = {"id": "a", "channel": "email", "received": "2024-03-05", "from_email": "mailer-daemon@example.org",
                "subject": "Undelivered Mail Returned to Sender",
                "body": "This is the mail system at host mx.example.org.\n\nI'm sorry to have to inform you that your "
                        "message could not\nbe delivered to one or more recipients."}
        answers, _ = classify([item, dict(item, id="b", automatic="no")])
        self.assertEqual([a["automatic"] for a in answers], ["bounce", "no"])

    def test_an_empty_message_is_no_failure(self):
        answers, process = classify([{"id": "a", "channel": "email", "received": "2024-03-05"},
                                     {"id": "b", "channel": "eservice", "received": "2024-03-05"},
                                     dict(MOVE, id="c", form=dict(MOVE["form"], text=""), body="", subject=" ")])
        self.assertEqual(process.returncode, 0)
        self.assertFalse(answers[2]["doubt"])
        self.assertTrue(all(a["actions"] for a in answers))

    def test_evidence_points_at_bytes_of_the_field(self):
        body = "Guten Tag 💶,\r\n\r\nmeine neue Anschrift für Sie: ich bin umgezogen nach Görlitz, Straße 5.\r\n"
        [answer], _ = classify([{"id": "a", "channel": "email", "received": "2024-03-05", "subject": "Umzug",
                                 "from_email": "a@example.org", "body": body}])
        fields = {"subject": "Umzug".encode(), "body": body.encode()}
        evidence = [e for c in answer["concerns"] for e in c["evidence"] if c["id"] == "umzug"]
        words = []
        for entry in evidence:
            part = fields[entry["field"]][entry["offset"]:entry["offset"] + entry["length"]]
            self.assertEqual(len(part), entry["length"])
            words.append(part.decode())
            self.assertTrue(entry["by"])
        self.assertIn("umgezogen", words)

    def test_the_same_input_gives_the_same_bytes_in_any_company(self):
        path = pathlib.Path(__file__).resolve().parents[2] / ".." / "shared" / "corpora" / "german" / "dev_a.jsonl"
        if not path.exists() and not os.environ.get("CI"):
            self.skipTest("no corpora beside the checkout")
        items = path.read_bytes().splitlines(keepends=True)
        whole = raw(b"".join(items)).stdout.splitlines()
        backwards = raw(b"".join(reversed(items))).stdout.splitlines()
        self.assertEqual(len(whole), len(items))
        self.assertEqual(whole, list(reversed(backwards)))
        self.assertEqual(raw(items[7]).stdout.splitlines(), [whole[7]])

    def test_words_that_were_not_read_are_doubt_and_quoted_history_is_not(self):
        mail = {"channel": "email", "received": "2024-06-03", "from_email": "a.kunde@example.org"}
        filler = "Noch ein Satz ohne Belang. "
        long = dict(mail, id="long", body=filler * 1500 + "Meine neue IBAN lautet DE89 3704 0044 0532 0130 00.")
        dots = dict(mail, id="dots", body="Hm.\n" * 7000 + "Meine neue IBAN lautet DE89 3704 0044 0532 0130 00.")
        thread = dict(mail, id="thread", body="Meine neue IBAN lautet DE89 3704 0044 0532 0130 00.\n\n"
                      "Am 01.06.2024 um 10:00 schrieb Agentur <a@example.org>:\n" + f"> {filler}\n" * 1500)
        answers, _ = classify([long, dots, thread])
        for answer in answers[:2]:
            self.assertTrue(answer["doubt"], answer["id"])
            self.assertEqual([a["reason"] for a in answer["actions"] if a["handler"] == "klaerung"],
                             ["text_too_long"])
            self.assertIn("eakte", [a["handler"] for a in answer["actions"]])
        self.assertFalse(answers[2]["doubt"])

    def test_order_is_kept_with_lines_of_every_size(self):
        items = [dict(MOVE, id=str(i), body="x " * (i * 7919 % 20000)) for i in range(500)]
        answers, process = classify(items)
        self.assertEqual([a["id"] for a in answers], [i["id"] for i in items])
        self.assertEqual(process.returncode, 0)


class Pipes(unittest.TestCase):
    def test_who_sends_one_line_and_waits_gets_an_answer(self):
        with subprocess.Popen([BINARY, "classify", "--config", BUNDLE], stdin=subprocess.PIPE,
                              stdout=subprocess.PIPE) as process:
            for i in range(3):
                process.stdin.write(text(dict(MOVE, id=str(i))).encode())
                process.stdin.flush()
                self.assertTrue(select.select([process.stdout], [], [], 60)[0], "no answer")
                self.assertEqual(json.loads(process.stdout.readline())["id"], str(i))
            process.stdin.close()
            self.assertEqual(process.wait(60), 0)

    def test_a_reader_that_goes_away_ends_it(self):
        with subprocess.Popen([BINARY, "classify", "--config", BUNDLE], stdin=subprocess.PIPE,
                              stdout=subprocess.PIPE, stderr=subprocess.PIPE) as process:
            process.stdout.close()
            with contextlib.suppress(BrokenPipeError), process.stdin:
                process.stdin.write(text(*[dict(MOVE, id=str(i)) for i in range(5000)]).encode())
            process.stdin = None
            self.assertNotEqual(process.wait(60), 0)

    def test_a_full_disk_is_told(self):
        with open("/dev/full", "wb") as full:
            process = subprocess.run([BINARY, "classify", "--config", BUNDLE], stdout=full, stderr=subprocess.PIPE,
                                     input=text(dict(MOVE, id="a")).encode(), check=False)
        self.assertNotEqual(process.returncode, 0)
        self.assertTrue(process.stderr)

    def test_every_command_tells_that_its_output_was_not_written(self):
        for words in (["--help"], ["version"], ["rules", "list", "--config", BUNDLE], ["check", "--config", BUNDLE],
                      ["classify", "--help"]):
            with self.subTest(words), open("/dev/full", "wb") as full:
                process = subprocess.run([BINARY, *map(str, words)], stdout=full, stderr=subprocess.PIPE, check=False)
                self.assertEqual(process.returncode, 75)
                self.assertIn(b"cannot write the output", process.stderr)


if __name__ == "__main__":
    unittest.main()
