package imapd

import "strings"

// capability is a word of the CAPABILITY answer.
type capability struct {
	name   string
	states states

	// word gives what is advertised, when that depends on the connection; ""
	// is nothing. nil: the name.
	word func(*session) string
}

// everywhere makes capabilities that hold in every state.
func everywhere(names ...string) []capability {
	var list []capability
	for _, n := range names {
		list = append(list, capability{name: n, states: anyState})
	}
	return list
}

// capabilityWords gives what holds for this session now, after the word
// CAPABILITY: the data of the untagged response and the text of the response
// code that saves clients asking (RFC 3501 section 7.1).
func (s *session) capabilityWords() string {
	words := []string{"CAPABILITY"}
	for _, c := range s.srv.reg.capabilities {
		if c.states&s.state == 0 {
			continue
		}
		if c.word == nil {
			words = append(words, c.name)
		} else if w := c.word(s); w != "" {
			words = append(words, w)
		}
	}
	return strings.Join(words, " ")
}

// Capability is a line of the table of what this server speaks.
type Capability struct {
	Name         string // as advertised, less what depends on the connection
	RFC          string
	BeforeLogin  bool
	AfterLogin   bool
	Depends      bool     // also on the connection or on settings
	Commands     []string // commands that come with its extension
	ExtensionFor string   // the extension's name
}

// Capabilities gives the table of capabilities, for the documentation.
func Capabilities() []Capability {
	var table []Capability
	for _, x := range extensions() {
		var names []string
		for _, c := range x.commands {
			names = append(names, c.name)
		}
		for _, c := range x.capabilities {
			table = append(table, Capability{
				Name: c.name, RFC: x.rfc, Commands: names, ExtensionFor: x.name,
				BeforeLogin: c.states&stranger != 0,
				AfterLogin:  c.states&loggedIn != 0,
				Depends:     c.word != nil,
			})
		}
	}
	return table
}
