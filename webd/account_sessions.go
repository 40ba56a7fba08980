package webd

import (
	"fmt"
	"net/http"
	"slices"
	"strings"
	"time"

	"tandem/store"
)

// sessionsBack is how far back the page of sessions goes.
const sessionsBack = 30 * 24 * time.Hour

// maxSessionRows bounds that page.
const maxSessionRows = 200

func (s *Server) sessionsPage(w http.ResponseWriter, r *http.Request, u *user) {
	list, err := s.store.Sessions(r.Context(), u.account.ID, s.store.Now().Add(-sessionsBack))
	if err != nil {
		s.fail(w, r, err)
		return
	}
	s.render(w, r, http.StatusOK, "sessions", list[:min(len(list), maxSessionRows)])
}

// canUndo reports whether a session deleted something that may be taken back.
func canUndo(p *store.PastSession) bool {
	return p.Protocol == "pop3" && p.Policy != "" && !p.Undone && !p.Open
}

// deviceText names who a session belonged to.
func deviceText(by *store.CredentialName) string {
	switch {
	case by == nil:
		return "–"
	case by.Label == "":
		return "account's password"
	}
	return by.Label
}

func (s *Server) undo(w http.ResponseWriter, r *http.Request, u *user) {
	res, err := s.store.Undo(r.Context(), u.actor(r), r.PostFormValue("session"))
	if err != nil {
		s.fail(w, r, err)
		return
	}
	s.done(w, r, u, "/account/sessions", undoneText(res))
}

// undoneText says what an undo came to.
func undoneText(res store.Undone) string {
	said := []string{}
	say := func(n int, what string) {
		if n > 0 {
			said = append(said, countText(n)+" "+what)
		}
	}
	say(res.Restored, "brought back to "+res.Mailbox)
	say(res.Shown, "shown to the device again")
	say(res.Already, "had been brought back before")
	filed := make([]string, 0, len(res.Filed))
	for mailbox := range res.Filed {
		filed = append(filed, mailbox)
	}
	slices.Sort(filed)
	for _, mailbox := range filed {
		say(res.Filed[mailbox], "left in "+mailbox+", filed there since")
	}
	say(res.Lost, "no longer kept")
	if len(said) == 0 {
		return "There was nothing left to take back."
	}
	return fmt.Sprintf("The session had deleted %s: %s.", countText(res.Deleted), strings.Join(said, ", "))
}
