package webd

import (
	"fmt"
	"net/http"

	"tandem/store"
)

// storyData is what the page of a message's story shows.
type storyData struct {
	Name    string // what was asked for
	Stories []storyView
	Problem string
}

// storyView is one message's.
type storyView struct {
	From, Subject string
	*store.Story
}

// maxStories bounds the messages of one Message-ID that are told of.
const maxStories = 20

func (s *Server) storyPage(w http.ResponseWriter, r *http.Request, u *user) {
	data := storyData{Name: r.FormValue("message")}
	if data.Name == "" {
		s.render(w, r, http.StatusOK, "story", data)
		return
	}
	inbox, err := s.store.Mailbox(r.Context(), u.actor(r), "INBOX")
	if err != nil {
		s.fail(w, r, err)
		return
	}
	ids, err := s.store.FindMessages(r.Context(), u.account.ID, inbox.ID, data.Name)
	switch {
	case err != nil && store.KindOf(err) == store.NotFound:
		data.Problem = "There is no message of that name, or it is no longer known."
	case err != nil:
		s.fail(w, r, err)
		return
	}
	for _, id := range ids[:min(len(ids), maxStories)] {
		story, err := s.store.Story(r.Context(), id)
		if err != nil {
			s.fail(w, r, err)
			return
		}
		v := storyView{Story: story}
		v.From, v.Subject = story.Message.Head()
		data.Stories = append(data.Stories, v)
	}
	s.render(w, r, http.StatusOK, "story", data)
}

// Where names a place.
func (v storyView) Where(p store.Place) string {
	if p.Mailbox == 0 {
		return ""
	}
	name := v.Names[p.Mailbox]
	if name == "" {
		name = "a mailbox that is gone"
	}
	return fmt.Sprintf("%s, UID %d", name, p.UID)
}
