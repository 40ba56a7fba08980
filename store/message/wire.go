package message

import "strconv"

// appendString appends s as an IMAP string: quoted, or as a literal when it
// has 8-bit bytes (RFC 3501 section 4.3). CR, LF and NUL are left out.
func appendString(dst, s []byte) []byte {
	eight, bad := false, 0
	for _, c := range s {
		if c >= 0x80 {
			eight = true
		}
		if c == '\r' || c == '\n' || c == 0 {
			bad++
		}
	}
	if eight {
		dst = append(dst, '{')
		dst = strconv.AppendInt(dst, int64(len(s)-bad), 10)
		dst = append(dst, "}\r\n"...)
	} else {
		dst = append(dst, '"')
	}
	for _, c := range s {
		switch {
		case c == '\r' || c == '\n' || c == 0:
			continue
		case !eight && (c == '"' || c == '\\'):
			dst = append(dst, '\\')
		}
		dst = append(dst, c)
	}
	if !eight {
		dst = append(dst, '"')
	}
	return dst
}
