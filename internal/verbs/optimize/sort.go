package optimize

import (
	"slices"
	"strings"

	"github.com/sluicelake/sluice/expr"
	"github.com/sluicelake/sluice/internal/format/colstats"
	"github.com/sluicelake/sluice/internal/logic/curve"
	"github.com/sluicelake/sluice/internal/table/feature"
	"github.com/sluicelake/sluice/internal/table/snapshot"
	"github.com/sluicelake/sluice/types"
)

// Sort is the order in which the rows of a bin are written.
type Sort struct {
	By    [][]string // logical names: of a column, or of the way to a field inside of structs
	Names []string   // the same as people write them
	Curve curve.Kind
}

// sorting is what a spec or a clustered table asks for.
type sorting struct {
	by        [][]string
	names     []string
	curve     curve.Kind
	clustered bool
}

// sorting says how rows are to be sorted; nil leaves them in their order.
func (s Spec) sorting(at *snapshot.Snapshot) (*sorting, error) {
	text, _ := at.Domain(feature.ClusteringDomain)
	clustered := feature.Supports(at.Protocol(), "clustering")
	var clustering []string
	if clustered {
		clustering = feature.Clustering(text, at.Columns())
	}
	switch {
	case s.Purge:
		return nil, nil
	case clustered && len(s.ZOrderBy) > 0:
		return nil, refuse("DELTA_CLUSTERING_WITH_ZORDER_BY", "%s: leave out ZORDER BY (%s), and choose columns with ALTER TABLE ... CLUSTER BY", clusteredBy(clustering), strings.Join(s.ZOrderBy, ", "))
	case clustered && s.Where != nil:
		return nil, refuse("DELTA_CLUSTERING_WITH_PARTITION_PREDICATE", "%s: leave out WHERE %s, OPTIMIZE finds what is to be done", clusteredBy(clustering), s.Where)
	case s.Full && len(clustering) == 0:
		return nil, refuse("DELTA_OPTIMIZE_FULL_NOT_SUPPORTED", "OPTIMIZE FULL clusters files again, but the table has no clustering columns: ALTER TABLE ... CLUSTER BY gives it some")
	case len(clustering) == 0 && len(s.ZOrderBy) == 0:
		return nil, nil
	case len(clustering) > 0:
		by, err := paths(clustering)
		return &sorting{by, clustering, curve.Hilbert, true}, err
	}
	by, err := paths(s.ZOrderBy)
	if err != nil {
		return nil, err
	}
	if by, err = unfolded(at, by, s.WithoutStats); err != nil {
		return nil, err
	}
	return &sorting{by: by, names: s.ZOrderBy, curve: curve.ZOrder}, checkZOrder(at, by, s.WithoutStats)
}

// unfolded puts those fields of structs in their place that have statistics, and
// each column once.
func unfolded(s *snapshot.Snapshot, by [][]string, all bool) (out [][]string, err error) {
	leaves, err := indexed(s)
	if err != nil {
		return nil, err
	}
	add := func(path []string) {
		if !slices.ContainsFunc(out, func(other []string) bool { return slices.EqualFunc(other, path, strings.EqualFold) }) {
			out = append(out, path)
		}
	}
	var walk func(path []string, ordinals []int, t types.Type) bool
	walk = func(path []string, ordinals []int, t types.Type) (some bool) {
		st, ok := t.(*types.Struct)
		if !ok {
			if some = all || leaves(ordinals); some {
				add(path)
			}
			return some
		}
		for i, f := range st.Fields {
			some = walk(append(slices.Clone(path), f.Name), append(slices.Clone(ordinals), i), f.Type) || some
		}
		return some
	}
	for _, path := range by {
		ordinals, ok := find(s, path)
		t := types.Type(s.Schema())
		for _, i := range ordinals {
			t = t.(*types.Struct).Fields[i].Type
		}
		if _, nested := t.(*types.Struct); !ok || !nested || !walk(path, ordinals, t) {
			add(path) // checkZOrder has its say
		}
	}
	return out, nil
}

// indexed tells which columns have a minimum and a maximum in the statistics.
func indexed(s *snapshot.Snapshot) (func(ordinals []int) bool, error) {
	c := s.Columns()
	leaves, err := colstats.Select(c.Logical, c.Physical, c.Partition, s.Metadata().Configuration)
	return func(ordinals []int) bool {
		return slices.ContainsFunc(leaves, func(l colstats.Leaf) bool { return slices.Equal(l.Ordinal, ordinals) && colstats.HasBounds(l.Type) })
	}, err
}

// clusteredBy begins what a clustered table refuses.
func clusteredBy(columns []string) string {
	if len(columns) == 0 {
		return "the table is made for clustering, though by no columns now"
	}
	return "the table is clustered by (" + strings.Join(columns, ", ") + "), and OPTIMIZE follows that"
}

// paths reads names with dots, quoted where they have dots of their own.
func paths(names []string) ([][]string, error) {
	var out [][]string
	for _, n := range names {
		p := expr.NewParser(n)
		path, err := p.ParseQualifiedName()
		if err != nil {
			return nil, err
		}
		out = append(out, path)
	}
	return out, nil
}

// checkZOrder refuses columns by which sorting is of no use.
func checkZOrder(s *snapshot.Snapshot, by [][]string, withoutStats bool) error {
	c := s.Columns()
	has, err := indexed(s)
	if err != nil {
		return err
	}
	for _, path := range by {
		name := strings.Join(path, ".")
		ordinals, ok := find(s, path)
		switch {
		case !ok:
			return refuse("DELTA_ZORDERING_COLUMN_DOES_NOT_EXIST", "there is no column %s to sort by; the table's are %s", name, strings.Join(s.Schema().Names(), ", "))
		case slices.Contains(c.PartitionOrdinals, ordinals[0]):
			return refuse("DELTA_ZORDERING_ON_PARTITION_COLUMN", "%s is a partition column: rows lie together by its value already; sort by data columns", name)
		case !withoutStats && !has(ordinals):
			return refuse("DELTA_ZORDERING_ON_COLUMN_WITHOUT_STATS", "%s has no minimum and maximum in the statistics, so sorting by it keeps no file from being read; see %s and %s",
				name, colstats.PropertyColumns, colstats.PropertyCount)
		}
	}
	return nil
}

// bins puts all files of a partition into one bin.
func (x *sorting) bins(s *snapshot.Snapshot, spec Spec, groups []*group) (out []*Bin, stats *Cubes, err error) {
	if x.clustered {
		return x.cubes(s, spec, groups)
	}
	for _, g := range groups {
		b := &Bin{Partition: g.partition, Sort: &Sort{By: x.by, Names: x.names, Curve: x.curve}}
		for _, c := range g.files {
			b.add(s.Files().Add(c.number))
		}
		if len(b.Files) > 0 {
			out = append(out, b)
		}
	}
	return out, nil, nil
}
