package compare

import (
	"bufio"
	"bytes"
	"encoding/base64"
	"errors"
	"fmt"
	"io"
	"strconv"
	"strings"
	"syscall"
)

// The bounds of what a POP3 server may send.
const (
	maxPopLine    = 64 << 10  // a status line or a line of a list
	maxPopList    = 1_000_000 // lines of a list
	maxPopMessage = 1 << 30   // octets of a message
	popFlight     = 500       // commands sent ahead: they fit into any socket's buffer
)

// popClient is a POP3 client that sends ahead what it may (RFC 2449 section 6.6).
type popClient struct {
	conn *conn
	in   *bufio.Reader
	caps map[string]string // nil: not asked for
}

// popError is an answer that begins with -ERR.
type popError struct{ text string }

func (e popError) Error() string { return "the server said: " + e.text }

func newPopClient(c *conn) *popClient {
	return &popClient{conn: c, in: bufio.NewReaderSize(c, maxPopLine)}
}

// line reads one line without its end.
func (p *popClient) line() (string, error) {
	b, err := p.in.ReadSlice('\n')
	if errors.Is(err, bufio.ErrBufferFull) {
		err = fmt.Errorf("the server sent a line of more than %d octets", maxPopLine)
	}
	if err != nil {
		return "", whyEnded(err)
	}
	return strings.TrimRight(string(b), "\r\n"), nil
}

// whyEnded words the end of a connection in the middle of a conversation.
func whyEnded(err error) error {
	for _, end := range []error{io.EOF, io.ErrUnexpectedEOF, io.ErrClosedPipe, syscall.ECONNRESET, syscall.EPIPE} {
		if errors.Is(err, end) {
			return errors.New("the server hung up")
		}
	}
	return err
}

// answer reads a status line.
func (p *popClient) answer() (string, error) {
	line, err := p.line()
	switch {
	case err != nil:
		return "", err
	case strings.HasPrefix(line, "+OK"):
		return strings.TrimPrefix(strings.TrimPrefix(line, "+OK"), " "), nil
	case strings.HasPrefix(line, "-ERR"):
		return "", popError{line}
	}
	return "", fmt.Errorf("the server said %q, which is no POP3", clean(line, p.conn.secrets))
}

// send sends commands in one flight.
func (p *popClient) send(commands ...string) error {
	var b strings.Builder
	for _, c := range commands {
		b.WriteString(c)
		b.WriteString("\r\n")
	}
	_, err := io.WriteString(p.conn, b.String())
	return err
}

// ask sends one command and reads its status line.
func (p *popClient) ask(command string) (string, error) {
	if err := p.send(command); err != nil {
		return "", err
	}
	text, err := p.answer()
	p.conn.settle()
	return text, err
}

// list reads the lines of a multi-line answer.
func (p *popClient) list(each func(line string)) error {
	for n := 0; ; n++ {
		line, err := p.line()
		if err != nil {
			return err
		}
		if line == "." {
			return nil
		}
		if n == maxPopList {
			return fmt.Errorf("the server's list has more than %d lines", maxPopList)
		}
		each(strings.TrimPrefix(line, "."))
	}
}

// capabilities asks what the server can do, unless it is known.
func (p *popClient) capabilities() error {
	if p.caps != nil {
		return nil
	}
	p.caps = map[string]string{}
	_, err := p.ask("CAPA")
	if errors.As(err, new(popError)) {
		return nil // an old server: nothing beyond RFC 1939
	}
	if err != nil {
		return err
	}
	err = p.list(func(line string) {
		name, rest, _ := strings.Cut(line, " ")
		p.caps[strings.ToUpper(name)] = rest
	})
	p.conn.settle()
	return err
}

// can tells whether the server has a capability.
func (p *popClient) can(name string) bool {
	_, ok := p.caps[name]
	return ok
}

// login logs in, in as few round trips as the server allows.
func (p *popClient) login(user, password string) error {
	plain := base64.StdEncoding.EncodeToString([]byte("\x00" + user + "\x00" + password))
	var err error
	switch {
	case strings.ContainsAny(user+password, "\r\n\x00"):
		return errors.New("the user name or password has a line end in it")
	case strings.Contains(" "+p.caps["SASL"]+" ", " PLAIN ") && len(plain) < 200: // RFC 5034 section 4: a line has 255 octets
		_, err = p.ask("AUTH PLAIN " + plain)
	case p.can("PIPELINING") && !strings.Contains(user, " "): // a server's two answers may wait for an acknowledgement between
		_, err = p.both("USER "+user, "PASS "+password)
	default:
		if _, err = p.ask("USER " + user); err == nil {
			_, err = p.ask("PASS " + password)
		}
	}
	if err != nil {
		return fmt.Errorf("login refused: %w", err)
	}
	return nil
}

// both sends two commands in one flight and gives the second one's answer.
func (p *popClient) both(first, second string) (string, error) {
	if err := p.send(first, second); err != nil {
		return "", err
	}
	_, err := p.answer()
	text, err2 := p.answer()
	p.conn.settle()
	if err != nil {
		return "", err
	}
	return text, err2
}

// popListed is a message of a maildrop.
type popListed struct {
	number int
	size   int64
	uidl   string
}

// maildrop reads the numbers, sizes and lasting names of all messages.
func (p *popClient) maildrop() ([]popListed, error) {
	var list []popListed
	byNumber := map[int]int{}
	take := func(line string, set func(*popListed, string) error) error {
		number, value, _ := strings.Cut(line, " ")
		n, err := strconv.Atoi(number)
		if err != nil || n < 1 {
			return fmt.Errorf("the server listed %q", clean(line, nil))
		}
		i, ok := byNumber[n]
		if !ok {
			i = len(list)
			byNumber[n] = i
			list = append(list, popListed{number: n})
		}
		return set(&list[i], value)
	}
	setUIDL := func(m *popListed, v string) error { m.uidl = v; return nil }
	setSize := func(m *popListed, v string) (err error) {
		first, _, _ := strings.Cut(v, " ")
		m.size, err = strconv.ParseInt(first, 10, 64)
		return err
	}
	err := p.each([]string{"UIDL", "LIST"}, func(i int) error {
		var bad error
		set := setUIDL
		if i == 1 {
			set = setSize
		}
		err := p.list(func(line string) { bad = errors.Join(bad, take(line, set)) })
		return errors.Join(err, bad)
	})
	return list, err
}

// each sends commands, ahead of their answers if the server allows it, and calls
// then for each +OK to read what follows.
func (p *popClient) each(commands []string, then func(i int) error) error {
	ahead := 1
	if p.can("PIPELINING") {
		ahead = popFlight
	}
	for begin := 0; begin < len(commands); begin += ahead {
		flight := commands[begin:min(begin+ahead, len(commands))]
		if err := p.send(flight...); err != nil {
			return err
		}
		for i := range flight {
			if _, err := p.answer(); err != nil {
				verb, _, _ := strings.Cut(flight[i], " ")
				return fmt.Errorf("%s refused: %w", verb, err)
			}
			if err := then(begin + i); err != nil {
				return err
			}
		}
		p.conn.settle()
	}
	return nil
}

// message reads a message's text; keep gets its first octets, the size counts all
// of it as the server has it.
func (p *popClient) message() (head []byte, size int64, err error) {
	begin := true // of a line
	for {
		part, err := p.in.ReadSlice('\n')
		if err != nil && !errors.Is(err, bufio.ErrBufferFull) {
			return nil, 0, whyEnded(err)
		}
		if begin && (string(part) == ".\r\n" || string(part) == ".\n") {
			return head, size, nil
		}
		if begin {
			part = bytes.TrimPrefix(part, []byte(".")) // RFC 1939 section 3
		}
		begin = err == nil
		if size += int64(len(part)); size > maxPopMessage {
			return nil, 0, fmt.Errorf("the server sent a message of more than %d octets", maxPopMessage)
		}
		head = append(head, part[:min(len(part), maxHead-len(head))]...)
	}
}
