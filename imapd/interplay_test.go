package imapd

import (
	"os"
	"regexp"
	"strings"
	"testing"
)

// TestInterplayTable: the table of extensions that touch each other names
// transcripts that exist, and has those made for it.
func TestInterplayTable(t *testing.T) {
	table, err := os.ReadFile("testdata/interplay.md")
	if err != nil {
		t.Fatal(err)
	}
	named := map[string]bool{}
	for line := range strings.Lines(string(table)) {
		cells := strings.Split(line, "|")
		if len(cells) != 5 || strings.Contains(line, "---") || strings.Contains(line, "| transcripts |") {
			continue
		}
		for _, name := range regexp.MustCompile(`\w+`).FindAllString(cells[3], -1) {
			named[name] = true
			if _, err := os.Stat("testdata/" + name + ".txt"); err != nil {
				t.Errorf("%s: %v", strings.TrimSpace(cells[1]), err)
			}
		}
	}
	files, err := os.ReadDir("testdata")
	if err != nil {
		t.Fatal(err)
	}
	for _, f := range files {
		name, isText := strings.CutSuffix(f.Name(), ".txt")
		if isText && strings.HasPrefix(name, "interplay_") && !named[name] {
			t.Errorf("%s is not in the table", name)
		}
	}
}
