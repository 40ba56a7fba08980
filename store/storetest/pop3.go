package storetest

import (
	"fmt"
	"strings"

	"tandem/store"
	"tandem/store/message"
)

// quit runs a POP3 UPDATE state on alice's INBOX.
func (f *fixture) quit(deleted, seen store.UIDSet, policy store.DeletePolicy) {
	f.Helper()
	by := f.by
	by.Protocol = "pop3"
	f.must(errOf(f.Quit(f.ctx(), by, f.inbox, store.Quit{Deleted: deleted, Seen: seen, Policy: policy})))
}

// uidlOf gives the UIDL of an entry as a maildrop shows it.
func (f *fixture) uidlOf(id store.MailboxID, uid store.UID) string {
	f.Helper()
	own, err := f.UIDLs(f.ctx(), id)
	f.must(err)
	if s := own[uid]; s != "" {
		return s
	}
	return store.DefaultUIDL(f.StoreID(), f.entry(id, uid).Message)
}

// imported inserts a message that brings a UIDL along.
func (f *fixture) imported(id store.MailboxID, uidl string) store.UID {
	f.Helper()
	out, err := f.Insert(f.ctx(), f.by, []store.Insertion{{Mailbox: id, Body: bodyOf(f.text()), UIDL: uidl}}, true, 0)
	f.must(err)
	return out[0].UID
}

func (f *fixture) copy(from, to store.MailboxID, uid store.UID, move bool) store.UID {
	f.Helper()
	got, err := f.Copy(f.ctx(), f.by, from, to, set(uid), move, 0)
	f.must(err)
	return got.Dest[0].Start
}

var pop3Tests = map[string]func(*fixture){
	"UIDLs of another server": func(f *fixture) {
		f.put(f.inbox, 5, 0)
		other := f.imported(f.inbox, "taken")
		set := func(list ...store.NewUIDL) string {
			out, err := f.SetUIDLs(f.ctx(), f.by, f.inbox, list)
			f.must(err)
			var kinds []string
			for _, err := range out {
				kind := "set"
				if err != nil {
					kind = fmt.Sprint(store.KindOf(err))
				}
				kinds = append(kinds, kind)
			}
			return strings.Join(kinds, " ")
		}
		long := strings.Repeat("x", 70)
		got := set(store.NewUIDL{UID: 1, UIDL: "old.1"}, store.NewUIDL{UID: 2, UIDL: long}, store.NewUIDL{UID: 3, UIDL: long + "x"},
			store.NewUIDL{UID: 3, UIDL: "a b"}, store.NewUIDL{UID: 3, UIDL: ""}, store.NewUIDL{UID: 3, UIDL: "taken"}, store.NewUIDL{UID: 3, UIDL: "old.1"},
			store.NewUIDL{UID: 99, UIDL: "x"}, store.NewUIDL{UID: 3, UIDL: f.StoreID() + "1"})
		f.equal("outcomes", got, fmt.Sprint("set set ", store.Invalid, " ", store.Invalid, " ", store.Invalid, " ", store.Exists, " ", store.Exists, " ",
			store.Expunged, " ", store.Invalid))
		f.equal("first", f.uidlOf(f.inbox, 1), "old.1")
		f.equal("again, and another one", set(store.NewUIDL{UID: 1, UIDL: "old.1"}, store.NewUIDL{UID: 1, UIDL: "old.one"}), "set set")
		f.equal("another one", f.uidlOf(f.inbox, 1), "old.one")
		// What a device has listed keeps its UIDL.
		f.must(f.NoteListings(f.ctx(), []store.Listing{{Mailbox: f.inbox, Credential: f.device("phone").Credential, Next: 4, Time: f.now()}}))
		was := f.uidlOf(f.inbox, 3)
		f.equal("after a listing", set(store.NewUIDL{UID: 3, UIDL: "old.3"}, store.NewUIDL{UID: 4, UIDL: "old.4"}, store.NewUIDL{UID: 1, UIDL: "old.one"}),
			fmt.Sprint(store.Forbidden, " set set"))
		f.equal("third", f.uidlOf(f.inbox, 3), was)
		// It goes along, and is not given to another message meanwhile.
		to := f.copy(f.inbox, f.named("Archive").ID, 4, true)
		f.equal("where it went", f.uidlOf(f.named("Archive").ID, to), "old.4")
		f.equal("while it is away", set(store.NewUIDL{UID: 5, UIDL: "old.4"}), fmt.Sprint(store.Exists))
		f.equal("the other one", f.uidlOf(f.inbox, other), "taken")
	},
	"the downgraded form goes with the message": func(f *fixture) {
		body := bodyOf("Subject: \u00fc\r\n\r\ntext\r\n")
		body.UTF8 = true
		body.Downgrade = []message.Edit{{Off: 9, Len: 2, New: []byte("ue")}, {Off: 14, Len: 0, New: []byte("!")}}
		plain := bodyOf("Subject: \u00fc\r\n\r\ntext\r\n")
		prefix := "Delivered-To: \u00fc\r\nX: y\r\n"
		out, err := f.Insert(f.ctx(), f.by, []store.Insertion{{Mailbox: f.inbox, Body: body, Prefix: []byte(prefix)}, {Mailbox: f.inbox, Body: plain}}, true, 0)
		f.must(err)
		want := int64(len("X: y\r\nSubject: ue\r\n!\r\ntext\r\n"))
		sizes, err := f.DowngradedSizes(f.ctx(), f.inbox)
		f.must(err)
		f.equal("sizes", fmt.Sprint(sizes), fmt.Sprintf("map[%d:%d]", out[0].UID, want))
		archive := f.named("Archive").ID
		to := f.copy(f.inbox, archive, out[0].UID, true)
		sizes, err = f.DowngradedSizes(f.ctx(), archive)
		f.must(err)
		f.equal("size where it went", sizes[to], want)
		for m, err := range f.Messages(f.ctx(), []store.MessageID{out[0].Message, out[1].Message}, store.Want{}) {
			f.must(err)
			edits, err := f.Downgrade(f.ctx(), m)
			f.must(err)
			if m.ID == out[0].Message {
				f.equal("size by its edits", message.EditedSize(m.Size, edits), want)
			} else {
				f.equal("edits of a plain one", len(edits), 0)
			}
		}
	},
	"quit under trash moves to the mailbox for it": func(f *fixture) {
		f.put(f.inbox, 4, 0)
		f.published()
		f.quit(set(1, 3, 9), set(2, 3), store.DeleteTrash)
		f.wantUIDs(f.inbox, "2,4")
		trash := f.named("Trash")
		f.wantUIDs(trash.ID, "1:2")
		f.equal("mark", f.entry(trash.ID, 2).Flags, store.FlagPOP3Trashed)
		f.equal("seen", f.entry(f.inbox, 2).Flags, store.FlagSeen)
		if n := len(f.published()); n != 3 {
			f.Fatalf("%d changes published, want those of Trash, INBOX, flags", n)
		}
		back := f.copy(trash.ID, f.inbox, 1, true)
		f.equal("moved back", f.entry(f.inbox, back).Flags, 0)
		f.must(errOf(f.SetFlags(f.ctx(), f.by, trash.ID, store.FlagsChange{UIDs: set(2), Op: store.FlagsReplace, Flags: store.FlagSeen}, 0)))
		f.equal("mark after STORE", f.entry(trash.ID, 2).Flags, store.FlagPOP3Trashed|store.FlagSeen)
	},
	"the mark of POP3 stays in the trash, for many messages too": func(f *fixture) {
		f.put(f.inbox, 100, store.FlagFlagged)
		f.quit(store.AllUIDs(), nil, store.DeleteTrash)
		trash := f.named("Trash").ID
		f.equal("in the trash", f.entry(trash, 77).Flags, store.FlagFlagged|store.FlagPOP3Trashed)
		f.must(errOf(f.Copy(f.ctx(), f.by, trash, f.inbox, store.AllUIDs(), true, 0)))
		f.equal("moved back", f.entry(f.inbox, 177).Flags, store.FlagFlagged)
	},
	"quit makes the trash when there is none": func(f *fixture) {
		f.put(f.inbox, 2, 0)
		f.must(f.DeleteMailbox(f.ctx(), f.by, f.named("Trash").ID))
		f.quit(nil, nil, store.DeleteTrash)
		f.quit(set(7), nil, store.DeleteTrash)
		_, err := f.MailboxByName(f.ctx(), f.alice, "Trash")
		f.wantKind(err, store.NotFound)
		f.quit(set(1), nil, store.DeleteTrash)
		f.equal("use", f.named("Trash").Use, store.UseTrash)
		f.wantUIDs(f.named("Trash").ID, "1")
	},
	"quit in the trash itself expunges": func(f *fixture) {
		trash := f.named("Trash")
		f.put(trash.ID, 2, 0)
		f.must(errOf(f.Quit(f.ctx(), f.by, trash.ID, store.Quit{Deleted: set(1), Policy: store.DeleteTrash})))
		f.wantUIDs(trash.ID, "2")
	},
	"quit under expunge": func(f *fixture) {
		f.put(f.inbox, 3, 0)
		f.quit(set(1, 2), set(3), store.DeleteExpunge)
		f.wantUIDs(f.inbox, "3")
		f.equal("trash", f.named("Trash").Messages, 0)
		f.equal("unseen", f.row(f.inbox).Unseen, 0)
	},
	"quit under keep hides from the device alone": func(f *fixture) {
		f.put(f.inbox, 3, 0)
		before := f.row(f.inbox)
		f.published()
		f.quit(set(1, 3), nil, store.DeleteKeep)
		f.quit(set(3), nil, store.DeleteKeep)
		f.equal("row", f.row(f.inbox), before)
		f.equal("published", len(f.published()), 0)
		hidden, err := f.Hidden(f.ctx(), f.inbox, f.by.Credential)
		f.must(err)
		f.equal("hidden", hidden, []store.MessageID{f.entry(f.inbox, 1).Message, f.entry(f.inbox, 3).Message})
		hidden, err = f.Hidden(f.ctx(), f.inbox, 77)
		f.must(err)
		f.equal("another device", len(hidden), 0)
		hidden, err = f.Hidden(f.ctx(), f.named("Trash").ID, f.by.Credential)
		f.must(err)
		f.equal("another mailbox", len(hidden), 0)
	},
	"quit with an unknown policy does nothing": func(f *fixture) {
		f.put(f.inbox, 1, 0)
		f.wantKind(errOf(f.Quit(f.ctx(), f.by, f.inbox, store.Quit{Deleted: set(1), Policy: "burn"})), store.Invalid)
		f.wantUIDs(f.inbox, "1")
	},
	"a UIDL belongs to the message and goes along": func(f *fixture) {
		f.put(f.inbox, 1, 0)
		to := f.create("to")
		first := f.uidlOf(f.inbox, 1)
		f.equal("derived", first, store.DefaultUIDL(f.StoreID(), f.entry(f.inbox, 1).Message))
		there := f.copy(f.inbox, to, 1, true)
		f.equal("moved", f.uidlOf(to, there), first)
		f.equal("moved back", f.uidlOf(f.inbox, f.copy(to, f.inbox, there, true)), first)
		f.reopen()
		f.equal("after reopening", f.uidlOf(f.inbox, 2), first)
	},
	"a second copy in the same maildrop has another UIDL": func(f *fixture) {
		f.put(f.inbox, 1, 0)
		to := f.create("to")
		second := f.copy(f.inbox, f.inbox, 1, false)
		away := f.copy(f.inbox, to, 1, false)
		third := f.copy(to, f.inbox, away, true)
		seen := map[string]bool{}
		for _, uid := range []store.UID{1, second, third} {
			seen[f.uidlOf(f.inbox, uid)] = true
		}
		f.equal("different UIDLs", len(seen), 3)
		moved := f.copy(f.inbox, f.inbox, 1, true)
		if seen[f.uidlOf(f.inbox, moved)] {
			f.equal("moved in place while copies are there", f.uidlOf(f.inbox, moved), "another one")
		}
	},
	"a message moved to its own maildrop keeps its UIDL": func(f *fixture) {
		f.put(f.inbox, 1, 0)
		first := f.uidlOf(f.inbox, 1)
		f.equal("moved", f.uidlOf(f.inbox, f.copy(f.inbox, f.inbox, 1, true)), first)
	},
	"imported UIDLs are kept when they can be": func(f *fixture) {
		f.equal("kept", f.uidlOf(f.inbox, f.imported(f.inbox, "old-1")), "old-1")
		for _, bad := range []string{"old-1", "with space", "", string(make([]byte, 71)), f.StoreID() + "1"} {
			uid := f.imported(f.inbox, bad)
			f.equal("replaced", f.uidlOf(f.inbox, uid), store.DefaultUIDL(f.StoreID(), f.entry(f.inbox, uid).Message))
		}
		f.equal("in another maildrop", f.uidlOf(f.named("Sent").ID, f.imported(f.named("Sent").ID, "old-1")), "old-1")
	},
	"a UIDL of the past is not given to another message": func(f *fixture) {
		uid := f.imported(f.inbox, "old-1")
		_, err := f.Expunge(f.ctx(), f.by, f.inbox, set(uid), false)
		f.must(err)
		if again := f.imported(f.inbox, "old-1"); f.uidlOf(f.inbox, again) == "old-1" {
			f.Fatal("the UIDL of an expunged message came back for another")
		}
	},
	"a copy that would repeat a UIDL gets another": func(f *fixture) {
		sent := f.named("Sent").ID
		f.imported(f.inbox, "same")
		other := f.imported(sent, "same")
		uid := f.copy(sent, f.inbox, other, true)
		got := f.uidlOf(f.inbox, uid)
		if got == "same" || len(got) > 70 {
			f.Fatalf("UIDL %q", got)
		}
		f.reopen()
		f.equal("after reopening", f.uidlOf(f.inbox, uid), got)
		f.equal("moved back", f.uidlOf(sent, f.copy(f.inbox, sent, uid, true)), "same")
	},
	"quit does all or nothing": func(f *fixture) {
		f.put(f.inbox, 2, 0)
		before := f.load(f.inbox)
		by := f.by
		by.Account = f.bob
		f.wantKind(errOf(f.Quit(f.ctx(), by, f.inbox, store.Quit{Deleted: set(1), Seen: set(2), Policy: store.DeleteExpunge})), store.NotFound)
		f.equal("mailbox", f.load(f.inbox), before)
	},
}

// errOf drops a result.
func errOf[T any](_ T, err error) error { return err }
