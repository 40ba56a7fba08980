package page

import (
	"context"
	"errors"
	"fmt"
	"net/http"
	"slices"
	"strconv"
	"time"

	"tandem/compare"
)

// act is something a visitor does.
type act struct {
	name   string // "deliver", "sync", ...
	device string
	key    string // of a message
	value  string // of a switch
}

const (
	maxDevices  = 4 // of a protocol
	letterSize  = 2000
	firstMail   = 3      // messages there at the beginning
	folderFiled = "Work" // where filing puts messages
)

// device is what a visitor can do with either kind.
type device interface {
	Name() string
	Disk() *compare.Disk
	Sync(ctx context.Context) error
	Pull()
	Plug()
}

// play is a show in which the visitor says what happens. One goroutine has it.
type play struct {
	*show
	policy string
	poll   time.Duration
	pop3   []*compare.POP3Device
	imap   []*compare.IMAPDevice
}

// settings are the switches.
type settings struct {
	link   compare.Link
	policy string
	poll   time.Duration
}

func (p *Pages) beginPlay(w http.ResponseWriter, r *http.Request) {
	set, err := readSettings(r)
	if err != nil {
		refuse(w, http.StatusBadRequest, sentence(err))
		return
	}
	acts := make(chan act, 16)
	s, err := p.begin(r, set.link, acts, func(s *show) {
		g := &play{show: s, policy: set.policy, poll: set.poll}
		g.run()
	})
	p.began(w, s, err)
}

func readSettings(r *http.Request) (set settings, err error) {
	if set.link, err = compare.ParseLink(r.PostFormValue("link")); err != nil {
		return set, err
	}
	if set.policy, err = readPolicy(r.PostFormValue("policy")); err != nil {
		return set, err
	}
	set.poll, err = readPoll(r.PostFormValue("poll"))
	return set, err
}

func readPolicy(s string) (string, error) {
	if !slices.Contains([]string{"trash", "expunge", "keep", "shared"}, s) {
		return "", fmt.Errorf("%q is no policy", s)
	}
	return s, nil
}

// readPoll reads seconds; 0 is never.
func readPoll(s string) (time.Duration, error) {
	n, err := strconv.Atoi(s)
	if err != nil || n != 0 && (n < 5 || n > 3600) {
		return 0, fmt.Errorf("%q is no interval of 5 to 3600 seconds", s)
	}
	return time.Duration(n) * time.Second, nil
}

// act takes what a visitor does; it is carried out in turn.
func (p *Pages) act(w http.ResponseWriter, r *http.Request) {
	s := p.shows.find(r.PathValue("show"))
	switch {
	case s == nil || s.acts == nil:
		refuse(w, http.StatusNotFound, "This run is over: begin another.")
		return
	case !s.mayAct():
		refuse(w, http.StatusTooManyRequests, "That is as much as one run takes: begin another.")
		return
	}
	a := act{r.PostFormValue("act"), r.PostFormValue("device"), r.PostFormValue("key"), r.PostFormValue("value")}
	select {
	case s.acts <- a:
		answer(w, http.StatusOK, map[string]string{})
	case <-s.ctx.Done():
		refuse(w, http.StatusNotFound, "This run is over: begin another.")
	case <-r.Context().Done():
	case <-time.After(viewerTime):
		refuse(w, http.StatusServiceUnavailable, "The devices are still busy: wait a moment.")
	}
}

// mayAct counts acts.
func (s *show) mayAct() bool {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.done++
	return s.done <= maxActs
}

// run sets the stage and does what the visitor says until the show ends.
func (g *play) run() {
	g.tell(g.set())
	for g.ctx.Err() == nil {
		if len(g.stage.Events(0)) > maxEvents {
			g.stage.Note("That is as much as one run takes: begin another.")
			return
		}
		var poll <-chan time.Time
		if g.poll > 0 {
			poll = time.After(g.poll)
		}
		select {
		case a := <-g.acts:
			g.tell(g.do(a))
		case <-poll:
			g.tell(g.pollAll())
		case <-g.ctx.Done():
		}
	}
}

// tell says what went wrong, as part of the story.
func (g *play) tell(err error) {
	if err != nil && g.ctx.Err() == nil {
		g.stage.Note("%s", sentence(err))
	}
}

// set makes the first devices and some mail.
func (g *play) set() error {
	for range firstMail {
		if _, err := g.stage.Deliver(g.ctx, letterSize); err != nil {
			return err
		}
	}
	for range 2 {
		if err := errors.Join(g.addPOP3(), g.addIMAP()); err != nil {
			return err
		}
	}
	_, err := g.stage.Look(g.ctx)
	if err == nil {
		g.stage.Note("There are %d messages on the server, and two devices of each kind that have seen none of them yet.", firstMail)
	}
	return err
}

func (g *play) addPOP3() error {
	if len(g.pop3) == maxDevices {
		return fmt.Errorf("there are %d POP3 devices already", maxDevices)
	}
	d, err := g.stage.NewPOP3(g.ctx, false, g.policy)
	if err != nil {
		return err
	}
	g.pop3 = append(g.pop3, d)
	d.Plug()
	return nil
}

func (g *play) addIMAP() error {
	if len(g.imap) == maxDevices {
		return fmt.Errorf("there are %d IMAP devices already", maxDevices)
	}
	d := g.stage.NewIMAP()
	g.imap = append(g.imap, d)
	d.Plug()
	return nil
}

// do does one thing and then shows what the server has.
func (g *play) do(a act) (err error) {
	defer func() {
		if _, lookErr := g.stage.Look(g.ctx); err == nil {
			err = lookErr
		}
	}()
	switch a.name {
	case "deliver":
		return g.deliver()
	case "add-pop3":
		return g.addPOP3()
	case "add-imap":
		return g.addIMAP()
	case "link":
		link, err := compare.ParseLink(a.value)
		if err != nil {
			return err
		}
		g.stage.SetLink(link)
		return nil
	case "poll":
		g.poll, err = readPoll(a.value)
		return err
	case "policy":
		return g.setPolicy(a.value)
	}
	for _, d := range g.devices() {
		if d.Name() == a.device {
			return g.on(d, a)
		}
	}
	return fmt.Errorf("there is no device %q", a.device)
}

// devices lists both kinds.
func (g *play) devices() (list []device) {
	for _, d := range g.pop3 {
		list = append(list, d)
	}
	for _, d := range g.imap {
		list = append(list, d)
	}
	return list
}

// deliver brings a message; IMAP devices that have been opened hear of it.
func (g *play) deliver() error {
	if _, err := g.stage.Deliver(g.ctx, letterSize); err != nil {
		return err
	}
	g.stage.Note("A message has arrived on the server. IMAP devices that are connected are told; POP3 devices will find it when they next look.")
	return g.others(nil)
}

// others has the IMAP devices that are in use look again, as the server's push
// makes them.
func (g *play) others(but device) (err error) {
	for _, d := range g.imap {
		if device(d) == but || !d.Disk().Online || !d.Connected() {
			continue
		}
		err = errors.Join(err, d.Sync(g.ctx))
	}
	return err
}

func (g *play) setPolicy(s string) error {
	policy, err := readPolicy(s)
	if err != nil {
		return err
	}
	g.policy = policy
	for _, d := range g.pop3 {
		if err := d.SetPolicy(g.ctx, policy); err != nil {
			return err
		}
	}
	return nil
}

// pollAll is the interval's end: every POP3 device looks for mail.
func (g *play) pollAll() error {
	var err error
	for _, d := range g.pop3 {
		if d.Disk().Online {
			err = errors.Join(err, d.Sync(g.ctx))
		}
	}
	_, lookErr := g.stage.Look(g.ctx)
	return errors.Join(err, lookErr)
}

// chosen gives the message meant: the one chosen, else the newest in INBOX.
func chosen(d device, key string) (string, error) {
	if key != "" {
		return key, nil
	}
	for _, m := range d.Disk().Mail {
		if m.Folder == "INBOX" {
			return m.Key, nil
		}
	}
	return "", fmt.Errorf("%s has no message in INBOX: sync it first", d.Name())
}

// cable pulls it or plugs it in.
func cable(d device) {
	if d.Disk().Online {
		d.Pull()
		return
	}
	d.Plug()
}

// on does one thing on a device; what changes on the server, the IMAP devices
// that are in use see.
func (g *play) on(d device, a act) error {
	switch a.name {
	case "sync":
		return d.Sync(g.ctx)
	case "cable":
		cable(d)
		return nil
	}
	key, err := chosen(d, a.key)
	if err != nil {
		return err
	}
	switch d := d.(type) {
	case *compare.POP3Device:
		err = handlePOP3(g.ctx, d, a.name, key)
	case *compare.IMAPDevice:
		err = handleIMAP(g.ctx, d, a.name, key)
	}
	return errors.Join(err, g.others(d))
}

func handlePOP3(ctx context.Context, d *compare.POP3Device, what, key string) error {
	switch what {
	case "read":
		return d.Read(ctx, key)
	case "flag":
		return d.Flag(key)
	case "file":
		return d.File(key, folderFiled)
	case "delete":
		return d.Delete(ctx, key)
	}
	return fmt.Errorf("a device cannot %q", what)
}

func handleIMAP(ctx context.Context, d *compare.IMAPDevice, what, key string) error {
	switch what {
	case "read":
		return d.Read(ctx, key)
	case "flag":
		return d.Flag(ctx, key)
	case "file":
		return d.File(ctx, key, folderFiled)
	case "delete":
		return d.Delete(ctx, key, false)
	}
	return fmt.Errorf("a device cannot %q", what)
}
