package main

import (
	"context"
	"io"
	"log/slog"
	"net/http"
	"slices"
	"strconv"
	"strings"
	"testing"
	"testing/iotest"
	"time"

	"tandem/store"
)

func TestReceivedAt(t *testing.T) {
	now := time.Unix(2e9, 0)
	named := time.Unix(1e9, 0)
	at := func(text string) time.Time {
		d, err := time.Parse(time.RFC1123Z, text)
		if err != nil {
			t.Fatal(err)
		}
		return d
	}
	received, sent := at("Fri, 01 Jan 2010 12:00:00 +0100"), at("Wed, 30 Dec 2009 12:00:00 +0000")
	tests := []struct {
		name   string
		item   importItem
		header string
		want   time.Time
	}{
		{"the source", importItem{Received: named}, "Date: Wed, 30 Dec 2009 12:00:00 +0000\r\n\r\n", named},
		{"top Received", importItem{}, "Date: Wed, 30 Dec 2009 12:00:00 +0000\r\nReceived: from a; by b;\r\n Fri, 01 Jan 2010 12:00:00 +0100\r\nReceived: x; Thu, 31 Dec 2009 12:00:00 +0100\r\n\r\n", received},
		{"Received without a date", importItem{}, "Received: by hand\r\nDate: Wed, 30 Dec 2009 12:00:00 +0000\r\n\r\n", sent},
		{"nothing", importItem{}, "Subject: x\r\n\r\n", now},
	}
	for _, test := range tests {
		if got := receivedAt(test.item, &store.Body{Header: []byte(test.header)}, now); !got.Equal(test.want) {
			t.Errorf("%s: %v, want %v", test.name, got, test.want)
		}
	}
}

func TestFlagsOf(t *testing.T) {
	header := []byte("Status: RO\r\nX-Status: AFTD\r\nX-Keywords: work, $Label1  WORK bad(one\r\n\r\n")
	flags, keywords := flagsOf(importItem{HeaderFlags: true, Flags: []string{"$Forwarded"}}, header)
	all := store.FlagSeen | store.FlagAnswered | store.FlagFlagged | store.FlagDraft | store.FlagDeleted
	if flags != all || !slices.Equal(keywords, []string{"$Forwarded", "work", "$Label1"}) {
		t.Errorf("%b %q", flags, keywords)
	}
	if flags, keywords := flagsOf(importItem{}, header); flags != 0 || keywords != nil {
		t.Errorf("the header of a Maildir file was read for flags: %b %q", flags, keywords)
	}
}

func TestAllowedName(t *testing.T) {
	for name, want := range map[string]string{"inbox": "INBOX", "a/b": "a/b", "a*b%": "a_b_", "/a//b/": "a/b", "a\xff": "a_", "x\x01": "x_"} {
		if got := allowedName(name); got != want {
			t.Errorf("%q: %q, want %q", name, got, want)
		}
	}
}

// testServer is a store with two accounts and a server's control socket, as a
// backend of each kind.
func testServer(t *testing.T) (direct, remote *backend) {
	t.Helper()
	return testServerIn(t, t.TempDir())
}

func testServerIn(t *testing.T, dir string) (direct, remote *backend) {
	t.Helper()
	l := &loaded{config: defaults()}
	l.Data = dir
	log := slog.New(slog.DiscardHandler)
	s, err := openStore(l, log)
	if err != nil {
		t.Fatal(err)
	}
	control, err := listenControl(l.Data, s, log)
	if err != nil {
		t.Fatal(err)
	}
	go control.serve()
	client, err := dialControl(t.Context(), l.Data)
	if err != nil {
		t.Fatal(err)
	}
	direct, remote = &backend{store: s}, &backend{remote: client}
	t.Cleanup(func() {
		remote.Close()
		control.close()
		if err := direct.Close(); err != nil {
			t.Error(err)
		}
	})
	req := createRequest{Accounts: []store.NewAccount{{Name: "alice", Hash: "{PLAIN}x"}, {Name: "bob", Hash: "{PLAIN}x"}}}
	if _, err := call(t.Context(), remote, accountCreate, req); err != nil {
		t.Fatal(err)
	}
	return direct, remote
}

// importSamples brings the demo's mail in, the large message too.
func importSamples(t *testing.T, b *backend, account string) importResult {
	t.Helper()
	sink, err := b.startImport(t.Context(), importRequest{Account: account})
	if err != nil {
		t.Fatal(err)
	}
	if err := addSamples(sink, "alice"); err != nil {
		t.Fatal(err)
	}
	res, err := sink.finish()
	if err != nil {
		t.Fatal(err)
	}
	return res
}

// exportAll gives every message with what is known of it.
func exportAll(t *testing.T, b *backend, account string) []string {
	t.Helper()
	var list []string
	err := b.export(t.Context(), exportRequest{Account: account}, func(item exportItem, write func(io.Writer) error) error {
		var text strings.Builder
		if write != nil {
			if err := write(&text); err != nil {
				return err
			}
		}
		slices.Sort(item.Flags)
		received := item.Received.UTC().String()
		if time.Since(item.Received) < time.Hour {
			received = "now" // a message without any date
		}
		list = append(list, strings.Join([]string{item.Mailbox, received, strings.Join(item.Flags, " "), text.String()}, "|"))
		return nil
	})
	if err != nil {
		t.Fatal(err)
	}
	return list
}

// TestBothWays: a verb does the same on the store and through the socket.
func TestBothWays(t *testing.T) {
	direct, remote := testServer(t)
	first, second := importSamples(t, direct, "alice"), importSamples(t, remote, "bob")
	if first.Imported != 35 || second.Imported != 35 {
		t.Errorf("imported %+v and %+v", first, second)
	}
	if again := importSamples(t, remote, "alice"); again.Imported != 0 || again.Skipped != 35 {
		t.Errorf("the second run: %+v", again)
	}
	want := exportAll(t, direct, "alice")
	for name, got := range map[string][]string{"alice, remote": exportAll(t, remote, "alice"), "bob": exportAll(t, direct, "bob")} {
		if !slices.Equal(got, want) {
			t.Errorf("%s: %d records differ from %d", name, len(got), len(want))
		}
	}
	for _, text := range want {
		if strings.Contains(text, "unedited") && len(text) < 3<<20 {
			t.Errorf("the large message has %d bytes", len(text))
		}
	}
}

// TestErrorsBothWays: a failure has the same kind and words over the socket.
func TestErrorsBothWays(t *testing.T) {
	direct, remote := testServer(t)
	for name, run := range map[string]func(b *backend) error{
		"remove": func(b *backend) error {
			_, err := call(t.Context(), b, accountRemove, removeRequest{"nobody"})
			return err
		},
		"create": func(b *backend) error {
			_, err := call(t.Context(), b, accountCreate, createRequest{Accounts: []store.NewAccount{{Name: "alice", Hash: "{PLAIN}x"}}})
			return err
		},
		"export": func(b *backend) error {
			return b.export(t.Context(), exportRequest{Account: "alice", Mailbox: "Nowhere"}, nil)
		},
		"import": func(b *backend) error {
			sink, err := b.startImport(t.Context(), importRequest{Account: "nobody"})
			if err == nil {
				_, err = sink.finish()
			}
			return err
		},
	} {
		here, there := run(direct), run(remote)
		if here == nil || there == nil || here.Error() != there.Error() || store.KindOf(here) != store.KindOf(there) {
			t.Errorf("%s: %v here, %v there", name, here, there)
		}
	}
}

// TestImportBrokenSource: a source that cannot be read to its end leaves what came
// before, and no half message.
func TestImportBrokenSource(t *testing.T) {
	direct, remote := testServer(t)
	for account, b := range map[string]*backend{"alice": direct, "bob": remote} {
		sink, err := b.startImport(t.Context(), importRequest{Account: account})
		if err != nil {
			t.Fatal(err)
		}
		for i := range batchMessages - 1 { // the broken one would fill the batch
			item := importItem{Mailbox: "INBOX", Source: "x", Position: strconv.Itoa(i)}
			if err := sink.add(item, strings.NewReader("Subject: whole\n\n")); err != nil {
				t.Fatal(err)
			}
		}
		broken := io.MultiReader(strings.NewReader("Subject: half\n\n"), iotest.ErrReader(io.ErrUnexpectedEOF))
		if err := sink.add(importItem{Mailbox: "INBOX", Source: "x", Position: "last"}, broken); err == nil {
			t.Error("the source's error is lost")
		}
		if res, err := sink.finish(); err != nil || res.Imported != batchMessages-1 {
			t.Errorf("%s: %+v %v", account, res, err)
		}
		all := strings.Join(exportAll(t, direct, account), "\n")
		if strings.Contains(all, "half") || strings.Count(all, "whole") != batchMessages-1 {
			t.Errorf("%s: %d whole messages; half: %t", account, strings.Count(all, "whole"), strings.Contains(all, "half"))
		}
	}
}

// TestImportCutShort: what a client that goes away has not sent whole is not
// stored, and the rest can follow.
func TestImportCutShort(t *testing.T) {
	direct, remote := testServer(t)
	ctx, cancel := context.WithCancel(t.Context())
	sink, err := remote.startImport(ctx, importRequest{Account: "alice"})
	if err != nil {
		t.Fatal(err)
	}
	in, out := io.Pipe()
	go func() {
		io.WriteString(out, "Subject: half\n\nthis message is not")
		cancel()
		out.CloseWithError(io.ErrUnexpectedEOF)
	}()
	if err := sink.add(importItem{Mailbox: "INBOX", Source: "x", Position: "0"}, in); err == nil {
		t.Error("a message cut short was taken")
	}
	sink.abort()
	for _, text := range exportAll(t, direct, "alice") {
		if strings.Contains(text, "half") {
			t.Errorf("stored: %q", text)
		}
	}
}

func TestControlMalformed(t *testing.T) {
	_, remote := testServer(t)
	answer, err := remote.remote.Post(controlHost+"/v1/account/create", "", strings.NewReader("{nonsense"))
	if err != nil {
		t.Fatal(err)
	}
	answer.Body.Close()
	if answer.StatusCode != http.StatusUnprocessableEntity {
		t.Errorf("a request that is no JSON: %s", answer.Status)
	}
}
