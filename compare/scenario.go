package compare

import (
	"context"
	"fmt"
	"strings"
	"time"
)

// scenario is an everyday thing done over both protocols.
type scenario struct {
	Name, Title string
	Writes      bool // it puts messages in
	run         func(context.Context, *Stage) error
	// sentence says what the numbers mean, in one sentence.
	sentence func(numbers) string
}

// scenarios are all there are, in the order of a full run.
func scenarios() []scenario {
	return []scenario{
		helloScenario, firstLookScenario, readOneScenario, fullDownloadScenario,
		anythingNewScenario, secondDeviceScenario, deleteScenario, offlineScenario,
		deviceLostScenario, storageScenario, sentMailScenario,
	}
}

func scenarioOf(name string) *scenario {
	for _, s := range scenarios() {
		if s.Name == name {
			return &s
		}
	}
	return nil
}

// ScenarioInfo is what is known of a scenario before it runs.
type ScenarioInfo struct {
	Name   string
	Title  string
	Writes bool // it puts messages in and deletes them
}

// Scenarios lists all scenarios in the order of a full run.
func Scenarios() []ScenarioInfo {
	var list []ScenarioInfo
	for _, s := range scenarios() {
		list = append(list, ScenarioInfo{s.Name, s.Title, s.Writes})
	}
	return list
}

// ScenarioNames lists their names.
func ScenarioNames() []string {
	var names []string
	for _, s := range scenarios() {
		names = append(names, s.Name)
	}
	return names
}

// numbers are the totals of a scenario, for its sentence.
type numbers []Total

// of gives the total of a protocol and label; zeros if there is none.
func (n numbers) of(p Protocol, label string) *Total {
	for i := range n {
		if n[i].Protocol == p && n[i].Label == label {
			return &n[i]
		}
	}
	return &Total{Protocol: p, Label: label}
}

// fact gives a fact of one of the totals, 0 if it is not known.
func (n numbers) fact(p Protocol, label, name string) int64 {
	v, _ := n.of(p, label).Fact(name)
	return v
}

// has tells whether there is such a total.
func (n numbers) has(p Protocol, label string) bool {
	for i := range n {
		if n[i].Protocol == p && n[i].Label == label {
			return true
		}
	}
	return false
}

// count writes a number of things.
func count(n int64, thing string) string {
	if n == 1 {
		return "1 " + thing
	}
	return thousands(n) + " " + thing + "s"
}

// thousands writes a number with commas.
func thousands(n int64) string {
	if n < 0 {
		return "-" + thousands(-n)
	}
	s := fmt.Sprint(n)
	for i := len(s) - 3; i > 0; i -= 3 {
		s = s[:i] + "," + s[i:]
	}
	return s
}

// octets writes a size for people.
func octets(n int64) string {
	switch {
	case n < 10_000:
		return thousands(n) + " bytes"
	case n < 1_000_000:
		return fmt.Sprintf("%.0f kB", float64(n)/1e3)
	case n < 1_000_000_000:
		return fmt.Sprintf("%.1f MB", float64(n)/1e6)
	}
	return fmt.Sprintf("%.1f GB", float64(n)/1e9)
}

// span writes a time for people.
func span(micros int64) string {
	d := time.Duration(micros) * time.Microsecond
	switch {
	case d < time.Millisecond:
		return fmt.Sprintf("%.1f ms", float64(micros)/1e3)
	case d < time.Second:
		return fmt.Sprintf("%d ms", d.Round(time.Millisecond).Milliseconds())
	case d < time.Minute:
		return fmt.Sprintf("%.1f s", d.Seconds())
	}
	d = d.Round(time.Second)
	return strings.TrimSuffix(fmt.Sprintf("%d min %d s", int(d.Minutes()), int(d.Seconds())%60), " 0 s")
}
