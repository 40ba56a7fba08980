// Package maildir reads and writes mailboxes in the Maildir++ form.
//
// START HERE. The nouns:
//
//   - A Tree is a Maildir++ root: its own cur and new are INBOX, and each
//     directory ".Folder.Sub" in it is the mailbox "Folder/Sub". Names on disk are
//     modified UTF-7, as Dovecot and Courier write them.
//   - A File is one message: a unique key, then ":2," (or ";2,", where a file
//     system has no colons) and flag letters. Capitals are system flags, a to z are
//     keywords named in the folder's "dovecot-keywords".
//   - A Writer makes such a tree.
//
// Files: name.go (file names), folder.go (folder names), reader.go, writer.go.
//
// Invariants: nothing outside the tree is opened, whatever links are in it;
// reading changes nothing on disk, moves no message from new to cur; every
// message is written whole into tmp before it appears in cur.
package maildir
