package optimize

import (
	"slices"
	"strings"

	"github.com/sluicelake/sluice/expr"
	"github.com/sluicelake/sluice/internal/format/colstats"
	"github.com/sluicelake/sluice/internal/logic/curve"
	"github.com/sluicelake/sluice/internal/table/feature"
	"github.com/sluicelake/sluice/internal/table/snapshot"
)

// Sort is the order in which the rows of a bin are written.
type Sort struct {
	By    [][]string // logical names: of a column, or of the way to a field inside of structs
	Curve curve.Kind
	// Tags and Provider are those of the files that come out.
	Tags     map[string]string
	Provider string
}

// sorting is what a spec or a clustered table asks for.
type sorting struct {
	by        [][]string
	curve     curve.Kind
	clustered bool
}

// sorting says how rows are to be sorted; nil leaves them in their order.
func (s Spec) sorting(at *snapshot.Snapshot) (*sorting, error) {
	text, ok := at.Domain(feature.ClusteringDomain)
	var clustering []string
	if ok && feature.Supports(at.Protocol(), "clustering") {
		clustering = feature.Clustering(text, at.Columns())
	}
	switch {
	case s.Purge:
		return nil, nil
	case len(clustering) > 0 && len(s.ZOrderBy) > 0:
		return nil, refuse("DELTA_CLUSTERING_WITH_ZORDER_BY", "the table is clustered by (%s): OPTIMIZE follows that, without ZORDER BY", strings.Join(clustering, ", "))
	case len(clustering) > 0 && s.Where != nil:
		return nil, refuse("DELTA_CLUSTERING_WITH_PARTITION_PREDICATE", "the table is clustered by (%s): OPTIMIZE takes no WHERE there", strings.Join(clustering, ", "))
	case s.Full && len(clustering) == 0:
		return nil, refuse("DELTA_OPTIMIZE_FULL_NOT_SUPPORTED", "OPTIMIZE FULL clusters again, but the table has no clustering columns")
	case s.Auto || len(clustering) == 0 && len(s.ZOrderBy) == 0:
		return nil, nil
	case len(clustering) > 0:
		by, err := paths(clustering)
		return &sorting{by, curve.Hilbert, true}, err
	}
	by, err := paths(s.ZOrderBy)
	if err != nil {
		return nil, err
	}
	return &sorting{by: by, curve: curve.ZOrder}, checkZOrder(at, by)
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
func checkZOrder(s *snapshot.Snapshot, by [][]string) error {
	c := s.Columns()
	leaves, err := colstats.Select(c.Logical, c.Physical, c.Partition, s.Metadata().Configuration)
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
		case !slices.ContainsFunc(leaves, func(l colstats.Leaf) bool { return slices.Equal(l.Ordinal, ordinals) && colstats.HasBounds(l.Type) }):
			return refuse("DELTA_ZORDERING_ON_COLUMN_WITHOUT_STATS", "%s has no minimum and maximum in the statistics, so sorting by it keeps no file from being read; see %s and %s",
				name, colstats.PropertyColumns, colstats.PropertyCount)
		}
	}
	return nil
}

// bins puts all files of a partition into one bin.
func (x *sorting) bins(s *snapshot.Snapshot, spec Spec, groups []*group) ([]*Bin, error) {
	if x.clustered {
		return x.cubes(s, spec, groups)
	}
	var out []*Bin
	for _, g := range groups {
		b := &Bin{Partition: g.partition, Sort: &Sort{By: x.by, Curve: x.curve}}
		for _, c := range g.files {
			b.add(s.Files().Add(c.number))
		}
		if len(b.Files) > 0 {
			out = append(out, b)
		}
	}
	return out, nil
}
