package sqlite

import (
	"context"
	"errors"
	"io/fs"
	"math"
	"os"
	"path/filepath"
	"sync"
	"syscall"
	"time"

	"tandem/store"
)

const (
	reserveMax = 64 << 20
	spareSize  = 8 << 20
	spaceFresh = time.Second // how long a look at the file system counts
)

// spaceProbe keeps some of the disk free: new mail stops at the reserve, so
// that expunging goes on, and when even that runs short a spare file is given
// back. What that frees is not for new mail.
type spaceProbe struct {
	e       *Engine
	reserve int64

	mu     sync.Mutex
	at     time.Time // of the last look
	short  bool
	margin int64 // bytes above what must stay free, at the last look
	taken  int64 // payload written since
	spare  bool  // the spare file is there
	bare   bool  // this file system gives no spare file
}

// init looks at the file system once and lays the spare file by.
func (p *spaceProbe) init(e *Engine) {
	p.e = e
	p.reserve = e.opts.Reserve
	if p.reserve == 0 {
		p.reserve = reserveMax
		var s syscall.Statfs_t
		if err := syscall.Statfs(e.dir, &s); err == nil {
			p.reserve = min(reserveMax, int64(s.Blocks)*s.Bsize/20)
		}
	}
	_, err := os.Stat(p.path())
	p.spare = err == nil
	p.look()
}

func (p *spaceProbe) path() string { return filepath.Join(p.e.dir, spareName) }

// check is Unavailable when too little is free for new mail.
func (p *spaceProbe) check(ctx context.Context, why string) error {
	if err := p.take(why, 0); err != nil {
		return err
	}
	return ctx.Err()
}

// writeCost is how many bytes of disk a byte of mail may take for a while: in
// the WAL and in the database, with their indexes.
const writeCost = 3

// take is Unavailable when too little is free for new mail of some bytes. The
// writer asks just before it writes them: a look at the file system is good
// for a second, but not for more bytes than it found.
func (p *spaceProbe) take(why string, bytes int) error {
	p.mu.Lock()
	defer p.mu.Unlock()
	p.taken += int64(bytes)
	if time.Since(p.at) > spaceFresh || !p.short && p.taken*writeCost > p.margin {
		p.look()
		p.taken = int64(bytes)
	}
	if p.short || p.taken*writeCost > p.margin {
		return store.Errorf(store.Unavailable, "%s: the disk is nearly full", why)
	}
	return nil
}

// Room is nil while there is space for new mail.
func (e *Engine) Room(ctx context.Context) error {
	e.space.mu.Lock()
	e.space.at = time.Time{}
	e.space.mu.Unlock()
	return e.space.check(ctx, "look for space")
}

// look measures what is free, SQLite's own free pages included. A file system
// that cannot be asked counts as having room. The caller holds mu.
func (p *spaceProbe) look() {
	p.at = time.Now()
	free, err := p.onDisk()
	if err != nil {
		p.e.opts.Logger.Warn("free space is not known", "err", err)
		p.short, p.margin = false, math.MaxInt64
		return
	}
	pages := int64(0)
	err = p.e.read(context.Background(), "count free pages", func(c *conn) (err error) {
		pages, err = c.integer("PRAGMA freelist_count")
		return err
	})
	if err != nil {
		p.e.opts.Logger.Warn("free pages are not known", "err", err)
	}
	was := p.short
	p.margin = free + pages*4096 - p.reserve
	if !p.spare {
		p.margin -= spareSize
	}
	p.short = p.margin < 0
	if p.short != was {
		p.e.opts.Logger.Warn("free space", "short", p.short, "free", free, "free_in_store", pages*4096, "reserve", p.reserve)
	}
	switch {
	case free < p.reserve/8 && p.spare:
		p.giveBack()
	case free > p.reserve+2*spareSize && !p.spare && !p.bare:
		p.layBy()
	}
}

func (p *spaceProbe) onDisk() (int64, error) {
	if p.e.opts.FreeSpace != nil {
		return p.e.opts.FreeSpace()
	}
	var s syscall.Statfs_t
	err := syscall.Statfs(p.e.dir, &s)
	return int64(s.Bavail) * s.Bsize, err
}

// full is told when a write found no room. The spare file goes at once, and for
// new mail there is no room until the next look; room reports whether there was
// one to give back.
func (p *spaceProbe) full() (room bool) {
	p.mu.Lock()
	defer p.mu.Unlock()
	p.at = time.Time{}
	if !p.spare || !p.giveBack() {
		return false
	}
	p.at, p.short = time.Now(), true
	return true
}

func (p *spaceProbe) giveBack() bool {
	if err := os.Remove(p.path()); err != nil && !errors.Is(err, fs.ErrNotExist) {
		p.e.opts.Logger.Warn("the spare file could not be given back", "err", err)
		return false
	}
	p.spare = false
	p.e.opts.Logger.Warn("the disk is full: the spare file was given back")
	return true
}

// layBy makes the spare file, with real blocks.
func (p *spaceProbe) layBy() {
	f, err := os.OpenFile(p.path(), os.O_CREATE|os.O_WRONLY, 0o600)
	if err == nil {
		err = errors.Join(syscall.Fallocate(int(f.Fd()), 0, 0, spareSize), f.Close())
	}
	p.spare, p.bare = err == nil, err != nil
	if err != nil {
		p.e.opts.Logger.Warn("the spare file could not be made", "err", err)
		os.Remove(p.path())
	}
}
