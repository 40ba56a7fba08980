package compare

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"strconv"
)

// POP3Device is a computer or telephone that reads mail over POP3. Folders,
// flags and sent mail are its own; the server has only INBOX for it.
type POP3Device struct {
	device
	login Login
	leave bool              // "leave messages on server"
	caps  map[string]string // what it knows of the server from before
}

// NewPOP3 adds a device. Without leave it deletes from the server what it has
// downloaded, which is what policy, where the target has policies, gives a
// meaning to; "" is the account's own.
func (s *Stage) NewPOP3(ctx context.Context, leave bool, policy string) (*POP3Device, error) {
	d := &POP3Device{device: s.newDevice(POP3), login: s.target.Login, leave: leave}
	if s.target.Devices == nil {
		if policy != "" {
			return nil, errNoPolicies
		}
		return d, nil
	}
	var err error
	if d.login, err = s.target.Devices.Login(ctx, d.name, policy); err != nil {
		return nil, err
	}
	if err := s.server.knock(ctx, d.login); err != nil {
		return nil, err
	}
	return d, nil
}

var errNoPolicies = errors.New("the server has no policies")

// session connects, logs in, does f and quits.
func (d *POP3Device) session(ctx context.Context, f func(*popClient) error) error {
	if err := d.goOnline(); err != nil {
		return err
	}
	service, err := d.stage.target.service(POP3)
	if err != nil {
		return err
	}
	p, err := openPOP3(ctx, service, d.stage.rec, d.stage.opts.Link, d.origin(), d.login, d.caps)
	if err != nil {
		return d.failed(err)
	}
	d.caps = p.caps
	if err = f(p); err == nil {
		_, err = p.ask("QUIT")
	}
	if err != nil {
		p.conn.close(reason(err))
		return d.failed(err)
	}
	p.conn.close("")
	return nil
}

// Hello connects, logs in and quits.
func (d *POP3Device) Hello(ctx context.Context) error {
	if err := d.act("connects and logs in"); err != nil {
		return err
	}
	return d.session(ctx, func(*popClient) error { return nil })
}

// maildrop lists what the device may look at: the newest n messages, the oldest
// of them first, without those that a scenario passes over.
func (d *POP3Device) maildrop(p *popClient, n int) ([]popListed, error) {
	list, err := p.maildrop()
	if known := d.stage.known; known.on {
		list = slices.DeleteFunc(list, func(m popListed) bool { return known.uidls[m.uidl] })
	}
	return list[max(0, len(list)-n):], err
}

// has gives the message with a lasting name, nil if it is not on the device.
func (d *POP3Device) has(uidl string) *stored {
	i := slices.IndexFunc(d.disk.mail, func(m *stored) bool { return m.uidl == uidl })
	if i < 0 {
		return nil
	}
	return d.disk.mail[i]
}

// Look shows the subjects of the newest n messages, the newest first.
func (d *POP3Device) Look(ctx context.Context, n int) error {
	if err := d.act("shows the newest %d subjects", n); err != nil {
		return err
	}
	err := d.session(ctx, func(p *popClient) error {
		list, err := d.maildrop(p, n)
		if err != nil {
			return err
		}
		slices.Reverse(list)
		verb, after := "TOP ", " 0"
		if !p.can("TOP") { // then only the whole message has its subject
			verb, after = "RETR ", ""
		}
		var commands []string
		for _, m := range list {
			commands = append(commands, verb+strconv.Itoa(m.number)+after)
		}
		return p.each(commands, func(i int) error {
			err := d.take(p, list[i].uidl, after == "")
			if i == 0 {
				d.mark(MarkFirstSubject)
			}
			return err
		})
	})
	if err == nil {
		d.mark(MarkAllSubjects)
		d.show()
	}
	return err
}

// take reads a message, or only its header, onto the disk.
func (d *POP3Device) take(p *popClient, uidl string, whole bool) error {
	head, size, err := p.message()
	if err != nil {
		return err
	}
	subject, id := headOf(head)
	if id == "" {
		id = "uidl " + uidl
	}
	if m := d.has(uidl); m != nil && whole {
		m.Bytes = 0 // all of it replaces its header
	}
	d.disk.put(stored{uidl: uidl, Mail: Mail{Key: id, Subject: subject, Folder: "INBOX", Text: whole, Whole: whole, Bytes: size}})
	return nil
}

// Sync downloads what is new, and then deletes it from the server unless it is to
// be left there. Of the server's mail it deletes only what this run put in.
func (d *POP3Device) Sync(ctx context.Context) error {
	if err := d.act("downloads what is new"); err != nil {
		return err
	}
	err := d.session(ctx, func(p *popClient) error {
		list, err := d.maildrop(p, d.stage.opts.Messages)
		if err != nil {
			return err
		}
		var commands []string
		list = slices.DeleteFunc(list, func(m popListed) bool { have := d.has(m.uidl); return have != nil && have.Whole })
		for _, m := range list {
			commands = append(commands, "RETR "+strconv.Itoa(m.number))
		}
		if err := p.each(commands, func(i int) error { return d.take(p, list[i].uidl, true) }); err != nil || d.leave {
			return err
		}
		return d.markDeleted(p, list)
	})
	d.show()
	return err
}

// markDeleted sends DELE for what this run put in.
func (d *POP3Device) markDeleted(p *popClient, list []popListed) error {
	var commands []string
	for _, m := range list {
		if have := d.has(m.uidl); have != nil && d.stage.writer.owns(have.Key) {
			commands = append(commands, "DELE "+strconv.Itoa(m.number))
		}
	}
	return p.each(commands, func(int) error { return nil })
}

// Delete deletes messages here and on the server.
func (d *POP3Device) Delete(ctx context.Context, keys ...string) error {
	if err := d.act("deletes %s", count(int64(len(keys)), "message")); err != nil {
		return err
	}
	err := d.session(ctx, func(p *popClient) error {
		list, err := d.maildrop(p, 1<<30)
		if err != nil {
			return err
		}
		return d.markDeleted(p, slices.DeleteFunc(list, func(m popListed) bool {
			have := d.has(m.uidl)
			return have == nil || !slices.Contains(keys, have.Key)
		}))
	})
	if err == nil {
		d.disk.drop(func(m *stored) bool { return slices.Contains(keys, m.Key) })
		d.show()
	}
	return err
}

// Read opens a message: from the disk, or by downloading all of it.
func (d *POP3Device) Read(ctx context.Context, key string) error {
	if err := d.act("opens a message"); err != nil {
		return err
	}
	m := d.disk.find(key)
	if m == nil {
		return fmt.Errorf("%s has no such message", d.name)
	}
	if !m.Whole {
		err := d.session(ctx, func(p *popClient) error {
			list, err := d.maildrop(p, 1<<30)
			if err != nil {
				return err
			}
			i := slices.IndexFunc(list, func(l popListed) bool { return l.uidl == m.uidl })
			if i < 0 {
				return fmt.Errorf("the message is gone from the server")
			}
			return p.each([]string{"RETR " + strconv.Itoa(list[i].number)}, func(int) error { return d.take(p, m.uidl, true) })
		})
		if err != nil {
			return err
		}
	}
	m.Seen = true
	d.mark(MarkReadable)
	d.show()
	return nil
}

// Flag marks a message: on this device.
func (d *POP3Device) Flag(key string) error {
	return d.local(key, "flags a message", func(m *stored) { m.Flagged = true })
}

// File puts a message into a folder: of this device.
func (d *POP3Device) File(key, folder string) error {
	return d.local(key, "files a message in "+folder, func(m *stored) { m.Folder = folder; d.disk.addFolder(folder) })
}

// local changes what only this device knows.
func (d *POP3Device) local(key, what string, change func(*stored)) error {
	if err := d.act("%s", what); err != nil {
		return err
	}
	m := d.disk.find(key)
	if m == nil {
		return fmt.Errorf("%s has no such message", d.name)
	}
	change(m)
	d.show()
	return nil
}

// Send keeps the copy of a sent message, on this device: POP3 cannot put it
// anywhere else. (The sending itself is not part of either protocol.)
func (d *POP3Device) Send(size int) error {
	if err := d.act("keeps a copy of a sent message"); err != nil {
		return err
	}
	l := d.stage.writer.letter(size, 0, d.stage.opts.Clock.Elapsed())
	d.disk.addFolder("Sent")
	d.disk.put(stored{sent: true, Mail: Mail{Key: l.key, Subject: l.subject, Folder: "Sent", Seen: true, Text: true, Whole: true, Bytes: int64(len(l.text))}})
	d.show()
	return nil
}

// Pull takes the cable out.
func (d *POP3Device) Pull() { d.offline = true; d.show() }

// Plug puts it back.
func (d *POP3Device) Plug() { d.offline = false; d.show() }
