package compare

// Explanation tells of a line what it is for, and where it is defined.
type Explanation struct {
	RFC  string // "RFC 1939 section 5"
	Text string // one sentence for somebody who knows neither protocol
}

// Explain gives what is known of a Verb of the transcript; the zero Explanation
// for others.
func Explain(p Protocol, verb string) Explanation {
	table := imapWords
	if p == POP3 {
		table = popWords
	}
	for _, w := range table {
		if w.verb == verb {
			return w.Explanation
		}
	}
	return Explanation{}
}

// Verbs lists what Explain knows of a protocol.
func Verbs(p Protocol) []string {
	table := imapWords
	if p == POP3 {
		table = popWords
	}
	var list []string
	for _, w := range table {
		list = append(list, w.verb)
	}
	return list
}

// word is a row of the tables below.
type word struct {
	verb string
	Explanation
}

// popWords are POP3's commands; "greeting" is what the server says first.
var popWords = []word{
	{"greeting", Explanation{"RFC 1939 section 4", "The server says that it is there, before the client has said anything."}},
	{"CAPA", Explanation{"RFC 2449 section 5", "The client asks what the server can do beyond the oldest POP3."}},
	{"STLS", Explanation{"RFC 2595 section 4", "The client asks to go on encrypted."}},
	{"USER", Explanation{"RFC 1939 section 7", "The client says whose mail it wants."}},
	{"PASS", Explanation{"RFC 1939 section 7", "The password; the transcript hides it. From here on the maildrop is this session's alone."}},
	{"AUTH", Explanation{"RFC 5034 section 4", "User and password in one step; the transcript hides them."}},
	{"STAT", Explanation{"RFC 1939 section 5", "How many messages there are, and how large they are together."}},
	{"LIST", Explanation{"RFC 1939 section 5", "The size of each message. Messages have numbers for this session only."}},
	{"UIDL", Explanation{"RFC 1939 section 7", "A lasting name of each message: how a device finds out which it already has."}},
	{"TOP", Explanation{"RFC 1939 section 7", "The header of a message, and some lines of its text: all that POP3 has for a look without downloading."}},
	{"RETR", Explanation{"RFC 1939 section 5", "The whole message, attachments and all. There is no way to ask for a part."}},
	{"DELE", Explanation{"RFC 1939 section 5", "Marks a message to be deleted; nothing happens before QUIT."}},
	{"RSET", Explanation{"RFC 1939 section 5", "Takes the marks back."}},
	{"NOOP", Explanation{"RFC 1939 section 5", "Nothing, to keep the connection."}},
	{"QUIT", Explanation{"RFC 1939 section 6", "The end: only now is deleted what was marked."}},
}

// imapWords are IMAP's commands and the words of its untagged answers.
var imapWords = []word{
	{"greeting", Explanation{"RFC 3501 section 7.1.1", "The server says that it is there, and often already what it can do."}},
	{"CAPABILITY", Explanation{"RFC 3501 section 6.1.1", "What the server can do."}},
	{"STARTTLS", Explanation{"RFC 3501 section 6.2.1", "The client asks to go on encrypted."}},
	{"LOGIN", Explanation{"RFC 3501 section 6.2.3", "User and password; the transcript hides the password."}},
	{"AUTHENTICATE", Explanation{"RFC 3501 section 6.2.2", "User and password in one step; the transcript hides them."}},
	{"SELECT", Explanation{"RFC 3501 section 6.3.1", "Opens a folder. The answer says how much is in it, and until it is closed the server tells of every change."}},
	{"EXAMINE", Explanation{"RFC 3501 section 6.3.2", "Opens a folder only to look."}},
	{"LIST", Explanation{"RFC 3501 section 6.3.8", "The folders on the server, the same for every device."}},
	{"STATUS", Explanation{"RFC 3501 section 6.3.10", "How much is in a folder, without opening it."}},
	{"CREATE", Explanation{"RFC 3501 section 6.3.3", "Makes a folder on the server, for all devices."}},
	{"APPEND", Explanation{"RFC 3501 section 6.3.11", "Puts a message into a folder: how a copy of sent mail gets to the server."}},
	{"FETCH", Explanation{"RFC 3501 section 6.4.5", "Exactly what is asked for of exactly the messages asked for: subjects, one part, or everything."}},
	{"STORE", Explanation{"RFC 3501 section 6.4.6", "Marks messages on the server, as read or flagged or deleted, for all devices."}},
	{"COPY", Explanation{"RFC 3501 section 6.4.7", "Copies messages to another folder, on the server."}},
	{"MOVE", Explanation{"RFC 6851 section 3.1", "Moves messages to another folder, on the server: nothing is sent again."}},
	{"EXPUNGE", Explanation{"RFC 3501 section 6.4.3", "Removes what is marked as deleted, for all devices."}},
	{"SEARCH", Explanation{"RFC 3501 section 6.4.4", "The server searches, the device only gets what was found."}},
	{"IDLE", Explanation{"RFC 2177 section 3", "The connection stays open and the server speaks up when something changes."}},
	{"NOOP", Explanation{"RFC 3501 section 6.1.2", "Nothing, but a chance for the server to tell of changes."}},
	{"CLOSE", Explanation{"RFC 3501 section 6.4.2", "Closes the folder."}},
	{"LOGOUT", Explanation{"RFC 3501 section 6.1.3", "The end of the session; there is nothing left to be done."}},
	{"BYE", Explanation{"RFC 3501 section 7.1.5", "The server is about to hang up."}},
	{"OK", Explanation{"RFC 3501 section 7.1.1", "The server says something about the folder, or that all is well."}},
	{"NO", Explanation{"RFC 3501 section 7.1.2", "The server warns, or could not do it."}},
	{"BAD", Explanation{"RFC 3501 section 7.1.3", "The server did not understand."}},
	{"FLAGS", Explanation{"RFC 3501 section 7.2.6", "The marks that messages of this folder can have."}},
	{"EXISTS", Explanation{"RFC 3501 section 7.3.1", "How many messages the folder has now. Unasked, it says that there is a new one."}},
	{"RECENT", Explanation{"RFC 3501 section 7.3.2", "How many messages no device has been told of before."}},
	{"continue", Explanation{"RFC 3501 section 7.5", "The server is ready for the rest."}},
}
