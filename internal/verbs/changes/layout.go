package changes

import (
	"maps"
	"slices"
	"strings"

	"github.com/sluicelake/sluice/action"
	"github.com/sluicelake/sluice/internal/logic/prune"
	"github.com/sluicelake/sluice/internal/rows/scan"
	"github.com/sluicelake/sluice/internal/table/feature"
	"github.com/sluicelake/sluice/types"
)

// layout is how files with one set of partition columns are read.
type layout struct {
	plain  scan.Source   // data files
	feed   scan.Source   // change data files: with their _change_type
	pruner *prune.Pruner // nil: every file is read
}

// layouts makes them. The table may have been partitioned in another way when a
// file was written, so its own partition values say which columns it lacks.
type layouts struct {
	p    *Plan
	made map[string]*layout // by the names of the partition columns
}

func (l *layouts) of(values action.PartitionValues) *layout {
	key := strings.Join(slices.Sorted(maps.Keys(values)), "\x00")
	if l.made[key] == nil {
		l.made[key] = l.p.layout(values)
	}
	return l.made[key]
}

func (p *Plan) layout(values action.PartitionValues) *layout {
	c := *p.read
	c.Partition, c.PartitionPhysical, c.PartitionOrdinals = nil, nil, nil
	add := func(i int) {
		c.Partition = append(c.Partition, c.Logical.Fields[i].Name)
		c.PartitionPhysical = append(c.PartitionPhysical, c.Physical.Fields[i].Name)
		c.PartitionOrdinals = append(c.PartitionOrdinals, i)
	}
	for i, f := range c.Physical.Fields {
		if _, ok := values[f.Name]; ok {
			add(i)
		}
	}
	out := &layout{plain: scan.SourceOf(p.latest)}
	out.plain.Columns, out.feed = &c, out.plain
	kinds := c
	kinds.Logical = types.NewStruct(append(slices.Clip(c.Logical.Fields), feedColumns[0])...)
	kinds.Physical = types.NewStruct(append(slices.Clip(c.Physical.Fields), feedColumns[0])...)
	out.feed.Columns = &kinds
	if p.ofTable != nil {
		out.pruner = prune.New(p.ofTable, c.Logical, c.Partition)
	}
	return out
}

// keeps reports whether a file may hold rows that are wanted, by its partition
// values and statistics.
func (l *layout) keeps(add *action.Add) bool {
	return l.pruner == nil || l.pruner.Keep(prune.FileOf(add, l.plain.Columns.Logical, l.plain.Columns.Partition)).Keep
}

// mapped reports whether a table has column mapping.
func mapped(md *action.Metadata) bool { return feature.ColumnMapping(md) != feature.MappingNone }
