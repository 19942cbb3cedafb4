package merge

import (
	"encoding/json"
	"fmt"
	"strings"

	"github.com/sluicelake/sluice/action"
	"github.com/sluicelake/sluice/expr"
	"github.com/sluicelake/sluice/internal/logic/prune"
	"github.com/sluicelake/sluice/types"
)

// conjuncts asks of each conjunct whether it can leave files out, and why not.
func (l *linter) conjuncts(clause string, list []expr.Expr) {
	for _, c := range list {
		switch {
		case !l.prunable(c):
			l.hidden(clause, c)
		case l.p.probes() && clause == "ON" || !l.p.probes() || clause == NotMatchedBySource.String():
			l.withoutStatistics(clause, c)
		}
		if or, ok := c.(*expr.Call); ok && or.Fn == "or" {
			l.unbounded(clause, or)
		}
	}
}

// hidden names what hides a column from partition values and statistics.
func (l *linter) hidden(clause string, c expr.Expr) {
	var fn *expr.Call
	var cast *expr.Cast
	expr.Walk(c, func(e expr.Expr) bool {
		switch x := e.(type) {
		case *expr.Call:
			if fn == nil && !plainOperator[x.Fn] && len(expr.Refs(x)) > 0 {
				fn = x
			}
		case *expr.Cast:
			if cast == nil && len(expr.Refs(x)) > 0 {
				cast = x
			}
		}
		return true
	})
	if or, ok := c.(*expr.Call); ok && or.Fn == "or" && fn == nil && cast == nil {
		return
	}
	instead, suggestion := "", ""
	if m := mended(c); m != nil {
		instead, suggestion = "\nThe same rows, by the column itself: "+m.String(), m.String()
		l.replaced(c, m)
	}
	switch {
	case fn != nil:
		spark := ", and on Spark it limits no conflict"
		if l.reads {
			spark = ""
		}
		advice := " Compare the column itself, or add a condition on it that means the same range."
		if instead != "" {
			advice = ""
		}
		l.add(FunctionOnColumn, clause, fmt.Sprintf("%s hides %s behind %s: partition values and statistics cannot answer it, so it leaves no file out%s.%s%s",
			c, l.columnText(fn), fn.Fn+"(...)", spark, advice, instead), suggestion)
	case cast != nil:
		from := "its type"
		if t := cast.Arg.Type(); t != nil {
			from = strings.ToUpper(t.String())
		}
		advice := " Give the constant the column's type instead."
		if instead != "" {
			advice = ""
		}
		l.add(CastOnColumn, clause, fmt.Sprintf("%s casts %s from %s to %s for each row: the order of values is not kept, so it leaves no file out.%s%s",
			c, l.columnText(cast), from, strings.ToUpper(cast.To.String()), advice, instead), suggestion)
	}
}

// plainOperator are those that comparisons are made of.
var plainOperator = map[string]bool{"and": true, "or": true, "not": true, "=": true, "==": true, "<=>": true, "<>": true, "!=": true, "<": true, "<=": true, ">": true, ">=": true,
	"in": true, "isnull": true, "isnotnull": true, "istrue": true, "isfalse": true, "isunknown": true, "like": true, "between": true}

func (l *linter) columnText(e expr.Expr) string {
	var names []string
	for _, ref := range expr.Refs(e) {
		if ref < len(l.p.target.Fields) {
			names = append(names, types.QuoteIdentifier(l.p.target.Fields[ref].Name))
		}
	}
	return strings.Join(names, ", ")
}

func quotedList(names []string) string {
	out := make([]string, len(names))
	for i, n := range names {
		out[i] = types.QuoteIdentifier(n)
	}
	return strings.Join(out, ", ")
}

// unbounded is an OR of which one side keeps every partition or every file.
func (l *linter) unbounded(clause string, or *expr.Call) {
	sides := disjuncts(or)
	parts := l.x.snap.PartitionColumns()
	bounded, open := "", ""
	for _, s := range sides {
		by, _ := prune.Split(s, l.x.snap.Schema(), parts)
		switch {
		case by != nil && l.prunable(by):
			bounded = s.String()
		case len(parts) > 0 || !l.prunable(s):
			open = s.String()
		default:
			bounded = s.String()
		}
	}
	if bounded == "" || open == "" {
		return
	}
	what := "reads every file"
	if len(parts) > 0 {
		what = "may be in any partition"
	}
	l.add(UnboundedOr, clause, fmt.Sprintf("%s: the side %s %s, so the other side (%s) limits nothing. Add the partition to both sides, or make two statements of it.", or, open, what, bounded), "")
}

func disjuncts(e expr.Expr) []expr.Expr {
	if c, ok := e.(*expr.Call); ok && c.Fn == "or" {
		var out []expr.Expr
		for _, a := range c.Args {
			out = append(out, disjuncts(a)...)
		}
		return out
	}
	return []expr.Expr{e}
}

// withoutStatistics is a condition that could leave files out, on a column that
// files have no statistics of.
func (l *linter) withoutStatistics(clause string, c expr.Expr) {
	for _, ref := range expr.Refs(c) {
		if ref >= len(l.x.snap.Schema().Fields) || l.isPartition(ref) || types.IsNested(l.p.target.Fields[ref].Type) {
			continue
		}
		f := l.x.snap.Schema().Fields[ref]
		files, without := l.x.snap.Files(), 0
		for i := range files.All() {
			if !hasStatistics(files.Add(i), physical(f)) {
				without++
			}
		}
		if without == 0 {
			continue
		}
		l.add(NoStatistics, clause, fmt.Sprintf("%d of %d files have no statistics of %s, so %s cannot leave them out. Statistics are written for the first columns (delta.dataSkippingNumIndexedCols, 32) or those of delta.dataSkippingStatsColumns; files that are rewritten get them.",
			without, files.Len(), types.QuoteIdentifier(f.Name), c), "")
		return
	}
}

func physical(f types.Field) string {
	if name, ok := f.Metadata.Text("delta.columnMapping.physicalName"); ok {
		return name
	}
	return f.Name
}

func hasStatistics(a *action.Add, column string) bool {
	var s struct {
		NumRecords *int64                     `json:"numRecords"`
		Min        map[string]json.RawMessage `json:"minValues"`
		Nulls      map[string]json.RawMessage `json:"nullCount"`
	}
	if json.Unmarshal([]byte(a.Stats), &s) != nil {
		return false
	}
	if _, ok := s.Min[column]; ok {
		return true
	}
	n, ok := s.Nulls[column]
	return ok && s.NumRecords != nil && string(n) == fmt.Sprint(*s.NumRecords)
}

// prunable finds out by trying whether a condition can leave any file out: files
// that hold one value are put before it.
func (l *linter) prunable(c expr.Expr) bool {
	schema, parts := l.x.snap.Schema(), l.x.snap.PartitionColumns()
	refs := expr.Refs(c)
	for _, ref := range refs {
		if ref >= len(schema.Fields) || types.IsNested(schema.Fields[ref].Type) {
			return true // not known: no remark
		}
	}
	if len(refs) == 0 {
		return true
	}
	p := prune.New(c, schema, parts)
	for k := range samples {
		a := &action.Add{Path: "sample", PartitionValues: action.PartitionValues{}}
		lo, nulls := map[string]any{}, map[string]int64{}
		for _, ref := range refs {
			f := schema.Fields[ref]
			text, value := sample(f.Type, k)
			if l.isPartition(ref) {
				a.PartitionValues[physical(f)] = &text
			} else {
				lo[physical(f)], nulls[physical(f)] = value, 0
			}
		}
		stats, err := json.Marshal(map[string]any{"numRecords": 1, "minValues": lo, "maxValues": lo, "nullCount": nulls, "tightBounds": true})
		if err != nil {
			return true
		}
		if a.Stats = string(stats); !p.Keep(prune.FileOf(a, schema, parts)).Keep {
			return true
		}
	}
	return false
}

// samples is how many values of each type are tried.
const samples = 4

// sample is a value as partition values and as statistics have it.
func sample(t types.Type, k int) (string, any) {
	switch {
	case types.IsNumeric(t):
		n := [samples]int{0, 1, 100, -7}[k]
		return fmt.Sprint(n), n
	case t.Kind() == types.KindBoolean:
		return fmt.Sprint(k%2 == 0), k%2 == 0
	case t.Kind() == types.KindDate:
		d := [samples]string{"1970-01-01", "1901-02-03", "2024-06-15", "2199-12-31"}[k]
		return d, d
	case t.Kind() == types.KindTimestamp:
		d := [samples]string{"1970-01-01", "1901-02-03", "2024-06-15", "2199-12-31"}[k]
		return d + " 00:00:00", d + "T00:00:00.000Z"
	case t.Kind() == types.KindTimestampNTZ:
		d := [samples]string{"1970-01-01", "1901-02-03", "2024-06-15", "2199-12-31"}[k]
		return d + " 00:00:00", d + "T00:00:00.000"
	}
	s := [samples]string{"a", "Z", "zzzz", "0"}[k]
	return s, s
}
