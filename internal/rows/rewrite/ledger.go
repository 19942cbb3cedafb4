package rewrite

import (
	"context"
	"fmt"
	"sync"

	"github.com/RoaringBitmap/roaring/v2/roaring64"

	"github.com/sluicelake/sluice/action"
	"github.com/sluicelake/sluice/internal/base/env"
	"github.com/sluicelake/sluice/internal/rows/scan"
	"github.com/sluicelake/sluice/internal/rows/write"
	"github.com/sluicelake/sluice/internal/table/conflict"
	"github.com/sluicelake/sluice/storage"
)

// Ledger holds the effects of one statement. Methods are safe for concurrent use.
type Ledger struct {
	env     *env.Env
	bucket  *storage.Bucket
	src     scan.Source
	spec    write.Spec
	marks   bool // rows are marked in deletion vectors instead of rewriting files
	changes Changes

	mu      sync.Mutex
	effects map[conflict.FileID]*Effect
	outputs []*Output
	byFile  map[*write.Output]*Output
	matches []int32         // by source row: how many rows it matches
	inserts []place         // by source row
	written []*write.Output // every data file of the statement, wanted or not
	vectors []vectorFile    // every file of deletion vectors, wanted or not
	groups  []*changeGroup
}

// vectorFile is a stored file of deletion vectors.
type vectorFile struct {
	key   string
	bytes int64
}

// place is what became of the insert of a source row.
type place struct {
	output *Output // nil when no clause inserts the row
	row    int64
	done   bool // the clauses were asked
}

// Changes says when change data is recorded (PROTOCOL.md, Change Data Files).
type Changes uint8

// The choices.
const (
	NoChanges     Changes = iota
	NeededChanges         // what readers cannot derive from added and removed files
	AllChanges            // whenever a row is updated or deleted
)

// Config is what a ledger needs to know of its statement and table.
type Config struct {
	Env    *env.Env
	Bucket *storage.Bucket
	Source scan.Source // how files of the table are read
	Spec   write.Spec  // how files of the table are written
	// Marks says whether changed rows are marked in deletion vectors.
	Marks   bool
	Changes Changes
	// SourceRows is the number of rows of the statement's source; 0 without one.
	SourceRows int
}

// New returns an empty ledger.
func New(c Config) *Ledger {
	return &Ledger{env: c.Env, bucket: c.Bucket, src: c.Source, spec: c.Spec, marks: c.Marks, changes: c.Changes,
		effects: map[conflict.FileID]*Effect{}, byFile: map[*write.Output]*Output{},
		matches: make([]int32, c.SourceRows), inserts: make([]place, c.SourceRows)}
}

// Marks reports whether changed rows are marked instead of files rewritten.
func (l *Ledger) Marks() bool { return l.marks }

// Output returns the ledger's entry for a written file.
func (l *Ledger) Output(f *write.Output) *Output {
	l.mu.Lock()
	defer l.mu.Unlock()
	o, ok := l.byFile[f]
	if !ok {
		o = &Output{file: f}
		l.byFile[f] = o
		l.outputs = append(l.outputs, o)
		l.written = append(l.written, f)
	}
	return o
}

// Enter adds the effect on one image, in place of the one that the image had.
// An effect that neither changes rows nor matches any is not kept.
func (l *Ledger) Enter(e *Effect) {
	l.mu.Lock()
	defer l.mu.Unlock()
	l.drop(e.ID())
	if !e.Touched() && len(e.Pairs) == 0 {
		return
	}
	l.effects[e.ID()] = e
	for _, p := range e.Pairs {
		l.matches[p.Src]++
	}
}

// Effects lists the entries.
func (l *Ledger) Effects() []*Effect {
	l.mu.Lock()
	defer l.mu.Unlock()
	out := make([]*Effect, 0, len(l.effects))
	for _, e := range l.effects {
		out = append(out, e)
	}
	return out
}

// Files maps the images that the statement depends on to their adds.
func (l *Ledger) Files() map[conflict.FileID]*action.Add {
	l.mu.Lock()
	defer l.mu.Unlock()
	out := make(map[conflict.FileID]*action.Add, len(l.effects))
	for id, e := range l.effects {
		out[id] = e.File
	}
	return out
}

// Drop takes back the effect on an image that is no longer in the table. It
// returns the number of rows whose fate changed.
func (l *Ledger) Drop(id conflict.FileID) int64 {
	l.mu.Lock()
	defer l.mu.Unlock()
	return l.drop(id)
}

func (l *Ledger) drop(id conflict.FileID) int64 {
	e := l.effects[id]
	if e == nil {
		return 0
	}
	delete(l.effects, id)
	l.undo(e.Rows, e.Pairs)
	for _, run := range e.Copied {
		run.Output.drop(run.From, run.Rows)
	}
	return e.Changed()
}

// undo drops what was written for rows and the matches of pairs.
func (l *Ledger) undo(rows []Row, pairs []Pair) {
	for _, r := range rows {
		if r.Output != nil {
			r.Output.drop(r.At, 1)
		}
	}
	for _, p := range pairs {
		l.matches[p.Src]--
	}
}

// Remark fits the effect on an image to the same file with more rows deleted:
// nothing is read again. It reports false, changing nothing, when the effect
// must be computed anew: the file is being rewritten, or rows came back.
func (l *Ledger) Remark(ctx context.Context, before conflict.FileID, after *action.Add) (rows int64, ok bool, err error) {
	l.mu.Lock()
	e := l.effects[before]
	l.mu.Unlock()
	if e == nil {
		return 0, true, nil
	}
	if e.Rewritten {
		return 0, false, nil
	}
	was, err := l.load(ctx, e.File)
	if err != nil {
		return 0, false, err
	}
	is, err := l.load(ctx, after)
	if err != nil {
		return 0, false, err
	}
	if roaring64.AndNot(was, is).GetCardinality() > 0 {
		return 0, false, nil
	}
	l.mu.Lock()
	defer l.mu.Unlock()
	if e.Whole {
		n := int64(roaring64.AndNot(is, was).GetCardinality())
		delete(l.effects, before)
		e.File, e.Live, e.change = after, e.Live-n, nil
		l.effects[e.ID()] = e
		return n, true, nil
	}
	gone, pairs := e.split(roaring64.AndNot(is, was))
	l.undo(gone, pairs)
	delete(l.effects, before)
	e.File = after
	if len(e.Rows) > 0 || len(e.Pairs) > 0 {
		l.effects[e.ID()] = e
	}
	return int64(len(gone)), true, nil
}

func (l *Ledger) load(ctx context.Context, a *action.Add) (*roaring64.Bitmap, error) {
	if a.DeletionVector == nil {
		return roaring64.New(), nil
	}
	b, err := l.src.Vector(ctx, a, a.DeletionVector)
	if err != nil {
		return nil, fmt.Errorf("deletion vector of %s: %w", a.Path, err)
	}
	return b, nil
}

// Unmatched lists the source rows that match nothing and have no insert yet,
// and takes back the inserts of those that match now. It returns the number of
// inserts taken back.
func (l *Ledger) Unmatched() (missing []int32, takenBack int64) {
	l.mu.Lock()
	defer l.mu.Unlock()
	for src, n := range l.matches {
		at := l.inserts[src]
		switch {
		case n == 0 && !at.done:
			missing = append(missing, int32(src))
		case n > 0 && at.done:
			if at.output != nil {
				at.output.drop(at.row, 1)
				takenBack++
			}
			l.inserts[src] = place{}
		}
	}
	return missing, takenBack
}

// Inserted records where the insert of a source row went; a nil output records
// that no clause inserts the row.
func (l *Ledger) Inserted(src int32, o *Output, row int64) {
	l.mu.Lock()
	defer l.mu.Unlock()
	l.inserts[src] = place{o, row, true}
}

// Inserts counts the source rows whose insert is wanted.
func (l *Ledger) Inserts() int64 {
	l.mu.Lock()
	defer l.mu.Unlock()
	var n int64
	for _, p := range l.inserts {
		if p.output != nil {
			n++
		}
	}
	return n
}
