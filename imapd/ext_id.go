package imapd

import (
	"context"
	"strings"

	"tandem/imapd/internal/wire"
)

// extID is RFC 2971.
func extID() extension {
	return extension{
		name:         "ID",
		rfc:          "RFC 2971",
		capabilities: everywhere("ID"),
		commands:     []command{row("ID", anyState, 0, parseID, (*session).identify)},
	}
}

// Limits of RFC 2971 section 3.3.
const (
	maxIDFields = 30
	maxIDName   = 30
	maxIDValue  = 1024
)

// idFields are names and values in turn.
type idFields []string

func parseID(_ *session, d *wire.Decoder) (fields idFields) {
	d.SP()
	if d.Next() != '(' {
		if s, ok := d.NString(); ok {
			d.Fail("ID wants NIL or a list, not %q", s)
		}
		return nil
	}
	d.List(func() {
		name := d.String()
		d.SP()
		value, _ := d.NString()
		fields = append(fields, name, value)
		if len(name) > maxIDName || len(value) > maxIDValue || len(fields) > 2*maxIDFields {
			d.Fail("ID with too much in it")
		}
	})
	return fields
}

// identify logs what the client is and says what we are; the version only to
// those who are logged in.
func (s *session) identify(_ context.Context, fields idFields) error {
	if len(fields) > 0 {
		args := make([]any, 0, len(fields))
		for i := 0; i+1 < len(fields); i += 2 {
			args = append(args, "id."+cut(fields[i]), cut(fields[i+1]))
		}
		s.log.Info("client", args...)
		s.client = clientName(fields)
		s.noteClient()
	}
	s.enc.Raw(`* ID ("name" "tandem"`)
	if s.state != stranger && s.srv.cfg.Version != "" {
		s.enc.Raw(` "version" `).String(s.srv.cfg.Version)
	}
	s.enc.Byte(')').CRLF()
	return nil
}

// clientName is what a client calls itself: name and version.
func clientName(fields idFields) string {
	var name, version string
	for i := 0; i+1 < len(fields); i += 2 {
		switch strings.ToLower(fields[i]) {
		case "name":
			name = fields[i+1]
		case "version":
			version = fields[i+1]
		}
	}
	text := strings.TrimSpace(name + " " + version)
	text = strings.Map(func(r rune) rune {
		if r < ' ' || r == 0x7f {
			return -1
		}
		return r
	}, strings.ToValidUTF8(text[:min(len(text), 100)], ""))
	return text
}

// noteClient has the store remember with which program a credential was used.
func (s *session) noteClient() {
	if s.state != stranger && s.client != "" {
		s.srv.cfg.Store.NoteClient(s.actor.Credential, s.client)
	}
}

// cut bounds a value for the log.
func cut(s string) string { return s[:min(len(s), 256)] }
