#!/usr/bin/python3
"""An IMAP server that misbehaves as told, over TLS, for tests (facts.md part A 2.4; lessons.md F1-F4).

    hostile_imap.py PORT CERTIFICATE KEY SCRIPT.json LOG

SCRIPT.json, read anew at each connection:
    {"validity": 7, "capability": "IMAP4rev1 UIDPLUS", "uidnext": true,
     "messages": {"1": "text", "2": "text"},   UID → message
     "fault": {"1": "nil", "2": "kill", …},     UID → what happens when its body is fetched
     "session": "silent", …}                    what happens to the whole session
Faults of a message: nil, empty, quoted, kill, no (tagged NO), huge_literal, wrap_literal, short_literal (says more
than it sends, then silence), long_literal (sends more than RFC822.SIZE said, without end), trickle, gone (expunged
between size and body), flood (endless untagged answers).
Faults of a session: silent (never greets), preauth, bye, nest (deeply nested answer), no_end (a line without end),
plain_after_starttls, slow_greeting, refuse_login.
LOG gets one line for each command, so that tests can see what was asked.
"""
import json
import socket
import ssl
import sys
import threading
import time


class Session:
    def __init__(self, connection, script, log):
        self.c, self.script, self.log = connection, script, log
        self.buffer = b""

    def send(self, text):
        self.c.sendall(text if isinstance(text, bytes) else text.encode())

    def line(self):
        while b"\r\n" not in self.buffer:
            data = self.c.recv(65536)
            if not data:
                raise EOFError
            self.buffer += data
        line, _, self.buffer = self.buffer.partition(b"\r\n")
        return line.decode("latin-1")

    def hang(self):
        time.sleep(600)

    def greet(self):
        kind = self.script.get("session")
        if kind == "silent":
            self.hang()
        if kind == "preauth":
            self.send("* PREAUTH welcome\r\n")
        elif kind == "bye":
            self.send("* BYE not today\r\n")
            raise EOFError
        elif kind == "nest":
            self.send("* OK hello\r\n* 1 FETCH (BODYSTRUCTURE " + "(" * 50000)
            self.hang()
        elif kind == "no_end":
            self.send("* OK ")
            while True:
                self.send("x" * 65536)
        elif kind == "slow_greeting":
            for letter in "* OK " + "z" * 600:
                self.send(letter)
                time.sleep(0.3)
        else:
            self.send("* OK ready\r\n")

    def run(self):
        self.greet()
        while True:
            tag, _, rest = self.line().partition(" ")
            self.log(rest)
            word = rest.split(" ")[0].upper()
            getattr(self, "do_" + word, self.do_unknown)(tag, rest)

    def ok(self, tag, text="done"):
        self.send("%s OK %s\r\n" % (tag, text))

    def do_unknown(self, tag, rest):
        self.send(tag + " BAD what\r\n")

    def do_CAPABILITY(self, tag, rest):
        self.send("* CAPABILITY %s\r\n" % self.script.get("capability", "IMAP4rev1 AUTH=PLAIN"))
        self.ok(tag)

    def do_NOOP(self, tag, rest):
        self.ok(tag)

    def do_LOGOUT(self, tag, rest):
        self.send("* BYE\r\n")
        self.ok(tag)
        raise EOFError

    def do_LOGIN(self, tag, rest):
        self.ok(tag)

    def do_AUTHENTICATE(self, tag, rest):
        if rest.count(" ") == 1:
            self.send("+ \r\n")
            self.line()
        if self.script.get("session") == "refuse_login":
            self.send(tag + " NO [AUTHENTICATIONFAILED] no\r\n")
        else:
            self.ok(tag)

    def do_SELECT(self, tag, rest):
        messages = self.script["messages"]
        self.send("* FLAGS (\\Seen \\Deleted)\r\n* %d EXISTS\r\n* 0 RECENT\r\n" % len(messages))
        if self.script.get("validity"):
            self.send("* OK [UIDVALIDITY %d] v\r\n" % self.script["validity"])
        if self.script.get("uidnext", True):
            self.send("* OK [UIDNEXT %d] n\r\n" % (max([int(u) for u in messages] or [0]) + 1))
        self.send("* OK [PERMANENTFLAGS (\\Seen \\*)] p\r\n")
        self.ok(tag, "[READ-WRITE] selected")

    def uids(self, text):
        known = sorted(int(u) for u in self.script["messages"])
        chosen = []
        for part in text.split(","):
            first, _, last = part.partition(":")
            low = int(first)
            high = low if not last else (max(known or [0]) if last == "*" else int(last))
            low, high = min(low, high), max(low, high)
            chosen += [u for u in known if low <= u <= high]
        return sorted(set(chosen))

    def do_UID(self, tag, rest):
        words = rest.split(" ")
        what = words[1].upper()
        if what == "SEARCH":
            found = self.uids(words[words.index("UID", 2) + 1] if "UID" in words[2:] else words[2])
            self.send("* SEARCH%s\r\n" % "".join(" %d" % u for u in found))
            self.ok(tag)
        elif what == "FETCH":
            self.fetch(tag, self.uids(words[2]), "BODY" in rest)
        else:
            self.ok(tag)

    def fetch(self, tag, uids, body):
        for uid in uids:
            text = self.script["messages"][str(uid)].encode()
            fault = self.script.get("fault", {}).get(str(uid))
            head = '* %d FETCH (UID %d INTERNALDATE "12-May-2023 00:30:00 +0200"' % (uid, uid)
            if not body:
                size = 200 if fault == "long_literal" else self.script.get("sizes", {}).get(str(uid), len(text))
                self.send(head + " RFC822.SIZE %d)\r\n" % size)
            elif fault:
                if self.broken(tag, head, text, fault):
                    return
            else:
                self.send(head + " BODY[] {%d}\r\n" % len(text))
                self.send(text + b")\r\n")
        self.ok(tag)

    def broken(self, tag, head, text, fault):
        """True: the command is over."""
        if fault == "nil":
            self.send(head + " BODY[] NIL)\r\n")
        elif fault == "empty":
            self.send(head + " BODY[] {0}\r\n)\r\n")
        elif fault == "quoted":
            self.send(head + ' BODY[] "Subject: quoted")\r\n')
        elif fault == "kill":
            raise EOFError
        elif fault == "no":
            self.send(tag + " NO [SERVERBUG] cannot\r\n")
            return True
        elif fault == "gone":
            pass
        elif fault == "huge_literal":
            self.send(head + " BODY[] {2147483648}\r\n")
            self.hang()
        elif fault == "wrap_literal":
            self.send(head + " BODY[] {4294967306}\r\n0123456789)\r\n")
            self.ok(tag)
            self.hang()
        elif fault == "short_literal":
            self.send(head + " BODY[] {%d}\r\n" % (len(text) + 1000))
            self.send(text)
            self.hang()
        elif fault == "long_literal":
            self.send(head + " BODY[] {2000000000}\r\n")
            while True:
                self.send(b"x" * 65536)
        elif fault == "trickle":
            self.send(head + " BODY[] {1000}\r\n")
            for _ in range(1000):
                self.send("y")
                time.sleep(0.3)
        elif fault == "flood":
            while True:
                self.send("* 1 FETCH (FLAGS ())\r\n" * 1000)
        return False

    def do_IDLE(self, tag, rest):
        self.send("+ idling\r\n")
        self.line()
        self.ok(tag)


def serve(connection, context, script_path, log_path):
    def log(text):
        with open(log_path, "a") as out:
            out.write(text + "\n")

    try:
        with open(script_path) as script:
            session = json.load(script)
        if session.get("starttls"):
            plain(connection, session)
        connection = context.wrap_socket(connection, server_side=True)
        log("CONNECT")
        Session(connection, session, log).run()
    except (EOFError, OSError, ValueError):
        pass
    finally:
        connection.close()


def plain(connection, session):
    """The part before TLS, with an answer slipped in behind the OK if so told."""
    connection.sendall(b"* PREAUTH hi\r\n" if session["starttls"] == "preauth" else b"* OK hi\r\n")
    tag = b""
    while b"STARTTLS" not in tag:
        tag = connection.recv(1000)
        if not tag:
            raise EOFError
        if b"STARTTLS" not in tag:
            connection.sendall(b"* CAPABILITY IMAP4rev1 STARTTLS\r\n" + tag.split(b" ")[0] + b" OK\r\n")
    slip = b"* CAPABILITY IMAP4rev1 AUTH=PLAIN EVIL\r\n" if session["starttls"] == "inject" else b""
    connection.sendall(tag.split(b" ")[0] + b" OK go\r\n" + slip)


def main():
    port, certificate, key, script, log = sys.argv[1:6]
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.load_cert_chain(certificate, key)
    listener = socket.socket()
    listener.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
    listener.bind(("127.0.0.1", int(port)))
    listener.listen(20)
    print("ready", flush=True)
    while True:
        connection, _ = listener.accept()
        connection.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        threading.Thread(target=serve, args=(connection, context, script, log), daemon=True).start()


if __name__ == "__main__":
    main()
