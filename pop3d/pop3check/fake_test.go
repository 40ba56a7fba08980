package pop3check

import (
	"bufio"
	"bytes"
	"crypto/ecdsa"
	"crypto/elliptic"
	"crypto/rand"
	"crypto/tls"
	"crypto/x509"
	"errors"
	"fmt"
	"io"
	"math/big"
	"net"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"
)

// fake is a small POP3 server that keeps to the standards, but for the fault it
// is given by name; and the other door of its one account.
type fake struct {
	fault string
	addr  string
	tls   *tls.Config

	mu        sync.Mutex
	mails     []*fakeMail
	next      int
	locked    bool
	forbidden bool
	sessions  int
}

// fakeMail is a message; gone once it is removed.
type fakeMail struct {
	uidl string
	text []byte
	seen bool
	gone bool
}

const fakeUser, fakePassword = "alice", "secret"

// startFake starts a server that ends with the test.
func startFake(t *testing.T, fault string) *fake {
	t.Helper()
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	f := &fake{fault: fault, addr: l.Addr().String(), tls: &tls.Config{Certificates: []tls.Certificate{selfSigned(t)}}}
	var running sync.WaitGroup
	var open sync.Map
	running.Go(func() {
		for {
			conn, err := l.Accept()
			if err != nil {
				return
			}
			open.Store(conn, true)
			running.Go(func() {
				defer open.Delete(conn)
				f.serve(conn)
			})
		}
	})
	t.Cleanup(func() {
		l.Close()
		open.Range(func(conn, _ any) bool { conn.(net.Conn).Close(); return true })
		running.Wait()
	})
	return f
}

func selfSigned(t *testing.T) tls.Certificate {
	t.Helper()
	key, err := ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
	if err != nil {
		t.Fatal(err)
	}
	template := &x509.Certificate{SerialNumber: big.NewInt(1), NotAfter: time.Now().Add(time.Hour), DNSNames: []string{"localhost"}}
	der, err := x509.CreateCertificate(rand.Reader, template, template, &key.PublicKey, key)
	if err != nil {
		t.Fatal(err)
	}
	return tls.Certificate{Certificate: [][]byte{der}, PrivateKey: key}
}

// The other door.

func (f *fake) exact() bool        { return true }
func (f *fake) close() error       { return nil }
func (f *fake) clean(string) error { return nil }

func (f *fake) put(text []byte) error {
	f.mu.Lock()
	defer f.mu.Unlock()
	f.next++
	uidl := fmt.Sprintf("u%d", f.next)
	if f.fault == "unique ids are used again" {
		uidl = fmt.Sprintf("u%d", len(f.mails)+1)
	}
	f.mails = append(f.mails, &fakeMail{uidl: uidl, text: bytes.Clone(text)})
	return nil
}

func (f *fake) named(name string) (*fakeMail, error) {
	f.mu.Lock()
	defer f.mu.Unlock()
	for _, m := range f.mails {
		if nameOf(m.text) == name {
			return m, nil
		}
	}
	return nil, errors.New("no such message")
}

func (f *fake) seen(name string) (bool, error) {
	m, err := f.named(name)
	if err != nil {
		return false, err
	}
	f.mu.Lock()
	defer f.mu.Unlock()
	return m.seen, nil
}

func (f *fake) size(name string) (int, error) {
	m, err := f.named(name)
	if err != nil {
		return 0, err
	}
	return len(m.text), nil
}

func (f *fake) expunge(name string) error {
	m, err := f.named(name)
	if err != nil {
		return err
	}
	f.remove([]*fakeMail{m})
	return nil
}

func (f *fake) forbid() (func() error, error) {
	set := func(forbidden bool) error {
		f.mu.Lock()
		defer f.mu.Unlock()
		f.forbidden = forbidden
		return nil
	}
	return func() error { return set(false) }, set(true)
}

func (f *fake) remove(mails []*fakeMail) {
	f.mu.Lock()
	defer f.mu.Unlock()
	for _, m := range mails {
		m.gone = true
	}
	f.mails = slices.DeleteFunc(f.mails, func(m *fakeMail) bool { return m.gone })
}

// lock takes the maildrop.
func (f *fake) lock() bool {
	f.mu.Lock()
	defer f.mu.Unlock()
	if f.locked && f.fault != "no lock" {
		return false
	}
	f.locked = true
	f.sessions++
	return true
}

func (f *fake) unlock() {
	f.mu.Lock()
	defer f.mu.Unlock()
	f.locked = false
}

func (f *fake) list() []*fakeMail {
	f.mu.Lock()
	defer f.mu.Unlock()
	return slices.Clone(f.mails)
}

// fakeSession is a connection of it.
type fakeSession struct {
	*fake
	conn    net.Conn
	in      *bufio.Reader
	out     *bufio.Writer
	user    string
	inside  bool
	mails   []*fakeMail
	marked  map[*fakeMail]bool
	retr    []*fakeMail
	number  int // of the session
	over    bool
	secured bool
	utf8    bool
}

func (f *fake) serve(conn net.Conn) {
	defer conn.Close()
	s := &fakeSession{fake: f, conn: conn, in: bufio.NewReaderSize(conn, 64<<10), out: bufio.NewWriter(conn), marked: map[*fakeMail]bool{}}
	s.say("+OK ready")
	for !s.over {
		// Replies go out once no whole command is waiting.
		waiting, _ := s.in.Peek(s.in.Buffered())
		if whole := bytes.Contains(waiting, []byte("\n")); !whole && (f.fault != "keeps replies back" || len(waiting) == 0) {
			s.out.Flush()
		}
		line, err := s.in.ReadString('\n')
		if err != nil {
			break
		}
		if f.fault == "input behind a command is lost" {
			s.in.Discard(s.in.Buffered())
		}
		s.obey(strings.TrimRight(line, "\r\n"))
	}
	s.out.Flush()
	if s.inside {
		s.end()
		s.unlock()
	}
	if secured, ok := s.conn.(*tls.Conn); ok {
		secured.CloseWrite()
	}
}

// end is what happens without QUIT: nothing.
func (s *fakeSession) end() {
	switch s.fault {
	case "deletes without QUIT":
		s.remove(s.deletions())
	case "marks as read without QUIT":
		s.markRead()
	}
}

func (s *fakeSession) markRead() {
	s.mu.Lock()
	defer s.mu.Unlock()
	for _, m := range s.retr {
		m.seen = true
	}
}

func (s *fakeSession) deletions() (mails []*fakeMail) {
	for m := range s.marked {
		mails = append(mails, m)
	}
	return mails
}

func (s *fakeSession) say(format string, args ...any) {
	line := fmt.Sprintf(format, args...)
	switch s.fault {
	case "small letters":
		line = strings.Replace(line, "+OK", "+Ok", 1)
	case "bare LF":
		s.out.WriteString(line + "\n")
		return
	}
	s.out.WriteString(line + "\r\n")
}

// text sends a multi-line reply's lines.
func (s *fakeSession) text(text []byte) {
	for line := range bytes.Lines(text) {
		if line[0] == '.' && s.fault != "no dot-stuffing" {
			s.out.WriteByte('.')
		}
		s.out.Write(line)
	}
	if len(text) > 0 && !bytes.HasSuffix(text, []byte("\r\n")) && s.fault != "terminator not on its own line" {
		s.out.WriteString("\r\n")
	}
	s.out.WriteString(".\r\n")
}

func (s *fakeSession) startTLS() {
	early, _ := s.in.Peek(s.in.Buffered())
	early = bytes.Clone(early)
	if len(early) > 0 && s.fault != "runs what came before TLS" {
		s.say("-ERR nothing may follow STLS")
		s.over = true
		return
	}
	s.say("+OK begin")
	s.out.Flush()
	secured := tls.Server(s.conn, s.fake.tls)
	if secured.Handshake() != nil {
		s.over = true
		return
	}
	s.conn, s.secured = secured, true
	s.in = bufio.NewReaderSize(io.MultiReader(bytes.NewReader(early), secured), 64<<10)
	s.out = bufio.NewWriter(secured)
	s.user = ""
}
