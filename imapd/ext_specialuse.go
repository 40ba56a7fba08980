package imapd

import (
	"strings"

	"tandem/imapd/internal/wire"
	"tandem/store"
)

// extSpecialUse is RFC 6154, with \Important of RFC 8457 and the uses of RFC
// 9979. LIST shows special uses whether asked or not, which section 2 allows.
func extSpecialUse() extension {
	return extension{
		name:         "SPECIAL-USE",
		rfc:          "RFC 6154",
		capabilities: everywhere("SPECIAL-USE", "CREATE-SPECIAL-USE"),
		createParams: []createParam{{name: "USE", parse: parseUse}},
		listSelects: []listSelect{{
			name:  "SPECIAL-USE",
			base:  true,
			match: func(n *listNode) bool { return n.box != nil && n.box.Use != "" },
		}},
		listReturns: []listReturn{{name: "SPECIAL-USE"}},
	}
}

func parseUse(d *wire.Decoder, a *createArgs) {
	d.SP()
	d.List(func() { a.uses = append(a.uses, d.Flag()) })
}

// specialUse gives the use that a mailbox can be made with: one, and not one
// of those that show messages which lie elsewhere.
func specialUse(asked []string) (store.SpecialUse, error) {
	if len(asked) > 1 {
		return "", no("USEATTR", "A mailbox has one special use here")
	}
	for _, use := range []store.SpecialUse{
		store.UseArchive, store.UseDrafts, store.UseJunk, store.UseSent, store.UseTrash,
		store.UseImportant, store.UseMemos, store.UseScheduled, store.UseSnoozed,
	} {
		if strings.EqualFold(asked[0], string(use)) {
			return use, nil
		}
	}
	return "", no("USEATTR", "No mailbox can be made to be %s", asked[0])
}
