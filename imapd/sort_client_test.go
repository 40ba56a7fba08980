package imapd

import (
	"slices"
	"testing"

	"github.com/emersion/go-imap/v2"
	"github.com/emersion/go-imap/v2/imapclient"
)

// TestImapclientSorts has somebody else's client sort and thread.
func TestImapclientSorts(t *testing.T) {
	ts := startServer(t, nil)
	fill(t, ts.store, "alice", 30)
	c, err := imapclient.DialInsecure(ts.addr, nil)
	if err != nil {
		t.Fatal(err)
	}
	defer c.Close()
	check := func(what string, err error) {
		t.Helper()
		if err != nil {
			t.Fatalf("%s: %v", what, err)
		}
	}
	check("LOGIN", c.Login("alice", "secret").Wait())
	_, err = c.Select("INBOX", nil).Wait()
	check("SELECT", err)
	for _, want := range []imap.Cap{imap.CapSort, imap.CapSortDisplay, imap.CapESort, imap.CapSearchRes, imap.CapObjectID, imap.CapPreview, imap.CapSaveDate, imap.CapWithin, "PARTIAL"} {
		if !c.Caps().Has(want) {
			t.Errorf("%s is not advertised", want)
		}
	}
	nums, err := c.UIDSort(&imapclient.SortOptions{
		SearchCriteria: &imap.SearchCriteria{Flag: []imap.Flag{imap.FlagSeen}, UID: []imap.UIDSet{{{Start: 1, Stop: 10}}}},
		SortCriteria:   []imapclient.SortCriterion{{Key: imapclient.SortKeySubject, Reverse: true}, {Key: imapclient.SortKeyArrival}},
	}).Wait()
	check("UID SORT", err)
	if want := []uint32{10, 8, 6, 4, 2}; !slices.Equal(nums, want) {
		t.Errorf("sorted %v, want %v", nums, want)
	}
	threads, err := c.Thread(&imapclient.ThreadOptions{Algorithm: imap.ThreadOrderedSubject, SearchCriteria: &imap.SearchCriteria{
		Header: []imap.SearchCriteriaHeaderField{{Key: "Subject", Value: "number 3"}}}}).Wait()
	check("THREAD", err)
	if len(threads) != 1 || len(threads[0].Chain) != 1 || threads[0].Chain[0] != 4 || len(threads[0].SubThreads) != 2 {
		t.Errorf("threads %+v", threads)
	}
	check("LOGOUT", c.Logout().Wait())
}
