#!/usr/bin/python3
"""An SMTP server that misbehaves on demand. Standard library only.

    smtp_faults.py PORT CERTIFICATE KEY TAKEN.jsonl

What it takes in is written to TAKEN.jsonl before any answer, so that effects are counted here and not by the program
under test. The local part of the recipient says what happens:

    rcpt-CODE         RCPT is answered with CODE            rcpt-close   the connection ends at RCPT
    data-CODE         the end of the mail is answered with CODE; nothing is taken
    hang              taken, then no answer                  lost         taken, then the connection ends
    half              the connection ends in the middle of the mail; nothing is taken
    ok-close          taken and answered; afterwards the connection ends silently
    slow              every answer takes its time            anything else: taken and answered

PORT: STARTTLS, log-in PLAIN, LOGIN, XOAUTH2. PORT+1: offers no STARTTLS. PORT+2: greets with 421. PORT+3: refuses
MAIL with 452. PORT+4: greets and never speaks again. PORT+5: sends plain text behind its answer to STARTTLS.
"""
import base64
import json
import socket
import ssl
import sys
import threading
import time

LOCK = threading.Lock()
TOKEN = "token-gut"


class Session:
    def __init__(self, connection, kind, context, taken):
        self.connection, self.kind, self.context, self.taken = connection, kind, context, taken
        self.file = connection.makefile("rb")
        self.secure, self.user, self.sender, self.to = False, None, None, None

    def say(self, text):
        if self.to and self.to.startswith("slow"):
            time.sleep(0.3)
        self.connection.sendall(text.encode() + b"\r\n")

    def line(self):
        line = self.file.readline(4096)
        if not line:
            raise ConnectionError
        return line.decode("utf-8", "replace").rstrip("\r\n")

    def hello(self):
        words = ["localhost", "8BITMIME", "SIZE 1000000"]
        if self.secure:
            words.append("AUTH PLAIN LOGIN XOAUTH2")
        elif self.kind != "plain":
            words.append("STARTTLS")
        for word in words[:-1]:
            self.say("250-" + word)
        self.say("250 " + words[-1])

    def start_tls(self):
        if self.kind == "injecting":
            self.connection.sendall(b"220 go\r\n250 AUTH PLAIN\r\n250 OK\r\n")
        else:
            self.say("220 go")
        self.connection = self.context.wrap_socket(self.connection, server_side=True)
        self.file = self.connection.makefile("rb")
        self.secure = True

    def log_in(self, argument):
        mechanism, _, initial = argument.partition(" ")
        if not initial:
            self.say("334 ")
            initial = self.line()
        given = base64.b64decode(initial + "===").decode("utf-8", "replace")
        if mechanism.upper() == "XOAUTH2":
            good = "auth=Bearer " + TOKEN + "\x01" in given
            if not good:
                self.say("334 eyJzdGF0dXMiOiI0MDEifQ==")
                self.line()
        else:
            good = given.endswith("\0geheim & gut")
        self.user = mechanism if good else None
        self.say("235 welcome" if good else "535 5.7.8 no")

    def data(self):
        self.say("354 go on")
        lines = []
        while True:
            line = self.file.readline(65536)
            if not line:
                raise ConnectionError
            if line == b".\r\n":
                break
            lines.append(line[1:] if line.startswith(b".") else line)
            if self.to.startswith("half") and len(lines) == 3:
                raise ConnectionError
        kind = self.to.partition("@")[0]
        if kind.startswith("data-"):
            self.say(kind[5:] + " as you wish")
            return
        with LOCK, open(self.taken, "a", encoding="utf-8") as out:
            out.write(json.dumps({"from": self.sender, "to": self.to, "auth": self.user, "secure": self.secure,
                                  "data": b"".join(lines).decode("latin-1")}) + "\n")
        if kind == "hang":
            time.sleep(60)
        if kind in ("hang", "lost"):
            raise ConnectionError
        self.say("250 2.0.0 taken")
        if kind == "ok-close":
            raise ConnectionError

    def recipient(self, argument):
        self.to = argument[argument.find("<") + 1:argument.find(">")]
        kind = self.to.partition("@")[0]
        if kind == "rcpt-close":
            raise ConnectionError
        self.say(kind[5:] + " as you wish" if kind.startswith("rcpt-") else "250 ok")

    def command(self, line):
        verb, _, argument = line.partition(" ")
        verb = verb.upper()
        if verb in ("EHLO", "HELO"):
            self.hello()
        elif verb == "STARTTLS" and self.kind != "plain":
            self.start_tls()
        elif verb == "AUTH" and self.secure:
            self.log_in(argument)
        elif verb == "MAIL" and self.kind == "full":
            self.say("452 4.3.1 no room")
        elif verb == "MAIL":
            self.sender = argument[argument.find("<") + 1:argument.find(">")]
            self.say("250 ok")
        elif verb == "RCPT":
            self.recipient(argument)
        elif verb == "DATA":
            self.data()
            self.to = None
        elif verb == "QUIT":
            self.say("221 bye")
            raise ConnectionError
        else:
            self.say("250 ok" if verb in ("RSET", "NOOP") else "502 what?")

    def run(self):
        try:
            if self.kind == "busy":
                self.say("421 4.3.2 busy")
                return
            self.say("220 localhost ESMTP")
            if self.kind == "mute":
                time.sleep(60)
                return
            while True:
                self.command(self.line())
        except (ConnectionError, OSError, ssl.SSLError):
            pass
        finally:
            try:
                self.connection.shutdown(socket.SHUT_RDWR)
            except OSError:
                pass
            self.connection.close()


def listen(port, kind, context, taken):
    server = socket.socket()
    server.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
    server.bind(("127.0.0.1", port))
    server.listen(50)

    def accept():
        while True:
            connection, _ = server.accept()
            session = Session(connection, kind, context, taken)
            threading.Thread(target=session.run, daemon=True).start()

    threading.Thread(target=accept, daemon=True).start()


def main():
    port, certificate, key, taken = int(sys.argv[1]), sys.argv[2], sys.argv[3], sys.argv[4]
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.minimum_version = ssl.TLSVersion.TLSv1_2
    context.load_cert_chain(certificate, key)
    for offset, kind in enumerate(["good", "plain", "busy", "full", "mute", "injecting"]):
        listen(port + offset, kind, context, taken)
    print("ready", flush=True)
    while True:
        time.sleep(3600)


if __name__ == "__main__":
    main()
