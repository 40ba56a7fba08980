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
	ctx    context.Context
	st     *store.Store
	what   *criterion
	levels []level // those at which there is something to decide
}

// job is a page of members and what came of it.
type job struct {
	page    []store.Member
	found   []int // places in page
	damaged int
	err     error
	done    chan struct{}
}

// runSearch looks at every member that can match.
func runSearch(ctx context.Context, st *store.Store, v *view, a *searchArgs) (*searchResult, error) {
	if err := a.what.prepare(v); err != nil {
		return nil, err
	}
	r := &searcher{ctx: ctx, st: st, what: a.what}
	for at := byEntry; at <= byText; at++ {
		if a.what.decides(at) {
			r.levels = append(r.levels, at)
		}
	}
	result := &searchResult{}
	enough := func() bool { return a.esearch && a.returns.onlyMin() && result.count > 0 }
	collect := func(j *job) error {
		for _, i := range j.found {
			if !enough() {
				result.add(&j.page[i], a.uid)
			}
		}
		result.damaged += j.damaged
		return j.err
	}
	size := searchPage
	if a.what.level == byText {
		size = searchTextPage
	}
	pages := v.pages(a.what.scope(v), size)
	if a.what.level > byEntry {
		return result, r.inParallel(pages, collect, enough)
	}
	var reused job
	for page := range pages {
		reused.page, reused.found = page, reused.found[:0]
		r.look(&reused, &scratch{})
		if err := collect(&reused); err != nil || enough() {
			return result, err
		}
	}
	return result, nil
}

// inParallel looks at pages with several workers and collects what they find
// in the order of the pages.
func (r *searcher) inParallel(pages func(func([]store.Member) bool), collect func(*job) error, enough func() bool) error {
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
		if err != nil || enough() {
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
			c := candidate{Member: &j.page[i], ctx: r.ctx, st: r.st, msg: msg, scratch: mem}
			got, err := r.what.eval(&c, at)
			switch {
			case err != nil:
				j.fail(err)
			case got == unknown:
				left = append(left, i)
			default:
				matched[i] = got == match
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
	for msg, err := range r.st.Messages(r.ctx, ids, want) {
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
