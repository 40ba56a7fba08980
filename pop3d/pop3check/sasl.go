package pop3check

import (
	"encoding/base64"
	"slices"
	"strings"

	"github.com/xdg-go/scram"
)

func saslChecks() []check {
	return []check{
		{"sasl-plain-initial", "5034 section 4", saslInitial},
		{"sasl-plain-challenge", "5034 section 4", saslChallenge},
		{"sasl-plain-authzid", "4616 section 2", saslAuthzid},
		{"sasl-plain-other-authzid", "4616 section 2", saslOtherAuthzid},
		{"sasl-mechanism-case", "5034 section 4", saslCase},
		{"sasl-scram-sha-256", "7677 section 3", saslScram},
		{"sasl-wrong-password", "5034 section 4", saslWrong},
		{"sasl-cancel", "5034 section 4", saslCancel},
		{"sasl-bad-base64", "5034 section 4", saslBadBase64},
		{"sasl-bad-base64-initial", "5034 section 4", saslBadInitial},
		{"sasl-empty-initial", "5034 section 4", saslEmptyInitial},
		{"sasl-too-long", "5034 section 4", saslTooLong},
		{"sasl-unknown-mechanism", "5034 section 4", saslUnknown},
		{"sasl-no-mechanism", "5034 section 4", saslNoMechanism},
	}
}

// mechanism skips the test unless the server lists a mechanism.
func (t *test) mechanism(name string) {
	if list := t.needs("SASL"); t.err == nil && !slices.Contains(list, name) {
		t.skip("the server does not list %s", name)
	}
}

func encode(text string) string { return base64.StdEncoding.EncodeToString([]byte(text)) }

// plain is the message of PLAIN (RFC 4616).
func (t *test) plain(authzid string) string {
	return encode(authzid + "\x00" + t.r.cfg.User + "\x00" + t.r.cfg.Password)
}

// challenge reads a continuation and gives what the server sent, decoded.
func (s *session) challenge() string {
	line := s.line()
	rest, ok := strings.CutPrefix(line, "+ ")
	if s.t.err == nil && !ok {
		s.t.fail("no challenge but %.80q", line)
		return ""
	}
	text, err := base64.StdEncoding.DecodeString(strings.TrimRight(rest, "\r\n"))
	if s.t.err == nil && err != nil {
		s.t.fail("the challenge %.80q is not in base64: %w", line, err)
	}
	return string(text)
}

// still checks that one can log in after a failed AUTH.
func (s *session) still() {
	s.ok("USER %s", s.t.r.cfg.User)
	s.ok("PASS %s", s.t.r.cfg.Password)
	s.inside = true
	s.alive()
}

func saslInitial(t *test) {
	t.mechanism("PLAIN")
	s := t.dial()
	p := s.do("AUTH PLAIN %s", t.plain(""))
	t.that(p.ok, "AUTH PLAIN with an initial response: %q", p.raw)
	s.inside = t.err == nil
	s.alive()
}

// saslChallenge: without an initial response the challenge is empty: "+ ".
func saslChallenge(t *test) {
	t.mechanism("PLAIN")
	s := t.dial()
	s.send("AUTH PLAIN")
	text := s.challenge()
	t.that(text == "", "the first challenge of PLAIN is %q, should be empty", text)
	p := s.do("%s", t.plain(""))
	t.that(p.ok, "AUTH PLAIN: %q", p.raw)
	s.inside = t.err == nil
	s.alive()
}

func saslAuthzid(t *test) {
	t.mechanism("PLAIN")
	s := t.dial()
	p := s.do("AUTH PLAIN %s", t.plain(t.r.cfg.User))
	t.that(p.ok, "AUTH PLAIN with the user's own name as authorization identity: %q", p.raw)
	s.inside = t.err == nil
	s.alive()
}

func saslOtherAuthzid(t *test) {
	t.mechanism("PLAIN")
	s := t.dial()
	p := s.do("AUTH PLAIN %s", t.plain("no-such-user-"+strings.ToLower(t.r.token)))
	t.that(!p.ok, "AUTH PLAIN succeeds although it asks to act as somebody else")
}

func saslCase(t *test) {
	t.mechanism("PLAIN")
	s := t.dial()
	p := s.do("auth Plain %s", t.plain(""))
	t.that(p.ok, "mechanism and keyword in small letters: %q", p.raw)
	s.inside = t.err == nil
	s.alive()
}

func saslScram(t *test) {
	t.mechanism("SCRAM-SHA-256")
	client, err := scram.SHA256.NewClient(t.r.cfg.User, t.r.cfg.Password, "")
	if err != nil {
		t.fail("SCRAM: %w", err)
		return
	}
	talk := client.NewConversation()
	s := t.dial()
	first, err := talk.Step("")
	if err != nil {
		t.fail("SCRAM: %w", err)
	}
	s.send("AUTH SCRAM-SHA-256 %s", encode(first))
	for t.err == nil && !talk.Done() {
		answer, err := talk.Step(s.challenge())
		if err != nil {
			t.fail("SCRAM: %w", err)
		}
		s.send("%s", encode(answer))
	}
	t.that(talk.Valid(), "the server did not prove that it knows the password")
	p := s.reply()
	t.that(p.ok, "AUTH SCRAM-SHA-256: %q", p.raw)
	s.inside = t.err == nil
	s.alive()
}

func saslWrong(t *test) {
	t.mechanism("PLAIN")
	s := t.dial()
	p := s.do("AUTH PLAIN %s", encode("\x00"+t.r.cfg.User+"\x00not-"+t.r.token))
	t.that(!p.ok, "a wrong password logs in")
	if _, listed := t.caps()["AUTH-RESP-CODE"]; listed {
		t.that(strings.EqualFold(p.code, "AUTH"), "a wrong password has no [AUTH]: %q", p.raw)
	}
}

func saslCancel(t *test) { t.refusedAnswer("*", "a cancelled AUTH succeeds") }

func saslBadBase64(t *test) {
	t.refusedAnswer("this is !! not base64 %", "what is not base64 is accepted")
}

// refusedAnswer answers PLAIN's challenge with a line that must fail, and not end
// the session.
func (t *test) refusedAnswer(line, wrong string) {
	t.mechanism("PLAIN")
	s := t.dial()
	s.send("AUTH PLAIN")
	s.challenge()
	p := s.do("%s", line)
	t.that(!p.ok, "%s: %q", wrong, p.raw)
	s.still()
}

func saslBadInitial(t *test) {
	t.mechanism("PLAIN")
	s := t.dial()
	p := s.do("AUTH PLAIN ==%s", t.plain(""))
	t.that(!p.ok, "an initial response that is not base64 is accepted: %q", p.raw)
	s.still()
}

// saslEmptyInitial: "=" is an empty initial response, and that is nothing PLAIN
// allows. A server that asks on has not understood it.
func saslEmptyInitial(t *test) {
	t.mechanism("PLAIN")
	s := t.dial()
	s.send("AUTH PLAIN =")
	line := s.line()
	t.that(strings.HasPrefix(line, "-ERR"), "an empty response to PLAIN: %.80q", line)
	s.still()
}

// saslTooLong: a line longer than any buffer fails the command.
func saslTooLong(t *test) {
	t.mechanism("PLAIN")
	s := t.dial()
	s.send("AUTH PLAIN")
	s.challenge()
	p := s.do("%s", strings.Repeat("A", 200_000))
	if s.hungUp() {
		return
	}
	t.that(!p.ok, "a response of 200,000 octets is accepted: %q", p.raw)
}

func saslUnknown(t *test) {
	t.needs("SASL")
	s := t.dial()
	s.refused("AUTH X-NO-SUCH")
	s.still()
}

func saslNoMechanism(t *test) {
	t.needs("SASL")
	s := t.dial()
	s.refused("AUTH")
}
