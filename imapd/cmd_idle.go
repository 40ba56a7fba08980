package imapd

import (
	"context"
	"strings"
	"time"
)

// keepAlive is how often a silent IDLE says something, for the routers between.
const keepAlive = 2 * time.Minute

// maxDone is as long as a line that ends IDLE may be.
const maxDone = 100

// extIdle is RFC 2177.
func extIdle() extension {
	return extension{
		name:         "IDLE",
		rfc:          "RFC 2177",
		capabilities: everywhere("IDLE"),
		commands:     []command{row("IDLE", loggedIn, 0, noArgs, (*session).idle)},
	}
}

// idle waits for changes and tells them until the client sends DONE. What the
// client sent behind DONE stays in the reader for the loop.
func (s *session) idle(ctx context.Context, _ none) error {
	if err := s.continuation("idling"); err != nil {
		return err
	}
	if s.view != nil {
		if err := s.tellChanges(ctx, true); err != nil {
			return err
		}
	}
	input := s.awaitInput(func() {})
	err := s.idleUntil(ctx, input)
	s.gotInput()
	if err != nil {
		return err
	}
	line, err := s.dec.RawLine(maxDone)
	if err != nil {
		return err
	}
	if !strings.EqualFold(line, "DONE") {
		return bad("Expected DONE")
	}
	return nil
}

// idleUntil tells changes until there is input, or the connection is gone; in
// both cases nobody reads from it any more. NOTIFY says which changes (RFC 5465
// section 4).
func (s *session) idleUntil(ctx context.Context, input <-chan struct{}) error {
	tick := time.NewTicker(keepAlive)
	defer tick.Stop()
	for {
		var err error
		select {
		case <-input:
			return nil
		case <-s.selectedWake():
			err = s.tellChanges(ctx, true)
		case <-s.othersWake():
			s.tellOthers(ctx)
		case <-tick.C:
			s.enc.Raw("* OK Still here").CRLF()
		}
		if flushed := s.enc.Rest(); err == nil {
			err = flushed
		}
		if err != nil {
			s.partNow(err)
			<-input
			return err
		}
	}
}
