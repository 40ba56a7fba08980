// Package webd serves the web pages of tandem: what the account's owner sees of
// it, and whatever pages the program mounts beside them.
//
// START HERE. A Server takes connections from the listeners and serves HTTP/1.1
// on them. The nouns:
//
//   - Server: the routes, the limits, the connections.
//   - session: a browser that has logged in, known by a cookie.
//   - user: what a handler behind the login is given.
//
// The files:
//
//	server.go    Config, Server, routes
//	conn.go      listen's connections become net/http's; draining
//	secure.go    headers and checks that every answer and request passes
//	session.go   browsers that are logged in
//	login.go     logging in and out
//	account.go   the account's pages: storage and policies; account_*.go: sessions
//	             and undo, app passwords, deleted mail, a message's story, what happens now
//	render.go    templates and errors a person reads
//	templates/   the pages
//	static/      the stylesheet that all pages share
//
// Invariants:
//
//   - No page has script or style within it, and none makes a browser ask
//     another host for anything: the Content-Security-Policy forbids both.
//   - What changes anything is a POST of a form with the session's token, from
//     this origin.
//   - Cookies hold a random name of a session, which is kept hashed, in memory.
//   - Whoever a session belongs to is looked up again with each request: a
//     revoked password ends it.
package webd
