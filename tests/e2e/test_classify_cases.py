"""Every rule of DESIGN.md section 4, end to end: an item in, its actions out. The cases are tables in cases/.

`expect.actions` is complete: each action of the decision matches exactly one entry (an entry names the keys that
matter), none is left over. `contains` and `suppressed` need only be there. All else is compared as it stands.
"""
import json
import pathlib
import unittest

from posteingang import classify

CASES = pathlib.Path(__file__).resolve().parent / "cases"


def short(action):
    return {k: v for k, v in action.items() if k not in ("cites", "text", "candidates")}


def matches(wanted, found):
    return all(found.get(key) == value for key, value in wanted.items())


def pair_up(wanted, found):
    """Entries without a partner on either side (best effort: most specific first)."""
    rest = list(found)
    missing = []
    for entry in sorted(wanted, key=lambda e: -len(e)):
        hit = next((a for a in rest if matches(entry, a)), None)
        if hit is None:
            missing.append(entry)
        else:
            rest.remove(hit)
    return missing, rest


def complaints(expect, decision):
    for key, value in expect.items():
        if key == "actions":
            missing, surplus = pair_up(value, decision["actions"])
            if missing:
                yield f"missing {missing}"
            if surplus:
                yield f"not expected {[short(a) for a in surplus]}"
        elif key == "contains":
            missing, _ = pair_up(value, decision["actions"])
            if missing:
                yield f"missing {missing}"
        elif key == "suppressed":
            missing, _ = pair_up(value, decision["suppressed"])
            if missing:
                yield f"not suppressed {missing}"
        elif decision[key] != value:
            yield f"{key} is {decision[key]!r}, expected {value!r}"
    for entry in decision["actions"] + decision["suppressed"]:
        cites = entry["cites"]
        if not cites or not all(c["source"] and c["basis"] for c in cites):
            yield f"no citation: {short(entry)}"


class Cases(unittest.TestCase):
    def check_file(self, path):
        cases = [json.loads(line) for line in path.read_text().splitlines()]
        decisions, process = classify([case["item"] for case in cases])
        self.assertEqual(process.returncode, 0, process.stderr.decode())
        self.assertEqual([d["id"] for d in decisions], [c["item"]["id"] for c in cases])
        for case, decision in zip(cases, decisions):
            with self.subTest(case["item"]["id"] + ": " + case["title"]):
                found = list(complaints(case["expect"], decision))
                detail = json.dumps([short(a) for a in decision["actions"]], ensure_ascii=False)
                found and self.fail("; ".join(found) + f"\n  decided: {detail}\n  concerns: "
                                    + str([(c["id"], c["score"]) for c in decision["concerns"]]))


def add(path):
    setattr(Cases, "test_" + path.stem, lambda self: self.check_file(path))


class Plain(unittest.TestCase):
    def test_the_plainest_words_are_understood_without_doubt(self):
        table = [line.split(" | ") for line in (CASES / "plain.txt").read_text().splitlines() if line[0] != "#"]
        decisions, process = classify([{"id": text, "channel": "postbox", "received": "2024-03-05", "body": text,
                                        "from_email": "a@example.org"} for text, _ in table])
        self.assertEqual(process.returncode, 0, process.stderr.decode())
        for (text, concerns), decision in zip(table, decisions):
            with self.subTest(text):
                self.assertEqual(sorted(c["id"] for c in decision["concerns"]), sorted(concerns.split(", ")))
                self.assertFalse(decision["doubt"])


for file in sorted(CASES.glob("*.jsonl")):
    add(file)

if __name__ == "__main__":
    unittest.main()
