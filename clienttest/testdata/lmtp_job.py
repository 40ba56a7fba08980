"""Delivers target["mails"] with smtplib.LMTP and reads them with imaplib."""
import base64, imaplib, json, smtplib, sys

to = json.load(sys.stdin)
mails = [base64.b64decode(m) for m in to["mails"]]


def port(addr):
    return int(addr.rsplit(":", 1)[1])


lmtp = smtplib.LMTP("localhost", port(to["lmtp"]))
lmtp.ehlo_or_helo_if_needed()
assert lmtp.has_extn("pipelining") and lmtp.has_extn("8bitmime"), lmtp.esmtp_features
for mail in mails:
    refused = lmtp.sendmail("ada@example.org", [to["rcpt"]], mail, ["BODY=8BITMIME"])
    assert refused == {}, refused
# smtplib reads only one reply after DATA, so one recipient a message; the
# others are refused at RCPT.
nobody = "nobody" + to["rcpt"][to["rcpt"].index("@"):]
refused = lmtp.sendmail("", [nobody, to["rcpt"]], mails[0])
assert list(refused) == [nobody] and refused[nobody][0] == 550, refused
try:
    lmtp.sendmail("ada@example.org", [nobody], mails[0])
    raise AssertionError("mail for nobody was taken")
except smtplib.SMTPRecipientsRefused:
    pass
assert lmtp.noop()[0] == 250 and lmtp.rset()[0] == 250
lmtp.quit()

imap = imaplib.IMAP4("localhost", port(to["imap"]))
imap.login(to["user"], to["pass"])
assert int(imap.select("INBOX")[1][0]) == len(mails) + 1
for n, mail in enumerate(mails + mails[:1], 1):
    got = imap.fetch(str(n), "(BODY.PEEK[])")[1][0][1]
    assert got.endswith(mail), (n, got[:400])
    added = got[:-len(mail)].decode()
    sender = "<ada@example.org>" if n <= len(mails) else "<>"
    assert added.startswith("Return-Path: %s\r\n" % sender), added
    assert "Delivered-To: " in added and "\r\nReceived: " in added, added
imap.logout()
