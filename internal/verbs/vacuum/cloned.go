package vacuum

import (
	"context"
	"errors"
	"fmt"
	"math"
	"time"

	"github.com/sluicelake/sluice/internal/base/env"
	"github.com/sluicelake/sluice/internal/rows/scan"
	"github.com/sluicelake/sluice/internal/table/clones"
	"github.com/sluicelake/sluice/internal/table/feature"
	"github.com/sluicelake/sluice/internal/table/snapshot"
	"github.com/sluicelake/sluice/storage"
)

// cloned is what the registered shallow clones of a table need of its files: those
// that they read, and those that clones of clones read.
type cloned struct {
	ctx  context.Context
	env  *env.Env
	root *storage.Bucket // of the table being vacuumed
	open func(ctx context.Context, url string) (*storage.Bucket, error)
	now  time.Time
	// late is when a clone has to have begun that may still be on its way.
	late   time.Time
	forget map[string]bool

	needs   *hashes
	clones  []clones.Entry // of the table itself
	never   []clones.Entry // those that were not finished, long ago
	visited map[string]bool
}

// look reads the clones. One that cannot be read may need anything, so it stops the
// VACUUM.
func (v *run) look() (*cloned, error) {
	c := &cloned{ctx: v.ctx, env: v.env, root: v.log.Bucket(), open: v.o.Open, now: v.now, late: v.now.Add(-v.own), forget: map[string]bool{}, visited: map[string]bool{}}
	for _, url := range v.o.ForgetClones {
		c.forget[clones.Key(url)] = true
	}
	return c, c.of(c.root)
}

// of goes through the entries of one table.
func (c *cloned) of(b *storage.Bucket) error {
	list, err := clones.List(c.ctx, b)
	if err != nil {
		return err
	}
	for _, e := range list {
		key := clones.Key(e.Clone)
		if c.forget[key] || c.visited[key] {
			continue
		}
		c.visited[key] = true
		if c.needs == nil {
			c.needs = newHashes(0)
		}
		unfinished, err := c.one(b, e)
		switch {
		case err != nil && c.ctx.Err() != nil:
			return err
		case err != nil:
			return &Error{Class: ClassClone, Table: c.root.URL(), Msg: fmt.Sprintf("the shallow clone %s, made of version %d of %s, cannot be read, and may need files of this table: %v. "+
				"When the clone is gone for good, forget it (--forget-clone)", e.Clone, e.Source, b.URL(), err)}
		case b != c.root:
		case unfinished && e.At().Before(c.late):
			c.never = append(c.never, e)
		default:
			c.clones = append(c.clones, e)
		}
	}
	return nil
}

// one takes in what a clone of b needs. A clone whose first commit was not seen, and
// that is not there, may be on its way: it needs the version that it is made of,
// until as much time has passed as any writer gets.
func (c *cloned) one(b *storage.Bucket, e clones.Entry) (unfinished bool, err error) {
	if c.open == nil {
		return false, errors.New("nothing was given to open it with")
	}
	cb, err := c.open(c.ctx, e.Clone)
	if err == nil {
		defer func() { err = errors.Join(err, cb.Close()) }()
		var s *snapshot.Snapshot
		if s, err = snapshot.Load(c.ctx, c.env, cb, snapshot.Latest()); err == nil {
			needs(s, c.place(cb), c.now.Add(-feature.DeletedFileRetention(s.Metadata())), c.needs.add)
			return false, c.of(cb)
		}
	}
	if !e.Pending || !errors.Is(err, snapshot.ErrNotTable) && !errors.Is(err, storage.ErrNotExist) {
		return false, err
	}
	if e.At().Before(c.late) {
		return true, nil
	}
	s, err := snapshot.Load(c.ctx, c.env, b, snapshot.Version(e.Source))
	if err != nil {
		return true, err
	}
	needs(s, c.place(b), time.UnixMilli(math.MaxInt64), c.needs.add)
	return true, nil
}

// place reads addresses of a table's log.
func (c *cloned) place(b *storage.Bucket) *place {
	return &place{root: c.root.URL(), src: scan.Source{Bucket: b}, home: b == c.root}
}

// has reports whether a clone needs the file.
func (c *cloned) has(key string) bool { return c.needs.has(key) }

// begun looks whether clones were entered since: then all are read once more.
func (c *cloned) begun(v *run) (*cloned, error) {
	list, err := clones.List(v.ctx, c.root)
	if err != nil {
		return nil, err
	}
	was := map[string]int64{}
	for _, e := range append(c.clones, c.never...) {
		was[e.Clone] = e.Created
	}
	for _, e := range list {
		if at, ok := was[e.Clone]; !c.forget[clones.Key(e.Clone)] && (!ok || at != e.Created) {
			return v.look()
		}
	}
	return c, nil
}

// tidy takes away the entries of clones that are gone.
func (c *cloned) tidy(ctx context.Context, forget []string) error {
	for _, e := range c.never {
		forget = append(forget, e.Clone)
	}
	for _, url := range forget {
		if err := clones.Forget(ctx, c.root, url); err != nil {
			return err
		}
	}
	return nil
}
