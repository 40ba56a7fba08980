package uidlist

import (
	"crypto/md5" // what tpop3d made its UIDLs with
	"encoding/hex"
	"fmt"
	"strconv"
	"strings"
)

// dovecotMessage is what a UIDL is made of.
type dovecotMessage struct {
	uid, validity uint32
	file, guid    string
}

// Format is Dovecot's pop3_uidl_format.
type Format struct{ pieces []piece }

// piece is literal text, or a variable with its modifiers.
type piece struct {
	text  string
	value func(dovecotMessage) string // nil: text
	width int
	zero  bool // pad with zeros
	mods  []func(string) string
}

// DefaultFormat is Dovecot's own.
const DefaultFormat = "%08Xu%08Xv"

// ParseFormat reads a format: literal text and the variables %u (UID), %v
// (UIDVALIDITY), %f (file name) and %g (GUID), with a width as in %08Xu and the
// modifiers X (hexadecimal), L, U (lower, upper case), M (MD5) and R (reversed);
// also with long names, and as Dovecot 2.4 writes it: %{uid | hex(8)}.
func ParseFormat(text string) (*Format, error) {
	f := &Format{}
	rest := text
	for rest != "" {
		plain, after, found := strings.Cut(rest, "%")
		if plain != "" {
			f.pieces = append(f.pieces, piece{text: plain})
		}
		if !found {
			break
		}
		var p piece
		var err error
		switch {
		case strings.HasPrefix(after, "%"):
			p, rest = piece{text: "%"}, after[1:]
		case strings.HasPrefix(after, "{"):
			p, rest, err = longPiece(after[1:])
		default:
			p, rest, err = shortPiece(after)
		}
		if err != nil {
			return nil, fmt.Errorf("UIDL format %q: %w", text, err)
		}
		f.pieces = append(f.pieces, p)
		if len(f.pieces) > 64 {
			return nil, fmt.Errorf("UIDL format %q: too long", text)
		}
	}
	if !f.varies() {
		return nil, fmt.Errorf("UIDL format %q: it is the same for all messages", text)
	}
	return f, nil
}

// varies reports whether messages get UIDLs of their own.
func (f *Format) varies() bool {
	for _, p := range f.pieces {
		if p.value != nil && p.value(dovecotMessage{uid: 1, file: "1", guid: "1"}) != p.value(dovecotMessage{uid: 2, file: "2", guid: "2"}) {
			return true
		}
	}
	return false
}

func (f *Format) uidl(m dovecotMessage) string {
	var b strings.Builder
	for _, p := range f.pieces {
		if p.value == nil {
			b.WriteString(p.text)
			continue
		}
		b.WriteString(p.word(m))
	}
	return b.String()
}

func (p *piece) word(m dovecotMessage) string {
	text := p.value(m)
	for _, mod := range p.mods {
		text = mod(text)
	}
	if p.zero && len(text) < p.width {
		return strings.Repeat("0", p.width-len(text)) + text
	}
	if !p.zero && p.width > 0 && len(text) > p.width { // a width without a zero cuts
		return text[:p.width]
	}
	return text
}

// variable gives what a name stands for.
func variable(name string) (func(dovecotMessage) string, error) {
	switch name {
	case "u", "uid":
		return func(m dovecotMessage) string { return strconv.FormatUint(uint64(m.uid), 10) }, nil
	case "v", "uidvalidity":
		return func(m dovecotMessage) string { return strconv.FormatUint(uint64(m.validity), 10) }, nil
	case "f", "filename":
		return func(m dovecotMessage) string { return m.file }, nil
	case "g", "guid":
		return func(m dovecotMessage) string { return m.guid }, nil
	case "m", "md5":
		return nil, fmt.Errorf("%%m needs the old server: read the UIDLs from it (pop3://)")
	}
	return nil, fmt.Errorf("no variable %q", name)
}

// modifier gives what a letter, or a filter's name, does.
func modifier(name string) (func(string) string, error) {
	switch name {
	case "X", "hex":
		return func(s string) string {
			n, err := strconv.ParseUint(s, 10, 64)
			if err != nil {
				return s
			}
			return strconv.FormatUint(n, 16)
		}, nil
	case "L", "lower":
		return strings.ToLower, nil
	case "U", "upper":
		return strings.ToUpper, nil
	case "M", "md5":
		return func(s string) string {
			sum := md5.Sum([]byte(s))
			return hex.EncodeToString(sum[:])
		}, nil
	case "R", "reverse":
		return func(s string) string {
			b := []byte(s)
			for i, j := 0, len(b)-1; i < j; i, j = i+1, j-1 {
				b[i], b[j] = b[j], b[i]
			}
			return string(b)
		}, nil
	}
	return nil, fmt.Errorf("no modifier %q", name)
}

const maxWidth = 200

// shortPiece reads what follows "%" in %08Xu.
func shortPiece(s string) (p piece, rest string, err error) {
	digits := len(s) - len(strings.TrimLeft(s, "0123456789"))
	if digits > 0 {
		p.zero = s[0] == '0'
		if p.width, err = strconv.Atoi(s[:digits]); err != nil || p.width > maxWidth {
			return p, "", fmt.Errorf("no width %q", s[:digits])
		}
	}
	s = s[digits:]
	for s != "" && strings.IndexByte("XLUMR", s[0]) >= 0 {
		mod, err := modifier(s[:1])
		if err != nil {
			return p, "", err
		}
		p.mods = append(p.mods, mod)
		s = s[1:]
	}
	if strings.HasPrefix(s, "{") {
		name, rest, ok := strings.Cut(s[1:], "}")
		if !ok {
			return p, "", fmt.Errorf("no } after %q", name)
		}
		p.value, err = variable(name)
		return p, rest, err
	}
	if s == "" {
		return p, "", fmt.Errorf("nothing follows %%")
	}
	p.value, err = variable(s[:1])
	return p, s[1:], err
}

// longPiece reads what follows "%{" in %{uid | hex(8)}.
func longPiece(s string) (p piece, rest string, err error) {
	inner, rest, ok := strings.Cut(s, "}")
	if !ok {
		return p, "", fmt.Errorf("no } after %q", inner)
	}
	words := strings.Split(inner, "|")
	if p.value, err = variable(strings.TrimSpace(words[0])); err != nil {
		return p, "", err
	}
	for _, word := range words[1:] {
		name, arg, hasArg := strings.Cut(strings.TrimSuffix(strings.TrimSpace(word), ")"), "(")
		mod, err := modifier(name)
		if err != nil {
			return p, "", err
		}
		if hasArg {
			if p.width, err = strconv.Atoi(arg); err != nil || name != "hex" || p.width < 0 || p.width > maxWidth {
				return p, "", fmt.Errorf("no filter %q", word)
			}
			p.zero = true
		}
		p.mods = append(p.mods, mod)
	}
	return p, rest, nil
}
