package compare

import (
	"encoding/base64"
	"fmt"
	"math/rand/v2"
	"strings"
	"time"
)

// letter is a message that a run makes up.
type letter struct {
	key     string // its Message-ID without brackets
	subject string
	text    []byte // the whole message
}

// ownDomain ends the Message-ID of every letter; nothing else has it (RFC 2606
// section 2).
const ownDomain = "tandem-compare.invalid"

// writer makes letters up: the same ones from the same seed.
type writer struct {
	random *rand.Rand
	run    string // marks this run's letters
	begin  time.Time
	count  int
}

func newWriter(seed uint64, run string, begin time.Time) *writer {
	return &writer{random: rand.New(rand.NewPCG(seed, 0)), run: run, begin: begin.UTC()}
}

// owns tells whether this run made the message with that key.
func (w *writer) owns(key string) bool {
	return strings.HasSuffix(key, "."+w.run+"@"+ownDomain)
}

// letter makes one of about size octets of text, beside an attachment of about
// attached octets unless that is 0. after is its age against the run's beginning.
func (w *writer) letter(size, attached int, after time.Duration) letter {
	w.count++
	l := letter{key: fmt.Sprintf("%d.%s@%s", w.count, w.run, ownDomain), subject: w.subject()}
	var b strings.Builder
	from := w.pick("Ada", "Grace", "Edsger", "Barbara", "Donald", "Radia")
	fmt.Fprintf(&b, "Date: %s\r\nFrom: %s <%s@example.org>\r\nTo: You <you@example.org>\r\nSubject: %s\r\nMessage-ID: <%s>\r\nMIME-Version: 1.0\r\n",
		w.begin.Add(after).Format(time.RFC1123Z), from, strings.ToLower(from), l.subject, l.key)
	if attached == 0 {
		b.WriteString("Content-Type: text/plain; charset=us-ascii\r\n\r\n")
		w.prose(&b, size)
	} else {
		const edge = "=_part_of_a_letter"
		fmt.Fprintf(&b, "Content-Type: multipart/mixed; boundary=%q\r\n\r\n--%s\r\nContent-Type: text/plain; charset=us-ascii\r\n\r\n", edge, edge)
		w.prose(&b, size)
		fmt.Fprintf(&b, "--%s\r\nContent-Type: application/octet-stream\r\nContent-Disposition: attachment; filename=\"photograph.bin\"\r\nContent-Transfer-Encoding: base64\r\n\r\n", edge)
		w.noise(&b, attached)
		fmt.Fprintf(&b, "--%s--\r\n", edge)
	}
	l.text = []byte(b.String())
	return l
}

func (w *writer) pick(words ...string) string { return words[w.random.IntN(len(words))] }

func (w *writer) subject() string {
	return fmt.Sprintf("%s %s %s (%d)",
		w.pick("The", "Your", "Our", "Another", "One more"),
		w.pick("invoice", "photograph", "minute", "ticket", "question", "recipe", "plan"),
		w.pick("from Tuesday", "for the garden", "of last week", "to sign", "for the trip", "about the roof"), w.count)
}

// prose writes lines of words.
func (w *writer) prose(b *strings.Builder, size int) {
	column := 0
	for end := b.Len() + size; b.Len() < end; {
		word := w.pick("the", "a", "of", "and", "letter", "morning", "garden", "train", "they", "was", "bread", "window", "early", "river", "were", "to")
		b.WriteString(word)
		if column += len(word) + 1; column > 68 {
			b.WriteString("\r\n")
			column = 0
		} else {
			b.WriteByte(' ')
		}
	}
	b.WriteString("\r\n")
}

// noise writes lines of base64.
func (w *writer) noise(b *strings.Builder, size int) {
	var raw [57]byte
	for end := b.Len() + size; b.Len() < end; {
		for i := range raw {
			raw[i] = byte(w.random.Uint32())
		}
		b.WriteString(base64.StdEncoding.EncodeToString(raw[:]))
		b.WriteString("\r\n")
	}
}
