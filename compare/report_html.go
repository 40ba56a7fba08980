package compare

import (
	_ "embed"
	"fmt"
	"html/template"
	"io"
	"time"
)

//go:embed report.html
var reportPage string

// reportRow is a line of the report's bars.
type reportRow struct {
	Over     string
	Protocol Protocol
	Trips    int
	Bytes    int64
	Took     string
	Size     string
	// The lengths of the bars, in per cent of the scenario's longest.
	TripsBar, BytesBar float64
}

// reportLine is a line of the report's transcript.
type reportLine struct {
	At, Who, Text, RFC, Why string
	Side                    string // a class of the style: c, s or story
}

// reportPart is a scenario of the report.
type reportPart struct {
	Result
	Says  string
	Bars  []reportRow
	Lines []reportLine
}

// HTML writes a run as a page that stands alone: it has no script and asks no
// other place for anything.
func HTML(w io.Writer, events []Event) error {
	t, err := template.New("report").Parse(reportPage)
	if err != nil {
		return fmt.Errorf("make the report: %w", err)
	}
	results := Results(events)
	data := struct {
		About   string
		Started string
		Columns []string
		Rows    [][]string
		Parts   []reportPart
	}{About(events), runOf(events).Started.Format(time.RFC1123), Columns(), Rows(results), nil}
	lines := transcripts(events)
	for i := range results {
		data.Parts = append(data.Parts, reportPart{results[i], results[i].says(), bars(results[i].Totals), lines[i]})
	}
	return t.Execute(w, data)
}

// bars gives the round trips and bytes of a scenario's ways.
func bars(totals []Total) []reportRow {
	var trips int
	var bytes int64
	for i := range totals {
		trips, bytes = max(trips, totals[i].Trips), max(bytes, totals[i].Bytes())
	}
	share := func(n, of float64) float64 { return 100 * n / max(of, 1) }
	var rows []reportRow
	for i := range totals {
		t := &totals[i]
		r := reportRow{Over: t.Protocol.String(), Protocol: t.Protocol, Trips: t.Trips, Bytes: t.Bytes(), Took: span(t.Micros), Size: octets(t.Bytes()),
			TripsBar: share(float64(t.Trips), float64(trips)), BytesBar: share(float64(t.Bytes()), float64(bytes))}
		if t.Label != "" {
			r.Over += ", " + t.Label
		}
		rows = append(rows, r)
	}
	return rows
}

// transcripts gives the lines of each scenario, in the order of Results.
func transcripts(events []Event) [][]reportLine {
	var list [][]reportLine
	for i := range events {
		e := &events[i]
		if e.Kind == KindScenario {
			list = append(list, nil)
			continue
		}
		if line, ok := transcriptLine(e); ok && len(list) > 0 {
			list[len(list)-1] = append(list[len(list)-1], line)
		}
	}
	return list
}

// transcriptLine gives an event as a line of the transcript, if it is one.
func transcriptLine(e *Event) (reportLine, bool) {
	l := reportLine{At: span(e.Micros), Who: e.Device, Text: e.Text, RFC: e.RFC, Side: "story"}
	switch e.Kind {
	case KindLine:
		l.Why = Explain(e.Protocol, e.Verb).Text
		l.Side = string(e.From)
		l.Who += map[Side]string{Client: " says", Server: " hears"}[e.From]
	case KindAct:
	case KindConnect:
		l.Text = "connected to " + e.Text
	case KindTLS:
		l.Text = "is protected by " + e.Text
	case KindClose:
		l.Text = "closed the connection"
		if e.Text != "" {
			l.Text += ": " + e.Text
		}
	case KindPass:
		l.Who, l.Text = "time passes", span(e.Wait)+" "+e.Text
	case KindNote:
		l.Who = "note"
	case KindMark:
		l.Who += " reaches"
	default:
		return l, false
	}
	return l, true
}
