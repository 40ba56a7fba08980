"""Drives imaplib through the calls that scripts use.

Reads a target as JSON from stdin; exits 1 with a traceback at the first
surprise. INBOX must hold the messages of target["mails"] (base64), in order.
"""
import base64, imaplib, json, re, ssl, sys, time

to = json.load(sys.stdin)
mails = [base64.b64decode(m) for m in to["mails"]]
context = ssl.create_default_context(cafile=to["ca"])


def port(addr):
    return int(addr.rsplit(":", 1)[1])


def ok(answer):
    typ, data = answer
    assert typ in ("OK", "BYE"), (typ, data)
    return data


def uids(data):
    return [int(n) for n in data[0].split()]


# STARTTLS, then AUTHENTICATE PLAIN; the second connection is over TLS from the start.
imap = imaplib.IMAP4("localhost", port(to["imap"]))
assert "STARTTLS" in imap.capabilities, imap.capabilities
ok(imap.starttls(context))
ok(imap.authenticate("PLAIN", lambda _: ("\0%s\0%s" % (to["user"], to["pass"])).encode()))
other = imaplib.IMAP4_SSL("localhost", port(to["imaps"]), ssl_context=context)
ok(other.login(to["user"], to["pass"]))
try:
    imaplib.IMAP4_SSL("localhost", port(to["imaps"]), ssl_context=context).login(to["user"], "wrong")
    raise AssertionError("a wrong password is taken")
except imaplib.IMAP4.error as e:
    assert "AUTHENTICATIONFAILED" in str(e), e

# Mailboxes.
ok(imap.create("Work"))
ok(imap.create("Work/2026"))
ok(imap.rename("Work/2026", "Work/Old"))
ok(imap.subscribe("Work/Old"))
names = [re.search(rb'"/" "?([^"]+)"?$', line).group(1) for line in ok(imap.list())]
assert {b"INBOX", b"Work", b"Work/Old"} <= set(names), names
assert any(b"Work/Old" in line for line in ok(imap.lsub())), imap.lsub()
ok(imap.unsubscribe("Work/Old"))
ok(imap.namespace())
assert imap.create("Work")[0] == "NO"

# FETCH: every message whole, by sequence number and by UID.
assert int(ok(imap.select("INBOX"))[0]) == len(mails)
for n, mail in enumerate(mails, 1):
    data = ok(imap.fetch(str(n), "(RFC822.SIZE BODY.PEEK[])"))
    assert data[0][1] == mail, (n, data[0][0])
    assert b"RFC822.SIZE %d" % len(mail) in data[0][0], data[0][0]
    head, _, body = mail.partition(b"\r\n\r\n")
    data = ok(imap.fetch(str(n), "(BODY.PEEK[HEADER])"))
    assert data[0][1] == head + b"\r\n\r\n", data
    data = ok(imap.fetch(str(n), "(BODY.PEEK[TEXT]<1.20>)"))
    assert data[0][1] == body[1:21], data
every = uids(ok(imap.uid("SEARCH", "ALL")))
assert len(every) == len(mails) and every == sorted(every)
data = ok(imap.uid("FETCH", str(every[0]), "(FLAGS ENVELOPE BODYSTRUCTURE INTERNALDATE)"))
assert b"Tea at four" in data[0] and b'"TEXT" "PLAIN"' in data[0].upper(), data
assert imaplib.Internaldate2tuple(data[0]) is not None, data
data = ok(imap.fetch("1", "(BODY[HEADER.FIELDS (SUBJECT)])"))
assert data[0][1] == b"Subject: Tea at four\r\n\r\n", data
assert imaplib.ParseFlags(ok(imap.fetch("1", "(FLAGS)"))[0]).count(b"\\Seen") == 1

# SEARCH.
assert uids(ok(imap.search(None, "SUBJECT", '"tea at"'))) == [1]
assert uids(ok(imap.search(None, "OR", "HEADER", "Message-ID", "dots@", "SUBJECT", "Dots", "UNSEEN"))) == [2]
assert uids(ok(imap.search(None, "SEEN"))) == [1]
assert uids(ok(imap.search(None, "NOT", "SMALLER", "100000"))) == [len(mails)]
assert uids(ok(imap.search(None, "SENTON", "3-Mar-2026"))) == list(range(1, len(mails) + 1))
imap.literal = "Zürich – schön".encode()
assert uids(ok(imap.search("UTF-8", "BODY"))) == [4]
assert imap.search("NO-SUCH", "TEXT", "x")[0] == "NO"

# STORE.
ok(imap.store("1:2", "+FLAGS", r"(\Flagged $Work)"))
assert uids(ok(imap.search(None, "KEYWORD", "$Work", "FLAGGED"))) == [1, 2]
ok(imap.store("2", "-FLAGS.SILENT", "($Work)"))
ok(imap.store("2", "FLAGS", r"(\Answered)"))
assert set(imaplib.ParseFlags(ok(imap.fetch("2", "(FLAGS)"))[0])) - {b"\\Recent"} == {b"\\Answered"}

# APPEND with flags and date, COPY, MOVE; the other connection sees each.
when = '"17-Jul-2024 02:44:25 -0700"'
ok(imap.append("Work", r"(\Seen $Work)", when, mails[3]))
third = imaplib.IMAP4_SSL("localhost", port(to["imaps"]), ssl_context=context)
ok(third.login(to["user"], to["pass"]))
assert third.append("NoSuch", None, None, mails[3])[1][0].startswith(b"[TRYCREATE]")
ok(imap.copy("1:3", "Work"))
ok(imap.xatom("MOVE", "1", "Work/Old"))
assert int(ok(imap.select("INBOX"))[0]) == len(mails) - 1
assert int(ok(other.select("Work"))[0]) == 4
data = ok(other.fetch("1", "(FLAGS INTERNALDATE BODY.PEEK[])"))
assert data[0][1] == mails[3], data
flags = b" ".join(p if isinstance(p, bytes) else p[0] for p in data)
assert b"$Work" in flags and b"\\Seen" in flags, flags
moment = imaplib.Internaldate2tuple(flags)
assert time.mktime(moment) == 1721209465, moment
for n in (1, 2, 3):
    assert ok(other.fetch(str(n + 1), "(BODY.PEEK[])"))[0][1] == mails[n - 1]
assert int(ok(other.select("Work/Old", readonly=True))[0]) == 1
assert ok(other.fetch("1", "(BODY.PEEK[])"))[0][1] == mails[0]
other.store("1", "+FLAGS", r"(\Deleted)")
assert b"\\Deleted" not in ok(other.fetch("1", "(FLAGS)"))[0], "STORE in an examined mailbox"

# STATUS, EXPUNGE, NOOP tells the other, CLOSE.
ok(other.select("INBOX"))
ok(imap.store("1:2", "+FLAGS.SILENT", r"(\Deleted)"))
assert ok(imap.expunge()) in ([b"1", b"1"], [b"2", b"1"])
ok(other.noop())
assert other.response("EXPUNGE")[1] in ([b"1", b"1"], [b"2", b"1"])
status = ok(imap.status("INBOX", "(MESSAGES UIDNEXT UIDVALIDITY UNSEEN)"))[0]
assert b"MESSAGES %d " % (len(mails) - 3) in status, status
ok(imap.store("1", "+FLAGS", r"(\Deleted)"))
ok(imap.close())
assert int(ok(imap.select("INBOX"))[0]) == len(mails) - 4
ok(imap.unselect())

# IDLE: imaplib has it from 3.14 on.
if hasattr(imap, "idle"):
    ok(imap.select("INBOX"))
    with imap.idle(duration=10) as idler:
        ok(other.append("INBOX", None, None, mails[0]))
        typ, data = next(idler)
        assert typ == "EXISTS", (typ, data)

ok(imap.select("INBOX"))
ok(imap.delete("Work/Old"))
assert imap.delete("Work/Old")[0] == "NO"
ok(imap.logout())
ok(other.logout())
