package imapd

import (
	"context"

	"tandem/store"
)

// How much of a change is held at once while it is told.
const (
	runPage     = 64
	changedPage = 64
)

// tellChanges sends what changed in the selected mailbox since it was last
// told; expunge says whether EXPUNGE may be sent (RFC 3501 section 7.4.1).
// Expunges go first, so that the numbers of what follows are the new ones.
func (s *session) tellChanges(ctx context.Context, expunge bool) error {
	if err := s.tellRights(); err != nil {
		return err
	}
	heeded := s.heeded()
	expunge = expunge && (heeded&messageExpunge != 0 || s.expunged)
	s.tellLost(expunge)
	deleted := expunge && s.view.Loaded() && s.view.Deleted()
	d := s.view.Advance(store.Reach{Expunges: expunge, Flags: heeded&flagChange != 0, New: heeded&messageNew != 0})
	if deleted && s.view.Len() > 0 { // with its account, and not message by message
		return &goodbye{text: textDeleted}
	}
	s.tellKeywords()
	s.tellLeaving(&d)
	s.tellExpunges(&d)
	if d.Flags {
		s.tellFlags(&d)
	}
	if d.Grew {
		s.enc.Raw("* ").Num(uint64(d.Exists)).Raw(" EXISTS").CRLF()
		s.tellRecent()
		// Before ESEARCH, as RFC 5465 section 7 has it and servers do it;
		// section 5.2 has it the other way round (erratum 4833).
		if err := s.tellNew(ctx, &d); err != nil {
			return err
		}
	}
	s.tellLive(ctx, &d)
	s.tellDelayed()
	return ctx.Err()
}

// textDeleted is said with BYE when no EXPUNGE can tell it.
const textDeleted = "The mailbox was deleted"

// tellLost tells of a mailbox that was deleted before its index was loaded:
// there is no view to advance, and all that was announced is gone.
func (s *session) tellLost(expunge bool) {
	v := s.view
	if !expunge || v.emptied || v.Loaded() || !v.Deleted() {
		return
	}
	v.emptied = true
	if s.vanishes() { // the UIDs that VANISHED would tell are gone with it
		s.after = func(context.Context) error { return &goodbye{text: textDeleted} }
		return
	}
	for range v.Mailbox().Messages {
		s.enc.Raw("* 1 EXPUNGE").CRLF()
	}
}

// tellKeywords sends FLAGS again once the account has keywords that the
// client has not heard of (RFC 3501 section 7.2.6).
func (s *session) tellKeywords() {
	if n := len(s.view.Keywords()); n != s.view.keywords {
		s.view.keywords = n
		s.tellFlagNames()
	}
}

// tellFlagNames sends FLAGS and PERMANENTFLAGS; \* because keywords are made
// as they are used.
func (s *session) tellFlagNames() {
	v := s.view
	s.enc.Raw("* FLAGS ").Flags(v.flagNames()).CRLF()
	v.rights = v.Rights()
	may := v.rights.Flags()
	if v.readOnly || may == 0 {
		s.enc.Raw("* OK [PERMANENTFLAGS ()] Read-only mailbox").CRLF()
		return
	}
	permitted := v.namesOf(may)
	if v.rights.Has(store.RightWrite) {
		permitted = append(withKnown(permitted), `\*`)
	}
	s.enc.Raw("* OK [PERMANENTFLAGS ").Flags(permitted).Raw("] Flags permitted").CRLF()
}

// tellRights tells what other rights on the mailbox mean for its flags. Who may
// no longer read it hears no more of it: there is nothing in IMAP by which a
// server takes a selected mailbox away but the end of the connection.
func (s *session) tellRights() error {
	if s.view.isClosed() {
		return &goodbye{code: "NOPERM", text: "You may no longer read the selected mailbox"}
	}
	if s.view.Rights() != s.view.rights && !s.view.Deleted() {
		s.tellFlagNames()
	}
	return nil
}

func (s *session) tellExpunges(d *store.Delta) {
	if len(d.Gone) == 0 {
		return
	}
	if s.vanishes() {
		s.tellVanished("", wireSet(d.Gone))
		return
	}
	buf := make([]store.SeqRun, 0, min(runPage, len(d.Gone)))
	for i := 0; i < len(d.Gone); {
		page := s.view.Runs(d, i, buf[:0])
		i += len(page)
		for _, r := range page {
			for range r.Count { // each has the number of the one before it
				s.enc.Raw("* ").Num(uint64(r.Seq)).Raw(" EXPUNGE").CRLF()
			}
		}
		if s.enc.Err() != nil {
			return
		}
	}
}

// tellFlags sends the new flags of members that others, or POP3, changed. The
// UID is always in it: with UID commands it must be (RFC 3501 section 6.4.8).
func (s *session) tellFlags(d *store.Delta) {
	buf := make([]store.Member, 0, changedPage)
	modseq := s.enabled[condstore]
	for from := store.UID(1); ; {
		page := s.view.Changed(d, from, buf[:0])
		for i := range page {
			s.tellMember(&page[i], true, true, modseq)
		}
		if len(page) < cap(buf) || s.enc.Err() != nil {
			return
		}
		from = page[len(page)-1].UID + 1
	}
}

// tellMember sends one FETCH response with the items chosen. Where QRESYNC is
// spoken, what has MODSEQ has UID too (RFC 7162 section 3.2.4).
func (s *session) tellMember(m *store.Member, uid, flags, modseq bool) {
	s.beginFetch(m)
	if (uid || modseq) && !s.enabled[uidonly] {
		s.enc.Raw("UID ").Num(uint64(m.UID))
		if flags || modseq {
			s.enc.SP()
		}
	}
	if flags {
		s.view.writeFlags(s.enc, m)
		if modseq {
			s.enc.SP()
		}
	}
	if modseq {
		s.enc.Raw("MODSEQ (").Num(uint64(m.ModSeq)).Byte(')')
	}
	s.enc.Byte(')').CRLF()
}
