package store

import "testing"

func TestRightsAsLetters(t *testing.T) {
	for in, want := range map[string]string{"": "", "rl": "lr", "lrswipkxtea": "lrswipkxtea", "c": "kx", "d": "te", "lrswicda": "lrswikxtea", "ll": "l"} {
		got, err := ParseRights(in)
		if err != nil || got.String() != want {
			t.Errorf("%q became %q (%v), want %q", in, got, err, want)
		}
	}
	for _, in := range []string{"L", "lq", "l r", "0", "\xff", "é"} {
		if got, err := ParseRights(in); err == nil || KindOf(err) != Invalid {
			t.Errorf("%q became %q (%v)", in, got, err)
		}
	}
	for in, want := range map[string]string{"l": "l", "lk": "lkc", "x": "xc", "t": "td", "lrswipkxtea": "lrswipkxteacd", "": ""} {
		r, err := ParseRights(in)
		if err != nil || r.WithObsolete() != want {
			t.Errorf("%q is told as %q (%v), want %q", in, r.WithObsolete(), err, want)
		}
	}
}

// Rights add up over an account and anyone, whoever is denied any.
func TestGrants(t *testing.T) {
	g := Grants{{Rights: RightLookup | RightRead}, {Account: 1, Rights: RightInsert, Denied: RightRead}, {Account: 2, Denied: RightLookup}, {Account: 3, Rights: RightPost}}
	for account, want := range map[AccountID]string{1: "li", 2: "r", 3: "lrp", 4: "lr"} {
		if got := g.Of(account).String(); got != want {
			t.Errorf("account %d has %q, want %q", account, got, want)
		}
	}
	for letters, kind := range map[string]Kind{"": NotFound, "swpte": NotFound, "l": Forbidden, "x": Forbidden, "lri": Internal} {
		r, err := ParseRights(letters)
		if err != nil {
			t.Fatal(err)
		}
		if err := r.Allow(RightRead | RightInsert); KindOf(err) != kind || (err == nil) != (kind == Internal) {
			t.Errorf("with %q: %v", letters, err)
		}
	}
}
