package uidlist

import (
	"bytes"
	"crypto/sha256"
	"errors"
	"io"
	"slices"
	"strings"
)

// Print stands for a header: alike for those that are the same but for line
// ends and for fields that servers keep their notes in.
type Print [16]byte

// maxHeader is how much of a header is looked at.
const maxHeader = 1 << 20

// notes are the fields that mailbox files have for flags and ids.
func notes() []string {
	return []string{"status", "x-status", "x-uid", "x-uidl", "x-keywords", "x-imap", "x-imapbase", "content-length"}
}

// PrintOf makes the print of a header, which may have its blank line.
func PrintOf(header []byte) Print {
	header = header[:min(len(header), maxHeader)]
	sum := sha256.New()
	skipped := false
	for len(header) > 0 {
		var line []byte
		line, header = cutLine(header)
		if len(line) == 0 {
			break
		}
		if line[0] != ' ' && line[0] != '\t' {
			name, _, _ := bytes.Cut(line, []byte{':'})
			skipped = len(name) <= 16 && slices.Contains(notes(), strings.ToLower(string(bytes.TrimRight(name, " \t"))))
		}
		if !skipped {
			sum.Write(line)
			sum.Write([]byte{'\n'})
		}
	}
	return Print(sum.Sum(nil)[:16])
}

// IDOf makes the print of Message-ID, Date and From, folded however they are; it
// is zero without a Message-ID.
func IDOf(header []byte) Print {
	values := map[string][]byte{}
	name := ""
	for header = header[:min(len(header), maxHeader)]; len(header) > 0; {
		var line []byte
		line, header = cutLine(header)
		if len(line) == 0 {
			break
		}
		if line[0] != ' ' && line[0] != '\t' {
			field, value, _ := bytes.Cut(line, []byte{':'})
			name, line = strings.ToLower(string(bytes.TrimRight(field[:min(len(field), 16)], " \t"))), value
			if values[name] != nil {
				name = "" // the first one counts
			}
		}
		switch name {
		case "message-id", "date", "from":
			values[name] = append(append(values[name], line...), ' ')
		}
	}
	if len(bytes.TrimSpace(values["message-id"])) == 0 {
		return Print{}
	}
	sum := sha256.New()
	for _, name := range []string{"message-id", "date", "from"} {
		sum.Write(bytes.Join(bytes.Fields(values[name]), []byte{' '}))
		sum.Write([]byte{'\n'})
	}
	return Print(sum.Sum(nil)[:16])
}

// cutLine gives the first line without its end.
func cutLine(b []byte) (line, rest []byte) {
	line, rest, _ = bytes.Cut(b, []byte{'\n'})
	return bytes.TrimSuffix(line, []byte{'\r'}), rest
}

// FieldOf gives the value of the first field of that name (in lower case), "" if
// there is none. It is that of one line.
func FieldOf(header []byte, name string) string {
	for len(header) > 0 {
		var line []byte
		line, header = cutLine(header)
		if len(line) == 0 {
			break
		}
		field, value, ok := bytes.Cut(line, []byte{':'})
		if ok && len(field) == len(name) && strings.ToLower(string(field)) == name {
			return string(bytes.TrimSpace(value))
		}
	}
	return ""
}

// Scan reads a message: its size with CRLF for each line end, and its header
// (at most 1 MiB of it).
func Scan(r io.Reader) (size int64, header []byte, err error) {
	buf := make([]byte, 64<<10)
	inHeader, last := true, byte(0)
	for {
		n, err := r.Read(buf)
		for i, c := range buf[:n] {
			before := last
			if i > 0 {
				before = buf[i-1]
			}
			if c == '\n' && before != '\r' {
				size++
			}
		}
		size += int64(n)
		if inHeader {
			header = append(header, buf[:n]...)
			if end := headerEnd(header); end >= 0 || len(header) >= maxHeader {
				inHeader = false
				if end >= 0 {
					header = header[:end]
				}
			}
		}
		if n > 0 {
			last = buf[n-1]
		}
		if errors.Is(err, io.EOF) {
			return size, header, nil
		}
		if err != nil {
			return size, header, err
		}
	}
}

// headerEnd gives the length of a header with its blank line, -1 if that is not
// there yet.
func headerEnd(b []byte) int {
	at := 0
	for at < len(b) {
		i := bytes.IndexByte(b[at:], '\n')
		if i < 0 {
			break
		}
		if i == 0 || i == 1 && b[at] == '\r' {
			return at + i + 1
		}
		at += i + 1
	}
	return -1
}
