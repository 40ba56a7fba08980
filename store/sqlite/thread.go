package sqlite

import (
	"crypto/sha256"
	"encoding/binary"

	"tandem/store"
)

// threadRefs is how many references of a message are looked at.
const threadRefs = 20

// thread gives the THREADID (RFC 8474 section 5.2) of a new message: that of a
// message its references name, the newest first, or of one with its own
// Message-ID, else a new one. What the message names belongs to it from then
// on.
func (t *tx) thread(account store.AccountID, b *store.Body) (string, error) {
	ids := b.References[max(0, len(b.References)-threadRefs):]
	refs := make([]int64, 0, len(ids)+1)
	for i := len(ids) - 1; i >= 0; i-- {
		refs = append(refs, threadRef(ids[i]))
	}
	if b.MessageID != "" {
		refs = append(refs, threadRef(b.MessageID))
	}
	thread := ""
	for _, ref := range refs {
		r, ok, err := t.first("SELECT thread FROM thread_ref WHERE account = ? AND ref = ?", account, ref)
		if err != nil {
			return "", err
		}
		if ok {
			thread = r.text(0)
			break
		}
	}
	if thread == "" {
		thread = randomText(idAlphabet, 16)
	}
	for _, ref := range refs {
		if _, err := t.exec("INSERT OR IGNORE INTO thread_ref (account, ref, thread) VALUES (?, ?, ?)", account, ref, thread); err != nil {
			return "", err
		}
	}
	return thread, nil
}

func threadRef(messageID string) int64 {
	sum := sha256.Sum256([]byte(messageID))
	return int64(binary.BigEndian.Uint64(sum[:]))
}
