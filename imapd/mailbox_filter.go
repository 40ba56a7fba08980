package imapd

import (
	"strings"

	"tandem/imapd/internal/wire"
)

// mailboxFilter names mailboxes for NOTIFY and ESEARCH (RFC 5465 section 8,
// filter-mailboxes-other; SUBTREE-ONE is of RFC 7377 section 5).
type mailboxFilter struct {
	kind  string // PERSONAL, INBOXES, SUBSCRIBED, SUBTREE, SUBTREE-ONE, MAILBOXES
	names []string
}

// others says whether the filter may cover mailboxes that are not one's own.
func (f *mailboxFilter) others() bool { return f.kind != "PERSONAL" && f.kind != "INBOXES" }

// covers says whether the filter names a mailbox. Mail may be delivered to any
// mailbox, by subaddress, so INBOXES is PERSONAL (RFC 5465 section 6.3).
func (f *mailboxFilter) covers(name string, subscribed bool) bool {
	switch f.kind {
	case "PERSONAL", "INBOXES":
		return !isForeign(name)
	case "SUBSCRIBED":
		return subscribed
	}
	for _, n := range f.names {
		if name == n {
			return true
		}
		below, ok := name, true // of the root
		if n != "" {
			below, ok = strings.CutPrefix(name, n+"/")
		}
		if ok && (f.kind == "SUBTREE" || f.kind == "SUBTREE-ONE" && !strings.Contains(below, "/")) {
			return true
		}
	}
	return false
}

// parseMailboxes reads a name or a list of names.
func parseMailboxes(d *wire.Decoder) (names []string) {
	if d.Next() != '(' {
		return []string{d.Mailbox()}
	}
	d.List(func() { names = append(names, d.Mailbox()) })
	if len(names) == 0 {
		d.Fail("An empty list of mailboxes")
	}
	return names
}
