package store

import (
	"context"
	"iter"
	"slices"
	"strings"
	"time"
)

// StoryEngine is the part of Engine that tells what happened.
type StoryEngine interface {
	// Journal gives rows of an account's journal.
	Journal(ctx context.Context, owner AccountID, q JournalQuery) iter.Seq2[*JournalRow, error]
	// FindMessages finds the messages of an account that a key names.
	FindMessages(ctx context.Context, owner AccountID, key MessageKey) ([]MessageID, error)
	// Places gives where a message is and, as far as tombstones tell, was.
	Places(ctx context.Context, id MessageID) ([]Place, error)
	// MailboxNames names the mailboxes of an account, those that are gone too as
	// long as something of them can be brought back.
	MailboxNames(ctx context.Context, owner AccountID) (map[MailboxID]string, error)
	// CredentialNames names credentials, of whichever accounts; those of removed
	// accounts are missing.
	CredentialNames(ctx context.Context, ids []CredentialID) (map[CredentialID]CredentialName, error)
}

// JournalQuery says which rows of a journal are wanted.
type JournalQuery struct {
	From      int64   // this row first, 0: the oldest, or the newest
	Backward  bool    // from there to older ones
	Places    []Place // rows that may name one of these; none: all
	ByClients bool    // rows of sessions over IMAP and POP3, and of undo
}

// JournalRow is what the journal has of one verb.
type JournalRow struct {
	N          int64
	Time       time.Time
	Verb       string // "insert", "flags", "move", ...; package sqlite has them
	Credential CredentialID
	Session    string
	Protocol   string
	Remote     string
	Mailbox    MailboxID
	Other      MailboxID
	UIDs       UIDSet // in Mailbox
	Moved      UIDSet // of those, what became OtherUIDs in Other, one for one
	OtherUIDs  UIDSet
	Seen       UIDSet       // of a QUIT: marked \Seen by it
	Policy     DeletePolicy // of a QUIT
	Detail     string
}

// MessageKey names messages by one of its fields.
type MessageKey struct {
	EmailID   string
	UIDL      string
	MessageID string // without <>
	Place     Place
}

// Place is where a message is or was.
type Place struct {
	Mailbox MailboxID
	UID     UID
	Gone    bool // expunged or moved on
}

// CredentialName is a credential as it is named to a person.
type CredentialName struct {
	Account string
	Label   string // "" for the account's own password
}

// Story is what happened to one message, the oldest first.
type Story struct {
	Message *Message // with its structure
	Names   map[MailboxID]string
	Places  []Place
	Events  []Event
	// Whole says that the story begins with the message's arrival; else the
	// journal does not go back that far.
	Whole bool
}

// Event is one act on a message.
type Event struct {
	Time     time.Time
	Act      Act
	Protocol string
	Session  string
	Remote   string
	By       *CredentialName // nil: no credential, or one of a removed account
	Place                    // where the message was
	To       Place           // where it went, zero if it did not
	Detail   string          // of ActFlagged: the change; of ActHidden and ActTrashed: the policy, if not DeleteTrash
}

// Act is what was done to a message.
type Act string

// The acts.
const (
	ActDelivered  Act = "delivered"
	ActAppended   Act = "appended"
	ActImported   Act = "imported"
	ActRead       Act = "read"
	ActDownloaded Act = "downloaded"
	ActFlagged    Act = "flagged"
	ActCopied     Act = "copied"
	ActMoved      Act = "moved"
	ActTrashed    Act = "trashed" // by POP3
	ActHidden     Act = "hidden"  // from the POP3 device that deleted it
	ActExpunged   Act = "expunged"
	ActEmptied    Act = "emptied" // expunged from Trash or Junk for its age
	ActReplaced   Act = "replaced"
	ActDeleted    Act = "deleted with its mailbox"
	ActBack       Act = "brought back"
	ActReceived   Act = "received from another account"
	ActCopiedOut  Act = "copied to another account"
	ActMovedOut   Act = "moved to another account"
	ActShown      Act = "shown again"
)

// FindMessages finds the messages of an account by what a person calls one: its
// UID in a mailbox, its UIDL, EMAILID or Message-ID. NotFound if there is none.
func (s *Store) FindMessages(ctx context.Context, account AccountID, mailbox MailboxID, name string) ([]MessageID, error) {
	var keys []MessageKey
	if uid, ok := parseUID(name); ok {
		keys = append(keys, MessageKey{Place: Place{Mailbox: mailbox, UID: uid}})
	}
	keys = append(keys, MessageKey{UIDL: name})
	bare := strings.TrimSuffix(strings.TrimPrefix(name, "<"), ">")
	if strings.Contains(bare, "@") || bare != name {
		keys = append(keys, MessageKey{MessageID: bare})
	} else {
		keys = append(keys, MessageKey{EmailID: name}, MessageKey{MessageID: bare})
	}
	for _, key := range keys {
		ids, err := s.engine.FindMessages(ctx, account, key)
		if err != nil || len(ids) > 0 {
			return ids, err
		}
	}
	return nil, Errorf(NotFound, "no message %q", name)
}

func parseUID(s string) (UID, bool) {
	var n uint64
	for i := range len(s) {
		if s[i] < '0' || s[i] > '9' || n > 1<<32 {
			return 0, false
		}
		n = n*10 + uint64(s[i]-'0')
	}
	return UID(n), n > 0 && n < 1<<32
}

// Story tells what happened to a message, as far back as the journal goes.
func (s *Store) Story(ctx context.Context, id MessageID) (*Story, error) {
	out := &Story{}
	for m, err := range s.engine.Messages(ctx, []MessageID{id}, Want{Structure: true}) {
		if err != nil {
			return nil, err
		}
		out.Message = m
	}
	if out.Message == nil {
		return nil, Errorf(NotFound, "no message %d", id)
	}
	var err error
	if out.Places, err = s.engine.Places(ctx, id); err != nil {
		return nil, err
	}
	if out.Names, err = s.engine.MailboxNames(ctx, id.Account()); err != nil {
		return nil, err
	}
	t := &teller{s: s, owner: id.Account(), places: slices.Clone(out.Places)}
	if out.Whole, err = t.findOrigin(ctx); err != nil {
		return nil, err
	}
	if err := t.tell(ctx); err != nil {
		return nil, err
	}
	out.Events = t.events
	return out, t.nameCredentials(ctx)
}

// teller puts a story together.
type teller struct {
	s      *Store
	owner  AccountID
	places []Place // all that are known
	from   int64   // the row that the story begins with
	events []Event
	by     []CredentialID // of each event
}

// know adds a place; it reports whether it was not known.
func (t *teller) know(p Place) bool {
	for _, k := range t.places {
		if k.Mailbox == p.Mailbox && k.UID == p.UID {
			return false
		}
	}
	t.places = append(t.places, p)
	return true
}

// findOrigin goes back from place to place to the row of the message's arrival.
func (t *teller) findOrigin(ctx context.Context) (found bool, err error) {
	q := JournalQuery{Backward: true}
	for again := true; again; {
		again = false
		q.Places = t.places
		for r, err := range t.s.engine.Journal(ctx, t.owner, q) {
			if err != nil {
				return false, err
			}
			t.from, q.From = r.N, r.N-1
			grew, origin := t.trace(r)
			if origin {
				return true, nil
			}
			if grew {
				again = q.From > 0
				break
			}
		}
	}
	return false, nil
}

// trace finds the place before in a row, or that the message arrived with it.
func (t *teller) trace(r *JournalRow) (grew, origin bool) {
	for _, p := range t.places {
		if p.Mailbox == r.Mailbox && (r.Verb == "insert" || r.Verb == "receive") && r.UIDs.index(p.UID) >= 0 {
			return false, true
		}
		i := -1
		if p.Mailbox == r.Other {
			i = r.OtherUIDs.index(p.UID)
		}
		switch {
		case i < 0:
		case r.Verb == "replace":
			return false, true
		case i < r.Moved.Len() && t.know(Place{Mailbox: r.Mailbox, UID: r.Moved.at(i), Gone: true}):
			return true, false
		}
	}
	return false, false
}

// tell goes forward and notes every act, at places that it finds too.
func (t *teller) tell(ctx context.Context) error {
	q := JournalQuery{From: t.from}
	for again := true; again; {
		again = false
		q.Places = t.places
		for r, err := range t.s.engine.Journal(ctx, t.owner, q) {
			if err != nil {
				return err
			}
			q.From = r.N + 1
			if t.note(r) {
				again = true
				break
			}
		}
	}
	return nil
}

// note adds what a row tells; it reports whether there is a new place.
func (t *teller) note(r *JournalRow) (grew bool) {
	for _, p := range slices.Clone(t.places) {
		e := Event{Time: r.Time, Protocol: r.Protocol, Session: r.Session, Remote: r.Remote, Place: p}
		switch {
		case p.Mailbox == r.Mailbox && r.UIDs.index(p.UID) >= 0:
			if i := r.Moved.index(p.UID); i >= 0 && r.Verb != "replace" && !r.across() {
				e.To = Place{Mailbox: r.Other, UID: r.OtherUIDs.at(i)}
				grew = t.know(e.To) || grew
			}
			e.Act, e.Detail = actOf(r, e.To.UID != 0)
			t.add(e, r)
		case p.Mailbox == r.Other && r.Verb == "replace" && r.OtherUIDs.index(p.UID) >= 0:
			e.Act = ActAppended
			t.add(e, r)
		}
		if p.Mailbox == r.Mailbox && r.Seen.index(p.UID) >= 0 {
			e.Act, e.To, e.Detail = ActFlagged, Place{}, `+\Seen`
			t.add(e, r)
		}
	}
	return grew
}

// add notes an event. What a POP3 session downloaded is in the journal behind its
// QUIT, but came before.
func (t *teller) add(e Event, r *JournalRow) {
	at := len(t.events)
	for e.Act == ActDownloaded && at > 0 && t.events[at-1].Session == e.Session {
		at--
	}
	t.events = slices.Insert(t.events, at, e)
	t.by = slices.Insert(t.by, at, r.Credential)
}

// across reports whether the other mailbox is another account's: what became
// of a message there is in that account's journal.
func (r *JournalRow) across() bool { return r.Other != 0 && r.Other.Account() != r.Mailbox.Account() }

// actOf says what a verb was to a message in its first mailbox.
func actOf(r *JournalRow, moved bool) (Act, string) {
	if r.across() {
		switch r.Verb {
		case "copy":
			return ActCopiedOut, ""
		case "move":
			return ActMovedOut, ""
		}
	}
	switch r.Verb {
	case "receive":
		return ActReceived, ""
	case "insert":
		switch r.Protocol {
		case "lmtp":
			return ActDelivered, ""
		case "admin":
			return ActImported, ""
		}
		return ActAppended, ""
	case "read":
		if r.Protocol == "pop3" {
			return ActDownloaded, ""
		}
		return ActRead, ""
	case "flags":
		return ActFlagged, r.Detail
	case "copy":
		return ActCopied, ""
	case "move", "rename":
		return ActMoved, ""
	case "quit", "release":
		switch {
		case moved && r.Policy == DeleteTrash:
			return ActTrashed, ""
		case moved:
			return ActTrashed, string(r.Policy)
		case r.Policy == DeleteExpunge || r.Policy == DeleteTrash:
			return ActExpunged, ""
		}
		return ActHidden, string(r.Policy)
	case "expunge":
		return ActExpunged, ""
	case "age":
		return ActEmptied, ""
	case "replace":
		return ActReplaced, ""
	case "delete":
		return ActDeleted, ""
	case "undo", "undelete":
		if moved {
			return ActBack, ""
		}
		return ActShown, ""
	}
	return Act(r.Verb), r.Detail
}

func (t *teller) nameCredentials(ctx context.Context) error {
	names, err := t.s.engine.CredentialNames(ctx, t.by)
	for i := range t.events {
		if d, ok := names[t.by[i]]; ok {
			t.events[i].By = &d
		}
	}
	return err
}

// index gives the place of uid, counted through the ranges; -1 if it is not in
// the set.
func (s UIDSet) index(uid UID) int {
	n := 0
	for _, r := range s {
		if uid < r.Start {
			break
		}
		if uid <= r.Stop {
			return n + int(uid-r.Start)
		}
		n += int(r.Stop-r.Start) + 1
	}
	return -1
}

// at gives the i-th UID, 0 beyond the last.
func (s UIDSet) at(i int) UID {
	for _, r := range s {
		if n := int(r.Stop-r.Start) + 1; i >= n {
			i -= n
			continue
		}
		return r.Start + UID(i)
	}
	return 0
}
