package message

import "io"

// Decoder undoes a part's transfer encoding as its bytes stream by. What is
// not of the encoding is passed over (base64) or taken as it is
// (quoted-printable), so that damaged parts can still be read; whatever is in
// neither goes through unchanged. It holds at most 65 bytes between writes.
type Decoder struct {
	w     io.Writer
	part  partDecoder
	plain bool
	rest  []byte
}

// NewDecoder returns a writer of encoded bytes that writes decoded ones to w.
// The caller closes it at the end of the part; w stays open. Parts of
// EncodingOther cannot be decoded: ask Decodable.
func NewDecoder(w io.Writer, encoding Encoding) *Decoder {
	return &Decoder{w: w, part: partDecoder{encoding: encoding}, plain: encoding.Identity()}
}

// Identity says that decoding changes nothing (RFC 2045 section 6.2).
func (e Encoding) Identity() bool {
	return e != EncodingBase64 && e != EncodingQuotedPrintable
}

// Decodable says that the encoding is one of RFC 2045.
func (e Encoding) Decodable() bool { return e < EncodingOther }

// Write takes the next piece. Errors are those of the writer beneath.
func (d *Decoder) Write(b []byte) (int, error) {
	if d.plain {
		return d.w.Write(b)
	}
	raw := b
	if len(d.rest) > 0 {
		raw = append(d.rest, b...)
	}
	if err := d.decode(raw, false); err != nil {
		return 0, err
	}
	return len(b), nil
}

// Close writes what was held back.
func (d *Decoder) Close() error {
	if d.plain {
		return nil
	}
	return d.decode(d.rest, true)
}

func (d *Decoder) decode(raw []byte, last bool) error {
	text, rest := d.part.decode(raw, last)
	if len(text) > 0 {
		if _, err := d.w.Write(text); err != nil {
			return err
		}
	}
	d.rest = append(d.rest[:0], rest...) // rest may lie in d.rest: it moves down
	return nil
}
