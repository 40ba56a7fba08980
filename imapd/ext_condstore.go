package imapd

import (
	"tandem/imapd/internal/wire"
	"tandem/store"
)

// condstore is the word of ENABLE, and the key in session.enabled.
const condstore = "CONDSTORE"

// extCondstore is RFC 7162 without its QRESYNC half. Commands that imply
// ENABLE CONDSTORE are listed in section 3.1: SELECT (CONDSTORE), STATUS
// (HIGHESTMODSEQ), FETCH MODSEQ and CHANGEDSINCE, STORE UNCHANGEDSINCE, SEARCH
// MODSEQ. From then on MODSEQ is in every FETCH response about flags.
func extCondstore() extension {
	return extension{
		name:         "CONDSTORE",
		rfc:          "RFC 7162",
		capabilities: everywhere("CONDSTORE"),
		enables:      []enable{{name: condstore, on: enableCondstore}},
		selectParams: []selectParam{{name: "CONDSTORE", enables: condstore}},
		statusItems:  []statusItem{{name: "HIGHESTMODSEQ", write: writeStatusHighest}},
		fetchItems:   []fetchItem{plainItem("MODSEQ", modseqOp())},
		fetchMods:    []fetchMod{{"CHANGEDSINCE", parseChangedSince}},
		storeMods:    []storeMod{{name: "UNCHANGEDSINCE", enables: condstore, parse: parseUnchangedSince}},
		searchKeys:   []searchKey{{name: "MODSEQ", parse: parseSearchModSeq}},
	}
}

// enableCondstore tells the client of the mailbox already selected where its
// changes stand (RFC 7162 section 3.1.2.1).
func enableCondstore(s *session) {
	if s.view != nil {
		s.tellHighest(s.view.HighestModSeq())
	}
}

// writeStatusHighest is RFC 7162 section 3.1.7. It cannot use the session's
// enabling of CONDSTORE: an untagged line would stand inside STATUS.
func writeStatusHighest(s *session, box *store.Mailbox) {
	s.enabled[condstore] = true
	s.enc.Num(uint64(box.HighestModSeq))
}

func modseqOp() fetchOp {
	return fetchOp{enables: condstore, write: func(f *fetcher, m *fetched) error {
		f.enc.Raw("MODSEQ (").Num(uint64(m.ModSeq)).Byte(')')
		return nil
	}}
}

// parseChangedSince is RFC 7162 section 3.1.4.1. MODSEQ is then in the answer.
func parseChangedSince(d *wire.Decoder, a *fetchArgs) {
	d.SP()
	since := store.ModSeq(d.ModSeq())
	a.since = &since
	for i := range a.ops {
		if a.ops[i].enables == condstore {
			return
		}
	}
	a.ops = append(a.ops, modseqOp())
}

func parseUnchangedSince(d *wire.Decoder, a *storeArgs) {
	d.SP()
	since := store.ModSeq(d.ModSeq())
	a.change.UnchangedSince = &since
}
