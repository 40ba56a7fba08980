package maildir

import (
	"encoding/base64"
	"strings"
	"unicode/utf16"
	"unicode/utf8"
)

// modified is the alphabet of RFC 3501 section 5.1.3.
var modified = base64.NewEncoding("ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+,").WithPadding(base64.NoPadding)

// folderName gives the mailbox name of a directory name without its first dot:
// "Folder.Sub" is "Folder/Sub".
func folderName(dir string) string {
	parts := strings.Split(dir, ".")
	for i, part := range parts {
		parts[i] = decodePart(part)
	}
	return strings.Join(parts, "/")
}

// decodePart decodes modified UTF-7. A part that is none, or that would hold a
// slash or a control character, stays as it is.
func decodePart(part string) string {
	var b strings.Builder
	for rest := part; rest != ""; {
		i := strings.IndexByte(rest, '&')
		if i < 0 {
			b.WriteString(rest)
			break
		}
		b.WriteString(rest[:i])
		coded, after, ok := strings.Cut(rest[i+1:], "-")
		if !ok {
			return part
		}
		text, ok := decodeShifted(coded)
		if !ok {
			return part
		}
		b.WriteString(text)
		rest = after
	}
	if s := b.String(); utf8.ValidString(s) && !strings.ContainsFunc(s, func(r rune) bool { return r < ' ' || r == 0x7f || r == '/' }) {
		return s
	}
	return part
}

// decodeShifted decodes what stands between "&" and "-".
func decodeShifted(coded string) (string, bool) {
	if coded == "" {
		return "&", true
	}
	raw, err := modified.DecodeString(coded)
	if err != nil || len(raw)%2 != 0 {
		return "", false
	}
	units := make([]uint16, len(raw)/2)
	for i := range units {
		units[i] = uint16(raw[2*i])<<8 | uint16(raw[2*i+1])
	}
	runes := utf16.Decode(units)
	for _, r := range runes {
		if r == utf8.RuneError {
			return "", false
		}
	}
	return string(runes), true
}

// dirName gives the directory of a mailbox: "." and the parts joined by ".",
// each in modified UTF-7. A dot inside a part is encoded too, since it would
// separate; strictly that is not modified UTF-7, but decodePart reads it.
func dirName(mailbox string) string {
	if mailbox == "INBOX" {
		return "."
	}
	parts := strings.Split(mailbox, "/")
	for i, part := range parts {
		parts[i] = encodePart(part)
	}
	return "." + strings.Join(parts, ".")
}

func encodePart(part string) string {
	var b strings.Builder
	var shifted []uint16
	flush := func() {
		if len(shifted) == 0 {
			return
		}
		raw := make([]byte, 0, 2*len(shifted))
		for _, u := range shifted {
			raw = append(raw, byte(u>>8), byte(u))
		}
		b.WriteString("&" + modified.EncodeToString(raw) + "-")
		shifted = shifted[:0]
	}
	for _, r := range part {
		if r < ' ' || r > '~' || r == '.' {
			shifted = utf16.AppendRune(shifted, r)
			continue
		}
		flush()
		b.WriteRune(r)
		if r == '&' {
			b.WriteByte('-')
		}
	}
	flush()
	return b.String()
}

// parseSubscriptions reads Dovecot's subscriptions file. Version 1 has a name as
// on disk on each line; version 2 starts with "V\t2" and has tabs between parts.
func parseSubscriptions(text string) []string {
	lines := strings.Split(strings.ReplaceAll(text, "\r\n", "\n"), "\n")
	version2 := strings.HasPrefix(lines[0], "V\t2")
	if version2 {
		lines = lines[1:]
	}
	var names []string
	for _, line := range lines {
		switch {
		case strings.TrimSpace(line) == "":
		case version2:
			names = append(names, folderName(strings.Join(unescapeTabs(line), ".")))
		default:
			names = append(names, folderName(line))
		}
	}
	return names
}

// unescapeTabs splits a line at its tabs and undoes Dovecot's escapes in it:
// \001 followed by 0, 1, t, n or r.
func unescapeTabs(line string) []string {
	undo := strings.NewReplacer("\x010", "", "\x011", "\x01", "\x01t", "\t", "\x01n", "\n", "\x01r", "\r")
	parts := strings.Split(line, "\t")
	for i := range parts {
		parts[i] = undo.Replace(parts[i])
	}
	return parts
}

// parseKeywords reads dovecot-keywords: "NUMBER NAME" on each line. The result is
// indexed by number; letter 'a' is 0.
func parseKeywords(text string) [26]string {
	var names [26]string
	for line := range strings.Lines(text) {
		number, name, ok := strings.Cut(strings.TrimSpace(line), " ")
		if n := parseIndex(number); ok && n >= 0 {
			names[n] = name
		}
	}
	return names
}

// parseIndex reads 0 to 25; -1 for anything else.
func parseIndex(s string) int {
	n := 0
	for _, c := range []byte(s) {
		if c < '0' || c > '9' || n > 25 {
			return -1
		}
		n = n*10 + int(c-'0')
	}
	if s == "" || n > 25 {
		return -1
	}
	return n
}
