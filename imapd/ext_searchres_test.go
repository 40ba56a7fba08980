package imapd

import (
	"testing"

	"tandem/store"
)

// TestScatteredResultIsNotSaved: a result of too many runs leaves nothing.
func TestScatteredResultIsNotSaved(t *testing.T) {
	s := &session{view: &view{saved: store.UIDSet{{Start: 1, Stop: 9}}}}
	a := &searchArgs{uid: true, returns: searchReturns{{name: "SAVE"}}}
	found := newSearchResult(a)
	for i := range maxSaved {
		found.add(0, store.UID(2*i+1), 1)
	}
	if err := saveResult(s, a, found); err != nil || s.view.saved.Len() != maxSaved {
		t.Fatalf("%v, %d kept", err, s.view.saved.Len())
	}
	found.add(0, 4*maxSaved, 1)
	err := saveResult(s, a, found)
	if got, _ := answerTo(err); got.word != "NO" || got.code != "NOTSAVED" || len(s.view.saved) != 0 {
		t.Errorf("answer %+v, %d kept", got, s.view.saved.Len())
	}
}
