// Package compare shows the trade-offs between POP3 and IMAP: real clients do
// the same everyday things to a real server over each, and every byte is
// counted. START HERE.
//
// One noun carries the rest, the Event (event.go): a run is one ordered list of
// events. Devices talk to the server over metered connections, which record each
// line of the transcript, each flight of bytes and each connection; devices
// record what they have stored, scenarios what the numbers mean.
//
// The nouns: a Target is a server and an account on it; a Stage is a run under way
// on one; POP3Device and IMAPDevice stand on the stage and do what people do with
// mail; a scenario is a file that makes them do it and says in one sentence what
// came of it.
//
// The files:
//
//	event.go        Event, its kinds and what they carry
//	totals.go       Totals and Results: the numbers, from events
//	report.go       results as a table and Markdown; report_html.go: with the transcripts
//	save.go         saved runs: Save, Load, Check
//	explain.go      what each line is for, and its RFC
//	clock.go        real time, and time that the link takes or nobody waits for
//	link.go         lines to the server by name or by numbers
//	recorder.go     gives events their numbers and times
//	wire.go         octets and flights, below TLS
//	conn.go         a metered connection: lines of the transcript, secrets hidden
//	script.go       which command each line belongs to
//	secret.go       the forms a password may have
//	pop3.go         a POP3 client; head.go: subject and Message-ID
//	imap.go         an IMAP client; imap_parse.go: its parser
//	target.go       Target, connecting, TLS and login
//	letter.go       made-up messages
//	disk.go         what a device has stored
//	device_*.go     the devices
//	observer.go     the run's own hand at the server, not counted
//	stage.go        Stage: running scenarios, delivering, looking
//	switch.go       changing the link or a policy while a stage is open
//	scenario.go     the list of scenarios; scenario_*.go: one each
//	page/           a browser page of runs as they happen
//
// Invariants:
//
//   - What is shown (table, Markdown, report, web page, a scenario's sentence) is
//     a function of the events and of nothing else.
//   - Events have numbers without gaps and times that never go back.
//   - Each number can be counted again from the list: a round trip is a run of
//     server lines on one connection, the greeting included, and bytes are the sum
//     of the flights on the wire (under TLS; the lines are what TLS carried).
//   - A saved list is shown again without a server. One that is damaged, changed,
//     too large or of another version is refused with the reason (save.go).
//   - No password gets into an event.
//   - On an account that has mail of its own a run deletes only what it put in: the
//     domain in the Message-ID says which that is.
//   - Clients read only when a device waits, so that the order of events depends on
//     no scheduling; a run on a fake clock gives the same list each time.
//   - This package imports nothing of tandem's: it speaks POP3 and IMAP to any
//     server. What only tandem can do (an account for the time of a run, a policy)
//     cmd hands in.
package compare
