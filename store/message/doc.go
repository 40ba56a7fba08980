// Package message reads the bytes of a mail message (RFC 5322 with MIME) for
// a store that serves them over IMAP and POP3. START HERE.
//
// Nouns: a Structure is what is kept about a message at delivery: its parts
// with their offsets, ENVELOPE and BODYSTRUCTURE in the form IMAP sends, its
// date and ids. A Part is one MIME entity: a header block and a body, ranges
// of the message. A section is what an IMAP client asks for by number
// (BODY[1.2.MIME]); Structure.Range turns it into a range.
//
// Files:
//
//	structure.go  Structure, Part, Limits
//	canonical.go  what arrives -> what is stored: CRLF, no binary encoding
//	parser.go     the scan: lines, delimiters, which part each byte is in
//	head.go       the header fields that a scan keeps
//	content.go    Content-* fields -> kind of part and BODYSTRUCTURE; mime.go reads their syntax
//	envelope.go   ENVELOPE and message ids; address.go reads address lists, date.go dates
//	decode.go     undoing a part's transfer encoding, for FETCH BINARY
//	binary.go     the stored form of a Structure
//	section.go    section -> range
//	sexp.go       the wire forms read back: BasicBody, ParseEnvelope
//	header.go     raw header blocks: HEADER.FIELDS, iteration
//	text.go       encoded words and charsets -> UTF-8; fold.go, subject.go: how texts compare
//	search.go     the text that SEARCH BODY and TEXT look in; transfer.go decodes it, html.go reads pages
//	preview.go    the first words of a message
//	downgrade.go  header fields for readers without UTF-8 (RFC 6858); edit.go keeps what it changes
//
// Invariants:
//
//   - No input makes it fail or panic; what cannot be read is shown the best
//     way it can, and every byte stays in the range of some part.
//   - Ranges lie inside those of the parent and those of siblings do not
//     overlap; Size, Lines and the figures in BODYSTRUCTURE are those of the
//     ranges.
//   - Time is linear in the message, memory is bounded by Limits, and how the
//     message was cut into pieces makes no difference.
//   - It imports nothing else of this module and does no I/O of its own.
package message
