package pop3check

import "strings"

func loginChecks() []check {
	return []check{
		{"login-user-pass", "1939 section 7", loginUserPass},
		{"login-user-missing-name", "1939 section 7", userWithoutName},
		{"login-pass-first", "1939 section 7", passFirst},
		{"login-pass-not-right-after-user", "1939 section 7", passLater},
		{"login-unknown-user", "1939 section 13", unknownUser},
		{"login-wrong-password", "1939 section 7", wrongPassword},
		{"login-wrong-then-right", "1939 section 7", wrongThenRight},
		{"login-auth-code", "3206 section 5", authCode},
		{"login-again-at-once", "2449 section 6.5", loginAgain},
	}
}

func loginUserPass(t *test) {
	s := t.login()
	s.alive()
	s.quit()
}

func userWithoutName(t *test) {
	s := t.dial()
	s.refused("USER")
}

func passFirst(t *test) {
	s := t.dial()
	s.refused("PASS %s", t.r.cfg.Password)
}

// passLater: PASS is good immediately after USER only.
func passLater(t *test) {
	s := t.dial()
	s.ok("USER %s", t.r.cfg.User)
	s.ok("CAPA")
	s.rest()
	p := s.do("PASS %s", t.r.cfg.Password)
	t.that(!p.ok, "PASS after another command than USER logs in")
}

// unknownUser: a server that refuses unknown names tells strangers which are
// known.
func unknownUser(t *test) {
	s := t.dial()
	known := s.do("USER %s", t.r.cfg.User)
	s = t.dial()
	unknown := s.do("USER no-such-user-%s", strings.ToLower(t.r.token))
	t.that(known.ok == unknown.ok, "USER tells which names are known: %q, %q", known.raw, unknown.raw)
}

// badLogin tries a wrong password, once in a run: servers make that slow.
func (t *test) badLogin() reply {
	if t.r.wrong == nil && t.err == nil {
		s := t.dial()
		s.ok("USER %s", t.r.cfg.User)
		p := s.do("PASS not-%s", t.r.token)
		if t.err != nil {
			return reply{}
		}
		t.r.wrong = &p
	}
	if t.err != nil {
		return reply{}
	}
	return *t.r.wrong
}

func wrongPassword(t *test) {
	p := t.badLogin()
	t.that(!p.ok, "a wrong password logs in")
}

// wrongThenRight: after a failed login the session is in the AUTHORIZATION state,
// unless the server closes it.
func wrongThenRight(t *test) {
	s := t.dial()
	s.ok("USER %s", t.r.cfg.User)
	s.refused("PASS not-%s", t.r.token)
	p := s.do("USER %s", t.r.cfg.User)
	if s.hungUp() {
		t.skip("the server closes the connection after a failed login")
		return
	}
	t.that(p.ok, "USER after a failed login: %q", p.raw)
	s.ok("PASS %s", t.r.cfg.Password)
	s.inside = true
	s.alive()
}

func authCode(t *test) {
	t.needs("AUTH-RESP-CODE")
	p := t.badLogin()
	t.that(strings.EqualFold(p.code, "AUTH"), "a wrong password has no [AUTH]: %q", p.raw)
}

// loginAgain: without LOGIN-DELAY, or with 0, one may log in at once.
func loginAgain(t *test) {
	if delay, ok := t.caps()["LOGIN-DELAY"]; ok && (len(delay) == 0 || delay[0] != "0") {
		t.skip("the server lists LOGIN-DELAY %s", strings.Join(delay, " "))
	}
	for range 3 {
		s := t.dial()
		s.ok("USER %s", t.r.cfg.User)
		s.ok("PASS %s", t.r.cfg.Password)
		s.inside = true
		s.quit()
	}
}
