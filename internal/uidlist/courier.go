package uidlist

import (
	"errors"
	"fmt"
	"io"
	"strconv"
	"strings"
)

// ReadCourier reads a courierpop3dsizelist, of version 2 or 3: after a line
// "/VERSION NEXT UIDV" one for each message, "FILE SIZE N:UIDV", and ":UTF8" in
// version 3.
func ReadCourier(r io.Reader) ([]File, error) {
	lines := newLines(r)
	head, err := lines.next()
	if err != nil && !errors.Is(err, io.EOF) {
		return nil, fmt.Errorf("courierpop3dsizelist: %w", err)
	}
	version, _, _ := strings.Cut(strings.TrimPrefix(head, "/"), " ")
	if !strings.HasPrefix(head, "/") || version != "2" && version != "3" {
		return nil, errors.New("courierpop3dsizelist: not of version 2 or 3 (read the UIDLs from the running server: pop3://)")
	}
	var list []File
	for {
		line, err := lines.next()
		if errors.Is(err, io.EOF) {
			return list, nil
		}
		if err != nil {
			return nil, fmt.Errorf("courierpop3dsizelist: %w", err)
		}
		if file, ok := courierLine(line); ok {
			list = append(list, File{clip(file.Name, maxName), clip(file.UIDL, maxUIDL)})
		}
		if len(list) > maxMessages {
			return nil, ErrTooMany
		}
	}
}

func courierLine(line string) (f File, ok bool) {
	i := strings.LastIndexByte(line, ' ')
	if i < 0 {
		return f, false
	}
	j := strings.LastIndexByte(line[:i], ' ') // a name may have spaces
	if j < 1 {
		return f, false
	}
	ids := strings.Split(line[i+1:], ":")
	if len(ids) < 2 {
		return f, false
	}
	n, err1 := strconv.ParseUint(ids[0], 10, 64)
	validity, err2 := strconv.ParseUint(ids[1], 10, 64)
	if err1 != nil || err2 != nil {
		return f, false
	}
	f.Name, _, _ = strings.Cut(line[:j], ":")
	f.UIDL = courierUIDL(f.Name, n, validity)
	return f, f.Name != ""
}

// courierUIDL is how Courier makes a UIDL of what the list has: the oldest
// messages go by their files' names.
func courierUIDL(name string, n, validity uint64) string {
	switch {
	case n != 0 && validity != 0:
		return fmt.Sprintf("UID%d-%d", n, validity)
	case n != 0:
		return fmt.Sprintf("UID%d", n)
	}
	var b strings.Builder
	for _, c := range []byte(name) {
		if c < 0x21 || c > 0x7e || c == '\'' || c == '"' || c == '+' {
			fmt.Fprintf(&b, "+%02X", c)
			continue
		}
		b.WriteByte(c)
	}
	return b.String()
}
