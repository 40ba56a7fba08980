package webd

import (
	"net/http"
	"time"

	"tandem/store"
)

// passwordsData is what the page of app passwords shows.
type passwordsData struct {
	List     []store.Credential
	Policies []store.DeletePolicy
	Label    string // of the one just made
	Password string
}

func (s *Server) passwordsPage(w http.ResponseWriter, r *http.Request, u *user) {
	s.showPasswords(w, r, u, passwordsData{})
}

func (s *Server) showPasswords(w http.ResponseWriter, r *http.Request, u *user, data passwordsData) {
	list, err := s.store.Credentials(r.Context(), u.account.ID)
	if err != nil {
		s.fail(w, r, err)
		return
	}
	data.List, data.Policies = list, policies()
	s.render(w, r, http.StatusOK, "passwords", data)
}

// addPassword makes one and shows it, this once.
func (s *Server) addPassword(w http.ResponseWriter, r *http.Request, u *user) {
	made := store.NewCredential{Label: r.PostFormValue("label"), Scope: scopeOf(r),
		POP3Delete: store.DeletePolicy(r.PostFormValue("delete")), POP3See: store.SeeRule(r.PostFormValue("see"))}
	if text := r.PostFormValue("expires"); text != "" {
		day, err := time.ParseInLocation(time.DateOnly, text, time.Local)
		if err != nil || !day.After(s.store.Now()) {
			s.problem(w, r, http.StatusUnprocessableEntity, "The end of a password is a date to come, such as 2027-01-31.")
			return
		}
		made.Expires = day
	}
	password, err := s.addCredential(r.Context(), u.account, made)
	if err != nil {
		s.fail(w, r, err)
		return
	}
	s.showPasswords(w, r, u, passwordsData{Label: made.Label, Password: password})
}

// scopeOf reads the boxes that are ticked.
func scopeOf(r *http.Request) (scope store.Scope) {
	for name, bit := range map[string]store.Scope{"imap": store.ScopeIMAP, "pop3": store.ScopePOP3, "smtp": store.ScopeSMTP, "web": store.ScopeWeb} {
		if r.PostFormValue(name) != "" {
			scope |= bit
		}
	}
	return scope
}

// scopeText names the protocols of a credential.
func scopeText(scope store.Scope) (names string) {
	for i, name := range []string{"IMAP", "POP3", "SMTP", "web"} {
		if scope&(1<<i) == 0 {
			continue
		}
		if names != "" {
			names += ", "
		}
		names += name
	}
	return names
}

func (s *Server) revokePassword(w http.ResponseWriter, r *http.Request, u *user) {
	label := r.PostFormValue("label")
	if err := s.store.RevokeCredential(r.Context(), u.account.ID, label); err != nil {
		s.fail(w, r, err)
		return
	}
	s.done(w, r, u, "/account/passwords", "The password of "+label+" is revoked; its sessions are closed.")
}

// setPasswordPolicy changes what a device's deleting means.
func (s *Server) setPasswordPolicy(w http.ResponseWriter, r *http.Request, u *user) {
	remove := store.DeletePolicy(r.PostFormValue("delete"))
	if err := s.store.UpdateCredential(r.Context(), u.account.ID, r.PostFormValue("label"), store.CredentialUpdate{POP3Delete: &remove}); err != nil {
		s.fail(w, r, err)
		return
	}
	s.done(w, r, u, "/account/passwords", "The policy is set.")
}
