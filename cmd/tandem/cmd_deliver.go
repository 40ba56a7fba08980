package main

import (
	"bufio"
	"bytes"
	"context"
	"errors"
	"fmt"
	"io"
	"net"
	"strings"
	"time"

	"github.com/emersion/go-smtp"
	"github.com/spf13/cobra"
)

// deliverTime is how long one delivery may take: the time RFC 5321 section
// 4.5.3.2.6 gives the end of data.
const deliverTime = 10 * time.Minute

func deliverCommand(a *app) *cobra.Command {
	var to, from string
	cmd := &cobra.Command{
		Use:   "deliver --to NAME < MESSAGE",
		Short: "Hand one message to the running server, for a mail server's pipe",
		Long: "Hand the message on standard input to the server over LMTP. Exit code 75 when it\n" +
			"should be tried again later, 1 when it is refused for good.",
		Args: args(0, 0),
		RunE: func(cmd *cobra.Command, _ []string) error {
			if to == "" {
				return usageError{errors.New("deliver: no recipient (name it with --to)")}
			}
			l, err := a.config()
			if err != nil {
				return err
			}
			if err := a.deliver(cmd.Context(), l, from, to); err != nil {
				return fmt.Errorf("deliver to %s: %w", to, err)
			}
			return nil
		},
	}
	cmd.Flags().StringVar(&to, "to", "", "the account, or an address of it")
	cmd.Flags().StringVar(&from, "from", "", "the envelope sender")
	return cmd
}

// deliver speaks LMTP to the first LMTP listener, a unix socket before others.
func (a *app) deliver(ctx context.Context, l *loaded, from, to string) error {
	if !strings.Contains(to, "@") {
		to += "@" + l.Hostname
	}
	network, addr, err := lmtpAddr(l)
	if err != nil {
		return err
	}
	dialer := net.Dialer{Timeout: 30 * time.Second}
	conn, err := dialer.DialContext(ctx, network, addr)
	if err != nil {
		return temporaryError{fmt.Errorf("%w (is the server running?)", err)}
	}
	stop := context.AfterFunc(ctx, func() { conn.Close() })
	defer stop()
	client := smtp.NewClientLMTP(conn)
	client.SubmissionTimeout = deliverTime
	defer client.Close()
	return lmtpError(handOver(client, l.Hostname, from, to, skipFromLine(a.in)))
}

// lmtpAddr gives the address that deliver dials.
func lmtpAddr(l *loaded) (network, addr string, err error) {
	for _, addr := range l.LMTP.Listen {
		if path, ok := strings.CutPrefix(addr, "unix:"); ok {
			return "unix", path, nil
		}
	}
	if len(l.LMTP.Listen) == 0 {
		return "", "", usageError{errors.New("no LMTP listener is configured (set listen under [lmtp])")}
	}
	host, port, err := net.SplitHostPort(l.LMTP.Listen[0])
	if ip := net.ParseIP(host); host == "" || ip != nil && ip.IsUnspecified() {
		host = "localhost"
	}
	return "tcp", net.JoinHostPort(host, port), err
}

func handOver(c *smtp.Client, hostname, from, to string, message io.Reader) error {
	if err := c.Hello(hostname); err != nil {
		return err
	}
	utf8 := strings.ContainsFunc(from+to, func(r rune) bool { return r > 0x7f })
	if err := c.Mail(from, &smtp.MailOptions{UTF8: utf8}); err != nil {
		return err
	}
	if err := c.Rcpt(to, nil); err != nil {
		return err
	}
	w, err := c.Data()
	if err != nil {
		return err
	}
	if _, err := io.Copy(w, message); err != nil {
		return err // nothing is delivered: the end of the data was not sent
	}
	if err := w.Close(); err != nil {
		return err
	}
	c.Quit() // the message is delivered whatever it answers
	return nil
}

// lmtpError tells failures that may pass, which all but a 5xx reply may, from
// those that will not.
func lmtpError(err error) error {
	if err == nil {
		return nil
	}
	var all smtp.LMTPDataError // one reply for each recipient; there is one
	if errors.As(err, &all) {
		for _, status := range all {
			err = status
		}
	}
	var status *smtp.SMTPError
	if errors.As(err, &status) && status.Code >= 500 {
		return err
	}
	return temporaryError{err}
}

// skipFromLine passes the "From " line that some mail servers put before a
// message they pipe.
func skipFromLine(in io.Reader) io.Reader {
	buffered := bufio.NewReader(in)
	if head, _ := buffered.Peek(5); !bytes.Equal(head, []byte("From ")) {
		return buffered
	}
	for {
		if _, err := buffered.ReadSlice('\n'); err != bufio.ErrBufferFull {
			return buffered
		}
	}
}
