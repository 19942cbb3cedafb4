package merge

import (
	"fmt"
	"maps"
	"slices"
	"sort"
	"strings"

	"github.com/apache/arrow-go/v18/arrow"

	"github.com/sluicelake/sluice/expr"
	"github.com/sluicelake/sluice/internal/base/columns"
	"github.com/sluicelake/sluice/internal/format/partition"
	"github.com/sluicelake/sluice/internal/logic/prune"
	"github.com/sluicelake/sluice/types"
)

// source looks at the source's keys: those that are there twice, and NULLs.
func (l *linter) source() error {
	m := l.x.m
	if !l.p.probes() || len(l.p.keys) == 0 || m.index == nil {
		return nil
	}
	keys := make([]arrow.Array, len(l.p.keys))
	for i, k := range l.p.keys {
		a, err := evalSource(l.p, m.src, k.source)
		if err != nil {
			return err
		}
		keys[i] = a
	}
	l.duplicates(keys)
	l.nullKeys(keys)
	return nil
}

// duplicates are rows of the source with one key: a row of the table that has it
// too would match several.
func (l *linter) duplicates(keys []arrow.Array) {
	m := l.x.m
	extra, example := 0, int32(-1)
	for _, row := range m.sources {
		if m.index.next[row] != 0 {
			extra++
			if example < 0 {
				example = row
			}
		}
	}
	if extra == 0 || l.p.manyMatches() && len(l.p.notMatched) == 0 {
		return
	}
	what := "If the table has a row with such a key, and a clause takes both, the statement fails (DELTA_MULTIPLE_SOURCE_ROW_MATCHING_TARGET_ROW_IN_MERGE)"
	switch {
	case l.p.manyMatches():
		what = "If the table has no row with such a key, all of them are inserted"
	case len(l.p.notMatched) > 0:
		what += "; if it has none, all of them are inserted"
	}
	others := []string{fmt.Sprint(example + 1)}
	for next := m.index.next[example]; next != 0 && len(others) < 3; next = m.index.next[next-1] {
		others = append(others, fmt.Sprint(next))
	}
	text := fmt.Sprintf("The source has keys several times (%s too many), for example %s in its rows %s. %s.", rowsText(int64(extra)), l.keyText(keys, int(example)), strings.Join(others, ", "), what)
	suggestion := ""
	if l.names.Source != "" && !strings.HasPrefix(l.names.Source, "(") {
		suggestion = fmt.Sprintf("USING (SELECT DISTINCT * FROM %s)", l.names.Source)
		if l.p.spec.SourceAlias != "" {
			suggestion += " AS " + l.p.spec.SourceAlias
		}
		text += "\nWhere the rows are the same, they can be made one: " + suggestion
	}
	l.add(MultipleMatches, "ON", text, suggestion)
}

// nullKeys are rows of the source that can match nothing.
func (l *linter) nullKeys(keys []arrow.Array) {
	if len(l.p.notMatched) == 0 {
		return
	}
	n, column := 0, ""
	for _, row := range l.x.m.sources {
		for i, k := range keys {
			if !l.p.keys[i].nullSafe && columns.IsNull(k, int(row)) {
				n++
				if column == "" {
					column = l.p.keys[i].source.String()
				}
				break
			}
		}
	}
	if n == 0 {
		return
	}
	l.add(NullKey, "ON", fmt.Sprintf("NULL is a key of %s of the source (%s). NULL equals nothing, so such a row matches none, and %s inserts it each time the statement runs. Compare with <=>, or leave NULLs out.",
		rowsText(int64(n)), column, NotMatched), "")
}

func (l *linter) keyText(keys []arrow.Array, row int) string {
	parts := make([]string, len(keys))
	for i, k := range keys {
		e := l.p.keys[i].source
		parts[i] = e.String() + " = " + (&expr.Literal{Value: literal(k, row), T: e.Type()}).String()
	}
	return strings.Join(parts, ", ")
}

func literal(a arrow.Array, row int) any {
	if columns.IsNull(a, row) {
		return nil
	}
	v := columns.Value(a, row)
	if b, ok := v.([]byte); ok {
		return append([]byte(nil), b...)
	}
	return v
}

// mostPartitions bounds the constants of a suggested condition.
const mostPartitions = 20

// sourcePartitions is the condition of the partitions that the source's rows are
// in, when a key of ON is a partition column and they are few.
func (l *linter) sourcePartitions() (expr.Expr, error) {
	if !l.p.probes() || l.src.Rows == 0 {
		return nil, nil
	}
	for _, k := range l.p.keys {
		col, ok := k.target.(*expr.Column)
		if !ok || k.nullSafe || !l.isPartition(col.Ref) {
			continue
		}
		a, err := evalSource(l.p, l.x.m.src, k.source)
		if err != nil {
			return nil, err
		}
		t := l.p.target.Fields[col.Ref].Type
		values := map[string]any{}
		for _, row := range l.x.m.sources {
			v := literal(a, int(row))
			if v == nil {
				continue
			}
			text, _, err := partition.Format(v, t)
			if err != nil || !types.Equal(k.source.Type(), t) {
				return nil, nil
			}
			if values[text] = v; len(values) > mostPartitions {
				return nil, nil
			}
		}
		if len(values) == 0 {
			return nil, nil
		}
		names := make([]string, 0, len(values))
		for name := range values {
			names = append(names, name)
		}
		sort.Strings(names)
		if len(names) == 1 {
			return &expr.Call{Fn: "=", Args: []expr.Expr{col, &expr.Literal{Value: values[names[0]], T: t}}, T: types.Boolean}, nil
		}
		args := []expr.Expr{col}
		for _, name := range names {
			args = append(args, &expr.Literal{Value: values[name], T: t})
		}
		return &expr.Call{Fn: "in", Args: args, T: types.Boolean}, nil
	}
	return nil, nil
}

// keptPartitions is the condition of the partitions whose files a statement over
// the table alone opens, when these are not all and few, by the first partition
// column of which that can be said.
func (l *linter) keptPartitions() expr.Expr {
	if l.p.probes() || len(l.p.bySource) == 0 || l.p.bySource[0].cond == nil {
		return nil
	}
	schema, parts := l.x.snap.Schema(), l.x.snap.PartitionColumns()
	p := prune.New(l.p.bySource[0].cond, schema, parts)
	for i, name := range parts {
		ref := schema.Index(name)
		kept, all := map[string]bool{}, map[string]bool{}
		null := false
		files := l.x.snap.Files()
		for k := range files.All() {
			f := files.Ref(k)
			text, isNull := f.Partition(i)
			all[text] = true
			if p.Keep(f).Keep {
				kept[text], null = true, null || isNull
			}
		}
		if ref < 0 || null || len(kept) == 0 || len(kept) == len(all) || len(kept) > mostPartitions {
			continue
		}
		col := &expr.Column{Parts: []string{schema.Fields[ref].Name}, Ref: ref, T: schema.Fields[ref].Type}
		args := []expr.Expr{col}
		for _, text := range slices.Sorted(maps.Keys(kept)) {
			v, err := partition.Parse(text, col.T)
			if err != nil {
				return nil
			}
			args = append(args, &expr.Literal{Value: v, T: col.T})
		}
		if len(args) == 2 {
			return &expr.Call{Fn: "=", Args: args, T: types.Boolean}
		}
		return &expr.Call{Fn: "in", Args: args, T: types.Boolean}
	}
	return nil
}

func (l *linter) isPartition(ref int) bool {
	for _, name := range l.x.snap.PartitionColumns() {
		if l.x.snap.Schema().Index(name) == ref {
			return true
		}
	}
	return false
}
