package main

// imapWords is every word of CAPABILITY that is or will be offered, in the
// order of the page. A new extension adds its line; one that stands here and
// is not in imapd's registry is shown as not there yet.
func imapWords() []imapWord {
	return []imapWord{
		// the protocol
		{"IMAP4rev1", "3501", "`\\Recent` is told to the first session that selects; the separator is `/`", "++++"},
		{"IMAP4rev2", "9051", "beside IMAP4rev1, once a client enables it", "??++"},
		{"ENABLE", "5161", "", "++++"},
		{"ID", "2971", "the version is told after login only", "++++"},
		{"STARTTLS", "3501", "not under TLS, or without a certificate", "++++"},
		{"LOGINDISABLED", "3501", "without TLS, but for this machine (`[auth] plaintext`)", "++++"},
		{"SASL-IR", "4959", "", "++++"},
		{"LITERAL+", "7888", "default; up to the limits on literals, refused ones are read past", "++++"},
		{"LITERAL-", "7888", "in its place with `[imap] literal_minus`: 4,096 octets without asking", "o?--"},
		{"IDLE", "2177", "a keep-alive line every two minutes", "++++"},
		{"COMPRESS=DEFLATE", "4978", "output at most 64 KiB ahead of the parser", "++--"},
		{"UNAUTHENTICATE", "8437", "ends compression too", "??+-"},
		{"UTF8=ACCEPT", "9755", "`&` stands for itself once enabled; APPEND takes 8-bit headers also without it, unless `[imap] strict_headers` is set", "o?++"},
		{"NOTIFY", "5465", "names at most 1,000 mailboxes; after more than 1,000 untold changes it is off, `[NOTIFICATIONOVERFLOW]`; `INBOXES` is `PERSONAL`; what a session itself does to messages of other mailboxes is told to it too", "+?--"},
		{"INPROGRESS", "9585", "for searches, copies and moves, every 10 seconds", "+?-+"},

		// login
		{"AUTH=PLAIN", "4616", "under TLS, or from this machine", "++++"},
		{"AUTH=LOGIN", "–", "as PLAIN; for old clients", "oo-?"},
		{"AUTH=SCRAM-SHA-256-PLUS", "7677, 9266", "under TLS 1.3, when every account has keys (`[auth] scram`)", "oo-+"},
		{"AUTH=SCRAM-SHA-256", "7677", "when every account has keys (`[auth] scram`)", "oo-+"},
		{"AUTH=SCRAM-SHA-1-PLUS", "5802, 9266", "by setting only", "oo-+"},
		{"AUTH=SCRAM-SHA-1", "5802", "by setting only", "oo-+"},
		{"AUTH=OAUTHBEARER", "7628", "with a provider in `[auth.oauth]`", "oo+-"},
		{"AUTH=XOAUTH2", "–", "as OAUTHBEARER, in the form Google made", "oo+-"},
		{"AUTH=EXTERNAL", "4422", "with client certificates", "oo-o"},

		// synchronising
		{"CONDSTORE", "7162", "one counter for all mailboxes of an account; NOMODSEQ never", "++++"},
		{"QRESYNC", "7162", "every expunge is told right, however long ago; where its record is gone, more UIDs may be named than were expunged", "++++"},
		{"OBJECTID", "8474", "EMAILID and THREADID of every message; ids survive moves and renames", "-++-"},
		{"UIDONLY", "9586", "by ENABLE; numbers are then refused with [UIDREQUIRED]", "-++-"},
		{"UIDBATCHES", "10022", "at least 500 messages in a batch, or as many as MESSAGELIMIT", "-?+-"},
		{"PARTIAL", "9394", "SEARCH, SORT and FETCH; not with THREAD", "-+--"},
		{"MESSAGELIMIT", "9738", "with `[imap] message_limit`; FETCH and STORE answer from the highest UID down, SEARCH in the order of the mailbox; SORT and THREAD of more are refused; UIDBATCHES has no limit", "-?+-"},
		{"SAVELIMIT", "9738", "with `[imap] save_limit`, where there is no `message_limit`: APPEND and COPY", "-?+-"},

		// searching and sorting
		{"ESEARCH", "4731", "", "++++"},
		{"SEARCHRES", "5182", "a result of more than 65,536 runs of UIDs is NO [NOTSAVED]", "++++"},
		{"WITHIN", "5032", "", "++++"},
		{"SAVEDATE", "8514", "", "++-+"},
		{"SEARCH=FUZZY", "6203", "text word by word in any order: half of the words, or their beginnings", "o+--"},
		{"MULTISEARCH", "7377", "one's own mailboxes and those of others that one may read", "-+-+"},
		{"SORT", "5256", "of equal texts the first 32 to 1,024 bytes decide, by the number of messages", "+++-"},
		{"SORT=DISPLAY", "5957", "", "+++-"},
		{"ESORT", "5267", "", "+++-"},
		{"CONTEXT=SEARCH", "5267", "four results at once, of up to 16,384 runs of UIDs; not for keys with numbers, a star, `$` or an age", "+?--"},
		{"CONTEXT=SORT", "5267", "the same four; up to 10,000 messages and 2 MiB of sort keys; not by RELEVANCY", "-?--"},
		{"I18NLEVEL=1", "5255", "SEARCH, SORT and THREAD compare by i;unicode-casemap", "+?--"},
		{"THREAD=ORDEREDSUBJECT", "5256", "", "++--"},
		{"THREAD=REFERENCES", "5256", "", "+++-"},
		{"THREAD=REFS", "draft", "as Dovecot: by references alone", "++--"},

		// messages
		{"MULTIAPPEND", "3502", "all messages or none; 4 MiB of headers", "++++"},
		{"APPENDLIMIT", "7889", "`[limits] message_size`; the same for every mailbox", "-+-+"},
		{"BINARY", "3516", "binary parts of messages appended are kept in base64 and given back as they came", "++++"},
		{"CATENATE", "4469", "URLs of mailboxes that one may read", "++--"},
		{"URL-PARTIAL", "5550", "", "++--"},
		{"REPLACE", "8508", "one transaction", "++-+"},
		{"UIDPLUS", "4315", "", "++++"},
		{"MOVE", "6851", "one transaction", "++++"},
		{"PREVIEW", "8970", "made when it is asked for, LAZY or not", "++++"},

		// mailboxes
		{"NAMESPACE", "2342", "one's own, `Other Users/` and `Shared/`", "++++"},
		{"CHILDREN", "3348", "always told", "+++-"},
		{"LIST-EXTENDED", "5258", "100 patterns", "++++"},
		{"LIST-STATUS", "5819", "", "++++"},
		{"LIST-METADATA", "9590", "", "?+-+"},
		{"LIST-MYRIGHTS", "8440", "", "?+--"},
		{"STATUS=SIZE", "8438", "", "++++"},
		{"SPECIAL-USE", "6154", "`\\Archive`, `\\Drafts`, `\\Junk`, `\\Sent`, `\\Trash`, `\\Important` (8457), `\\Memos`, `\\Scheduled`, `\\Snoozed` (9979): one for a mailbox", "++++"},
		{"CREATE-SPECIAL-USE", "6154", "one use", "-+++"},
		{"UNSELECT", "3691", "", "++++"},
		{"QUOTA", "9208", "one quota root per account", "o+++"},
		{"QUOTA=RES-STORAGE", "9208", "", "?+++"},
		{"QUOTA=RES-MESSAGE", "9208", "", "?+--"},
		{"QUOTA=RES-MAILBOX", "9208", "", "?+--"},
		{"QUOTASET", "9208", "for administrators, whatever their rights; no limit of 0", "?+--"},
		{"METADATA", "5464", "entries of mailboxes and of the server, private and shared; to set shared ones of a mailbox takes the right `w`; changes are told by NOTIFY", "o+-+"},
		{"ACL", "4314", "flags are the mailbox's, not each user's; a mailbox made below another has its rights; negative rights; 1,000 accounts a mailbox", "o++-"},
		{"RIGHTS=texk", "4314", "", "o++-"},
	}
}
