package auth

import "testing"

func TestPrepare(t *testing.T) {
	for in, want := range map[string]string{
		"secret": "secret", "Gru\u0308ße": "Grüße", "pa\u00adss\u00a0word": "pass word", "\u2168": "IX", // RFC 4013 section 3
		"\U0001FAE0": "\U0001FAE0", // younger than the RFC
		"\u00ad":     "\u00ad", "\a": "\a", "a\ue000\u0308": "a\ue000\u0308", "\u06271": "\u06271", "\xff": "\xff",
	} {
		if got := prepare(in); got != want {
			t.Errorf("%q: %q, want %q", in, got, want)
		}
	}
}

// A client may compose characters otherwise than whoever set the password; and a
// password that SASLprep refuses is one all the same.
func TestPreparedNamesAndPasswords(t *testing.T) {
	b := newBook()
	for name, hash := range map[string]string{
		"jürgen": HashPassword("Gru\u0308ße"), "ours": HashPassword("bell\a"),
		"imported": quick("Grüße"), "composed": quick("Gru\u0308ße"), "two": quick("\u06271"),
	} {
		b.add(name, hash).KeepScheme = true
	}
	a, _ := open(t, b, Config{})
	for _, c := range []struct {
		login, password string
		want            error
	}{
		{"jürgen", "Grüße", nil}, {"ju\u0308rgen", "Gru\u0308ße", nil}, {"jürgen", "Grusse", ErrFailed}, {"jürgen", "\u00ad", ErrFailed},
		{"ours", "bell\a", nil}, {"imported", "Grüße", nil}, {"imported", "Gru\u0308ße", nil}, {"composed", "Gru\u0308ße", nil}, {"two", "\u06271", nil},
	} {
		if _, err := a.Verify(t.Context(), attempt(c.login, c.password)); err != c.want {
			t.Errorf("%q %q: %v", c.login, c.password, err)
		}
	}
	for _, authzid := range []string{"jürgen", "ju\u0308rgen"} {
		x, err := a.Start(t.Context(), "PLAIN", attempt("", ""))
		if err != nil {
			t.Fatal(err)
		}
		if _, done, err := x.Next([]byte(authzid + "\x00jürgen\x00Grüße")); !done || err != nil {
			t.Errorf("to act as %q: %v", authzid, err)
		}
	}
}

// A password of two forms is hashed twice, whether or not there is such a name.
func TestUnknownNamesTakeAsLongBeyondASCII(t *testing.T) {
	b := newBook()
	b.add("alice", HashPassword("right"))
	a, _ := open(t, b, Config{})
	dummy, dummies := a.dummy, 0
	a.dummy = func(password []byte) bool {
		dummies++
		return dummy(password)
	}
	for login, want := range map[string]int{"alice": 0, "nobody": 2} {
		dummies = 0
		if _, err := a.Verify(t.Context(), attempt(login, "fu\u0308nf")); err != ErrFailed || dummies != want {
			t.Errorf("%s: %v, the dummy was hashed %d times", login, err, dummies)
		}
	}
}

func FuzzPrepare(f *testing.F) {
	for _, s := range []string{"secret", "Gru\u0308ße", "\u00ad", "\ufdfa", "\u06271", "\xff"} {
		f.Add(s)
	}
	f.Fuzz(func(t *testing.T, s string) {
		if got := prepare(s); (got == "") != (s == "") || len(got) > 18*len(s) { // U+FDFA becomes 18 characters of two bytes
			t.Errorf("%q became %q", s, got)
		}
	})
}
