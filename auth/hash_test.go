package auth

import (
	"strings"
	"testing"
)

// known are hashes of "secret" made by other programs.
var known = map[string]string{
	"plain":             "{PLAIN}secret",
	"cleartext":         "{cleartext}secret",
	"plain, base64":     "{PLAIN.b64}c2VjcmV0",
	"plain, hex":        "{PLAIN.HEX}736563726574",
	"sha512-crypt":      "{SHA512-CRYPT}$6$saltsalt$TVLlQcbpFVof5W3Yz4DTP6gRstiNuHwwTt6GLc1E5n0U0aDehy0S5knV8wiOQSpT0Y77vwPZN.Pq.H91p5hVO1",
	"crypt, sha512":     "{CRYPT}$6$saltsalt$TVLlQcbpFVof5W3Yz4DTP6gRstiNuHwwTt6GLc1E5n0U0aDehy0S5knV8wiOQSpT0Y77vwPZN.Pq.H91p5hVO1",
	"no scheme":         "$6$saltsalt$TVLlQcbpFVof5W3Yz4DTP6gRstiNuHwwTt6GLc1E5n0U0aDehy0S5knV8wiOQSpT0Y77vwPZN.Pq.H91p5hVO1",
	"sha256-crypt":      "{SHA256-CRYPT}$5$rounds=1000$saltsalt$eKLZU9t9OoPWrqOQsoTIKG0aYkZ5rGOoOQhiIvoSWX2",
	"md5-crypt":         "{MD5-CRYPT}$1$saltsalt$9xy1btjgzLYfb7hivXtC//",
	"blf-crypt":         "{BLF-CRYPT}$2y$05$abcdefghijklmnopqrstuuOQiyCxlgf/oeuTqixKmWdcYUh4Hjl0a",
	"yescrypt":          "{CRYPT}$y$j9T$j./IjbJYW5oYtKxhINUYb.$KuLW6vgq/qYBLOlECIefPuaDqwpVzy0GL0dua87XaE2",
	"argon2id":          "{ARGON2ID}$argon2id$v=19$m=16384,t=3,p=2$c2FsdHNhbHRzYWx0$51OvGZiezjreL4XSdkQ0b/filuqmrnLsw/aLzS8gxOQ",
	"argon2i":           "{ARGON2I}$argon2i$v=19$m=4096,t=3,p=1$c2FsdHNhbHRzYWx0$qOCkx9nMeFlaGOO4DUmPDgrlUbgMMuO9T1+vQCFuyzw",
	"pbkdf2, dovecot's": "{PBKDF2}$1$abcdefgh$5000$4d1f485e75d13fbf46ec6f88ea5cd2faebfe3e0a",
	"pbkdf2, passlib's": "{PBKDF2}$pbkdf2-sha256$29000$c2FsdHNhbHRzYWx0$2X4IlELc8t9yJXaPou8m3e1LYHt536w2Cn3qDhh2CWg",
	"sha1":              "{SHA}5en6G6MezRroT3XKqkdPOmY/BfQ=",
	"sha256, hex":       "{SHA256.HEX}2bb80d537b1da3e38bd30361aa855686bde0eacd7162fef6a25fe97bf527a25b",
	"ssha":              "{SSHA}gVK8WC9YyFT1gMsQHTGCgT3sSv5zYWx0",
	"ssha512":           "{SSHA512}E491yrR9AdCoE7rbOPYS3EZgSuZpVE65AD9xko08s6floNesY/Zpe9zMVvLix4S2FiQSJ99RIkNvhHomNO9uL3NhbHQ=",
}

func TestHashesOfOtherPrograms(t *testing.T) {
	for name, hash := range known {
		m, err := parseHash(hash)
		if err != nil {
			t.Errorf("%s: %v", name, err)
			continue
		}
		if !m([]byte("secret")) {
			t.Errorf("%s: the right password does not match", name)
		}
		for _, wrong := range []string{"", "Secret", "secret ", "secre"} {
			if m([]byte(wrong)) {
				t.Errorf("%s: %q matches", name, wrong)
			}
		}
	}
}

func TestHashOfMadePasswords(t *testing.T) {
	one, two := HashMade("abcde-fghij"), HashMade("abcde-fghij")
	if one == two {
		t.Error("no salt")
	}
	m, err := parseHash(one)
	if err != nil || !m([]byte("abcde-fghij")) || m([]byte("abcde-fghi")) {
		t.Errorf("%s does not verify (%v)", one, err)
	}
	first := MoreScramKeys("abcde-fghij", nil, false)
	if more := MoreScramKeys("klmno", first, true); string(more.Salt) != string(first.Salt) || more.Iterations != first.Iterations || more.SHA1 == nil {
		t.Errorf("keys %+v beside %+v", more, first)
	}
}

func TestOurHash(t *testing.T) {
	one, two := HashPassword("secret"), HashPassword("secret")
	if one == two {
		t.Error("no salt")
	}
	if !upToDate(one) {
		t.Errorf("%s is not up to date", one)
	}
	m, err := parseHash(one)
	if err != nil || !m([]byte("secret")) || m([]byte("Secret")) {
		t.Errorf("%s does not verify (%v)", one, err)
	}
}

func TestImport(t *testing.T) {
	for _, keep := range []bool{true, false} {
		for name, hash := range known {
			got, err := ImportHash(hash, keep)
			if err != nil {
				t.Errorf("%s: %v", name, err)
			}
			plain := strings.HasPrefix(name, "plain") || name == "cleartext"
			if rehashed := upToDate(got); rehashed != (plain && !keep) || !rehashed && got != hash {
				t.Errorf("%s, keep %v: stored as %s", name, keep, got)
			}
		}
	}
}

func TestRefusedHashes(t *testing.T) {
	for name, hash := range map[string]string{
		"nothing":               "",
		"no end of scheme":      "{PLAINsecret",
		"unknown scheme":        "{NTLM}abc",
		"empty password":        "{PLAIN}",
		"unknown encoding":      "{PLAIN.ROT13}abc",
		"crypt with encoding":   "{CRYPT.HEX}2431",
		"traditional DES":       "{CRYPT}abNANd1rDfiNc",
		"wrong form":            "{SHA512-CRYPT}$5$saltsalt$x",
		"argon2 of 4 TB":        "$argon2id$v=19$m=4294967295,t=1,p=1$c2FsdHNhbHQ$AAAAAAAA",
		"argon2 over 64 bits":   "$argon2id$v=19$m=99999999999999999999,t=1,p=1$c2FsdHNhbHQ$AAAAAAAA",
		"argon2 of many passes": "$argon2id$v=19$m=65536,t=4294967295,p=1$c2FsdHNhbHQ$AAAAAAAA",
		"argon2, product":       "$argon2id$v=19$m=524288,t=100,p=1$c2FsdHNhbHQ$AAAAAAAA",
		"argon2, threads":       "$argon2id$v=19$m=65536,t=1,p=16777215$c2FsdHNhbHQ$AAAAAAAA",
		"argon2, least memory":  "$argon2id$v=19$m=1,t=1000000,p=64$c2FsdHNhbHQ$AAAAAAAA",
		"argon2 without memory": "$argon2id$v=19$m=0,t=1,p=1$c2FsdHNhbHQ$AAAAAAAA",
		"argon2 parameters":     "$argon2id$v=19$m=65536,t=1,p=1,m=4294967295$c2FsdHNhbHQ$AAAAAAAA",
		"bcrypt of years":       "{BLF-CRYPT}$2y$31$abcdefghijklmnopqrstuuOQiyCxlgf/oeuTqixKmWdcYUh4Hjl0a",
		"bcrypt cut short":      "{BLF-CRYPT}$2y$05$abcdef",
		"SHA-crypt rounds":      "{SHA512-CRYPT}$6$rounds=999999999$saltsalt$x",
		"SHA-crypt no key":      "{SHA512-CRYPT}$6$saltsalt$",
		"PBKDF2 iterations":     "{PBKDF2}$1$salt$2000000000$" + strings.Repeat("00", 20),
		"PBKDF2 negative":       "{PBKDF2}$1$salt$-1$" + strings.Repeat("00", 20),
		"passlib iterations":    "{PBKDF2}$pbkdf2-sha256$2000000000$c2FsdA$AAAA",
		"yescrypt memory":       "{CRYPT}$y$jzz$saltsalt$" + strings.Repeat("a", 43),
		"SHA of other length":   "{SHA256}AAAA",
		"salted, too short":     "{SSHA}AAAA",
		"very long":             "{PLAIN}" + strings.Repeat("a", maxHash),
	} {
		if _, err := ImportHash(hash, true); err == nil {
			t.Errorf("%s: accepted", name)
		} else if len(hash) > 12 && strings.Contains(err.Error(), hash[12:]) {
			t.Errorf("%s: the error shows the hash: %v", name, err)
		}
	}
}

// FuzzParseHash: whatever is accepted can be verified, without a panic, within
// the bounds on cost.
func FuzzParseHash(f *testing.F) {
	for _, hash := range known {
		f.Add(hash)
	}
	f.Fuzz(func(t *testing.T, hash string) {
		m, err := parseHash(hash)
		if err != nil {
			return
		}
		if cheap(hash) {
			m([]byte("secret"))
		}
	})
}

// cheap keeps the fuzzer off hashes that are dear by right.
func cheap(hash string) bool {
	_, _, h := splitScheme(hash)
	digits := 0
	for _, r := range h {
		if r >= '0' && r <= '9' {
			if digits++; digits > 3 {
				return false
			}
			continue
		}
		digits = 0
	}
	return !strings.Contains(h, "$2") && !strings.Contains(h, "$y$")
}
