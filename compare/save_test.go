package compare

import (
	"bytes"
	"encoding/json"
	"strings"
	"testing"
)

// story is a small valid run.
func story() []Event {
	events := []Event{
		{Kind: KindRun, Run: &Run{Target: "a server"}},
		{Kind: KindScenario, Scenario: "hello", Text: "Say hello"},
		{Kind: KindAct, Scenario: "hello", Protocol: POP3, Device: "pop3-1", Text: "connects"},
		{Kind: KindConnect, Scenario: "hello", Protocol: POP3, Device: "pop3-1", Conn: 1, Trips: 1, Micros: 10},
		{Kind: KindLine, Scenario: "hello", Protocol: POP3, Device: "pop3-1", Conn: 1, From: Server, Text: "+OK", Bytes: 5, Micros: 20},
		{Kind: KindLine, Scenario: "hello", Protocol: POP3, Device: "pop3-1", Conn: 1, From: Client, Text: "QUIT", Bytes: 6, Micros: 20},
		{Kind: KindLine, Scenario: "hello", Protocol: POP3, Device: "pop3-1", Conn: 1, From: Server, Text: "+OK", Bytes: 5, Micros: 30},
		{Kind: KindWire, Scenario: "hello", Protocol: POP3, Device: "pop3-1", Conn: 1, From: Server, Bytes: 10, Micros: 30},
		{Kind: KindClose, Scenario: "hello", Protocol: POP3, Device: "pop3-1", Conn: 1, Micros: 30},
	}
	events = append(events, Event{Kind: KindEnd, Scenario: "hello", Text: "Both said hello.", Micros: 30, Totals: Totals(events[1:])})
	for i := range events {
		events[i].Seq = i + 1
	}
	return events
}

func TestSaveLoad(t *testing.T) {
	var b bytes.Buffer
	if err := Save(&b, story()); err != nil {
		t.Fatal(err)
	}
	events, err := Load(&b)
	if err != nil {
		t.Fatal(err)
	}
	results := Results(events)
	if len(results) != 1 || results[0].Sentence != "Both said hello." || results[0].Totals[0].Trips != 2 || results[0].Totals[0].Setup != 1 {
		t.Errorf("results %+v", results)
	}
}

func TestLoadRefuses(t *testing.T) {
	var b bytes.Buffer
	if err := Save(&b, story()); err != nil {
		t.Fatal(err)
	}
	file := b.String()
	for name, c := range map[string]struct{ old, new, reason string }{
		"changed":       {`"bytes":10`, `"bytes":11`, "changed after"},
		"version":       {`"version":1`, `"version":9`, "version 9"},
		"other file":    {`tandem-compare`, `something`, "no saved run"},
		"unknown field": {`"version":1`, `"version":1,"extra":true`, "extra"},
		"cut":           {"}\n", "", "no saved run"},
		"more":          {"}\n", "} {}", "no saved run"},
	} {
		_, err := Load(strings.NewReader(strings.Replace(file, c.old, c.new, 1)))
		if err == nil || !strings.Contains(err.Error(), c.reason) {
			t.Errorf("%s: %v, want %q", name, err, c.reason)
		}
	}
	if _, err := Load(strings.NewReader(strings.Repeat(" ", MaxSaved+1))); err == nil || !strings.Contains(err.Error(), "larger") {
		t.Errorf("too large: %v", err)
	}
}

// TestLoadIsBounded: what is small in a file may be large in memory.
func TestLoadIsBounded(t *testing.T) {
	for reason, list := range map[string]string{
		"more than 100000 events": "[" + strings.Repeat("{},", MaxEvents) + "{}]",
		"lists too much":          `[{"disk":{"mail":[` + strings.Repeat("{},", MaxListed) + "{}]}}]",
		"larger than 1 MiB":       `[{"text":"` + strings.Repeat("x", maxEvent) + `"}]`,
		"no list":                 `{"kind":"run"}`,
	} {
		file, err := json.Marshal(saved{saveFormat, saveVersion, digest([]byte(list)), json.RawMessage(list)})
		if err != nil {
			t.Fatal(err)
		}
		if _, err := Load(bytes.NewReader(file)); err == nil || !strings.Contains(err.Error(), reason) {
			t.Errorf("%v, want %q", err, reason)
		}
	}
}

func TestCheckRefuses(t *testing.T) {
	for name, change := range map[string]func([]Event){
		"number":             func(e []Event) { e[3].Seq = 9 },
		"before":             func(e []Event) { e[5].Micros = 1 },
		"negative":           func(e []Event) { e[7].Bytes = -1 },
		"kind":               func(e []Event) { e[2].Kind = "boast" },
		"protocol":           func(e []Event) { e[2].Protocol = "smtp" },
		"not open":           func(e []Event) { e[4].Conn = 2 },
		"line end":           func(e []Event) { e[4].Text = "a\r\nb" },
		"control character":  func(e []Event) { e[len(e)-1].Text = "\x1b[2J" },
		"what was run":       func(e []Event) { e[0].Run.Target = "\x1b]0;title\a" },
		"totals":             func(e []Event) { e[7].Bytes = 1 },
		"scenario":           func(e []Event) { e[4].Scenario = "other" },
		"does not say what ": func(e []Event) { e[0].Run = nil },
		"too long":           func(e []Event) { e[4].Text = strings.Repeat("x", maxText+1) },
		"not begun": func(e []Event) {
			e[2] = Event{Kind: KindEnd, Seq: 3, Micros: e[2].Micros}
			e[1] = Event{Kind: KindNote, Seq: 2, Micros: e[1].Micros}
		},
		"lists too much": func(e []Event) {
			e[2] = Event{Kind: KindDevice, Scenario: "hello", Seq: 3, Micros: e[2].Micros, Disk: &Disk{Mail: make([]Mail, MaxListed+1)}}
		},
	} {
		events := story()
		change(events)
		if err := Check(events); err == nil || !strings.Contains(err.Error(), strings.TrimSpace(name)) {
			t.Errorf("%s: %v", name, err)
		}
	}
	if err := Check(story()); err != nil {
		t.Error(err)
	}
}

func FuzzLoad(f *testing.F) {
	var b bytes.Buffer
	if err := Save(&b, story()); err != nil {
		f.Fatal(err)
	}
	f.Add(b.Bytes())
	f.Add([]byte(`{"format":"tandem-compare","version":1,"sha256":"","events":[]}`))
	list, err := json.Marshal(story())
	if err != nil {
		f.Fatal(err)
	}
	f.Add(list)
	f.Fuzz(func(t *testing.T, b []byte) {
		if bytes.HasPrefix(b, []byte("[")) { // events: a file with the right digest is made of them
			var short bytes.Buffer // as Save writes it
			if json.Compact(&short, b) != nil {
				return
			}
			file, err := json.Marshal(saved{saveFormat, saveVersion, digest(short.Bytes()), short.Bytes()})
			if err != nil {
				return
			}
			b = file
		}
		events, err := decode(b)
		if err != nil {
			return
		}
		Results(events)
		var again bytes.Buffer
		if err := Save(&again, events); err != nil {
			t.Fatal(err)
		}
		if _, err := Load(&again); err != nil {
			t.Fatalf("what was loaded and saved does not load: %v", err)
		}
	})
}
