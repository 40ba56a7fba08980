package imapd

import (
	"testing"

	"tandem/store"
)

// TestScatteredResultIsNotSaved: a result of too many runs leaves nothing.
func TestScatteredResultIsNotSaved(t *testing.T) {
	s := &session{view: &view{saved: store.UIDSet{{Start: 1, Stop: 9}}}}
	found := newSearchResult(&searchArgs{uid: true})
	for i := range maxSaved {
		found.add(0, store.UID(2*i+1), 1)
	}
	if err := saveResult(s, searchReturns{{name: "SAVE"}}, found); err != nil || s.view.saved.Len() != maxSaved {
		t.Fatalf("%v, %d kept", err, s.view.saved.Len())
	}
	found.add(0, 4*maxSaved, 1)
	err := saveResult(s, searchReturns{{name: "SAVE"}}, found)
	if a, _ := answerTo(err); a.word != "NO" || a.code != "NOTSAVED" || len(s.view.saved) != 0 {
		t.Errorf("answer %+v, %d kept", a, s.view.saved.Len())
	}
}
