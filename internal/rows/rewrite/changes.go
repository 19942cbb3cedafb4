package rewrite

import (
	"context"
	"fmt"
	"slices"
	"sync"

	"github.com/RoaringBitmap/roaring/v2/roaring64"
	"github.com/apache/arrow-go/v18/arrow"

	"github.com/sluicelake/sluice/action"
	"github.com/sluicelake/sluice/internal/base/columns"
	"github.com/sluicelake/sluice/internal/rows/scan"
	"github.com/sluicelake/sluice/internal/rows/write"
	"github.com/sluicelake/sluice/types"
)

// The kinds of change (PROTOCOL.md, Change Data Files).
const (
	inserted  = "insert"
	preimage  = "update_preimage"
	postimage = "update_postimage"
	deleted   = "delete"
)

// changeGroup is what one run of the writer recorded as change data. When a
// repair touches one of its members, all of it is recorded again.
type changeGroup struct {
	files   []*write.Output
	effects []*Effect
	outputs []*Output
	added   []string
}

// againGroups is into how many groups change data is put that has to be recorded
// again, unless its files are few: who lost to one winner may lose to the next, which
// then touches one of them.
const againGroups = 8

// changeTask is one file whose rows are read to record what happened to them.
type changeTask struct {
	effect *Effect // whose file it is; nil for an output and for a file added beside
	output *Output
	add    *action.Add
	all    string                       // every live row is this change
	kinds  map[string]*roaring64.Bitmap // otherwise by change, the rows
}

// recordsChanges reports whether readers of the change feed need change data:
// they cannot derive updates, nor tell copied rows from new ones. What only
// deletes (vectors, whole files) or inserts they derive from the other actions.
func (l *Ledger) recordsChanges(touched []*Effect) bool {
	if l.changes != NeededChanges {
		return l.changes == AllChanges && len(touched) > 0
	}
	return slices.ContainsFunc(touched, func(e *Effect) bool {
		return len(e.Copied) > 0 || slices.ContainsFunc(e.Rows, func(r Row) bool { return r.Output != nil })
	})
}

// changeData brings the change data files up to date and lists them. added are
// files whose rows are inserted beside the effects. A commit that has change
// data files has all its changes in them.
func (l *Ledger) changeData(ctx context.Context, added []*action.Add) ([]*write.Output, error) {
	touched := l.touched()
	if !l.recordsChanges(touched) {
		for _, g := range l.groups { // another repair may ask for them again
			g.dissolve()
		}
		l.groups = nil
		return nil, nil
	}
	had := len(l.groups)
	l.groups = slices.DeleteFunc(l.groups, func(g *changeGroup) bool { return !l.current(g, added) })
	known := map[string]bool{}
	for _, g := range l.groups {
		for _, path := range g.added {
			known[path] = true
		}
	}
	todo := l.changeTasks(touched)
	for _, a := range added {
		if !known[a.Path] {
			todo = append(todo, changeTask{add: a, all: inserted})
		}
	}
	size := max(1, len(todo))
	if len(l.groups) < had {
		size = max(againGroups, (len(todo)+againGroups-1)/againGroups)
	}
	for part := range slices.Chunk(todo, size) {
		g := &changeGroup{}
		var err error
		if g.files, err = l.record(ctx, part); err != nil {
			return nil, fmt.Errorf("recording change data: %w", err)
		}
		l.written = append(l.written, g.files...)
		for _, t := range part {
			switch {
			case t.effect != nil:
				t.effect.change, g.effects = g, append(g.effects, t.effect)
			case t.output != nil:
				t.output.change, g.outputs = g, append(g.outputs, t.output)
			default:
				g.added = append(g.added, t.add.Path)
			}
		}
		l.groups = append(l.groups, g)
	}
	var out []*write.Output
	for _, g := range l.groups {
		out = append(out, g.files...)
	}
	return out, nil
}

// current reports whether nothing of a group has changed since it was
// recorded; if something has, its members are marked for recording again.
func (l *Ledger) current(g *changeGroup, added []*action.Add) bool {
	ok := !slices.ContainsFunc(g.effects, func(e *Effect) bool { return e.change != g || l.effects[e.ID()] != e }) &&
		!slices.ContainsFunc(g.outputs, func(o *Output) bool { return o.change != g }) &&
		!slices.ContainsFunc(g.added, func(path string) bool {
			return !slices.ContainsFunc(added, func(a *action.Add) bool { return a.Path == path })
		})
	if !ok {
		g.dissolve()
	}
	return ok
}

// dissolve marks the members of a group for recording again.
func (g *changeGroup) dissolve() {
	for _, e := range g.effects {
		if e.change == g {
			e.change = nil
		}
	}
	for _, o := range g.outputs {
		if o.change == g {
			o.change = nil
		}
	}
}

// changeTasks lists what the effects and outputs that are out of date did.
func (l *Ledger) changeTasks(touched []*Effect) []changeTask {
	var todo []changeTask
	out := map[*Output]map[string]*roaring64.Bitmap{}
	mark := func(o *Output, row int64, kind string) {
		if o.change != nil || o.dropped != nil && o.dropped.Contains(uint64(row)) {
			return
		}
		kinds := out[o]
		if kinds == nil {
			kinds = map[string]*roaring64.Bitmap{postimage: roaring64.New(), inserted: roaring64.New()}
			out[o] = kinds
		}
		kinds[kind].Add(uint64(row))
	}
	for _, e := range touched {
		for _, r := range e.Rows {
			if r.Output != nil {
				mark(r.Output, r.At, postimage)
			}
		}
		switch {
		case e.change != nil:
		case e.Whole:
			todo = append(todo, changeTask{effect: e, add: e.File, all: deleted})
		default:
			kinds := map[string]*roaring64.Bitmap{preimage: roaring64.New(), deleted: roaring64.New()}
			for _, r := range e.Rows {
				kind := deleted
				if r.Output != nil {
					kind = preimage
				}
				kinds[kind].Add(uint64(r.Pos))
			}
			todo = append(todo, changeTask{effect: e, add: e.File, kinds: kinds})
		}
	}
	for _, p := range l.inserts {
		if p.output != nil {
			mark(p.output, p.row, inserted)
		}
	}
	for _, o := range l.outputs {
		if kinds := out[o]; kinds != nil {
			todo = append(todo, changeTask{output: o, add: o.file.Add, kinds: kinds})
		}
	}
	return todo
}

// record writes the rows of the tasks with their kinds of change, in the order of
// the tasks, while the files behind are read ahead.
func (l *Ledger) record(ctx context.Context, todo []changeTask) ([]*write.Output, error) {
	spec := l.spec
	spec.Changes = true
	w, err := write.New(ctx, l.env, l.bucket, spec)
	if err != nil {
		return nil, err
	}
	ctx, cancel := context.WithCancel(ctx)
	var group sync.WaitGroup
	defer group.Wait()
	defer cancel()
	turns := make(chan struct{}, max(1, l.env.Workers)) // files that are being read
	lanes := make([]chan changeRows, len(todo))
	for i := range lanes {
		lanes[i] = make(chan changeRows, 1)
	}
	group.Go(func() {
		for i, t := range todo {
			select {
			case turns <- struct{}{}:
			case <-ctx.Done():
				return
			}
			group.Go(func() {
				defer close(lanes[i])
				put := func(r changeRows) bool {
					select {
					case lanes[i] <- r:
						return true
					case <-ctx.Done():
						return false
					}
				}
				if err := l.changesIn(ctx, t, len(spec.Schema.Fields), put); err != nil {
					put(changeRows{err: err})
				}
			})
		}
	})
	for _, lane := range lanes {
		for {
			var r changeRows
			var more bool
			select {
			case r, more = <-lane:
			case <-ctx.Done():
				r.err = ctx.Err()
			}
			if r.err == nil && more {
				_, r.err = w.Write(r.cols, r.rows)
			}
			if r.err != nil {
				w.Abort()
				return nil, r.err
			}
			if !more {
				break
			}
		}
		<-turns
	}
	if err := ctx.Err(); err != nil { // readers that were stopped said nothing
		w.Abort()
		return nil, err
	}
	return w.Close()
}

// changeRows are rows with their kind of change, or the error that ends a file.
type changeRows struct {
	cols []arrow.Array
	rows int
	err  error
}

// changesIn reads the rows of a task.
func (l *Ledger) changesIn(ctx context.Context, t changeTask, width int, put func(changeRows) bool) error {
	o := scan.Options{Positions: true}
	if t.all == "" {
		rows := roaring64.New()
		for _, b := range t.kinds {
			rows.Or(b)
		}
		o.Rows = ranges(rows)
		if len(o.Rows) == 0 {
			return nil
		}
	}
	for batch, err := range scan.File(ctx, l.env, l.src, t.add, o) {
		if err != nil {
			return fmt.Errorf("reading %s: %w", t.add.Path, err)
		}
		cols := batch.Columns[:width:width]
		tell := func(cols []arrow.Array, rows int, kind string) bool {
			return rows == 0 || put(changeRows{cols: append(slices.Clip(cols), columns.Constant(kind, types.String, rows)), rows: rows})
		}
		if t.all != "" {
			if !tell(cols, batch.Rows, t.all) {
				return nil
			}
			continue
		}
		for _, kind := range []string{deleted, preimage, postimage, inserted} {
			set := t.kinds[kind]
			if set == nil || set.IsEmpty() {
				continue
			}
			var idx []int32
			for i, pos := range batch.Positions {
				if set.Contains(uint64(pos)) {
					idx = append(idx, int32(i))
				}
			}
			if len(idx) > 0 && !tell(columns.TakeColumns(cols, idx), len(idx), kind) {
				return nil
			}
		}
	}
	return nil
}

// ranges are the runs of consecutive rows.
func ranges(rows *roaring64.Bitmap) []scan.Range {
	var out []scan.Range
	for it := rows.Iterator(); it.HasNext(); {
		pos := int64(it.Next())
		if n := len(out); n > 0 && out[n-1].End == pos {
			out[n-1].End = pos + 1
		} else {
			out = append(out, scan.Range{Start: pos, End: pos + 1})
		}
	}
	return out
}
