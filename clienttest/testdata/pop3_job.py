"""Drives poplib through all of its calls. Input as for imap_job.py."""
import base64, json, poplib, ssl, sys

to = json.load(sys.stdin)
mails = [base64.b64decode(m) for m in to["mails"]]
context = ssl.create_default_context(cafile=to["ca"])


def port(addr):
    return int(addr.rsplit(":", 1)[1])


def refused(call, *args):
    try:
        call(*args)
    except poplib.error_proto as e:
        return str(e)
    raise AssertionError("accepted: %s %s" % (call, args))


def login(pop):
    pop.user(to["user"])
    pop.pass_(to["pass"])
    return pop


poplib._MAXLINE = 1 << 20  # poplib itself refuses longer lines than 2,048 octets

# CAPA before and after STLS and login.
pop = poplib.POP3("localhost", port(to["pop3"]))
assert {"STLS", "UIDL", "TOP", "PIPELINING"} <= set(pop.capa()), pop.capa()
pop.stls(context)
assert "STLS" not in pop.capa(), pop.capa()
assert "USER" in pop.capa() or "SASL" in pop.capa(), pop.capa()
refused(pop.stat)
login(pop)

# STAT, LIST, UIDL agree.
count, size = pop.stat()
assert count == len(mails) and size == sum(map(len, mails)), (count, size)
_, lines, _ = pop.list()
assert lines == [b"%d %d" % (n, len(m)) for n, m in enumerate(mails, 1)], lines
assert pop.list(2).split()[1:3] == [b"2", b"%d" % len(mails[1])], pop.list(2)
_, lines, _ = pop.uidl()
ids = [line.split()[1] for line in lines]
assert len(set(ids)) == len(mails) and all(1 <= len(i) <= 70 for i in ids), ids
assert pop.uidl(3).split()[2] == ids[2]
refused(pop.list, len(mails) + 1)
refused(pop.retr, 0)

# RETR and TOP, byte for byte.
for n, mail in enumerate(mails, 1):
    lines = mail.split(b"\r\n")[:-1]
    assert pop.retr(n)[1] == lines, n
    blank = lines.index(b"")
    for k in (0, 1, 3):
        assert pop.top(n, k)[1] == lines[:blank + 1 + k], (n, k)

# DELE and RSET, then a session that ends without QUIT: nothing is deleted.
pop.dele(1)
refused(pop.retr, 1)
refused(pop.dele, 1)
assert pop.stat() == (len(mails) - 1, size - len(mails[0]))
assert len(pop.list()[1]) == len(mails) - 1
pop.rset()
assert pop.stat() == (count, size)
pop.dele(1)
pop.noop()
pop.close()

# Over TLS: all is still there, under the same ids; delete two and QUIT.
pop = login(poplib.POP3_SSL("localhost", port(to["pop3s"]), context=context))
assert pop.stat() == (count, size)
assert [line.split()[1] for line in pop.uidl()[1]] == ids
pop.dele(1)
pop.dele(len(mails))
pop.quit()
pop = login(poplib.POP3_SSL("localhost", port(to["pop3s"]), context=context))
assert [line.split()[1] for line in pop.uidl()[1]] == ids[1:-1]
assert pop.retr(1)[1] == mails[1].split(b"\r\n")[:-1]
pop.quit()

bad = poplib.POP3_SSL("localhost", port(to["pop3s"]), context=context)
bad.user(to["user"])
assert "[AUTH]" in refused(bad.pass_, "wrong")
