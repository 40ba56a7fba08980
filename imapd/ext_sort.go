package imapd

// extSort is SORT of RFC 5256; its order of texts is that of I18NLEVEL=1, which
// SEARCH keeps to as well (RFC 5255 section 4.3).
func extSort() extension {
	return extension{
		name:         "SORT",
		rfc:          "RFC 5256",
		capabilities: everywhere("SORT"),
		commands:     []command{sortCommand(false), sortCommand(true)},
		sortKeys: []sortKey{
			{"ARRIVAL", byEntry, func(o *ordering, dst []byte) []byte { return appendNumber(dst, uint64(o.Internal)) }},
			{"SIZE", byEntry, func(o *ordering, dst []byte) []byte { return appendNumber(dst, uint64(o.Size)) }},
			{"DATE", byStructure, (*ordering).sent},
			{"SUBJECT", byStructure, (*ordering).subject},
			{"FROM", byStructure, mailboxOf(envFrom)},
			{"TO", byStructure, mailboxOf(envTo)},
			{"CC", byStructure, mailboxOf(envCc)},
		},
	}
}

// extI18NLevel is level 1 of RFC 5255 section 4.3: SEARCH, SORT and THREAD
// compare texts as i;unicode-casemap does. SEARCH goes further and also levels
// white space (package message, Fold).
func extI18NLevel() extension {
	return extension{name: "I18NLEVEL=1", rfc: "RFC 5255", capabilities: everywhere("I18NLEVEL=1")}
}

// extSortDisplay is RFC 5957.
func extSortDisplay() extension {
	return extension{
		name:         "SORT=DISPLAY",
		rfc:          "RFC 5957",
		capabilities: everywhere("SORT=DISPLAY"),
		sortKeys: []sortKey{
			{"DISPLAYFROM", byStructure, displayOf(envFrom)},
			{"DISPLAYTO", byStructure, displayOf(envTo)},
		},
	}
}

// extESort is ESORT of RFC 5267 section 3: the return options of SEARCH are
// those of SORT, where least and greatest are first and last.
func extESort() extension {
	return extension{name: "ESORT", rfc: "RFC 5267", capabilities: everywhere("ESORT")}
}
