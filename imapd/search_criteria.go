package imapd

import (
	"slices"

	"tandem/store"
)

// level says what must have been read of a message before a criterion can be
// decided, cheapest first.
type level uint8

const (
	byEntry     level = iota // nothing: it is in the index
	byMessage                // its ids
	byStructure              // ENVELOPE and part tree
	byHeader                 // header block
	byText                   // everything
)

// criterion is a node of a search program.
type criterion struct {
	level level // of test; of a node with kids, the highest of theirs
	op    searchOp
	kids  []*criterion

	// test decides a leaf. An error is one of reading.
	test func(c *candidate) (bool, error)
	// bind, if not nil, makes a leaf ready for a view, before the search.
	bind func(v *view) error
	// within, if not nil, gives the UIDs that can match at all, after bind.
	within func() store.UIDSet
}

type searchOp uint8

const (
	opLeaf searchOp = iota
	opAnd
	opOr
	opNot
)

// answerSoFar is what is known about a criterion at a level.
type answerSoFar uint8

const (
	unknown answerSoFar = iota
	noMatch
	match
)

// all is the criterion that all of the list hold; cheap ones are tried first.
func all(list []*criterion) *criterion {
	if len(list) == 1 {
		return list[0]
	}
	return combine(opAnd, list...)
}

func combine(op searchOp, kids ...*criterion) *criterion {
	c := &criterion{op: op, kids: kids}
	for _, k := range kids {
		c.level = max(c.level, k.level)
	}
	slices.SortStableFunc(c.kids, func(a, b *criterion) int { return int(a.level) - int(b.level) })
	return c
}

func leaf(at level, test func(c *candidate) (bool, error)) *criterion {
	return &criterion{level: at, test: test}
}

// never is what a parser gives after an error.
func never() *criterion {
	return leaf(byEntry, func(*candidate) (bool, error) { return false, nil })
}

// prepare binds all leaves to a view.
func (c *criterion) prepare(v *view) error {
	if c.bind != nil {
		if err := c.bind(v); err != nil {
			return err
		}
	}
	for _, k := range c.kids {
		if err := k.prepare(v); err != nil {
			return err
		}
	}
	return nil
}

// scope gives the UIDs that can match: a set named on the top level narrows
// what is looked at.
func (c *criterion) scope(v *view) store.UIDSet {
	switch {
	case c.within != nil:
		return c.within()
	case c.op == opAnd:
		for _, k := range c.kids {
			if k.within != nil {
				return k.within()
			}
		}
	}
	return v.everything()
}

// eval decides a criterion with what is read up to a level, if it can be.
func (c *criterion) eval(m *candidate, at level) (answerSoFar, error) {
	switch c.op {
	case opAnd:
		return c.evalMany(m, at, noMatch)
	case opOr:
		return c.evalMany(m, at, match)
	case opNot:
		got, err := c.kids[0].eval(m, at)
		switch got {
		case match:
			got = noMatch
		case noMatch:
			got = match
		}
		return got, err
	}
	if c.level > at {
		return unknown, nil
	}
	ok, err := c.test(m)
	if err != nil || !ok {
		return noMatch, err
	}
	return match, nil
}

// evalMany evaluates AND and OR: one kid whose answer is decisive settles it.
func (c *criterion) evalMany(m *candidate, at level, decisive answerSoFar) (answerSoFar, error) {
	open := false
	for _, k := range c.kids {
		got, err := k.eval(m, at)
		if err != nil {
			return noMatch, err
		}
		if got == decisive {
			return got, nil
		}
		open = open || got == unknown
	}
	switch {
	case open:
		return unknown, nil
	case decisive == match:
		return noMatch, nil
	}
	return match, nil
}
