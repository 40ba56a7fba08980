package compare

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"strconv"
	"strings"
)

// IMAPDevice is a computer or telephone that reads mail over IMAP. What it has is
// a copy of what the server has; folders, flags and sent mail are the server's.
type IMAPDevice struct {
	device
	client *imapClient // nil without a session
	opened bool        // INBOX is
	boxes  []folder    // what it knows of the server's folders
}

// NewIMAP adds a device.
func (s *Stage) NewIMAP() *IMAPDevice {
	d := &IMAPDevice{device: s.newDevice(IMAP)}
	s.open = append(s.open, d)
	return d
}

// connect logs in unless there is a session.
func (d *IMAPDevice) connect(ctx context.Context) error {
	if err := d.goOnline(); err != nil || d.client != nil {
		return err
	}
	service, err := d.stage.target.service(IMAP)
	if err != nil {
		return err
	}
	d.client, err = openIMAP(ctx, service, d.stage.rec, d.stage.opts.Link, d.origin(), d.stage.target.Login)
	return d.failed(err)
}

// inbox opens INBOX unless it is open.
func (d *IMAPDevice) inbox(ctx context.Context) error {
	if err := d.connect(ctx); err != nil || d.opened {
		return err
	}
	command := "SELECT"
	if !d.stage.opts.Write {
		command = "EXAMINE" // not even \Recent changes
	}
	if err := d.client.open(command, "INBOX"); err != nil {
		return d.ended(err)
	}
	d.opened = true
	return nil
}

// ended ends a session that an error has made useless.
func (d *IMAPDevice) ended(err error) error {
	if err != nil {
		d.hangUp(reason(err))
	}
	return d.failed(err)
}

// hangUp closes the connection.
func (d *IMAPDevice) hangUp(why string) {
	if d.client != nil {
		d.client.conn.close(why)
	}
	d.client, d.opened = nil, false
}

// Quit ends the session.
func (d *IMAPDevice) Quit() error {
	if d.client == nil {
		return nil
	}
	err := d.client.ask("LOGOUT", nil)
	if err != nil {
		return d.ended(err)
	}
	d.hangUp("")
	return nil
}

// Hello connects, logs in and logs out.
func (d *IMAPDevice) Hello(ctx context.Context) error {
	if err := d.act("connects and logs in"); err != nil {
		return err
	}
	if err := d.connect(ctx); err != nil {
		return err
	}
	return d.Quit()
}

// about is what a list of messages shows of each.
const about = "(UID FLAGS RFC822.SIZE ENVELOPE)"

// Look shows the subjects of the newest n messages.
func (d *IMAPDevice) Look(ctx context.Context, n int) error {
	if err := d.act("shows the newest %d subjects", n); err != nil {
		return err
	}
	if err := d.inbox(ctx); err != nil {
		return err
	}
	if exists := d.client.box.exists; exists > 0 {
		first := int64(exists) - int64(min(uint32(n), exists)) + 1
		err := d.client.fetch(fmt.Sprintf("FETCH %d:%d %s", first, exists, about), func(f *fetched) {
			d.subject(f)
			if len(d.disk.mail) == 1 {
				d.mark(MarkFirstSubject)
			}
		})
		if err != nil {
			return d.ended(err)
		}
	}
	d.mark(MarkAllSubjects)
	d.show()
	return nil
}

// headSize is about what a device keeps of a message it has only listed.
func headSize(f *fetched) int64 { return int64(len(f.subject) + len(f.id) + 100) }

// subject stores what a list shows of a message.
func (d *IMAPDevice) subject(f *fetched) *stored {
	key := f.id
	if key == "" {
		key = "uid " + strconv.FormatUint(uint64(f.uid), 10)
	}
	m := d.disk.find(key)
	if m == nil {
		m = d.disk.put(stored{Mail: Mail{Key: key, Subject: f.subject, Folder: "INBOX", Bytes: headSize(f)}})
	}
	m.uid = f.uid
	m.Seen, m.Flagged = f.has(`\Seen`), f.has(`\Flagged`)
	return m
}

// Sync brings the list of messages up to date: new ones, changed flags, gone ones.
func (d *IMAPDevice) Sync(ctx context.Context) error {
	if err := d.act("brings its list up to date"); err != nil {
		return err
	}
	if err := d.inbox(ctx); err != nil {
		return err
	}
	var last uint32
	for _, m := range d.disk.mail {
		last = max(last, m.uid)
	}
	from := max(last+1, d.stage.known.uid)
	if from == 1 && d.client.box.exists > uint32(d.stage.opts.Messages) {
		return d.Look(ctx, d.stage.opts.Messages)
	}
	var commands []string
	if last > 0 {
		commands = append(commands, fmt.Sprintf("UID FETCH %d:%d (UID FLAGS)", max(1, d.stage.known.uid), last))
	}
	commands = append(commands, fmt.Sprintf("UID FETCH %d:* %s", from, about))
	tags, err := d.client.send(commands...)
	if err != nil {
		return d.ended(err)
	}
	there := map[uint32]bool{}
	for _, tag := range tags {
		if _, err := d.client.wait(tag, func(r *response) { d.told(r, from, there) }); err != nil {
			return d.ended(err)
		}
	}
	d.disk.drop(func(m *stored) bool { return m.uid > 0 && !there[m.uid] })
	d.show()
	return nil
}

// told takes what a list is made of; n:* names the last message even when its UID
// is below n (RFC 3501 section 6.4.8).
func (d *IMAPDevice) told(r *response, from uint32, there map[uint32]bool) {
	if r.word != "FETCH" || len(r.data) == 0 {
		return
	}
	f := readFetch(&r.data[0])
	i := slices.IndexFunc(d.disk.mail, func(m *stored) bool { return m.uid == f.uid && f.uid > 0 })
	switch {
	case i >= 0:
		d.disk.mail[i].Seen, d.disk.mail[i].Flagged = f.has(`\Seen`), f.has(`\Flagged`)
	case f.uid >= from:
		d.subject(&f)
	}
	there[f.uid] = true
}

// Download fetches the whole of all messages on the list, or of the newest ones
// if it has no list yet, for use without a connection and without marking them as
// read.
func (d *IMAPDevice) Download(ctx context.Context) error {
	if err := d.act("downloads all messages"); err != nil {
		return err
	}
	if err := d.inbox(ctx); err != nil {
		return err
	}
	if len(d.disk.mail) == 0 {
		return d.downloadNewest()
	}
	var set []uint32
	for _, m := range d.disk.mail {
		if m.uid > 0 && !m.Whole {
			set = append(set, m.uid)
		}
	}
	if len(set) > 0 {
		err := d.client.fetch("UID FETCH "+uidSet(set)+" (UID BODY.PEEK[])", func(f *fetched) {
			if m := d.byUID(f.uid); m != nil {
				m.Bytes, m.Text, m.Whole = f.octets, true, true
			}
		})
		if err != nil {
			return d.ended(err)
		}
	}
	d.show()
	return nil
}

// downloadNewest fetches whole messages without a list of them before.
func (d *IMAPDevice) downloadNewest() error {
	exists := d.client.box.exists
	first := exists - min(uint32(d.stage.opts.Messages), exists) + 1
	command := fmt.Sprintf("FETCH %d:%d (UID FLAGS BODY.PEEK[])", first, exists)
	if d.stage.known.on {
		command = fmt.Sprintf("UID FETCH %d:* (UID FLAGS BODY.PEEK[])", d.stage.known.uid)
	}
	if exists > 0 {
		err := d.client.fetch(command, func(f *fetched) {
			if f.octets == 0 || f.uid < d.stage.known.uid {
				return
			}
			f.subject, f.id = headOf([]byte(f.head))
			m := d.subject(f)
			m.Bytes, m.Text, m.Whole = f.octets, true, true
		})
		if err != nil {
			return d.ended(err)
		}
	}
	d.show()
	return nil
}

func (d *IMAPDevice) byUID(uid uint32) *stored {
	i := slices.IndexFunc(d.disk.mail, func(m *stored) bool { return m.uid == uid && uid > 0 })
	if i < 0 {
		return nil
	}
	return d.disk.mail[i]
}

// uidSet writes UIDs as a set of ranges.
func uidSet(uids []uint32) string {
	slices.Sort(uids)
	var b strings.Builder
	for i := 0; i < len(uids); {
		j := i
		for j+1 < len(uids) && uids[j+1] == uids[j]+1 {
			j++
		}
		if i > 0 {
			b.WriteByte(',')
		}
		b.WriteString(strconv.FormatUint(uint64(uids[i]), 10))
		if j > i {
			b.WriteString(":" + strconv.FormatUint(uint64(uids[j]), 10))
		}
		i = j + 1
	}
	return b.String()
}

// one finds a message of INBOX on the device and opens INBOX.
func (d *IMAPDevice) one(ctx context.Context, key string) (*stored, error) {
	m := d.disk.find(key)
	if m == nil || m.uid == 0 {
		return nil, fmt.Errorf("%s has no such message", d.name)
	}
	return m, d.inbox(ctx)
}

// Read opens a message: its text comes from the disk or the server, its
// attachments stay where they are, and the server marks it as read for all.
func (d *IMAPDevice) Read(ctx context.Context, key string) error {
	if err := d.act("opens a message"); err != nil {
		return err
	}
	m, err := d.one(ctx, key)
	if err != nil {
		return err
	}
	if m.Text {
		err = d.client.ask(fmt.Sprintf(`UID STORE %d +FLAGS.SILENT (\Seen)`, m.uid), nil)
	} else {
		err = d.fetchText(m)
	}
	if err != nil {
		return d.ended(err)
	}
	m.Seen = true
	d.mark(MarkReadable)
	d.show()
	return nil
}

// fetchText asks for a message's parts, then for its text alone.
func (d *IMAPDevice) fetchText(m *stored) error {
	text, all := "TEXT", true
	err := d.client.fetch(fmt.Sprintf("UID FETCH %d (UID BODYSTRUCTURE)", m.uid), func(f *fetched) {
		list := parts(&f.parts, "")
		if i := slices.IndexFunc(list, func(p part) bool { return p.text }); i >= 0 {
			text, all = list[i].number, len(list) == 1
		}
	})
	if err != nil {
		return err
	}
	// Without .PEEK this sets \Seen (RFC 3501 section 6.4.5).
	return d.client.fetch(fmt.Sprintf("UID FETCH %d (UID BODY[%s])", m.uid, text), func(f *fetched) {
		if f.uid == m.uid && f.octets > 0 {
			m.Bytes += f.octets
			m.Text, m.Whole = true, all
		}
	})
}

// Flag marks a message, on the server.
func (d *IMAPDevice) Flag(ctx context.Context, key string) error {
	if err := d.act("flags a message"); err != nil {
		return err
	}
	m, err := d.one(ctx, key)
	if err != nil {
		return err
	}
	if err := d.client.ask(fmt.Sprintf(`UID STORE %d +FLAGS.SILENT (\Flagged)`, m.uid), nil); err != nil {
		return d.ended(err)
	}
	m.Flagged = true
	d.show()
	return nil
}

// File moves a message to a folder on the server, which is made if it is not
// there.
func (d *IMAPDevice) File(ctx context.Context, key, name string) error {
	if err := d.act("files a message in %s", name); err != nil {
		return err
	}
	m, err := d.one(ctx, key)
	if err != nil {
		return err
	}
	if err := d.makeFolder(name); err != nil {
		return d.ended(err)
	}
	if err := d.move(m.uid, name); err != nil {
		return d.ended(err)
	}
	m.Folder, m.uid = name, 0
	d.show()
	return nil
}

// makeFolder makes a folder unless the device knows it to be there.
func (d *IMAPDevice) makeFolder(name string) error {
	if err := d.knowFolders(); err != nil {
		return err
	}
	if slices.ContainsFunc(d.boxes, func(f folder) bool { return f.name == name }) {
		return nil
	}
	if err := d.client.ask("CREATE "+quote(name), nil); err != nil {
		return err
	}
	d.stage.server.made = append(d.stage.server.made, name)
	d.boxes = append(d.boxes, folder{name: name, open: true})
	d.disk.addFolder(name)
	return nil
}

// knowFolders lists the folders, once.
func (d *IMAPDevice) knowFolders() (err error) {
	if d.boxes == nil {
		d.boxes, err = d.client.folders()
		for _, f := range d.boxes {
			d.disk.addFolder(f.name)
		}
	}
	return err
}

// use gives the folder for a special use (RFC 6154), or the one with that name.
func (d *IMAPDevice) use(name string) (string, error) {
	if err := d.knowFolders(); err != nil {
		return "", err
	}
	for _, f := range d.boxes {
		if f.open && strings.EqualFold(f.use, `\`+name) {
			return f.name, nil
		}
	}
	return name, d.makeFolder(name)
}

// move moves a message on the server; without MOVE it is copied and deleted.
func (d *IMAPDevice) move(uid uint32, to string) error {
	if d.client.can("MOVE") {
		return d.client.ask(fmt.Sprintf("UID MOVE %d %s", uid, quote(to)), nil)
	}
	if err := d.client.ask(fmt.Sprintf("UID COPY %d %s", uid, quote(to)), nil); err != nil {
		return err
	}
	return d.expunge(uid)
}

// expunge removes one message and no other.
func (d *IMAPDevice) expunge(uid uint32) error {
	if !d.client.can("UIDPLUS") {
		return fmt.Errorf("the server has no UIDPLUS, and EXPUNGE would remove others' messages too")
	}
	tags, err := d.client.send(fmt.Sprintf(`UID STORE %d +FLAGS.SILENT (\Deleted)`, uid), fmt.Sprintf("UID EXPUNGE %d", uid))
	if err != nil {
		return err
	}
	for _, tag := range tags {
		if _, err := d.client.wait(tag, nil); err != nil {
			return err
		}
	}
	return nil
}

// Delete deletes a message for all devices: into Trash, or for good.
func (d *IMAPDevice) Delete(ctx context.Context, key string, forGood bool) error {
	if err := d.act("deletes a message"); err != nil {
		return err
	}
	m, err := d.one(ctx, key)
	if err != nil {
		return err
	}
	if !d.stage.writer.owns(key) {
		return fmt.Errorf("that message is not one that this run put in")
	}
	if forGood {
		err = d.expunge(m.uid)
	} else {
		var trash string
		if trash, err = d.use("Trash"); err == nil {
			err = d.move(m.uid, trash)
		}
	}
	if err != nil {
		return d.ended(err)
	}
	d.disk.drop(func(other *stored) bool { return other.Key == key })
	d.show()
	return nil
}

// Send puts the copy of a sent message into the server's Sent folder. (The
// sending itself is not part of either protocol.)
func (d *IMAPDevice) Send(ctx context.Context, size int) error {
	if err := d.act("keeps a copy of a sent message"); err != nil {
		return err
	}
	if err := d.connect(ctx); err != nil {
		return err
	}
	l := d.stage.writer.letter(size, 0, d.stage.opts.Clock.Elapsed())
	sent, err := d.use("Sent")
	if err == nil {
		d.stage.server.wrote = true
		_, err = d.client.append(sent, `\Seen`, l.text)
	}
	if err != nil {
		return d.ended(err)
	}
	d.disk.put(stored{sent: true, Mail: Mail{Key: l.key, Subject: l.subject, Folder: sent, Seen: true, Text: true, Whole: true, Bytes: int64(len(l.text))}})
	d.show()
	return nil
}

// Browse lists the folders and what is in those where this run put something:
// what a new device shows.
func (d *IMAPDevice) Browse(ctx context.Context) error {
	if err := d.act("shows the folders and what is in them"); err != nil {
		return err
	}
	if err := d.connect(ctx); err != nil {
		return err
	}
	if err := d.knowFolders(); err != nil {
		return d.ended(err)
	}
	for _, f := range d.boxes {
		if !f.open || strings.EqualFold(f.name, "INBOX") {
			continue
		}
		err := d.browse(f.name)
		if err != nil && !errors.As(err, new(imapError)) { // one that others share may be closed to us
			return d.ended(err)
		}
	}
	d.opened = false
	d.show()
	return nil
}

// browse opens one folder to look at the messages of this run in it.
func (d *IMAPDevice) browse(name string) error {
	if err := d.client.open("EXAMINE", name); err != nil {
		return err
	}
	exists := d.client.box.exists
	if exists == 0 {
		return nil
	}
	first := exists - min(uint32(MaxListed), exists) + 1
	return d.client.fetch(fmt.Sprintf("FETCH %d:%d %s", first, exists, about), func(f *fetched) {
		if d.stage.writer.owns(f.id) {
			m := d.subject(f)
			m.Folder, m.uid = name, 0
		}
	})
}

// Watch asks the server to tell of new messages as they come (IDLE).
func (d *IMAPDevice) Watch(ctx context.Context) error {
	if err := d.act("asks to be told of new messages"); err != nil {
		return err
	}
	if err := d.inbox(ctx); err != nil {
		return err
	}
	if !d.client.can("IDLE") {
		return d.failed(fmt.Errorf("the server has no IDLE"))
	}
	return d.ended(d.client.startIdle())
}

// Await waits, after Watch, until the server tells of a new message.
func (d *IMAPDevice) Await() error {
	if d.client == nil || d.client.idle == "" {
		return fmt.Errorf("%s does not watch", d.name)
	}
	if err := d.client.awaitNew(); err != nil {
		return d.ended(err)
	}
	d.mark(MarkNoticed)
	return nil
}

// Unwatch ends Watch.
func (d *IMAPDevice) Unwatch() error { return d.ended(d.client.stopIdle()) }

// Pull takes the cable out.
func (d *IMAPDevice) Pull() {
	d.hangUp("the cable is pulled")
	d.offline = true
	d.show()
}

// Plug puts it back.
func (d *IMAPDevice) Plug() { d.offline = false; d.show() }
