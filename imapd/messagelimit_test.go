package imapd

import (
	"math/rand/v2"
	"slices"
	"testing"

	"tandem/store"
)

// TestHighest compares what a command is limited to with a list of members,
// some of which are expunged and not told of.
func TestHighest(t *testing.T) {
	ts := startServer(t, nil)
	by := fill(t, ts.store, "alice", 60)
	v := openInbox(t, ts.store, by)
	r := rand.New(rand.NewPCG(1, 2))
	some := func() (uids store.UIDSet) {
		for uid := store.UID(1); uid <= 60; uid++ {
			if r.IntN(3) > 0 {
				uids.Add(uid)
			}
		}
		return uids
	}
	gone := some()
	_, err := v.SetFlags(t.Context(), store.FlagsChange{UIDs: gone, Flags: store.FlagDeleted})
	must(t, err)
	_, err = v.Expunge(t.Context(), gone)
	must(t, err)
	v.Advance(store.Reach{Expunges: true, Flags: true})
	left := membersOf(v, v.everything())
	_, err = v.SetFlags(t.Context(), store.FlagsChange{UIDs: store.UIDSet{{Start: left[2], Stop: left[6]}}, Flags: store.FlagDeleted})
	must(t, err)
	_, err = v.Expunge(t.Context(), store.AllUIDs()) // not told: they keep their numbers
	must(t, err)
	for range 1000 {
		uids, limit := some(), 1+r.IntN(20)
		want := membersOf(v, uids)
		lowest := store.UID(0)
		if len(want) > limit {
			want = want[len(want)-limit:]
			lowest = want[0]
		}
		kept, least := v.highest(uids, limit)
		if got := membersOf(v, kept); !slices.Equal(got, want) || least != lowest {
			t.Fatalf("the %d highest of %v are %v from %d, want %v from %d", limit, uids, got, least, want, lowest)
		}
	}
}

// membersOf lists the members in uids.
func membersOf(v *view, uids store.UIDSet) (list []store.UID) {
	for page := range v.pages(uids, pageSize) {
		for i := range page {
			list = append(list, page[i].UID)
		}
	}
	return list
}
