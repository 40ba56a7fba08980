package imapd

import (
	"context"
	"errors"
	"io"

	"tandem/imapd/internal/wire"
	"tandem/store"
)

// extCatenate is RFC 4469.
func extCatenate() extension {
	return extension{
		name:         "CATENATE",
		rfc:          "RFC 4469",
		capabilities: everywhere("CATENATE"),
		appendData:   []appendData{{name: "CATENATE", read: readCatenate}},
	}
}

// extURLPartial is RFC 5550 section 3.1: the URLs of CATENATE may name a range.
func extURLPartial() extension {
	return extension{name: "URL-PARTIAL", rfc: "RFC 5550", capabilities: everywhere("URL-PARTIAL")}
}

// maxCatenate is how many parts a message may be made of.
const maxCatenate = 1000

// readCatenate writes one part after the other to w. What was written counts
// only once the command is whole (RFC 4469 section 3); the message size, which
// w watches, is TOOBIG (section 4.2).
func readCatenate(ctx context.Context, s *session, d *wire.Decoder, w io.Writer) error {
	d.SP()
	d.Byte('(')
	total := &clipWriter{w: w, to: 1<<63 - 1}
	for n := 0; d.Err() == nil; n++ {
		if n == maxCatenate {
			s.limitHit("parts of a message")
			return no("LIMIT", "A message can be made of at most %d parts", maxCatenate)
		}
		if err := s.catenatePart(ctx, d, total); err != nil {
			return err
		}
		if d.TryByte(')') {
			break
		}
		d.SP()
	}
	if err := d.Err(); err != nil {
		return err
	}
	if total.at == 0 {
		return no("", "A message of no octets: nothing was stored")
	}
	return nil
}

// catenatePart reads one part (RFC 4469 section 5, cat-part).
func (s *session) catenatePart(ctx context.Context, d *wire.Decoder, w io.Writer) error {
	word := d.Keyword()
	d.SP()
	switch word {
	case "TEXT":
		return s.catenateText(d, w)
	case "URL":
		link := d.Astring()
		if err := d.Err(); err != nil {
			return err
		}
		return s.catenateURL(ctx, link, w)
	}
	d.Fail("Unknown part %s (URL and TEXT are known)", word)
	return d.Err()
}

func (s *session) catenateText(d *wire.Decoder, w io.Writer) error {
	m := d.Message()
	if err := d.Err(); err != nil {
		return err
	}
	return s.copyMessage(m, w)
}

// catenateURL writes what a URL names. Whatever cannot be found or read by
// this user is a bad URL (RFC 4469 section 4.1).
func (s *session) catenateURL(ctx context.Context, link string, w io.Writer) error {
	u, err := parseURL(link, s.srv.cfg.Hostname, s.id.Name)
	if err != nil {
		return badURL(link)
	}
	v := s.view
	if u.mailbox != "" || v == nil {
		var leave func()
		if v, leave, err = s.peekInto(ctx, &u); err == nil {
			defer leave()
		}
	} else {
		err = v.Load(ctx)
	}
	if err == nil {
		err = s.writeURL(ctx, v, &u, w)
	}
	switch {
	case err == nil:
		return nil
	case errors.Is(err, errURL), store.KindOf(err) == store.NotFound, store.KindOf(err) == store.Invalid, store.KindOf(err) == store.Forbidden:
		return badURL(link)
	}
	return err
}

// badURL tells which URL it was, in a response code that must fit on a line.
func badURL(link string) error {
	for i := range len(link) {
		if c := link[i]; c <= ' ' || c >= 0x7f || c == '"' || c == '\\' || c == ']' {
			return no("BADURL", "A URL cannot be used")
		}
	}
	return no(`BADURL "`+link+`"`, "A URL cannot be used")
}

// peekInto opens the mailbox of a URL beside the one that is selected.
func (s *session) peekInto(ctx context.Context, u *imapURL) (v *view, leave func(), err error) {
	if u.mailbox == "" {
		return nil, nil, errURL
	}
	box, err := s.mailbox(ctx, u.mailbox, store.RightRead)
	if err != nil {
		return nil, nil, err
	}
	if u.uidValidity != 0 && u.uidValidity != box.UIDValidity {
		return nil, nil, errURL
	}
	opened, err := s.srv.cfg.Store.View(ctx, s.actor, box.ID)
	if err != nil {
		return nil, nil, err
	}
	if err := opened.Load(ctx); err != nil {
		opened.Close()
		return nil, nil, err
	}
	return &view{View: opened, name: box.Name, readOnly: true}, opened.Close, nil
}

// writeURL writes the message or section that u names in v.
func (s *session) writeURL(ctx context.Context, v *view, u *imapURL, w io.Writer) error {
	found := v.ByUID(store.UIDRange{Start: u.uid, Stop: u.uid}, make([]store.Member, 0, 1))
	if len(found) == 0 || found[0].Gone {
		return errURL
	}
	sec := &section{partial: u.partial}
	if u.section != nil {
		sec.spec = *u.section
	}
	f := &fetcher{ctx: ctx, s: s, v: v}
	want := sec.op(true).want
	for msg, err := range v.Messages(ctx, []store.MessageID{found[0].Message}, want) {
		if err != nil {
			return err
		}
		m := &fetched{Member: &found[0], msg: msg}
		if err := sec.prepare(f, m); err != nil {
			return err
		}
		if !sec.exists {
			return errURL
		}
		v.NoteRead(u.uid)
		return sec.writeBytes(f, m, w)
	}
	return errURL
}

// writeBytes writes what prepare found, without its length.
func (sec *section) writeBytes(f *fetcher, m *fetched, w io.Writer) error {
	if !sec.isFields() {
		return f.bytes(m).WriteRange(w, sec.off, sec.n)
	}
	kept, err := sec.filtered(f, m)
	if err != nil {
		return err
	}
	_, err = w.Write(kept)
	return err
}
