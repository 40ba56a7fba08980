package sqlite

import (
	"context"

	"tandem/store"
)

// SetFlags changes flags of entries. Rows that would not change keep their
// modseq; those changed later than UnchangedSince are left alone and told.
func (e *Engine) SetFlags(ctx context.Context, by store.Actor, id store.MailboxID, change store.FlagsChange, maxKeywords int) (store.FlagsResult, error) {
	rows, err := e.rowsIn(ctx, id, change.UIDs)
	if err != nil {
		return store.FlagsResult{}, err
	}
	var res store.FlagsResult
	err = e.writeBulk(ctx, "change flags", rows, func(t *tx) error {
		m, err := t.mailbox(by, id, 0)
		if err != nil {
			return err
		}
		have, err := rightsOn(t.conn, by, id)
		if err != nil {
			return err
		}
		may, err := mayFlag(have, change)
		if err != nil {
			return err
		}
		res, err = t.setSomeFlags(m, may, have.Flags(), maxKeywords)
		if err != nil || len(res.Changed) == 0 {
			return err
		}
		var uids store.UIDSet
		for i := range res.Changed {
			uids.Add(res.Changed[i].UID)
		}
		return t.journal(by, id.Account(), record{verb: "flags", mailbox: id, modseq: res.ModSeq, uids: uids, detail: flagsDetail(change)})
	})
	return res, err
}

// mayFlag takes out of a change what the rights do not allow. It is Forbidden
// when nothing is left (RFC 4314 section 4, STORE).
func mayFlag(have store.Rights, c store.FlagsChange) (store.FlagsChange, error) {
	asked := c.Flags&store.SystemFlags != 0 || len(c.Keywords) > 0
	c.Flags &= have.Flags()
	if !have.Has(store.RightWrite) {
		c.Keywords = nil
	}
	left := c.Flags&store.SystemFlags != 0 || len(c.Keywords) > 0
	if have.Flags() == 0 || asked && !left && c.Op != store.FlagsReplace {
		return c, store.Errorf(store.Forbidden, "none of these flags may be changed with the rights %q on the mailbox", have)
	}
	return c, nil
}

// flagRule is what a SetFlags does to one entry's flags.
type flagRule struct {
	op  store.FlagOp
	set store.FlagSet
	may store.Flags // a replacement leaves the others alone
}

// apply gives the new flags of an entry. The statements of updateRange say
// the same for entries without keywords beyond the 55th.
func (r flagRule) apply(f store.FlagSet) store.FlagSet {
	switch r.op {
	case store.FlagsReplace:
		set, keep := r.set, store.FlagPOP3Trashed|^r.may
		set.Bits = set.Bits&^keep | f.Bits&keep
		if keep&store.FlagMore != 0 {
			set.More = f.More
		}
		return set
	case store.FlagsRemove:
		f.Bits &^= r.set.Bits &^ store.FlagMore
		return mergeMore(f, r.set.More, false)
	default:
		f.Bits |= r.set.Bits &^ store.FlagMore
		return mergeMore(f, r.set.More, true)
	}
}

// mergeMore sets or clears the keywords of a bitmap in f.
func mergeMore(f store.FlagSet, bitmap string, on bool) store.FlagSet {
	for i := range len(bitmap) * 8 {
		if bitmap[i/8]&(1<<(i%8)) != 0 {
			f = f.With(store.InlineKeywords+i, on)
		}
	}
	return f
}

// flagRow is an entry as SetFlags reads it.
type flagRow struct {
	uid    store.UID
	modseq store.ModSeq
	flags  store.FlagSet
}

func (t *tx) setFlags(m *mailboxRow, change store.FlagsChange, maxKeywords int) (store.FlagsResult, error) {
	return t.setSomeFlags(m, change, store.AllRights.Flags(), maxKeywords)
}

// setSomeFlags does a change of which only the flags in may are left; what it
// replaces are these too.
func (t *tx) setSomeFlags(m *mailboxRow, change store.FlagsChange, may store.Flags, maxKeywords int) (res store.FlagsResult, err error) {
	uids := clip(change.UIDs, m.UIDNext)
	rows, err := t.flagRows(m, uids)
	if err != nil {
		return res, err
	}
	eligible := rows[:0]
	for _, r := range rows {
		if change.UnchangedSince != nil && r.modseq > *change.UnchangedSince {
			res.Modified.Add(r.uid)
			continue
		}
		eligible = append(eligible, r)
	}
	if len(eligible) == 0 {
		return res, nil
	}
	set, all, err := t.keywords(m.ID.Account(), change.Keywords, change.Op != store.FlagsRemove, maxKeywords)
	if err != nil {
		return res, err
	}
	set.Bits |= change.Flags & store.SystemFlags
	rule := flagRule{change.Op, set, may}
	for _, r := range eligible {
		f := rule.apply(r.flags)
		if f == r.flags {
			continue
		}
		m.countFlags(r.flags.Bits, -1)
		m.countFlags(f.Bits, 1)
		res.Changed = append(res.Changed, store.FlagChange{UID: r.uid, Flags: f, Previous: r.modseq})
	}
	if len(res.Changed) == 0 && all == nil {
		return res, nil
	}
	if len(res.Changed) > 0 {
		if res.ModSeq, err = t.draw(m); err != nil {
			return res, err
		}
		if err := t.updateFlags(m, uids, rule, change.UnchangedSince, res); err != nil {
			return res, err
		}
	}
	c := t.change(m)
	c.Flags, c.Keywords = res.Changed, all
	return res, nil
}

func (t *tx) flagRows(m *mailboxRow, uids store.UIDSet) (rows []flagRow, err error) {
	rows = make([]flagRow, 0, min(uids.Len(), m.Messages))
	for _, r := range uids {
		err := t.query("SELECT uid, modseq, flags, more_keywords FROM entry WHERE mailbox = ? AND uid BETWEEN ? AND ?", func(r row) error {
			rows = append(rows, flagRow{store.UID(r.int(0)), store.ModSeq(r.int(1)), store.FlagSet{Bits: store.Flags(r.int(2)), More: string(r.blob(3))}})
			return nil
		}, m.ID, r.Start, r.Stop)
		if err != nil {
			return nil, err
		}
	}
	return rows, nil
}

// rowByRow is up to how many changed entries are written one at a time.
const rowByRow = 64

// updateFlags writes res.Changed: one by one when they are few, have keywords
// beyond the 55th or keep some of the flags replaced, else by the range.
func (t *tx) updateFlags(m *mailboxRow, uids store.UIDSet, rule flagRule, since *store.ModSeq, res store.FlagsResult) error {
	whole := rule.op != store.FlagsReplace || rule.may == store.AllRights.Flags()
	if len(res.Changed) > rowByRow && len(uids) < len(res.Changed) && rule.set.More == "" && whole {
		return t.updateRanges(m, uids, rule, since, res)
	}
	for i := range res.Changed {
		c := &res.Changed[i]
		_, err := t.exec("UPDATE entry SET flags = ?, more_keywords = ?, modseq = ? WHERE mailbox = ? AND uid = ?",
			c.Flags.Bits, moreValue(c.Flags.More), res.ModSeq, m.ID, c.UID)
		if err != nil {
			return err
		}
	}
	return nil
}

// The statements that do what flagRule.apply does. ?1 flags, ?2 the new
// modseq, ?3 mailbox, ?4 and ?5 UIDs, ?6 the UNCHANGEDSINCE. 32 is
// FlagPOP3Trashed; a row with keywords beyond the 55th has a flag bit that a
// replacing ?1 lacks.
const (
	addFlags = `UPDATE entry SET flags = flags | ?1, modseq = ?2
		WHERE mailbox = ?3 AND uid BETWEEN ?4 AND ?5 AND flags & ?1 <> ?1 AND modseq <= ?6`
	removeFlags = `UPDATE entry SET flags = flags & ~?1, modseq = ?2
		WHERE mailbox = ?3 AND uid BETWEEN ?4 AND ?5 AND flags & ?1 <> 0 AND modseq <= ?6`
	replaceFlags = `UPDATE entry SET flags = ?1 | (flags & 32), more_keywords = NULL, modseq = ?2
		WHERE mailbox = ?3 AND uid BETWEEN ?4 AND ?5 AND flags <> ?1 | (flags & 32) AND modseq <= ?6`
)

func (t *tx) updateRanges(m *mailboxRow, uids store.UIDSet, rule flagRule, since *store.ModSeq, res store.FlagsResult) error {
	sql := map[store.FlagOp]string{store.FlagsAdd: addFlags, store.FlagsRemove: removeFlags, store.FlagsReplace: replaceFlags}[rule.op]
	limit := res.ModSeq // above all there are
	if since != nil {
		limit = *since
	}
	var sum int64
	for _, r := range uids {
		n, err := t.exec(sql, rule.set.Bits, res.ModSeq, m.ID, r.Start, r.Stop, limit)
		if err != nil {
			return err
		}
		sum += n
	}
	if sum != int64(len(res.Changed)) {
		return store.Errorf(store.Internal, "change flags: %d rows changed, want %d", sum, len(res.Changed))
	}
	return nil
}

// flagsDetail is the change as the journal has it.
func flagsDetail(c store.FlagsChange) string {
	sign := [...]string{store.FlagsAdd: "+", store.FlagsRemove: "-", store.FlagsReplace: "="}[c.Op]
	return sign + flagNames(c.Flags, c.Keywords)
}
