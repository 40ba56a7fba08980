package pop3check

import (
	"cmp"
	"context"
	"crypto/rand"
	"crypto/tls"
	"errors"
	"slices"
	"time"
)

// Security is how the POP3 connection is protected.
type Security int

const (
	Plain    Security = iota // not, as the checks begin
	Implicit                 // TLS from the first byte (RFC 8314)
	STLS                     // STLS before every login
)

// Config says what to test. LMTP and IMAP are the doors to put test mail in: one
// is enough, IMAP shows more; without them many checks are skipped.
type Config struct {
	Addr      string // host:port
	User      string
	Password  string
	Security  Security
	TLS       *tls.Config // ServerName and roots; nil: from Addr, the system's
	LMTP      string      // host:port, "" for none
	Recipient string      // the account's address for LMTP
	IMAP      string      // host:port, "" for none
	IMAPTLS   bool        // TLS from the first byte there; else STARTTLS if offered
	Timeout   time.Duration
}

// defaultTimeout leaves room for servers that make failed logins wait.
const defaultTimeout = 30 * time.Second

// Verdict is the result of a check.
type Verdict string

// The verdicts.
const (
	Pass Verdict = "pass"
	Fail Verdict = "fail"
	Skip Verdict = "skip"
)

// Result is a check with its verdict. Note tells why, unless it passed.
type Result struct {
	Name    string  `json:"name"`
	RFC     string  `json:"rfc"`
	Verdict Verdict `json:"result"`
	Note    string  `json:"note"`
}

// check is a row of the table.
type check struct {
	name string
	rfc  string // number and section
	run  func(*test)
}

// checks is the table. What holds for all replies comes last.
func checks() []check {
	return slices.Concat(
		connectionChecks(), stateChecks(), loginChecks(), saslChecks(), tlsChecks(), capaChecks(),
		listChecks(), inputChecks(), retrChecks(), topChecks(), updateChecks(), lockChecks(),
		pipeliningChecks(), utf8Checks(), wireChecks(),
	)
}

// Run tests the server and returns the results in the order of the table; tell,
// if not nil, hears each at once. An error means that the test could not be made
// or not be finished; what is known by then is returned.
func Run(ctx context.Context, cfg Config, tell func(Result)) ([]Result, error) {
	side, err := openSide(ctx, &cfg)
	if err != nil {
		return nil, err
	}
	if side != nil {
		defer side.close()
	}
	return run(ctx, cfg, side, tell)
}

// runner is a whole test of a server.
type runner struct {
	ctx  context.Context
	cfg  Config
	side mailSide // nil: no mail can be put in

	token  string          // in every test message of this run
	serial int             // of the last test message
	known  map[string]bool // UIDLs that are in the maildrop
	ours   []mail          // put in so far
	wire   wire            // what was seen in replies that should not be
	second *reply          // see lock.go
	wrong  *reply          // the reply to a wrong password
	stays  bool            // the server does not close connections after QUIT
}

// emptyFirst is the check that runs before test mail is put in.
const emptyFirst = "list-empty"

func run(ctx context.Context, cfg Config, side mailSide, tell func(Result)) (results []Result, err error) {
	cfg.Timeout = cmp.Or(cfg.Timeout, defaultTimeout)
	r := &runner{ctx: ctx, cfg: cfg, side: side, token: rand.Text()[:10]}
	if err := r.look(); err != nil {
		return nil, err
	}
	empty := len(r.known) == 0
	early := Result{}
	for _, c := range checks() {
		if c.name == emptyFirst && empty {
			early = r.judge(c)
		}
	}
	defer func() {
		r.ctx = context.WithoutCancel(ctx) // also after Ctrl-C
		err = errors.Join(err, r.clean())
	}()
	if err := r.seed(); err != nil {
		return nil, err
	}
	for _, c := range checks() {
		if ctx.Err() != nil {
			return results, ctx.Err()
		}
		result := early
		if c.name != emptyFirst || !empty {
			result = r.judge(c)
		}
		results = append(results, result)
		if tell != nil {
			tell(result)
		}
	}
	return results, nil
}

// judge runs one check.
func (r *runner) judge(c check) Result {
	t := &test{r: r}
	c.run(t)
	t.end()
	result := Result{Name: c.name, RFC: c.rfc, Verdict: Pass}
	var skipped skipError
	switch {
	case errors.As(t.err, &skipped):
		result.Verdict, result.Note = Skip, skipped.Error()
	case t.err != nil:
		result.Verdict, result.Note = Fail, t.err.Error()
	}
	return result
}
