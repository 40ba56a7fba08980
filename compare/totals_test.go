package compare

import "testing"

// TestPreparingIsNobodysTime adds only up what a device waited for: not that it
// was made a login before, nor that the run looked at the server after.
func TestPreparingIsNobodysTime(t *testing.T) {
	totals := Totals([]Event{
		{Kind: KindServer, Micros: 1000, Holds: &Holds{}},
		{Kind: KindAct, Protocol: POP3, Device: "pop3-1", Micros: 18_000},
		{Kind: KindConnect, Protocol: POP3, Device: "pop3-1", Conn: 1, Micros: 18_300, Trips: 1},
		{Kind: KindLine, Protocol: POP3, Device: "pop3-1", Conn: 1, From: Server, Micros: 18_700},
		{Kind: KindMark, Protocol: POP3, Device: "pop3-1", Text: MarkFirstSubject, Micros: 18_750},
		{Kind: KindClose, Protocol: POP3, Device: "pop3-1", Conn: 1, Micros: 18_900},
		{Kind: KindFact, Protocol: POP3, Fact: &Fact{Name: FactLost}, Micros: 30_000},
		{Kind: KindDevice, Protocol: POP3, Device: "pop3-2", Disk: &Disk{}, Micros: 50_000},
	})
	if len(totals) != 1 || totals[0].Micros != 900 || totals[0].FirstSubject == nil || *totals[0].FirstSubject != 750 {
		t.Errorf("%+v", totals)
	}
}
