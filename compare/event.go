package compare

import "time"

// Event is one thing that happened during a run. Kind says which of the other
// fields are set. A run is nothing but its events in order: all that is shown of
// one is computed from them.
type Event struct {
	Seq      int      `json:"seq"`                // 1, 2, 3 ... without gaps
	Micros   int64    `json:"t"`                  // microseconds since the run began; never goes back
	Kind     Kind     `json:"kind"`               //
	Scenario string   `json:"scenario,omitempty"` // its name, from KindScenario to KindEnd or KindSkip
	Label    string   `json:"label,omitempty"`    // which of several ways the scenario goes, such as a policy
	Protocol Protocol `json:"protocol,omitempty"` // the side of the comparison it belongs to
	Device   string   `json:"device,omitempty"`   // such as "pop3-1"; "" for the server and the story
	Conn     int      `json:"conn,omitempty"`     // number of the connection in the run, from 1

	From  Side   `json:"from,omitempty"`  // KindLine, KindWire: who sent it
	Text  string `json:"text,omitempty"`  // see the kinds
	Verb  string `json:"verb,omitempty"`  // KindLine: the command it belongs to, as in Explain
	RFC   string `json:"rfc,omitempty"`   // KindLine: "RFC 1939 section 5"
	Bytes int64  `json:"bytes,omitempty"` // KindLine: its octets before TLS; KindWire: on the wire
	Lump  bool   `json:"lump,omitempty"`  // KindLine: Text says what many lines or octets were
	Trips int    `json:"trips,omitempty"` // KindConnect, KindTLS: round trips that setting up took
	Wait  int64  `json:"wait,omitempty"`  // KindPass: microseconds skipped

	Run    *Run    `json:"run,omitempty"`    // KindRun
	Disk   *Disk   `json:"disk,omitempty"`   // KindDevice
	Holds  *Holds  `json:"holds,omitempty"`  // KindServer
	Fact   *Fact   `json:"fact,omitempty"`   // KindFact
	Totals []Total `json:"totals,omitempty"` // KindEnd: what Totals gives for the scenario
}

// At is when it happened, from the run's beginning.
func (e *Event) At() time.Duration { return time.Duration(e.Micros) * time.Microsecond }

// Kind says what an Event is.
type Kind string

// The kinds.
const (
	KindRun      Kind = "run"      // the first event of a list
	KindScenario Kind = "scenario" // one begins; Text is its title
	KindAct      Kind = "act"      // Device begins to do something; Text says what
	KindConnect  Kind = "connect"  // a connection is there; Text is the address
	KindTLS      Kind = "tls"      // its TLS handshake is over; Text is version and cipher
	KindLine     Kind = "line"     // a line of the transcript, secrets replaced
	KindWire     Kind = "wire"     // a flight: Bytes went From one side until the other answered
	KindClose    Kind = "close"    // the connection is gone; Text says why if not in order
	KindPass     Kind = "pass"     // time that nobody waited for is skipped; Text says whose
	KindMark     Kind = "mark"     // a moment; Text is one of the Mark constants
	KindDevice   Kind = "device"   // what Device has now
	KindServer   Kind = "server"   // what the server has now
	KindFact     Kind = "fact"     // a number that the lines alone do not tell
	KindNote     Kind = "note"     // the story: Text is a sentence
	KindSkip     Kind = "skip"     // the scenario cannot run here; Text says why. It is its last event
	KindEnd      Kind = "end"      // the scenario is over; Text is its sentence
)

// Protocol is a side of the comparison.
type Protocol string

// The protocols.
const (
	POP3 Protocol = "pop3"
	IMAP Protocol = "imap"
)

// String gives the name as people write it.
func (p Protocol) String() string {
	switch p {
	case POP3:
		return "POP3"
	case IMAP:
		return "IMAP"
	}
	return string(p)
}

// Side is an end of a connection.
type Side string

// The sides.
const (
	Client Side = "c"
	Server Side = "s"
)

// The moments that KindMark names.
const (
	MarkFirstSubject = "first subject" // the first subject line is on the device
	MarkAllSubjects  = "all subjects"
	MarkReadable     = "readable" // the text asked for can be read
	MarkArrived      = "arrived"  // a message came to the server
	MarkNoticed      = "noticed"  // the device knows of that message
)

// Run says what was compared, and how.
type Run struct {
	Target  string    `json:"target"`         // the server, in words
	Link    Link      `json:"link"`           //
	Seed    uint64    `json:"seed"`           // what made-up mail is made from
	Started time.Time `json:"started"`        //
	Account string    `json:"account"`        // as given; never a password
	Write   bool      `json:"write"`          // scenarios that write were allowed
	Note    string    `json:"note,omitempty"` // how time was taken
}

// Disk is what a device has stored. Mail lists at most MaxListed messages; the
// counts are of all.
type Disk struct {
	Online   bool     `json:"online"`
	Lost     bool     `json:"lost,omitempty"`
	Messages int      `json:"messages"` // whole messages
	Subjects int      `json:"subjects"` // of which only the subject is here
	Bytes    int64    `json:"bytes"`    // all of it
	Folders  []string `json:"folders,omitempty"`
	Mail     []Mail   `json:"mail,omitempty"`
}

// Holds is what the server has stored.
type Holds struct {
	Messages int    `json:"messages"`
	Bytes    int64  `json:"bytes"`
	Own      int    `json:"own"`       // messages that the run put in
	OwnBytes int64  `json:"own_bytes"` // theirs
	Boxes    []Box  `json:"boxes,omitempty"`
	Mail     []Mail `json:"mail,omitempty"` // of those that the run put in
}

// Box is a mailbox on the server.
type Box struct {
	Name     string `json:"name"`
	Messages int    `json:"messages"`
	Unseen   int    `json:"unseen"`
	Bytes    int64  `json:"bytes"`
}

// Mail is one message as the server has it, or as a device believes it to be.
type Mail struct {
	Key     string `json:"key"` // the same wherever the message is: its Message-ID
	Subject string `json:"subject"`
	Folder  string `json:"folder"`
	Seen    bool   `json:"seen,omitempty"`
	Flagged bool   `json:"flagged,omitempty"`
	Text    bool   `json:"text,omitempty"`  // its text can be read here, without the server
	Whole   bool   `json:"whole,omitempty"` // all of it is here, attachments too
	Bytes   int64  `json:"bytes"`           // stored here
}

// MaxListed is how many messages a Disk or Holds lists.
const MaxListed = 60

// Fact is a number that a scenario found out.
type Fact struct {
	Name  string `json:"name"`  // one of the Fact constants
	Value int64  `json:"value"` //
	Unit  string `json:"unit"`  // "messages", "bytes", "folders", "microseconds"
}

// The names of facts. Those that can be told of a device are in the columns of
// the summary.
const (
	FactOnServer     = "stored on server"       // bytes
	FactSecondSees   = "seen by second device"  // messages
	FactSecondState  = "states kept on second"  // messages whose read or flagged state the second knows
	FactFolders      = "folders on second"      // folders
	FactSecondSent   = "sent mail on second"    // messages
	FactReadable     = "readable offline"       // messages
	FactLost         = "lost with the device"   // messages
	FactDelay        = "from arrival to notice" // microseconds
	FactPolls        = "sessions needed"        // sessions
	FactServerLeft   = "left on server"         // messages
	FactInTrash      = "in Trash"               // messages
	FactSecondLeft   = "left for second device" // messages
	FactWholeMessage = "size of the message"    // bytes
)

// Total is what one protocol cost in a scenario, as computed from the events.
type Total struct {
	Protocol     Protocol `json:"protocol"`
	Label        string   `json:"label,omitempty"` // which of several ways, such as a policy
	Connections  int      `json:"connections"`
	Trips        int      `json:"round_trips"`       // runs of server lines
	Setup        int      `json:"setup_round_trips"` // of TCP and TLS
	Up           int64    `json:"bytes_up"`          // client to server, on the wire
	Down         int64    `json:"bytes_down"`
	Micros       int64    `json:"microseconds"`               // that its devices were at work
	FirstSubject *int64   `json:"first_subject_us,omitempty"` // microseconds after the device began
	OnDevice     *int64   `json:"device_bytes,omitempty"`     // stored on its first device, at last
	Facts        []Fact   `json:"facts,omitempty"`            // in the order they were found out; the last of a name counts
}
