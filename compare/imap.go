package compare

import (
	"bufio"
	"encoding/base64"
	"errors"
	"fmt"
	"io"
	"strconv"
	"strings"
)

// imapClient is an IMAP client that reads only when it waits, so that the order
// of a run's events does not depend on scheduling, and that can hold commands
// back to send them in one flight.
type imapClient struct {
	conn *conn
	in   imapParser
	tags int
	caps map[string]bool
	box  selected
	idle string // tag of the IDLE under way
	bye  string // what the server said before it hung up
}

// selected is what the server told of the open folder.
type selected struct {
	name     string
	exists   uint32
	uidNext  uint32
	validity uint32
}

// imapError is an answer NO or BAD.
type imapError struct{ word, code, text string }

func (e imapError) Error() string {
	s := "the server said: " + e.word
	if e.code != "" {
		s += " [" + e.code + "]"
	}
	return s + " " + e.text
}

func newImapClient(c *conn) *imapClient {
	return &imapClient{conn: c, in: imapParser{in: bufio.NewReaderSize(c, 16<<10)}}
}

// greeting reads what the server says first.
func (m *imapClient) greeting() error {
	r, err := m.next()
	m.conn.settle()
	if err != nil {
		return err
	}
	if r.tag != "*" || r.word != "OK" {
		return fmt.Errorf("the server greeted with %s %s", r.word, r.text)
	}
	return nil
}

// learn notes what any response tells beside what it was asked for.
func (m *imapClient) learn(r *response) {
	words := strings.Fields(r.code)
	switch {
	case len(words) > 1 && strings.EqualFold(words[0], "CAPABILITY"):
		m.setCaps(words[1:])
	case len(words) == 2 && strings.EqualFold(words[0], "UIDNEXT"):
		m.box.uidNext = number(words[1])
	case len(words) == 2 && strings.EqualFold(words[0], "UIDVALIDITY"):
		m.box.validity = number(words[1])
	}
	switch r.word {
	case "BYE":
		m.bye = r.text
	case "CAPABILITY":
		var names []string
		for i := range r.data {
			names = append(names, r.data[i].text)
		}
		m.setCaps(names)
	case "EXISTS":
		m.box.exists = r.num
	case "EXPUNGE":
		m.box.exists -= min(1, m.box.exists)
	}
}

// number reads a number, 0 if it is none.
func number(s string) uint32 {
	n, err := strconv.ParseUint(s, 10, 32)
	if err != nil {
		return 0
	}
	return uint32(n)
}

func (m *imapClient) setCaps(names []string) {
	m.caps = map[string]bool{}
	for _, n := range names {
		m.caps[strings.ToUpper(n)] = true
	}
}

// can tells whether the server has a capability. IMAP4rev2 has in it what some
// were before (RFC 9051 appendix E).
func (m *imapClient) can(name string) bool {
	if m.caps[name] {
		return true
	}
	switch name {
	case "IDLE", "MOVE", "NAMESPACE", "UIDPLUS", "SASL-IR", "SPECIAL-USE", "LIST-STATUS", "UNSELECT", "LITERAL-":
		return m.caps["IMAP4REV2"]
	case "STATUS=SIZE":
		return m.caps["IMAP4REV2"]
	}
	return false
}

// send sends commands in one flight and gives their tags.
func (m *imapClient) send(commands ...string) ([]string, error) {
	var b strings.Builder
	var tags []string
	for _, c := range commands {
		m.tags++
		tag := "T" + strconv.Itoa(m.tags)
		tags = append(tags, tag)
		b.WriteString(tag + " " + c + "\r\n")
	}
	_, err := io.WriteString(m.conn, b.String())
	return tags, err
}

// maxResponses is how many responses one command may have.
const maxResponses = 2_000_000

// next reads a response and learns from it.
func (m *imapClient) next() (*response, error) {
	r, err := m.in.next()
	switch {
	case err != nil && m.bye != "":
		return nil, fmt.Errorf("the server hung up: %s", clean(m.bye, m.conn.secrets))
	case err != nil:
		return nil, err
	}
	m.learn(r)
	return r, nil
}

// wait reads until tag is answered; each, which may be nil, gets the untagged
// responses before.
func (m *imapClient) wait(tag string, each func(*response)) (*response, error) {
	for range maxResponses {
		r, err := m.next()
		if err != nil {
			return nil, err
		}
		switch {
		case r.tag == tag && r.word == "OK":
			m.conn.settle()
			return r, nil
		case r.tag == tag:
			m.conn.settle()
			return r, imapError{r.word, r.code, r.text}
		case r.tag == "*" && each != nil:
			each(r)
		}
	}
	return nil, fmt.Errorf("the server sent more than %d responses", maxResponses)
}

// ask sends one command and waits for its end.
func (m *imapClient) ask(command string, each func(*response)) error {
	tags, err := m.send(command)
	if err != nil {
		return err
	}
	if _, err := m.wait(tags[0], each); err != nil {
		return fmt.Errorf("%s refused: %w", verbOf(command), err)
	}
	return nil
}

// verbOf names a command in an error, without its arguments: they may be secret.
func verbOf(command string) string {
	words := strings.SplitN(command, " ", 3)
	if words[0] == "UID" && len(words) > 1 {
		return words[0] + " " + words[1]
	}
	return words[0]
}

// more waits for the server to be ready for the rest of a command.
func (m *imapClient) more(tag string) error {
	for range maxResponses {
		r, err := m.next()
		switch {
		case err != nil:
			return err
		case r.tag == "+":
			m.conn.settle()
			return nil
		case r.tag == tag:
			m.conn.settle()
			return imapError{r.word, r.code, r.text}
		}
	}
	return fmt.Errorf("the server sent more than %d responses", maxResponses)
}

// capabilities asks for them, unless the server has told.
func (m *imapClient) capabilities() error {
	if m.caps != nil {
		return nil
	}
	return m.ask("CAPABILITY", nil)
}

// login logs in, in as few round trips as the server allows.
func (m *imapClient) login(user, password string) error {
	plain := base64.StdEncoding.EncodeToString([]byte("\x00" + user + "\x00" + password))
	var err error
	known := m.caps
	m.caps = nil // a login changes them (RFC 3501 section 6.2.3)
	switch {
	case known["SASL-IR"] && known["AUTH=PLAIN"]:
		err = m.ask("AUTHENTICATE PLAIN "+plain, nil)
	case !known["LOGINDISABLED"] && quotable(user) && quotable(password):
		err = m.ask("LOGIN "+quote(user)+" "+quote(password), nil)
	case known["AUTH=PLAIN"]:
		err = m.authenticate(plain)
	default:
		return errors.New("the server offers no login with a password here (TLS may be needed)")
	}
	if err != nil {
		return fmt.Errorf("login refused: %w", err)
	}
	if m.caps == nil {
		return m.capabilities()
	}
	return nil
}

// authenticate sends the secret when the server is ready for it.
func (m *imapClient) authenticate(plain string) error {
	tags, err := m.send("AUTHENTICATE PLAIN")
	if err != nil {
		return err
	}
	if err := m.more(tags[0]); err != nil {
		return err
	}
	if _, err := io.WriteString(m.conn, plain+"\r\n"); err != nil {
		return err
	}
	_, err = m.wait(tags[0], nil)
	return err
}

// quotable tells what a quoted string can hold (RFC 3501 section 4.3).
func quotable(s string) bool {
	for i := range len(s) {
		if s[i] < ' ' || s[i] >= 0x7f {
			return false
		}
	}
	return len(s) < 1000
}

func quote(s string) string {
	return `"` + strings.NewReplacer(`\`, `\\`, `"`, `\"`).Replace(s) + `"`
}

// open opens a folder.
func (m *imapClient) open(command, name string) error {
	m.box = selected{name: name}
	return m.ask(command+" "+quote(name), nil)
}

// message is what a FETCH told of one message.
type fetched struct {
	uid     uint32
	size    int64
	flags   []string
	subject string
	id      string // Message-ID without brackets
	head    string // the first octets of the section asked for
	octets  int64  // of that section
	parts   node   // BODYSTRUCTURE
}

func (f *fetched) has(flag string) bool {
	for _, s := range f.flags {
		if strings.EqualFold(s, flag) {
			return true
		}
	}
	return false
}

// fetch gives each message that a FETCH tells of.
func (m *imapClient) fetch(command string, each func(*fetched)) error {
	return m.ask(command, func(r *response) {
		if r.word == "FETCH" && len(r.data) > 0 {
			f := readFetch(&r.data[0])
			each(&f)
		}
	})
}

// readFetch takes the pairs of a FETCH response apart.
func readFetch(list *node) fetched {
	var f fetched
	for i := 0; i+1 < len(list.list); i += 2 {
		key, value := strings.ToUpper(list.list[i].text), &list.list[i+1]
		switch {
		case key == "UID":
			f.uid = number(value.text)
		case key == "RFC822.SIZE":
			f.size = int64(number(value.text))
		case key == "FLAGS":
			for j := range value.list {
				f.flags = append(f.flags, value.list[j].text)
			}
		case key == "ENVELOPE": // RFC 3501 section 7.4.2: date, subject, ..., Message-ID
			if s := value.at(1); !s.isNIL() {
				f.subject = decodeWords(s.text)
			}
			f.id = strings.Trim(value.at(9).text, "<> ")
			if value.at(9).isNIL() {
				f.id = ""
			}
		case key == "BODYSTRUCTURE":
			f.parts = *value
		case strings.HasPrefix(key, "BODY["):
			f.head, f.octets = value.text, value.size
		}
	}
	return f
}

// part is a part of a message.
type part struct {
	number string // "1.2"
	text   bool   // of type text/plain
	size   int64
}

// parts lists the parts of a BODYSTRUCTURE that have octets of their own.
func parts(structure *node, prefix string) []part {
	if !structure.isList || len(structure.list) == 0 {
		return nil
	}
	if structure.list[0].isList { // RFC 3501 section 7.4.2: a multipart begins with its parts
		var list []part
		for i := range structure.list {
			if !structure.list[i].isList {
				break
			}
			list = append(list, parts(&structure.list[i], prefix+strconv.Itoa(i+1)+".")...)
		}
		return list
	}
	name := strings.TrimSuffix(prefix, ".")
	if name == "" {
		name = "1"
	}
	text := strings.EqualFold(structure.at(0).text, "text") && strings.EqualFold(structure.at(1).text, "plain")
	return []part{{name, text, int64(number(structure.at(6).text))}}
}

// folder is a line of LIST.
type folder struct {
	name string // as the server writes it
	use  string // \Sent, \Trash ..., if told
	open bool   // it can be opened
}

// folders lists all folders.
func (m *imapClient) folders() ([]folder, error) {
	var list []folder
	command := `LIST "" "*"`
	if m.can("SPECIAL-USE") && m.can("LIST-EXTENDED") {
		command += " RETURN (SPECIAL-USE)"
	}
	err := m.ask(command, func(r *response) {
		if r.word != "LIST" || len(r.data) < 3 {
			return
		}
		f := folder{name: r.data[2].text, open: true}
		for i := range r.data[0].list {
			switch attr := r.data[0].list[i].text; strings.ToLower(attr) {
			case `\noselect`, `\nonexistent`:
				f.open = false
			case `\sent`, `\trash`, `\drafts`, `\junk`, `\archive`:
				f.use = attr
			}
		}
		list = append(list, f)
	})
	return list, err
}

// append puts a message into a folder and gives its UID, 0 if the server does
// not tell.
func (m *imapClient) append(box, flags string, message []byte) (uint32, error) {
	m.tags++
	tag := "T" + strconv.Itoa(m.tags)
	command := tag + " APPEND " + quote(box) + " (" + flags + ") {" + strconv.Itoa(len(message))
	ahead := m.caps["LITERAL+"] || m.can("LITERAL-") && len(message) <= 4096 // RFC 7888 section 5
	if ahead {
		_, err := m.conn.Write(append([]byte(command+"+}\r\n"), append(message[:len(message):len(message)], "\r\n"...)...))
		if err != nil {
			return 0, err
		}
	} else {
		if _, err := io.WriteString(m.conn, command+"}\r\n"); err != nil {
			return 0, err
		}
		if err := m.more(tag); err != nil {
			return 0, fmt.Errorf("APPEND refused: %w", err)
		}
		if _, err := m.conn.Write(append(message[:len(message):len(message)], "\r\n"...)); err != nil {
			return 0, err
		}
	}
	return m.appended(tag)
}

func (m *imapClient) appended(tag string) (uint32, error) {
	r, err := m.wait(tag, nil)
	if err != nil {
		return 0, fmt.Errorf("APPEND refused: %w", err)
	}
	words := strings.Fields(r.code) // RFC 4315 section 3: APPENDUID validity uid
	if len(words) == 3 && strings.EqualFold(words[0], "APPENDUID") {
		return number(words[2]), nil
	}
	return 0, nil
}

// startIdle asks to be told of changes.
func (m *imapClient) startIdle() error {
	tags, err := m.send("IDLE")
	if err != nil {
		return err
	}
	m.idle = tags[0]
	if err := m.more(m.idle); err != nil {
		return fmt.Errorf("IDLE refused: %w", err)
	}
	return nil
}

// awaitNew waits, in IDLE, until the folder has more messages than before.
func (m *imapClient) awaitNew() error {
	before := m.box.exists
	m.conn.wire.push()
	for range maxResponses {
		if _, err := m.next(); err != nil {
			return err
		}
		if m.box.exists > before {
			m.conn.settle()
			return nil
		}
	}
	return fmt.Errorf("the server sent more than %d responses", maxResponses)
}

// stopIdle ends IDLE.
func (m *imapClient) stopIdle() error {
	if _, err := io.WriteString(m.conn, "DONE\r\n"); err != nil {
		return err
	}
	_, err := m.wait(m.idle, nil)
	return err
}
