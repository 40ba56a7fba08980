package main

import (
	"fmt"
	"strings"

	"tandem/imapd"
)

// imapWord is what the reference says about one word of CAPABILITY. Whether it
// is offered, and when, the registry of imapd says.
type imapWord struct {
	name  string
	rfc   string
	note  string
	peers peers
}

// peers says for Dovecot, Cyrus, Stalwart and mox: + offered, o by setting or
// plug-in, - not offered, ? not known.
type peers string

var peerSigns = map[rune]string{'+': "yes", 'o': "option", '-': "no", '?': "?"}

func (p peers) cells() string {
	var b strings.Builder
	for _, sign := range p {
		b.WriteString(" " + peerSigns[sign] + " |")
	}
	return b.String()
}

// imapNot is what is left out on purpose.
var imapNot = []struct{ name, why string }{
	{"URLAUTH, GENURLAUTH (RFC 4467)", "lets a submission server fetch mail on a user's behalf (BURL): there is no submission here, and every such URL is a key that can leak"},
	{"CONVERT (RFC 5259)", "conversion of attachments runs complex decoders over hostile bytes; we know of no client that asks for it"},
	{"FILTERS (RFC 5466)", "named searches: clients keep them themselves"},
	{"LANGUAGE (RFC 5255)", "answers are for programs, which show their own words to people"},
	{"ANNOTATE (RFC 5257)", "experimental, and we know of no client that uses it; METADATA is the one for mailboxes"},
	{"MAILBOX-REFERRALS, LOGIN-REFERRALS (RFC 2193, 2221)", "there is no other server to refer to"},
	{"JMAPACCESS (RFC 9698)", "there is no JMAP here"},
	{"AUTH=CRAM-MD5, DIGEST-MD5", "need passwords that can be read back; SCRAM does not"},
	{"IMAPSIEVE (RFC 6785)", "there is no sieve here"},
}

// imapPage has what IMAP offers, and what not.
func imapPage() string {
	offered := map[string]imapd.Capability{}
	for _, c := range imapd.Capabilities() {
		offered[c.Name] = c
	}
	var here, missing strings.Builder
	for _, w := range imapWords() {
		if c, ok := offered[w.name]; ok {
			fmt.Fprintf(&here, "| `%s` | %s | %s | %s |%s\n", w.name, w.rfc, told(&c), w.note, w.peers.cells())
		} else {
			fmt.Fprintf(&missing, "| `%s` | %s |%s\n", w.name, w.rfc, w.peers.cells())
		}
	}
	var b strings.Builder
	b.WriteString("# IMAP\n\n" + generated + imapIntro +
		"\n| capability | RFC | told | what | Dovecot | Cyrus | Stalwart | mox |\n" +
		"| --- | --- | --- | --- | --- | --- | --- | --- |\n" + here.String())
	if missing.Len() > 0 {
		b.WriteString("\n## Not there yet\n\n| capability | RFC | Dovecot | Cyrus | Stalwart | mox |\n" +
			"| --- | --- | --- | --- | --- | --- |\n" + missing.String())
	}
	b.WriteString("\n## Left out on purpose\n\n| what | why |\n| --- | --- |\n")
	for _, n := range imapNot {
		fmt.Fprintf(&b, "| %s | %s |\n", n.name, n.why)
	}
	return b.String()
}

const imapIntro = "What the server offers, word by word as CAPABILITY has it. \"Told\" says in which states:\n" +
	"before login, after it, or both; \"depends\" means on the connection or on settings, as the\n" +
	"next column says. An extension is told only where all of it works.\n\n" +
	"The right-hand columns compare with Dovecot 2.4, Cyrus, Stalwart and mox: \"option\" is by a\n" +
	"setting or plug-in, \"?\" what we could not verify. They come from each server's source and from\n" +
	"capability lines of running servers, not from tests; for Cyrus from one such line only, of 2026.\n" +
	"Dovecot 2.3 is like 2.4 but for REPLACE and INPROGRESS, which it lacks, and COMPRESS=DEFLATE,\n" +
	"which is a plug-in there.\n"

// told says in which states a capability is advertised.
func told(c *imapd.Capability) string {
	when := "after"
	switch {
	case c.BeforeLogin && c.AfterLogin:
		when = "both"
	case c.BeforeLogin:
		when = "before"
	}
	if c.Depends {
		when += ", depends"
	}
	return when
}
