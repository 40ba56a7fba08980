package auth

import (
	"fmt"
	"testing"
)

func TestSplitLogin(t *testing.T) {
	for login, want := range map[string]string{
		"alice":                       "[]",
		"alice+":                      "[]",
		"+Scans":                      "[]",
		"alice+Scans/2026":            "[{alice Scans/2026}]",
		"alice@example.org+Scans":     "[{alice@example.org Scans}]",
		"alice+Scans@example.org":     "[{alice Scans@example.org} {alice@example.org Scans}]",
		"alice+a+b":                   "[{alice a+b}]",
		"alice@example.org+list@home": "[{alice@example.org list@home}]",
	} {
		if got := fmt.Sprint(splitLogin(login)); got != want {
			t.Errorf("%s: %s, want %s", login, got, want)
		}
	}
}
