package fsck

import (
	"context"
	"errors"
	"fmt"
	"strings"

	"github.com/sluicelake/sluice/action"
	"github.com/sluicelake/sluice/internal/format/colstats"
	"github.com/sluicelake/sluice/internal/format/dv"
	"github.com/sluicelake/sluice/internal/inspect"
	"github.com/sluicelake/sluice/internal/rows/scan"
	"github.com/sluicelake/sluice/storage"
	"github.com/sluicelake/sluice/types"
)

// deep reads every live file, and holds it against what the log says of it.
func (c *Check) deep() error {
	if !c.opts.Deep || c.snap == nil {
		return nil
	}
	w := &deepWork{c: c, src: scan.SourceOf(c.snap)}
	cols := c.snap.Columns()
	partitioned := map[int]bool{}
	for _, o := range cols.PartitionOrdinals {
		partitioned[o] = true
	}
	for _, l := range colstats.Leaves(cols.Physical) {
		if !partitioned[l.Ordinal[0]] {
			w.leaves = append(w.leaves, l)
		}
	}
	w.decoder = colstats.NewDecoder(w.leaves)
	files := c.snap.Files()
	var numbers []int // of the files that are there
	for i := range files.All() {
		key, err := c.src.Locate(files.Path(i))
		if o := c.known[hash(key)]; err == nil && o != nil && o.flags&isThere != 0 {
			numbers = append(numbers, i)
		}
	}
	numbers = append(numbers, c.elsewhere...)
	for _, r := range inspect.Ordered(c.ctx, c.env.Workers, len(numbers), func(ctx context.Context, i int) *judged {
		return w.judge(ctx, files.Add(numbers[i]))
	}) {
		if r.err != nil {
			return r.err
		}
		c.sum.Rows += r.rows
		for _, f := range r.found {
			c.report(f.code, in(r.path), "%s", f.text)
		}
		if c.ended {
			return errEnded
		}
	}
	return c.ctx.Err()
}

// deepWork is what the reading of all files shares.
type deepWork struct {
	c       *Check
	src     scan.Source
	leaves  []colstats.Leaf
	decoder *colstats.Decoder
}

// judged is what was found in one file.
type judged struct {
	path  string
	rows  int64
	found []remark
	err   error // of the store
}

type remark struct {
	code Code
	text string
}

func (j *judged) say(code Code, format string, args ...any) {
	j.found = append(j.found, remark{code, fmt.Sprintf(format, args...)})
}

// prefixAll keeps strings whole, up to what statistics could ever say.
const prefixAll = 1 << 20

func (w *deepWork) judge(ctx context.Context, a *action.Add) *judged {
	j := &judged{path: a.Path}
	physical, err := scan.PhysicalRows(ctx, w.c.env, w.src, a)
	if err != nil {
		w.failed(j, UnreadableFile, err)
		return j
	}
	if n, ok := colstats.NumRecords(a.Stats); ok && n != physical {
		j.say(RowCount, "its statistics say %d rows, the file has %d", n, physical)
	}
	if !w.vectorFits(ctx, j, a, physical) {
		return j
	}
	all := colstats.NewCollector(w.leaves, prefixAll)
	nulls := make([]int64, len(w.c.snap.Schema().Fields))
	for b, err := range scan.File(ctx, w.c.env, w.src, a, scan.Options{}) {
		if err != nil {
			w.failed(j, UnreadableFile, err)
			return j
		}
		all.Add(b.Columns, b.Rows)
		for i, col := range b.Columns {
			if col != nil {
				nulls[i] += int64(col.NullN())
			}
		}
		j.rows += int64(b.Rows)
	}
	for i, f := range w.c.snap.Schema().Fields {
		if !f.Nullable && nulls[i] > 0 {
			j.say(NullValue, "the column %s is NULL in %d of %d rows", types.QuoteIdentifier(f.Name), nulls[i], j.rows)
		}
	}
	w.stats(j, a, all)
	return j
}

// failed tells a file that is damaged from a store that fails.
func (w *deepWork) failed(j *judged, code Code, err error) {
	if w.c.fatal(err) {
		j.err = err
		return
	}
	var f *scan.FileError
	var bad *dv.CorruptError
	switch {
	case errors.As(err, &bad):
		code, err = BadVector, bad
	case errors.As(err, &f) && errors.Is(err, storage.ErrNotExist):
		code, err = MissingFile, errors.New("it has gone from the store meanwhile")
	case errors.As(err, &f):
		err = f.Err
	}
	j.say(code, "%v", err)
}

// vectorFits reads the deletion vector; false when the rows cannot be judged.
func (w *deepWork) vectorFits(ctx context.Context, j *judged, a *action.Add, rows int64) bool {
	if a.DeletionVector == nil {
		return true
	}
	deleted, err := w.src.Vector(ctx, a, a.DeletionVector)
	var outside *scan.PathError
	switch {
	case errors.As(err, &outside):
		return false // told before
	case errors.Is(err, storage.ErrNotExist):
		return false // told before
	case err != nil:
		w.failed(j, BadVector, err)
		return false
	}
	if !deleted.IsEmpty() && deleted.Maximum() >= uint64(rows) {
		j.say(VectorRange, "its vector names row %d, the file has %d rows", deleted.Maximum(), rows)
	}
	return true
}

// stats holds the statistics in the log against the live rows. Only what loses
// rows is told: bounds may be wider than the rows.
func (w *deepWork) stats(j *judged, a *action.Add, all *colstats.Collector) {
	var claimed, real colstats.Stats
	if a.Stats == "" || w.decoder.Decode([]byte(a.Stats), &claimed) != nil {
		return
	}
	if err := w.decoder.Decode([]byte(all.JSON(true)), &real); err != nil || real.Records == 0 {
		return
	}
	for i, l := range w.leaves {
		name := strings.Join(l.Path, ".")
		have, want := claimed.Leaves[i], real.Leaves[i]
		switch {
		case have.NoNull() && want.Nulls > 0 && nullsCounted(l):
			j.say(StatsLoseRows, "column %s: nullCount is 0, %d live rows are NULL", name, want.Nulls)
		case have.AllNull(claimed.Records) && claimed.Records > 0 && want.Nulls < real.Records && nullsCounted(l):
			j.say(StatsLoseRows, "column %s: all rows are NULL by its nullCount, %d live rows are not", name, real.Records-want.Nulls)
		}
		if !colstats.HasBounds(l.Type) {
			continue
		}
		lo, hi := have.Min(l.Type), have.Max(l.Type)
		low, high := want.Min(l.Type), want.Max(l.Type)
		if lo.Class == colstats.Int && instant(l.Type) {
			lo.I -= 999 // what is below a millisecond is not compared
		}
		if cmp, ok := colstats.Compare(lo, low); ok && cmp > 0 {
			j.say(StatsLoseRows, "column %s: the minimum is %s, a live row has %s", name, valueText(have.Min(l.Type), l.Type), valueText(low, l.Type))
		}
		if cmp, ok := colstats.Compare(hi, high); ok && cmp < 0 {
			j.say(StatsLoseRows, "column %s: the maximum is %s, a live row has %s", name, valueText(hi, l.Type), valueText(high, l.Type))
		}
	}
}

// nullsCounted reports whether a count of NULLs means the same to all writers:
// within structs some count the rows whose struct is NULL, others do not.
func nullsCounted(l colstats.Leaf) bool { return len(l.Path) == 1 }

func instant(t types.Type) bool {
	return t.Kind() == types.KindTimestamp || t.Kind() == types.KindTimestampNTZ
}

func valueText(v colstats.Value, t types.Type) string {
	text := fmt.Sprint(v.Literal(t))
	if r := []rune(text); len(r) > 60 {
		text = string(r[:60]) + "…"
	}
	return text
}
