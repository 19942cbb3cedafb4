package optimize

import (
	"math"
	"slices"
	"sort"
	"strings"

	"github.com/sluicelake/sluice/internal/format/colstats"
	"github.com/sluicelake/sluice/internal/table/snapshot"
)

// Pruning is how many files a look-up of one value of a column reads, on average
// over the files, as far as their statistics tell.
type Pruning struct {
	Column        string
	Before, After float64
}

// Columns and files that are looked at: an estimate must not cost more than it tells.
const (
	pruningColumns = 4
	pruningFiles   = 20_000
)

// span is the values of a column in a file; the number is that of its partition.
type span struct {
	partition int
	min, max  colstats.Value
}

// pruningOf estimates pruning by the first columns, or by those that are sorted by.
func pruningOf(s *snapshot.Snapshot, p *Plan) []Pruning {
	if len(p.Bins) == 0 || p.Before.Files > pruningFiles {
		return nil
	}
	leaves, names := pruningLeaves(s, p)
	if len(leaves) == 0 {
		return nil
	}
	bins := map[string]int{}
	for i, b := range p.Bins {
		for _, a := range b.Files {
			bins[a.Path] = i
		}
	}
	d := colstats.NewDecoder(leaves)
	before, after := make([][]span, len(leaves)), make([][]span, len(leaves))
	joined := make([]map[int]span, len(leaves))
	for k := range joined {
		joined[k] = map[int]span{}
	}
	files := s.Files()
	var st colstats.Stats
	for i := range files.All() {
		if d.Decode(files.StatsJSON(i), &st) != nil {
			continue
		}
		bin, moves := bins[files.Path(i)]
		for k, l := range leaves {
			x := span{files.Tuple(i), st.Leaves[k].Min(l.Type), st.Leaves[k].Max(l.Type)}
			if x.min.Class == colstats.None || x.max.Class == colstats.None {
				continue
			}
			before[k] = append(before[k], x)
			if !moves {
				after[k] = append(after[k], x)
				continue
			}
			if have, ok := joined[k][bin]; ok {
				x = union(x, have)
			}
			joined[k][bin] = x
		}
	}
	var out []Pruning
	for k := range leaves {
		var sorted depth
		for i, x := range joined[k] {
			if b := p.Bins[i]; b.Sort != nil {
				sorted.add(b)
			} else {
				after[k] = append(after[k], x)
			}
		}
		was, will := depthOf(before[k]), depthOf(after[k])
		will.files, will.total = will.files+sorted.files, will.total+sorted.total
		if was.files > 0 && will.files > 0 {
			out = append(out, Pruning{names[k], was.average(), will.average()})
		}
	}
	return out
}

// pruningLeaves are the columns that are worth a look.
func pruningLeaves(s *snapshot.Snapshot, p *Plan) (leaves []colstats.Leaf, names []string) {
	c := s.Columns()
	all, err := colstats.Select(c.Logical, c.Physical, c.Partition, s.Metadata().Configuration)
	if err != nil {
		return nil, nil
	}
	var wanted []string
	if len(p.Bins) > 0 && p.Bins[0].Sort != nil {
		for _, path := range p.Bins[0].Sort.By {
			wanted = append(wanted, strings.ToLower(strings.Join(path, ".")))
		}
	}
	for _, l := range all {
		if len(l.Ordinal) != 1 || !colstats.HasBounds(l.Type) {
			continue
		}
		name := c.Logical.Fields[l.Ordinal[0]].Name
		if wanted != nil && !slices.Contains(wanted, strings.ToLower(name)) {
			continue
		}
		if leaves, names = append(leaves, l), append(names, name); len(leaves) == pruningColumns {
			break
		}
	}
	return leaves, names
}

func union(a, b span) span {
	if c, ok := colstats.Compare(b.min, a.min); ok && c < 0 {
		a.min = b.min
	}
	if c, ok := colstats.Compare(b.max, a.max); ok && c > 0 {
		a.max = b.max
	}
	return a
}

// depth is how many files hold one value of a file, summed over files.
type depth struct{ files, total float64 }

func (d depth) average() float64 { return d.total / d.files }

// add takes in a bin that is sorted along a curve: of n files over k columns, a
// value of one column lies in n to the power of 1-1/k.
func (d *depth) add(b *Bin) {
	n, k := float64(b.Expect.Files), float64(len(b.Sort.By))
	d.files += n
	d.total += n * math.Pow(n, 1-1/k)
}

// depthOf counts, for the smallest value of each file, the files that may hold it.
func depthOf(spans []span) (d depth) {
	byPartition := map[int][]span{}
	for _, x := range spans {
		byPartition[x.partition] = append(byPartition[x.partition], x)
	}
	less := func(a, b colstats.Value) bool { c, ok := colstats.Compare(a, b); return ok && c < 0 }
	for _, list := range byPartition {
		starts, ends := make([]colstats.Value, len(list)), make([]colstats.Value, len(list))
		for i, x := range list {
			starts[i], ends[i] = x.min, x.max
		}
		sort.Slice(starts, func(i, j int) bool { return less(starts[i], starts[j]) })
		sort.Slice(ends, func(i, j int) bool { return less(ends[i], ends[j]) })
		for _, v := range starts { // begun by then, less those that have ended before
			begun := sort.Search(len(starts), func(k int) bool { return less(v, starts[k]) })
			ended := sort.Search(len(ends), func(k int) bool { return !less(ends[k], v) })
			d.total += float64(begun - ended)
		}
	}
	d.files = float64(len(spans))
	return d
}
