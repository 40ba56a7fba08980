package wire

import (
	"encoding/base64"
	"errors"
	"strings"
	"unicode/utf16"
	"unicode/utf8"
)

var errUTF7 = errors.New("not modified UTF-7")

// base64utf7 is the alphabet of RFC 3501 section 5.1.3: "," in place of "/",
// no padding.
var base64utf7 = base64.NewEncoding(
	"ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+,").
	WithPadding(base64.NoPadding).Strict()

// EncodeUTF7 writes a UTF-8 name in modified UTF-7. Bytes that are not UTF-8
// become U+FFFD.
func EncodeUTF7(s string) string {
	if plainUTF7(s) {
		return s
	}
	var out strings.Builder
	for i := 0; i < len(s); {
		c := s[i]
		if c >= 0x20 && c < 0x7f {
			out.WriteByte(c)
			if c == '&' {
				out.WriteByte('-')
			}
			i++
			continue
		}
		end := i
		for end < len(s) && (s[end] < 0x20 || s[end] >= 0x7f) {
			end++
		}
		var units []byte
		for _, u := range utf16.Encode([]rune(s[i:end])) {
			units = append(units, byte(u>>8), byte(u))
		}
		out.WriteByte('&')
		out.WriteString(base64utf7.EncodeToString(units))
		out.WriteByte('-')
		i = end
	}
	return out.String()
}

// plainUTF7 says whether a name stands for itself in both forms.
func plainUTF7(s string) bool {
	for i := range len(s) {
		if c := s[i]; c < 0x20 || c >= 0x7f || c == '&' {
			return false
		}
	}
	return true
}

// DecodeUTF7 reads a name in modified UTF-7 into UTF-8. Only the one form that
// EncodeUTF7 would have written is accepted (RFC 3501 section 5.1.3 allows no
// other), so that a mailbox has one name.
func DecodeUTF7(s string) (string, error) {
	if plainUTF7(s) {
		return s, nil
	}
	var out strings.Builder
	for i := 0; i < len(s); {
		c := s[i]
		if c < 0x20 || c >= 0x7f {
			return "", errUTF7
		}
		i++
		if c != '&' {
			out.WriteByte(c)
			continue
		}
		end := strings.IndexByte(s[i:], '-')
		if end < 0 {
			return "", errUTF7
		}
		if err := decodeShift(&out, s[i:i+end]); err != nil {
			return "", err
		}
		i += end + 1
	}
	name := out.String()
	if EncodeUTF7(name) != s {
		return "", errUTF7
	}
	return name, nil
}

// decodeShift reads what stands between "&" and "-".
func decodeShift(out *strings.Builder, s string) error {
	if s == "" {
		out.WriteByte('&')
		return nil
	}
	b, err := base64utf7.DecodeString(s)
	if err != nil || len(b)%2 != 0 {
		return errUTF7
	}
	units := make([]uint16, len(b)/2)
	for i := range units {
		units[i] = uint16(b[2*i])<<8 | uint16(b[2*i+1])
	}
	for _, r := range utf16.Decode(units) {
		// A lone surrogate decodes to U+FFFD and then fails to encode back
		// to what was sent.
		out.WriteString(string(utf8.AppendRune(nil, r)))
	}
	return nil
}
