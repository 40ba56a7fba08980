package message

// Limits bounds what one message can make the parser hold. A zero field means
// its default. Whatever goes beyond a limit stays in the message; it is only
// not read for the structure.
type Limits struct {
	Depth       int // nesting of multipart and message parts; 100
	Parts       int // parts of one message; 10,000
	HeaderBytes int // bytes read of one header block; 1 MiB (8 MiB of all blocks together)
	FieldBytes  int // bytes read of one header field; 64 KiB
	Addresses   int // addresses read of one envelope field; 1,000
	References  int // last message ids kept; 200
	Params      int // parameters read of one Content-* field; 128
}

func (l Limits) withDefaults() Limits {
	set := func(v *int, def int) {
		if *v <= 0 {
			*v = def
		}
	}
	set(&l.Depth, 100)
	set(&l.Parts, 10_000)
	set(&l.HeaderBytes, 1<<20)
	set(&l.FieldBytes, 64<<10)
	set(&l.Addresses, 1000)
	set(&l.References, 200)
	set(&l.Params, 128)
	return l
}

// Kind says what the body of a part holds.
type Kind uint8

// The kinds of parts.
const (
	KindLeaf      Kind = iota // bytes
	KindMultipart             // child parts between boundaries
	KindMessage               // a message (message/rfc822 or message/global): exactly one child, its root
)

// Encoding is a part's Content-Transfer-Encoding.
type Encoding uint8

// The encodings of RFC 2045 section 6.1; everything else is EncodingOther.
const (
	Encoding7Bit Encoding = iota
	Encoding8Bit
	EncodingBinary
	EncodingBase64
	EncodingQuotedPrintable
	EncodingOther
)

// Structure is what the store keeps about the bytes of one message.
type Structure struct {
	Size       int64 // bytes of the whole message
	HeaderSize int64 // the root header block with its blank line

	Envelope      []byte // IMAP ENVELOPE, RFC 3501 section 7.4.2, ready to send
	BodyStructure []byte // IMAP BODYSTRUCTURE, the extended form, ready to send

	Sent     int64 // the Date field in Unix seconds; valid if HasSent
	SentZone int16 // its zone, in minutes east of UTC
	HasSent  bool

	MessageID  string   // without <>, "" if there is none
	References []string // ids of References, then of In-Reply-To; oldest first, without <>
	ReplyIDs   int      // how many at the end of References only In-Reply-To has

	Parts []Part // in pre-order; Parts[0] is the root
}

// Part is one MIME entity: a header block and, right behind it, a body.
// Offsets count from the first byte of the parsed message.
type Part struct {
	Parent   int32 // index of the enclosing part, -1 for the root
	Depth    int32 // 0 for the root
	Kind     Kind
	Encoding Encoding

	HeaderOff int64 // first byte of the header block
	BodyOff   int64 // first byte after the header block and its blank line
	End       int64 // first byte after the body
	Lines     int64 // line ends (LF) in the body

	Type    string // "text/plain": lower case, as decided after limits and broken fields
	Charset string // lower case, "" if not given
}
