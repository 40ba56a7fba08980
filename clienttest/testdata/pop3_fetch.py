"""Prints all messages of a maildrop, each in base64 on a line, and deletes none.
Input as for imap_job.py."""
import base64, json, poplib, ssl, sys

to = json.load(sys.stdin)
poplib._MAXLINE = 1 << 20  # poplib itself refuses longer lines than 2,048 octets
pop = poplib.POP3_SSL("localhost", int(to["pop3s"].rsplit(":", 1)[1]), context=ssl.create_default_context(cafile=to["ca"]))
pop.user(to["user"])
pop.pass_(to["pass"])
for n in range(1, pop.stat()[0] + 1):
    print(base64.b64encode(b"\r\n".join(pop.retr(n)[1]) + b"\r\n").decode())
pop.quit()
