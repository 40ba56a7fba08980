package imapd

import (
	"bufio"
	"errors"
	"net/url"
	"strconv"
	"strings"
	"unicode/utf8"

	"tandem/imapd/internal/wire"
	"tandem/store"
)

// imapURL names a message or a section of one on this server (RFC 5092
// section 7). mailbox is "" for the selected one.
type imapURL struct {
	mailbox     string // UTF-8
	uidValidity uint32 // 0: not given
	uid         store.UID
	section     *wire.Section // nil: all of the message
	partial     *wire.Partial
}

// errURL says that a URL is not one of a message here.
var errURL = errors.New("not the URL of a message here")

// parseURL reads a URL. Relative ones stand in the mailbox that is selected;
// of absolute ones the server and user must be those of the session. URLAUTH
// is not known.
func parseURL(s, host, user string) (u imapURL, err error) {
	rest, absolute := cutScheme(s)
	if absolute {
		if s, err = cutServer(rest, host, user); err != nil {
			return u, err
		}
	}
	parts := strings.Split(s, "/;")
	box := parts[0]
	if rest, relative := strings.CutPrefix(box, ";"); relative { // ;UID=4/;SECTION=1
		box, parts = "", append([]string{"", rest}, parts[1:]...)
	}
	if err := u.setMailbox(box); err != nil {
		return u, err
	}
	last := 0
	for _, part := range parts[1:] {
		name, value, _ := strings.Cut(part, "=")
		order := map[string]int{"UID": 1, "SECTION": 2, "PARTIAL": 3}[strings.ToUpper(name)]
		if order <= last {
			return u, errURL
		}
		last = order
		if value, err = url.PathUnescape(value); err != nil {
			return u, errURL
		}
		if err := u.set(order, value); err != nil {
			return u, err
		}
	}
	if u.uid == 0 || absolute && u.mailbox == "" {
		return u, errURL
	}
	return u, nil
}

func cutScheme(s string) (rest string, absolute bool) {
	const scheme = "imap://"
	if len(s) < len(scheme) || !strings.EqualFold(s[:len(scheme)], scheme) {
		return s, false
	}
	return s[len(scheme):], true
}

// cutServer takes "user;AUTH=x@host:port" off the front.
func cutServer(s, host, user string) (path string, err error) {
	server, path, ok := strings.Cut(s, "/")
	if !ok {
		return "", errURL
	}
	if at := strings.LastIndexByte(server, '@'); at >= 0 {
		name, _, _ := strings.Cut(server[:at], ";")
		name, err := url.PathUnescape(name)
		if err != nil || name != "" && name != user {
			return "", errURL
		}
		server = server[at+1:]
	}
	server, _, _ = strings.Cut(server, ":")
	if !strings.EqualFold(server, host) {
		return "", errURL
	}
	return "/" + path, nil
}

// setMailbox takes "/mailbox;UIDVALIDITY=n" (RFC 5092 section 11, imailbox-ref).
func (u *imapURL) setMailbox(s string) error {
	s, absolute := strings.CutPrefix(s, "/")
	name, validity, has := strings.Cut(s, ";")
	if has {
		word, value, _ := strings.Cut(validity, "=")
		n, err := strconv.ParseUint(value, 10, 32)
		if err != nil || n == 0 || !strings.EqualFold(word, "UIDVALIDITY") {
			return errURL
		}
		u.uidValidity = uint32(n)
	}
	name, err := url.PathUnescape(name)
	if err != nil || !utf8.ValidString(name) || absolute != (name != "") || has && !absolute {
		return errURL
	}
	u.mailbox = wire.FoldInbox(name)
	return nil
}

// set takes one of the parts after the mailbox, by its place in their order.
func (u *imapURL) set(order int, value string) error {
	switch order {
	case 1:
		n, err := strconv.ParseUint(value, 10, 32)
		if err != nil {
			return errURL
		}
		u.uid = store.UID(n)
	case 2:
		return u.setSection(value)
	case 3:
		return u.setPartial(value)
	}
	return nil
}

// setSection reads the section as FETCH does.
func (u *imapURL) setSection(value string) error {
	d := wire.NewDecoder(bufio.NewReader(strings.NewReader("["+value+"]\r\n")), wire.UserLimits(0), func() error { return errURL })
	if d.Begin() != nil {
		return errURL
	}
	spec := d.Section()
	if d.EOL() != nil {
		return errURL
	}
	for _, name := range spec.Fields {
		if !isFieldName(name) {
			return errURL
		}
	}
	u.section = &spec
	return nil
}

// setPartial reads "offset" or "offset.count" (RFC 5092 section 11,
// partial-range).
func (u *imapURL) setPartial(value string) error {
	from, count, has := strings.Cut(value, ".")
	p := wire.Partial{Count: 1<<63 - 1}
	var err error
	if p.Offset, err = strconv.ParseInt(from, 10, 64); err != nil || p.Offset < 0 {
		return errURL
	}
	if has {
		if p.Count, err = strconv.ParseInt(count, 10, 64); err != nil || p.Count <= 0 {
			return errURL
		}
	}
	u.partial = &p
	return nil
}
