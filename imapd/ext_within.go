package imapd

// extWithin is RFC 5032: INTERNALDATE against a number of seconds before now.
// What is just as old as the interval is both.
func extWithin() extension {
	return extension{
		name:         "WITHIN",
		rfc:          "RFC 5032",
		capabilities: everywhere("WITHIN"),
		searchKeys: []searchKey{
			{"OLDER", ageKey(func(age, interval int64) bool { return age >= interval })},
			{"YOUNGER", ageKey(func(age, interval int64) bool { return age <= interval })},
		},
	}
}

// ageKey reads an interval, which is not zero (RFC 5032 section 4). All
// messages of a search are compared with one moment.
func ageKey(holds func(age, interval int64) bool) func(*searchParser) *criterion {
	return func(p *searchParser) *criterion {
		p.d.SP()
		p.unsteady = true
		interval := int64(p.d.NzNumber())
		var now int64
		c := leaf(byEntry, func(c *candidate) (bool, error) {
			return holds(now-int64(c.Internal), interval), nil
		})
		c.bind = func(*view) error {
			now = p.s.srv.cfg.Store.Now().Unix()
			return nil
		}
		return c
	}
}
