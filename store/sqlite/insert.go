package sqlite

import (
	"context"
	"math"
	"slices"

	"tandem/store"
)

// Insert puts messages into mailboxes in one transaction.
func (e *Engine) Insert(ctx context.Context, by store.Actor, list []store.Insertion, atomic bool, maxKeywords int) ([]store.Inserted, error) {
	if err := e.space.check(ctx, "store a message"); err != nil {
		return nil, err
	}
	bytes := 0
	for i := range list {
		bytes += len(list[i].Prefix) + len(list[i].Body.Header) + len(list[i].Body.Text)
	}
	var out []store.Inserted
	err := e.write(ctx, "store a message", bytes, func(t *tx) error {
		if err := e.space.take("store a message", bytes); err != nil {
			return err
		}
		in := &inserter{tx: t, by: by, maxKeywords: maxKeywords, bodies: map[*store.Body]store.BodyID{}, into: map[store.MailboxID]*store.Change{}}
		out = make([]store.Inserted, len(list))
		for i := range list {
			p, err := in.prepare(&list[i])
			if err == nil {
				out[i], err = in.insert(p)
				if err != nil {
					return err
				}
				continue
			}
			if atomic || !isVerdict(err) {
				return err
			}
			out[i].Err = err
		}
		return in.finish()
	})
	return out, err
}

// isVerdict tells a reason of ours from a failure of the database.
func isVerdict(err error) bool {
	_, ours := err.(*store.Error)
	return ours
}

// inserter is one run of Insert.
type inserter struct {
	*tx
	by          store.Actor
	maxKeywords int
	bodies      map[*store.Body]store.BodyID
	into        map[store.MailboxID]*store.Change
	order       []*store.Change
}

// prepared is an insertion that nothing but the database can fail any more.
type prepared struct {
	*store.Insertion
	mailbox *mailboxRow
	flags   store.FlagSet
	all     []string // the account's keywords if they grew
	size    int64
}

func (in *inserter) prepare(i *store.Insertion) (*prepared, error) {
	m, err := in.mailbox(in.by, i.Mailbox, store.RightInsert)
	if err != nil {
		return nil, err
	}
	p := &prepared{Insertion: i, mailbox: m, size: i.Body.Size + int64(len(i.Prefix))}
	if p.size > math.MaxUint32 {
		return nil, store.Errorf(store.TooBig, "a message has at most 4 GiB")
	}
	if m.UIDNext == math.MaxUint32 {
		return nil, store.Errorf(store.Limit, "the mailbox %q has used up its UIDs", m.Name)
	}
	if err := in.checkBody(i.Body); err != nil {
		return nil, err
	}
	a, err := in.account(m.ID.Account())
	if err != nil {
		return nil, err
	}
	if err := in.fits(in.by, a, p.size, 1); err != nil {
		return nil, err
	}
	have, err := rightsOn(in.conn, in.by, m.ID)
	if err != nil {
		return nil, err
	}
	// RFC 4314 section 4: flags that may not be set are left out.
	keywords := i.Keywords
	if !have.Has(store.RightWrite) {
		keywords = nil
	}
	p.flags, p.all, err = in.keywords(m.ID.Account(), keywords, true, in.maxKeywords)
	p.flags.Bits |= i.Flags & store.SystemFlags & have.Flags()
	return p, err
}

// checkBody refuses a body whose bytes are not those its size speaks of.
func (in *inserter) checkBody(b *store.Body) error {
	if _, known := in.bodies[b]; known {
		return nil
	}
	text := int64(len(b.Text))
	if b.Stored != 0 {
		r, _, err := in.first("SELECT sum(length(data)) FROM chunk WHERE id >= ? AND id < ?", b.Stored, int64(b.Stored)+bodyStride)
		if err != nil {
			return err
		}
		text = r.int(0)
	}
	if int64(len(b.Header))+text != b.Size {
		return store.Errorf(store.Invalid, "a message of %d octets came with %d", b.Size, int64(len(b.Header))+text)
	}
	return nil
}

func (in *inserter) insert(p *prepared) (store.Inserted, error) {
	m := p.mailbox
	a, err := in.account(m.ID.Account())
	if err != nil {
		return store.Inserted{}, err
	}
	c := in.into[m.ID]
	if c == nil {
		if _, err := in.draw(m); err != nil {
			return store.Inserted{}, err
		}
		c = in.change(m)
		in.into[m.ID] = c
		in.order = append(in.order, c)
	}
	if p.all != nil {
		c.Keywords = p.all
	}
	id := store.MessageID(a.id.FirstMessage() | a.nextMessage)
	a.nextMessage++
	a.dirty = true
	if err := in.insertMessage(p, id); err != nil {
		return store.Inserted{}, err
	}
	uid, err := in.takeUIDs(m, 1)
	if err != nil {
		return store.Inserted{}, err
	}
	e := store.Entry{UID: uid, Size: uint32(p.size), Message: id, ModSeq: c.ModSeq, Flags: p.flags.Bits,
		Internal: store.ClampTime(p.Internal), Saved: store.ClampTime(in.now)}
	if err := in.insertEntry(m.ID, &e, p.flags.More); err != nil {
		return store.Inserted{}, err
	}
	m.count(e.Flags, p.size, 1)
	c.Added = append(c.Added, e)
	if p.flags.More != "" {
		if c.More == nil {
			c.More = map[store.UID]string{}
		}
		c.More[uid] = p.flags.More
	}
	return store.Inserted{UID: uid, UIDValidity: m.UIDValidity, Message: id}, in.remember(p, id)
}

func (t *tx) insertEntry(id store.MailboxID, e *store.Entry, more string) error {
	_, err := t.exec(`INSERT INTO entry (mailbox, uid, message, modseq, flags, saved, size, internal, more_keywords)
		VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?)`, id, e.UID, e.Message, e.ModSeq, e.Flags, e.Saved, e.Size, e.Internal, moreValue(more))
	return err
}

// moreValue is a bitmap as stored: NULL for none.
func moreValue(more string) any {
	if more == "" {
		return nil
	}
	return []byte(more)
}

func (in *inserter) insertMessage(p *prepared, id store.MessageID) error {
	body, err := in.storeBody(p.Body, id)
	if err != nil {
		return err
	}
	thread, err := in.thread(id.Account(), p.Body)
	if err != nil {
		return err
	}
	var prefix, prefixCRC any
	if len(p.Prefix) > 0 {
		prefix, prefixCRC = p.Prefix, crc(p.Prefix)
	}
	_, err = in.exec(`INSERT INTO message (id, body, size, header_size, internal, emailid, threadid, structure_crc, structure, prefix_crc, prefix)
		VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?)`, id, body, p.size, len(p.Body.Header), store.ClampTime(p.Internal),
		randomText(idAlphabet, 16), thread, crc(p.Body.Structure), notNull(p.Body.Structure), prefixCRC, prefix)
	if err != nil {
		return err
	}
	return in.insertDowngrade(p, id)
}

// notNull keeps an empty blob from becoming NULL.
func notNull(b []byte) []byte {
	if b == nil {
		return []byte{}
	}
	return b
}

// storeBody stores a body once for all insertions that share it. first is the
// id of the message it is stored for.
func (in *inserter) storeBody(b *store.Body, first store.MessageID) (store.BodyID, error) {
	if id, ok := in.bodies[b]; ok {
		return id, nil
	}
	id, shared, err := in.claimBody(b, first)
	if err != nil {
		return 0, err
	}
	in.bodies[b] = id
	if shared {
		return id, nil
	}
	_, err = in.exec("INSERT INTO body (id, size, digest, header_crc, header) VALUES (?, ?, ?, ?, ?)",
		id, b.Size, b.Digest[:], crc(b.Header), notNull(b.Header))
	if err != nil || b.Stored != 0 {
		return id, err
	}
	return id, in.writeChunks(id, 0, chunksOf(b.Text))
}

// claimBody gives the id to store a body under; shared if an earlier verb has
// stored it already.
func (in *inserter) claimBody(b *store.Body, first store.MessageID) (id store.BodyID, shared bool, err error) {
	switch {
	case b.Stored == 0 && len(b.Text) <= store.ChunkSize:
		return store.BodyID(first), false, nil
	case b.Stored == 0: // its chunks need more ids than the message has
		id, err = in.newBodyID()
		return id, false, err
	}
	n, err := in.exec("DELETE FROM staged WHERE body = ?", b.Stored)
	if err != nil || n > 0 {
		return b.Stored, false, err
	}
	shared, err = in.exists("SELECT 1 FROM body WHERE id = ?", b.Stored)
	if err == nil && !shared {
		err = store.Errorf(store.NotFound, "no body %d was begun", b.Stored)
	}
	return b.Stored, shared, err
}

func chunksOf(text []byte) (list [][]byte) {
	for len(text) > 0 {
		n := min(len(text), store.ChunkSize)
		list = append(list, text[:n])
		text = text[n:]
	}
	return list
}

// remember writes what an import wants known later.
func (in *inserter) remember(p *prepared, id store.MessageID) error {
	if p.ImportKey != "" {
		if _, err := in.exec("INSERT OR IGNORE INTO import_ledger (account, key) VALUES (?, ?)", id.Account(), p.ImportKey); err != nil {
			return err
		}
	}
	if !in.goodUIDL(p.UIDL) {
		return nil
	}
	taken, err := in.uidlTaken(p.mailbox.ID, p.UIDL, id)
	if err != nil || taken {
		return err
	}
	_, err = in.exec("INSERT INTO message_uidl (message, uidl) VALUES (?, ?)", id, p.UIDL)
	return err
}

// finish writes a journal row for each mailbox.
func (in *inserter) finish() error {
	for _, c := range in.order {
		var uids store.UIDSet
		for i := range c.Added {
			uids.Add(c.Added[i].UID)
		}
		err := in.journal(in.by, c.Mailbox.ID.Account(), record{verb: "insert", mailbox: c.Mailbox.ID, modseq: c.ModSeq, uids: uids})
		if err != nil {
			return err
		}
	}
	return nil
}

// ImportSeen reports which keys an account's import ledger has.
func (e *Engine) ImportSeen(ctx context.Context, account store.AccountID, keys []string) (map[string]bool, error) {
	seen := map[string]bool{}
	for page := range slices.Chunk(keys, 256) {
		err := e.read(ctx, "read the import ledger", func(c *conn) error {
			for _, key := range page {
				ok, err := c.exists("SELECT 1 FROM import_ledger WHERE account = ? AND key = ?", account, key)
				if err != nil {
					return err
				}
				if ok {
					seen[key] = true
				}
			}
			return nil
		})
		if err != nil {
			return nil, err
		}
	}
	return seen, nil
}
