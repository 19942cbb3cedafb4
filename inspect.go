package sluice

import (
	"context"
	"errors"
	"iter"

	"github.com/sluicelake/sluice/internal/inspect"
	"github.com/sluicelake/sluice/internal/inspect/fsck"
	"github.com/sluicelake/sluice/internal/inspect/life"
)

// InspectOptions say how much Inspect tells. The zero value tells all that
// memory should hold.
type InspectOptions struct {
	Limit int // entries of a long list; 0 is all
	// Offset and Size name one deletion vector in a file, as a descriptor does;
	// all of its positions are listed then.
	Offset, Size *int64
}

// FileInfo is what one file of a table is and holds, in the form of its JSON.
type FileInfo = inspect.File

// Inspect reads one file of a table for people: a commit, a checkpoint or a part
// of one, a checksum, a file of deletion vectors, a data file. It is recognised
// by its name and its content. A damaged file is no error: what can be read is
// told, and FileInfo.Problems says where the damage is. With WithBucket the
// location is a key of that bucket.
func Inspect(ctx context.Context, location string, o InspectOptions, opts ...Option) (info *FileInfo, err error) {
	c := configure(opts)
	place := &inspect.Place{Bucket: c.bucket, Key: location, Table: true}
	if c.bucket == nil {
		if place, err = inspect.Find(ctx, location, c.open); err != nil {
			return nil, err
		}
		defer func() { err = errors.Join(err, place.Bucket.Close()) }()
	}
	info, err = inspect.Inspect(ctx, c.env, place, inspect.Options(o))
	return info, mark(err)
}

// Life is the story of one file of a table, in the form of its JSON.
type Life = life.Life

// Life tells what happened to a file: added, rows deleted by vectors, removed,
// added again; whether the store has it, and since when VACUUM may remove it.
// The path is one of the log, URL-encoded or not, relative to the table or
// absolute; of a data file, a change data file, or a file of deletion vectors. It
// reads all commits that the log still has. When no version names the path,
// Life.Events is empty and Life.Near lists paths like it.
func (t *Table) Life(ctx context.Context, path string) (*Life, error) {
	if err := t.use(); err != nil {
		return nil, err
	}
	l, err := life.Tell(ctx, t.config.env, t.log.Bucket(), path)
	if err != nil {
		return nil, t.fail("life of a file of", err)
	}
	return l, nil
}

// CheckOptions say what a check looks at.
type CheckOptions struct {
	// Deep reads every data file and deletion vector of the newest version too.
	Deep bool
}

// CheckFinding is one thing that is wrong with a table, in the form of its JSON.
type CheckFinding = fsck.Finding

// CheckSummary counts what a check has looked at and found.
type CheckSummary = fsck.Summary

// The severities of a CheckFinding.
const (
	SeverityError   = fsck.Error   // loses rows, shows wrong ones, or keeps some reader out
	SeverityWarning = fsck.Warning // no harm to this reader, perhaps to another or to the next step
	SeverityInfo    = fsck.Info    // worth knowing
)

// Check is one look at everything that can be wrong with a table.
type Check struct {
	t *Table
	c *fsck.Check
}

// Check prepares a check of the log, of what repeats it, and of the files. The
// table may be broken: open it with WithLazyOpen.
func (t *Table) Check(o CheckOptions) *Check {
	return &Check{t, fsck.New(t.config.env, t.log.Bucket(), fsck.Options(o))}
}

// Findings runs the check and yields what is wrong. An error means that the check
// could not go on, because the store failed or there is no table; it comes once,
// last. It changes nothing, and can be called once.
func (c *Check) Findings(ctx context.Context) iter.Seq2[CheckFinding, error] {
	return func(yield func(CheckFinding, error) bool) {
		if err := c.t.use(); err != nil {
			yield(CheckFinding{}, err)
			return
		}
		for f, err := range c.c.Findings(ctx) {
			if err != nil {
				err = c.t.fail("check of", err)
			}
			if !yield(f, err) {
				return
			}
		}
	}
}

// Summary is complete when Findings has ended.
func (c *Check) Summary() CheckSummary { return c.c.Summary() }
