package pop3d

import (
	"encoding/base64"
	"strings"
	"unicode/utf16"
	"unicode/utf8"

	"tandem/store"
)

// mailbox finds the mailbox that a login named behind a plus, INBOX for "". Of
// names that differ in case only, the one spelled so is meant. A client that
// cannot send UTF-8 may write modified UTF-7 (RFC 3501 section 5.1.3).
func (s *session) mailbox(by store.Actor, name string) (store.Mailbox, error) {
	if name == "" {
		name = "INBOX"
	}
	m, err := s.srv.store.Mailbox(s.work, by, name)
	if err == nil || store.KindOf(err) != store.NotFound && store.KindOf(err) != store.Invalid {
		return m, err
	}
	list, err := s.srv.store.Mailboxes(s.work, by)
	if err != nil {
		return m, err
	}
	for _, want := range []string{name, decodeName(name)} {
		for i := range list {
			if want != "" && strings.EqualFold(list[i].Name, want) {
				return list[i], nil
			}
		}
	}
	return m, store.Errorf(store.NotFound, "no mailbox %q", name)
}

// nameEncoding is base64 as mailbox names have it.
var nameEncoding = base64.NewEncoding("ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+,").WithPadding(base64.NoPadding)

// decodeName reads modified UTF-7, "" when it is none.
func decodeName(name string) string {
	var b strings.Builder
	for {
		plain, rest, shifted := strings.Cut(name, "&")
		b.WriteString(plain)
		if !shifted {
			return b.String()
		}
		coded, rest, ended := strings.Cut(rest, "-")
		raw, err := nameEncoding.DecodeString(coded)
		if !ended || err != nil || len(raw)%2 != 0 {
			return ""
		}
		if coded == "" {
			b.WriteByte('&')
		}
		for len(raw) > 0 {
			r, n := rune(raw[0])<<8|rune(raw[1]), 2
			if utf16.IsSurrogate(r) && len(raw) >= 4 {
				r, n = utf16.DecodeRune(r, rune(raw[2])<<8|rune(raw[3])), 4
			}
			if r == utf8.RuneError || utf16.IsSurrogate(r) {
				return ""
			}
			b.WriteRune(r)
			raw = raw[n:]
		}
		name = rest
	}
}
