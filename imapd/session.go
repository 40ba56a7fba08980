package imapd

import (
	"bufio"
	"context"
	"errors"
	"fmt"
	"log/slog"
	"net"
	"time"

	"tandem/auth"
	"tandem/imapd/internal/inflate"
	"tandem/imapd/internal/wire"
	"tandem/store"
)

// session is one connection. Everything in it belongs to the goroutine that
// runs Serve.
type session struct {
	srv  *Server
	log  *slog.Logger
	peer peer

	stream *stream
	in     *bufio.Reader // over stream; the decoder's
	dec    *wire.Decoder
	enc    *wire.Encoder

	compressed *inflate.Reader // between stream and in, else nil; a deflater is before enc then

	state   states
	id      auth.Identity
	actor   store.Actor
	client  string          // what it calls itself, from ID
	signOff func()          // tells the store that the session is over; nil before login
	enabled map[string]bool // by ENABLE, or by a command that implies it
	view    *view           // of the selected mailbox, else nil

	interest *interest // by NOTIFY; nil until it is first used

	// pendingInput is what awaitInput gave when it is left to the loop to wait
	// for it before it reads again; until then another goroutine may be inside
	// the stream.
	pendingInput <-chan struct{}

	tag      string                      // of the command in hand
	expunged bool                        // it has expunged, and tells so in any case
	numbered bool                        // it is a search that names sequence numbers
	stopped  string                      // response code that says how far it has come, "" for all the way
	done     answer                      // the tagged OK of the command in hand, when it says more
	after    func(context.Context) error // to be done after the tagged answer, once

	runs   int             // commands so far
	bad    int             // bad commands, in a row after login
	limits map[string]bool // limits that were hit
}

// sessionLog is the log of a session that nobody has logged in to.
func (srv *Server) sessionLog(p *peer) *slog.Logger {
	return srv.log.With("session", p.session, "remote", p.remote())
}

func (srv *Server) newSession(conn net.Conn) *session {
	p := newPeer(conn)
	s := &session{srv: srv, peer: p, state: stranger, enabled: map[string]bool{}, limits: map[string]bool{}}
	s.log = srv.sessionLog(&p)
	s.stream = &stream{Conn: conn, socket: conn, limits: &srv.cfg.Limits, door: p.door, accepted: time.Now()}
	s.enc = wire.NewEncoder(s.stream)
	s.stream.enc = s.enc
	s.in = bufio.NewReaderSize(s.stream, 4<<10)
	s.dec = wire.NewDecoder(s.in, srv.cfg.Limits.Stranger, func() error { return s.continuation("Go on") })
	return s
}

// close lets go of what the session holds.
func (s *session) close() {
	s.leaveMailbox()
	s.endNotify()
	if s.signOff != nil {
		s.signOff()
	}
	if s.pendingInput != nil {
		_ = s.enc.Flush()
		_ = s.stream.socket.Close() // ends the waiting
		<-s.pendingInput
		return
	}
	if s.stream.writeErr == nil && s.stream.readErr == nil {
		_ = s.enc.Flush()
	}
}

// leaveMailbox ends the hold on the selected mailbox, if there is one.
func (s *session) leaveMailbox() {
	if s.view != nil {
		s.view.Close()
		s.view = nil
	}
	if s.state == selected {
		s.state = user
	}
}

// serve runs commands until the connection ends, one way or the other.
func (s *session) serve(ctx context.Context) {
	// A command in hand goes on for a while after the server has stopped.
	work, cancel := context.WithCancel(context.WithoutCancel(ctx))
	defer cancel()
	stop := context.AfterFunc(ctx, func() {
		s.stream.drain()
		time.AfterFunc(s.srv.cfg.Limits.Drain, cancel)
	})
	defer stop()

	s.status("*", answer{"OK", s.capabilityWords(), s.srv.cfg.Hostname + " tandem ready"})
	for s.state != ended {
		if err := s.next(work); err != nil {
			s.end(ctx, err)
			return
		}
	}
	_ = s.enc.Flush()
}

// end says goodbye when somebody is there to hear it.
func (s *session) end(ctx context.Context, err error) {
	var g *goodbye
	switch {
	case s.state == ended: // goodbye was said
	case errors.As(err, &g):
		s.bye(g.code, g.text)
	case errors.Is(err, errDraining):
		s.bye("", byeText(context.Cause(ctx)))
	case errors.Is(err, errIdle):
		s.bye("", "Idle for too long")
	case errors.Is(err, errLogin):
		s.bye("", "Login took too long")
	case errors.Is(err, wire.ErrFlood):
		s.limitHit("refused input goes on")
		s.bye("", "Too much refused input")
	case !hangup(err):
		s.log.Info("connection lost", "err", err)
	}
}

// byeText says why the server ends the connection by itself.
func byeText(cause error) string {
	if cause == nil || errors.Is(cause, context.Canceled) {
		return "The server is shutting down"
	}
	return capital(cause.Error())
}

// bye sends BYE and all that is buffered.
func (s *session) bye(code, text string) {
	s.status("*", answer{"BYE", code, text})
	s.state = ended
	_ = s.enc.Flush()
}

// status sends a status response, tagged or ("*") untagged.
func (s *session) status(tag string, a answer) {
	s.enc.Raw(tag).SP().Raw(a.word).SP()
	if a.code != "" {
		s.enc.Byte('[').Raw(a.code).Raw("] ")
	}
	s.enc.Text(a.text).CRLF()
}

// ok makes the tagged answer of the command in hand say more than "completed".
// code is a response code without its brackets, or "".
func (s *session) ok(code, text string) { s.done = answer{"OK", code, text} }

// continuation asks for more of a command and sends it at once.
func (s *session) continuation(text string) error {
	s.enc.Raw("+ ").Text(text).CRLF()
	return s.enc.Flush()
}

// next reads one command, runs it and answers it. An error ends the session.
func (s *session) next(ctx context.Context) error {
	if err := s.awaitCommand(ctx); err != nil {
		return err
	}
	if err := s.dec.Begin(); err != nil {
		return err
	}
	s.stream.busy = true
	defer func() {
		if s.pendingInput == nil {
			s.stream.busy = false
		}
	}()
	s.done, s.numbered, s.expunged, s.stopped = answer{}, false, false, ""
	s.runs++

	tag := s.dec.Tag()
	s.tag = tag
	s.dec.SP()
	name := s.commandName()
	if s.runs == 1 && s.isHTTP(tag, name) {
		s.log.Info("dropped: speaks HTTP")
		s.state = ended
		return nil
	}
	cmd, err := s.legal(name)
	if err == nil {
		err = s.run(ctx, cmd)
	}
	var g *goodbye
	if errors.As(err, &g) {
		if g.refused {
			s.status(tag, answer{"NO", g.code, g.text})
		}
		return err
	}
	if err := s.lost(); err != nil {
		return err
	}
	if err := s.answer(ctx, tag, name, cmd.flags, err); err != nil {
		return err
	}
	if err := s.dec.Skip(); err != nil {
		return err
	}
	if after := s.after; after != nil {
		s.after = nil
		return after(ctx)
	}
	return s.enc.Err()
}

// lost gives the error by which the connection ended in mid-command.
func (s *session) lost() error {
	if s.stream.writeErr != nil || s.pendingInput != nil {
		return s.stream.writeErr
	}
	return s.stream.readErr
}

// commandName reads the name of a command; UID is half of one (RFC 3501
// section 6.4.8).
func (s *session) commandName() string {
	name := s.dec.Keyword()
	if name == "UID" {
		s.dec.SP()
		name += " " + s.dec.Keyword()
	}
	return name
}

// isHTTP recognises a browser, or somebody's script that makes one post mail.
func (s *session) isHTTP(tag, name string) bool {
	switch tag {
	case "GET", "POST", "HEAD", "PUT", "DELETE", "OPTIONS", "CONNECT", "PATCH", "TRACE", "PRI":
	default:
		return false
	}
	_, known := s.srv.reg.commands[name]
	return s.dec.Err() != nil || !known
}

// legal finds a command and checks that it may be run now.
func (s *session) legal(name string) (command, error) {
	if err := s.dec.Err(); err != nil {
		return command{}, err
	}
	cmd, known := s.srv.reg.commands[name]
	switch {
	case !known:
		return command{}, bad("Unknown command %s", name)
	case cmd.states&s.state != 0:
	case s.state == stranger:
		return command{}, bad("%s needs a login first", name)
	case cmd.states == selected:
		return command{}, bad("%s needs a selected mailbox", name)
	default:
		return command{}, bad("%s is not allowed after login", name)
	}
	if cmd.flags&(usesNumbers|namesNumbers) != 0 && s.enabled[uidonly] {
		return cmd, uidRequired()
	}
	if s.view != nil && s.view.isClosed() && cmd.flags&noSync == 0 { // but what leaves the mailbox may be done
		return cmd, &goodbye{code: "NOPERM", text: "You may no longer read the selected mailbox", refused: true}
	}
	if cmd.flags&secret != 0 && !s.srv.cfg.Auth.PasswordsAllowed(s.private(), s.peer.addr) {
		// RFC 5530 section 3, PRIVACYREQUIRED
		return cmd, no("PRIVACYREQUIRED", "Passwords are not taken without TLS (STARTTLS first)")
	}
	return cmd, nil
}

// private says whether the connection is under TLS.
func (s *session) private() bool { return s.peer.tls != nil }

// run parses the rest of a command and does its work.
func (s *session) run(ctx context.Context, cmd command) error {
	work := cmd.prepare(s, s.dec)
	if cmd.flags&readsOn == 0 {
		_ = s.dec.EOL()
	}
	if err := s.dec.Err(); err != nil {
		return err
	}
	return work(ctx)
}

// answer tells what changed and sends the tagged answer to a command that
// ended with err.
func (s *session) answer(ctx context.Context, tag, name string, f flags, err error) error {
	if tag == "" {
		tag = "*" // no tag could be read
	}
	if err == nil {
		s.good()
		a := s.done
		if a.word == "" {
			a = answer{"OK", "", name + " completed"}
		}
		s.tellStopped(&a)
		s.catchUp(ctx, f)
		s.status(tag, a)
		return nil
	}
	a, ours := answerTo(err)
	if ours {
		s.log.Error("command failed", "command", name, "err", err)
	}
	if a.word != "BAD" {
		s.good()
		s.tellStopped(&a)
		s.catchUp(ctx, f)
		s.status(tag, a)
		return nil
	}
	var syntax *wire.Error
	if errors.As(err, &syntax) && syntax.Limit {
		s.limitHit(syntax.Reason)
	}
	s.status(tag, a)
	return s.countBad()
}

// catchUp tells what changed in the selected mailbox, as far as may be told
// with this command's answer. Its failing does not fail the command.
func (s *session) catchUp(ctx context.Context, f flags) {
	if s.view == nil || f&noSync != 0 {
		return
	}
	// RFC 7162 section 3.2.10.2: nor with a UID SEARCH that names numbers
	err := s.tellChanges(ctx, f&usesNumbers == 0 && !s.numbered)
	var g *goodbye
	switch {
	case errors.As(err, &g): // behind the answer
		s.after = func(context.Context) error { return g }
	case err != nil:
		s.log.Error("changes could not be told", "err", err)
	}
}

// partNow closes the connection of a client that is waited for, with BYE if that
// is what ended it; the wait for input ends with it.
func (s *session) partNow(err error) {
	var g *goodbye
	if errors.As(err, &g) {
		s.bye(g.code, g.text)
	}
	_ = s.stream.socket.Close()
}

// good ends a row of bad commands. Before login every one of them counts.
func (s *session) good() {
	if s.state != stranger {
		s.bad = 0
	}
}

// countBad ends the session of a client that sends nonsense (limits.md). After
// login only bad commands in a row count.
func (s *session) countBad() error {
	s.bad++
	limit := s.srv.cfg.Limits.BadUser
	if s.state == stranger {
		limit = s.srv.cfg.Limits.BadStranger
	}
	if limit > 0 && s.bad >= limit {
		s.limitHit("bad commands")
		return &goodbye{text: fmt.Sprintf("Too many bad commands (%d)", s.bad)}
	}
	return nil
}

// limitHit logs that a limit was hit, once a connection for each.
func (s *session) limitHit(which string) {
	if !s.limits[which] {
		s.limits[which] = true
		s.log.Warn("limit hit", "limit", which)
	}
}

// enable turns an ENABLE word on, as the command does or as another implies.
// It says whether that was news.
func (s *session) enable(name string) bool {
	e, known := s.srv.reg.enables[name]
	if !known || s.enabled[name] {
		return false
	}
	s.enabled[name] = true
	if e.on != nil {
		e.on(s)
	}
	return true
}

// awaitInput sends what is buffered and then waits, in a goroutine of its own,
// for the next byte or the end of the connection; the channel is closed when
// it is there. Until then the session must not read, but it may write and
// flush. Call gotInput after it, then read on as usual: what ended the
// connection comes back as the reading's error; hangup is called unless it is
// the server that stops, which lets the command in hand finish.
func (s *session) awaitInput(hangup func()) <-chan struct{} {
	_ = s.enc.Rest()
	s.stream.waiting = true
	ready := make(chan struct{})
	go func() {
		_, err := s.in.Peek(1) // its error stays in the stream
		if err != nil && !errors.Is(err, errDraining) {
			hangup()
		}
		close(ready)
	}()
	return ready
}

// gotInput ends what awaitInput began, after its channel was closed.
func (s *session) gotInput() { s.stream.waiting = false }
