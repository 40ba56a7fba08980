package imapd

// extThread is THREAD of RFC 5256, and REFS of draft-ietf-morg-inthread, which
// mail programs know from Dovecot.
func extThread() extension {
	return extension{
		name:         "THREAD",
		rfc:          "RFC 5256",
		capabilities: everywhere("THREAD=ORDEREDSUBJECT", "THREAD=REFERENCES", "THREAD=REFS"),
		commands:     []command{threadCommand(false), threadCommand(true)},
		threadings: []threading{
			{name: "ORDEREDSUBJECT", subject: true, order: orderedSubject},
			{name: "REFERENCES", subject: true, refs: true, order: byReferences},
			{name: "REFS", refs: true, order: byRefs},
		},
	}
}
