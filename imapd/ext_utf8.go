package imapd

import (
	"context"
	"io"

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

// checkHeader refuses a header with 8-bit octets when the client has not said
// that it knows of UTF-8 in headers, as RFC 9755 section 4 has it.
//
// Deviation: only when so configured. Mail that a client moves here from another
// server has had such headers for decades, in UTF-8 or not; refusing it loses it
// (docs/decisions/2026-11-23-eight-bit-headers.md).
func (s *session) checkHeader(header []byte) error {
	if s.dec.UTF8 || !s.srv.cfg.StrictHeaders {
		return nil
	}
	for _, c := range header {
		if c >= 0x80 {
			return no("CANNOT", "The message's header is not ASCII: ENABLE UTF8=ACCEPT first")
		}
	}
	return nil
}
