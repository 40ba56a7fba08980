package storetest

import (
	"strings"

	"tandem/store"
)

// metadataTests are about annotations (RFC 5464).
var metadataTests = map[string]func(*fixture){
	"metadata is set, read and removed": testMetadata,
	"metadata of the server":            testServerMetadata,
	"metadata goes with its mailbox":    testMetadataGoes,
	"metadata stays with INBOX":         testMetadataInbox,
	"metadata has a quota":              testMetadataQuota,
}

func (f *fixture) annotate(by store.Actor, at store.MailboxID, pairs ...string) error {
	var list []store.MetadataEntry
	for i := 0; i < len(pairs); i += 2 {
		list = append(list, store.MetadataEntry{Name: pairs[i], Value: []byte(pairs[i+1]), Unset: pairs[i+1] == "-"})
	}
	return f.SetMetadata(f.ctx(), by, at, list)
}

// annotations words what an actor sees.
func (f *fixture) annotations(by store.Actor, at store.MailboxID) string {
	f.Helper()
	list, err := f.Metadata(f.ctx(), by, at)
	f.must(err)
	var b strings.Builder
	for _, e := range list {
		b.WriteString(e.Name + "=" + string(e.Value) + " ")
	}
	return strings.TrimSpace(b.String())
}

func (f *fixture) bobActor() store.Actor { return store.Actor{Account: f.bob, Protocol: "imap"} }

func testMetadata(f *fixture) {
	f.equal("at first", f.annotations(f.by, f.inbox), "")
	f.must(f.annotate(f.by, f.inbox, "/shared/comment", "a\x00b", "/private/b", "", "/private/a", "1"))
	f.equal("set", f.annotations(f.by, f.inbox), "/private/a=1 /private/b= /shared/comment=a\x00b")
	f.must(f.annotate(f.by, f.inbox, "/private/a", "2", "/private/b", "-", "/private/none", "-"))
	f.equal("changed", f.annotations(f.by, f.inbox), "/private/a=2 /shared/comment=a\x00b")
	f.reopen()
	f.equal("kept", f.annotations(f.by, f.inbox), "/private/a=2 /shared/comment=a\x00b")
	f.wantKind(f.annotate(f.bobActor(), f.inbox, "/private/a", "x"), store.NotFound)
	_, err := f.Metadata(f.ctx(), f.bobActor(), f.inbox)
	f.wantKind(err, store.NotFound)
}

func testServerMetadata(f *fixture) {
	f.must(f.annotate(f.by, 0, "/private/x", "mine"))
	f.wantKind(f.annotate(f.by, 0, "/private/y", "1", "/shared/motd", "hello"), store.Forbidden)
	f.equal("all or none", f.annotations(f.by, 0), "/private/x=mine")
	yes := true
	f.must(f.UpdateAccount(f.ctx(), f.bob, store.AccountUpdate{Admin: &yes}))
	f.must(f.annotate(f.bobActor(), 0, "/shared/motd", "hello"))
	f.equal("alice sees", f.annotations(f.by, 0), "/private/x=mine /shared/motd=hello")
	f.equal("bob sees", f.annotations(f.bobActor(), 0), "/shared/motd=hello")
}

func testMetadataGoes(f *fixture) {
	id := f.create("a")
	f.must(f.annotate(f.by, id, "/shared/x", "1"))
	f.must(f.RenameMailbox(f.ctx(), f.by, id, "b", 0))
	f.equal("renamed", f.annotations(f.by, id), "/shared/x=1")
	f.must(f.DeleteMailbox(f.ctx(), f.by, id))
	_, err := f.Metadata(f.ctx(), f.by, id)
	f.wantKind(err, store.NotFound)
	f.wantKind(f.annotate(f.by, id, "/shared/x", "1"), store.NotFound)
	f.equal("made anew", f.annotations(f.by, f.create("b")), "")
}

// testMetadataInbox: INBOX keeps its annotations when it is renamed, and the new
// mailbox has them too.
func testMetadataInbox(f *fixture) {
	f.must(f.annotate(f.by, f.inbox, "/shared/comment", "c", "/private/a", "1"))
	f.must(f.RenameMailbox(f.ctx(), f.by, f.inbox, "Old", 0))
	f.equal("of INBOX", f.annotations(f.by, f.inbox), "/private/a=1 /shared/comment=c")
	f.equal("of the new one", f.annotations(f.by, f.named("Old").ID), "/private/a=1 /shared/comment=c")
}

func testMetadataQuota(f *fixture) {
	value := strings.Repeat("v", store.MetadataValue)
	n := 0
	var err error
	for ; err == nil && n < 100; n++ {
		err = f.annotate(f.by, f.inbox, "/private/n"+string(rune('a'+n)), value)
	}
	f.wantKind(err, store.Limit)
	if want := store.MetadataTotal / store.MetadataValue; n != want {
		f.Errorf("the value %d was refused, want %d", n, want)
	}
	f.must(f.annotate(f.by, f.inbox, "/private/na", "-"))
	f.must(f.annotate(f.by, f.inbox, "/private/na", "short"))
	f.must(f.annotate(f.bobActor(), 0, "/private/na", value))
}
