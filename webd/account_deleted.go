package webd

import (
	"fmt"
	"net/http"
	"strconv"
	"strings"

	"tandem/store"
)

// maxDeletedRows is how much deleted mail one page lists.
const maxDeletedRows = 200

// deletedData is what the page of deleted mail shows.
type deletedData struct {
	From, Subject, Mailbox string
	List                   []*store.ExpungedMail
	More                   bool
}

func (s *Server) deletedPage(w http.ResponseWriter, r *http.Request, u *user) {
	data := deletedData{From: r.FormValue("from"), Subject: r.FormValue("subject"), Mailbox: r.FormValue("mailbox")}
	for m, err := range s.store.Expunged(r.Context(), u.account.ID, store.ExpungedFilter{From: data.From, Subject: data.Subject, Mailbox: data.Mailbox}) {
		if err != nil {
			s.fail(w, r, err)
			return
		}
		if len(data.List) == maxDeletedRows {
			data.More = true
			break
		}
		data.List = append(data.List, m)
	}
	s.render(w, r, http.StatusOK, "deleted", data)
}

// undelete brings back what is ticked: fields "m" of the form mailbox:uid.
func (s *Server) undelete(w http.ResponseWriter, r *http.Request, u *user) {
	var list []store.Grave
	for _, text := range r.PostForm["m"] {
		mailbox, uid, _ := strings.Cut(text, ":")
		id, err1 := strconv.ParseInt(mailbox, 10, 64)
		n, err2 := strconv.ParseUint(uid, 10, 32)
		if err1 != nil || err2 != nil || store.MailboxID(id).Account() != u.account.ID {
			s.problem(w, r, http.StatusUnprocessableEntity, "That message is not one of yours.")
			return
		}
		list = append(list, store.Grave{Mailbox: store.MailboxID(id), UID: store.UID(n)})
	}
	back, err := s.store.Undelete(r.Context(), u.actor(r), u.account.ID, list)
	if err != nil {
		s.fail(w, r, err)
		return
	}
	s.done(w, r, u, "/account/deleted", fmt.Sprintf("%s brought back, with the flags and dates they had.", countText(len(back))))
}
