package pop3check

import "strings"

func lockChecks() []check {
	return []check{
		{"lock-second-login", "1939 section 4", lockSecond},
		{"lock-in-use-code", "2449 section 8.1.2", lockCode},
		{"lock-first-goes-on", "1939 section 4", lockFirst},
		{"lock-ends-with-quit", "1939 section 4", lockQuit},
		{"lock-ends-with-connection", "1939 section 4", lockClose},
	}
}

// secondLogin logs in while a session is open, once in a run: servers may make
// the second wait.
func (t *test) secondLogin() reply {
	if t.r.second == nil && t.err == nil {
		first := t.login()
		first.ok("NOOP")
		second := t.dial()
		second.ok("USER %s", t.r.cfg.User)
		p := second.do("PASS %s", t.r.cfg.Password)
		second.inside = p.ok
		first.ok("STAT")
		first.ok("NOOP")
		if t.err != nil {
			return reply{}
		}
		t.r.second = &p
	}
	if t.err != nil {
		return reply{}
	}
	return *t.r.second
}

// lockSecond: the maildrop is locked exclusively: a second login fails.
func lockSecond(t *test) {
	p := t.secondLogin()
	t.that(!p.ok, "a second session opens the maildrop while the first has it")
}

// lockCode: the refusal is not to be taken for one of the password.
func lockCode(t *test) {
	t.needs("RESP-CODES")
	p := t.secondLogin()
	if p.ok {
		t.skip("the server does not lock the maildrop")
	}
	t.that(!strings.EqualFold(p.code, "AUTH"), "the refusal says that the password is wrong: %q", p.raw)
	if !strings.EqualFold(p.code, "IN-USE") {
		t.skip("the refusal has no [IN-USE], which is no duty: %q", p.raw)
	}
}

// lockFirst: what the first session holds stays its own.
func lockFirst(t *test) {
	ids := t.put(1)
	first := t.login()
	n := first.number(ids[0])
	first.ok("DELE %d", n)
	second := t.dial()
	second.ok("USER %s", t.r.cfg.User)
	second.send("PASS %s", t.r.cfg.Password) // may be answered late, and is not waited for
	first.refused("RETR %d", n)
	first.ok("RSET")
	first.text("RETR %d", n)
	second.drop()
	first.alive()
}

func lockQuit(t *test) {
	for range 3 {
		s := t.login()
		s.ok("QUIT")
		s.inside = false
		next := t.dial()
		next.ok("USER %s", t.r.cfg.User)
		p := next.do("PASS %s", t.r.cfg.Password)
		t.that(p.ok, "right after QUIT the maildrop is still in use: %q", p.raw)
		next.inside = p.ok
		next.quit()
	}
}

// lockClose: a session that ended without QUIT gives the maildrop up soon.
func lockClose(t *test) {
	s := t.login()
	s.drop()
	t.login()
}
