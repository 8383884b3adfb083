#!/usr/bin/env python3
"""An independent verifier of an exported log, written from docs/log-format.md alone (Python's standard library only).

    verify_log.py FOLDER KEYS.txt [KEPT.jsonl]      exit 0: whole; 1: a finding; 2: cannot be read
"""
import base64
import hashlib
import json
import pathlib
import sys

# --- Ed25519 verification (RFC 8032 section 5.1.7)
P = 2**255 - 19
L = 2**252 + 27742317777372353535851937790883648493
D = -121665 * pow(121666, P - 2, P) % P
ROOT_OF_MINUS_1 = pow(2, (P - 1) // 4, P)


def recover_x(y, sign):
    if y >= P:
        return None
    x2 = (y * y - 1) * pow(D * y * y + 1, P - 2, P) % P
    x = pow(x2, (P + 3) // 8, P)
    if (x * x - x2) % P:
        x = x * ROOT_OF_MINUS_1 % P
    if (x * x - x2) % P or (x == 0 and sign):
        return None
    return P - x if x & 1 != sign else x


def point(data):
    y = int.from_bytes(data, "little")
    x = recover_x(y & ((1 << 255) - 1), y >> 255)
    y &= (1 << 255) - 1
    return None if x is None else (x, y, 1, x * y % P)


def add(a, b):
    s, t = (a[1] - a[0]) * (b[1] - b[0]) % P, (a[1] + a[0]) * (b[1] + b[0]) % P
    u, v = 2 * a[3] * b[3] * D % P, 2 * a[2] * b[2] % P
    e, f, g, h = t - s, v - u, v + u, t + s
    return e * f % P, g * h % P, f * g % P, e * h % P


def multiply(n, a):
    result = (0, 1, 1, 0)
    while n:
        if n & 1:
            result = add(result, a)
        a = add(a, a)
        n >>= 1
    return result


BASE_Y = 4 * pow(5, P - 2, P) % P
BASE = (recover_x(BASE_Y, 0), BASE_Y, 1, recover_x(BASE_Y, 0) * BASE_Y % P)


def ed25519_verifies(key, message, signature):
    a, r, s = point(key), point(signature[:32]), int.from_bytes(signature[32:], "little")
    if a is None or r is None or s >= L:
        return False
    h = int.from_bytes(hashlib.sha512(signature[:32] + key + message).digest(), "little") % L
    left, right = multiply(s, BASE), add(r, multiply(h, a))
    return (left[0] * right[2] - right[0] * left[2]) % P == 0 and (left[1] * right[2] - right[1] * left[2]) % P == 0


# --- Merkle tree (RFC 6962 section 2.1)
def sha256(data):
    return hashlib.sha256(data).digest()


class Tree:
    """Roots of the perfect subtrees, largest first, each with its number of leaves."""

    def __init__(self):
        self.size, self.peaks = 0, []

    def append(self, leaf):
        node, count = leaf, 1
        while self.peaks and self.peaks[-1][1] == count:
            left, _ = self.peaks.pop()
            node, count = sha256(b"\1" + left + node), count * 2
        self.peaks.append((node, count))
        self.size += 1

    def root(self):
        if not self.peaks:
            return sha256(b"")
        node = self.peaks[-1][0]
        for left, _ in reversed(self.peaks[:-1]):
            node = sha256(b"\1" + left + node)
        return node


# --- signed notes (C2SP)
def read_keys(path):
    keys = {}
    for line in path.read_text().split():
        name, number, material = line.split("+", 2)
        raw = base64.b64decode(material, validate=True)
        if raw[0] != 1 or sha256(name.encode() + b"\n" + raw)[:4].hex() != number:
            raise ValueError(f"bad key {line}")
        keys[name, number] = raw[1:]
    return keys


def signed(note, keys):
    text, _, signatures = note.partition("\n\n")
    for line in signatures.splitlines():
        dash, name, blob = (line.split(" ") + ["", ""])[:3]
        raw = base64.b64decode(blob, validate=True)
        key = keys.get((name, raw[:4].hex()))
        if dash == "\u2014" and key and ed25519_verifies(key, (text + "\n").encode(), raw[4:]):
            return True
    return False


def checkpoint(note):
    origin, size, root = note.split("\n")[:3]
    return origin, int(size), base64.b64decode(root, validate=True)


def notes_of(path):
    return [json.loads(line)["note"] for line in path.read_text(encoding="utf-8").splitlines() if line]


# --- receipts: what the eAkte holds is what was received; both are commitments under the item's salt
def read_record(line):
    try:
        record = json.loads(line)
        return record if "leaf" in record or (record["event"] and record["detail"] is not None) else None
    except (ValueError, KeyError, TypeError):
        return None


def check_receipt(record, received, findings):
    item, detail = record.get("item"), record["detail"]
    if record["event"] == "received":
        received[item] = detail.get("commitment")
    elif record["event"] == "delivery.confirmed" and detail.get("handler") == "eakte":
        if detail.get("receipt", {}).get("commitment") != received.get(item):
            findings.append(f"{detail['key']}: the receipt is not for what was received")


def main(folder, keys_file, kept_file=None):
    folder = pathlib.Path(folder)
    keys = read_keys(pathlib.Path(keys_file))
    notes = notes_of(folder / "checkpoints.jsonl")
    kept = notes_of(pathlib.Path(kept_file)) if kept_file else []
    wanted, roots, tree, findings = {checkpoint(n)[1] for n in notes + kept}, {}, Tree(), []
    received, bare, expired, roots[0] = {}, [], [], tree.root()
    with open(folder / "records.jsonl", "rb") as records:
        for line in records:
            record = read_record(line)
            if record is None:
                findings.append(f"leaf {tree.size}: no record")
            elif "leaf" in record:  # deleted after its term: another record must say so
                bare.append(tree.size)
            else:
                check_receipt(record, received, findings)
                if record["event"] == "evidence.deleted":
                    expired += [(a, b, record["detail"]["before"]) for a, b in record["detail"]["leaves"]]
            tree.append(base64.b64decode(record["leaf"], validate=True) if record and "leaf" in record
                        else sha256(b"\0" + line.removesuffix(b"\n")))
            if tree.size in wanted:
                roots[tree.size] = tree.root()
    findings += [f"leaf {n}: its record is gone" for n in bare if not any(a <= n < b for a, b, _ in expired)]
    times = sorted((checkpoint(n)[1], int(n.split("\n")[3].removeprefix("time "))) for n in notes)
    findings += [f"leaf {a}: deleted too early" for a, b, before in expired
                 if next((time for size, time in times if size >= b), before + 1) > before]
    for note in notes + kept:
        origin, size, root = checkpoint(note)
        if not signed(note, keys):
            findings.append(f"checkpoint {size} of {origin}: no signature of a known key")
        if size not in roots:
            findings.append(f"checkpoint {size}: the log ends at {tree.size}")
        elif roots[size] != root:
            findings.append(f"checkpoint {size}: the records have another root")
    newest = max((checkpoint(n)[1] for n in notes), default=0)
    if newest != tree.size:
        findings.append(f"{tree.size} records, the newest checkpoint says {newest}")
    print("\n".join(findings) or f"{tree.size} records, {len(notes)} checkpoints, root {tree.root().hex()}: whole")
    return 1 if findings else 0


if __name__ == "__main__":
    try:
        sys.exit(main(*sys.argv[1:]))
    except (OSError, ValueError, KeyError, TypeError) as error:
        print(f"cannot be read: {error}")
        sys.exit(2)
