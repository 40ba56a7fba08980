package main

import (
	"bytes"
	"context"
	"crypto/sha256"
	"encoding/base64"
	"errors"
	"fmt"
	"io"
	"slices"
	"strings"
	"time"

	"tandem/store"
	"tandem/store/message"
)

// importRequest begins an import into an account.
type importRequest struct {
	Account string `json:"account"`
}

// importItem is what an import knows of a message beside its bytes. An item
// without a Source has no message: it only makes the mailbox.
type importItem struct {
	Mailbox     string    `json:"mailbox"`
	Subscribe   bool      `json:"subscribe,omitempty"` // to the mailbox
	Source      string    `json:"source,omitempty"`    // where it lies, for the ledger
	Position    string    `json:"position,omitempty"`  // in the source
	Received    time.Time `json:"received,omitzero"`   // zero: from the header
	Flags       []string  `json:"flags,omitempty"`     // IMAP's names, system flags and keywords
	HeaderFlags bool      `json:"header_flags,omitempty"`
}

// importResult counts what an import did.
type importResult struct {
	Imported int      `json:"imported"`
	Skipped  int      `json:"skipped"` // the ledger has them
	Notes    []string `json:"notes,omitempty"`

	UIDLs *uidlReport `json:"uidls,omitempty"` // with --uidl-from
}

// messageSink takes the messages of an import.
type messageSink interface {
	// add takes one message, or only an item when r is nil.
	add(item importItem, r io.Reader) error
	// finish stores what is waiting. The result is right even with an error.
	finish() (importResult, error)
	// abort gives up what is waiting.
	abort()
}

const (
	batchMessages = 64
	batchBytes    = 4 << 20
	maxNotes      = 100
	// wholeMessage is the size up to which a message is looked up in the ledger
	// before anything of it is stored.
	wholeMessage = 1 << 20
)

// importRun is an import on the store itself.
type importRun struct {
	ctx       context.Context
	store     *store.Store
	by        store.Actor
	mailboxes map[string]store.MailboxID
	result    importResult

	waiting []store.Insertion
	streams []*store.Ingest // of waiting
	bytes   int64
}

// newImport begins an import.
func newImport(ctx context.Context, s *store.Store, req importRequest) (*importRun, error) {
	a, err := s.Account(ctx, req.Account)
	if err != nil {
		return nil, err
	}
	return &importRun{
		ctx:       ctx,
		store:     s,
		by:        store.Actor{Account: a.ID, Protocol: "admin"},
		mailboxes: map[string]store.MailboxID{},
	}, nil
}

func (r *importRun) add(item importItem, in io.Reader) error {
	mailbox, err := r.mailbox(item)
	if err != nil || in == nil {
		return err
	}
	sum := sha256.New()
	head, err := io.ReadAll(io.LimitReader(in, wholeMessage))
	if err != nil {
		return fmt.Errorf("read %s: %w", item.Source, err)
	}
	sum.Write(head)
	whole := len(head) < wholeMessage
	if whole {
		if seen, err := r.seen(ledgerKey(item, sum.Sum(nil))); err != nil || seen {
			return err
		}
	}
	stream := r.store.NewIngest(r.ctx, 0, message.KeepBinary()) // import changes no byte
	body, err := ingest(stream, io.MultiReader(bytes.NewReader(head), io.TeeReader(in, sum)))
	if err != nil {
		stream.Close()
		if store.KindOf(err) == store.TooBig {
			r.note("%s at %s is left out: %v", item.Source, item.Position, err)
			return nil
		}
		return fmt.Errorf("import %s at %s: %w", item.Source, item.Position, err)
	}
	key := ledgerKey(item, sum.Sum(nil))
	if !whole {
		if seen, err := r.seen(key); err != nil || seen {
			stream.Close()
			return err
		}
	}
	insertion := store.Insertion{Mailbox: mailbox, Body: body, ImportKey: key}
	insertion.Internal = receivedAt(item, body, r.store.Now())
	insertion.Flags, insertion.Keywords = flagsOf(item, body.Header)
	r.waiting = append(r.waiting, insertion)
	r.streams = append(r.streams, stream)
	r.bytes += body.Size
	if len(r.waiting) >= batchMessages || r.bytes >= batchBytes {
		return r.flush()
	}
	return nil
}

func ingest(stream *store.Ingest, in io.Reader) (*store.Body, error) {
	if _, err := io.Copy(stream, in); err != nil {
		return nil, err
	}
	return stream.Finish()
}

// seen tells, and counts, whether the ledger or the batch has key.
func (r *importRun) seen(key string) (bool, error) {
	has, err := r.store.ImportSeen(r.ctx, r.by.Account, []string{key})
	if err != nil {
		return false, err
	}
	if has[key] || slices.ContainsFunc(r.waiting, func(i store.Insertion) bool { return i.ImportKey == key }) {
		r.result.Skipped++
		return true, nil
	}
	return false, nil
}

// ledgerKey names a message of a source for good. The mailbox is part of it, so
// that the same source can be imported into a second one on purpose.
func ledgerKey(item importItem, digest []byte) string {
	sum := sha256.New()
	for _, part := range []string{item.Source, item.Position, item.Mailbox, string(digest)} {
		fmt.Fprintf(sum, "%d:%s", len(part), part)
	}
	return base64.RawURLEncoding.EncodeToString(sum.Sum(nil)[:18])
}

// flush stores the batch.
func (r *importRun) flush() error {
	if len(r.waiting) == 0 {
		return nil
	}
	_, err := r.store.Append(r.ctx, r.by, r.waiting)
	if err != nil {
		return fmt.Errorf("store a batch of %d messages: %w", len(r.waiting), err)
	}
	for _, s := range r.streams {
		s.Used()
	}
	r.result.Imported += len(r.waiting)
	r.abort()
	return nil
}

func (r *importRun) abort() {
	for _, s := range r.streams {
		s.Close()
	}
	r.waiting, r.streams, r.bytes = nil, nil, 0
}

func (r *importRun) finish() (importResult, error) {
	err := r.flush()
	r.abort()
	return r.result, err
}

func (r *importRun) note(format string, args ...any) {
	if len(r.result.Notes) < maxNotes {
		r.result.Notes = append(r.result.Notes, fmt.Sprintf(format, args...))
	}
}

// mailbox finds or makes the mailbox of an item.
func (r *importRun) mailbox(item importItem) (store.MailboxID, error) {
	if id, ok := r.mailboxes[item.Mailbox]; ok && !item.Subscribe {
		return id, nil
	}
	name := allowedName(item.Mailbox)
	if name != item.Mailbox && !strings.EqualFold(name, "INBOX") {
		r.note("mailbox %q is imported as %q", item.Mailbox, name)
	}
	m, err := r.store.Mailbox(r.ctx, r.by, name)
	if store.KindOf(err) == store.NotFound && err != nil {
		m, err = r.store.CreateMailbox(r.ctx, r.by, r.by.Account, store.NewMailbox{Name: name})
	}
	if err == nil && item.Subscribe {
		err = r.store.SetSubscribed(r.ctx, r.by, name, true)
	}
	if err != nil {
		return 0, fmt.Errorf("make mailbox %q: %w", name, err)
	}
	r.mailboxes[item.Mailbox] = m.ID
	return m.ID, nil
}

// allowedName gives the nearest name that a mailbox may have.
func allowedName(name string) string {
	if ok, err := store.CanonicalMailboxName(name); err == nil {
		return ok
	}
	parts := strings.FieldsFunc(strings.ToValidUTF8(name, "_"), func(r rune) bool { return r == '/' })
	for i, part := range parts {
		parts[i] = strings.Map(func(r rune) rune {
			if _, err := store.CanonicalMailboxName(string(r)); err != nil {
				return '_'
			}
			return r
		}, part)
	}
	return strings.Join(parts, "/")
}

// receivedAt is INTERNALDATE: what the source says, else the top Received field,
// else Date, else now.
func receivedAt(item importItem, body *store.Body, now time.Time) time.Time {
	if !item.Received.IsZero() {
		return item.Received
	}
	var sent time.Time
	for name, raw := range message.Fields(body.Header) {
		switch strings.ToLower(string(name)) {
		case "received":
			// RFC 5321 section 4.4: the date is what follows the last semicolon.
			value := string(raw)
			if t, ok := message.ParseDate(value[strings.LastIndexByte(value, ';')+1:]); ok {
				return t
			}
		case "date":
			if t, ok := message.ParseDate(string(raw)); ok && sent.IsZero() {
				sent = t
			}
		}
	}
	if !sent.IsZero() {
		return sent
	}
	return now
}

// systemFlags are the flags that are no keywords, in lower case.
var systemFlags = map[string]store.Flags{
	`\seen`:     store.FlagSeen,
	`\answered`: store.FlagAnswered,
	`\flagged`:  store.FlagFlagged,
	`\deleted`:  store.FlagDeleted,
	`\draft`:    store.FlagDraft,
}

// flagsOf gathers an item's flags, and those in the header when it is to be read.
func flagsOf(item importItem, header []byte) (store.Flags, []string) {
	names := slices.Clone(item.Flags)
	if item.HeaderFlags {
		names = append(names, headerFlags(header)...)
	}
	var flags store.Flags
	var keywords []string
	for _, name := range names {
		if f, ok := systemFlags[strings.ToLower(name)]; ok {
			flags |= f
		} else if isKeyword(name) && !slices.ContainsFunc(keywords, func(k string) bool { return strings.EqualFold(k, name) }) {
			keywords = append(keywords, name)
		}
	}
	return flags, keywords
}

// isKeyword tells whether name is a flag-keyword: an atom (RFC 3501 section 9).
func isKeyword(name string) bool {
	return name != "" && len(name) <= 100 && !strings.ContainsFunc(name, func(r rune) bool {
		return r <= ' ' || r >= 0x7f || strings.ContainsRune(`(){%*"\]`, r)
	})
}

// headerFlags reads Status, X-Status and X-Keywords, as mailbox files have them.
func headerFlags(header []byte) []string {
	letters := map[byte]string{'R': `\Seen`, 'A': `\Answered`, 'F': `\Flagged`, 'D': `\Deleted`, 'T': `\Draft`}
	var flags []string
	for name, raw := range message.Fields(header) {
		switch strings.ToLower(string(name)) {
		case "status", "x-status":
			for _, c := range raw {
				if f, ok := letters[c]; ok {
					flags = append(flags, f)
				}
			}
		case "x-keywords":
			flags = append(flags, strings.FieldsFunc(string(raw), func(r rune) bool { return r <= ' ' || r == ',' })...)
		}
	}
	return flags
}

// importStream feeds the records of a control request into sink.
func importStream(sink messageSink, in io.Reader) (importResult, error) {
	frames := newFrameReader(in)
	for {
		var item importItem
		err := frames.next(&item)
		if errors.Is(err, io.EOF) {
			return sink.finish()
		}
		if err == nil {
			var body io.Reader
			if item.Source != "" {
				body = frames
			}
			err = sink.add(item, body)
		}
		if err != nil && !errors.Is(err, errGivenUp) { // the client knows of those, and ends or goes on
			sink.abort()
			return importResult{}, err
		}
	}
}
