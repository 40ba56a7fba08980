package store

import (
	"cmp"
	"context"
	"errors"
	"log/slog"
	"slices"
	"strings"
	"sync"
	"time"
)

// Options are a store's settings; zero values mean the defaults given.
type Options struct {
	Domains       []string      // mail for x@domain may go to the account x; the host name belongs here too
	MessageSize   int64         // octets of one message, 0: no limit
	MaxMailboxes  int           // per account, 0: no limit
	MaxKeywords   int           // per account, 0: no limit
	IndexMemory   int64         // bytes for the indexes of mailboxes nobody has open; default 64 MiB
	KeepExpunged  time.Duration // how long expunged mail can be undeleted; default 14 days
	KeepJournal   time.Duration // how long the journal goes back; default 90 days
	ShowExpunged  bool          // show expunged mail in a mailbox Recently Deleted
	POP3Trash     time.Duration // how long Trash keeps what POP3 put there; 0: for ever
	KeepTrash     time.Duration // how long Trash keeps anything; 0: for ever
	KeepJunk      time.Duration // the same of Junk
	DeviceRetired time.Duration // for how long a POP3 device that is not used is waited for; default 90 days
	Searches      int           // at once per account; default 2
	SearchWait    time.Duration // how long a further one waits; default 60 s
	UpkeepEvery   time.Duration // default 30 s
	PruneEvery    time.Duration // default 10 min
	Logger        *slog.Logger
	Now           func() time.Time
	SearchTextMax int64  // decoded text looked at per message; default 8 MiB
	SharedAccount string // name of the account of mailboxes that are nobody's in particular; default "shared"
}

func (o *Options) setDefaults() {
	o.IndexMemory = cmp.Or(o.IndexMemory, 64<<20)
	o.KeepExpunged = cmp.Or(o.KeepExpunged, 14*24*time.Hour)
	o.KeepJournal = cmp.Or(o.KeepJournal, 90*24*time.Hour)
	o.DeviceRetired = cmp.Or(o.DeviceRetired, 90*24*time.Hour)
	o.Searches = cmp.Or(o.Searches, 2)
	o.SearchWait = cmp.Or(o.SearchWait, time.Minute)
	o.UpkeepEvery = cmp.Or(o.UpkeepEvery, 30*time.Second)
	o.PruneEvery = cmp.Or(o.PruneEvery, 10*time.Minute)
	o.SearchTextMax = cmp.Or(o.SearchTextMax, 8<<20)
	o.SharedAccount = strings.ToLower(cmp.Or(o.SharedAccount, "shared"))
	if o.Logger == nil {
		o.Logger = slog.New(slog.DiscardHandler)
	}
	if o.Now == nil {
		o.Now = time.Now
	}
}

// Store is what the front ends call. All methods may be used at once.
type Store struct {
	engine Engine
	opts   Options

	mu        sync.Mutex // guards the maps; taken before an index's mu, never after
	mailboxes map[MailboxID]*index
	keywords  map[AccountID][]string
	recent    map[MailboxID]UID // live values not yet written
	searches  map[AccountID]chan struct{}
	watches   map[AccountID]map[*Watch]bool
	sharing   map[MailboxID]map[*Watch]bool // those of other accounts that may know of it
	joining   map[*Watch]map[MailboxID]bool // those reading what is shared, with what has changed meanwhile

	idle int64 // bytes of the indexes that nobody has open; guarded by mu

	usesMu  sync.Mutex
	uses    map[CredentialID]CredentialUse
	listed  map[listingKey]Listing // not yet written
	written map[listingKey]UID     // Next of those that were

	sessionsMu sync.Mutex
	sessions   map[*OpenSession]bool
	revoked    map[CredentialID]bool // since the store was opened

	scram scramCache
	least leastDays

	short chan struct{} // told when mail was refused for want of space

	stop context.CancelFunc
	done sync.WaitGroup // upkeep and index loads
	ctx  context.Context
}

// Open makes a Store over an engine that nothing else uses, and starts its
// upkeep. Close closes both.
func Open(engine Engine, opts Options) *Store {
	opts.setDefaults()
	s := &Store{engine: engine, opts: opts,
		mailboxes: map[MailboxID]*index{}, keywords: map[AccountID][]string{},
		recent: map[MailboxID]UID{}, searches: map[AccountID]chan struct{}{},
		watches: map[AccountID]map[*Watch]bool{},
		uses:    map[CredentialID]CredentialUse{}, listed: map[listingKey]Listing{}, written: map[listingKey]UID{},
		sessions: map[*OpenSession]bool{}, revoked: map[CredentialID]bool{}, short: make(chan struct{}, 1)}
	s.ctx, s.stop = context.WithCancel(context.Background())
	engine.Start(s.publish)
	s.done.Go(s.upkeep)
	return s
}

// Close writes what was gathered and closes the engine. Views must be closed
// before.
func (s *Store) Close() error {
	s.stop()
	s.done.Wait()
	return errors.Join(s.flush(context.Background()), s.engine.Close())
}

// Health is nil while the store takes writes.
func (s *Store) Health() error { return s.engine.Health() }

// StoreID is the store's random id, part of derived UIDLs.
func (s *Store) StoreID() string { return s.engine.StoreID() }

// MessageSize is the largest message taken in, in octets; 0: any.
func (s *Store) MessageSize() int64 { return s.opts.MessageSize }

// SearchTextMax is how much decoded text of one message searches look at.
func (s *Store) SearchTextMax() int64 { return s.opts.SearchTextMax }

// Now is the store's clock.
func (s *Store) Now() time.Time { return s.opts.Now() }

// Check verifies the store; see UpkeepEngine.
func (s *Store) Check(ctx context.Context, repair bool, finding func(string)) error {
	return s.engine.Check(ctx, repair, finding)
}

// publish is called by the engine after each commit, in commit order. What one
// commit did to a mailbox is applied at once: each change has the row as it is
// after all of them, and a session that looked between two would take itself
// to have been told of the second.
func (s *Store) publish(changes []Change) {
	slices.SortStableFunc(changes, func(a, b Change) int { return cmp.Compare(a.Mailbox.ID, b.Mailbox.ID) })
	for len(changes) > 0 {
		id, n := changes[0].Mailbox.ID, 1
		for n < len(changes) && changes[n].Mailbox.ID == id {
			n++
		}
		s.publishTo(id, changes[:n])
		changes = changes[n:]
	}
}

// publishTo applies changes of one mailbox.
func (s *Store) publishTo(id MailboxID, changes []Change) {
	s.mu.Lock()
	for i := range changes {
		if len(changes[i].Keywords) > len(s.keywords[id.Account()]) { // they only become more
			s.keywords[id.Account()] = changes[i].Keywords
		}
	}
	x := s.mailboxes[id]
	s.mu.Unlock()
	if x != nil {
		x.publish(changes)
	}
	s.tellWatches(changes)
	s.warnOfQuotas(changes)
}

// Keywords lists an account's keywords; the index is the keyword's number.
// The slice must not be changed.
func (s *Store) Keywords(ctx context.Context, id AccountID) ([]string, error) {
	s.mu.Lock()
	list, ok := s.keywords[id]
	s.mu.Unlock()
	if ok {
		return list, nil
	}
	list, err := s.engine.Keywords(ctx, id)
	if err != nil {
		return nil, err
	}
	s.mu.Lock()
	defer s.mu.Unlock()
	if newer, ok := s.keywords[id]; ok && len(newer) > len(list) {
		return newer, nil
	}
	s.keywords[id] = list
	return list, nil
}

// BeginSearch waits for one of the account's places for searches; release
// gives it back. Limit if none gets free in time.
func (s *Store) BeginSearch(ctx context.Context, id AccountID) (release func(), err error) {
	s.mu.Lock()
	places := s.searches[id]
	if places == nil {
		places = make(chan struct{}, s.opts.Searches)
		s.searches[id] = places
	}
	s.mu.Unlock()
	wait := time.NewTimer(s.opts.SearchWait)
	defer wait.Stop()
	select {
	case places <- struct{}{}:
		return func() { <-places }, nil
	case <-ctx.Done():
		return nil, ctx.Err()
	case <-wait.C:
		return nil, Errorf(Limit, "%d searches of this account are running already", s.opts.Searches)
	}
}
