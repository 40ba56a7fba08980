// Package compare shows the trade-offs between POP3 and IMAP: real clients do
// the same everyday things to a real server over each, and every byte is
// counted. START HERE.
//
// One noun carries the rest, the Event (event.go): a run is one ordered list of
// events. Devices talk to the server over metered connections, which record each
// line of the transcript, each flight of bytes and each connection; devices
// record what they have stored, scenarios what the numbers mean.
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
//   - This package imports nothing of tandem's: it speaks POP3 and IMAP to any
//     server. What only tandem can do (an account for the time of a run, a policy)
//     cmd hands in.
package compare
