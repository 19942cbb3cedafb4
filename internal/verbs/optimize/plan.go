package optimize

import (
	"cmp"
	"errors"
	"slices"
	"strings"

	"github.com/sluicelake/sluice/action"
	"github.com/sluicelake/sluice/expr"
	"github.com/sluicelake/sluice/internal/format/colstats"
	"github.com/sluicelake/sluice/internal/logic/prune"
	"github.com/sluicelake/sluice/internal/table/feature"
	"github.com/sluicelake/sluice/internal/table/snapshot"
	"github.com/sluicelake/sluice/types"
)

// Plan is what an OPTIMIZE would do to one version of a table.
type Plan struct {
	Version   int64
	Spec      Spec
	Predicate string // Where as SQL; "" for none
	Bins      []*Bin
	// Before counts all files that Where selects, After what is expected of them.
	Before, After Totals
	Pruning       []Pruning
	Cubes         *Cubes // of a clustered table; nil for others

	where  expr.Expr // Predicate, bound; nil: none
	schema string    // of the version
	width  int       // columns of the table
	stats  int       // of them, those that get statistics
}

// Totals count files.
type Totals struct{ Files, Bytes int64 }

// Bin is files of one partition that are written again together.
type Bin struct {
	Partition string // as people write it, "" without partitions
	Files     []*action.Add
	Bytes     int64 // of the files
	Expect    Totals
	Sort      *Sort // nil: rows stay in their order
	Cube      *Cube // that the files are of, and remain; nil: none
}

// add puts a file into the bin.
func (b *Bin) add(a *action.Add) {
	b.Files = append(b.Files, a)
	b.Bytes += a.Size
}

// Commits is how many commits the plan takes.
func (p *Plan) Commits() int { return len(p.batches()) }

// batches splits the bins into commits.
func (p *Plan) batches() (out [][]*Bin) {
	var bytes int64
	for i, b := range p.Bins {
		if i == 0 || bytes+b.Bytes > p.Spec.CommitBytes {
			out, bytes = append(out, nil), 0
		}
		out[len(out)-1] = append(out[len(out)-1], b)
		bytes += b.Bytes
	}
	return out
}

// Chosen counts the files that are written again.
func (p *Plan) Chosen() (t Totals) {
	for _, b := range p.Bins {
		t.Files += int64(len(b.Files))
		t.Bytes += b.Bytes
	}
	return t
}

// Columns counts those of the table and those that get statistics, by their number
// alone, as the reference counts them.
func (p *Plan) Columns() (all, withStats int) { return p.width, p.stats }

// Partitions counts the partitions with bins.
func (p *Plan) Partitions() int {
	seen := map[string]bool{}
	for _, b := range p.Bins {
		seen[b.Partition] = true
	}
	return len(seen)
}

// NewPlan decides which files are written again, and with which others. It does
// no I/O: dropped names the files that hold columns that the table has no more,
// which only their footers tell.
func NewPlan(spec Spec, s *snapshot.Snapshot, o expr.Options, dropped map[string]bool) (*Plan, error) {
	spec = spec.sizes(s.Metadata())
	p := &Plan{Version: s.Version(), Spec: spec, schema: s.Metadata().SchemaString, width: len(s.Schema().Fields)}
	p.stats = p.width
	if n, _, _ := feature.IndexedColumns(s.Metadata()); n >= 0 {
		p.stats = min(n, p.width)
	}
	sorted, err := spec.sorting(s)
	if err != nil {
		return nil, err
	}
	pruner, err := p.bind(s, o)
	if err != nil {
		return nil, err
	}
	files := s.Files()
	groups := map[int]*group{}
	for i := range files.Select(pruner) {
		t := files.Tuple(i)
		g := groups[t]
		if g == nil {
			g = &group{partition: partitionOf(files, i, s.PartitionColumns())}
			if spec.Partitions != nil {
				g.skip = !spec.Partitions(files.Bare(i).PartitionValues)
			}
			if !g.skip {
				ok, err := p.decide(s, i)
				if err != nil {
					return nil, err
				}
				g.skip = !ok
			}
			groups[t] = g
		}
		if g.skip {
			continue
		}
		p.Before.Files++
		p.Before.Bytes += files.Size(i)
		if c := spec.judge(files, i, dropped); c.taken || sorted != nil {
			g.files = append(g.files, c)
		}
	}
	var ordered []*group
	for _, g := range groups {
		ordered = append(ordered, g)
	}
	slices.SortFunc(ordered, func(a, b *group) int { return strings.Compare(a.partition, b.partition) })
	if sorted != nil {
		if p.Bins, p.Cubes, err = sorted.bins(s, spec, ordered); err != nil {
			return nil, err
		}
	} else {
		for _, g := range ordered {
			for _, same := range g.cubes(files, spec) {
				p.Bins = append(p.Bins, same.pack(files, spec)...)
			}
		}
	}
	p.expect()
	p.Pruning = pruningOf(s, p)
	return p, nil
}

// bind binds the condition, which may name partition columns alone.
func (p *Plan) bind(s *snapshot.Snapshot, o expr.Options) (*prune.Pruner, error) {
	if p.Spec.Where == nil {
		return nil, nil
	}
	bound, err := expr.Bind(p.Spec.Where, expr.Scope{Tables: []expr.Table{{Name: "t", Schema: s.Schema()}}, Options: o})
	var unbound *expr.BindError
	switch {
	case !errors.As(err, &unbound):
	case strings.HasPrefix(unbound.Class, "UNSUPPORTED_SUBQUERY"):
		return nil, refuse("DELTA_UNSUPPORTED_SUBQUERY_IN_PARTITION_PREDICATES", "%s", unbound.Msg)
	case strings.HasPrefix(unbound.Class, "UNRESOLVED_COLUMN"):
		return nil, refuse("DELTA_NON_PARTITION_COLUMN_REFERENCE", "%s; only these may be used: [%s]", unbound.Msg, strings.Join(s.PartitionColumns(), ", "))
	}
	if err != nil {
		return nil, err
	}
	for _, ref := range expr.Refs(bound) {
		if !slices.Contains(s.Columns().PartitionOrdinals, ref) {
			return nil, refuse("DELTA_NON_PARTITION_COLUMN_REFERENCE", "the condition names %s, which is not a partition column; only these may be used: [%s]",
				types.QuoteIdentifier(s.Schema().Fields[ref].Name), strings.Join(s.PartitionColumns(), ", "))
		}
	}
	if t := bound.Type(); t == nil || t.Kind() != types.KindBoolean {
		return nil, refuse("DATATYPE_MISMATCH.FILTER_NOT_BOOLEAN", "the condition %s is no BOOLEAN", bound)
	}
	p.Predicate, p.where = bound.String(), bound
	return prune.New(bound, s.Schema(), s.PartitionColumns(), s.Columns().Physical), nil
}

// expect estimates what comes of the bins.
func (p *Plan) expect() {
	p.After = p.Before
	for _, b := range p.Bins {
		var bytes int64
		for _, a := range b.Files {
			bytes += expected(a)
		}
		b.Expect = Totals{max(1, (bytes+p.Spec.TargetSize-1)/p.Spec.TargetSize), bytes}
		if b.Sort == nil {
			b.Expect.Files = 1
		}
		p.After.Files += b.Expect.Files - int64(len(b.Files))
		p.After.Bytes += bytes - b.Bytes
	}
}

// expected is what the rows of a file that are not deleted take.
func expected(a *action.Add) int64 {
	rows, ok := colstats.NumRecords(a.Stats)
	if a.DeletionVector == nil || !ok || rows <= 0 {
		return a.Size
	}
	return int64(float64(a.Size) * float64(max(0, rows-a.DeletionVector.Cardinality)) / float64(rows))
}

// group is the candidates of one partition.
type group struct {
	partition string
	files     []candidate
	skip      bool
	cube      *Cube // of all the files; nil: none, or of no concern
}

// candidate is a file that may be written again.
type candidate struct {
	number int
	size   int64
	time   int64
	taken  bool // at all
	alone  bool // even when there is no other to join it
}

// judge says whether a file is too small, or has too many deleted rows.
func (s Spec) judge(files *snapshot.FileSet, i int, dropped map[string]bool) candidate {
	c := candidate{number: i, size: files.Size(i), time: files.ModificationTime(i)}
	deleted := false
	if d := files.DV(i); d != nil {
		rows, ok := files.NumRecords(i)
		deleted = !ok || rows <= 0 || float64(d.Cardinality)/float64(rows) > s.DeletedRatio
	}
	if s.Purge {
		c.taken = files.DV(i) != nil || len(dropped) > 0 && dropped[files.Path(i)]
		c.alone = true
		return c
	}
	c.taken = deleted || c.size < s.MinSize
	c.alone = deleted && !s.company
	return c
}

// openBins is how many bins a file may still go into.
const openBins = 16

// pack fills bins, first come first served. Files are taken in the order in which
// they came to be, which often is that of some column: neighbours stay together.
func (g *group) pack(files *snapshot.FileSet, spec Spec) []*Bin {
	if len(g.files) < spec.MinFiles && !slices.ContainsFunc(g.files, func(c candidate) bool { return c.alone }) {
		return nil
	}
	slices.SortFunc(g.files, func(a, b candidate) int {
		return cmp.Or(cmp.Compare(a.time, b.time), strings.Compare(files.Path(a.number), files.Path(b.number)))
	})
	type filling struct {
		size  int64
		files []int
		alone bool
	}
	var all, open []*filling
	for _, c := range g.files {
		var into *filling
		for _, f := range open {
			if f.size+c.size <= spec.TargetSize {
				into = f
				break
			}
		}
		if into == nil {
			into = &filling{}
			all, open = append(all, into), append(open, into)
			if len(open) > openBins {
				open = open[1:]
			}
		}
		into.files = append(into.files, c.number)
		into.size += c.size
		into.alone = into.alone || c.alone
	}
	var out []*Bin
	for _, f := range all {
		if len(f.files) < 2 && !f.alone {
			continue
		}
		b := &Bin{Partition: g.partition, Cube: g.cube}
		for _, i := range f.files {
			b.add(files.Add(i))
		}
		out = append(out, b)
	}
	return out
}

// partitionOf spells partition values as people write them: a=1, b=null.
func partitionOf(files *snapshot.FileSet, i int, names []string) string {
	parts := make([]string, len(names))
	for col, name := range names {
		value, null := files.Partition(i, col)
		if null {
			value = "null"
		}
		parts[col] = name + "=" + value
	}
	return strings.Join(parts, ", ")
}
