package pop3d

import "context"

// cmdUtf8: RFC 6856 section 2.1. From here on names, passwords and headers may
// be in UTF-8; saying it twice does no harm.
func cmdUtf8(s *session, _ arguments) {
	s.utf8 = true
	s.ok("UTF-8 it is")
}

// downgrade has a client that has not said UTF8 get messages that came as
// internationalized ones without UTF-8 in their headers, and the sizes of that
// form (RFC 6856 section 4, RFC 6858 section 4). Deviation: other messages go as
// they are, whatever octets they have.
func (d *maildrop) downgrade(ctx context.Context) (err error) {
	if d.downgraded, err = d.view.DowngradedSizes(ctx); err != nil || len(d.downgraded) == 0 {
		return err
	}
	for i := range d.messages {
		e := &d.messages[i]
		if size, ok := d.downgraded[e.uid]; ok {
			d.octets += size - int64(e.size)
			e.size = uint32(size)
		}
	}
	return nil
}
