package compare

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"strconv"
	"strings"
)

// observer is the run's own hand at the server, beside the comparison: it puts
// messages in, looks what is stored, and removes what the run put in. None of its
// traffic is counted.
type observer struct {
	target *Target
	writer *writer
	client *imapClient
	wrote  bool     // something was put in
	made   []string // folders that the run made
}

// connect logs in unless there is a session.
func (o *observer) connect(ctx context.Context) (*imapClient, error) {
	if o.client != nil {
		return o.client, nil
	}
	service, err := o.target.service(IMAP)
	if err != nil {
		return nil, err
	}
	o.client, err = openIMAP(ctx, service, silent(), Link{}, origin{protocol: IMAP}, o.target.Login)
	if err != nil {
		return nil, o.failed(err)
	}
	return o.client, nil
}

// failed ends the session: the next call makes another.
func (o *observer) failed(err error) error {
	if err == nil {
		return nil
	}
	o.close()
	address := ""
	if o.target.IMAP != nil {
		address = " at " + o.target.IMAP.Address
	}
	return fmt.Errorf("IMAP%s: %w", address, err)
}

// close ends the session.
func (o *observer) close() {
	if o.client != nil {
		_ = o.client.ask("LOGOUT", nil) // politeness
		o.client.conn.close("")
		o.client = nil
	}
}

// put adds a message.
func (o *observer) put(ctx context.Context, box string, l letter) error {
	m, err := o.connect(ctx)
	if err != nil {
		return err
	}
	o.wrote = true
	if _, err := m.append(box, "", l.text); err != nil {
		return o.failed(err)
	}
	return nil
}

// uidNext gives the first UID of INBOX that is free.
func (o *observer) uidNext(ctx context.Context) (uint32, error) {
	m, err := o.connect(ctx)
	if err != nil {
		return 0, err
	}
	if err := m.open("EXAMINE", "INBOX"); err != nil {
		return 0, o.failed(err)
	}
	if m.box.uidNext == 0 {
		return 0, o.failed(errors.New("the server does not tell UIDNEXT"))
	}
	return m.box.uidNext, nil
}

// uidls gives the lasting names of what POP3 shows.
func (o *observer) uidls(ctx context.Context) (names map[string]bool, err error) {
	service, err := o.target.service(POP3)
	if err != nil {
		return nil, err
	}
	login := o.target.Login
	if o.target.Devices != nil { // as a device that is then gone: the account's own password would count as one
		if login, err = o.target.Devices.Login(ctx, "observer", ""); err != nil {
			return nil, err
		}
		defer func() { err = errors.Join(err, o.target.Devices.Revoke(ctx)) }()
	}
	p, err := openPOP3(ctx, service, silent(), Link{}, origin{protocol: POP3}, login, nil)
	if err != nil {
		return nil, fmt.Errorf("POP3 at %s: %w", service.Address, err)
	}
	defer p.conn.close("")
	list, err := p.maildrop()
	if err == nil {
		_, err = p.ask("QUIT")
	}
	if err != nil {
		return nil, fmt.Errorf("POP3 at %s: %w", service.Address, err)
	}
	names = map[string]bool{}
	for _, m := range list {
		names[m.uidl] = true
	}
	return names, nil
}

// knock logs in over POP3 and out again. A server may take its time to check a
// password it has not seen lately; that is no matter of the protocol.
func (o *observer) knock(ctx context.Context, login Login) error {
	service, err := o.target.service(POP3)
	if err != nil {
		return err
	}
	p, err := openPOP3(ctx, service, silent(), Link{}, origin{protocol: POP3}, login, nil)
	if err == nil {
		_, err = p.ask("QUIT")
		p.conn.close("")
	}
	if err != nil {
		return fmt.Errorf("POP3 at %s: %w", service.Address, err)
	}
	return nil
}

// count gives the number of messages in INBOX.
func (o *observer) count(ctx context.Context) (int, error) {
	m, err := o.connect(ctx)
	if err != nil {
		return 0, err
	}
	if err := m.open("EXAMINE", "INBOX"); err != nil {
		return 0, o.failed(err)
	}
	return int(m.box.exists), nil
}

// holds looks what the server has.
func (o *observer) holds(ctx context.Context) (*Holds, error) {
	m, err := o.connect(ctx)
	if err != nil {
		return nil, err
	}
	boxes, err := o.personal(m)
	if err != nil {
		return nil, o.failed(err)
	}
	h := &Holds{}
	for _, f := range boxes {
		if err := o.addBox(m, h, f.name); err != nil {
			return nil, o.failed(err)
		}
	}
	return h, nil
}

// personal lists the account's own folders that can be opened, without those that
// others share with it (RFC 2342 section 5).
func (o *observer) personal(m *imapClient) ([]folder, error) {
	var others []string
	if m.can("NAMESPACE") {
		err := m.ask("NAMESPACE", func(r *response) {
			if r.word != "NAMESPACE" {
				return
			}
			for i := 1; i < min(3, len(r.data)); i++ {
				for j := range r.data[i].list {
					others = append(others, r.data[i].list[j].at(0).text)
				}
			}
		})
		if err != nil {
			return nil, err
		}
	}
	list, err := m.folders()
	return slices.DeleteFunc(list, func(f folder) bool {
		return !f.open || slices.ContainsFunc(others, func(prefix string) bool { return prefix != "" && strings.HasPrefix(f.name, prefix) })
	}), err
}

// addBox adds one folder and the run's messages in it.
func (o *observer) addBox(m *imapClient, h *Holds, name string) error {
	box := Box{Name: clean(name, nil)}
	var err error
	if m.can("STATUS=SIZE") {
		err = box.status(m, name)
	} else {
		err = box.list(m, name)
	}
	if err == nil && o.wrote && box.Messages > 0 {
		err = o.addOwns(m, h, name)
	}
	h.Messages += box.Messages
	h.Bytes += box.Bytes
	if len(h.Boxes) < MaxListed {
		h.Boxes = append(h.Boxes, box)
	}
	return err
}

// status asks for a folder's numbers (RFC 8438 section 2).
func (b *Box) status(m *imapClient, name string) error {
	return m.ask("STATUS "+quote(name)+" (MESSAGES UNSEEN SIZE)", func(r *response) {
		if r.word != "STATUS" || len(r.data) < 2 {
			return
		}
		for i, pairs := 0, r.data[1].list; i+1 < len(pairs); i += 2 {
			n, err := strconv.ParseInt(pairs[i+1].text, 10, 64)
			if err != nil {
				continue
			}
			switch strings.ToUpper(pairs[i].text) {
			case "MESSAGES":
				b.Messages = int(n)
			case "UNSEEN":
				b.Unseen = int(n)
			case "SIZE":
				b.Bytes = n
			}
		}
	})
}

// list counts a folder's messages one by one.
func (b *Box) list(m *imapClient, name string) error {
	if err := m.open("EXAMINE", name); err != nil || m.box.exists == 0 {
		return err
	}
	b.Messages = int(m.box.exists)
	return m.fetch("FETCH 1:* (UID FLAGS RFC822.SIZE)", func(f *fetched) {
		b.Bytes += f.size
		if !f.has(`\Seen`) {
			b.Unseen++
		}
	})
}

// addOwns adds the run's messages in one folder.
func (o *observer) addOwns(m *imapClient, h *Holds, name string) error {
	if err := m.open("EXAMINE", name); err != nil {
		return err
	}
	uids, err := o.own(m)
	if err != nil || len(uids) == 0 {
		return err
	}
	return m.fetch("UID FETCH "+uidSet(uids)+" "+about, func(f *fetched) { h.addOwn(f, name) })
}

// addOwn adds one of the run's messages.
func (h *Holds) addOwn(f *fetched, box string) {
	h.Own++
	h.OwnBytes += f.size
	if len(h.Mail) < MaxListed {
		h.Mail = append(h.Mail, Mail{Key: f.id, Subject: f.subject, Folder: clean(box, nil),
			Seen: f.has(`\Seen`), Flagged: f.has(`\Flagged`), Text: true, Whole: true, Bytes: f.size})
	}
}

// own finds the run's messages in the open folder.
func (o *observer) own(m *imapClient) ([]uint32, error) {
	var uids []uint32
	err := m.ask(`UID SEARCH HEADER "Message-ID" `+quote("."+o.writer.run+"@"+ownDomain), func(r *response) {
		if r.word == "SEARCH" {
			for i := range r.data {
				if uid := number(r.data[i].text); uid > 0 {
					uids = append(uids, uid)
				}
			}
		}
	})
	return uids, err
}

// clean removes what the run put in, and the folders it made.
func (o *observer) clean(ctx context.Context) error {
	if !o.wrote && len(o.made) == 0 {
		return nil
	}
	m, err := o.connect(ctx)
	if err != nil {
		return fmt.Errorf("remove what the run put in: %w", err)
	}
	boxes, err := o.personal(m)
	for _, f := range boxes {
		if err == nil {
			err = o.cleanBox(m, f.name)
		}
	}
	for _, name := range o.made {
		if err == nil {
			err = o.removeFolder(m, name)
		}
	}
	if err != nil {
		return fmt.Errorf("remove what the run put in: %w", o.failed(err))
	}
	o.wrote, o.made = false, nil
	return nil
}

func (o *observer) cleanBox(m *imapClient, name string) error {
	if err := m.open("SELECT", name); err != nil {
		return err
	}
	if m.box.exists == 0 {
		return nil
	}
	uids, err := o.own(m)
	if err != nil || len(uids) == 0 {
		return err
	}
	if err := m.ask("UID STORE "+uidSet(uids)+` +FLAGS.SILENT (\Deleted)`, nil); err != nil {
		return err
	}
	if !m.can("UIDPLUS") {
		return fmt.Errorf("the server has no UIDPLUS: %s in %s stay, marked as deleted", count(int64(len(uids)), "message"), clean(name, nil))
	}
	return m.ask("UID EXPUNGE "+uidSet(uids), nil)
}

// removeFolder removes a folder that the run made, unless somebody put something
// into it meanwhile.
func (o *observer) removeFolder(m *imapClient, name string) error {
	if err := m.open("EXAMINE", name); err != nil || m.box.exists > 0 {
		return err
	}
	if err := m.open("EXAMINE", "INBOX"); err != nil {
		return err
	}
	return m.ask("DELETE "+quote(name), nil)
}

// inFolder counts the run's messages in folders with these names.
func (h *Holds) inFolder(names ...string) int64 {
	var n int64
	for i := range h.Mail {
		if slices.ContainsFunc(names, func(name string) bool { return strings.EqualFold(name, h.Mail[i].Folder) }) {
			n++
		}
	}
	return n
}
