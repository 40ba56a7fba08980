package imapd

// extSaveDate is RFC 8514. Every mailbox knows the save date of each of its
// messages, so SAVEDATE is never NIL.
func extSaveDate() extension {
	return extension{
		name:         "SAVEDATE",
		rfc:          "RFC 8514",
		capabilities: everywhere("SAVEDATE"),
		fetchItems: []fetchItem{plainItem("SAVEDATE", fetchOp{write: func(f *fetcher, m *fetched) error {
			f.enc.Raw("SAVEDATE ").DateTime(m.SaveDate())
			return nil
		}})},
		searchKeys: []searchKey{ // section 4.3
			{"SAVEDBEFORE", dateKey(byEntry, savedDay, before)},
			{"SAVEDON", dateKey(byEntry, savedDay, on)},
			{"SAVEDSINCE", dateKey(byEntry, savedDay, since)},
			{"SAVEDATESUPPORTED", func(*searchParser) *criterion {
				return leaf(byEntry, func(*candidate) (bool, error) { return true, nil })
			}},
		},
	}
}

// savedDay is the day of SAVEDATE as FETCH shows it: in UTC.
func savedDay(c *candidate) (day, bool, error) { return dayAt(int64(c.Saved)), true, nil }
