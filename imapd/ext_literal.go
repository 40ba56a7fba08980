package imapd

// extLiteralPlus is RFC 7888; the decoder does it.
func extLiteralPlus() extension {
	return extension{name: "LITERAL+", rfc: "RFC 7888", capabilities: everywhere("LITERAL+")}
}
