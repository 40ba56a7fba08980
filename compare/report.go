package compare

import (
	"fmt"
	"io"
	"slices"
	"strings"
)

// Columns are the heads of a table of Rows.
func Columns() []string {
	return []string{"SCENARIO", "OVER", "ROUND TRIPS", "BYTES", "TIME", "FIRST SUBJECT", "ON SERVER", "ON DEVICE", "SECOND SEES", "LOST"}
}

// Rows gives a line for each way a scenario went; "-" is what it does not tell.
// Round trips are without those that set a connection up.
func Rows(results []Result) [][]string {
	var rows [][]string
	for i := range results {
		r := &results[i]
		if r.Skipped != "" {
			rows = append(rows, append([]string{r.Name, "not run"}, slices.Repeat([]string{"-"}, len(Columns())-2)...))
		}
		for j := range r.Totals {
			t := &r.Totals[j]
			over := t.Protocol.String()
			if t.Label != "" {
				over += ", " + t.Label
			}
			rows = append(rows, []string{r.Name, over, thousands(int64(t.Trips)), octets(t.Bytes()), span(t.Micros),
				known(t.FirstSubject, span), t.cell(FactOnServer, octets), known(t.OnDevice, octets),
				t.second(), t.cell(FactLost, thousands)})
		}
	}
	return rows
}

// known writes a number, or that there is none.
func known(n *int64, write func(int64) string) string {
	if n == nil {
		return "-"
	}
	return write(*n)
}

// cell writes a fact.
func (t *Total) cell(name string, write func(int64) string) string {
	if n, ok := t.Fact(name); ok {
		return write(n)
	}
	return "-"
}

// second says what the second device sees: messages, and of sent mail.
func (t *Total) second() string {
	if n, ok := t.Fact(FactSecondLeft); ok {
		return thousands(n)
	}
	n, ok := t.Fact(FactSecondSees)
	if !ok {
		return "-"
	}
	if sent, _ := t.Fact(FactSecondSent); sent > 0 {
		return thousands(n) + " + " + thousands(sent) + " sent"
	}
	return thousands(n)
}

// runOf is what was run; the zero Run for a list without.
func runOf(events []Event) Run {
	if len(events) > 0 && events[0].Run != nil {
		return *events[0].Run
	}
	return Run{}
}

// About says what was run, in one line.
func About(events []Event) string {
	run := runOf(events)
	link := "no link added"
	if run.Link.Latency > 0 || run.Link.Rate > 0 {
		link = fmt.Sprintf("a link of %v a round trip", run.Link.Latency)
		if run.Link.Rate > 0 {
			link += " and " + bits(run.Link.Rate)
		}
		if run.Link.Name != "" {
			link += " (" + run.Link.Name + ")"
		}
	}
	return fmt.Sprintf("%s, %s; times are %s.", run.Target, link, run.Note)
}

func bits(n int64) string {
	for _, u := range []struct {
		name string
		size int64
	}{{"Gbit/s", 1e9}, {"Mbit/s", 1e6}, {"kbit/s", 1e3}} {
		if n >= u.size {
			return strings.TrimSuffix(fmt.Sprintf("%.1f", float64(n)/float64(u.size)), ".0") + " " + u.name
		}
	}
	return fmt.Sprintf("%d bit/s", n)
}

// Markdown writes a run as a table and its sentences.
func Markdown(w io.Writer, events []Event) error {
	results := Results(events)
	var b strings.Builder
	fmt.Fprintf(&b, "# POP3 and IMAP compared\n\n%s\n\n", plain(About(events)))
	row := func(cells []string) {
		for _, c := range cells {
			b.WriteString("| " + plain(c) + " ")
		}
		b.WriteString("|\n")
	}
	row(Columns())
	row(slices.Repeat([]string{"---"}, len(Columns())))
	for _, cells := range Rows(results) {
		row(cells)
	}
	b.WriteString("\n")
	for i := range results {
		fmt.Fprintf(&b, "- **%s**: %s\n", plain(results[i].Title), plain(results[i].says()))
	}
	_, err := io.WriteString(w, b.String())
	return err
}

// says is the scenario's sentence, or why it did not run.
func (r *Result) says() string {
	if r.Skipped != "" {
		return "not run: " + r.Skipped
	}
	return r.Sentence
}

// plain keeps Markdown from reading text as more than text.
func plain(s string) string {
	return strings.NewReplacer("\\", "\\\\", "|", "\\|", "*", "\\*", "<", "&lt;", "`", "\\`", "[", "\\[").Replace(s)
}
