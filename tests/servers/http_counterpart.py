#!/usr/bin/python3
"""The other side of every HTTPS call, for tests: OAuth token endpoint, postbox and eService queues, postbox
messages, tickets, archive, facts (docs/openapi/). Standard library only.

    http_counterpart.py PORT CERTIFICATE KEY [EVENTS.jsonl]

It counts what really arrives, so that "nothing lost, nothing doubled" is asked here and not of the program under
test. GET /_control/state gives all of it; POST /_control/… sets it up:

    items    {"queue": "postbox", "items": [...]}      puts items into a queue
    raw      {"queue": "postbox", "text": "..."}       the next page is this text, as it is
    facts    {"<kundennummer>": {...}}                 what /facts answers
    fault    {"path": "/postbox/items", "kind": "...", "times": 1, ...}
             kinds: status (code, retry_after), close (before an answer), close_after (the effect took place),
             slow (seconds for each byte), stall (seconds before the answer), truncate, garbage, redirect
    token    {"lifetime": 3600} or {"revoke": true}    OAuth: how long tokens live; forget those handed out
    reset    {}
"""
import base64
import hashlib
import json
import ssl
import sys
import threading
import time
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from urllib.parse import parse_qs, unquote, urlsplit

CLIENT, SECRET, BEARER = "posteingang", "geheim & gut", "fixed-test-token"
LOCK = threading.RLock()


def fresh():
    return {
        "queues": {"postbox": [], "eservice": []},
        "acknowledged": {"postbox": [], "eservice": []},
        "acknowledge_calls": 0,
        "raw": {},
        "messages": [], "tickets": [], "archive": {}, "archive_writes": 0,
        "facts": {}, "facts_calls": 0,
        "by_key": {}, "repeated_keys": 0,
        "faults": [], "calls": {}, "bytes_out": 0,
        "tokens": {}, "tokens_issued": 0, "token_lifetime": 3600, "refused": 0,
        "failed_ids": [],
    }


STATE = fresh()


class Handler(BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"
    timeout = 60
    disable_nagle_algorithm = True  # else each answer waits 40 ms for an acknowledgement

    def log_message(self, *args):
        pass

    # --- answering ---

    def answer(self, status, body=None, headers=(), raw=None):
        data = raw if raw is not None else (b"" if body is None else json.dumps(body).encode())
        fault = getattr(self, "fault", None)
        if fault and fault["kind"] == "close_after":
            self.close_connection = True
            return
        if fault and fault["kind"] == "truncate":
            head_size, data = len(data), data[: len(data) // 2]
            self.close_connection = True
        else:
            head_size = len(data)
        self.send_response(status)
        for name, value in headers:
            self.send_header(name, value)
        self.send_header("Content-Type", "application/json")
        self.send_header("Content-Length", str(head_size))
        self.end_headers()
        with LOCK:
            STATE["bytes_out"] += len(data)
        if fault and fault["kind"] == "slow":
            for byte in data:
                self.wfile.write(bytes([byte]))
                self.wfile.flush()
                time.sleep(fault.get("seconds", 1))
            return
        self.wfile.write(data)

    def body(self):
        size = int(self.headers.get("Content-Length") or 0)
        return self.rfile.read(size)

    # --- faults ---

    def take_fault(self, path):
        with LOCK:
            for fault in STATE["faults"]:
                if path.startswith(fault["path"]) and fault.get("method", self.command) == self.command:
                    fault["times"] = fault.get("times", 1) - 1
                    if fault["times"] <= 0:
                        STATE["faults"].remove(fault)
                    return fault
        return None

    def faulty(self, fault):
        """True: the fault was the whole answer."""
        kind = fault["kind"]
        if kind == "close":
            self.close_connection = True
            return True
        if kind == "status":
            headers = [("Retry-After", str(fault["retry_after"]))] if "retry_after" in fault else []
            self.answer(fault.get("code", 500), {"type": "about:blank", "status": fault.get("code", 500)}, headers)
            return True
        if kind == "redirect":
            self.answer(302, None, [("Location", fault["location"])])
            return True
        if kind == "garbage":
            self.answer(200, raw=b"<html>sorry</html>")
            return True
        if kind == "stall":
            time.sleep(fault.get("seconds", 30))
        self.fault = fault
        return False

    # --- authorisation ---

    def authorised(self):
        value = self.headers.get("Authorization", "")
        token = value[7:] if value.startswith("Bearer ") else ""
        with LOCK:
            good = token == BEARER or STATE["tokens"].get(token, 0) > time.time()
            if not good:
                STATE["refused"] += 1
        if not good:
            self.answer(401, {"status": 401}, [("WWW-Authenticate", "Bearer")])
        return good

    def token(self, body):
        form = parse_qs(body.decode())
        value = self.headers.get("Authorization", "")
        try:
            user, _, password = base64.b64decode(value[6:]).decode().partition(":")
        except ValueError:
            user = password = ""
        if (unquote(user), unquote(password)) != (CLIENT, SECRET) or form.get("grant_type") != ["client_credentials"]:
            self.answer(401, {"error": "invalid_client", "error_description": "who is " + user})
            return
        with LOCK:
            STATE["tokens_issued"] += 1
            token = "token-%d" % STATE["tokens_issued"]
            STATE["tokens"][token] = time.time() + STATE["token_lifetime"]
        self.answer(200, {"access_token": token, "token_type": "Bearer", "expires_in": STATE["token_lifetime"]})

    # --- queues ---

    def list_items(self, queue, query):
        limit = int(query.get("limit", ["100"])[0])
        cursor = query.get("cursor", [""])[0]
        with LOCK:
            if queue in STATE["raw"]:
                self.answer(200, raw=STATE["raw"].pop(queue).encode())
                return
            waiting = [one for one in STATE["queues"][queue]]
        start = 0
        if cursor:
            start = next((n for n, (number, _) in enumerate(waiting) if number > int(cursor)), len(waiting))
        page = waiting[start:start + limit]
        more = start + limit < len(waiting)
        received = [item.get("received") for _, item in waiting if isinstance(item, dict) and item.get("received")]
        self.answer(200, {
            "items": [item for _, item in page],
            "next": str(page[-1][0]) if more and page else None,
            "count": len(waiting),
            "oldest": min(received) if received else None,
        })

    def acknowledge(self, queue, ids):
        with LOCK:
            STATE["acknowledge_calls"] += 1
            failed = [one for one in ids if one in STATE["failed_ids"]]
            for one in ids:
                if one in failed:
                    continue
                left = [(n, item) for n, item in STATE["queues"][queue]
                        if not (isinstance(item, dict) and str(item.get("id")) == one)]
                if len(left) != len(STATE["queues"][queue]):
                    STATE["acknowledged"][queue].append(one)
                STATE["queues"][queue] = left
        self.answer(200, {"acknowledged": [one for one in ids if one not in failed], "failed": failed})

    # --- effects ---

    def effect(self, store, body, identity=None):
        """Makes something once for each idempotency key."""
        key = self.headers.get("Idempotency-Key") or ""
        digest = hashlib.sha256(body).hexdigest()
        with LOCK:
            known = STATE["by_key"].get((store, key)) if key else None
            if known:
                STATE["repeated_keys"] += 1
                self.answer(200, known)
                return
            number = len(STATE[store]) + 1
            receipt = {"id": identity or "%s-%d" % (store, number), "sha256": digest}
            entry = {"key": key, "body": json.loads(body), "receipt": receipt}
            if isinstance(STATE[store], dict):
                STATE[store][identity] = entry
            else:
                STATE[store].append(entry)
            if key:
                STATE["by_key"][(store, key)] = receipt
        self.answer(201, receipt)

    def look_up(self, body):
        query = json.loads(body)
        with LOCK:
            STATE["facts_calls"] += 1
            facts = STATE["facts"].get(query.get("kundennummer") or query.get("address") or "", {})
        self.answer(200, facts)

    # --- control ---

    def control(self, name, body):
        data = json.loads(body or b"{}")
        with LOCK:
            if name == "state":
                shown = {k: v for k, v in STATE.items() if k not in ("by_key", "tokens")}
                shown["waiting"] = {q: len(v) for q, v in STATE["queues"].items()}
                self.answer(200, shown)
                return
            if name == "items":
                start = STATE.setdefault("number", 0)
                for item in data["items"]:
                    start += 1
                    STATE["queues"][data["queue"]].append((start, item))
                STATE["number"] = start
            elif name == "raw":
                STATE["raw"][data["queue"]] = data["text"]
            elif name == "facts":
                STATE["facts"].update(data)
            elif name == "fault":
                STATE["faults"].append(data)
            elif name == "failed_ids":
                STATE["failed_ids"] = data["ids"]
            elif name == "token":
                STATE["token_lifetime"] = data.get("lifetime", STATE["token_lifetime"])
                if data.get("revoke"):
                    STATE["tokens"].clear()
            elif name == "reset":
                STATE.clear()
                STATE.update(fresh())
        self.answer(200, {})

    # --- routing ---

    def serve(self):
        url = urlsplit(self.path)
        parts = url.path.strip("/").split("/")
        body = self.body()
        self.fault = None
        if parts[0] == "_control":
            self.control(parts[1], body)
            return
        with LOCK:
            name = self.command + " " + url.path
            STATE["calls"][name] = STATE["calls"].get(name, 0) + 1
        fault = self.take_fault(url.path)
        if fault and self.faulty(fault):
            return
        if url.path == "/token":
            self.token(body)
            return
        if self.authorised():
            self.route(parts, parse_qs(url.query), body)

    def route(self, parts, query, body):
        queue = parts[0]
        if queue in STATE["queues"] and parts[1:] == ["items"] and self.command == "GET":
            self.list_items(queue, query)
        elif queue in STATE["queues"] and parts[1:] == ["acknowledgements"] and self.command == "POST":
            self.acknowledge(queue, [str(one) for one in json.loads(body)["ids"]])
        elif queue in STATE["queues"] and parts[1:2] == ["items"] and self.command == "PUT":
            self.acknowledge(queue, [unquote(parts[2])])
        elif parts == ["postbox", "messages"] and self.command == "POST":
            self.effect("messages", body)
        elif parts == ["tickets"] and self.command == "POST":
            self.effect("tickets", body)
        elif parts[0] == "archive" and len(parts) == 2 and self.command == "PUT":
            with LOCK:
                STATE["archive_writes"] += 1
            self.effect("archive", body, unquote(parts[1]))
        elif parts[0] == "archive" and len(parts) == 2 and self.command == "GET":
            entry = STATE["archive"].get(unquote(parts[1]))
            self.answer(200, entry["receipt"]) if entry else self.answer(404, {"status": 404})
        elif parts == ["facts"] and self.command == "POST":
            self.look_up(body)
        else:
            self.answer(404, {"status": 404})

    do_GET = do_POST = do_PUT = do_DELETE = serve


class Server(ThreadingHTTPServer):
    daemon_threads = True
    request_queue_size = 64

    def __init__(self, address, context):
        super().__init__(address, Handler)
        self.context = context

    def process_request_thread(self, request, client_address):
        try:
            request.settimeout(60)
            request = self.context.wrap_socket(request, server_side=True)
        except (OSError, ssl.SSLError):
            request.close()
            return
        super().process_request_thread(request, client_address)

    def handle_error(self, request, client_address):
        pass


def main():
    port, certificate, key = int(sys.argv[1]), sys.argv[2], sys.argv[3]
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.minimum_version = ssl.TLSVersion.TLSv1_2
    context.load_cert_chain(certificate, key)
    server = Server(("127.0.0.1", port), context)
    print("ready", flush=True)
    server.serve_forever()


if __name__ == "__main__":
    main()
