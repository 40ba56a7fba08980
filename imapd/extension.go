package imapd

import (
	"fmt"

	"tandem/imapd/internal/wire"
)

// extension is all of one extension, or of RFC 3501 itself: what it adds at
// each joint of the grammar. A joint's type stands in the file of the command
// that it belongs to.
type extension struct {
	name string // as in its RFC's title or its capability
	rfc  string // "RFC 3501"

	capabilities []capability
	commands     []command
	enables      []enable
}

// enable is a word of the ENABLE command (RFC 5161).
type enable struct {
	name string
	// on makes it so in a session. nil: nothing but remembering it.
	on func(*session)
}

// extensions lists everything this server speaks. Adding one is its file and
// one word here.
func extensions() []extension {
	return []extension{
		imap4rev1(),
		startTLS(),
		extID(),
		extEnable(),
		extNamespace(),
		extLiteralPlus(),
	}
}

// registry is what all extensions add up to, by name. It is built once in New
// and never written again.
type registry struct {
	extensions   []extension
	capabilities []capability
	commands     map[string]command
	enables      map[string]enable
}

func newRegistry(list []extension) *registry {
	r := &registry{
		extensions: list,
		commands:   map[string]command{},
		enables:    map[string]enable{},
	}
	for _, x := range list {
		r.capabilities = append(r.capabilities, x.capabilities...)
		for _, c := range x.commands {
			add(r.commands, c.name, c)
		}
		for _, e := range x.enables {
			add(r.enables, e.name, e)
		}
	}
	return r
}

// add puts a value under a name that no other extension has.
func add[T any](m map[string]T, name string, v T) {
	if _, taken := m[name]; taken {
		panic(fmt.Sprintf("two extensions define %s", name))
	}
	m[name] = v
}

// find expects a name of the registry's map; what is the word for it in the
// BAD answer.
func find[T any](d *wire.Decoder, m map[string]T, what string) (v T, ok bool) {
	name := d.Keyword()
	if d.Err() != nil {
		return v, false
	}
	v, ok = m[name]
	if !ok {
		d.Fail("Unknown %s %s", what, name)
	}
	return v, ok
}
