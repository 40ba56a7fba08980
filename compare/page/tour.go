package page

import (
	"errors"
	"net/http"
	"slices"

	"tandem/compare"
)

// scene is one of the guided tour.
type scene struct{ Scenario, Title string }

// scenes are the tour, in order.
func scenes() []scene {
	return []scene{
		{"first-look", "The first look"},
		{"anything-new", "Anything new?"},
		{"second-device", "A second device"},
		{"delete", "Deleting"},
		{"device-lost", "The lost phone"},
		{"storage", "A year of mail"},
	}
}

// tourLink is the line on which the tour runs: slow enough to see round trips,
// fast enough for each scene to be over soon.
const tourLink = "dsl"

// beginTour runs scenes for a visitor to watch.
func (p *Pages) beginTour(w http.ResponseWriter, r *http.Request) {
	list := r.PostForm["scene"]
	if len(list) == 0 || len(list) > len(scenes()) || slices.ContainsFunc(list, unknownScene) {
		refuse(w, http.StatusBadRequest, "There is no such scene.")
		return
	}
	link, err := compare.ParseLink(tourLink)
	if err != nil {
		refuse(w, http.StatusInternalServerError, sentence(err))
		return
	}
	s, err := p.begin(r, link, nil, func(s *show) {
		for _, name := range list {
			if s.stage.Run(s.ctx, name) != nil {
				return
			}
		}
	})
	p.began(w, s, err)
}

func unknownScene(name string) bool {
	return !slices.ContainsFunc(scenes(), func(s scene) bool { return s.Scenario == name })
}

// began answers the page's script.
func (p *Pages) began(w http.ResponseWriter, s *show, err error) {
	switch {
	case errors.Is(err, errFull):
		refuse(w, http.StatusServiceUnavailable, sentence(err))
	case err != nil:
		p.log.Error("show not begun", "err", err)
		refuse(w, http.StatusInternalServerError, sentence(err))
	default:
		answer(w, http.StatusOK, map[string]string{"show": s.id})
	}
}
