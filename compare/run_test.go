package compare

import (
	"bytes"
	"context"
	"crypto/tls"
	"encoding/base64"
	"errors"
	"fmt"
	"io"
	"net"
	"slices"
	"strings"
	"testing"
	"time"

	"tandem/internal/listen"
	"tandem/store"

	"go.uber.org/goleak"
)

func TestMain(m *testing.M) { goleak.VerifyTestMain(m) }

// run runs scenarios and gives all events.
func run(t testing.TB, target Target, opts Options, names ...string) []Event {
	t.Helper()
	s := NewStage(target, opts)
	for _, name := range names {
		if err := s.Run(t.Context(), name); err != nil {
			t.Fatal(err)
		}
	}
	if err := s.Close(t.Context()); err != nil {
		t.Fatal(err)
	}
	if err := Check(s.Events(0)); err != nil {
		t.Error(err)
	}
	return s.Events(0)
}

// TestFirstLookRoundTrips holds the number that the page promises.
func TestFirstLookRoundTrips(t *testing.T) {
	events := run(t, newWorld(t).target, Options{Write: true}, "first-look")
	r := Results(events)[0]
	if r.Skipped != "" {
		t.Fatal(r.Skipped)
	}
	imap := numbers(r.Totals).of(IMAP, "")
	last := events[slices.IndexFunc(events, func(e Event) bool { return e.Kind == KindDevice && e.Protocol == IMAP })]
	if imap.Trips > 5 || last.Disk.Subjects != 50 {
		t.Errorf("%d round trips for %d subjects, want at most 5 for 50", imap.Trips, last.Disk.Subjects)
	}
}

// TestNumbersCanBeCountedAgain adds the transcript up by hand.
func TestNumbersCanBeCountedAgain(t *testing.T) {
	events := run(t, newWorld(t).target, Options{Clock: NewFakeClock(began), Write: true}, "first-look", "full-download", "read-one", "delete")
	lines, wires := map[int]int64{}, map[int]int64{}
	trips := 0
	spoke := map[int]Side{}
	for _, e := range events {
		switch e.Kind {
		case KindLine:
			lines[e.Conn] += e.Bytes
			if e.From == Server && spoke[e.Conn] != Server {
				trips++
			}
			spoke[e.Conn] = e.From
		case KindWire:
			wires[e.Conn] += e.Bytes
		}
	}
	if len(lines) < 10 {
		t.Fatalf("%d connections", len(lines))
	}
	for conn, n := range wires {
		if lines[conn] != n {
			t.Errorf("connection %d: %d octets in lines, %d on the wire", conn, lines[conn], n)
		}
	}
	told := 0
	for _, r := range Results(events) {
		for _, total := range r.Totals {
			told += total.Trips
		}
	}
	if told != trips {
		t.Errorf("the totals have %d round trips, the transcript %d", told, trips)
	}
}

// secure serves target's protocols over TLS: from the beginning, or when asked.
func secure(t *testing.T, w *world, security Security) Target {
	t.Helper()
	target := w.target
	target.Devices = nil
	for _, s := range []**Service{&target.IMAP, &target.POP3} {
		dial := (*s).Dial
		service := **s
		service.Security = security
		service.TLS = &tls.Config{InsecureSkipVerify: true}
		service.Dial = dial
		*s = &service
	}
	return target
}

func TestTLS(t *testing.T) {
	log := testLog(t)
	certs, err := listen.LocalCerts(t.TempDir(), "mail.test", log)
	if err != nil {
		t.Fatal(err)
	}
	for _, security := range []Security{Implicit, StartTLS, Auto} {
		t.Run(string(security), func(t *testing.T) {
			w := newWorldWith(t, certs.Config(), security == Implicit)
			events := run(t, secure(t, w, security), Options{Write: true}, "hello", "read-one")
			handshakes, octets := 0, map[Kind]int64{}
			for _, e := range events {
				if e.Kind == KindTLS {
					handshakes++
					if e.Trips != 1 || !strings.HasPrefix(e.Text, "TLS 1.3") {
						t.Errorf("handshake %+v", e)
					}
				}
				octets[e.Kind] += e.Bytes
				if e.Kind == KindSkip {
					t.Error(e.Text)
				}
			}
			if handshakes != 4 {
				t.Errorf("%d handshakes, want 4", handshakes)
			}
			if octets[KindWire] <= octets[KindLine] {
				t.Errorf("%d octets on the wire, %d inside TLS", octets[KindWire], octets[KindLine])
			}
		})
	}
}

// TestNoPassword looks for the password in everything that can be shown.
func TestNoPassword(t *testing.T) {
	w := newWorld(t)
	events := run(t, w.target, Options{Write: true}, ScenarioNames()...)
	wrong := w.target
	wrong.Login.Password = "not " + password
	events = append(events, run(t, wrong, Options{}, "hello")...)
	var all bytes.Buffer
	if err := Save(&all, events); err != nil {
		t.Fatal(err)
	}
	if err := HTML(&all, events); err != nil {
		t.Fatal(err)
	}
	if err := Markdown(&all, events); err != nil {
		t.Fatal(err)
	}
	for _, secret := range []string{password, "has a password", base64.StdEncoding.EncodeToString([]byte("\x00alice\x00" + password))} {
		if i := strings.Index(all.String(), secret); i >= 0 {
			t.Errorf("%q is in what is shown: ...%s", secret, all.String()[max(0, i-100):i+len(secret)])
		}
	}
	if !strings.Contains(all.String(), "alice") || !strings.Contains(all.String(), hidden) {
		t.Error("no login in what is shown")
	}
}

// TestNotesAreClean: an error that a note tells of may have anything in it.
func TestNotesAreClean(t *testing.T) {
	s := NewStage(Target{Login: Login{User: "alice", Password: "correct horse"}}, Options{})
	s.Note("%v", errors.Join(errors.New("no correct horse\x1b[2J"), errors.New("and no cart")))
	events := s.Events(0)
	if err := Check(events); err != nil {
		t.Error(err)
	}
	if text := events[1].Text; text != "no "+hidden+"·[2J·and no cart" {
		t.Errorf("%q", text)
	}
}

// TestOwnMailStays runs everything on an account with mail of its own.
func TestOwnMailStays(t *testing.T) {
	w := newWorld(t)
	w.target.Devices = nil // as on a server that is not tandem
	s := NewStage(w.target, Options{Write: true})
	ctx := t.Context()
	m, err := s.server.connect(ctx)
	if err != nil {
		t.Fatal(err)
	}
	for i := range 5 {
		if _, err := m.append("INBOX", `\Deleted`, fmt.Appendf(nil, "Subject: mine %d\r\nMessage-ID: <%d@mine.test>\r\n\r\nMine.\r\n", i, i)); err != nil {
			t.Fatal(err)
		}
	}
	list := func() (all string) {
		boxes, err := m.folders()
		if err != nil {
			t.Fatal(err)
		}
		for _, f := range boxes {
			if err := m.open("EXAMINE", f.name); err != nil {
				t.Fatal(err)
			}
			all += fmt.Sprintln(f.name, m.box.exists)
			if m.box.exists > 0 {
				err = m.fetch("FETCH 1:* "+about, func(f *fetched) { all += fmt.Sprintln(f.uid, f.has(`\Deleted`), f.has(`\Seen`), f.id) })
			}
			if err != nil {
				t.Fatal(err)
			}
		}
		return all
	}
	before := list()
	for _, name := range ScenarioNames() {
		if err := s.Run(ctx, name); err != nil {
			t.Fatal(err)
		}
		if m, err = s.server.connect(ctx); err != nil {
			t.Fatal(err)
		}
		if after := list(); after != before {
			t.Fatalf("%s left other mail behind:\n%s\nbefore:\n%s", name, after, before)
		}
	}
	for _, r := range Results(s.Events(0)) {
		if r.Skipped != "" {
			t.Errorf("%s: %s", r.Name, r.Skipped)
		}
	}
	if err := s.Close(ctx); err != nil {
		t.Fatal(err)
	}
}

// TestEndsWithContext cancels a run in its middle: what it put in goes all the same.
func TestEndsWithContext(t *testing.T) {
	w := newWorld(t)
	ctx, cancel := context.WithCancel(t.Context())
	s := NewStage(w.target, Options{Write: true, Observe: func(e Event) {
		if e.Kind == KindLine && e.Verb == "RETR" {
			cancel()
		}
	}})
	if err := s.Run(ctx, "delete"); err == nil {
		t.Error("the run went on")
	}
	if err := s.Close(t.Context()); err != nil {
		t.Fatal(err)
	}
	alice, err := w.store.Account(t.Context(), "alice")
	if err != nil {
		t.Fatal(err)
	}
	if alice.Used != (store.Resources{Mailboxes: alice.Used.Mailboxes}) {
		t.Errorf("the account holds %+v", alice.Used)
	}
}

// TestWhatCannotRun says why a scenario cannot run, and that others go on.
func TestWhatCannotRun(t *testing.T) {
	w := newWorld(t)
	refuse := func(context.Context) (net.Conn, error) { return nil, fmt.Errorf("nobody is there") }
	for name, c := range map[string]struct {
		change func(*Target)
		reason string
	}{
		"address":   {func(t *Target) { t.IMAP = &Service{Address: "imap.test:143", Dial: refuse} }, "nobody is there"},
		"login":     {func(t *Target) { t.Login.Password = "wrong one"; t.Devices = nil }, "login refused"},
		"no POP3":   {func(t *Target) { t.POP3 = nil }, "the server has no POP3"},
		"no IMAP":   {func(t *Target) { t.IMAP = nil }, "the server has no IMAP"},
		"no TLS":    {func(t *Target) { s := *t.IMAP; s.Security = StartTLS; t.IMAP = &s }, "no STARTTLS"},
		"far":       {func(t *Target) { s := *t.IMAP; s.Security = Auto; t.IMAP = &s }, "the server offers no TLS"},
		"no write":  {func(t *Target) {}, "--write"},
		"not there": {func(t *Target) { t.POP3 = says("HTTP/1.1 400 Bad Request\r\n") }, "which is no POP3"},
		"gone":      {func(t *Target) { t.POP3 = says("") }, "hung up"},
		"bye":       {func(t *Target) { t.IMAP = says("* BYE too many\r\n") }, "BYE too many"},
		"nonsense":  {func(t *Target) { t.IMAP = says("\x00\r\n((((\r\n") }, "no IMAP"},
	} {
		t.Run(name, func(t *testing.T) {
			target := w.target
			c.change(&target)
			results := Results(run(t, target, Options{}, "hello", "delete"))
			if len(results) != 2 {
				t.Fatalf("%d results", len(results))
			}
			if name == "no write" {
				results = results[1:]
			}
			if !strings.Contains(results[0].Skipped, c.reason) {
				t.Errorf("%q, want %q", results[0].Skipped, c.reason)
			}
		})
	}
}

// says is a service that says one thing and hangs up.
func says(text string) *Service {
	return &Service{Address: "127.0.0.1:1", Security: Plain, Dial: func(context.Context) (net.Conn, error) {
		client, server := net.Pipe()
		go func() { // ends when the client has hung up, or heard all
			_, _ = io.WriteString(server, text)
			server.Close()
		}()
		return client, nil
	}}
}

// TestWaitingClock waits the link's time out, and what it shows is the same.
func TestWaitingClock(t *testing.T) {
	link := Link{Latency: 10 * time.Millisecond}
	begin := time.Now()
	events := run(t, newWorld(t).target, Options{Clock: NewWaitingClock(), Link: link}, "hello")
	real := time.Since(begin)
	trips := 0
	for _, total := range Results(events)[0].Totals {
		trips += total.Trips + total.Setup
	}
	want := time.Duration(trips) * link.Latency
	if told := events[len(events)-1].At(); trips != 9 || real < want || told < want || told > real {
		t.Errorf("%d round trips took %v, told as %v", trips, real, told)
	}
}

func TestParseLink(t *testing.T) {
	for text, want := range map[string]string{
		"":                        "none",
		"dsl":                     "dsl",
		"latency=80ms,rate=2mbit": "latency=80ms,rate=2000000bit",
		"latency=1s":              "latency=1s",
		"rate=64kbit":             "latency=0s,rate=64000bit",
	} {
		l, err := ParseLink(text)
		if err != nil || l.String() != want {
			t.Errorf("%q is %v, %v; want %s", text, l, err, want)
		}
		if again, err := ParseLink(l.String()); err != nil || again != l {
			t.Errorf("%v read again is %v, %v", l, again, err)
		}
	}
	for _, text := range []string{"fast", "latency=-1s", "latency=1h", "rate=0", "rate=NaNmbit", "rate=1e30gbit", "latency", "latency=1s,loss=2"} {
		if l, err := ParseLink(text); err == nil {
			t.Errorf("%q is taken as %v", text, l)
		}
	}
}
