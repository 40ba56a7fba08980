// Package auth decides who a client is.
//
// START HERE. A front end frames the exchange of its protocol and hands what
// the client said to an Authenticator: a login and a password to Verify, or the
// responses of a SASL mechanism to an Exchange from Start. Back comes an
// Identity or one of a few errors. The nouns:
//
//   - Attempt: one try to log in, with where it comes from and what for.
//   - Identity: the account and the credential that it proved.
//   - Accounts: what auth needs of the store.
//   - Exchange: a SASL mechanism in progress.
//
// The files:
//
//	auth.go     Authenticator, Verify: the order of the checks
//	hash.go     stored hashes: ours, and the choice among imported ones
//	schemes.go  the imported schemes and the bounds on their cost
//	slots.go    how many hashes are computed at once
//	cache.go    passwords found right not long ago
//	limiter.go  how long a failing reply waits
//	prepare.go  names and passwords beyond ASCII
//	mailbox.go  logins that name a mailbox too
//	sasl.go     mechanisms; PLAIN and LOGIN
//	scram.go    SCRAM and its keys
//	external.go EXTERNAL: certificates of clients
//	bearer.go   OAUTHBEARER and XOAUTH2
//	oauth.go    access tokens: introspection, keys, claims
//	jwt.go      JSON Web Tokens and the keys they are signed with
//	dovecot/    Dovecot's auth client protocol, for MTAs
//
// Invariants:
//
//   - A failure tells a client nothing: unknown name, wrong password, disabled
//     account and missing scope are the one ErrFailed, after the same work and
//     the same wait. Only the log knows more.
//   - A right password never waits for the limiter, and no failure ever locks
//     an account.
//   - Passwords and SASL data are never logged and never stored but hashed; the
//     cache holds MACs under a key that lives as long as the process.
//   - Every hash that is verified had its cost checked first.
package auth
