package compare

import (
	"strings"
)

// popScript follows a POP3 session: which command each line belongs to, and which
// answers have more than one line.
type popScript struct {
	asked   []popAsked // commands without an answer yet
	greeted bool
	inside  bool // a multi-line answer is passing
}

type popAsked struct {
	verb  string
	multi bool // more lines follow +OK
	body  bool // they are a message's text
}

func (s *popScript) literals() bool { return false }

func (s *popScript) line(from Side, text string, _ bool) spoken {
	if from == Client {
		return s.client(text)
	}
	if !s.greeted {
		s.greeted = true
		return spoken{verb: "greeting"}
	}
	if len(s.asked) == 0 {
		return spoken{}
	}
	asked := s.asked[0]
	sp := spoken{verb: asked.verb, class: asked.verb}
	if asked.verb == "CAPA" {
		sp.class = ""
	}
	switch {
	case s.inside && text == ".":
		s.inside, s.asked = false, s.asked[1:]
		if !asked.body {
			sp.class = "" // the end of a list is worth showing, not that of each message
		}
	case s.inside:
		sp.body = asked.body
	case asked.verb == "AUTH" && strings.HasPrefix(text, "+ "):
	case asked.multi && strings.HasPrefix(text, "+OK"):
		s.inside = true
	default:
		s.asked = s.asked[1:]
	}
	return sp
}

func (s *popScript) client(text string) spoken {
	if len(s.asked) > 0 && s.asked[0].verb == "AUTH" {
		return spoken{verb: "AUTH", text: hidden} // an answer to a challenge
	}
	verb, argument, _ := strings.Cut(text, " ")
	verb = strings.ToUpper(verb)
	sp := spoken{verb: verb, class: verb}
	asked := popAsked{verb: verb}
	switch verb {
	case "PASS":
		sp.text = "PASS " + hidden
	case "AUTH":
		mechanism, initial, _ := strings.Cut(argument, " ")
		sp.text = "AUTH " + mechanism
		if initial != "" {
			sp.text += " " + hidden
		}
	case "CAPA":
		asked.multi = true
	case "LIST", "UIDL":
		asked.multi = argument == ""
	case "RETR", "TOP":
		asked.multi, asked.body = true, true
	}
	s.asked = append(s.asked, asked)
	return sp
}

// imapScript follows an IMAP session.
type imapScript struct {
	verbs   map[string]string // of the tags without an answer yet
	auth    string            // tag of an AUTHENTICATE under way
	verb    [2]spoken         // of the line before, by side: for what follows a literal
	greeted bool
}

func (s *imapScript) literals() bool { return true }

func (s *imapScript) line(from Side, text string, again bool) spoken {
	side := 0
	if from == Server {
		side = 1
	}
	if again {
		return s.verb[side]
	}
	if from == Client {
		s.verb[side] = s.client(text)
	} else {
		s.verb[side] = s.server(text)
	}
	return s.verb[side]
}

func (s *imapScript) client(text string) spoken {
	if s.auth != "" {
		return spoken{verb: "AUTHENTICATE", text: hidden}
	}
	if text == "DONE" {
		return spoken{verb: "IDLE"}
	}
	words := strings.SplitN(text, " ", 4)
	if len(words) < 2 {
		return spoken{}
	}
	tag, verb := words[0], strings.ToUpper(words[1])
	if verb == "UID" && len(words) > 2 {
		verb = strings.ToUpper(words[2])
	}
	if s.verbs == nil {
		s.verbs = map[string]string{}
	}
	s.verbs[tag] = verb
	sp := spoken{verb: verb, class: verb}
	switch {
	case verb == "LOGIN":
		sp.text = tag + " LOGIN " + hidden
	case verb == "AUTHENTICATE" && len(words) > 2:
		s.auth = tag
		sp.text = tag + " AUTHENTICATE " + words[2]
		if len(words) > 3 {
			sp.text += " " + hidden
		}
	}
	return sp
}

func (s *imapScript) server(text string) spoken {
	first, rest, _ := strings.Cut(text, " ")
	switch {
	case !s.greeted:
		s.greeted = true
		return spoken{verb: "greeting"}
	case first == "+":
		return spoken{verb: "continue"}
	case first == "*":
		word, more, _ := strings.Cut(rest, " ")
		if word != "" && word[0] >= '0' && word[0] <= '9' {
			word, _, _ = strings.Cut(more, " ")
		}
		word = strings.ToUpper(word)
		if word == "OK" {
			return spoken{verb: word} // each says something else
		}
		return spoken{verb: word, class: word}
	}
	verb := s.verbs[first]
	delete(s.verbs, first)
	if first == s.auth {
		s.auth = ""
	}
	return spoken{verb: verb}
}
