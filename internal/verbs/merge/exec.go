package merge

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"strings"
	"sync"
	"sync/atomic"

	"github.com/apache/arrow-go/v18/arrow"

	"github.com/sluicelake/sluice/action"
	"github.com/sluicelake/sluice/expr"
	"github.com/sluicelake/sluice/internal/base/columns"
	"github.com/sluicelake/sluice/internal/base/env"
	"github.com/sluicelake/sluice/internal/format/colstats"
	"github.com/sluicelake/sluice/internal/logic/prune"
	"github.com/sluicelake/sluice/internal/rows/derive"
	"github.com/sluicelake/sluice/internal/rows/rewrite"
	"github.com/sluicelake/sluice/internal/rows/scan"
	"github.com/sluicelake/sluice/internal/rows/write"
	"github.com/sluicelake/sluice/internal/table/feature"
	"github.com/sluicelake/sluice/internal/table/snapshot"
	"github.com/sluicelake/sluice/observe"
)

// smallFile is the size up to which a file is read once, whole, and kept until
// it is known what becomes of its rows.
const smallFile = 8 << 20

// Exec computes the effects of one bound MERGE on the files of a table.
type Exec struct {
	env    *env.Env
	snap   *snapshot.Snapshot
	p      *Plan
	m      *matcher
	ledger *rewrite.Ledger
	ids    *derive.Identities // nil when no column is generated
	src    scan.Source
	spec   write.Spec

	onFiles     *prune.Pruner // nil: every file
	keySets     []prune.Keys
	keyRanges   []expr.Expr   // the same as conditions, for skipping inside a file
	sourceFiles *prune.Pruner // for conditional by-source clauses
	wholeFiles  *prune.Pruner // finds files that one by-source DELETE takes entirely
	wholeClause int32

	small     int64 // files up to this size are read once, whole
	firstCols []int // target columns that decisions need
	moreCols  []int // target columns that outputs need
}

// NewExec prepares the execution of a plan on a snapshot. marks overrides
// whether rows are marked in deletion vectors; nil follows the table.
func NewExec(e *env.Env, s *snapshot.Snapshot, p *Plan, src *Table) (*Exec, error) {
	m, err := newMatcher(p, src)
	if err != nil {
		return nil, err
	}
	x := &Exec{env: e, snap: s, p: p, m: m, small: smallFile}
	if x.ids, err = derive.NewIdentities(s.Schema()); err != nil {
		return nil, err
	}
	x.src = scan.SourceOf(s)
	x.spec = write.SpecOf(s)
	if x.spec.RowIDs {
		x.src.Columns = x.src.Columns.WithRowColumns(s.Metadata())
	}
	marks := feature.DeletionVectorsEnabled(s.Protocol(), s.Metadata()) && !p.copies
	changes := rewrite.NoChanges
	switch {
	case !feature.ChangeDataFeed(s.Metadata()):
	case p.on != nil: // as the reference does for MERGE
		changes = rewrite.AllChanges
	default:
		changes = rewrite.NeededChanges
	}
	x.ledger = rewrite.New(rewrite.Config{Env: e, Bucket: s.Bucket(), Source: x.src, Spec: x.spec, Marks: marks, SourceRows: src.Rows,
		Changes: changes})
	x.prepareColumns()
	return x, x.preparePruning()
}

func (x *Exec) prepareColumns() {
	first, more := map[int]bool{}, map[int]bool{}
	need := func(into map[int]bool, es ...expr.Expr) {
		for _, e := range es {
			if e == nil {
				continue
			}
			for _, ref := range expr.Refs(e) {
				if ref < x.p.nt {
					into[ref] = true
				}
			}
		}
	}
	for _, k := range x.p.keys {
		need(first, k.target)
	}
	need(first, x.p.targetConds...)
	need(first, x.p.residual)
	for _, c := range x.p.clauses {
		if c.kind == NotMatched {
			continue
		}
		need(first, c.cond)
		if c.action != Delete {
			need(more, c.values...)
		}
	}
	if !x.ledger.Marks() {
		for i := range x.p.nt {
			more[i] = true
		}
	}
	n := x.p.nt
	if x.spec.RowIDs && x.writesRows() {
		more[n], more[n+1] = true, true
		n += 2
	}
	x.firstCols, x.moreCols = ordinals(x.p.nt, first), ordinals(n, more)
}

// writesRows reports whether rows of the table can end up in other files.
func (x *Exec) writesRows() bool {
	return !x.ledger.Marks() || slices.ContainsFunc(x.p.clauses, func(c clause) bool { return c.kind != NotMatched && c.action != Delete })
}

func ordinals(n int, set map[int]bool) []int {
	out := []int{}
	for i := range n {
		if set[i] {
			out = append(out, i)
		}
	}
	return out
}

func union(a, b []int) []int {
	set := map[int]bool{}
	top := 0
	for _, list := range [][]int{a, b} {
		for _, i := range list {
			set[i] = true
			top = max(top, i+1)
		}
	}
	return ordinals(top, set)
}

// preparePruning says which files ON and the by-source clauses can concern.
func (x *Exec) preparePruning() error {
	schema, parts := x.snap.Schema(), x.snap.PartitionColumns()
	if len(x.p.targetConds) > 0 {
		x.onFiles = prune.New(expr.And(x.p.targetConds...), schema, parts)
	}
	for _, k := range x.p.keys {
		col, ok := k.target.(*expr.Column)
		if !ok || k.nullSafe || x.m.broken != nil {
			continue
		}
		values, err := x.keyValues(k)
		if err != nil {
			return err
		}
		if keys, ok := prune.NewKeys(col.Ref, values, schema, parts); ok {
			x.keySets = append(x.keySets, keys)
			x.keyRanges = append(x.keyRanges, between(col, values)...)
		}
	}
	var conds []expr.Expr
	for _, c := range x.p.bySource {
		if c.cond != nil {
			conds = append(conds, c.cond)
		}
	}
	if len(conds) > 0 && !x.p.everyRow() {
		x.sourceFiles = prune.New(expr.Or(conds...), schema, parts)
	}
	if len(x.p.bySource) > 0 && x.p.bySource[0].action == Delete {
		first := x.p.bySource[0]
		x.wholeClause = first.index
		if first.cond != nil {
			not := expr.Or(&expr.Call{Fn: "not", Args: []expr.Expr{first.cond}, T: first.cond.Type(), Null: first.cond.Nullable()},
				&expr.Call{Fn: "isnull", Args: []expr.Expr{first.cond}, T: first.cond.Type()})
			x.wholeFiles = prune.New(not, schema, parts)
		}
	}
	return nil
}

// keyValues lists the values that a key has in the eligible source rows.
func (x *Exec) keyValues(k key) (arrow.Array, error) {
	a, err := evalSource(x.p, x.m.src, k.source)
	if err != nil || len(x.m.sources) == x.m.src.Rows {
		return a, err
	}
	return columns.Take(a, x.m.sources), nil
}

// judgement says why a file has to be looked at.
type judgement struct {
	probe    bool // rows of it may match
	bySource bool // rows of it may be taken by a by-source clause
	whole    bool // all its rows are, by the first of them
	verdict  prune.Verdict
}

func (x *Exec) judge(f prune.File) judgement {
	var j judgement
	if x.p.probes() && len(x.m.sources) > 0 {
		j.verdict = x.mayMatch(f)
		j.probe = j.verdict.Keep
	}
	switch {
	case len(x.p.bySource) == 0:
	case x.p.everyRow():
		j.bySource = true
	default:
		v := x.sourceFiles.Keep(f)
		j.bySource = v.Keep
		if !j.probe {
			j.verdict = v
		}
	}
	if j.bySource && !j.probe && len(x.p.bySource) > 0 && x.p.bySource[0].action == Delete {
		j.whole = x.p.bySource[0].cond == nil || (x.wholeFiles != nil && !x.wholeFiles.Keep(f).Keep)
	}
	return j
}

func (x *Exec) mayMatch(f prune.File) prune.Verdict {
	if x.onFiles != nil {
		if v := x.onFiles.Keep(f); !v.Keep {
			return v
		}
	}
	for _, keys := range x.keySets {
		if v := keys.Keep(f); !v.Keep {
			return v
		}
	}
	return prune.Verdict{Keep: true}
}

// Compute computes E(file): what the statement does to one file.
func (x *Exec) compute(ctx context.Context, add *action.Add, out *outputs) (*rewrite.Effect, error) {
	j := x.judge(prune.FileOf(add, x.snap.Schema(), x.snap.PartitionColumns()))
	if !j.probe && !j.bySource {
		return &rewrite.Effect{File: add}, nil
	}
	if j.whole {
		if n, ok := colstats.NumRecords(add.Stats); ok {
			live := n
			if add.DeletionVector != nil {
				live -= add.DeletionVector.Cardinality
			}
			return &rewrite.Effect{File: add, Whole: true, Clause: x.wholeClause, Live: live, Physical: n}, nil
		}
	}
	f := fileRun{x: x, add: add, effect: &rewrite.Effect{File: add, Rewritten: !x.ledger.Marks()}, out: out, j: j}
	if err := f.run(ctx); err != nil {
		return nil, err
	}
	if !f.effect.Touched() {
		f.effect.Rewritten = false
	}
	if f.effect.Touched() && !f.effect.Rewritten {
		n, ok := colstats.NumRecords(add.Stats)
		if !ok {
			var err error
			if n, err = scan.PhysicalRows(ctx, x.env, x.src, add); err != nil {
				return nil, err
			}
		}
		f.effect.Physical = n
	}
	f.effect.Sort()
	return f.effect, nil
}

// All computes the effects on the files of the snapshot that can matter, in
// parallel, and then the inserts.
func (x *Exec) All(ctx context.Context) error {
	return x.computeFiles(ctx, slices.Collect(x.snap.Files().Choose(chooser{x})))
}

func (x *Exec) computeFiles(ctx context.Context, todo []*action.Add) error {
	workers := max(1, min(x.env.Workers, len(todo)))
	pool, keeps := workers, true
	if x.ledger.Marks() || x.spec.Optimized {
		pool, keeps = 1, false // few rows are written, or they are to share files
	}
	out, err := x.newOutputs(ctx, pool)
	if err != nil {
		return err
	}
	defer out.abort()
	var done atomic.Int64
	first := func(err error) error { return x.multiple(ctx, todo, err) }
	if err := parallel(ctx, workers, todo, func(ctx context.Context, add *action.Add) error {
		mine, giveBack := out, func() error { return nil }
		if keeps {
			var err error
			if mine, giveBack, err = out.keep(); err != nil {
				return err
			}
		}
		e, err := x.compute(ctx, add, mine)
		if back := giveBack(); err == nil {
			err = back
		}
		if err != nil {
			return about(add, err)
		}
		x.ledger.Enter(e)
		if fn := x.env.Listener.Progress; fn != nil {
			fn(observe.Progress{Table: x.snap.Bucket().URL(), Phase: "files", Done: done.Add(1), Total: int64(len(todo)), Unit: "file"})
		}
		return nil
	}); err != nil {
		return first(err)
	}
	if err := x.insert(out); err != nil {
		return first(err)
	}
	return out.close()
}

// multiple looks behind an error of some row for a target row that several source
// rows want to change, in all files: the reference matches everything before it
// computes a value, so that is the error which it gives.
func (x *Exec) multiple(ctx context.Context, todo []*action.Add, cause error) error {
	var found *MultipleMatchError
	if errors.As(cause, &found) || ctx.Err() != nil {
		return cause
	}
	for _, add := range todo {
		if j := x.judge(prune.FileOf(add, x.snap.Schema(), x.snap.PartitionColumns())); !j.probe || j.whole {
			continue
		}
		for b, err := range scan.File(ctx, x.env, x.src, add, scan.Options{Columns: x.firstCols, Positions: true, Predicate: x.scanPredicate()}) {
			if err != nil {
				break
			}
			if _, _, err := x.decide(b, true, false); errors.As(err, &found) {
				return about(add, err)
			}
		}
	}
	return cause
}

// parallel runs fn over the items with a number of workers; the first error
// cancels the rest.
func parallel[T any](ctx context.Context, workers int, items []T, fn func(context.Context, T) error) error {
	ctx, cancel := context.WithCancelCause(ctx)
	defer cancel(nil)
	next := make(chan T)
	var wg sync.WaitGroup
	for range workers {
		wg.Go(func() {
			for item := range next {
				if ctx.Err() != nil {
					continue
				}
				if err := caught(ctx, item, fn); err != nil {
					cancel(err)
				}
			}
		})
	}
	for _, item := range items {
		select {
		case next <- item:
		case <-ctx.Done():
		}
		if ctx.Err() != nil {
			break
		}
	}
	close(next)
	wg.Wait()
	return context.Cause(ctx)
}

// caught runs fn, and makes an error of rows that no array holds: a long text of the
// source may match many rows.
func caught[T any](ctx context.Context, item T, fn func(context.Context, T) error) (err error) {
	defer columns.Caught(&err)
	return fn(ctx, item)
}

// describe names a target row by its key columns, for messages.
func (x *Exec) describe(cols []arrow.Array, row int32) string {
	var parts []string
	seen := map[int]bool{}
	for _, k := range x.p.keys {
		for _, ref := range expr.Refs(k.target) {
			if cols[ref] != nil && !seen[ref] {
				seen[ref] = true
				v := columns.AppendCanonicalValue(nil, cols[ref], x.p.target.Fields[ref].Type, int(row))
				parts = append(parts, x.p.target.Fields[ref].Name+"="+string(v))
			}
		}
	}
	if len(parts) == 0 {
		return "ON has no key"
	}
	return strings.Join(parts, ", ")
}

// about names the file at fault unless the error does.
func about(add *action.Add, err error) error {
	if strings.Contains(err.Error(), add.Path) || errors.Is(err, context.Canceled) || errors.Is(err, context.DeadlineExceeded) {
		return err
	}
	return fmt.Errorf("in file %s: %w", add.Path, err)
}
