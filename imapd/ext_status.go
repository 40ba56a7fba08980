package imapd

import (
	"context"

	"tandem/imapd/internal/wire"
	"tandem/store"
)

// extStatusSize is RFC 8438.
func extStatusSize() extension {
	return extension{
		name:         "STATUS=SIZE",
		rfc:          "RFC 8438",
		capabilities: everywhere("STATUS=SIZE"),
		statusItems: []statusItem{
			statusNumber("SIZE", func(b *store.Mailbox) uint64 { return uint64(b.Bytes) }),
		},
	}
}

// extListStatus is RFC 5819.
func extListStatus() extension {
	return extension{
		name:         "LIST-STATUS",
		rfc:          "RFC 5819",
		capabilities: everywhere("LIST-STATUS"),
		listReturns: []listReturn{{
			name: "STATUS",
			parse: func(s *session, d *wire.Decoder, a *listArgs) {
				d.SP()
				a.status = parseStatusItems(s, d)
			},
			attribute: func(n *listNode) string {
				if n.box != nil && !n.mayRead() { // RFC 5819 section 2
					return `\Noselect`
				}
				return ""
			},
			after: func(ctx context.Context, s *session, a *listArgs, n *listNode) error {
				if !n.mayRead() { // RFC 5819 section 2: not for what cannot be selected
					return nil
				}
				return s.writeStatus(ctx, n.box, a.status)
			},
		}},
	}
}
