package imapd

// The SASL mechanisms beside PLAIN and LOGIN. What each is and where it may be
// used is for package auth to say; AUTHENTICATE carries them all.

// extScramSHA256 is RFC 7677. The channel binding of -PLUS is RFC 9266.
func extScramSHA256() extension {
	return mechanisms("SCRAM-SHA-256", "RFC 7677", "SCRAM-SHA-256-PLUS", "SCRAM-SHA-256")
}

// extScramSHA1 is RFC 5802.
func extScramSHA1() extension {
	return mechanisms("SCRAM-SHA-1", "RFC 5802", "SCRAM-SHA-1-PLUS", "SCRAM-SHA-1")
}

// extExternal is RFC 4422 appendix A: the certificate that a client has shown.
func extExternal() extension { return mechanisms("EXTERNAL", "RFC 4422", "EXTERNAL") }

// extOAuthBearer is RFC 7628.
func extOAuthBearer() extension { return mechanisms("OAUTHBEARER", "RFC 7628", "OAUTHBEARER") }

// extXOAuth2 is what OAUTHBEARER was made from; it has no RFC.
func extXOAuth2() extension { return mechanisms("XOAUTH2", "", "XOAUTH2") }

func mechanisms(name, rfc string, names ...string) extension {
	x := extension{name: name, rfc: rfc}
	for _, n := range names {
		x.capabilities = append(x.capabilities, capability{name: "AUTH=" + n, states: stranger, word: mechanism(n)})
	}
	return x
}
