package compare

import (
	"bytes"
	"crypto/sha256"
	"encoding/hex"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"reflect"
	"strings"
	"unicode"
	"unicode/utf8"
)

// The bounds of a saved run.
const (
	MaxSaved  = 32 << 20 // octets of the file
	MaxEvents = 100_000
	maxText   = 4096    // octets of an event's text
	maxEvent  = 1 << 20 // octets of an event in the file
	maxConns  = 10_000
)

// saveFormat and saveVersion mark a saved run; a change of what events mean
// raises the version.
const (
	saveFormat  = "tandem-compare"
	saveVersion = 1
)

// saved is the file: Digest is of Events as they stand there.
type saved struct {
	Format  string          `json:"format"`
	Version int             `json:"version"`
	Digest  string          `json:"sha256"`
	Events  json.RawMessage `json:"events"`
}

// Save writes a run so that Load gives it back.
func Save(w io.Writer, events []Event) error {
	list, err := json.Marshal(events)
	if err != nil {
		return fmt.Errorf("save the run: %w", err)
	}
	file, err := json.Marshal(saved{saveFormat, saveVersion, digest(list), list})
	if err != nil {
		return fmt.Errorf("save the run: %w", err)
	}
	_, err = w.Write(append(file, '\n'))
	return err
}

func digest(b []byte) string {
	sum := sha256.Sum256(b)
	return hex.EncodeToString(sum[:])
}

// Load reads a saved run. What is not exactly what Save writes is refused, and
// the error says why. The digest finds damage and careless changes; Check finds
// lists whose numbers do not agree. Neither proves who made the file.
func Load(r io.Reader) ([]Event, error) {
	b, err := io.ReadAll(io.LimitReader(r, MaxSaved+1))
	if err != nil {
		return nil, fmt.Errorf("read the saved run: %w", err)
	}
	if len(b) > MaxSaved {
		return nil, fmt.Errorf("read the saved run: it is larger than %d MiB", MaxSaved>>20)
	}
	events, err := decode(b)
	if err != nil {
		return nil, fmt.Errorf("read the saved run: %w", err)
	}
	return events, nil
}

func decode(b []byte) ([]Event, error) {
	if !utf8.Valid(b) {
		return nil, errors.New("it is not UTF-8 text")
	}
	var head struct {
		Format  string `json:"format"`
		Version int    `json:"version"`
	}
	if err := json.Unmarshal(b, &head); err != nil || head.Format != saveFormat {
		return nil, errors.New("it is no saved run of tandem compare")
	}
	if head.Version != saveVersion {
		return nil, fmt.Errorf("it is of version %d, this program reads version %d", head.Version, saveVersion)
	}
	var file saved
	if err := strict(b, &file); err != nil {
		return nil, err
	}
	if digest(file.Events) != file.Digest {
		return nil, errors.New("its events were changed after it was saved")
	}
	events, err := decodeEvents(file.Events)
	if err != nil {
		return nil, err
	}
	return events, Check(events)
}

// decodeEvents reads them one by one: a file of a few octets an event would else
// take a hundred times its size in memory before Check counts them.
func decodeEvents(b []byte) (events []Event, err error) {
	dec := json.NewDecoder(bytes.NewReader(b))
	if t, err := dec.Token(); err != nil || t != json.Delim('[') {
		return nil, errors.New("its events are no list")
	}
	for dec.More() {
		var one json.RawMessage
		var e Event
		if err := dec.Decode(&one); err != nil {
			return nil, fmt.Errorf("its JSON is not as expected: %w", err)
		}
		switch {
		case len(events) == MaxEvents:
			return nil, fmt.Errorf("it has more than %d events", MaxEvents)
		case len(one) > maxEvent:
			return nil, fmt.Errorf("event %d: it is larger than %d MiB", len(events)+1, maxEvent>>20)
		}
		if err := strict(one, &e); err != nil {
			return nil, fmt.Errorf("event %d: %w", len(events)+1, err)
		}
		if err := e.checkLists(); err != nil {
			return nil, fmt.Errorf("event %d: %w", len(events)+1, err)
		}
		events = append(events, e)
	}
	return events, nil
}

// checkLists bounds what one event lists.
func (e *Event) checkLists() error {
	switch {
	case e.Disk != nil && max(len(e.Disk.Mail), len(e.Disk.Folders)) > MaxListed,
		e.Holds != nil && max(len(e.Holds.Mail), len(e.Holds.Boxes)) > MaxListed,
		len(e.Totals) > MaxListed:
		return errors.New("it lists too much")
	}
	return nil
}

// strict decodes one JSON value and knows every field of it.
func strict(b []byte, v any) error {
	dec := json.NewDecoder(bytes.NewReader(b))
	dec.DisallowUnknownFields()
	if err := dec.Decode(v); err != nil {
		return fmt.Errorf("its JSON is not as expected: %w", err)
	}
	if _, err := dec.Token(); err != io.EOF {
		return errors.New("something follows its end")
	}
	return nil
}

// Check verifies that a list of events is one that a run can give.
func Check(events []Event) error {
	switch {
	case len(events) == 0:
		return errors.New("it has no events")
	case len(events) > MaxEvents:
		return fmt.Errorf("it has %d events, at most %d are taken", len(events), MaxEvents)
	case events[0].Kind != KindRun || events[0].Run == nil:
		return errors.New("its first event does not say what was run")
	}
	if run := events[0].Run; strings.ContainsFunc(run.Target+run.Account+run.Note+run.Link.Name, unicode.IsControl) {
		return errors.New("what was run has a control character in it")
	}
	c := checker{open: map[int]bool{}}
	for i := range events {
		if err := c.check(i, &events[i]); err != nil {
			return fmt.Errorf("event %d: %w", i+1, err)
		}
		if events[i].Kind == KindScenario {
			c.begin = i
		}
		if events[i].Kind == KindEnd && !reflect.DeepEqual(events[i].Totals, Totals(events[c.begin:i])) {
			return fmt.Errorf("event %d: its totals are not those of the events before it", i+1)
		}
	}
	return nil
}

// checker is what Check remembers of the events before.
type checker struct {
	micros   int64
	begin    int    // the event that began the scenario
	scenario string // "" between scenarios
	open     map[int]bool
	conns    int
}

func (c *checker) check(i int, e *Event) error {
	switch {
	case e.Seq != i+1:
		return fmt.Errorf("it has the number %d", e.Seq)
	case e.Micros < c.micros:
		return errors.New("its time is before that of the event before it")
	case e.Bytes < 0 || e.Trips < 0 || e.Wait < 0:
		return errors.New("it has a negative number")
	case e.Protocol != "" && e.Protocol != POP3 && e.Protocol != IMAP:
		return fmt.Errorf("%q is no protocol", e.Protocol)
	case len(e.Text) > maxText || len(e.Device) > maxText || len(e.Verb) > maxText || len(e.RFC) > maxText || len(e.Label) > maxText:
		return errors.New("it has a text that is too long")
	case strings.ContainsFunc(e.Text+e.Device+e.Verb+e.RFC+e.Label+e.Scenario, unicode.IsControl): // they are shown on terminals
		return errors.New("it has a line end or another control character in a text")
	}
	c.micros = e.Micros
	if err := e.checkLists(); err != nil {
		return err
	}
	if err := c.checkPlace(i, e); err != nil {
		return err
	}
	return c.checkKind(e)
}

// checkPlace looks at where in the list an event may stand.
func (c *checker) checkPlace(i int, e *Event) error {
	switch e.Kind {
	case KindRun:
		if i > 0 {
			return errors.New("a second run begins")
		}
		return nil
	case KindScenario:
		if e.Scenario == "" || c.scenario != "" {
			return errors.New("a scenario begins in another, or has no name")
		}
		c.scenario = e.Scenario
		return nil
	}
	if e.Scenario != c.scenario {
		return fmt.Errorf("it is of the scenario %q, that running is %q", e.Scenario, c.scenario)
	}
	if e.Kind == KindEnd || e.Kind == KindSkip {
		if c.scenario == "" { // and each end would add all events up again
			return errors.New("a scenario ends that has not begun")
		}
		c.scenario = ""
	}
	return nil
}

// checkKind looks at the fields that a kind of event has.
func (c *checker) checkKind(e *Event) error {
	switch e.Kind {
	case KindConnect:
		if c.conns++; e.Conn != c.conns || c.conns > maxConns {
			return fmt.Errorf("connection %d begins, the next would be %d", e.Conn, c.conns)
		}
		c.open[e.Conn] = true
	case KindTLS, KindLine, KindWire, KindClose:
		if !c.open[e.Conn] {
			return fmt.Errorf("connection %d is not open", e.Conn)
		}
		if (e.Kind == KindLine || e.Kind == KindWire) && e.From != Client && e.From != Server {
			return fmt.Errorf("%q sent it", e.From)
		}
		if e.Kind == KindClose {
			delete(c.open, e.Conn)
		}
	case KindDevice:
		if e.Disk == nil {
			return errors.New("it does not say what the device has")
		}
	case KindServer:
		if e.Holds == nil {
			return errors.New("it does not say what the server has")
		}
	case KindFact:
		if e.Fact == nil {
			return errors.New("it does not say the fact")
		}
	case KindRun, KindScenario, KindAct, KindPass, KindMark, KindNote, KindSkip, KindEnd:
	default:
		return fmt.Errorf("%q is no kind of event", e.Kind)
	}
	return nil
}
