package imapd

import (
	"crypto/tls"
	"net"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/emersion/go-imap/v2"
	"github.com/emersion/go-imap/v2/imapclient"
)

// TestImapclient has somebody else's client do the work of a mail program on
// mailboxes: what it understood is compared, not what was sent.
func TestImapclient(t *testing.T) {
	ts := startServer(t, nil)
	conn, err := net.Dial("tcp", ts.addr)
	if err != nil {
		t.Fatal(err)
	}
	_ = conn.SetDeadline(time.Now().Add(20 * time.Second))
	c, err := imapclient.NewStartTLS(conn, &imapclient.Options{TLSConfig: &tls.Config{InsecureSkipVerify: true}})
	if err != nil {
		t.Fatal(err)
	}
	defer c.Close()
	check := func(what string, err error) {
		t.Helper()
		if err != nil {
			t.Fatalf("%s: %v", what, err)
		}
	}
	check("LOGIN", c.Login("alice", "secret").Wait())
	for _, want := range []imap.Cap{imap.CapIMAP4rev1, imap.CapListExtended, imap.CapListStatus, imap.CapMultiAppend, imap.CapLiteralPlus} {
		if !c.Caps().Has(want) {
			t.Errorf("%s is not advertised", want)
		}
	}
	const name = `Post & Co/日本 "x" \y/Entwürfe`
	check("CREATE", c.Create(name, nil).Wait())
	message := "From: a@example.org\r\n\r\n" + strings.Repeat("body\r\n", 10_000)
	app := c.Append(name, int64(len(message)), &imap.AppendOptions{Flags: []imap.Flag{imap.FlagSeen, "$Work"}})
	if _, err := app.Write([]byte(message)); err != nil {
		t.Fatal(err)
	}
	check("APPEND", app.Close())
	put, err := app.Wait()
	check("APPEND", err)
	if put.UID != 1 || put.UIDValidity == 0 {
		t.Errorf("APPENDUID %+v", put)
	}
	check("SUBSCRIBE", c.Subscribe(name).Wait())

	boxes, err := c.List("", "Post*", &imap.ListOptions{
		ReturnSubscribed: true, ReturnChildren: true,
		ReturnStatus: &imap.StatusOptions{NumMessages: true, NumUnseen: true, Size: true, UIDValidity: true},
	}).Collect()
	check("LIST", err)
	if len(boxes) != 3 || boxes[2].Mailbox != name || boxes[2].Delim != '/' {
		t.Fatalf("LIST gave %+v", boxes)
	}
	box := boxes[2]
	if !slices.Contains(box.Attrs, imap.MailboxAttrSubscribed) || !slices.Contains(box.Attrs, imap.MailboxAttrHasNoChildren) {
		t.Errorf("attributes %v", box.Attrs)
	}
	st := box.Status
	if st == nil || *st.NumMessages != 1 || *st.NumUnseen != 0 || *st.Size != int64(len(message)) || st.UIDValidity != put.UIDValidity {
		t.Errorf("status %+v", st)
	}
	check("RENAME", c.Rename("Post & Co", "Post", nil).Wait())
	after, err := c.Status(strings.Replace(name, " & Co", "", 1), &imap.StatusOptions{UIDValidity: true, UIDNext: true}).Wait()
	check("STATUS", err)
	if after.UIDValidity != put.UIDValidity || after.UIDNext != 2 {
		t.Errorf("after the renaming: %+v", after)
	}
	check("LOGOUT", c.Logout().Wait())
}
