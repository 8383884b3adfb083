"""Items by number: every one with a customer of its own, so that no window joins two of them."""
import email.utils
import time

KINDS = [
    ("Umzug", "Guten Tag,\n\nich bin umgezogen. Meine neue Anschrift ab 01.06.2024 ist Lindenweg {n}, 12345 Musterstadt."
              "\nMeine Kundennummer ist {number}.\n\nMit freundlichen Grüßen\n{name}\n"),
    ("Arbeitsuchend", "Guten Tag,\n\nmein Vertrag läuft Ende September aus, daher möchte ich mich arbeitsuchend melden."
                      "\nKundennummer {number}\n\n{name}\n"),
    ("Ortsabwesenheit", "Hallo,\n\nich möchte meine Ortsabwesenheit anzeigen: vom 08.07.2024 bis 19.07.2024 bin ich im "
                        "Urlaub.\nKundennummer {number}\n\n{name}\n"),
    ("Neue Bankverbindung", "Guten Tag,\n\nmeine Bankverbindung hat sich geändert, mein neues Konto: "
                            "IBAN DE02 1203 0000 0000 2020 51.\nKundennummer {number}\n{name}\n"),
    ("Krank", "Guten Tag,\n\nich bin seit heute krank und schicke die Krankmeldung mit.\nKundennummer {number}\n{name}\n"),
]
FORMS = ["umzug", "ortsabwesenheit", "zahlungsverbindung", "arbeitsaufnahme"]
START = 1718000000  # 2024-06-10


def number(n):
    return f"{n % 1000:03d}A{100000 + n:06d}"


def name(n):
    return f"Kundin {n}"


def subject_and_body(n):
    subject, body = KINDS[n % len(KINDS)]
    return f"{subject} {n}", body.format(n=n, number=number(n), name=name(n))


def received(n):
    return START + n * 61


def mail(n, to="servicecenter@example.org"):
    """The bytes of mail n."""
    subject, body = subject_and_body(n)
    address = f"kundin{n}@example.org"
    return (f"Return-Path: <{address}>\r\nFrom: {name(n)} <{address}>\r\nTo: {to}\r\nSubject: {subject}\r\n"
            f"Date: {email.utils.formatdate(received(n))}\r\nMessage-ID: <mail-{n}@example.org>\r\n"
            "MIME-Version: 1.0\r\nContent-Type: text/plain; charset=utf-8\r\nContent-Transfer-Encoding: 8bit\r\n\r\n"
            + body.replace("\n", "\r\n")).encode()


def stamp(n):
    return time.strftime("%Y-%m-%dT%H:%M:%SZ", time.gmtime(received(n)))


def postbox(n):
    subject, body = subject_and_body(n)
    return {"id": f"p{n}", "received": stamp(n), "from": {"name": name(n)}, "subject": subject, "body": body}


def eservice(n):
    item = {"id": f"e{n}", "received": stamp(n), "from": {"name": name(n), "email": f"form{n}@example.org"},
            "archived": f"history-{n}"}
    if n % 5 == 4:
        item["form"] = {"type": "arbeitsuchendmeldung", "text": f"Kundennummer {number(n)}",
                        "cv": {"schulbildung": "filled", "berufsausbildung": "empty"}}
    else:
        item["form"] = {"type": "veraenderung", "kind": FORMS[n % 5], "from": "2024-07-08", "to": "2024-07-19",
                        "text": f"Kundennummer {number(n)}"}
    return item
