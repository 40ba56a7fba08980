package imapd

import "tandem/store"

// view is the selected mailbox.
type view struct {
	*store.View
}
