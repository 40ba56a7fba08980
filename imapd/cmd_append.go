package imapd

import (
	"context"
	"fmt"
	"io"

	"tandem/imapd/internal/wire"
	"tandem/store"
)

// RFC 3501 section 6.3.11; several messages at once are RFC 3502. The line is
// read as the work goes on, because messages are streamed into the store and
// what refuses them is to be known before they are asked for.
func appendCommand() command {
	return row("APPEND", loggedIn, readsOn, parseName, (*session).append)
}

// appendData is a form of message data other than a literal, named by a word
// (RFC 4466 section 2.7, append-data-ext).
type appendData struct {
	name string
	utf8 bool // the message is an internationalized one
	// read reads the value and writes the message to w.
	read func(ctx context.Context, s *session, d *wire.Decoder, w io.Writer) error
}

// What the messages of one APPEND may keep in memory until all are there.
// Beyond the first bound the text of further ones is stored ahead; the second
// is for what is left, headers and structures.
const (
	maxHeldText = 1 << 20
	maxHeld     = 4 << 20
)

// upload is the messages of one APPEND.
type upload struct {
	box     destination
	list    []store.Insertion
	ingests []*store.Ingest
	held    int // bytes in memory
	octets  int64
	adds    bool // to what is there: to be refused for its quota before it is sent
}

// close frees what the store has kept of messages that were not put anywhere.
func (u *upload) close() {
	for _, in := range u.ingests {
		in.Close()
	}
}

func (s *session) append(ctx context.Context, name string) error {
	box, err := s.destination(ctx, name)
	if err != nil {
		return err
	}
	up := &upload{box: box, adds: true}
	defer up.close()
	s.dec.SP()
	for {
		if err := s.appendOne(ctx, up); err != nil {
			return err
		}
		if !s.dec.TrySP() {
			break
		}
	}
	if err := s.dec.EOL(); err != nil {
		return err
	}
	return s.storeUpload(ctx, up)
}

// destination is a mailbox that messages are to go to.
type destination struct {
	store.Mailbox
	dark bool // the user may not read it, so is not told UIDs there (RFC 4315 section 3)
}

// destination finds the mailbox that messages are to go to. One that is
// missing could be made (RFC 3501 section 7.1, TRYCREATE).
func (s *session) destination(ctx context.Context, name string) (destination, error) {
	box, have, err := s.mailboxRights(ctx, name)
	if err == nil {
		err = have.Allow(store.RightInsert)
	}
	if err != nil && store.KindOf(err) == store.NotFound {
		err = no("TRYCREATE", "There is no such mailbox")
	}
	return destination{box, !have.Has(store.RightRead)}, err
}

// appendOne reads one message with its flags and date.
func (s *session) appendOne(ctx context.Context, up *upload) error {
	d := s.dec
	ins := store.Insertion{Mailbox: up.box.ID, Internal: s.srv.cfg.Store.Now()}
	if d.Next() == '(' {
		ins.Flags, ins.Keywords = splitFlags(d, d.Flags())
		d.SP()
	}
	if d.Next() == '"' {
		ins.Internal = d.DateTime()
		d.SP()
	}
	if err := d.Err(); err != nil {
		return err
	}
	if err := checkKeywords(ins.Keywords); err != nil {
		return err
	}
	if limit := s.srv.cfg.Limits.saveLimit(); limit > 0 && len(up.list) == limit {
		return no(limitCode(limit, 0), "More than %d messages at once", limit)
	}
	if up.held > maxHeld {
		s.limitHit("messages held")
		return no("LIMIT", "Too many messages at once")
	}
	in := s.srv.cfg.Store.NewIngest(ctx, s.srv.cfg.Store.MessageSize())
	if up.held > maxHeldText {
		in.StoreAhead()
	}
	up.ingests = append(up.ingests, in)
	if err := s.appendBytes(ctx, up, in); err != nil {
		return err
	}
	body, err := in.Finish()
	if err != nil {
		return err
	}
	if err := s.checkHeader(body.Header); err != nil {
		return err
	}
	ins.Body = body
	up.held += len(body.Header) + len(body.Text) + len(body.Structure)
	up.octets += body.Size
	up.list = append(up.list, ins)
	return nil
}

// appendBytes streams the message into the store.
func (s *session) appendBytes(ctx context.Context, up *upload, in *store.Ingest) error {
	d := s.dec
	if b := d.Next(); b != '{' && b != '~' {
		form, ok := find(d, s.srv.reg.appendData, "form of message")
		if !ok {
			return d.Err()
		}
		if form.utf8 {
			in.MarkUTF8()
		}
		return form.read(ctx, s, d, in)
	}
	m := d.Message()
	if err := d.Err(); err != nil {
		return err
	}
	if m.Size == 0 { // RFC 3502 section 6.3.11: the client has changed its mind
		return no("", "A message of no octets: nothing was stored")
	}
	if up.adds && !m.TooBig {
		// RFC 9208 section 4.3.1: what has no room need not be sent.
		if err := s.srv.cfg.Store.QuotaFor(ctx, s.actor, up.box.ID, up.octets+m.Size, int64(len(up.list))+1); err != nil {
			return err
		}
	}
	return s.copyMessage(m, in)
}

// copyMessage asks for a message literal and writes it to w, unless it is too
// big (RFC 7889 section 4).
func (s *session) copyMessage(m *wire.Message, w io.Writer) error {
	if m.TooBig {
		s.limitHit("message size")
		return no("TOOBIG", "The message is larger than %d octets", s.dec.Limits().Message)
	}
	r, err := m.Accept()
	if err != nil {
		return err
	}
	_, err = io.CopyBuffer(w, r, make([]byte, max(1, min(m.Size, 32<<10))))
	return err
}

// storeUpload puts the messages into the mailbox, all or none, and tells their
// UIDs (RFC 4315 section 3).
func (s *session) storeUpload(ctx context.Context, up *upload) error {
	done, err := s.srv.cfg.Store.Append(ctx, s.actor, up.list)
	if err != nil {
		if store.KindOf(err) == store.NotFound {
			return no("TRYCREATE", "The mailbox is gone")
		}
		return err
	}
	var uids wire.NumSet
	for i, d := range done {
		up.ingests[i].Used()
		uids.Add(uint32(d.UID))
		s.arrived(up.box.ID, store.UIDSet{{Start: d.UID, Stop: d.UID}})
	}
	if !up.box.dark {
		s.ok(fmt.Sprintf("APPENDUID %d %s", done[0].UIDValidity, uids), "APPEND completed")
	}
	if s.view != nil && s.view.ID() == up.box.ID {
		// RFC 3501 section 6.3.11: EXISTS comes with the answer, also when the
		// mailbox was selected only just now. Without it a UID MOVE of what
		// APPENDUID names would find no such message. The message is stored
		// whether or not the mailbox can be looked into.
		if err := s.loaded(ctx); err != nil {
			s.log.Warn("mailbox not loaded after APPEND", "err", err)
		}
	}
	return nil
}
