package uidlist

import (
	"bufio"
	"errors"
	"fmt"
	"io"
	"strconv"
	"strings"
)

// File is a message file and the UIDL that its server has given it.
type File struct {
	Name string // without the flags
	UIDL string
}

// maxLine bounds a line of a list.
const maxLine = 16 << 10

// ReadDovecot reads a dovecot-uidlist, of version 1 or 3. A UIDL that was saved
// with a message (pop3_save_uidl, or a migration) goes before the format.
func ReadDovecot(r io.Reader, format *Format) ([]File, error) {
	lines := newLines(r)
	head, err := lines.next()
	if errors.Is(err, io.EOF) {
		return nil, errors.New("dovecot-uidlist: empty")
	}
	if err != nil {
		return nil, fmt.Errorf("dovecot-uidlist: %w", err)
	}
	version, validity, err := dovecotHead(head)
	if err != nil {
		return nil, err
	}
	var list []File
	for {
		line, err := lines.next()
		if errors.Is(err, io.EOF) {
			return list, nil
		}
		if err != nil {
			return nil, fmt.Errorf("dovecot-uidlist: %w", err)
		}
		m, saved, ok := dovecotLine(line, version)
		if !ok {
			continue // cut off while it was being written, or of a later version
		}
		m.validity = validity
		file := File{Name: m.file, UIDL: saved}
		if saved == "" {
			file.UIDL = format.uidl(m)
		}
		file.Name, file.UIDL = clip(file.Name, maxName), clip(file.UIDL, maxUIDL)
		if list = append(list, file); len(list) > maxMessages {
			return nil, ErrTooMany
		}
	}
}

// dovecotHead reads "1 VALIDITY NEXT" or "3 VVALIDITY NNEXT GGUID ...".
func dovecotHead(line string) (version int, validity uint32, err error) {
	words := strings.Fields(line)
	if len(words) > 0 {
		version, _ = strconv.Atoi(words[0])
	}
	for i, word := range words[min(1, len(words)):] {
		digits, named := strings.CutPrefix(word, "V")
		if version == 3 && named || version == 1 && i == 0 {
			n, err := strconv.ParseUint(digits, 10, 32)
			if err == nil && n > 0 {
				return version, uint32(n), nil
			}
		}
	}
	return 0, 0, fmt.Errorf("dovecot-uidlist: no header of version 1 or 3 in its first line")
}

// dovecotLine reads "UID FILE" or "UID XVALUE ... :FILE".
func dovecotLine(line string, version int) (m dovecotMessage, saved string, ok bool) {
	number, rest, _ := strings.Cut(line, " ")
	uid, err := strconv.ParseUint(number, 10, 32)
	if err != nil || uid == 0 {
		return m, "", false
	}
	m.uid = uint32(uid)
	for version == 3 && !strings.HasPrefix(rest, ":") {
		var word string
		if word, rest, ok = strings.Cut(rest, " "); !ok || word == "" {
			return m, "", false
		}
		switch word[0] {
		case 'P':
			saved = word[1:]
		case 'G':
			m.guid = word[1:]
		}
	}
	m.file = baseName(strings.TrimPrefix(rest, ":"))
	if m.guid == "" {
		m.guid = m.file
	}
	return m, saved, m.file != ""
}

// baseName is a message file's name without its flags.
func baseName(name string) string {
	for _, separator := range []string{":2,", ";2,"} {
		if i := strings.LastIndex(name, separator); i >= 0 {
			return name[:i]
		}
	}
	return name
}

// lines reads lines of bounded length.
type lines struct{ r *bufio.Reader }

func newLines(r io.Reader) lines { return lines{bufio.NewReaderSize(r, maxLine)} }

var errLongLine = errors.New("a line is too long")

// next gives a line without its end, io.EOF after the last whole one: what has
// no line end is still being written.
func (l lines) next() (string, error) {
	b, err := l.r.ReadSlice('\n')
	if errors.Is(err, bufio.ErrBufferFull) {
		return "", errLongLine
	}
	if err != nil {
		return "", err
	}
	return strings.TrimRight(string(b), "\r\n"), nil
}
