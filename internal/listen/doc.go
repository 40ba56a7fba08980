// Package listen takes connections from the network and hands them to a front
// end, one goroutine each.
//
// START HERE. The nouns:
//
//   - Service: one protocol on some addresses, and the function that serves a
//     connection of it.
//   - Server: binds all services (all or none), then accepts on them until its
//     context ends, then drains.
//   - Conn: one connection, with its place among the counted ones. It arrives
//     as a stranger and becomes a session with LoggedIn.
//   - Limits: how many strangers and sessions there may be.
//   - Certs: the certificate that TLS shows, from files or made locally.
//
// The files:
//
//	listen.go   Service, Server: accept, serve, drain
//	bind.go     addresses to sockets: TCP, unix, systemd activation
//	conn.go     Conn
//	gate.go     the counting behind Limits
//	certs.go    certificate files and their reload
//	localca.go  the self-made authority and its certificate
//
// Invariants: the package knows no protocol and imports nothing of tandem. A
// stranger never takes the place of a session. A panic in a front end closes
// its own connection only. After Serve returns no goroutine of the package is
// left, and no front end either unless one ignored the closing of its
// connection.
package listen
