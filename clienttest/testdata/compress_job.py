"""Drives imaplib over COMPRESS=DEFLATE with zlib, flushed in each of its ways.

Reads a target as JSON from stdin; exits 1 with a traceback at the first
surprise. INBOX must hold the messages of target["mails"] (base64), in order.
"""
import base64, imaplib, json, random, ssl, sys, zlib

to = json.load(sys.stdin)
mails = [base64.b64decode(m) for m in to["mails"]]
context = ssl.create_default_context(cafile=to["ca"])


class Packed(imaplib.IMAP4_SSL):
    """An imaplib connection that can begin to compress."""

    packer = None

    def start(self, flush, piece):
        assert self.xatom("COMPRESS", "DEFLATE")[0] == "OK"
        self.packer, self.unpacker = zlib.compressobj(6, zlib.DEFLATED, -15), zlib.decompressobj(-15)
        self.flush, self.piece, self.plain = flush, piece, b""

    def send(self, data):
        if self.packer:
            data = self.packer.compress(data) + self.packer.flush(self.flush)
            for i in range(0, len(data), self.piece):
                self.sock.sendall(data[i : i + self.piece])
        else:
            super().send(data)

    def more(self):
        data = self.sock.recv(1 << 16)
        if not data:
            raise self.abort("the connection is closed")
        self.plain += self.unpacker.decompress(data)

    def read(self, size):
        if not self.packer:
            return super().read(size)
        while len(self.plain) < size:
            self.more()
        data, self.plain = self.plain[:size], self.plain[size:]
        return data

    def readline(self):
        if not self.packer:
            return super().readline()
        while b"\n" not in self.plain:
            self.more()
        return self.read(self.plain.index(b"\n") + 1)


def ok(answer):
    typ, data = answer
    assert typ == "OK", (typ, data)
    return data


def job(flush, piece):
    imap = Packed("localhost", int(to["imaps"].rsplit(":", 1)[1]), ssl_context=context, timeout=30)
    ok(imap.login(to["user"], to["pass"]))
    imap.start(flush, piece)
    typ, data = imap.xatom("COMPRESS", "DEFLATE")
    assert typ == "NO" and b"COMPRESSIONACTIVE" in data[0], (typ, data)
    assert int(ok(imap.select("INBOX"))[0]) >= len(mails)
    for n, mail in enumerate(mails, 1):
        assert ok(imap.fetch(str(n), "(BODY.PEEK[])"))[0][1] == mail, n
    # A message that cannot be made smaller, in literals that are asked for.
    noise = base64.encodebytes(random.Random(piece).randbytes(20_000)).replace(b"\n", b"\r\n")
    ok(imap.append("INBOX", None, None, b"Subject: noise\r\n\r\n" + noise))
    last = ok(imap.search(None, "ALL"))[0].split()[-1].decode()
    assert ok(imap.fetch(last, "(BODY.PEEK[TEXT])"))[0][1] == noise
    # IDLE, ended in one piece with the next command.
    imap.send(b"i IDLE\r\n")
    while not imap.readline().startswith(b"+ "):
        pass
    imap.send(b"DONE\r\nn NOOP\r\n")
    while not imap.readline().startswith(b"i OK"):
        pass
    while not imap.readline().startswith(b"n OK"):
        pass
    imap.logout()


for flush in (zlib.Z_SYNC_FLUSH, zlib.Z_FULL_FLUSH, zlib.Z_PARTIAL_FLUSH):
    for piece in (1 << 16, 7):
        job(flush, piece)
