package webd

import (
	"net/http"
	"strconv"
	"time"

	"tandem/store"
)

// accountData is what the account's first page shows.
type accountData struct {
	Account   store.Account
	Mailboxes []store.Mailbox
	Policies  []store.DeletePolicy
}

func (s *Server) accountPage(w http.ResponseWriter, r *http.Request, u *user) {
	list, err := s.store.Mailboxes(r.Context(), u.actor(r))
	if err != nil {
		s.fail(w, r, err)
		return
	}
	s.render(w, r, http.StatusOK, "account", accountData{u.account, list, policies()})
}

// policies are what a POP3 client's deleting can mean.
func policies() []store.DeletePolicy {
	return []store.DeletePolicy{store.DeleteTrash, store.DeleteExpunge, store.DeleteKeep, store.DeleteShared}
}

// policyText says so to a person.
func policyText(p store.DeletePolicy) string {
	switch p {
	case store.DeleteTrash:
		return "it goes to Trash"
	case store.DeleteExpunge:
		return "it is gone from the server"
	case store.DeleteKeep:
		return "the server keeps a copy"
	case store.DeleteShared:
		return "gone once every POP3 device has deleted it"
	}
	return "as the account has it"
}

// setPolicy changes what holds for devices without policies of their own.
func (s *Server) setPolicy(w http.ResponseWriter, r *http.Request, u *user) {
	remove, see, seen := store.DeletePolicy(r.PostFormValue("delete")), store.SeeRule(r.PostFormValue("see")), r.PostFormValue("seen") != ""
	if err := s.store.UpdateAccount(r.Context(), u.account.ID, store.AccountUpdate{POP3Delete: &remove, POP3See: &see, POP3MarkSeen: &seen}); err != nil {
		s.fail(w, r, err)
		return
	}
	s.done(w, r, u, "/account/", "The policy is set. POP3 sessions that are open keep to the old one.")
}

// done goes back to a page, which then says what was done.
func (s *Server) done(w http.ResponseWriter, r *http.Request, u *user, path, told string) {
	s.sessions.tell(u.session, told)
	http.Redirect(w, r, path, http.StatusSeeOther)
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

// timeText writes a time for a person, in the server's zone.
func timeText(t time.Time) string {
	if t.IsZero() {
		return "never"
	}
	return t.Local().Format("2006-01-02 15:04")
}

// countText counts messages in words.
func countText(n int) string {
	if n == 1 {
		return "1 message"
	}
	return strconv.Itoa(n) + " messages"
}
