package imapd

import (
	"context"
	"fmt"
	"io"
	"maps"
	"slices"
	"strings"
	"testing"

	"tandem/imapd/internal/wire"
	"tandem/store"
)

// accessTry is a command that names a mailbox of another, and what it takes: %s
// is the name as a string, %n without quotes, %u as in a URL.
type accessTry struct {
	line string
	need func(have store.Rights) bool // OK with it, else NO [NOPERM]

	// hides: without what it takes, it does as if the mailbox were not there.
	hides bool

	above store.Rights // on the mailbox above it
}

// hasAll says that a command takes all of these rights.
func hasAll(t *testing.T, letters string) func(store.Rights) bool {
	need, err := store.ParseRights(letters)
	if err != nil {
		t.Fatal(err)
	}
	return func(have store.Rights) bool { return have.Has(need) }
}

// accessTries has every command that names a mailbox. A command that is new in
// the registry belongs here or in unnamedCommands.
func accessTries(t *testing.T) map[string][]accessTry {
	has := func(letters string) func(store.Rights) bool { return hasAll(t, letters) }
	annotate := func(have store.Rights) bool {
		return have.Has(store.RightLookup) && have&(store.RightRead|store.RightSeen|store.RightWrite|store.RightInsert|store.RightPost) != 0
	}
	one := func(line, need string) []accessTry { return []accessTry{{line: line, need: has(need)}} }
	tries := map[string][]accessTry{
		"SELECT": {{line: "SELECT %s", need: has("r")}, {line: "SELECT %s (QRESYNC (1 1))", need: has("r")},
			{line: "SELECT %s (CONDSTORE)", need: has("r")}},
		"EXAMINE":      one("EXAMINE %s", "r"),
		"STATUS":       one("STATUS %s (MESSAGES MAILBOXID SIZE DELETED-STORAGE APPENDLIMIT)", "r"),
		"CREATE":       one(`CREATE "%n/Sub"`, "k"),
		"DELETE":       one("DELETE %s", "x"),
		"RENAME":       {{line: `RENAME %s "Other Users/alice/Team/Moved"`, need: has("x"), above: store.RightCreate}},
		"APPEND":       {{line: "APPEND %s {4+}\r\na: 1", need: has("i")}, {line: `APPEND INBOX CATENATE (URL "%u/;UID=1")`, need: has("r"), hides: true}},
		"COPY":         one("COPY * %s", "i"),
		"UID COPY":     one("UID COPY * %s", "i"),
		"MOVE":         one("MOVE * %s", "i"),
		"UID MOVE":     one("UID MOVE * %s", "i"),
		"REPLACE":      one("REPLACE * %s {4+}\r\na: 1", "i"),
		"UID REPLACE":  one("UID REPLACE * %s {4+}\r\na: 1", "i"),
		"GETACL":       one("GETACL %s", "a"),
		"SETACL":       one("SETACL %s carol +l", "a"),
		"DELETEACL":    one("DELETEACL %s bob", "a"),
		"LISTRIGHTS":   one("LISTRIGHTS %s bob", "a"),
		"MYRIGHTS":     one("MYRIGHTS %s", ""),
		"GETQUOTAROOT": one("GETQUOTAROOT %s", "r"),
		"GETMETADATA":  {{line: "GETMETADATA %s /shared/comment", need: annotate}},
		"SETMETADATA": {{line: `SETMETADATA %s (/private/comment "x")`, need: annotate},
			{line: `SETMETADATA %s (/shared/comment "x")`, need: has("lw")}},
		"SUBSCRIBE":   {{line: "SUBSCRIBE %s", need: has(""), hides: true}},
		"UNSUBSCRIBE": {{line: "UNSUBSCRIBE %s", need: has(""), hides: true}},
		"LSUB":        {{line: `LSUB "" %s`, need: has(""), hides: true}},
		"LIST": {{line: `LIST "" %s`, need: has("l"), hides: true},
			{line: `LIST "" (%s) RETURN (STATUS (MESSAGES) MYRIGHTS METADATA (/shared/comment))`, need: has("l"), hides: true}},
		"ESEARCH": {{line: "ESEARCH IN (mailboxes %s) ALL", need: has("r"), hides: true},
			{line: "ESEARCH IN (subtree-one %s inboxes) UID 1:2 SUBJECT sesame", need: has("lr"), hides: true}},
		"NOTIFY": {{line: "NOTIFY SET STATUS (mailboxes %s (MessageNew MessageExpunge))", need: has("l"), hides: true}},
	}
	return tries
}

// unnamedCommands are those that name no mailbox; the selected one they find in
// the view.
func unnamedCommands() []string {
	return strings.Fields(`CAPABILITY NOOP LOGOUT ID ENABLE NAMESPACE STARTTLS LOGIN AUTHENTICATE COMPRESS UNAUTHENTICATE
		IDLE CHECK CLOSE UNSELECT EXPUNGE UID_EXPUNGE FETCH UID_FETCH STORE UID_STORE SEARCH UID_SEARCH SORT UID_SORT
		THREAD UID_THREAD UIDBATCHES CANCELUPDATE GETQUOTA SETQUOTA`)
}

// TestEveryCommandIsTriedAgainstRights: no command can be added without a word
// about the rights it needs.
func TestEveryCommandIsTriedAgainstRights(t *testing.T) {
	known := accessTries(t)
	for _, name := range unnamedCommands() {
		known[strings.ReplaceAll(name, "_", " ")] = nil
	}
	registered := newRegistry(extensions()).commands
	for name := range registered {
		if _, ok := known[name]; !ok {
			t.Errorf("%s: does it name a mailbox? It needs a line in accessTries or in unnamedCommands", name)
		}
	}
	for name := range known {
		if _, ok := registered[name]; !ok {
			t.Errorf("%s is not a command", name)
		}
	}
}

// playground is a mailbox of alice's that carol is given rights on.
type playground struct {
	*testServer
	alice, carol store.Actor
	box          store.MailboxID
}

const (
	playedOn = "Team/Box"
	absent   = "Team/Non"
)

func newPlayground(t *testing.T) *playground {
	p := &playground{testServer: startServer(t, nil)}
	p.alice, p.carol = actorOf(t, p.store, "alice"), actorOf(t, p.store, "carol")
	p.alice.Protocol, p.carol.Protocol = "imap", "imap"
	return p
}

func actorOf(t *testing.T, st *store.Store, name string) store.Actor {
	t.Helper()
	a, err := st.Account(t.Context(), name)
	if err != nil {
		t.Fatal(err)
	}
	return store.Actor{Account: a.ID, Protocol: "imap"}
}

// lay makes the mailbox anew, in it one message and a comment, and gives carol
// rights on it and on the one above.
func (p *playground) lay(t *testing.T, rights, onTeam store.Rights) {
	t.Helper()
	ctx, st := t.Context(), p.store
	list, err := st.Mailboxes(ctx, p.alice)
	if err != nil {
		t.Fatal(err)
	}
	for _, box := range slices.Backward(list) {
		if strings.HasPrefix(box.Name, "Team") {
			must(t, st.DeleteMailbox(ctx, p.alice, box.ID))
		}
	}
	made, err := st.CreateMailbox(ctx, p.alice, p.alice.Account, store.NewMailbox{Name: playedOn})
	must(t, err)
	above, err := st.Mailbox(ctx, p.alice, "Team")
	must(t, err)
	p.box = made.ID
	put(t, st, p.alice, p.box)
	must(t, st.SetMetadata(ctx, p.alice, p.box, []store.MetadataEntry{{Name: "/shared/comment", Value: []byte("sesame")}}))
	must(t, st.SetACL(ctx, p.alice, above.ID, "carol", onTeam, store.ACLSet))
	must(t, st.SetACL(ctx, p.alice, p.box, "carol", rights, store.ACLSet))
	inbox, err := st.Mailbox(ctx, p.carol, "INBOX")
	must(t, err)
	put(t, st, p.carol, inbox.ID)
}

func must(t *testing.T, err error) {
	t.Helper()
	if err != nil {
		t.Fatal(err)
	}
}

// put stores a message.
func put(t *testing.T, st *store.Store, by store.Actor, id store.MailboxID) {
	t.Helper()
	in := st.NewIngest(t.Context(), 0)
	_, err := in.Write([]byte("Subject: open sesame\r\n\r\n"))
	must(t, err)
	body, err := in.Finish()
	must(t, err)
	_, err = st.Append(t.Context(), by, []store.Insertion{{Mailbox: id, Body: body, Internal: st.Now()}})
	must(t, err)
	in.Used()
}

// answer has carol give a command about a mailbox of alice's, with INBOX
// selected, and gives all that is said to it, with another word for the name.
func (p *playground) answer(t *testing.T, line, name string) string {
	t.Helper()
	c := p.login(t, "carol")
	defer c.conn.Close()
	c.send("a ENABLE QRESYNC")
	for !strings.HasPrefix(c.line(), "a OK") {
	}
	c.send("b SELECT INBOX")
	for !strings.HasPrefix(c.line(), "b OK") {
	}
	full := othersPrefix + name
	line = strings.ReplaceAll(strings.ReplaceAll(line, "%s", `"`+full+`"`), "%n", full)
	c.send("t " + strings.ReplaceAll(line, "%u", "/"+strings.ReplaceAll(full, " ", "%20")))
	var said []string
	for {
		got := c.line()
		got = strings.ReplaceAll(strings.ReplaceAll(got, full, "NAME"), strings.ReplaceAll(full, " ", "%20"), "NAME")
		if strings.HasPrefix(got, "* LIST") && strings.Contains(got, `"Other Users`) && !strings.Contains(got, "NAME") {
			continue // a level above
		}
		said = append(said, got)
		if strings.HasPrefix(got, "t ") || strings.HasPrefix(got, "* BYE") {
			return strings.Join(said, "\n")
		}
	}
}

// TestRightsOfEveryCommand tries every command that names a mailbox against
// every right by itself, against all but what it takes, and against none.
func TestRightsOfEveryCommand(t *testing.T) {
	p := newPlayground(t)
	tries := accessTries(t)
	for _, name := range slices.Sorted(maps.Keys(tries)) {
		for _, try := range tries[name] {
			p.lay(t, 0, try.above)
			nothing := p.answer(t, try.line, "alice/"+absent)
			p.lay(t, 0, try.above)
			if got := p.answer(t, try.line, "nobody/"+absent); got != nothing {
				t.Errorf("%s: no such account: %s\nno such mailbox: %s", try.line, got, nothing)
			}
			for _, rights := range rightsToTry() {
				p.lay(t, rights, try.above)
				p.check(t, try, rights, p.answer(t, try.line, "alice/"+playedOn), nothing)
			}
		}
	}
}

// rightsToTry are none, all, each by itself, each with l and r, and all but each.
func rightsToTry() []store.Rights {
	list := []store.Rights{0, store.AllRights, store.RightLookup | store.RightRead}
	for r := store.Rights(1); r <= store.AllRights; r <<= 1 {
		list = append(list, r, r|store.RightLookup, r|store.RightRead|store.RightLookup, store.AllRights&^r)
	}
	return list
}

// check looks at what carol was told under some rights; nothing is what she is
// told of a mailbox that is not there.
func (p *playground) check(t *testing.T, try accessTry, rights store.Rights, got, nothing string) {
	t.Helper()
	where := fmt.Sprintf("%s with %q", try.line, rights)
	last := got[strings.LastIndexByte(got, '\n')+1:]
	allowed := rights.Visible() && try.need(rights)
	switch {
	case !rights.Visible(), !allowed && try.hides:
		if got != nothing {
			t.Errorf("%s: %s\nbut of what is not there: %s", where, got, nothing)
		}
	case allowed && !strings.HasPrefix(last, "t OK"):
		t.Errorf("%s: %s", where, got)
	case !allowed && !strings.HasPrefix(last, "t NO [NOPERM]"):
		t.Errorf("%s: %s; want NO [NOPERM]", where, got)
	}
	if !rights.Has(store.RightRead) && (strings.Contains(got, "MESSAGES 1") || strings.Contains(got, "EXISTS")) {
		t.Errorf("%s tells of messages: %s", where, got)
	}
	mayAnnotate := rights&(store.RightRead|store.RightSeen|store.RightWrite|store.RightInsert|store.RightPost) != 0
	if !(rights.Has(store.RightLookup) && mayAnnotate) && strings.Contains(got, "sesame") {
		t.Errorf("%s tells of annotations: %s", where, got)
	}
}

// TestRightsWithdrawn: a session that loses the right to read the mailbox it
// has selected gets no further with any command, but those that leave it.
func TestRightsWithdrawn(t *testing.T) {
	p := newPlayground(t)
	for name, cmd := range p.reg.commands {
		if cmd.states&selected == 0 || cmd.flags&noSync != 0 {
			continue
		}
		p.lay(t, store.RightRead, 0)
		c := p.login(t, "carol")
		c.send(`a SELECT "Other Users/alice/` + playedOn + `"`)
		for !strings.HasPrefix(c.line(), "a OK") {
		}
		must(t, p.store.DeleteACL(context.Background(), p.alice, p.box, "carol"))
		c.send("t " + name + " 1 (FLAGS BODY[])")
		if line := c.line(); !strings.HasPrefix(line, "t NO [NOPERM]") && !strings.HasPrefix(line, "* BYE") {
			t.Errorf("%s: %s", name, line)
		}
		_ = c.conn.Close()
	}
}

// TestOwnerRemoved: a mailbox that goes with its owner's account is not left open,
// neither in a session that waits nor in one that asks.
func TestOwnerRemoved(t *testing.T) {
	p := newPlayground(t)
	p.lay(t, store.RightRead, 0)
	idling, asking := p.login(t, "carol"), p.login(t, "carol")
	for _, c := range []*client{idling, asking} {
		c.send(`a SELECT "Other Users/alice/` + playedOn + `"`)
		for !strings.HasPrefix(c.line(), "a OK") {
		}
		c.send("b FETCH 1 UID")
		c.expect("* 1 FETCH (UID 1)")
		c.expect("b OK ...")
	}
	idling.send("c IDLE")
	idling.expect("+ idling")
	must(t, p.store.RemoveAccount(t.Context(), p.alice.Account))
	idling.expect("* BYE The mailbox was deleted")
	asking.send("c NOOP")
	asking.expect("c OK ...")
	asking.expect("* BYE The mailbox was deleted")
}

// TestOwnNameBeforeOthers: a mailbox of one's own that is called as others'
// are, from before, can still be used, and given another name.
func TestOwnNameBeforeOthers(t *testing.T) {
	p := newPlayground(t)
	shared := actorOf(t, p.store, "shared")
	theirs, err := p.store.CreateMailbox(t.Context(), shared, shared.Account, store.NewMailbox{Name: "Team"})
	must(t, err)
	must(t, p.store.SetACL(t.Context(), shared, theirs.ID, "alice", store.AllRights, store.ACLSet))
	own, err := p.store.CreateMailbox(t.Context(), p.alice, p.alice.Account, store.NewMailbox{Name: "Shared/Team"})
	must(t, err)
	c := p.login(t, "alice")
	c.send("a STATUS Shared/Team (MAILBOXID)")
	c.expect("* STATUS Shared/Team (MAILBOXID (" + own.MailboxID + "))")
	c.expect("a OK ...")
	c.send("b RENAME Shared Mine")
	c.expect("b OK ...")
	c.send("c STATUS Mine/Team (MAILBOXID)")
	c.expect("* STATUS Mine/Team (MAILBOXID (" + own.MailboxID + "))")
	c.expect("c OK ...")
	c.send("d STATUS Shared/Team (MAILBOXID)")
	c.expect("* STATUS Shared/Team (MAILBOXID (" + theirs.MailboxID + "))")
	c.expect("d OK ...")
}

// TestAccountsAreNotTold: no name tells whether there is such an account.
func TestAccountsAreNotTold(t *testing.T) {
	p := newPlayground(t)
	p.lay(t, 0, 0)
	for _, line := range []string{
		`CREATE "%n/a//b"`, `CREATE "%n/a%"`, `CREATE "%n/x` + strings.Repeat("/x", 40) + `"`, `CREATE "%n/x" (USE (\Sent))`, `CREATE %s`,
		`CREATE "%n/INBOX"`, `CREATE "%n/Recently Deleted/x"`, `RENAME "%n/INBOX" x`, `RENAME "%n/x" "%n/a//b"`, `DELETE "%n/INBOX"`,
		`SELECT "%n/a//b"`, `STATUS "%n/` + strings.Repeat("x", 300) + `" (MESSAGES)`, `SUBSCRIBE "%n/INBOX"`, `GETQUOTAROOT %s`,
		`APPEND "%n/a//b" {1+}` + "\r\nx", `SETMETADATA "%n/INBOX" (/shared/comment "x")`, `LIST "" "%n/%"`,
	} {
		if got, nothing := p.answer(t, line, "alice"), p.answer(t, line, "nobody"); got != nothing {
			t.Errorf("%s: %s\nwhere there is no account: %s", line, got, nothing)
		}
	}
}

// TestRightsWithdrawnInMidCommand: a FETCH that is answering stops.
func TestRightsWithdrawnInMidCommand(t *testing.T) {
	p := newPlayground(t)
	p.lay(t, store.RightRead, 0)
	for range 3 * pageSize {
		put(t, p.store, p.alice, p.box)
	}
	opened, err := p.store.View(t.Context(), p.carol, p.box)
	must(t, err)
	defer opened.Close()
	must(t, opened.Load(t.Context()))
	v := &view{View: opened}
	s := &session{srv: p.Server, view: v, enc: wire.NewEncoder(io.Discard), enabled: map[string]bool{}}
	told := 0
	f := newFetcher(t.Context(), s, &fetchArgs{ops: []fetchOp{{write: func(*fetcher, *fetched) error {
		if told++; told == 1 {
			must(t, p.store.DeleteACL(context.Background(), p.alice, p.box, "carol"))
		}
		return nil
	}}}})
	if err := f.run(v.everything()); store.KindOf(err) != store.Forbidden || told > pageSize {
		t.Errorf("%d messages were told, then: %v", told, err)
	}
}
