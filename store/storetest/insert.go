package storetest

import (
	"bytes"
	"crypto/sha256"
	"fmt"
	"math/rand/v2"
	"strings"

	"tandem/store"
	"tandem/store/message"
)

var insertTests = map[string]func(*fixture){
	"inserted bytes come back as they were, prefix first": func(f *fixture) {
		text, prefix := f.text(), "Return-Path: <x@example.org>\r\n"
		out, err := f.Insert(f.ctx(), f.by, []store.Insertion{{Mailbox: f.inbox, Body: bodyOf(text), Prefix: []byte(prefix),
			Flags: store.FlagSeen, Internal: f.now()}}, true, 0)
		f.must(err)
		f.equal("uid", out[0].UID, 1)
		f.equal("bytes", f.served(out[0].Message), prefix+text)
		row := f.row(f.inbox)
		f.equal("uidvalidity", out[0].UIDValidity, row.UIDValidity)
		f.equal("counters", fmt.Sprint(row.Messages, row.Unseen, row.Deleted, row.Bytes, row.UIDNext), fmt.Sprint(1, 0, 0, len(prefix)+len(text), 2))
		e := f.entry(f.inbox, 1)
		f.equal("entry", e, store.Entry{UID: 1, Size: uint32(len(prefix) + len(text)), Message: out[0].Message, ModSeq: row.HighestModSeq,
			Flags: store.FlagSeen, Internal: uint32(f.now().Unix()), Saved: uint32(f.now().Unix())})
		for m, err := range f.Messages(f.ctx(), []store.MessageID{e.Message}, store.Want{Structure: true}) {
			f.must(err)
			if m.Size != int64(e.Size) || m.PrefixSize != len(prefix) || m.HeaderSize != strings.Index(text, "\r\n\r\n")+4 || m.Internal != e.Internal {
				f.Fatalf("message %+v", m)
			}
			_, err := message.Decode(m.Structure)
			f.must(err)
		}
	},
	"an insertion is published as it is stored": func(f *fixture) {
		f.published()
		f.put(f.inbox, 2, store.FlagDeleted, "k1")
		list := f.published()
		f.equal("changes", len(list), 1)
		c := list[0]
		x := f.load(f.inbox)
		f.equal("row", c.Mailbox, x.Mailbox)
		f.equal("entries", c.Added, x.Entries)
		f.equal("modseq", c.ModSeq, x.Mailbox.HighestModSeq)
		f.equal("keywords", c.Keywords, []string{"k1"})
	},
	"messages that end in the header or have none are kept": func(f *fixture) {
		for _, text := range []string{"", "\r\n", "Subject: x\r\n\r\n", "Subject: x", "\r\ntext only"} {
			out, err := f.Insert(f.ctx(), f.by, []store.Insertion{{Mailbox: f.inbox, Body: bodyOf(text)}}, true, 0)
			f.must(err)
			f.equal("bytes", f.served(out[0].Message), text)
		}
	},
	"a delivery to several is one body, each with its prefix": func(f *fixture) {
		bobs, err := f.MailboxByName(f.ctx(), f.bob, "INBOX")
		f.must(err)
		text := f.text()
		b := bodyOf(text)
		out, err := f.Insert(f.ctx(), store.Actor{Protocol: "lmtp"}, []store.Insertion{
			{Mailbox: f.inbox, Body: b, Prefix: []byte("Delivered-To: alice\r\n")},
			{Mailbox: bobs.ID, Body: b, Prefix: []byte("Delivered-To: bob\r\n")},
		}, false, 0)
		f.must(err)
		f.equal("alice's", f.served(out[0].Message), "Delivered-To: alice\r\n"+text)
		f.equal("bob's", f.served(out[1].Message), "Delivered-To: bob\r\n"+text)
		var bodies []store.BodyID
		for m, err := range f.Messages(f.ctx(), []store.MessageID{out[0].Message, out[1].Message}, store.Want{}) {
			f.must(err)
			bodies = append(bodies, m.Body)
		}
		f.equal("bodies", bodies[0], bodies[1])
	},
	"one failed recipient fails alone, unless all must hold": func(f *fixture) {
		list := []store.Insertion{{Mailbox: f.inbox, Body: bodyOf(f.text())}, {Mailbox: f.inbox + 99, Body: bodyOf(f.text())},
			{Mailbox: f.inbox, Body: bodyOf(f.text()), Keywords: []string{"a", "b", "c"}}}
		out, err := f.Insert(f.ctx(), f.admin, list, false, 2)
		f.must(err)
		f.must(out[0].Err)
		f.wantKind(out[1].Err, store.NotFound)
		f.wantKind(out[2].Err, store.Limit)
		f.wantUIDs(f.inbox, "1")
		kw, err := f.Keywords(f.ctx(), f.alice)
		f.must(err)
		f.equal("keywords", kw, []string(nil))
		f.published()
		_, err = f.Insert(f.ctx(), f.admin, list, true, 0)
		f.wantKind(err, store.NotFound)
		f.wantUIDs(f.inbox, "1")
		f.equal("published", len(f.published()), 0)
	},
	"a large body comes in chunks": func(f *fixture) {
		header := "Subject: large\r\n\r\n"
		text := randomText(3*store.ChunkSize + 1000)
		id, err := f.NewBody(f.ctx())
		f.must(err)
		f.must(f.WriteChunks(f.ctx(), id, 0, [][]byte{text[:store.ChunkSize], text[store.ChunkSize : 2*store.ChunkSize]}))
		f.must(f.WriteChunks(f.ctx(), id, 2, [][]byte{text[2*store.ChunkSize : 3*store.ChunkSize], text[3*store.ChunkSize:]}))
		b := stored(id, header, text)
		out, err := f.Insert(f.ctx(), f.admin, []store.Insertion{{Mailbox: f.inbox, Body: b}}, true, 0)
		f.must(err)
		f.equal("bytes", sha256.Sum256([]byte(f.served(out[0].Message))), b.Digest)
		_, err = f.ReadChunk(f.ctx(), id, 4)
		f.wantKind(err, store.Corrupt)
		f.must(f.DropBody(f.ctx(), id)) // too late: it is used
		f.equal("bytes", len(f.served(out[0].Message)), int(b.Size))
	},
	"a text in memory beyond one chunk is kept too": func(f *fixture) {
		b := bodyOf("Subject: x\r\n\r\n" + string(randomText(store.ChunkSize+10)))
		out, err := f.Insert(f.ctx(), f.admin, []store.Insertion{{Mailbox: f.inbox, Body: b}, {Mailbox: f.inbox, Body: bodyOf(f.text())}}, true, 0)
		f.must(err)
		f.equal("bytes", sha256.Sum256([]byte(f.served(out[0].Message))), b.Digest)
	},
	"a body given up is freed, also by reopening": func(f *fixture) {
		for _, free := range []func(store.BodyID){
			func(id store.BodyID) { f.must(f.DropBody(f.ctx(), id)) },
			func(store.BodyID) { f.reopen() },
		} {
			id, err := f.NewBody(f.ctx())
			f.must(err)
			for n := range 20 {
				f.must(f.WriteChunks(f.ctx(), id, n, [][]byte{[]byte("chunk")}))
			}
			free(id)
			_, err = f.ReadChunk(f.ctx(), id, 0)
			f.wantKind(err, store.Expunged)
			f.wantKind(f.WriteChunks(f.ctx(), id, 0, [][]byte{{1}}), store.NotFound)
		}
	},
	"a body that is not what its size says is refused": func(f *fixture) {
		b := bodyOf(f.text())
		b.Size++
		_, err := f.Insert(f.ctx(), f.by, []store.Insertion{{Mailbox: f.inbox, Body: b}}, true, 0)
		f.wantKind(err, store.Invalid)
	},
	"replies join the thread of what they refer to": func(f *fixture) {
		insert := func(id string, refs ...string) string {
			b := bodyOf(f.text())
			b.MessageID, b.References = id, refs
			out, err := f.Insert(f.ctx(), f.by, []store.Insertion{{Mailbox: f.inbox, Body: b}}, true, 0)
			f.must(err)
			m := f.message(out[0].Message)
			return m.ThreadID
		}
		first := insert("1@x")
		f.equal("reply", insert("2@x", "1@x"), first)
		f.equal("reply to the reply", insert("3@x", "1@x", "2@x"), first)
		other := insert("4@x")
		if other == first {
			f.Fatal("a message without references joined a thread")
		}
		f.equal("the newest reference counts", insert("5@x", "1@x", "4@x"), other)
		late := insert("7@x", "6@x")
		f.equal("the original comes after the reply", insert("6@x"), late)
		f.equal("the same message again", insert("1@x"), first)
		if one, two := insert(""), insert(""); one == two {
			f.Fatal("messages without ids share a thread")
		}
	},
	"ids are random and differ": func(f *fixture) {
		f.put(f.inbox, 50, 0)
		seen := map[string]bool{}
		for m, err := range f.Messages(f.ctx(), messageIDs(f.load(f.inbox)), store.Want{}) {
			f.must(err)
			if len(m.EmailID) < 8 || len(m.ThreadID) < 8 || seen[m.EmailID] {
				f.Fatalf("message %+v", m)
			}
			seen[m.EmailID] = true
		}
	},
	"keys of an import are remembered": func(f *fixture) {
		_, err := f.Insert(f.ctx(), f.by, []store.Insertion{{Mailbox: f.inbox, Body: bodyOf(f.text()), ImportKey: "k1"}}, true, 0)
		f.must(err)
		_, err = f.Expunge(f.ctx(), f.by, f.inbox, store.AllUIDs(), false)
		f.must(err)
		seen, err := f.ImportSeen(f.ctx(), f.alice, []string{"k1", "k2"})
		f.must(err)
		f.equal("seen", seen, map[string]bool{"k1": true})
		seen, err = f.ImportSeen(f.ctx(), f.bob, []string{"k1"})
		f.must(err)
		f.equal("bob's", len(seen), 0)
	},
	"messages are given in the order asked, those gone left out": func(f *fixture) {
		f.put(f.inbox, 700, 0)
		ids := messageIDs(f.load(f.inbox))
		want := append([]store.MessageID{}, ids...)
		rand.New(rand.NewPCG(1, 2)).Shuffle(len(want), func(i, j int) { want[i], want[j] = want[j], want[i] })
		for _, list := range [][]store.MessageID{ids, want, ids[:3], {ids[5], ids[5]}} {
			asked := append([]store.MessageID{ids[699] + 5}, list...)
			var got []store.MessageID
			for m, err := range f.Messages(f.ctx(), append(asked, ids[699]+1000), store.Want{Header: true, Text: true}) {
				f.must(err)
				got = append(got, m.ID)
			}
			f.equal("ids", got, list)
		}
	},
	"reading messages holds no statement while the caller writes": func(f *fixture) {
		f.put(f.inbox, 600, 0)
		n := 0
		for m, err := range f.Messages(f.ctx(), messageIDs(f.load(f.inbox)), store.Want{Header: true}) {
			f.must(err)
			if n++; n%100 == 0 {
				f.put(f.inbox, 1, 0)
				f.served(m.ID)
			}
		}
		f.equal("messages", n, 600)
	},
	"pages of large messages are bounded": func(f *fixture) {
		for range 40 {
			text := "Subject: x\r\n\r\n" + strings.Repeat("x", 200<<10)
			_, err := f.Insert(f.ctx(), f.by, []store.Insertion{{Mailbox: f.inbox, Body: bodyOf(text)}}, true, 0)
			f.must(err)
		}
		n := 0
		for m, err := range f.Messages(f.ctx(), messageIDs(f.load(f.inbox)), store.Want{Header: true, Text: true}) {
			f.must(err)
			f.equal("text", len(m.Text), 200<<10)
			n++
		}
		f.equal("messages", n, 40)
	},
	"an account's keywords are numbered without regard to case": func(f *fixture) {
		f.put(f.inbox, 1, 0, "$Junk", "Work")
		f.put(f.inbox, 1, 0, "$junk", "work", "more")
		kw, err := f.Keywords(f.ctx(), f.alice)
		f.must(err)
		f.equal("keywords", kw, []string{"$Junk", "Work", "more"})
		f.equal("flags", f.entry(f.inbox, 2).Flags, store.KeywordFlag(0)|store.KeywordFlag(1)|store.KeywordFlag(2))
	},
	"INTERNALDATE is kept as given, within what an entry holds": func(f *fixture) {
		for unix, want := range map[int64]uint32{1_000_000_000: 1_000_000_000, -5: 0, 1 << 40: 1<<32 - 1} {
			out, err := f.Insert(f.ctx(), f.by, []store.Insertion{{Mailbox: f.inbox, Body: bodyOf(f.text()), Internal: unixTime(unix)}}, true, 0)
			f.must(err)
			f.equal("internal", f.entry(f.inbox, out[0].UID).Internal, want)
			f.equal("internal", f.message(out[0].Message).Internal, want)
		}
	},
}

// message reads one message.
func (f *fixture) message(id store.MessageID) *store.Message {
	f.Helper()
	for m, err := range f.Messages(f.ctx(), []store.MessageID{id}, store.Want{}) {
		f.must(err)
		return m
	}
	f.Fatalf("message %d is gone", id)
	return nil
}

// randomText gives n octets of lines.
func randomText(n int) []byte {
	r := rand.New(rand.NewPCG(uint64(n), 7))
	out := make([]byte, n)
	for i := range out {
		out[i] = 'a' + byte(r.IntN(26))
	}
	for i := 70; i+1 < n; i += 72 {
		copy(out[i:], "\r\n")
	}
	return out
}

// stored is the body whose text was stored as chunks of id.
func stored(id store.BodyID, header string, text []byte) *store.Body {
	all := append([]byte(header), text...)
	return &store.Body{Header: []byte(header), Stored: id, Size: int64(len(all)), Digest: sha256.Sum256(all),
		Structure: message.Parse(bytes.Clone(all)).AppendBinary(nil)}
}
