package pop3check

import (
	"cmp"
	"context"
	"crypto/tls"
	"errors"
	"fmt"
	"net"
	"slices"
	"strings"

	"github.com/emersion/go-imap/v2"
	"github.com/emersion/go-imap/v2/imapclient"
)

// openSide opens the door that the configuration names; IMAP before LMTP.
func openSide(ctx context.Context, cfg *Config) (mailSide, error) {
	switch {
	case cfg.IMAP != "":
		return openIMAP(cfg)
	case cfg.LMTP != "":
		to := cmp.Or(cfg.Recipient, cfg.User)
		if !strings.Contains(to, "@") {
			to += "@localhost"
		}
		return &lmtpSide{ctx, cfg.LMTP, to, cmp.Or(cfg.Timeout, defaultTimeout)}, nil
	}
	return nil, nil
}

// imapSide puts mail in by IMAP, and sees what POP3 does to it.
type imapSide struct {
	c    *imapclient.Client
	user string
}

func openIMAP(cfg *Config) (*imapSide, error) {
	config := &tls.Config{}
	if cfg.TLS != nil {
		config = cfg.TLS.Clone()
	}
	if host, _, err := net.SplitHostPort(cfg.IMAP); err == nil && config.ServerName == "" {
		config.ServerName = host
	}
	options := &imapclient.Options{TLSConfig: config}
	dial := imapclient.DialInsecure
	switch {
	case cfg.IMAPTLS:
		dial = imapclient.DialTLS
	case cfg.Security != Plain:
		dial = imapclient.DialStartTLS
	}
	c, err := dial(cfg.IMAP, options)
	if err != nil {
		return nil, fmt.Errorf("IMAP: %w", err)
	}
	if err := c.Login(cfg.User, cfg.Password).Wait(); err != nil {
		c.Close()
		return nil, fmt.Errorf("IMAP login: %w", err)
	}
	return &imapSide{c, cfg.User}, nil
}

func (i *imapSide) exact() bool  { return true }
func (i *imapSide) close() error { return i.c.Close() }

func (i *imapSide) put(text []byte) error {
	cmd := i.c.Append("INBOX", int64(len(text)), nil)
	if _, err := cmd.Write(text); err != nil {
		return err
	}
	if err := cmd.Close(); err != nil {
		return err
	}
	_, err := cmd.Wait()
	return err
}

// find selects a mailbox and gives the UIDs of the messages whose test header
// contains name.
func (i *imapSide) find(mailbox, name string) ([]imap.UID, error) {
	if _, err := i.c.Select(mailbox, nil).Wait(); err != nil {
		return nil, err
	}
	field := imap.SearchCriteriaHeaderField{Key: testHeader, Value: name}
	found, err := i.c.UIDSearch(&imap.SearchCriteria{Header: []imap.SearchCriteriaHeaderField{field}}, nil).Wait()
	if err != nil {
		return nil, err
	}
	return found.AllUIDs(), nil
}

// fetch gives flags and size of one message in INBOX.
func (i *imapSide) fetch(name string) (*imapclient.FetchMessageBuffer, error) {
	uids, err := i.find("INBOX", name)
	if err != nil {
		return nil, err
	}
	if len(uids) == 0 {
		return nil, fmt.Errorf("IMAP does not find message %s", name)
	}
	list, err := i.c.Fetch(imap.UIDSetNum(uids[0]), &imap.FetchOptions{UID: true, Flags: true, RFC822Size: true}).Collect()
	if err != nil {
		return nil, err
	}
	if len(list) == 0 {
		return nil, fmt.Errorf("IMAP does not fetch message %s", name)
	}
	return list[0], nil
}

func (i *imapSide) seen(name string) (bool, error) {
	m, err := i.fetch(name)
	if err != nil {
		return false, err
	}
	return slices.Contains(m.Flags, imap.FlagSeen), nil
}

func (i *imapSide) size(name string) (int, error) {
	m, err := i.fetch(name)
	if err != nil {
		return 0, err
	}
	return int(m.RFC822Size), nil
}

func (i *imapSide) expunge(name string) error { return i.remove("INBOX", name) }

// remove deletes the messages of a mailbox whose test header contains name, and
// no others that are marked as deleted.
func (i *imapSide) remove(mailbox, name string) error {
	uids, err := i.find(mailbox, name)
	if err != nil || len(uids) == 0 {
		return err
	}
	set := imap.UIDSetNum(uids...)
	store := &imap.StoreFlags{Op: imap.StoreFlagsAdd, Silent: true, Flags: []imap.Flag{imap.FlagDeleted}}
	if err := i.c.Store(set, store, nil).Close(); err != nil {
		return err
	}
	if i.c.Caps().Has(imap.CapUIDPlus) || i.c.Caps().Has(imap.CapIMAP4rev2) {
		return i.c.UIDExpunge(set).Close()
	}
	return i.c.Expunge().Close()
}

// clean goes through all mailboxes: POP3 servers may move what is deleted.
func (i *imapSide) clean(token string) error {
	boxes, err := i.c.List("", "*", nil).Collect()
	if err != nil {
		return fmt.Errorf("removing the test mail over IMAP: %w", err)
	}
	var failed error
	for _, box := range boxes {
		if slices.Contains(box.Attrs, imap.MailboxAttrNoSelect) || slices.Contains(box.Attrs, imap.MailboxAttrNonExistent) {
			continue
		}
		if err := i.remove(box.Mailbox, token); err != nil {
			failed = errors.Join(failed, fmt.Errorf("removing the test mail from %s: %w", box.Mailbox, err))
		}
	}
	return failed
}

// forbid takes the rights e and t (RFC 4314) of INBOX from its owner, where the
// server has access lists and lets owners do that to themselves.
func (i *imapSide) forbid() (func() error, error) {
	if !i.c.Caps().Has(imap.CapACL) {
		return nil, nil
	}
	who := imap.RightsIdentifier(i.user)
	rights := imap.RightSet("et")
	undo := func() error {
		return i.c.SetACL("INBOX", who, imap.RightModificationAdd, rights).Wait()
	}
	if err := i.c.SetACL("INBOX", who, imap.RightModificationRemove, rights).Wait(); err != nil {
		return nil, nil // it does not let
	}
	mine, err := i.c.MyRights("INBOX").Wait()
	if err != nil {
		return nil, errors.Join(err, undo())
	}
	if strings.ContainsAny(string(mine.Rights), "et") {
		return nil, undo()
	}
	return undo, nil
}
