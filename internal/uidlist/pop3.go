package uidlist

import (
	"context"
	"crypto/tls"
	"encoding/base64"
	"errors"
	"fmt"
	"net"
	"slices"
	"strconv"
	"strings"
	"time"
)

// Server is a running POP3 server and an account there.
type Server struct {
	Address        string // host:port
	User, Password string
	TLS            *tls.Config // nil: no TLS
	Implicit       bool        // TLS from the start; else STLS
	Timeout        time.Duration
}

const (
	defaultTimeout = time.Minute // for one answer
	window         = 64          // commands sent ahead
)

// Read lists the messages of the maildrop. It deletes nothing. progress is told
// how many of how many it has.
func (s Server) Read(ctx context.Context, progress func(done, all int)) ([]Message, error) {
	c, err := s.dial(ctx)
	if err != nil {
		return nil, fmt.Errorf("%s: %w", s.Address, err)
	}
	defer c.conn.Close()
	stop := context.AfterFunc(ctx, func() { c.conn.SetDeadline(time.Unix(1, 0)) })
	defer stop()
	list, err := c.read(s, progress)
	if err != nil {
		return nil, fmt.Errorf("%s: %w", s.Address, errors.Join(ctx.Err(), err))
	}
	return list, nil
}

func (s Server) dial(ctx context.Context) (*wire, error) {
	if s.Timeout <= 0 {
		s.Timeout = defaultTimeout
	}
	d := net.Dialer{Timeout: s.Timeout}
	conn, err := d.DialContext(ctx, "tcp", s.Address)
	if err != nil {
		return nil, err
	}
	if s.TLS != nil && s.Implicit {
		conn = tls.Client(conn, s.tls())
	}
	c := newWire(conn, s.Timeout)
	if _, err = c.status(); err == nil && s.TLS != nil && !s.Implicit {
		err = c.startTLS(s.tls())
	}
	if err != nil {
		conn.Close()
		return nil, err
	}
	return c, nil
}

// tls gives the configuration with the server's name in it.
func (s Server) tls() *tls.Config {
	cfg := s.TLS.Clone()
	if host, _, err := net.SplitHostPort(s.Address); err == nil && cfg.ServerName == "" {
		cfg.ServerName = host
	}
	return cfg
}

func (c *wire) startTLS(cfg *tls.Config) error {
	if _, err := c.command("STLS"); err != nil {
		return err
	}
	if c.r.Buffered() > 0 {
		return errors.New("something came before the TLS handshake")
	}
	*c = *newWire(tls.Client(c.conn, cfg), c.timeout)
	return nil
}

// read logs in and reads what there is.
func (c *wire) read(s Server, progress func(done, all int)) ([]Message, error) {
	words := c.capabilities()
	if slices.Contains(words, "UTF8") || slices.Contains(words, "UTF8 USER") {
		// RFC 6856: else some messages would come in another form.
		if _, err := c.command("UTF8"); err != nil && !isRefusal(err) {
			return nil, err
		}
	}
	if err := c.login(s, words); err != nil {
		return nil, err
	}
	list, numbers, err := c.listings()
	if err != nil {
		return nil, err
	}
	ahead := 1
	if slices.Contains(words, "PIPELINING") {
		ahead = window
	}
	if err := c.headers(list, numbers, ahead, progress); err != nil {
		return nil, err
	}
	_, err = c.command("QUIT")
	return list, err
}

// capabilities gives the lines of CAPA, in capitals; none when the server does
// not know the command (RFC 2449 section 5).
func (c *wire) capabilities() (words []string) {
	if _, err := c.command("CAPA"); err != nil {
		return nil
	}
	c.multiline(func(line []byte) error {
		if len(words) < 100 {
			words = append(words, strings.ToUpper(string(line)))
		}
		return nil
	})
	return words
}

func (c *wire) login(s Server, words []string) error {
	sasl := slices.ContainsFunc(words, func(w string) bool {
		f := strings.Fields(w)
		return len(f) > 1 && f[0] == "SASL" && slices.Contains(f[1:], "PLAIN")
	})
	if sasl && !slices.Contains(words, "USER") || strings.ContainsAny(s.User+s.Password, "\r\n\x00") {
		secret := base64.StdEncoding.EncodeToString([]byte("\x00" + s.User + "\x00" + s.Password))
		if _, err := c.command("AUTH PLAIN"); err != nil {
			return fmt.Errorf("log in: %w", err)
		}
		_, err := c.command(secret)
		return wrap("log in", err)
	}
	if _, err := c.command("USER " + s.User); err != nil {
		return fmt.Errorf("log in: %w", err)
	}
	_, err := c.command("PASS " + s.Password)
	return wrap("log in", err)
}

func wrap(what string, err error) error {
	if err == nil {
		return nil
	}
	return fmt.Errorf("%s: %w", what, err)
}

// listings reads UIDL and LIST.
func (c *wire) listings() (list []Message, numbers []int, err error) {
	if _, err := c.command("UIDL"); err != nil {
		return nil, nil, wrap("UIDL", err)
	}
	place := map[int]int{}
	err = c.multiline(func(line []byte) error {
		number, uidl, ok := strings.Cut(string(line), " ")
		n, err := strconv.Atoi(number)
		if err != nil || !ok || n < 1 {
			return fmt.Errorf("UIDL: a line %q", line)
		}
		if len(list) == maxMessages {
			return ErrTooMany
		}
		place[n] = len(list)
		list = append(list, Message{Name: clip(number, maxName), UIDL: clip(strings.TrimSpace(uidl), maxUIDL)})
		numbers = append(numbers, n)
		return nil
	})
	if err != nil {
		return nil, nil, err
	}
	if _, err := c.command("LIST"); err != nil {
		return nil, nil, wrap("LIST", err)
	}
	err = c.multiline(func(line []byte) error {
		var n int
		var size int64
		if _, err := fmt.Sscan(string(line), &n, &size); err != nil {
			return fmt.Errorf("LIST: a line %q", line)
		}
		if i, ok := place[n]; ok {
			list[i].Size = size
		}
		return nil
	})
	return list, numbers, err
}

// headers reads the header of each message with TOP, ahead commands at a time;
// from a server that has no TOP with RETR.
func (c *wire) headers(list []Message, numbers []int, ahead int, progress func(done, all int)) error {
	top := true
	for from := 0; from < len(list); {
		to := min(from+ahead, len(list))
		if from == 0 {
			to = 1 // does it know TOP?
		}
		for _, n := range numbers[from:to] {
			c.send(headerCommand(top, n))
		}
		for i := from; i < to; i++ {
			header, err := c.header()
			if from == 0 && top && isRefusal(err) {
				top, to = false, 0
				break
			}
			if err != nil {
				return fmt.Errorf("message %d: %w", numbers[i], err)
			}
			list[i].Print, list[i].ID = PrintOf(header), IDOf(header)
		}
		if to == 0 {
			continue // once more, with RETR
		}
		from = to
		progress(from, len(list))
	}
	return nil
}

func headerCommand(top bool, n int) string {
	if top {
		return fmt.Sprintf("TOP %d 0", n)
	}
	return fmt.Sprintf("RETR %d", n)
}

// header reads the answer to TOP or RETR and keeps the header.
func (c *wire) header() (header []byte, err error) {
	if _, err := c.status(); err != nil {
		return nil, err
	}
	body := false
	err = c.multiline(func(line []byte) error {
		body = body || len(line) == 0
		if !body && len(header) < maxHeader {
			header = append(append(header, line...), '\n')
		}
		return nil
	})
	return header, err
}
