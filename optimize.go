package sluice

import (
	"context"
	"io"
	"slices"

	"github.com/sluicelake/sluice/internal/table/txn"
	"github.com/sluicelake/sluice/internal/verbs/optimize"
)

// OptimizeOptions say which files are written again, and how. The zero value packs
// the small files of the whole table, partition by partition.
type OptimizeOptions struct {
	Where string // over partition columns; "" is the whole table
	// TargetSize is the size of the files that come out, in bytes; 0 takes
	// delta.targetFileSize of the table, else 1 GiB.
	TargetSize int64
	// MinSize is the size from which a file is left alone; 0 is three quarters of the target.
	MinSize int64
	// DeletedRatio is the share of deleted rows above which a file is written again
	// whatever its size, also when there is no other to join it; below 0 none is
	// tolerated. 0 is the rule of the reference: 5 %, in company only.
	DeletedRatio float64
	// ZOrderBy sorts the rows of each partition along a Z-order curve over columns.
	ZOrderBy []string
	// Full clusters the files of a clustered table again that were clustered before.
	Full bool
	// CommitBytes is how many bytes one commit writes again at most; 0 is 64 GiB.
	CommitBytes   int64
	UserMetadata  string
	BeforePublish func(ctx context.Context) error
}

// PurgeOptions say which files are written again. The zero value is all files
// with deleted rows or dropped columns.
type PurgeOptions struct {
	Where         string // over partition columns; "" is the whole table
	TargetSize    int64
	UserMetadata  string
	BeforePublish func(ctx context.Context) error
}

// FileTotals count files.
type FileTotals struct {
	Files, Bytes            int64
	Min, P25, P50, P75, Max int64 // sizes; 0 in plans
}

// OptimizeResult is what an OPTIMIZE or a REORG did. After an error it says what
// was committed before.
type OptimizeResult struct {
	Plan           *OptimizePlan // as of the first look at the table
	Removed, Added FileTotals
	// DeletionVectors are those that went with their files.
	DeletionVectors int64
	Commits         []Commit
}

// OptimizeStoppedError is an OPTIMIZE or a REORG that ended between its commits: those
// that were made stand, and another run does the rest.
type OptimizeStoppedError = optimize.StoppedError

// Last is the newest commit.
func (r *OptimizeResult) Last() Commit {
	if n := len(r.Commits); n > 0 {
		return r.Commits[n-1]
	}
	return Commit{Version: r.Plan.Version()}
}

// OptimizePlan is what an OPTIMIZE or a REORG would do to one version.
type OptimizePlan struct{ p *optimize.Plan }

// Version is the version that the plan is for.
func (p *OptimizePlan) Version() int64 { return p.p.Version }

// Before counts the files that the condition selects.
func (p *OptimizePlan) Before() FileTotals { return totals(p.p.Before, optimize.Spread{}) }

// After counts what is expected of them.
func (p *OptimizePlan) After() FileTotals { return totals(p.p.After, optimize.Spread{}) }

// Rewritten counts the files that are written again.
func (p *OptimizePlan) Rewritten() FileTotals { return totals(p.p.Chosen(), optimize.Spread{}) }

// Commits is how many commits it takes.
func (p *OptimizePlan) Commits() int { return p.p.Commits() }

// OptimizeBin is files of one partition that are written again together.
type OptimizeBin struct {
	Partition string // a=1, b=2
	Files     []string
	Bytes     int64
	SortedBy  []string // columns along whose curve the rows are written; nil: in their order
	// Cube is the id of the cube that the new files of a clustered table belong to:
	// a new one, or with a REORG that of the old files; "" is none.
	Cube string
}

// OptimizeClustering is what an OPTIMIZE of a clustered table found and takes. A cube
// is files that were clustered together.
type OptimizeClustering struct {
	Columns  []string
	InCubes  FileTotals // files of cubes by the same columns; of any cube with Full
	Other    FileTotals
	Cubes    int64 // of the files in cubes
	Taken    FileTotals
	NewCubes int64
}

// Clustering tells of cubes; nil when the table is not clustered, or the plan does
// not cluster it.
func (p *OptimizePlan) Clustering() *OptimizeClustering {
	c := p.p.Cubes
	if c == nil {
		return nil
	}
	count := func(t optimize.Totals) FileTotals { return totals(t, optimize.Spread{}) }
	return &OptimizeClustering{Columns: c.Columns, InCubes: count(c.InCubes), Other: count(c.Other), Cubes: c.Found, Taken: count(c.Merged), NewCubes: c.Written}
}

// Bins lists which files go together.
func (p *OptimizePlan) Bins() (out []OptimizeBin) {
	for _, b := range p.p.Bins {
		one := OptimizeBin{Partition: b.Partition, Bytes: b.Bytes}
		if b.Sort != nil {
			one.SortedBy = slices.Clone(b.Sort.Names)
		}
		if b.Cube != nil {
			one.Cube = b.Cube.ID
		}
		for _, a := range b.Files {
			one.Files = append(one.Files, a.Path)
		}
		out = append(out, one)
	}
	return out
}

// ColumnPruning is how many files a look-up by a column reads on average, as far
// as statistics tell.
type ColumnPruning struct {
	Column        string
	Before, After float64
}

// Pruning estimates what the plan does for look-ups by a few columns.
func (p *OptimizePlan) Pruning() (out []ColumnPruning) {
	for _, x := range p.p.Pruning {
		out = append(out, ColumnPruning(x))
	}
	return out
}

// Print writes the plan for people.
func (p *OptimizePlan) Print(w io.Writer) error { return p.p.Print(w) }

func totals(t optimize.Totals, s optimize.Spread) FileTotals {
	return FileTotals{Files: t.Files, Bytes: t.Bytes, Min: s.Min, P25: s.P25, P50: s.P50, P75: s.P75, Max: s.Max}
}

func (o OptimizeOptions) spec() (optimize.Spec, optimize.Options, error) {
	where, err := condition(o.Where)
	return optimize.Spec{Where: where, TargetSize: o.TargetSize, MinSize: o.MinSize, DeletedRatio: o.DeletedRatio, ZOrderBy: o.ZOrderBy, Full: o.Full,
		CommitBytes: o.CommitBytes}, optimize.Options{UserMetadata: o.UserMetadata, Commit: txn.Options{BeforePublish: o.BeforePublish}}, err
}

func (o PurgeOptions) spec() (optimize.Spec, optimize.Options, error) {
	where, err := condition(o.Where)
	return optimize.Spec{Where: where, TargetSize: o.TargetSize, Purge: true},
		optimize.Options{UserMetadata: o.UserMetadata, Commit: txn.Options{BeforePublish: o.BeforePublish}}, err
}

// Optimize writes small files, and those with many deleted rows, again as few
// large ones. No row changes, and no other writer fails or waits. An error in
// between leaves what was committed; the result says what that is, and another
// run does the rest.
func (t *Table) Optimize(ctx context.Context, o OptimizeOptions) (*OptimizeResult, error) {
	spec, opts, err := o.spec()
	return t.optimize(ctx, "OPTIMIZE of", spec, opts, err)
}

// PlanOptimize says what Optimize would do, and changes nothing.
func (t *Table) PlanOptimize(ctx context.Context, o OptimizeOptions) (*OptimizePlan, error) {
	spec, opts, err := o.spec()
	return t.optimizePlan(ctx, "OPTIMIZE of", spec, opts, err)
}

// Purge writes the files again that hold deleted rows or dropped columns, so that
// these are gone for good once VACUUM has removed the old files: REORG TABLE ...
// APPLY (PURGE).
func (t *Table) Purge(ctx context.Context, o PurgeOptions) (*OptimizeResult, error) {
	spec, opts, err := o.spec()
	return t.optimize(ctx, "REORG of", spec, opts, err)
}

// PlanPurge says what Purge would do, and changes nothing.
func (t *Table) PlanPurge(ctx context.Context, o PurgeOptions) (*OptimizePlan, error) {
	spec, opts, err := o.spec()
	return t.optimizePlan(ctx, "REORG of", spec, opts, err)
}

func (t *Table) optimizePlan(ctx context.Context, op string, spec optimize.Spec, o optimize.Options, err error) (*OptimizePlan, error) {
	if err := t.use(); err != nil {
		return nil, err
	}
	if err != nil {
		return nil, t.fail(op, err)
	}
	s, err := t.log.Update(ctx)
	if err != nil {
		return nil, t.fail(op, err)
	}
	p, err := optimize.Look(ctx, s, spec, o)
	if err != nil {
		return nil, t.fail(op, err)
	}
	return &OptimizePlan{p}, nil
}

func (t *Table) optimize(ctx context.Context, op string, spec optimize.Spec, o optimize.Options, err error) (*OptimizeResult, error) {
	if err := t.use(); err != nil {
		return nil, err
	}
	if err != nil {
		return nil, t.fail(op, err)
	}
	res, err := optimize.Run(ctx, t.log, spec, o)
	if res.Plan == nil {
		return nil, t.fail(op, err)
	}
	out := &OptimizeResult{Plan: &OptimizePlan{res.Plan}, Removed: totals(res.Summary.Removed, res.Summary.RemovedSizes()),
		Added: totals(res.Summary.Added, res.Summary.AddedSizes()), DeletionVectors: res.Summary.Vectors}
	for _, c := range res.Commits {
		out.Commits = append(out.Commits, commitOf(c, c.Winners, false, res.Runs))
	}
	return out, t.fail(op, err)
}
