// Package mbox reads and writes mailboxes in the mboxrd form as streams.
//
// START HERE. The nouns:
//
//   - A From line starts a message: "From SENDER DATE". It is not part of it.
//   - Quoting: a line of the message that reads ">*From " in the original has
//     one more ">" in the file. Reader takes one off, Writer puts one on.
//   - The blank line before the next From line, or before the end of the file,
//     belongs to the form and not to the message.
//
// Files: from.go (the From line and its date), reader.go, writer.go.
//
// Invariants: memory is bounded whatever the length of a line or of a run of
// ">"; what Writer writes Reader reads back, byte for byte, for every message
// that ends in a line end and whose line ends are LF, or CRLF throughout with no
// CR before them (Writer writes LF, as the form wants it). Compression is the
// caller's.
package mbox
