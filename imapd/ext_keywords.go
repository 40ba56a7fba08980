package imapd

import (
	"slices"
	"strings"
)

// knownKeywords are keywords with a registered meaning, which PERMANENTFLAGS
// names so that clients use these and not words of their own: those of RFC
// 5788 and RFC 8457 that servers and clients share, and those of RFC 9979.
// Any other can be made too.
func knownKeywords() []string {
	return []string{
		"$Forwarded", "$MDNSent", "$Junk", "$NotJunk", "$Phishing", "$Important",
		"$notify", "$muted", "$followed", "$memo", "$hasmemo", "$hasattachment", "$hasnoattachment",
		"$autosent", "$unsubscribed", "$canunsubscribe", "$imported", "$istrusted", "$maskedemail", "$new",
		"$MailFlagBit0", "$MailFlagBit1", "$MailFlagBit2",
	}
}

// withKnown adds the known keywords that are not among names.
func withKnown(names []string) []string {
	have := map[string]bool{}
	for _, n := range names {
		have[strings.ToLower(n)] = true
	}
	all := slices.Clone(names)
	for _, k := range knownKeywords() {
		if !have[strings.ToLower(k)] {
			all = append(all, k)
		}
	}
	return all
}
