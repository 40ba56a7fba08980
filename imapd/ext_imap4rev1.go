package imapd

// imap4rev1 is RFC 3501 itself.
func imap4rev1() extension {
	return extension{
		name: "IMAP4rev1",
		rfc:  "RFC 3501",
		capabilities: append(everywhere("IMAP4rev1"),
			capability{name: "LOGINDISABLED", states: stranger, word: loginDisabled},
			capability{name: "AUTH=PLAIN", states: stranger, word: mechanism("PLAIN")},
			capability{name: "AUTH=LOGIN", states: stranger, word: mechanism("LOGIN")},
			capability{name: "SASL-IR", states: stranger}, // RFC 4959
		),
		commands: append(mailboxCommands(),
			capabilityCommand(), noopCommand(), logoutCommand(),
			loginCommand(), authenticateCommand(),
			createCommand(), deleteCommand(), renameCommand(),
			subscribeCommand(), unsubscribeCommand(),
			listCommand(), lsubCommand(), statusCommand(), appendCommand(),
		),
		statusItems: rev1StatusItems(),
		fetchItems:  rev1FetchItems(),
		searchKeys:  rev1SearchKeys(),
	}
}

// loginDisabled is advertised where LOGIN is refused (RFC 3501 section 6.2.3).
func loginDisabled(s *session) string {
	if s.srv.cfg.Auth.PasswordsAllowed(s.private(), s.peer.addr) {
		return ""
	}
	return "LOGINDISABLED"
}

// mechanism advertises a SASL mechanism where package auth offers it.
func mechanism(name string) func(*session) string {
	return func(s *session) string {
		if s.srv.cfg.Auth.Offers(name, s.attempt()) {
			return "AUTH=" + name
		}
		return ""
	}
}
