package imapd

import (
	"context"
	"runtime"
	"slices"
	"sync"

	"tandem/store"
)

// How many members one worker looks at, at a time.
const (
	searchPage     = 512
	searchTextPage = 64
)

// searcher is one search at work. Members are looked at in pages, by as many
// workers as there are cores when messages must be read; the view is only
// asked from the session's goroutine.
type searcher struct {
	ctx     context.Context
	st      *store.Store
	view    *view // asked by the workers for messages only
	what    *criterion
	levels  []level // those at which there is something to decide
	harvest harvest
}

// job is a page of members and what came of it.
type job struct {
	page    []store.Member
	found   []int   // places in page
	scores  []uint8 // of all in page, 0 for exactly; nil when all are so
	read    any     // what harvest.read made of them
	damaged int
	err     error
	done    chan struct{}
}

// harvest is what a command makes of what its search finds.
type harvest struct {
	// among, if not nil, gives those of the UIDs that could match that are to be
	// looked at.
	among func(store.UIDSet) (store.UIDSet, error)
	// whole says that what is found is of no use in part.
	whole bool
	// read, if not nil, is called by the worker that has searched a page, to
	// read what is needed of the messages found; level says how much that is.
	level level
	read  func(r *searcher, j *job, mem *scratch)
	// take is called in the session's goroutine, for one page after the other
	// in their order. It says whether to go on.
	take func(j *job) bool
}

// runSearch looks at every member that can match, and counts those that
// cannot be looked at because they are damaged.
func runSearch(ctx context.Context, st *store.Store, v *view, what *criterion, h harvest) (damaged int, err error) {
	if err := what.prepare(v); err != nil {
		return 0, err
	}
	r := &searcher{ctx: ctx, st: st, view: v, what: what, harvest: h}
	for at := byEntry; at <= byText; at++ {
		if what.decides(at) {
			r.levels = append(r.levels, at)
		}
	}
	enough := false
	collect := func(j *job) error {
		damaged += j.damaged
		if j.err == nil && !enough {
			enough = !h.take(j)
		}
		return j.err
	}
	size := searchPage
	if what.level == byText {
		size = searchTextPage
	}
	scope := what.scope(v)
	if h.among != nil {
		if scope, err = h.among(scope); err != nil {
			return 0, err
		}
	}
	pages := v.pages(scope, size)
	if max(what.level, h.level) > byEntry {
		err = r.inParallel(pages, collect, &enough)
		return damaged, err
	}
	var reused job
	mem := &scratch{}
	for page := range pages {
		reused.page, reused.found, reused.scores = page, reused.found[:0], nil
		r.look(&reused, mem)
		if h.read != nil {
			h.read(r, &reused, mem)
		}
		if err := collect(&reused); err != nil || enough {
			return damaged, err
		}
	}
	return damaged, nil
}

// inParallel looks at pages with several workers and collects what they find
// in the order of the pages.
func (r *searcher) inParallel(pages func(func([]store.Member) bool), collect func(*job) error, enough *bool) error {
	workers := runtime.GOMAXPROCS(0)
	jobs := make(chan *job)
	var working sync.WaitGroup
	started := 0
	var queue []*job
	var err error
	take := func() {
		j := queue[0]
		queue = queue[1:]
		<-j.done
		if err == nil {
			err = collect(j)
		}
	}
	for page := range pages {
		if started < workers {
			started++
			working.Go(func() { r.work(jobs) })
		}
		j := &job{page: slices.Clone(page), done: make(chan struct{})}
		jobs <- j
		queue = append(queue, j)
		if len(queue) > workers {
			take()
		}
		if err == nil {
			err = r.ctx.Err()
		}
		if err != nil || *enough {
			break
		}
	}
	close(jobs)
	for len(queue) > 0 {
		take()
	}
	working.Wait()
	return err
}

func (r *searcher) work(jobs <-chan *job) {
	var mem scratch
	for j := range jobs {
		if r.ctx.Err() == nil {
			r.look(j, &mem)
			if r.harvest.read != nil && j.err == nil {
				r.harvest.read(r, j, &mem)
			}
		}
		close(j.done)
	}
}

// look decides a page, level by level, reading ever more of ever fewer
// messages.
func (r *searcher) look(j *job, mem *scratch) {
	matched := make([]bool, len(j.page))
	open := make([]int, 0, len(j.page))
	for i := range j.page {
		if !j.page[i].Gone {
			open = append(open, i)
		}
	}
	for _, at := range r.levels {
		if j.err != nil || len(open) == 0 {
			break
		}
		left := open[:0]
		r.read(j, at, open, func(i int, msg *store.Message) {
			c := candidate{Member: &j.page[i], ctx: r.ctx, st: r.st, view: r.view, msg: msg, scratch: mem, score: exactly}
			got, err := r.what.eval(&c, at)
			switch {
			case err != nil:
				j.fail(err)
			case got == unknown:
				left = append(left, i)
			default:
				matched[i] = got == match
				j.setScore(i, c.score)
			}
		})
		open = left
	}
	for i := range matched {
		if matched[i] {
			j.found = append(j.found, i)
		}
	}
}

func (j *job) setScore(i int, score uint8) {
	if score == exactly {
		return
	}
	if j.scores == nil {
		j.scores = make([]uint8, len(j.page))
	}
	j.scores[i] = score
}

// score says how well the member at a place matches.
func (j *job) score(i int) uint8 {
	if j.scores == nil || j.scores[i] == 0 {
		return exactly
	}
	return j.scores[i]
}

// fail notes an error; a damaged message is only counted.
func (j *job) fail(err error) {
	if store.KindOf(err) == store.Corrupt {
		j.damaged++
	} else if j.err == nil {
		j.err = err
	}
}

// read calls f for the members at places in the page, in order, with as much
// of their messages as a level needs. Messages that are gone are passed over.
// f may overwrite places that it was called for.
func (r *searcher) read(j *job, at level, places []int, f func(i int, msg *store.Message)) {
	if at == byEntry {
		for _, i := range places {
			f(i, nil)
		}
		return
	}
	places = slices.Clone(places)
	for len(places) > 0 && j.err == nil {
		n := len(places)
		if at == byText {
			n = textBatch(j.page, places)
		}
		r.readBatch(j, at, places[:n], f)
		places = places[n:]
	}
}

// textBatch says how many of the places to read at once.
func textBatch(page []store.Member, places []int) int {
	sum := 0
	for n, i := range places {
		sum += min(int(page[i].Size), store.ChunkSize)
		if sum > textBytes && n > 0 {
			return n
		}
	}
	return len(places)
}

func (r *searcher) readBatch(j *job, at level, places []int, f func(i int, msg *store.Message)) {
	ids := make([]store.MessageID, len(places))
	for k, i := range places {
		ids[k] = j.page[i].Message
	}
	want := store.Want{Structure: at >= byStructure, Header: at >= byHeader, Text: at >= byText}
	next := 0
	for msg, err := range r.view.Messages(r.ctx, ids, want) {
		if err != nil {
			r.readSingly(j, at, places[next:], f, err)
			return
		}
		for next < len(places) && ids[next] != msg.ID {
			next++
		}
		if next == len(places) || j.err != nil {
			return
		}
		f(places[next], msg)
		next++
	}
}

// readSingly goes on after an error, without the message that is damaged.
func (r *searcher) readSingly(j *job, at level, places []int, f func(i int, msg *store.Message), err error) {
	if store.KindOf(err) != store.Corrupt || len(places) <= 1 {
		j.fail(err)
		return
	}
	for k := range places {
		r.readBatch(j, at, places[k:k+1], f)
	}
}

// decides says whether a leaf of the program is decided at a level.
func (c *criterion) decides(at level) bool {
	if c.op == opLeaf {
		return c.level == at
	}
	return slices.ContainsFunc(c.kids, func(k *criterion) bool { return k.decides(at) })
}
