package message

import (
	"encoding/binary"
	"errors"
	"math"
)

// The stored form: version, ENVELOPE and BODYSTRUCTURE each behind its
// length, then the rest. The two come first so that FETCH of many messages
// can take them out without decoding.
const formVersion = 1

// ErrForm says that a blob is not a structure this version can read.
var ErrForm = errors.New("message: not a structure of a known version")

const (
	formHasSent = 1 << iota
	formHasReplyIDs
)

// AppendBinary appends the stored form.
func (s *Structure) AppendBinary(dst []byte) []byte {
	dst = append(dst, formVersion)
	dst = appendBytes(dst, s.Envelope)
	dst = appendBytes(dst, s.BodyStructure)
	dst = binary.AppendUvarint(dst, uint64(s.Size))
	var flags byte
	if s.HasSent {
		flags |= formHasSent
	}
	if s.ReplyIDs > 0 {
		flags |= formHasReplyIDs
	}
	dst = append(dst, flags)
	if s.HasSent {
		dst = binary.AppendVarint(dst, s.Sent)
		dst = binary.AppendVarint(dst, int64(s.SentZone))
	}
	dst = appendBytes(dst, s.MessageID)
	dst = binary.AppendUvarint(dst, uint64(len(s.References)))
	for _, id := range s.References {
		dst = appendBytes(dst, id)
	}
	if s.ReplyIDs > 0 {
		dst = binary.AppendUvarint(dst, uint64(s.ReplyIDs))
	}
	dst = binary.AppendUvarint(dst, uint64(len(s.Parts)))
	for i := range s.Parts {
		dst = s.Parts[i].appendBinary(dst, i)
	}
	return dst
}

func (p *Part) appendBinary(dst []byte, i int) []byte {
	dst = binary.AppendUvarint(dst, uint64(i-int(p.Parent)))
	dst = append(dst, byte(p.Kind)<<4|byte(p.Encoding))
	dst = binary.AppendUvarint(dst, uint64(p.HeaderOff))
	dst = binary.AppendUvarint(dst, uint64(p.BodyOff-p.HeaderOff))
	dst = binary.AppendUvarint(dst, uint64(p.End-p.BodyOff))
	dst = binary.AppendUvarint(dst, uint64(p.Lines))
	dst = appendBytes(dst, p.Type)
	return appendBytes(dst, p.Charset)
}

func appendBytes[T string | []byte](dst []byte, s T) []byte {
	dst = binary.AppendUvarint(dst, uint64(len(s)))
	return append(dst, s...)
}

// EnvelopeOf gives the ENVELOPE inside a stored form, without copying.
func EnvelopeOf(blob []byte) ([]byte, error) {
	r := formReader{b: blob}
	r.version()
	env := r.bytes()
	return env, r.err
}

// BodyStructureOf gives the BODYSTRUCTURE inside a stored form, without
// copying.
func BodyStructureOf(blob []byte) ([]byte, error) {
	r := formReader{b: blob}
	r.version()
	r.bytes()
	bs := r.bytes()
	return bs, r.err
}

// Decode reads a stored form. Envelope and BodyStructure are slices of blob.
func Decode(blob []byte) (*Structure, error) {
	r := formReader{b: blob}
	r.version()
	s := &Structure{Envelope: r.bytes(), BodyStructure: r.bytes()}
	s.Size = r.size()
	flags := r.byte()
	s.HasSent = flags&formHasSent != 0
	if s.HasSent {
		s.Sent = r.varint()
		zone := r.varint()
		if zone < math.MinInt16 || zone > math.MaxInt16 {
			r.fail()
		}
		s.SentZone = int16(zone)
	}
	s.MessageID = string(r.bytes())
	if n := r.count(1); n > 0 {
		s.References = make([]string, n)
		for i := range s.References {
			s.References[i] = string(r.bytes())
		}
	}
	if flags&formHasReplyIDs != 0 {
		n := r.uvarint()
		if n > uint64(len(s.References)) {
			r.fail()
			n = 0
		}
		s.ReplyIDs = int(n)
	}
	s.Parts = make([]Part, r.count(8)) // a part takes 8 bytes at least
	for i := range s.Parts {
		r.part(s, i)
	}
	if n := len(s.Parts); n == 0 || len(r.b) > 0 || s.Parts[n-1].Kind == KindMessage {
		r.fail()
	}
	if r.err != nil {
		return nil, r.err
	}
	s.HeaderSize = s.Parts[0].BodyOff
	return s, nil
}

// formReader reads a stored form and keeps its first error.
type formReader struct {
	b   []byte
	err error
}

func (r *formReader) fail() {
	r.err = ErrForm
	r.b = nil
}

func (r *formReader) version() {
	if r.byte() != formVersion {
		r.fail()
	}
}

func (r *formReader) byte() byte {
	if len(r.b) == 0 {
		r.fail()
		return 0
	}
	c := r.b[0]
	r.b = r.b[1:]
	return c
}

func (r *formReader) uvarint() uint64 {
	v, n := binary.Uvarint(r.b)
	if n <= 0 {
		r.fail()
		return 0
	}
	r.b = r.b[n:]
	return v
}

func (r *formReader) varint() int64 {
	v, n := binary.Varint(r.b)
	if n <= 0 {
		r.fail()
		return 0
	}
	r.b = r.b[n:]
	return v
}

// size reads a number of bytes or lines; sums of a few cannot overflow.
func (r *formReader) size() int64 {
	v := r.uvarint()
	if v > 1<<48 {
		r.fail()
		return 0
	}
	return int64(v)
}

// count reads a number of items that take at least min bytes each.
func (r *formReader) count(min int) int {
	v := r.uvarint()
	if v > uint64(len(r.b)/min) {
		r.fail()
		return 0
	}
	return int(v)
}

func (r *formReader) bytes() []byte {
	n := r.count(1)
	out := r.b[:n:n]
	r.b = r.b[n:]
	return out
}

// part reads the i-th part and checks that it lies inside its parent.
func (r *formReader) part(s *Structure, i int) {
	up := r.uvarint()
	kinds := r.byte()
	p := &s.Parts[i]
	p.Kind, p.Encoding = Kind(kinds>>4), Encoding(kinds&15)
	p.HeaderOff = r.size()
	p.BodyOff = p.HeaderOff + r.size()
	p.End = p.BodyOff + r.size()
	p.Lines = r.size()
	p.Type = internType(r.bytes())
	p.Charset = string(r.bytes())
	if p.Kind > KindMessage || p.Encoding > EncodingOther || (i == 0) != (up == uint64(i)+1) || up == 0 || up > uint64(i)+1 {
		r.fail()
		return
	}
	p.Parent = int32(i - int(up))
	if i == 0 {
		if p.HeaderOff != 0 || p.End > s.Size {
			r.fail()
		}
		return
	}
	around := &s.Parts[p.Parent]
	p.Depth = around.Depth + 1
	embeds := s.Parts[i-1].Kind == KindMessage // then this is what it holds
	if embeds != (around.Kind == KindMessage) || around.Kind == KindLeaf || p.HeaderOff < around.BodyOff || p.End > around.End {
		r.fail()
	}
}
