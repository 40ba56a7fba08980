package imapd

import (
	"context"
	"fmt"
	"slices"
	"strings"

	"tandem/imapd/internal/wire"
	"tandem/store"
)

// extMetadata is RFC 5464. What others change is told to those who ask for it
// with NOTIFY. Every mailbox takes private entries, so [METADATA
// NOPRIVATE] is never the answer.
func extMetadata() extension {
	return extension{
		name:         "METADATA",
		rfc:          "RFC 5464",
		capabilities: everywhere("METADATA"),
		commands: []command{
			row("GETMETADATA", loggedIn, 0, parseGetMetadata, (*session).getMetadata),
			row("SETMETADATA", loggedIn, 0, parseSetMetadata, (*session).setMetadata),
		},
	}
}

// extListMetadata is RFC 9590.
func extListMetadata() extension {
	return extension{
		name:         "LIST-METADATA",
		rfc:          "RFC 9590",
		capabilities: everywhere("LIST-METADATA"),
		listReturns: []listReturn{{
			name: "METADATA",
			parse: func(_ *session, d *wire.Decoder, a *listArgs) {
				d.SP()
				a.metadata = metadataArgs{maxSize: noMaxSize}
				d.List(func() { a.metadata.add(d, d.Astring()) })
				a.metadata.check(d)
			},
			after: func(ctx context.Context, s *session, a *listArgs, n *listNode) error {
				if n.box == nil {
					return nil
				}
				_, err := s.writeMetadata(ctx, n.box.ID, n.name, &a.metadata)
				return passOver(err)
			},
		}},
	}
}

const (
	maxMetadataNames = 100 // in one command
	noMaxSize        = 1<<63 - 1

	depthInfinity = 1 << 30

	// adminEntry is the server's annotation that is set by configuration alone
	// (RFC 5464 section 3.2.1.1).
	adminEntry = "/shared/admin"
)

// metadataArgs is what is asked for of annotations.
type metadataArgs struct {
	mailbox string
	names   []string // in small letters
	maxSize int64
	depth   int
}

func parseGetMetadata(_ *session, d *wire.Decoder) metadataArgs {
	a := metadataArgs{maxSize: noMaxSize}
	d.SP()
	if d.Next() == '(' {
		d.List(func() { a.option(d) })
		d.SP()
	}
	a.mailbox = d.Mailbox()
	d.SP()
	if d.Next() == '(' {
		// Options belong before the mailbox (RFC 5464 section 5); its examples,
		// and clients made after them, have them behind it.
		options := false
		d.List(func() {
			switch d.Next() {
			case '/', '"', '{':
				a.add(d, d.Astring())
			default:
				options = true
				a.option(d)
			}
		})
		if options && len(a.names) > 0 {
			d.Fail("Options stand among the entries")
		}
		if !options {
			a.check(d)
			return a
		}
		d.SP()
	}
	if d.Next() == '(' {
		d.List(func() { a.add(d, d.Astring()) })
	} else {
		a.add(d, d.Astring())
	}
	a.check(d)
	return a
}

// option reads an option of GETMETADATA (RFC 5464 section 4.2).
func (a *metadataArgs) option(d *wire.Decoder) {
	word := d.Keyword()
	d.SP()
	switch word {
	case "MAXSIZE":
		a.maxSize = int64(d.Number())
	case "DEPTH":
		switch depth := d.Keyword(); depth {
		case "0":
			a.depth = 0
		case "1":
			a.depth = 1
		case "INFINITY":
			a.depth = depthInfinity
		default:
			d.Fail("DEPTH is 0, 1 or infinity, not %s", depth)
		}
	default:
		d.Fail("Unknown option %s", word)
	}
}

// add takes a name. /private and /shared alone stand for all below them.
func (a *metadataArgs) add(d *wire.Decoder, name string) {
	if len(a.names) >= maxMetadataNames {
		d.Fail("More than %d entries", maxMetadataNames)
		return
	}
	name = strings.ToLower(name)
	if name != "/private" && name != "/shared" {
		if _, err := store.CanonicalMetadataName(name); err != nil && d.Err() == nil {
			d.Fail("An entry's name is /private/... or /shared/..., without wildcards")
		}
	}
	for _, n := range a.names {
		if n == name {
			return
		}
	}
	a.names = append(a.names, name)
}

func (a *metadataArgs) check(d *wire.Decoder) {
	if len(a.names) == 0 {
		d.Fail("No entries are named")
	}
}

func (s *session) getMetadata(ctx context.Context, a metadataArgs) error {
	id, err := s.annotated(ctx, a.mailbox)
	if err != nil {
		return err
	}
	longest, err := s.writeMetadata(ctx, id, a.mailbox, &a)
	if err == nil && longest > 0 { // RFC 5464 section 4.2.1
		s.ok(fmt.Sprintf("METADATA LONGENTRIES %d", longest), "GETMETADATA completed")
	}
	return err
}

// annotated finds the mailbox of a name; "" is the server, 0.
func (s *session) annotated(ctx context.Context, name string) (store.MailboxID, error) {
	if name == "" {
		return 0, nil
	}
	box, err := s.mailbox(ctx, name, 0)
	return box.ID, err
}

// writeMetadata sends the entries asked for (RFC 5464 section 4.4.1) and gives
// the size of the longest that was left out. A name asked for that has no
// value is NIL; what lies below names is only what there is.
func (s *session) writeMetadata(ctx context.Context, id store.MailboxID, mailbox string, a *metadataArgs) (longest int, err error) {
	list, err := s.srv.cfg.Store.Metadata(ctx, s.actor, id)
	if err != nil {
		return 0, err
	}
	if contact := s.srv.cfg.AdminContact; id == 0 && contact != "" {
		list = append(list, store.MetadataEntry{Name: adminEntry, Value: []byte(contact)})
	}
	var out []store.MetadataEntry
	found := map[string]bool{}
	for _, e := range list {
		if !a.wants(e.Name) {
			continue
		}
		found[e.Name] = true
		if int64(len(e.Value)) > a.maxSize {
			longest = max(longest, len(e.Value))
			continue
		}
		out = append(out, e)
	}
	for _, name := range a.names {
		if !found[name] && strings.Count(name, "/") > 1 {
			out = append(out, store.MetadataEntry{Name: name, Unset: true})
		}
	}
	if len(out) == 0 {
		return longest, nil
	}
	s.enc.Raw("* METADATA ")
	if mailbox == "" {
		s.enc.Raw(`""`)
	} else {
		s.enc.Mailbox(mailbox)
	}
	for i, e := range out {
		if i == 0 {
			s.enc.Raw(" (")
		} else {
			s.enc.SP()
		}
		s.enc.String(e.Name).SP()
		if e.Unset {
			s.enc.Raw("NIL")
		} else {
			s.enc.Value(string(e.Value))
		}
	}
	s.enc.Byte(')').CRLF()
	return longest, s.enc.Err()
}

// wants says whether a name is one of those asked for, or as far below one as
// DEPTH reaches (RFC 5464 section 4.2.2).
func (a *metadataArgs) wants(name string) bool {
	for _, asked := range a.names {
		if name == asked {
			return true
		}
		rest, below := strings.CutPrefix(name, asked+"/")
		if below && strings.Count(rest, "/") < a.depth {
			return true
		}
	}
	return false
}

type setMetadataArgs struct {
	mailbox string
	list    []store.MetadataEntry
}

func parseSetMetadata(_ *session, d *wire.Decoder) (a setMetadataArgs) {
	d.SP()
	a.mailbox = d.Mailbox()
	d.SP()
	d.List(func() {
		name, err := store.CanonicalMetadataName(d.Astring())
		if err != nil && d.Err() == nil {
			d.Fail("An entry's name is /private/... or /shared/..., without wildcards")
		}
		d.SP()
		value, ok := d.Value()
		a.list = append(a.list, store.MetadataEntry{Name: name, Value: []byte(value), Unset: !ok})
		if len(a.list) > maxMetadataNames {
			d.Fail("More than %d entries", maxMetadataNames)
		}
	})
	if len(a.list) == 0 {
		d.Fail("No entries are named")
	}
	return a
}

// setMetadata is RFC 5464 section 4.3.
func (s *session) setMetadata(ctx context.Context, a setMetadataArgs) error {
	id, err := s.annotated(ctx, a.mailbox)
	if err != nil {
		return err
	}
	if id == 0 && slices.ContainsFunc(a.list, func(e store.MetadataEntry) bool { return e.Name == adminEntry }) {
		return no("NOPERM", "%s cannot be changed", adminEntry)
	}
	err = s.srv.cfg.Store.SetMetadata(ctx, s.actor, id, a.list)
	if err != nil {
		switch store.KindOf(err) {
		case store.TooBig:
			return no(fmt.Sprintf("METADATA MAXSIZE %d", store.MetadataValue), "A value is too long")
		case store.Limit:
			return no("METADATA TOOMANY", "%s", capital(err.Error()))
		}
		return err
	}
	s.annotatedBy(ctx, a.list)
	return nil
}

// annotatedBy says that this session itself has just set annotations: it need
// not hear of that (RFC 5465 section 5).
func (s *session) annotatedBy(ctx context.Context, list []store.MetadataEntry) {
	i := s.interest
	if i == nil || i.watch == nil {
		return
	}
	i.ownEntries = map[string]bool{}
	for k := range list {
		i.ownEntries[list[k].Name] = true
	}
	s.tellOthers(ctx)
	i.ownEntries = nil
}
