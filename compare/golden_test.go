package compare

import (
	"encoding/json"
	"flag"
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"testing"
)

var update = flag.Bool("update", false, "write the golden event lists again")

// TestScenarios runs each scenario against an in-process tandem over a dsl link on
// a fake clock, and compares every event with testdata/NAME.txt.
func TestScenarios(t *testing.T) {
	link, err := ParseLink("dsl")
	if err != nil {
		t.Fatal(err)
	}
	for _, info := range Scenarios() {
		t.Run(info.Name, func(t *testing.T) {
			w := newWorld(t)
			s := NewStage(w.target, Options{Clock: NewFakeClock(began), Link: link, Seed: 1, ID: "golden", Write: true})
			if err := s.Run(t.Context(), info.Name); err != nil {
				t.Fatal(err)
			}
			if err := s.Close(t.Context()); err != nil {
				t.Fatal(err)
			}
			events := s.Events(0)
			if err := Check(events); err != nil {
				t.Error(err)
			}
			for _, e := range events {
				if e.Kind == KindLine && (e.RFC == "" || Explain(e.Protocol, e.Verb).Text == "") {
					t.Errorf("nothing is known of %s's %q (%q)", e.Device, e.Text, e.Verb)
				}
				if e.Kind == KindSkip {
					t.Error(e.Text)
				}
			}
			sameAsGolden(t, info.Name, render(t, events))
		})
	}
}

func sameAsGolden(t *testing.T, name, got string) {
	t.Helper()
	path := filepath.Join("testdata", name+".txt")
	if *update {
		if err := os.WriteFile(path, []byte(got), 0o644); err != nil {
			t.Fatal(err)
		}
		return
	}
	want, err := os.ReadFile(path)
	if err != nil {
		t.Fatal(err)
	}
	wants, gots := strings.Split(string(want), "\n"), strings.Split(got, "\n")
	for i := range max(len(wants), len(gots)) {
		var w, g string
		if i < len(wants) {
			w = wants[i]
		}
		if i < len(gots) {
			g = gots[i]
		}
		if w != g {
			t.Fatalf("line %d (go test -update writes the file again)\nwant %s\ngot  %s", i+1, w, g)
		}
	}
}

// render writes events one to a line.
func render(t *testing.T, events []Event) string {
	var b strings.Builder
	for i := range events {
		e := &events[i]
		if e.Scenario == "storage" && (e.Kind == KindLine || e.Kind == KindWire) {
			continue // thousands; the totals have them
		}
		fmt.Fprintf(&b, "%d %.3f %s", e.Seq, float64(e.Micros)/1000, e.Kind)
		if e.Label != "" {
			fmt.Fprintf(&b, " [%s]", e.Label)
		}
		if e.Device != "" {
			fmt.Fprintf(&b, " %s", e.Device)
		} else if e.Protocol != "" {
			fmt.Fprintf(&b, " %s", e.Protocol)
		}
		if e.Conn > 0 {
			fmt.Fprintf(&b, " #%d", e.Conn)
		}
		if e.From != "" {
			fmt.Fprintf(&b, " %s:", e.From)
		}
		if e.Text != "" {
			fmt.Fprintf(&b, " %s", e.Text)
		}
		if e.Bytes > 0 {
			fmt.Fprintf(&b, " <%d>", e.Bytes)
		}
		if e.RFC != "" {
			fmt.Fprintf(&b, " {%s: %s}", e.Verb, e.RFC)
		}
		for _, v := range []any{e.Run, e.Disk, e.Holds, e.Fact, e.Totals} {
			j, err := json.Marshal(v)
			if err != nil {
				t.Fatal(err)
			}
			if string(j) != "null" {
				fmt.Fprintf(&b, " %s", j)
			}
		}
		b.WriteByte('\n')
	}
	return b.String()
}
