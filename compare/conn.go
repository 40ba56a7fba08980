package compare

import (
	"bytes"
	"context"
	"crypto/tls"
	"errors"
	"fmt"
	"net"
	"regexp"
	"strconv"
	"strings"
	"time"
	"unicode"
	"unicode/utf8"
)

const (
	keptLine   = 400              // octets of a line that the transcript shows
	shownAlike = 4                // lines of one kind in a row that it shows
	patience   = 60 * time.Second // how long a server may take to answer
	hidden     = "••••••"         // stands for a secret
)

// conn is a metered connection: what TLS carries, if there is TLS, becomes lines
// of the transcript; the wire below counts octets. One goroutine uses it.
type conn struct {
	inner   net.Conn // the wire, or TLS over it
	wire    *wire
	rec     *recorder
	from    origin
	script  script
	secrets []string // replaced wherever they appear
	stop    func() bool

	halves map[Side]*splitter
	text   lump // message text that is passing
	fold   lump // lines like those before that are not shown
	alike  int  // lines of the class in fold shown
}

// lump is what one transcript line stands for.
type lump struct {
	from   Side
	spoken spoken
	lines  int
	bytes  int64
}

// script knows one protocol well enough to name its lines.
type script interface {
	// line tells what a complete line is; again says that it goes on with the line
	// before, after a literal.
	line(from Side, text string, again bool) spoken
	// literals tells whether {n} at the end of a line announces n octets.
	literals() bool
}

// spoken is a line as a script knows it.
type spoken struct {
	verb  string // the command it belongs to
	class string // lines of one class in a row are alike; "" for those always shown
	text  string // shown instead of the line, if not ""
	body  bool   // part of a message's text
}

// meter makes a connection that has just been made a metered one. It ends with ctx.
func meter(ctx context.Context, raw net.Conn, rec *recorder, link Link, from origin, s script, secrets []string) *conn {
	w := newWire(ctx, raw, rec, link, from)
	return &conn{inner: w, wire: w, rec: rec, from: from, script: s, secrets: secrets,
		halves: map[Side]*splitter{Client: {}, Server: {}},
		stop:   context.AfterFunc(ctx, func() { raw.Close() })}
}

// startTLS makes the handshake and goes on inside.
func (c *conn) startTLS(ctx context.Context, config *tls.Config) error {
	c.settle()
	before := c.wire.trips
	t := tls.Client(c.wire, config)
	if err := t.HandshakeContext(ctx); err != nil {
		return fmt.Errorf("TLS handshake: %w", err)
	}
	c.wire.flush()
	state := t.ConnectionState()
	c.inner = t
	c.rec.add(c.from, Event{Kind: KindTLS, Trips: c.wire.trips - before, RFC: "RFC 8446 section 2",
		Text: tls.VersionName(state.Version) + " " + tls.CipherSuiteName(state.CipherSuite)})
	return nil
}

// Read reads what the server sent.
func (c *conn) Read(p []byte) (int, error) {
	n, err := c.inner.Read(p)
	c.speak(Server, p[:n])
	return n, err
}

// Write sends p, one flight or the next part of one.
func (c *conn) Write(p []byte) (int, error) {
	c.settle()
	c.wire.turn(Client)
	c.speak(Client, p)
	c.told()
	return c.inner.Write(p)
}

// settle ends what the transcript holds back: an answer is complete.
func (c *conn) settle() {
	c.told()
	c.wire.flush()
}

// close ends the connection; why is "" in order.
func (c *conn) close(why string) {
	c.stop()
	c.settle()
	c.inner.Close() // TLS says goodbye: those octets count too
	c.wire.flush()
	c.rec.add(c.from, Event{Kind: KindClose, Text: clean(why, c.secrets)})
}

// splitter makes lines and literals of what one side sends.
type splitter struct {
	line    []byte // its first octets
	size    int64  // of the line
	literal int64  // octets of a literal to come
	begun   int64  // its size
	again   bool   // the line goes on after a literal
}

var literalEnd = regexp.MustCompile(`\{([0-9]{1,18})[+-]?\}$`)

// speak takes the next octets of one side.
func (c *conn) speak(from Side, p []byte) {
	s := c.halves[from]
	for len(p) > 0 {
		if s.literal > 0 {
			n := min(s.literal, int64(len(p)))
			p = p[n:]
			if s.literal -= n; s.literal == 0 {
				c.say(from, c.script.line(from, "", true), literalText(s.begun), s.begun, true)
			}
			continue
		}
		end := bytes.IndexByte(p, '\n') + 1
		part := p[:end]
		if end == 0 {
			part = p
		}
		s.line = append(s.line, part[:min(len(part), max(0, keptLine*2-len(s.line)))]...)
		s.size += int64(len(part))
		p = p[len(part):]
		if end > 0 {
			c.complete(from, s)
		}
	}
}

func literalText(n int64) string { return fmt.Sprintf("(%d octets)", n) }

// complete takes a whole line.
func (c *conn) complete(from Side, s *splitter) {
	text := strings.TrimRight(string(s.line), "\r\n")
	size, again := s.size, s.again
	s.line, s.size, s.again = s.line[:0], 0, false
	spoken := c.script.line(from, text, again)
	if c.script.literals() {
		if m := literalEnd.FindStringSubmatch(text); m != nil {
			if n, err := strconv.ParseInt(m[1], 10, 64); err == nil && n > 0 {
				s.literal, s.begun, s.again = n, n, true
			}
		}
	}
	if spoken.body {
		if c.text.lines > 0 && c.text.spoken.verb != spoken.verb {
			c.endText()
		}
		c.text = lump{from, spoken, c.text.lines + 1, c.text.bytes + size}
		return
	}
	c.endText()
	if spoken.text != "" {
		text = spoken.text
	}
	c.say(from, spoken, text, size, false)
}

// endText tells of message text that has passed.
func (c *conn) endText() {
	if c.text.lines > 0 {
		t := c.text
		c.text = lump{}
		c.say(t.from, t.spoken, fmt.Sprintf("(%d octets of message text in %d lines)", t.bytes, t.lines), t.bytes, true)
	}
}

// say records a line, or adds it to those that are only counted.
func (c *conn) say(from Side, s spoken, text string, size int64, isLump bool) {
	if from != c.fold.from || s.class != c.fold.spoken.class || s.class == "" {
		c.endFold()
		c.fold, c.alike = lump{from: from, spoken: s}, 0
	}
	if c.alike++; c.alike > shownAlike && s.class != "" {
		c.fold.lines++
		c.fold.bytes += size
		return
	}
	c.line(from, s, text, size, isLump)
}

// endFold tells how many lines were only counted.
func (c *conn) endFold() {
	if f := c.fold; f.lines > 0 {
		c.fold.lines, c.fold.bytes = 0, 0
		c.line(f.from, f.spoken, fmt.Sprintf("(%d more like these, %d octets)", f.lines, f.bytes), f.bytes, true)
	}
}

// told ends all that is held back.
func (c *conn) told() {
	c.endText()
	c.endFold()
	c.fold, c.alike = lump{}, 0
}

func (c *conn) line(from Side, s spoken, text string, size int64, isLump bool) {
	c.rec.add(c.from, Event{Kind: KindLine, From: from, Text: clean(text, c.secrets), Bytes: size, Lump: isLump,
		Verb: s.verb, RFC: Explain(c.from.protocol, s.verb).RFC})
}

// clean makes text fit to be shown: secrets replaced, no control characters, not
// too long.
func clean(text string, secrets []string) string {
	for _, s := range secrets {
		text = strings.ReplaceAll(text, s, hidden)
	}
	text = strings.Map(func(r rune) rune {
		if unicode.IsControl(r) {
			return '·'
		}
		return r
	}, strings.ToValidUTF8(text, "·"))
	if len(text) <= keptLine {
		return text
	}
	cut := keptLine
	for !utf8.RuneStart(text[cut]) {
		cut--
	}
	return text[:cut] + "…"
}

// reason words an error for the transcript and for people.
func reason(err error) string {
	var timeout net.Error
	if errors.As(err, &timeout) && timeout.Timeout() { // what is before it says where
		return strings.ReplaceAll(err.Error(), timeout.Error(), fmt.Sprintf("the server did not answer within %v", patience))
	}
	return err.Error()
}
