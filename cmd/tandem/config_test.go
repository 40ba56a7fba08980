package main

import (
	"encoding"
	"strings"
	"testing"
	"time"
)

func TestDuration(t *testing.T) {
	for text, want := range map[string]time.Duration{
		"0": 0, "90s": 90 * time.Second, "180s": 180 * time.Second, "30m": 30 * time.Minute,
		"12h": 12 * time.Hour, "14d": 14 * 24 * time.Hour, "1d": 24 * time.Hour, "150ms": 150 * time.Millisecond,
	} {
		var d, again duration
		if err := d.UnmarshalText([]byte(text)); err != nil || time.Duration(d) != want {
			t.Errorf("%s: %v %v", text, d, err)
		}
		if err := again.UnmarshalText([]byte(d.String())); err != nil || again != d {
			t.Errorf("%s is printed as %s and read back as %v, %v", text, d, again, err)
		}
	}
	for _, text := range []string{"", "d", "-1s", "-1d", "10", "1.5d", "99999999d", "x"} {
		var d duration
		if err := d.UnmarshalText([]byte(text)); err == nil {
			t.Errorf("%q was taken for %v", text, d)
		}
	}
}

// TestSettings: every key can be read from the text it is printed as, has a
// meaning, and a variable of its own.
func TestSettings(t *testing.T) {
	c, other := defaults(), config{}
	list, copies := settings(&c), settings(&other)
	seen := map[string]bool{}
	for i, s := range list {
		if s.Doc == "" || seen[s.Env] {
			t.Errorf("%s: doc %q, variable %s", s.Key, s.Doc, s.Env)
		}
		seen[s.Env] = true
		text := s.text()
		if _, isText := s.value.Addr().Interface().(encoding.TextUnmarshaler); isText || s.value.Kind().String() == "string" {
			text = text[1 : len(text)-1]
		} else if s.value.Kind().String() == "slice" {
			continue
		}
		if text == "" {
			continue
		}
		if err := copies[i].set(text); err != nil || copies[i].text() != s.text() {
			t.Errorf("%s: %s was read as %s, %v", s.Key, s.text(), copies[i].text(), err)
		}
	}
}

func TestExitCodesOfConfig(t *testing.T) {
	_, err := loadConfig("/nonexistent/tandem.toml", "", func(string) string { return "" })
	if exitCode(err) != exitUsage {
		t.Errorf("%v has exit code %d", err, exitCode(err))
	}
}

func TestOAuthSettings(t *testing.T) {
	load := func(vars ...string) error {
		_, err := loadConfig("", t.TempDir(), func(name string) string {
			for i := 0; i < len(vars); i += 2 {
				if name == "TANDEM_AUTH_OAUTH_"+vars[i] {
					return vars[i+1]
				}
			}
			return ""
		})
		return err
	}
	for want, vars := range map[string][]string{
		"needs issuer and audience": {"JWKS_URL", "https://id.example/keys"},
		"needs issuer":              {"JWKS_URL", "https://id.example/keys", "ISSUER", "https://id.example"},
		"not both":                  {"JWKS_URL", "https://id.example/keys", "INTROSPECTION_URL", "https://id.example/ask", "ISSUER", "i", "AUDIENCE", "a"},
		"not without TLS":           {"INTROSPECTION_URL", "http://id.example/ask"},
		"is no URL":                 {"INTROSPECTION_URL", "id.example"},
	} {
		if err := load(vars...); err == nil || !strings.Contains(err.Error(), want) || exitCode(err) != exitUsage {
			t.Errorf("%q: %v, want %s", vars, err, want)
		}
	}
	for _, vars := range [][]string{
		{},
		{"JWKS_URL", "https://id.example/keys", "ISSUER", "https://id.example", "AUDIENCE", "tandem, mail"},
		{"INTROSPECTION_URL", "http://127.0.0.1:8080/ask"},
	} {
		if err := load(vars...); err != nil {
			t.Errorf("%q: %v", vars, err)
		}
	}
}
