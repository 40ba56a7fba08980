package imapd

import (
	"context"
	"io"
	"unicode/utf8"

	"tandem/imapd/internal/wire"
)

// utf8Accept is the word of ENABLE.
const utf8Accept = "UTF8=ACCEPT"

// extUTF8 is RFC 9755: UTF-8 in quoted strings and mailbox names, which are
// then not in modified UTF-7 any more, in either direction; "&" stands for
// itself. ENVELOPE and BODYSTRUCTURE stay as they are: strings beyond ASCII go
// as literals, which every client must take.
func extUTF8() extension {
	return extension{
		name:         "UTF8",
		rfc:          "RFC 9755",
		capabilities: everywhere(utf8Accept),
		enables: []enable{{name: utf8Accept, on: func(s *session) {
			s.dec.UTF8, s.enc.UTF8 = true, true
		}}},
		appendData: []appendData{{name: "UTF8", utf8: true, read: readMarkedUTF8}},
	}
}

// readMarkedUTF8 reads a message in the form that RFC 6855 section 4 had for
// those with UTF-8 in their header. RFC 9755 has no such form any more; clients
// written before it still send it.
func readMarkedUTF8(_ context.Context, s *session, d *wire.Decoder, w io.Writer) error {
	d.SP()
	d.Byte('(')
	m := d.Message()
	if err := d.Err(); err != nil {
		return err
	}
	if err := s.copyMessage(m, w); err != nil {
		return err
	}
	d.Byte(')')
	return d.Err()
}

// checkHeader refuses a header with UTF-8 in it when the client has not said
// that it knows of such (RFC 9755 section 4).
//
// Deviation: 8-bit headers that are not UTF-8 are taken. They are in old mail,
// have nothing to do with internationalised headers, and a client that moves
// mail here must not lose them.
func (s *session) checkHeader(header []byte) error {
	if s.dec.UTF8 || s.srv.cfg.UTF8Headers {
		return nil
	}
	for _, c := range header {
		if c < 0x80 {
			continue
		}
		if !utf8.Valid(header) {
			return nil
		}
		return no("CANNOT", "The message's header is in UTF-8: ENABLE UTF8=ACCEPT first")
	}
	return nil
}
