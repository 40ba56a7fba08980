package imapd

import (
	"bufio"
	"fmt"
	"math/rand/v2"
	"net"
	"slices"
	"strings"
	"testing"
	"time"

	"tandem/imapd/internal/wire"
	"tandem/store"
	"tandem/store/message"
)

// specimen is a message of the property test, and what is true of it.
type specimen struct {
	uid           int
	seen, flagged bool
	subject, word string
	size          int
}

// expression is a search program and its meaning.
type expression struct {
	text  string
	holds func(m specimen) bool
}

// randomExpression makes a program of all the levels of reading.
func randomExpression(r *rand.Rand, depth int) expression {
	n := r.IntN(10)
	if depth == 0 {
		n = r.IntN(7)
	}
	switch n {
	case 0:
		return expression{"SEEN", func(m specimen) bool { return m.seen }}
	case 1:
		return expression{"UNFLAGGED", func(m specimen) bool { return !m.flagged }}
	case 2:
		v := fmt.Sprintf("s%d", r.IntN(10))
		return expression{"SUBJECT " + v, func(m specimen) bool { return strings.Contains(m.subject, v) }}
	case 3:
		v := fmt.Sprintf("w%d", r.IntN(20))
		return expression{"BODY " + v, func(m specimen) bool { return strings.Contains(m.word, v) }}
	case 4:
		v := r.IntN(200)
		return expression{fmt.Sprintf("LARGER %d", v), func(m specimen) bool { return m.size > v }}
	case 5:
		from, to := 1+r.IntN(700), 1+r.IntN(700)
		return expression{fmt.Sprintf("UID %d:%d", from, to), func(m specimen) bool { return m.uid >= min(from, to) && m.uid <= max(from, to) }}
	case 6:
		v := fmt.Sprintf("s%d", r.IntN(10))
		return expression{"HEADER X-Copy " + v, func(m specimen) bool { return strings.Contains(m.subject, v) }}
	case 7:
		a := randomExpression(r, depth-1)
		return expression{"NOT " + a.text, func(m specimen) bool { return !a.holds(m) }}
	case 8:
		a, b := randomExpression(r, depth-1), randomExpression(r, depth-1)
		return expression{"OR " + a.text + " " + b.text, func(m specimen) bool { return a.holds(m) || b.holds(m) }}
	default:
		a, b := randomExpression(r, depth-1), randomExpression(r, depth-1)
		return expression{"(" + a.text + " " + b.text + ")", func(m specimen) bool { return a.holds(m) && b.holds(m) }}
	}
}

// TestSearchAgreesWithItsMeaning runs random programs over a mailbox of several
// pages and compares what is found with a plain evaluation.
func TestSearchAgreesWithItsMeaning(t *testing.T) {
	ts := startServer(t, nil)
	c := ts.login(t, "alice")
	r := rand.New(rand.NewPCG(7, 7))
	var all []specimen
	var batch strings.Builder
	for i := range 700 {
		m := specimen{uid: i + 1, seen: r.IntN(2) == 0, flagged: r.IntN(2) == 0, subject: fmt.Sprintf("s%d.", r.IntN(10)), word: fmt.Sprintf("w%d.", r.IntN(20))}
		text := fmt.Sprintf("Subject: %s\r\nX-Copy: %s\r\n\r\n%s %s", m.subject, m.subject, m.word, strings.Repeat("x", r.IntN(150)))
		m.size = len(text)
		all = append(all, m)
		var flags []string
		if m.seen {
			flags = append(flags, `\Seen`)
		}
		if m.flagged {
			flags = append(flags, `\Flagged`)
		}
		fmt.Fprintf(&batch, " (%s) {%d+}\r\n%s", strings.Join(flags, " "), len(text), text)
		if i%100 == 99 {
			c.raw("a APPEND INBOX" + batch.String() + "\r\n")
			c.expect("a OK ...")
			batch.Reset()
		}
	}
	c.send("b SELECT INBOX")
	drain(t, c.conn, "b OK")
	for range 150 {
		e := randomExpression(r, 4)
		want := "* SEARCH"
		count, least := 0, 0
		for _, m := range all {
			if e.holds(m) {
				want += fmt.Sprintf(" %d", m.uid)
				if count++; count == 1 {
					least = m.uid
				}
			}
		}
		c.send("c UID SEARCH " + e.text)
		if got := c.line(); got != want {
			t.Fatalf("%s\ngot  %s\nwant %s", e.text, got, want)
		}
		c.expect("c OK ...")
		c.send("d UID SEARCH RETURN (MIN) " + e.text)
		want = `* ESEARCH (TAG "d") UID`
		if count > 0 {
			want += fmt.Sprintf(" MIN %d", least)
		}
		if got := c.line(); got != want {
			t.Fatalf("RETURN (MIN) %s\ngot  %s\nwant %s", e.text, got, want)
		}
		c.expect("d OK ...")
	}
}

// TestSearchLimits: a program beyond the limits of limits.md is BAD.
func TestSearchLimits(t *testing.T) {
	ts := startServer(t, nil)
	c := ts.login(t, "alice")
	c.send("1 SELECT INBOX")
	drain(t, c.conn, "1 OK")
	for _, tt := range []struct {
		program, want string
	}{
		{strings.Repeat("ALL ", maxSearchKeys-1) + "ALL", "x OK ..."},
		{strings.Repeat("ALL ", maxSearchKeys) + "ALL", "x BAD More than 1000 search keys"},
		{strings.Repeat("NOT ", maxSearchNesting-1) + "ALL", "x OK ..."},
		{strings.Repeat("NOT ", maxSearchNesting) + "ALL", "x BAD Search keys nested deeper than 64"},
		{strings.Repeat("(", maxSearchNesting) + "ALL" + strings.Repeat(")", maxSearchNesting), "x BAD ... nested ..."},
	} {
		c.send("x SEARCH " + tt.program)
		if strings.HasPrefix(tt.want, "x OK") {
			c.expect("* SEARCH...")
		}
		c.expect(tt.want)
	}
}

// TestSearchEndsWithItsClient: a search ends when its client hangs up, long
// before it would by itself.
func TestSearchEndsWithItsClient(t *testing.T) {
	t.Run("alone", func(t *testing.T) { searchEndsWithItsClient(t, "", "2 OK") })
	t.Run("more sent behind", func(t *testing.T) { searchEndsWithItsClient(t, "3 NOOP\r\n", "3 OK") })
}

// searchEndsWithItsClient sends a search and something behind it; last is how
// the last answer begins.
func searchEndsWithItsClient(t *testing.T, behind, last string) {
	ts := startServer(t, func(cfg *Config) { cfg.Limits.Progress = 5 * time.Millisecond })
	fill(t, ts.store, "alice", 20_000)
	const search = "2 SEARCH BODY nowhere-1 NOT TEXT nowhere-2"
	begin := func() (conn net.Conn, ended chan struct{}) {
		client, server := net.Pipe()
		ended = make(chan struct{})
		go func() {
			defer close(ended)
			ts.Serve(t.Context(), server)
		}()
		in := make([]byte, 4096)
		for _, line := range []string{"0 LOGIN alice secret", "1 SELECT INBOX"} {
			for n, _ := client.Read(in); !strings.Contains(string(in[:n]), " OK "); n, _ = client.Read(in) {
			}
			_, _ = client.Write([]byte(line + "\r\n"))
		}
		for n, _ := client.Read(in); !strings.Contains(string(in[:n]), "\n1 OK "); n, _ = client.Read(in) {
		}
		_, _ = client.Write([]byte(search + "\r\n" + behind))
		return client, ended
	}
	start := time.Now()
	conn, _ := begin()
	drain(t, conn, last)
	_ = conn.Close()
	whole := time.Since(start)
	for range 5 { // the machine may be busy with other things
		conn, ended := begin()
		_ = conn.Close()
		start = time.Now()
		<-ended
		if took := time.Since(start); took < whole/2 {
			return
		}
	}
	t.Errorf("searches went on after their clients had left; one takes %v", whole)
}

func FuzzEnvelopeValue(f *testing.F) {
	f.Add([]byte("Subject: a \"b\\ c\r\nFrom: \"Q \\\"x\" <a@b>, grp: c@d;\r\nMessage-ID: <i@d>\r\n\r\n"))
	f.Add([]byte("(\"date\" {3}\r\nabc ((NIL NIL \"a\" \"b\")) NIL NIL NIL NIL NIL NIL \"<x>\")"))
	f.Add([]byte("Subject: caf\xc3\xa9\r\n\r\n"))
	f.Fuzz(func(t *testing.T, b []byte) {
		for field := envDate; field <= envMessageID; field++ {
			if v := envelopeValue(b, field); v != nil { // any bytes at all
				_ = appendValueText(nil, v, field.isAddresses())
			}
		}
		env := message.Parse(b).Envelope
		want, err := message.ParseEnvelope(env)
		if err != nil {
			t.Fatalf("%s: %v", env, err)
		}
		for field, text := range map[envelopeField]string{envSubject: want.Subject, envMessageID: want.MessageID, envInReplyTo: want.InReplyTo, envDate: want.Date} {
			if got := string(appendValueText(nil, envelopeValue(env, field), false)); got != text {
				t.Fatalf("field %d of %s is %q, want %q", field, env, got, text)
			}
		}
		for _, a := range want.From {
			got := string(appendValueText(nil, envelopeValue(env, envFrom), true))
			if !strings.Contains(got, a.Name) || !strings.Contains(got, a.Mailbox) || !strings.Contains(got, a.Host) {
				t.Fatalf("From of %s is %q", env, got)
			}
		}
	})
}

func FuzzFoldPlain(f *testing.F) {
	f.Add("A  b\t\r\n C\x00d")
	f.Fuzz(func(t *testing.T, s string) {
		if needsDecoding([]byte(s)) {
			return
		}
		if got, want := string(foldPlain(nil, []byte(s))), message.Fold(s); got != want {
			t.Fatalf("%q folds to %q, want %q", s, got, want)
		}
	})
}

// TestResolve: sets of numbers become ranges, however wide they are written.
func TestResolve(t *testing.T) {
	ts := startServer(t, nil)
	by := fill(t, ts.store, "alice", 10)
	ctx := t.Context()
	v := openInbox(t, ts.store, by)
	for _, uid := range []store.UID{2, 3, 10} {
		if _, err := v.SetFlags(ctx, store.FlagsChange{UIDs: store.UIDSet{{Start: uid, Stop: uid}}, Flags: store.FlagDeleted}); err != nil {
			t.Fatal(err)
		}
	}
	if _, err := v.Expunge(ctx, store.AllUIDs()); err != nil {
		t.Fatal(err)
	}
	v.Advance(store.Reach{Expunges: true, Flags: true, New: true}) // members are 1 4 5 6 7 8 9
	for _, tt := range []struct {
		set  string
		uid  bool
		want string // "BAD", or the UIDs
	}{
		{"1:*", false, "1:9"}, {"2:3,5", false, "4:5,7"}, {"*", false, "9"}, {"7:1", false, "1:9"},
		{"8", false, "BAD"}, {"1:4294967295", false, "BAD"},
		{"1:*", true, "1:9"}, {"*", true, "9"}, {"2:3", true, "2:3"}, {"400:*", true, "9"},
		{"400", true, ""}, {"1:4294967295", true, "1:9"},
	} {
		d := wire.NewDecoder(bufio.NewReader(strings.NewReader(tt.set+"\r\n")), wire.UserLimits(0), nil)
		if err := d.Begin(); err != nil {
			t.Fatal(err)
		}
		got, err := v.resolve(numbers{d.Set(), tt.uid})
		if bad := tt.want == "BAD"; bad != (err != nil) || !bad && got.String() != tt.want {
			t.Errorf("%s (UID %v): %v, %v; want %s", tt.set, tt.uid, got, err, tt.want)
		}
	}
	var uids []store.UID
	for page := range v.pages(store.UIDSet{{Start: 1, Stop: 5}, {Start: 7, Stop: 9}}, 2) {
		if len(page) > 2 {
			t.Errorf("a page of %d", len(page))
		}
		for i := range page {
			uids = append(uids, page[i].UID)
		}
	}
	if want := []store.UID{1, 4, 5, 7, 8, 9}; !slices.Equal(uids, want) {
		t.Errorf("pages give %v, want %v", uids, want)
	}
}

// TestSearchProgramUsedAgain: a program bound to a view anew does not remember
// what its numbers meant before.
func TestSearchProgramUsedAgain(t *testing.T) {
	ts := startServer(t, nil)
	v := openInbox(t, ts.store, fill(t, ts.store, "alice", 3))
	key := setKey(numbers{set: wire.Set{Nums: wire.Of(2, 3)}})
	for range 2 {
		if err := key.prepare(v); err != nil {
			t.Fatal(err)
		}
		if got := key.scope(v); got.Len() != 2 {
			t.Fatalf("2:3 means %v", got)
		}
	}
}

// openInbox opens a view of INBOX for the time of the test.
func openInbox(t *testing.T, st *store.Store, by store.Actor) *view {
	t.Helper()
	box, err := st.Mailbox(t.Context(), by, "INBOX")
	if err != nil {
		t.Fatal(err)
	}
	opened, err := st.View(t.Context(), by, box.ID)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(opened.Close)
	if err := opened.Load(t.Context()); err != nil {
		t.Fatal(err)
	}
	return &view{View: opened}
}
