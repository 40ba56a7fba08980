package store

import (
	"bytes"
	"context"
	"crypto/sha256"
	"hash"

	"tandem/store/message"
)

const (
	maxHeader  = 1 << 20 // of Body.Header; a longer header block goes on in the text
	flushBytes = 1 << 20 // chunks are stored this many bytes at a time
)

// Ingest takes in one message as a stream and makes a Body of it: line ends
// become CRLF, the structure is read, and what exceeds ChunkSize is stored
// ahead, outside any transaction with mail in it. Close must be called; it
// frees what no insertion has used.
type Ingest struct {
	ctx    context.Context
	s      *Store
	limit  int64
	canon  *message.Canonical
	parser *message.Parser
	sum    hash.Hash
	size   int64

	buf    []byte // all so far, or what follows the last stored chunk
	header []byte // set once the text goes to chunks
	body   BodyID
	chunks int
	ahead  bool
	used   bool
	utf8   bool
	err    error
}

// NewIngest begins a message of at most limit octets (0: any) as stored. The
// options say what of it may stay as it came.
func (s *Store) NewIngest(ctx context.Context, limit int64, options ...message.CanonicalOption) *Ingest {
	in := &Ingest{ctx: ctx, s: s, limit: limit, parser: message.NewParser(message.Limits{}), sum: sha256.New()}
	in.canon = message.NewCanonical(ingestSink{in}, options...)
	return in
}

// Write takes the next bytes as they came. TooBig beyond the limit.
func (in *Ingest) Write(p []byte) (int, error) {
	if in.err == nil {
		_, in.err = in.canon.Write(p)
	}
	if in.err != nil {
		return 0, in.err
	}
	return len(p), nil
}

// ingestSink receives canonical bytes.
type ingestSink struct{ in *Ingest }

func (w ingestSink) Write(p []byte) (int, error) {
	in := w.in
	in.size += int64(len(p))
	if in.limit > 0 && in.size > in.limit {
		return 0, Errorf(TooBig, "the message is larger than %d octets", in.limit)
	}
	if in.size > 1<<32-1<<20 {
		return 0, Errorf(TooBig, "the message is larger than 4 GiB")
	}
	in.parser.Write(p)
	in.sum.Write(p)
	in.buf = append(in.buf, p...)
	if in.header == nil && len(in.buf) > ChunkSize {
		in.splitHeader()
	}
	if in.header != nil && len(in.buf) >= flushBytes {
		return len(p), in.flush(false)
	}
	return len(p), nil
}

// splitHeader takes the header block off the front of buf once its end is
// seen, or it is as long as a header may be.
func (in *Ingest) splitHeader() {
	n := headerEnd(in.buf)
	if n < 0 && len(in.buf) < maxHeader {
		return
	}
	if n < 0 || n > maxHeader {
		n = maxHeader
	}
	in.header = bytes.Clone(in.buf[:n])
	in.buf = append(in.buf[:0], in.buf[n:]...)
}

// headerEnd gives the length of the header block with its blank line, or -1.
func headerEnd(b []byte) int {
	if bytes.HasPrefix(b, []byte("\r\n")) {
		return 2
	}
	n := bytes.Index(b, []byte("\r\n\r\n"))
	if n < 0 {
		return -1
	}
	return n + 4
}

// flush stores the whole chunks in buf, and with last set the rest too.
func (in *Ingest) flush(last bool) error {
	if in.body == 0 {
		id, err := in.s.engine.NewBody(in.ctx)
		if err != nil {
			return in.s.watchRoom(err)
		}
		in.body = id
	}
	var list [][]byte
	rest := in.buf
	for len(rest) >= ChunkSize || last && len(rest) > 0 {
		n := min(ChunkSize, len(rest))
		list = append(list, rest[:n:n])
		rest = rest[n:]
	}
	if err := in.s.engine.WriteChunks(in.ctx, in.body, in.chunks, list); err != nil {
		return in.s.watchRoom(err)
	}
	in.chunks += len(list)
	in.buf = append(in.buf[:0], rest...)
	return nil
}

// Finish ends the message and gives its body for insertions.
func (in *Ingest) Finish() (*Body, error) {
	if in.err == nil {
		in.err = in.canon.Close()
	}
	if in.err != nil {
		return nil, in.err
	}
	st := in.parser.Finish()
	b := &Body{Size: in.size, Structure: st.AppendBinary(nil), MessageID: st.MessageID, References: st.References}
	in.sum.Sum(b.Digest[:0])
	if in.header == nil {
		n := min(st.HeaderSize, int64(len(in.buf)), maxHeader)
		in.header, in.buf = in.buf[:n:n], in.buf[n:]
	}
	if in.body == 0 && len(in.buf) <= ChunkSize && !(in.ahead && len(in.buf) > 0) {
		b.Text = in.buf
	} else if in.err = in.flush(true); in.err != nil {
		return nil, in.err
	}
	b.Header, b.Stored = bytes.Clone(in.header), in.body
	if in.utf8 {
		if in.err = in.downgrade(b, st); in.err != nil {
			return nil, in.err
		}
	}
	in.buf, in.header, in.canon, in.parser, in.sum = nil, nil, nil, nil, nil
	return b, nil
}

// MarkUTF8 says that the message came as an internationalized one (RFC 6531),
// and only to who can read such: others get it downgraded. Before Finish.
func (in *Ingest) MarkUTF8() { in.utf8 = true }

// downgrade finds out what others are to be given.
func (in *Ingest) downgrade(b *Body, st *message.Structure) (err error) {
	m := &Message{Body: b.Stored, Size: b.Size, HeaderSize: len(b.Header), Header: b.Header}
	if b.Stored == 0 {
		m.Text = b.Text
	}
	b.UTF8 = true
	b.Downgrade, err = message.Downgrade(st, in.s.Reader(in.ctx, m))
	return err
}

// StoreAhead has Finish store the text at once, however short it is, for
// callers that gather many messages before they insert any.
func (in *Ingest) StoreAhead() { in.ahead = true }

// Used says that an insertion has taken the body: Close leaves it alone.
func (in *Ingest) Used() { in.used = true }

// Close frees what was stored ahead unless the body is used.
func (in *Ingest) Close() {
	if in.body == 0 || in.used {
		return
	}
	if err := in.s.engine.DropBody(context.WithoutCancel(in.ctx), in.body); err != nil {
		in.s.opts.Logger.Warn("a message given up could not be freed; the next start frees it", "err", err)
	}
	in.body = 0
}
