package fsck

import (
	"context"
	"errors"
	"fmt"
	"iter"
	"strings"

	"github.com/sluicelake/sluice/internal/base/env"
	"github.com/sluicelake/sluice/internal/rows/scan"
	"github.com/sluicelake/sluice/internal/table/feature"
	"github.com/sluicelake/sluice/internal/table/snapshot"
	"github.com/sluicelake/sluice/storage"
	"github.com/zeebo/xxh3"
)

// Check is one look at a table.
type Check struct {
	ctx    context.Context
	env    *env.Env
	bucket *storage.Bucket
	opts   Options
	src    scan.Source
	sum    Summary
	out    func(Finding) bool
	ended  bool // the caller wants no more

	dir   *directory
	known map[uint64]*object // what the log names, by the hash of its key
	snap  *snapshot.Snapshot
	// elsewhere are the live files outside of the table's folder that are there.
	elsewhere []int
}

// New prepares a check.
func New(e *env.Env, b *storage.Bucket, o Options) *Check {
	return &Check{env: e, bucket: b, opts: o, src: scan.Source{Bucket: b}, known: map[uint64]*object{},
		sum: Summary{Table: b.URL(), Version: -1, Codes: map[Code]int{}, Deep: o.Deep}}
}

// Findings runs the check and yields what is wrong, in the order of the log and
// then of the files. An error means that the check could not go on (the store
// fails, there is no table); it comes once, last. It can be called once.
func (c *Check) Findings(ctx context.Context) iter.Seq2[Finding, error] {
	return func(yield func(Finding, error) bool) {
		c.ctx = ctx
		c.out = func(f Finding) bool { return yield(f, nil) }
		if err := c.run(); err != nil && !c.ended {
			yield(Finding{}, err)
		}
	}
}

// Summary counts; it is complete when Findings has ended.
func (c *Check) Summary() Summary { return c.sum }

var errEnded = errors.New("the caller wants no more findings")

func (c *Check) run() error {
	var err error
	if c.dir, err = c.listLog(); err != nil {
		return err
	}
	for _, step := range []func() error{c.gaps, c.hint, c.replay, c.compacted, c.open, c.files, c.deep} {
		if err := step(); err != nil {
			return err
		}
		if c.ended {
			return errEnded
		}
	}
	return c.ctx.Err()
}

// report enters a finding.
func (c *Check) report(code Code, f Finding, format string, args ...any) {
	e := explanations[code]
	f.Code, f.Meaning, f.Advice, f.Message = code, e.meaning, e.advice, fmt.Sprintf(format, args...)
	if f.Severity == "" {
		f.Severity = e.severity
	}
	switch f.Severity {
	case Error:
		c.sum.Errors++
	case Warning:
		c.sum.Warnings++
	default:
		c.sum.Infos++
	}
	c.sum.Codes[code]++
	if !c.ended && !c.out(f) {
		c.ended = true
	}
}

func (c *Check) unchecked(format string, args ...any) {
	c.sum.Unchecked = append(c.sum.Unchecked, fmt.Sprintf(format, args...))
}

func at(version int64) Finding                { return Finding{Version: &version} }
func in(object string) Finding                { return Finding{Object: object} }
func on(object string, version int64) Finding { return Finding{Object: object, Version: &version} }

// fatal reports whether an error ends the check: the store failed, or the caller
// gave up. A missing object is a finding.
func (c *Check) fatal(err error) bool {
	var s *storage.Error
	return c.ctx.Err() != nil || errors.As(err, &s) && !errors.Is(err, storage.ErrNotExist)
}

// object is what the log says of a file, by the hash of its key.
type object struct {
	size  int64 // of a live data file by the log; of a vector file by the store
	flags uint8
}

const (
	isData   uint8 = 1 << iota
	isVector       // a file of deletion vectors
	isChange       // a change data file
	isLive         // the newest version needs it
	isThere        // the listing shows it
)

func hash(text string) uint64 { return xxh3.HashString(text) }

// know enters a file that some version names.
func (c *Check) know(key string, flag uint8) *object {
	h := hash(key)
	o := c.known[h]
	if o == nil {
		o = &object{}
		c.known[h] = o
	}
	o.flags |= flag
	return o
}

// open reads the newest version as every reader does.
func (c *Check) open() error {
	s, err := snapshot.Load(c.ctx, c.env, c.bucket, snapshot.Latest())
	if err == nil {
		c.snap = s
		return nil
	}
	if c.fatal(err) {
		return err
	}
	c.unchecked("the data files: the newest version cannot be read")
	var bad *feature.Error
	switch {
	case errors.As(err, &bad):
		if c.sum.Codes[UnsupportedProtocol] == 0 {
			c.report(UnsupportedProtocol, at(c.sum.Version), "%s", plain(err))
		}
	case c.sum.Errors == 0: // else the reason has been told
		c.report(TableUnreadable, at(c.sum.Version), "%s", plain(err))
	}
	return nil
}

// plain is an error without the class in front of it.
func plain(err error) string {
	text := err.Error()
	var bad *feature.Error
	if errors.As(err, &bad) {
		text = bad.Msg
	}
	if strings.HasPrefix(text, "[") {
		if _, rest, ok := strings.Cut(text, "] "); ok {
			return rest
		}
	}
	return text
}
