package compare

import (
	"cmp"
	"context"
	"crypto/rand"
	"errors"
	"fmt"
	"strings"
	"time"
)

// Options are how a run goes; zero values mean the defaults given.
type Options struct {
	Clock    *Clock        // default NewClock()
	Link     Link          // between every device and the server
	Seed     uint64        // for made-up mail
	ID       string        // marks the run's messages; default random
	Write    bool          // scenarios may put messages in, and delete those
	Subjects int           // messages of a first look; default 50
	Messages int           // messages of a full download; default 200
	Poll     time.Duration // between two looks of a POP3 device; default 5 minutes
	Observe  func(Event)   // told of each event as it happens; may be nil
}

// Stage is a run under way: the server and the devices around it. One goroutine
// uses it; Events may be called by others.
type Stage struct {
	target  Target
	opts    Options
	rec     *recorder
	writer  *writer
	server  *observer
	devices map[Protocol]int // made so far in this scenario
	open    []*IMAPDevice    // with a session
	known   baseline
	brief   bool // what is stored is told in numbers alone
}

// baseline is what INBOX had before a scenario put its own in: the devices of
// scenarios that write pass over it.
type baseline struct {
	on    bool
	uid   uint32          // the first that was free
	uidls map[string]bool // there before
}

// NewStage begins a run. Close has to be called.
func NewStage(target Target, opts Options) *Stage {
	if opts.Clock == nil {
		opts.Clock = NewClock()
	}
	opts.ID = cmp.Or(opts.ID, strings.ToLower(rand.Text()[:10]))
	opts.Subjects = cmp.Or(opts.Subjects, 50)
	opts.Messages = cmp.Or(opts.Messages, 200)
	opts.Poll = cmp.Or(opts.Poll, 5*time.Minute)
	s := &Stage{target: target, opts: opts, devices: map[Protocol]int{},
		rec:    &recorder{clock: opts.Clock, observe: opts.Observe},
		writer: newWriter(opts.Seed, opts.ID, opts.Clock.Begin())}
	s.server = &observer{target: &s.target, writer: s.writer}
	s.rec.add(origin{}, Event{Kind: KindRun, Run: &Run{Target: target.Name, Link: opts.Link, Seed: opts.Seed,
		Started: opts.Clock.Begin().UTC().Truncate(time.Second), Account: target.Login.User, Write: opts.Write, Note: opts.Clock.does()}})
	return s
}

// Events gives what happened after the first n events.
func (s *Stage) Events(n int) []Event { return s.rec.list(n) }

// Run runs one scenario. What goes wrong in it is told by its last event; the
// error is only ctx's end, or that there is no such scenario.
func (s *Stage) Run(ctx context.Context, name string) error {
	sc := scenarioOf(name)
	if sc == nil {
		return fmt.Errorf("no scenario %q (there are %s, all)", name, strings.Join(ScenarioNames(), ", "))
	}
	begin := len(s.rec.list(0))
	s.rec.in(sc.Name, "")
	s.rec.add(origin{}, Event{Kind: KindScenario, Text: sc.Title})
	err := s.try(ctx, sc)
	s.rec.in(sc.Name, "")
	if err != nil {
		s.rec.add(origin{}, Event{Kind: KindSkip, Text: clean(reason(err), secretsOf(s.target.Login))})
	} else {
		totals := Totals(s.rec.list(begin))
		s.rec.add(origin{}, Event{Kind: KindEnd, Text: sc.sentence(numbers(totals)), Totals: totals})
	}
	s.rec.in("", "")
	return ctx.Err()
}

// try runs a scenario and takes back what it put in.
func (s *Stage) try(ctx context.Context, sc *scenario) (err error) {
	if sc.Writes && !s.opts.Write {
		return errors.New("it puts messages in and deletes them (--write lets it)")
	}
	for _, p := range []Protocol{POP3, IMAP} {
		if _, err := s.target.service(p); err != nil {
			return err
		}
	}
	defer func() {
		s.hangUp()
		clear(s.devices)
		s.known, s.brief = baseline{}, false
		if s.opts.Write {
			err = errors.Join(err, s.server.clean(ctx))
		}
		err = errors.Join(err, s.revoke(ctx))
		if err == nil && s.rec.lost() {
			err = fmt.Errorf("the run has more than %d events", MaxEvents)
		}
	}()
	if sc.Writes {
		if err := s.passOver(ctx); err != nil {
			return err
		}
	}
	if s.target.Devices == nil && !sc.Writes { // passOver has
		if err := s.server.knock(ctx, s.target.Login); err != nil {
			return err
		}
	}
	if _, err := s.Look(ctx); err != nil {
		return err
	}
	if err := sc.run(ctx, s); err != nil {
		return err
	}
	_, err = s.Look(ctx)
	return err
}

// revoke ends the logins that devices were given.
func (s *Stage) revoke(ctx context.Context) error {
	if s.target.Devices == nil {
		return nil
	}
	return s.target.Devices.Revoke(ctx)
}

// passOver makes devices pass over what INBOX has now.
func (s *Stage) passOver(ctx context.Context) (err error) {
	s.known.on = true
	if s.known.uid, err = s.server.uidNext(ctx); err != nil {
		return err
	}
	s.known.uidls, err = s.server.uidls(ctx)
	return err
}

// Close ends the devices' sessions and removes what the run put in.
func (s *Stage) Close(ctx context.Context) error {
	s.hangUp()
	var err error
	if s.opts.Write {
		err = s.server.clean(ctx)
	}
	s.server.close()
	return err
}

// hangUp ends all sessions.
func (s *Stage) hangUp() {
	for _, d := range s.open {
		d.hangUp("")
	}
	s.open = nil
}

// Label names the way that the scenario goes from here on.
func (s *Stage) label(label string) {
	s.hangUp()
	s.rec.in(s.rec.scenario, label)
}

// Deliver puts a made-up message of about size octets into INBOX and gives its key.
func (s *Stage) Deliver(ctx context.Context, size int) (key string, err error) {
	return s.deliver(ctx, s.writer.letter(size, 0, s.opts.Clock.Elapsed()))
}

func (s *Stage) deliver(ctx context.Context, l letter) (string, error) {
	if !s.opts.Write {
		return "", errors.New("this run may not put messages in")
	}
	return l.key, s.server.put(ctx, "INBOX", l)
}

// deliverMany puts n messages in, each an hour younger than the one before.
func (s *Stage) deliverMany(ctx context.Context, n, size int) ([]string, error) {
	var keys []string
	for i := range n {
		key, err := s.deliver(ctx, s.writer.letter(size+size/4*(i%4), 0, time.Duration(i-n)*time.Hour))
		if err != nil {
			return nil, err
		}
		keys = append(keys, key)
	}
	return keys, nil
}

// Look records what the server has.
func (s *Stage) Look(ctx context.Context) (*Holds, error) {
	h, err := s.server.holds(ctx)
	if err != nil {
		return nil, err
	}
	told := *h
	if s.brief {
		told.Mail = nil
	}
	s.rec.add(origin{}, Event{Kind: KindServer, Holds: &told})
	return h, nil
}

// stored records what the server has of the scenario's messages.
func (s *Stage) stored(ctx context.Context, p Protocol) error {
	h, err := s.Look(ctx)
	if err == nil {
		s.fact(p, FactOnServer, h.OwnBytes, "bytes")
	}
	return err
}

// Pass lets time go by in which nobody waits.
func (s *Stage) Pass(d time.Duration, why string) {
	s.opts.Clock.Skip(d)
	s.rec.add(origin{}, Event{Kind: KindPass, Wait: d.Microseconds(), Text: why})
}

// Note tells the story.
func (s *Stage) Note(format string, args ...any) {
	s.rec.add(origin{}, Event{Kind: KindNote, Text: clean(fmt.Sprintf(format, args...), secretsOf(s.target.Login))})
}

// fact records a number that a scenario found out about a protocol.
func (s *Stage) fact(p Protocol, name string, value int64, unit string) {
	s.rec.add(origin{protocol: p}, Event{Kind: KindFact, Fact: &Fact{Name: name, Value: value, Unit: unit}})
}

// device is what POP3 and IMAP devices share.
type device struct {
	stage    *Stage
	name     string
	protocol Protocol
	disk     disk
	offline  bool
	lost     bool
}

func (s *Stage) newDevice(p Protocol) device {
	s.devices[p]++
	return device{stage: s, name: fmt.Sprintf("%s-%d", string(p), s.devices[p]), protocol: p}
}

// Name is the device's, such as "pop3-1".
func (d *device) Name() string { return d.name }

// Disk is what the device has now.
func (d *device) Disk() *Disk {
	s := d.disk.snapshot()
	s.Online, s.Lost = !d.offline && !d.lost, d.lost
	return s
}

func (d *device) origin() origin { return origin{protocol: d.protocol, device: d.name} }

// act says what the device begins to do. An error if it cannot do anything.
func (d *device) act(format string, args ...any) error {
	if d.lost {
		return fmt.Errorf("%s is lost", d.name)
	}
	d.stage.rec.add(d.origin(), Event{Kind: KindAct, Text: fmt.Sprintf(format, args...)})
	return nil
}

// goOnline is an error while the cable is pulled.
func (d *device) goOnline() error {
	if d.offline {
		return fmt.Errorf("%s has no connection: its cable is pulled", d.name)
	}
	return nil
}

// show records what the device has.
func (d *device) show() {
	has := d.Disk()
	if d.stage.brief {
		has.Mail = nil
	}
	d.stage.rec.add(d.origin(), Event{Kind: KindDevice, Disk: has})
}

func (d *device) mark(moment string) {
	d.stage.rec.add(d.origin(), Event{Kind: KindMark, Text: moment})
}

// failed words what went wrong for a device.
func (d *device) failed(err error) error {
	if err == nil {
		return nil
	}
	address := ""
	if s, noService := d.stage.target.service(d.protocol); noService == nil {
		address = " at " + s.Address
	}
	return fmt.Errorf("%s%s: %w", d.protocol, address, err)
}

// Lose takes the device away, with all that is on it.
func (d *device) Lose() {
	d.lost = true
	d.show()
}
