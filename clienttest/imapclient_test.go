package clienttest

import (
	"bytes"
	"fmt"
	"slices"
	"testing"
	"time"

	"github.com/emersion/go-imap/v2"
	"github.com/emersion/go-imap/v2/imapclient"
)

// TestImapclientFetch fetches everything FETCH has of every sample.
func TestImapclientFetch(t *testing.T) {
	t.Parallel()
	to, mails := newTarget(t), samples()
	c, err := imapclient.DialStartTLS(to.IMAP, &imapclient.Options{TLSConfig: trust(t, to)})
	if err != nil {
		t.Fatal(err)
	}
	defer c.Close()
	if err := c.Login(to.User, to.Pass).Wait(); err != nil {
		t.Fatal(err)
	}
	fill(t, to, "INBOX", mails)
	box, err := c.Select("INBOX", &imap.SelectOptions{CondStore: true}).Wait()
	if err != nil {
		t.Fatal(err)
	}
	if int(box.NumMessages) != len(mails) || box.UIDValidity == 0 || box.HighestModSeq == 0 || int(box.UIDNext) <= len(mails) {
		t.Errorf("SELECT: %+v", box)
	}

	section := func(s imap.PartSpecifier, part ...int) *imap.FetchItemBodySection {
		return &imap.FetchItemBodySection{Specifier: s, Part: part, Peek: true}
	}
	head, text := section(imap.PartSpecifierHeader), section(imap.PartSpecifierText)
	first, mime := section(imap.PartSpecifierNone, 1), section(imap.PartSpecifierMIME, 1)
	fields := &imap.FetchItemBodySection{Specifier: imap.PartSpecifierHeader, HeaderFields: []string{"SUBJECT", "Date"}, Peek: true}
	others := &imap.FetchItemBodySection{Specifier: imap.PartSpecifierHeader, HeaderFieldsNot: []string{"SUBJECT", "Date"}, Peek: true}
	piece := &imap.FetchItemBodySection{Partial: &imap.SectionPartial{Offset: 10, Size: 30}, Peek: true}
	msgs, err := c.Fetch(imap.SeqSet{{Start: 1, Stop: 0}}, &imap.FetchOptions{
		UID: true, Flags: true, Envelope: true, InternalDate: true, RFC822Size: true, ModSeq: true,
		BodyStructure: &imap.FetchItemBodyStructure{Extended: true},
		BodySection:   []*imap.FetchItemBodySection{wholeMessage, head, text, first, mime, fields, others, piece},
	}).Collect()
	if err != nil {
		t.Fatal(err)
	}
	if len(msgs) != len(mails) {
		t.Fatalf("FETCH gave %d of %d messages", len(msgs), len(mails))
	}
	for i, m := range msgs {
		want := mails[i]
		wantHead, wantText, _ := bytes.Cut(want, []byte("\r\n\r\n"))
		for name, pair := range map[string][2][]byte{
			"BODY[]":        {m.FindBodySection(wholeMessage), want},
			"BODY[HEADER]":  {m.FindBodySection(head), append(slices.Clone(wantHead), "\r\n\r\n"...)},
			"BODY[TEXT]":    {m.FindBodySection(text), wantText},
			"BODY[]<10.30>": {m.FindBodySection(piece), want[10:40]},
		} {
			if !bytes.Equal(pair[0], pair[1]) {
				t.Errorf("message %d: %s is %.100q, want %.100q", i+1, name, pair[0], pair[1])
			}
		}
		some, rest := m.FindBodySection(fields), m.FindBodySection(others)
		if !bytes.HasPrefix(some, []byte("Date: Tue, 3 Mar 2026")) || !bytes.HasPrefix(rest, []byte("From: Ada")) ||
			len(some)+len(rest) != len(wantHead)+len("\r\n\r\n\r\n") {
			t.Errorf("message %d: HEADER.FIELDS %q, HEADER.FIELDS.NOT %q", i+1, some, rest)
		}
		if m.RFC822Size != int64(len(want)) || m.ModSeq == 0 || m.UID == 0 || m.Envelope.Subject == "" ||
			m.Envelope.From[0].Addr() != "ada@example.org" || time.Since(m.InternalDate) > time.Hour {
			t.Errorf("message %d: size %d, modseq %d, UID %d, date %v, envelope %+v", i+1, m.RFC822Size, m.ModSeq, m.UID, m.InternalDate, m.Envelope)
		}
	}
	checkParts(t, msgs[8], first, mime)
}

// checkParts looks at what BODYSTRUCTURE and parts say of the sample with
// parts within parts.
func checkParts(t *testing.T, m *imapclient.FetchMessageBuffer, first, mime *imap.FetchItemBodySection) {
	t.Helper()
	var found []string
	m.BodyStructure.Walk(func(path []int, part imap.BodyStructure) bool {
		found = append(found, fmt.Sprintf("%v %s", path, part.MediaType()))
		return true
	})
	want := []string{"[] multipart/mixed", "[1] multipart/alternative", "[1 1] text/plain", "[1 2] text/html",
		"[2] message/rfc822", "[3] application/octet-stream"}
	if !slices.Equal(found, want) {
		t.Errorf("BODYSTRUCTURE: %q, want %q", found, want)
	}
	if got := m.FindBodySection(mime); string(got) != "Content-Type: multipart/alternative; boundary=b\r\n\r\n" {
		t.Errorf("BODY[1.MIME]: %q", got)
	}
	if got := m.FindBodySection(first); !bytes.HasPrefix(got, []byte("--b\r\n")) || !bytes.HasSuffix(got, []byte("--b--\r\n")) {
		t.Errorf("BODY[1]: %q", got)
	}
}

// TestImapclientSearch asks in the plain and the extended form.
func TestImapclientSearch(t *testing.T) {
	t.Parallel()
	to, mails := newTarget(t), samples()
	fill(t, to, "INBOX", mails)
	c := imapSession(t, to, nil)
	if _, err := c.Select("INBOX", nil).Wait(); err != nil {
		t.Fatal(err)
	}
	n := uint32(len(mails))
	header := func(key, value string) []imap.SearchCriteriaHeaderField {
		return []imap.SearchCriteriaHeaderField{{Key: key, Value: value}}
	}
	for name, test := range map[string]struct {
		criteria imap.SearchCriteria
		want     []uint32
	}{
		"decoded subject": {imap.SearchCriteria{Header: header("Subject", "grüße")}, []uint32{4}},
		"body":            {imap.SearchCriteria{Body: []string{"ZÜRICH"}}, []uint32{4}},
		"part":            {imap.SearchCriteria{Body: []string{"inner body"}}, []uint32{9}},
		"header present":  {imap.SearchCriteria{Header: header("MIME-Version", "")}, []uint32{4, 9, 10}},
		"size":            {imap.SearchCriteria{Larger: 100000}, []uint32{10}},
		"or":              {imap.SearchCriteria{Or: [][2]imap.SearchCriteria{{{Text: []string{"tea at four"}}, {Larger: 100000}}}}, []uint32{1, 10}},
		"not": {imap.SearchCriteria{Not: []imap.SearchCriteria{{Header: header("From", "ADA@")}}},
			nil},
		"set": {imap.SearchCriteria{SeqNum: []imap.SeqSet{{{Start: 2, Stop: 3}, {Start: n, Stop: n}}}}, []uint32{2, 3, n}},
	} {
		data, err := c.Search(&test.criteria, nil).Wait()
		if err != nil {
			t.Errorf("%s: %v", name, err)
		} else if got := data.AllSeqNums(); !slices.Equal(got, test.want) {
			t.Errorf("%s: %v, want %v", name, got, test.want)
		}
	}
	// RFC 4731: MIN, MAX, COUNT and ALL.
	data, err := c.UIDSearch(&imap.SearchCriteria{Larger: 150}, &imap.SearchOptions{ReturnMin: true, ReturnMax: true, ReturnCount: true, ReturnAll: true}).Wait()
	if err != nil {
		t.Fatal(err)
	}
	all := data.AllUIDs()
	if len(all) != int(data.Count) || uint32(all[0]) != data.Min || uint32(all[len(all)-1]) != data.Max || data.Count < 8 {
		t.Errorf("ESEARCH: %+v, UIDs %v", data, all)
	}
}

// TestImapclientCondstore changes flags under conditions (RFC 7162).
func TestImapclientCondstore(t *testing.T) {
	t.Parallel()
	to, mails := newTarget(t), samples()
	fill(t, to, "INBOX", mails)
	a, b := imapSession(t, to, nil), imapSession(t, to, nil)
	for _, c := range []*imapclient.Client{a, b} {
		if _, err := c.Select("INBOX", &imap.SelectOptions{CondStore: true}).Wait(); err != nil {
			t.Fatal(err)
		}
	}
	before, err := a.Status("INBOX", &imap.StatusOptions{HighestModSeq: true}).Wait()
	if err != nil {
		t.Fatal(err)
	}
	flag := func(c *imapclient.Client, n uint32, flag imap.Flag, unchangedSince uint64) []*imapclient.FetchMessageBuffer {
		t.Helper()
		msgs, err := c.Store(imap.SeqSetNum(n), &imap.StoreFlags{Op: imap.StoreFlagsAdd, Flags: []imap.Flag{flag}},
			&imap.StoreOptions{UnchangedSince: unchangedSince}).Collect()
		if err != nil {
			t.Fatal(err)
		}
		return msgs
	}
	if msgs := flag(a, 3, imap.FlagFlagged, before.HighestModSeq); len(msgs) != 1 || msgs[0].ModSeq <= before.HighestModSeq {
		t.Errorf("STORE UNCHANGEDSINCE %d: %+v", before.HighestModSeq, msgs)
	}
	flag(b, 3, imap.FlagAnswered, before.HighestModSeq) // came too late: not done
	changed, err := b.Fetch(imap.SeqSet{{Start: 1, Stop: 0}}, &imap.FetchOptions{Flags: true, ModSeq: true, ChangedSince: before.HighestModSeq}).Collect()
	if err != nil {
		t.Fatal(err)
	}
	if len(changed) != 1 || changed[0].SeqNum != 3 || !slices.Contains(changed[0].Flags, imap.FlagFlagged) || slices.Contains(changed[0].Flags, imap.FlagAnswered) {
		t.Errorf("FETCH CHANGEDSINCE: %+v", changed)
	}
	data, err := b.Search(&imap.SearchCriteria{ModSeq: &imap.SearchCriteriaModSeq{ModSeq: before.HighestModSeq + 1}}, nil).Wait()
	if err != nil {
		t.Fatal(err)
	}
	if got := data.AllSeqNums(); !slices.Equal(got, []uint32{3}) {
		t.Errorf("SEARCH MODSEQ %d: %v", before.HighestModSeq+1, got)
	}
}

// TestImapclientMoves moves, copies and lists with STATUS, as a mail program's
// side bar and its archive button do.
func TestImapclientMoves(t *testing.T) {
	t.Parallel()
	to, mails := newTarget(t), samples()
	fill(t, to, "INBOX", mails, imap.FlagSeen, "$Label1")
	c := imapSession(t, to, nil)
	if err := c.Create("Archive/2026 Grüße & mehr", nil).Wait(); err != nil {
		t.Fatal(err)
	}
	if _, err := c.Select("INBOX", nil).Wait(); err != nil {
		t.Fatal(err)
	}
	target := "Archive/2026 Grüße & mehr"
	copied, err := c.Copy(imap.SeqSetNum(1, 2), target).Wait()
	if err != nil {
		t.Fatal(err)
	}
	moved, err := c.Move(imap.SeqSet{{Start: 3, Stop: 0}}, target).Wait()
	if err != nil {
		t.Fatal(err)
	}
	from, _ := moved.SourceUIDs.(imap.UIDSet).Nums()
	into, _ := moved.DestUIDs.(imap.UIDSet).Nums()
	if first, _ := copied.DestUIDs.Nums(); len(first) != 2 || len(from) != len(mails)-2 || len(into) != len(from) || into[0] <= first[1] {
		t.Errorf("COPYUID: %v after %v to %v", from, first, into)
	}
	sameMail(t, mailboxMail(t, to, "INBOX"), mails[:2])
	all, box, err := fetchAll(imapSession(t, to, nil), target)
	if err != nil {
		t.Fatal(err)
	}
	for i, m := range all {
		if !bytes.Equal(m.text, mails[i]) || !slices.Contains(m.flags, imap.FlagSeen) || !slices.Contains(m.flags, "$Label1") {
			t.Errorf("message %d, flags %v: %s", i+1, m.flags, head(m.text))
		}
	}

	list, err := c.List("", "Archive*", &imap.ListOptions{ReturnChildren: true, ReturnSpecialUse: true,
		ReturnStatus: &imap.StatusOptions{NumMessages: true, UIDNext: true, NumUnseen: true}}).Collect()
	if err != nil {
		t.Fatal(err)
	}
	for _, m := range list {
		if m.Mailbox == target && (m.Status == nil || *m.Status.NumMessages != uint32(len(mails)) || m.Status.UIDNext != box.UIDNext || *m.Status.NumUnseen != 0) {
			t.Errorf("LIST RETURN (STATUS): %+v", m.Status)
		}
	}
	if len(list) != 2 {
		t.Errorf("LIST Archive*: %+v", list)
	}
}

// TestImapclientIdle has one session idle while another changes the mailbox.
func TestImapclientIdle(t *testing.T) {
	t.Parallel()
	to, mails := newTarget(t), samples()
	fill(t, to, "INBOX", mails[:3])
	exists, expunged, flags := make(chan uint32, 16), make(chan uint32, 16), make(chan []imap.Flag, 16)
	idler := imapSession(t, to, &imapclient.UnilateralDataHandler{
		Expunge: func(n uint32) { expunged <- n },
		Mailbox: func(data *imapclient.UnilateralDataMailbox) {
			if data.NumMessages != nil {
				exists <- *data.NumMessages
			}
		},
		Fetch: func(msg *imapclient.FetchMessageData) {
			if buf, err := msg.Collect(); err == nil {
				flags <- buf.Flags
			}
		},
	})
	if _, err := idler.Select("INBOX", nil).Wait(); err != nil {
		t.Fatal(err)
	}
	idle, err := idler.Idle()
	if err != nil {
		t.Fatal(err)
	}
	other := imapSession(t, to, nil)
	if _, err := other.Select("INBOX", nil).Wait(); err != nil {
		t.Fatal(err)
	}
	if _, err := appendMail(other, "INBOX", mails[3]); err != nil {
		t.Fatal(err)
	}
	if got := receive(t, exists); got != 4 {
		t.Errorf("%d EXISTS, want 4", got)
	}
	store := &imap.StoreFlags{Op: imap.StoreFlagsAdd, Flags: []imap.Flag{imap.FlagDeleted}}
	if err := other.Store(imap.SeqSetNum(2), store, nil).Close(); err != nil {
		t.Fatal(err)
	}
	if got := receive(t, flags); !slices.Contains(got, imap.FlagDeleted) {
		t.Errorf("flags %v, want \\Deleted", got)
	}
	if err := other.Expunge().Close(); err != nil {
		t.Fatal(err)
	}
	if got := receive(t, expunged); got != 2 {
		t.Errorf("%d EXPUNGE, want 2", got)
	}
	if err := idle.Close(); err != nil {
		t.Fatal(err)
	}
	if err := idle.Wait(); err != nil {
		t.Fatal(err)
	}
	if err := idler.Noop().Wait(); err != nil {
		t.Errorf("NOOP after IDLE: %v", err)
	}
}

// receive waits for a value.
func receive[T any](t testing.TB, ch <-chan T) T {
	t.Helper()
	select {
	case v := <-ch:
		return v
	case <-time.After(patience):
		t.Fatalf("nothing came within %v", patience)
		panic("not reached")
	}
}
