package main

import (
	"fmt"
	"os"
	"path/filepath"
	"strconv"
	"strings"
	"time"
)

// config is every setting. The toml tag is its name in the file, within its
// section; doc says what it means, in `config init` and in the reference.
type config struct {
	Hostname string   `toml:"hostname" doc:"the name of this host: in greetings, in Received headers, and a domain whose mail is ours"`
	Domains  []string `toml:"domains" doc:"further domains: mail for x@domain goes to the account x when there is no account x@domain"`
	Data     string   `toml:"data" doc:"the directory of the store; made when absent, readable by its owner alone"`

	IMAP      imapConfig      `toml:"imap"`
	POP3      pop3Config      `toml:"pop3"`
	LMTP      lmtpConfig      `toml:"lmtp"`
	Web       webConfig       `toml:"web"`
	TLS       tlsConfig       `toml:"tls"`
	Auth      authConfig      `toml:"auth"`
	Retention retentionConfig `toml:"retention"`
	Quota     quotaConfig     `toml:"quota"`
	Log       logConfig       `toml:"log"`
	Limits    limitsConfig    `toml:"limits"`
}

type imapConfig struct {
	Listen    []string `toml:"listen" doc:"addresses for IMAP with STARTTLS: host:port or unix:/path"`
	ListenTLS []string `toml:"listen_tls" doc:"addresses for IMAP over TLS"`

	LiteralMinus  bool `toml:"literal_minus" doc:"advertise LITERAL- in place of LITERAL+: clients ask before they send literals of more than 4096 octets"`
	StrictHeaders bool `toml:"strict_headers" doc:"refuse messages with 8-bit octets in their header from clients that have not enabled UTF8=ACCEPT, as RFC 9755 has it; mail moved here from another server may have such"`

	SharedAccount string `toml:"shared_account" doc:"the account whose mailboxes are in everybody's Shared/, as far as tandem acl or its owner gives rights on them; those of other accounts are in Other Users/"`

	AdminContact string `toml:"admin_contact" doc:"how users reach the administrator, a URI such as mailto:postmaster@example.org: the server's annotation /shared/admin; empty: none"`

	MessageLimit int `toml:"message_limit" doc:"how many messages one command works on, told as MESSAGELIMIT: 1000 or more; 0: any number"`
	SaveLimit    int `toml:"save_limit" doc:"how many messages one APPEND or COPY puts into a mailbox, told as SAVELIMIT: 1000 or more, and not beside message_limit, which holds for them too; 0: any number"`
}

type pop3Config struct {
	Listen    []string `toml:"listen" doc:"addresses for POP3 with STLS: host:port or unix:/path"`
	ListenTLS []string `toml:"listen_tls" doc:"addresses for POP3 over TLS"`

	Brake         bool     `toml:"brake" doc:"when a device that never deleted before deletes more than half of a maildrop, move the messages to Trash though its policy is expunge"`
	BrakeMessages int      `toml:"brake_messages" doc:"the brake is for maildrops of more messages than this"`
	DeviceRetired duration `toml:"device_retired" doc:"a POP3 device that has not been used for so long no longer holds mail back under the policy shared; 0: all hold it back until they are revoked"`
}

type lmtpConfig struct {
	Listen      []string `toml:"listen" doc:"addresses where the mail server delivers: host:port or unix:/path"`
	SocketMode  fileMode `toml:"socket_mode" doc:"permissions of unix sockets"`
	SocketGroup string   `toml:"socket_group" doc:"group of unix sockets, by name or number; empty: the server's"`
	Subaddress  string   `toml:"subaddress" doc:"where mail for alice+lists goes: \"mailbox\": to her mailbox lists when there is one, \"inbox\": always to INBOX"`
	JunkHeader  string   `toml:"junk_header" doc:"a header line such as \"X-Spam: yes\" that files a message into Junk; empty: none"`
}

type webConfig struct {
	Listen      []string `toml:"listen" doc:"addresses for the web pages without TLS: host:port or unix:/path; passwords are taken there as auth.plaintext says"`
	ListenTLS   []string `toml:"listen_tls" doc:"addresses for the web pages over TLS"`
	Connections int      `toml:"connections" doc:"connections of browsers at once"`
	Compare     bool     `toml:"compare" doc:"whether anybody who reaches the web pages may watch IMAP and POP3 side by side, in a mailbox made for it"`
	Shows       int      `toml:"shows" doc:"how many such mailboxes there are at once"`
}

type tlsConfig struct {
	Cert string `toml:"cert" doc:"certificate chain in PEM; with neither file a local CA and certificate are made in the data directory"`
	Key  string `toml:"key" doc:"private key in PEM; both files are read again when they change"`

	ClientCA string `toml:"client_ca" doc:"authorities in PEM whose certificates log clients in (EXTERNAL) as the account of the mail address in them or, without one, of the common name; other certificates are refused. Empty: none are asked for"`
}

type authConfig struct {
	Plaintext string   `toml:"plaintext" doc:"passwords on connections without TLS: \"loopback\", \"never\" or \"always\""`
	Trusted   []string `toml:"trusted" doc:"addresses or networks (a webmail server, a proxy) whose failed logins are counted by user"`
	SCRAM     string   `toml:"scram" doc:"SCRAM-SHA-256, by which clients prove a password without sending it: \"auto\" (once every password of every enabled account has keys for it, which a login without SCRAM makes), \"on\" or \"off\""`
	SCRAMSHA1 bool     `toml:"scram_sha1" doc:"offer SCRAM-SHA-1 as well"`
	Listen    []string `toml:"listen" doc:"unix:/path sockets that speak Dovecot's authentication protocol, for a mail server's submission logins"`

	OAuth oauthConfig `toml:"oauth"`
}

// oauthConfig says how access tokens (OAUTHBEARER, XOAUTH2) are checked; without
// either URL none are taken.
type oauthConfig struct {
	IntrospectionURL string   `toml:"introspection_url" doc:"where the provider tells whether an access token is good (RFC 7662)"`
	ClientID         string   `toml:"client_id" doc:"our name for introspection"`
	ClientSecretFile string   `toml:"client_secret_file" doc:"a file with our secret for introspection"`
	JWKSURL          string   `toml:"jwks_url" doc:"in place of introspection_url, the provider's keys (RFC 7517) for access tokens that are JSON Web Tokens; needs issuer and audience"`
	Issuer           string   `toml:"issuer" doc:"what the claim iss of a token must be"`
	Audience         []string `toml:"audience" doc:"one of these must be in the claim aud of a token; empty: anything"`
	Scopes           []string `toml:"scopes" doc:"scopes that a token must have, all of them"`
	Claim            string   `toml:"claim" doc:"the claim that names the account"`
}

type retentionConfig struct {
	Expunged        duration `toml:"expunged" doc:"how long expunged mail is kept to be taken back; 0: only while a session still shows it. On a full disk it goes before its time"`
	RecentlyDeleted bool     `toml:"recently_deleted" doc:"show expunged mail in a read-only mailbox Recently Deleted while it can be taken back: copying from there brings it back"`
	POP3Trash       duration `toml:"pop3_trash" doc:"how long Trash keeps what POP3 clients deleted, by the time it came there; then it is expunged. 0: for ever"`
	TrashDays       int      `toml:"trash_days" doc:"after how many days in Trash all other mail is expunged as well; 0: never"`
	JunkDays        int      `toml:"junk_days" doc:"after how many days in Junk mail is expunged; 0: never"`
	Journal         duration `toml:"journal" doc:"how long the record of what was done to the mail goes back; 0: it is kept for minutes only"`
}

type quotaConfig struct {
	Storage   int64 `toml:"storage" doc:"octets of messages in an account, where tandem account quota has set nothing else; 0: no limit"`
	Messages  int64 `toml:"messages" doc:"messages in an account; 0: no limit"`
	Mailboxes int64 `toml:"mailboxes" doc:"mailboxes in an account; 0: no limit"`
	LMTPReply int   `toml:"lmtp_reply" doc:"answer to a delivery above the quota: 452, and the sender tries again, or 552, and it gives up"`
}

type logConfig struct {
	Level string `toml:"level" doc:"\"debug\", \"info\", \"warn\" or \"error\""`
}

// limitsConfig has a limit each; 0 means no limit.
type limitsConfig struct {
	Connections           int      `toml:"connections" doc:"connections in all"`
	Strangers             int      `toml:"strangers" doc:"connections not yet logged in, in all; at the limit the oldest goes"`
	ConnectionsPerAddress int      `toml:"connections_per_address" doc:"connections not yet logged in, of an address"`
	TimeToLogin           duration `toml:"time_to_login" doc:"from connecting to the login"`
	FailedLoginDelay      bool     `toml:"failed_login_delay" doc:"delay the answer to a failed login, longer with each from an address"`
	SessionsPerUser       int      `toml:"sessions_per_user" doc:"logged-in connections of a user"`
	SessionsPerUserAddr   int      `toml:"sessions_per_user_address" doc:"logged-in connections of a user from an address"`
	MessageSize           int64    `toml:"message_size" doc:"octets of a message that arrives over LMTP or APPEND"`
	LMTPRecipients        int      `toml:"lmtp_recipients" doc:"recipients of one delivery"`
	LMTPLargeMessages     int      `toml:"lmtp_large_messages" doc:"deliveries of over 32 KiB being received at once; further ones wait up to a minute"`
	IMAPIdle              duration `toml:"imap_idle" doc:"silence after which an IMAP session is closed, after login"`
	POP3Idle              duration `toml:"pop3_idle" doc:"silence after which a POP3 session is closed"`
	WriteStall            duration `toml:"write_stall" doc:"how long a client may take no byte of an answer"`

	LineBeforeLogin    int64 `toml:"line_before_login" doc:"octets of an IMAP command with its literals, before login"`
	LiteralBeforeLogin int64 `toml:"literal_before_login" doc:"octets of a literal, before login"`
	SASLLine           int64 `toml:"sasl_line" doc:"octets of a line of a SASL exchange"`
	Line               int64 `toml:"line" doc:"octets of an IMAP command line"`
	Literal            int64 `toml:"literal" doc:"octets of a literal that is not a message"`
	Command            int64 `toml:"command" doc:"octets of an IMAP command with its literals, messages apart"`
	Literals           int   `toml:"literals" doc:"literals in a command"`
	ListNesting        int   `toml:"list_nesting" doc:"parentheses within each other in a command"`
	SetRanges          int   `toml:"set_ranges" doc:"ranges in a sequence set"`
	BadCommandsBefore  int   `toml:"bad_commands_before_login" doc:"bad commands before login until the connection is closed"`
	BadCommands        int   `toml:"bad_commands" doc:"bad commands in a row after login"`
	LMTPBadCommands    int   `toml:"lmtp_bad_commands" doc:"bad commands in an LMTP connection"`

	Keywords     int      `toml:"keywords" doc:"different keywords in an account"`
	Mailboxes    int      `toml:"mailboxes" doc:"mailboxes in an account"`
	Searches     int      `toml:"searches" doc:"searches of a user at once"`
	SearchWait   duration `toml:"search_wait" doc:"how long a further search waits for its turn"`
	IndexMemory  int64    `toml:"index_memory" doc:"octets for the indexes of mailboxes that nobody has open"`
	HashWaiting  int      `toml:"hash_waiting" doc:"logins that wait for a processor to check their password"`
	FailedLogins int      `toml:"failed_logins_pending" doc:"failed logins of an address whose answer is being delayed"`
}

// defaults are the settings without a file, flags or environment.
func defaults() config {
	host, err := os.Hostname()
	if err != nil || host == "" {
		host = "localhost"
	}
	return config{
		Hostname: host,
		Domains:  []string{},
		Data:     defaultData(),
		IMAP:     imapConfig{Listen: []string{"127.0.0.1:10143"}, ListenTLS: []string{"127.0.0.1:10993"}, SharedAccount: "shared"},
		POP3: pop3Config{Listen: []string{"127.0.0.1:10110"}, ListenTLS: []string{"127.0.0.1:10995"},
			Brake: true, BrakeMessages: 50, DeviceRetired: duration(90 * 24 * time.Hour)},
		LMTP: lmtpConfig{Listen: []string{"127.0.0.1:10024"}, SocketMode: 0o660, Subaddress: "mailbox"},
		Web:  webConfig{Listen: []string{"127.0.0.1:10088"}, ListenTLS: []string{}, Connections: 500, Compare: true, Shows: 20},
		Auth: authConfig{Plaintext: "loopback", SCRAM: "auto", Trusted: []string{}, Listen: []string{},
			OAuth: oauthConfig{Audience: []string{}, Scopes: []string{}, Claim: "email"}},
		Retention: retentionConfig{Expunged: duration(14 * 24 * time.Hour), POP3Trash: duration(30 * 24 * time.Hour), Journal: duration(90 * 24 * time.Hour)},
		Quota:     quotaConfig{LMTPReply: 452},
		Log:       logConfig{Level: "info"},
		Limits:    defaultLimits(),
	}
}

func defaultLimits() limitsConfig {
	return limitsConfig{
		Connections:           5000,
		Strangers:             1000,
		ConnectionsPerAddress: 20,
		TimeToLogin:           duration(180 * time.Second),
		FailedLoginDelay:      true,
		SessionsPerUser:       250,
		SessionsPerUserAddr:   20,
		MessageSize:           50 << 20,
		LMTPRecipients:        100,
		LMTPLargeMessages:     16,
		IMAPIdle:              duration(30 * time.Minute),
		POP3Idle:              duration(10 * time.Minute),
		WriteStall:            duration(5 * time.Minute),
		LineBeforeLogin:       8 << 10,
		LiteralBeforeLogin:    4 << 10,
		SASLLine:              12 << 10,
		Line:                  64 << 10,
		Literal:               128 << 10,
		Command:               1 << 20,
		Literals:              1000,
		ListNesting:           64,
		SetRanges:             10000,
		BadCommandsBefore:     3,
		BadCommands:           20,
		LMTPBadCommands:       10,
		Keywords:              500,
		Mailboxes:             10000,
		Searches:              2,
		SearchWait:            duration(time.Minute),
		IndexMemory:           64 << 20,
		HashWaiting:           256,
		FailedLogins:          4,
	}
}

// defaultData is where the store lies when nothing says otherwise.
func defaultData() string {
	base := os.Getenv("XDG_DATA_HOME")
	if !filepath.IsAbs(base) { // the XDG base directory rules: relative ones are ignored
		home, err := os.UserHomeDir()
		if err != nil {
			home = "."
		}
		base = filepath.Join(home, ".local", "share")
	}
	return filepath.Join(base, "tandem")
}

// duration is a time span, written as in Go ("90s", "30m") or in days ("14d").
type duration time.Duration

// UnmarshalText reads "90s", "14d", or "0".
func (d *duration) UnmarshalText(text []byte) error {
	s := string(text)
	if days, ok := strings.CutSuffix(s, "d"); ok {
		n, err := strconv.ParseUint(days, 10, 16)
		if err != nil {
			return fmt.Errorf("%q is no time span (write 90s, 30m, 12h or 14d)", s)
		}
		*d = duration(time.Duration(n) * 24 * time.Hour)
		return nil
	}
	span, err := time.ParseDuration(s)
	if err != nil || span < 0 {
		return fmt.Errorf("%q is no time span (write 90s, 30m, 12h or 14d)", s)
	}
	*d = duration(span)
	return nil
}

// MarshalText writes the shortest form that UnmarshalText reads.
func (d duration) MarshalText() ([]byte, error) { return []byte(d.String()), nil }

func (d duration) String() string {
	span := time.Duration(d)
	switch {
	case span >= 48*time.Hour && span%(24*time.Hour) == 0:
		return strconv.Itoa(int(span/(24*time.Hour))) + "d"
	case span > 3*time.Minute && span%time.Hour == 0:
		return strconv.Itoa(int(span/time.Hour)) + "h"
	case span > 3*time.Minute && span%time.Minute == 0:
		return strconv.Itoa(int(span/time.Minute)) + "m"
	case span%time.Second == 0:
		return strconv.Itoa(int(span/time.Second)) + "s"
	}
	return span.String()
}

// fileMode is permission bits, written in octal as a string.
type fileMode os.FileMode

// UnmarshalText reads octal digits.
func (m *fileMode) UnmarshalText(text []byte) error {
	n, err := strconv.ParseUint(string(text), 8, 32)
	if err != nil || n > 0o777 {
		return fmt.Errorf("%q is no permission (write \"0660\")", text)
	}
	*m = fileMode(n)
	return nil
}

// MarshalText writes octal digits.
func (m fileMode) MarshalText() ([]byte, error) { return []byte(m.String()), nil }

func (m fileMode) String() string { return fmt.Sprintf("%04o", uint32(m)) }
