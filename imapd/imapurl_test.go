package imapd

import (
	"fmt"
	"testing"
	"unicode/utf8"
)

func TestParseURL(t *testing.T) {
	const bad = "bad"
	tests := []struct{ in, want string }{
		{"/INBOX/;UID=20", "INBOX 0 20"},
		{"/inbox/a%20b;UIDVALIDITY=385759045/;UID=20/;SECTION=1.2.MIME", "INBOX/a b 385759045 20 [1 2] 5"},
		{"/x;uidvalidity=1/;uid=4294967295/;section=header.fields%20(a%20%22b%22)/;partial=3.4", "x 1 4294967295 [] 2[a b] <3.4>"},
		{"/x/;UID=1/;PARTIAL=9", "x 0 1 <9.9223372036854775807>"},
		{"/;UID=1/;SECTION=1", " 0 1 [1] 0"},
		{";UID=1/;SECTION=TEXT", " 0 1 [] 4"},
		{"imap://mail.example/x/;UID=1", "x 0 1"},
		{"IMAP://al%69ce;AUTH=*@MAIL.example:143/Entw%C3%BCrfe/;UID=1", "Entwürfe 0 1"},
		{"imap://alice@other.example/x/;UID=1", bad},
		{"imap://bob@mail.example/x/;UID=1", bad},
		{"imap://mail.example/;UID=1", bad},
		{"imap://mail.example", bad},
		{"/x", bad},
		{"x/;UID=1", bad},
		{"//;UID=1", bad},
		{"/x;UIDVALIDITY=0/;UID=1", bad},
		{"/x/;UID=0", bad},
		{"/x/;UID=*", bad},
		{"/x/;UID=4294967296", bad},
		{"/x/;UID=1/;UID=2", bad},
		{"/x/;SECTION=1/;UID=2", bad},
		{"/x/;UID=1/;SECTION=", "x 0 1 [] 0"},
		{"/x/;UID=1/;SECTION=MIME", bad},
		{"/x/;UID=1/;SECTION=1]%20x", bad},
		{"/x/;UID=1/;SECTION=HEADER.FIELDS%20({1%2B}%0D%0Aa:)", bad},
		{"/x/;UID=1/;PARTIAL=1.0", bad},
		{"/x/;UID=1/;PARTIAL=-1", bad},
		{"/x/;UID=1;URLAUTH=anonymous:internal:91354a", bad},
		{"/%ff/;UID=1", bad},
		{"/%zz/;UID=1", bad},
		{"", bad},
	}
	for _, test := range tests {
		u, err := parseURL(test.in, "mail.example", "alice")
		got := fmt.Sprintf("%s %d %d", u.mailbox, u.uidValidity, u.uid)
		if u.section != nil {
			got += fmt.Sprintf(" %v %d", u.section.Path, u.section.Kind)
			if u.section.Fields != nil {
				got += fmt.Sprint(u.section.Fields)
			}
		}
		if u.partial != nil {
			got += fmt.Sprintf(" <%d.%d>", u.partial.Offset, u.partial.Count)
		}
		if err != nil {
			got = bad
		}
		if got != test.want {
			t.Errorf("%s: %s, want %s", test.in, got, test.want)
		}
	}
}

// FuzzURL: what is accepted names a message.
func FuzzURL(f *testing.F) {
	f.Add("/INBOX;UIDVALIDITY=385759045/;UID=20/;SECTION=HEADER.FIELDS%20(a)/;PARTIAL=0.5")
	f.Add("imap://alice;AUTH=x@h:1/a%2fb/;UID=1")
	f.Add(";UID=1/;SECTION=1.2.MIME")
	f.Fuzz(func(t *testing.T, in string) {
		u, err := parseURL(in, "h", "alice")
		if err != nil {
			return
		}
		if u.uid == 0 || !utf8.ValidString(u.mailbox) || u.partial != nil && (u.partial.Offset < 0 || u.partial.Count <= 0) {
			t.Fatalf("%q: %+v", in, u)
		}
	})
}
