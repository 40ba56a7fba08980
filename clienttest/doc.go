// Package clienttest holds no code but tests: the real binary, driven over
// loopback by the mail programs people use. START HERE.
//
// Nouns: a server (server_test.go) is a running `tandem serve` with its own
// directory and ports; a target (target_test.go) is what a client needs to know
// of an account on it: addresses, user, password, certificate file. A job gives
// a target to a client, lets it do real work and compares bytes.
//
// File map:
//
//	main_test.go       builds the binary once, unless TANDEM_BIN names one
//	server_test.go     start, kill, stop, run verbs of the binary
//	target_test.go     targets; CLIENTTEST_TARGET points the jobs elsewhere
//	program_test.go    running a mail program, skipping when it is absent
//	mail_test.go       sample messages and comparing
//	imap_test.go       go-imap's client, and a bare line client
//	pop3_test.go       a small POP3 client
//	lmtp_test.go       a small LMTP client
//	marionette_test.go driving a Gecko program
//	browser_test.go    driving Chromium
//
//	utf8_test.go       internationalized mail over POP3, and mailboxes named in the login
//	uidl_test.go       from a real Dovecot (dovecot_test.go) to tandem, nothing downloaded twice
//	compare_test.go    tandem compare against a real Dovecot
//	compare_page_test.go account_page_test.go   the web pages in a browser
//	mbsync_test.go fetchmail_test.go getmail_test.go mpop_test.go
//	curl_test.go mutt_test.go neomutt_test.go offlineimap_test.go
//	python_test.go thunderbird_test.go aerc_test.go imapclient_test.go
//	                   one client each
//	pop3check_test.go  tandem pop3-check against itself
//	sequences_test.go  what mail programs with windows send
//	corpus_test.go     2,750 real messages through every door
//	cross_test.go      one protocol seen from another
//	shared_test.go     all POP3 clients and mbsync on one account at once
//	devices_test.go    several POP3 devices on one account
//	acl_test.go        mbsync in mailboxes that others share
//	undo_test.go recently_test.go   taking deletions back, by commands and by IMAP
//	kill_test.go       SIGKILL under load, again and again
//	lifecycle_test.go  second server, SIGTERM, administration meanwhile
//	migrate_test.go    import, export and accounts, seen by clients
//	login_test.go      SCRAM, access tokens, client certificates
//	demo_test.go       what `tandem demo` prints
//	hostile_test.go    clients that misbehave
//	fresh_test.go      a mailbox used the moment it is selected
//	crowd_test.go      hundreds of idle sessions
//
// Environment: TANDEM_BIN (a binary to test), TANDEM_CORPUS (the mbox.gz of
// real mail), TANDEM_SCREENSHOTS (where the browser tests leave pictures), CLIENTTEST_KILL_ROUNDS (rounds of the SIGKILL test, 5 without),
// CLIENTTEST_TARGET (another server for the jobs, see target_test.go).
//
// Invariants: every server has its own directory and ports; when a test ends,
// its server must drain and exit 0 on SIGTERM, must not have logged a panic, and
// `tandem check` must find its store whole. Nothing sleeps: tests wait for an
// event or poll with a deadline.
package clienttest
