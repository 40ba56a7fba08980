package store

import (
	"cmp"
	"context"
	"slices"
	"time"
)

// PastSession is what the journal tells of a session over IMAP or POP3, and of
// one that is open now. A session that is over and did nothing is in no journal.
type PastSession struct {
	Session  string
	Protocol string
	Remote   string
	By       *CredentialName // nil: no credential, or one of a removed account
	Began    time.Time       // the login of one that is open, else its first act
	Last     time.Time       // its last act, zero if there was none
	Open     bool
	Undone   bool // what it deleted was brought back by Undo

	Fetched int // messages that it read or downloaded
	Moved   int
	Deleted int          // expunged, or deleted over POP3 whatever the policy
	Policy  DeletePolicy // of its QUIT, "" if it deleted nothing over POP3
	Acts    []SessionAct // the last maxActs of them, the oldest first

	credential CredentialID
}

// maxActs bounds what is kept of a session that did very much.
const maxActs = 1000

// SessionAct is one row of the journal, as a session's.
type SessionAct struct {
	Time      time.Time
	Verb      string
	Mailbox   string // its name, "" when it is gone and nobody knows it
	UIDs      UIDSet
	Other     string // where OtherUIDs are
	OtherUIDs UIDSet
	Detail    string
}

// Sessions lists an account's sessions that did something at since or later, and
// those that are open, the latest first.
func (s *Store) Sessions(ctx context.Context, account AccountID, since time.Time) ([]*PastSession, error) {
	names, err := s.engine.MailboxNames(ctx, account)
	if err != nil {
		return nil, err
	}
	g := gathering{names: names, found: map[string]*PastSession{}, undone: map[string]bool{}}
	for r, err := range s.engine.Journal(ctx, account, JournalQuery{Backward: true, ByClients: true}) {
		if err != nil {
			return nil, err
		}
		if r.Time.Before(since) {
			break
		}
		g.add(r)
	}
	for _, open := range s.OpenSessions(account) {
		g.addOpen(open)
	}
	return g.list, s.nameSessions(ctx, g.list)
}

// gathering puts sessions together from rows, the latest first.
type gathering struct {
	names  map[MailboxID]string
	found  map[string]*PastSession
	list   []*PastSession
	undone map[string]bool
}

func (g *gathering) add(r *JournalRow) {
	if r.Verb == "undo" {
		g.undone[r.Detail] = true
	}
	if r.Session == "" || r.Protocol != "imap" && r.Protocol != "pop3" {
		return
	}
	p := g.found[r.Session]
	if p == nil {
		p = &PastSession{Session: r.Session, Protocol: r.Protocol, Remote: r.Remote, Last: r.Time, credential: r.Credential,
			Undone: g.undone[r.Session]}
		g.found[r.Session] = p
		g.list = append(g.list, p)
	}
	p.Began = r.Time
	if len(p.Acts) < maxActs {
		p.Acts = append(p.Acts, SessionAct{r.Time, r.Verb, g.names[r.Mailbox], r.UIDs, g.names[r.Other], r.OtherUIDs, r.Detail}) // the latest first, for now
	}
	switch n := r.UIDs.Len(); r.Verb {
	case "read":
		p.Fetched += n
	case "move", "rename":
		p.Moved += n
	case "expunge", "delete":
		p.Deleted += n
	case "quit":
		p.Deleted += n
		if n > 0 {
			p.Policy = r.Policy
		}
	}
}

func (g *gathering) addOpen(o OpenSession) {
	p := g.found[o.Session]
	if p == nil {
		p = &PastSession{Session: o.Session, Protocol: o.Protocol, Remote: o.Remote, credential: o.Credential}
		g.list = append(g.list, p)
	}
	p.Open, p.Began = true, o.Began
}

// nameSessions names the credentials and puts the sessions in order.
func (s *Store) nameSessions(ctx context.Context, list []*PastSession) error {
	ids := make([]CredentialID, len(list))
	for i, p := range list {
		ids[i] = p.credential
	}
	names, err := s.engine.CredentialNames(ctx, ids)
	for _, p := range list {
		slices.Reverse(p.Acts)
		if name, ok := names[p.credential]; ok {
			p.By = &name
		}
	}
	slices.SortStableFunc(list, func(a, b *PastSession) int {
		return cmp.Or(b.Began.Compare(a.Began), cmp.Compare(a.Session, b.Session))
	})
	return err
}
