package dovecot

import "strings"

// Tab-escaping: 0x01 and a letter stand for a byte that lines cannot hold.
const escapeByte = 1

var escaper = strings.NewReplacer("\x00", "\x010", "\x01", "\x011", "\t", "\x01t", "\r", "\x01r", "\n", "\x01n")

func escape(s string) string { return escaper.Replace(s) }

func unescape(s string) string {
	if strings.IndexByte(s, escapeByte) < 0 {
		return s
	}
	var b strings.Builder
	for i := 0; i < len(s); i++ {
		if s[i] != escapeByte || i+1 == len(s) {
			b.WriteByte(s[i])
			continue
		}
		i++
		switch s[i] {
		case '0':
			b.WriteByte(0)
		case '1':
			b.WriteByte(escapeByte)
		case 't':
			b.WriteByte('\t')
		case 'r':
			b.WriteByte('\r')
		case 'n', 'l': // the documentation has l, the implementation n
			b.WriteByte('\n')
		default:
			b.WriteByte(s[i])
		}
	}
	return b.String()
}

// split takes a line apart.
func split(line string) []string {
	fields := strings.Split(line, "\t")
	for i, f := range fields {
		fields[i] = unescape(f)
	}
	return fields
}

// join puts a line together, its end included.
func join(fields ...string) string {
	for i, f := range fields {
		fields[i] = escape(f)
	}
	return strings.Join(fields, "\t") + "\n"
}

// param returns the value of the parameter name=value, and whether name is
// there at all (with or without a value).
func param(fields []string, name string) (string, bool) {
	for _, f := range fields {
		if key, value, _ := strings.Cut(f, "="); key == name {
			return value, true
		}
	}
	return "", false
}
