package compare

import (
	"slices"
)

// stored is one message on a device's disk.
type stored struct {
	Mail
	uid  uint32 // IMAP: in INBOX; 0 elsewhere
	uidl string // POP3
	sent bool   // from this device
}

// disk is what a device has stored. No message bytes are kept, only how many.
type disk struct {
	mail    []*stored
	folders []string // beside INBOX
}

// find gives a message by its key, nil if it is not there.
func (d *disk) find(key string) *stored {
	i := slices.IndexFunc(d.mail, func(m *stored) bool { return m.Key == key })
	if i < 0 {
		return nil
	}
	return d.mail[i]
}

// put stores a message, or more of one that is there.
func (d *disk) put(m stored) *stored {
	if old := d.find(m.Key); old != nil {
		old.Bytes += m.Bytes
		old.Text, old.Whole = old.Text || m.Text, old.Whole || m.Whole
		if m.uid != 0 {
			old.uid = m.uid
		}
		return old
	}
	d.mail = append(d.mail, &m)
	return &m
}

// drop forgets messages for which gone is true.
func (d *disk) drop(gone func(*stored) bool) {
	d.mail = slices.DeleteFunc(d.mail, gone)
}

// addFolder makes a folder unless it is there.
func (d *disk) addFolder(name string) {
	if name != "INBOX" && !slices.Contains(d.folders, name) {
		d.folders = append(d.folders, name)
	}
}

// count counts messages.
func (d *disk) count(which func(*stored) bool) int64 {
	var n int64
	for _, m := range d.mail {
		if which(m) {
			n++
		}
	}
	return n
}

// bytes is all that is stored.
func (d *disk) bytes() int64 {
	var n int64
	for _, m := range d.mail {
		n += m.Bytes
	}
	return n
}

// snapshot gives the disk as an event tells of it.
func (d *disk) snapshot() *Disk {
	s := &Disk{Bytes: d.bytes(), Folders: slices.Clone(d.folders[:min(len(d.folders), MaxListed)])}
	for i := len(d.mail) - 1; i >= 0; i-- { // the newest first
		m := d.mail[i]
		if m.Whole {
			s.Messages++
		} else {
			s.Subjects++
		}
		if len(s.Mail) < MaxListed {
			s.Mail = append(s.Mail, m.Mail)
		}
	}
	return s
}

func readable(m *stored) bool { return m.Text }
