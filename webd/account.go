package webd

import (
	"net/http"
	"strconv"

	"tandem/store"
)

// accountData is what the account's page shows.
type accountData struct {
	Account   store.Account
	Mailboxes []store.Mailbox
}

func (s *Server) accountPage(w http.ResponseWriter, r *http.Request, u *user) {
	list, err := s.store.Mailboxes(r.Context(), u.actor(r))
	if err != nil {
		s.fail(w, r, err)
		return
	}
	s.render(w, r, http.StatusOK, "account", accountData{u.account, list})
}

// sizeText writes a number of octets for a person.
func sizeText(n int64) string {
	units := []string{"KB", "MB", "GB", "TB"}
	if n < 1000 {
		return strconv.FormatInt(n, 10) + " B"
	}
	f, i := float64(n)/1000, 0
	for f >= 999.95 && i < len(units)-1 {
		f, i = f/1000, i+1
	}
	return strconv.FormatFloat(f, 'f', 1, 64) + " " + units[i]
}
