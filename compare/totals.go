package compare

import (
	"slices"
)

// Result is one scenario of a run as a table shows it.
type Result struct {
	Name     string  `json:"name"`
	Title    string  `json:"title"`
	Skipped  string  `json:"skipped,omitempty"` // why it did not run
	Totals   []Total `json:"totals,omitempty"`
	Sentence string  `json:"sentence,omitempty"`
}

// Results computes what each scenario of a list of events came to, in order.
func Results(events []Event) []Result {
	var list []Result
	for begin := 0; begin < len(events); begin++ {
		if events[begin].Kind != KindScenario {
			continue
		}
		end := begin + 1
		for end < len(events) && events[end].Kind != KindScenario {
			end++
		}
		part := events[begin:end]
		r := Result{Name: part[0].Scenario, Title: part[0].Text, Totals: Totals(part)}
		for i := range part {
			switch part[i].Kind {
			case KindSkip:
				r.Skipped, r.Totals = part[i].Text, nil
			case KindEnd:
				r.Sentence = part[i].Text
			}
		}
		list = append(list, r)
	}
	return list
}

// Totals counts what each protocol cost, one Total for each protocol and label in
// the order they first appear. It takes the events of one scenario, or any part
// of a run: the meters of a page are the Totals of what has happened so far.
func Totals(events []Event) []Total {
	c := counter{spoke: map[int]Side{}}
	for i := range events {
		c.count(&events[i])
	}
	return c.totals
}

// counter adds events up.
type counter struct {
	totals []Total
	spoke  map[int]Side // who sent the last line of a connection
	acted  []int64      // beside totals: when its device began
	first  []string     // beside totals: its first device
	last   int64        // time of the event before
}

func (c *counter) count(e *Event) {
	spent := e.Micros - c.last
	c.last = e.Micros
	if e.Protocol == "" {
		return
	}
	i := c.of(e)
	t := &c.totals[i]
	switch e.Kind {
	case KindAct, KindDevice, KindFact: // before these the run prepares and looks, no device waits
	default:
		t.Micros += spent
	}
	switch e.Kind {
	case KindAct:
		c.acted[i] = e.Micros
	case KindConnect:
		t.Connections++
		t.Setup += e.Trips
	case KindTLS:
		t.Setup += e.Trips
	case KindLine:
		if e.From == Server && c.spoke[e.Conn] != Server {
			t.Trips++
		}
		c.spoke[e.Conn] = e.From
	case KindWire:
		if e.From == Client {
			t.Up += e.Bytes
		} else {
			t.Down += e.Bytes
		}
	case KindMark:
		if e.Text == MarkFirstSubject && t.FirstSubject == nil {
			after := e.Micros - c.acted[i]
			t.FirstSubject = &after
		}
	case KindDevice:
		if c.first[i] == "" {
			c.first[i] = e.Device
		}
		if e.Disk != nil && c.first[i] == e.Device {
			has := e.Disk.Bytes
			t.OnDevice = &has
		}
	case KindFact:
		if e.Fact != nil {
			t.Facts = append(t.Facts, *e.Fact)
		}
	}
}

// of finds the total that an event belongs to.
func (c *counter) of(e *Event) int {
	i := slices.IndexFunc(c.totals, func(t Total) bool { return t.Protocol == e.Protocol && t.Label == e.Label })
	if i < 0 {
		i = len(c.totals)
		c.totals = append(c.totals, Total{Protocol: e.Protocol, Label: e.Label})
		c.acted = append(c.acted, e.Micros)
		c.first = append(c.first, "")
	}
	return i
}

// Fact gives the last value of a fact, and whether it is known.
func (t *Total) Fact(name string) (int64, bool) {
	for i := len(t.Facts) - 1; i >= 0; i-- {
		if t.Facts[i].Name == name {
			return t.Facts[i].Value, true
		}
	}
	return 0, false
}

// Bytes is what went over the wire in both directions.
func (t *Total) Bytes() int64 { return t.Up + t.Down }

// onDevice is what its first device has stored.
func (t *Total) onDevice() int64 {
	if t.OnDevice == nil {
		return 0
	}
	return *t.OnDevice
}
