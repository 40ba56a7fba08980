package imapd

// extListExtended is RFC 5258; its syntax is in cmd_list.go.
func extListExtended() extension {
	subscribed := func(n *listNode) string {
		if n.subscribed {
			return `\Subscribed`
		}
		return ""
	}
	returnSubscribed := listReturn{name: "SUBSCRIBED", attribute: subscribed}
	return extension{
		name:         "LIST-EXTENDED",
		rfc:          "RFC 5258",
		capabilities: everywhere("LIST-EXTENDED"),
		listSelects: []listSelect{
			{
				name:  "SUBSCRIBED",
				base:  true,
				match: func(n *listNode) bool { return n.subscribed },
				// Selecting by subscription shows it too (RFC 5258 section 3.1).
				set: func(a *listArgs) { a.returns = addOption(a.returns, returnSubscribed) },
			},
			{name: "REMOTE"}, // there are no remote mailboxes to add
			{name: "RECURSIVEMATCH", set: func(a *listArgs) { a.recursive = true }},
		},
		listReturns: []listReturn{
			returnSubscribed,
			{name: "CHILDREN"}, // shown whether asked or not
		},
	}
}

// extChildren is RFC 3348: LIST always tells of children.
func extChildren() extension {
	return extension{name: "CHILDREN", rfc: "RFC 3348", capabilities: everywhere("CHILDREN")}
}
