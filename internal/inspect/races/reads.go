package races

import (
	"encoding/json"
	"strings"

	"github.com/sluicelake/sluice/action"
	"github.com/sluicelake/sluice/expr"
	"github.com/sluicelake/sluice/internal/logic/prune"
	"github.com/sluicelake/sluice/internal/table/conflict"
	"github.com/sluicelake/sluice/internal/table/snapshot"
	"github.com/sluicelake/sluice/types"
)

// Reading is what a committed statement must have read, as far as its
// commitInfo tells.
type Reading struct {
	Clause string `json:"clause"`
	// Condition is "" for every row.
	Condition string `json:"condition"`
	// Known is false when the condition is recorded in words that cannot be
	// understood, or not at all: then every row is taken to have been read.
	Known bool `json:"known"`
}

// reads collects what a statement read, by the rules of one engine.
type reads struct {
	at    *snapshot.Snapshot
	list  []conflict.Read
	whole bool
	said  []Reading
}

func (r *reads) add(clause string, e expr.Expr, known bool) {
	r.list = append(r.list, conflict.Read{Clause: clause, Predicate: e})
	text := ""
	if e != nil {
		text = e.String()
	}
	r.said = append(r.said, Reading{Clause: clause, Condition: text, Known: known})
}

// conditions reads a recorded predicate; none is every row.
func (r *reads) conditions(clause, text string) {
	list := recorded(text)
	if len(list) == 0 || len(list) == 1 && strings.EqualFold(strings.Trim(list[0], "()"), "true") {
		r.add(clause, nil, true)
		return
	}
	var parts []expr.Expr
	for _, one := range list {
		e, ok := understood(one, r.at.Schema())
		if !ok {
			r.add(clause, nil, false)
			r.said[len(r.said)-1].Condition = one
			return
		}
		parts = append(parts, e)
	}
	r.add(clause, expr.And(parts...), true)
}

// readsOf works out what a commit's statement read: under the reference's rules,
// or under sluice's.
func readsOf(at *snapshot.Snapshot, acts []action.Action, m conflict.Mode) *reads {
	r := &reads{at: at}
	w := conflict.Winner{Actions: acts}
	info := w.Info()
	p := func(name string) string { return plainText(info.OperationParameters[name]) }
	if info.IsBlindAppend != nil && *info.IsBlindAppend {
		return r
	}
	switch op := info.Operation; {
	case op == "MERGE":
		r.merge(p("predicate"), p("notMatchedBySourcePredicates"), m)
	case op == "DELETE" || op == "UPDATE":
		r.conditions("WHERE", p("predicate"))
	case op == "OPTIMIZE" || op == "REORG":
		r.conditions("WHERE", p("predicate"))
	case op == "TRUNCATE", strings.HasPrefix(op, "RESTORE"), strings.HasPrefix(op, "CLONE"), strings.HasPrefix(op, "REPLACE"), strings.HasPrefix(op, "CREATE OR REPLACE"):
		r.whole = true
		r.add("the whole table", nil, true)
	case op == "ADD CONSTRAINT":
		r.add("the constraint's check of every row", nil, true)
	case op == "WRITE" || op == "STREAMING UPDATE":
		r.write(p, acts)
	}
	return r
}

func (r *reads) merge(on, bySource string, m conflict.Mode) {
	var clauses []struct {
		Predicate string `json:"predicate"`
	}
	_ = json.Unmarshal([]byte(bySource), &clauses)
	if len(clauses) > 0 && m == conflict.Reference {
		r.whole = true
		r.add("WHEN NOT MATCHED BY SOURCE", nil, true)
		return
	}
	for _, c := range clauses {
		if c.Predicate == "" {
			r.whole = true
			r.add("WHEN NOT MATCHED BY SOURCE", nil, true)
			continue
		}
		e, ok := understood(c.Predicate, r.at.Schema())
		r.add("WHEN NOT MATCHED BY SOURCE", e, ok)
	}
	text := on
	if list := recorded(on); len(list) == 1 {
		text = list[0]
	}
	e, ok := overTarget(text, r.at.Schema())
	r.add("ON", e, ok)
	if !ok {
		r.said[len(r.said)-1].Condition = text
	}
}

func (r *reads) write(p func(string) string, acts []action.Action) {
	switch {
	case strings.EqualFold(p("isDynamicPartitionOverwrite"), "true"):
		r.add("dynamic partition overwrite", r.partitions(acts), true)
	case strings.EqualFold(p("mode"), "Overwrite") && p("predicate") != "":
		r.conditions("REPLACE WHERE", p("predicate"))
	case strings.EqualFold(p("mode"), "Overwrite") || strings.EqualFold(p("outputMode"), "Complete"):
		r.add("overwrite", nil, true)
	case removes(acts):
		r.add("the files that it replaced", nil, false)
	default:
		r.add("its query, which read the table", nil, false)
	}
}

func removes(acts []action.Action) bool {
	for _, a := range acts {
		if _, ok := a.(*action.Remove); ok {
			return true
		}
	}
	return false
}

// partitions is the condition of those partitions that the commit adds to.
func (r *reads) partitions(acts []action.Action) expr.Expr {
	seen := map[string]bool{}
	var any []expr.Expr
	for _, a := range acts {
		x, ok := a.(*action.Add)
		if name := ""; ok {
			if name = conflict.PartitionText(x.PartitionValues); seen[name] {
				continue
			}
			seen[name] = true
			f := prune.FileOf(x, r.at.Schema(), r.at.PartitionColumns())
			var all []expr.Expr
			for i, col := range r.at.PartitionColumns() {
				value, null := f.Partition(i)
				lit := &expr.Literal{T: types.String}
				if !null {
					lit.Value = value
				}
				field, _ := r.at.Schema().Field(col)
				all = append(all, &expr.Call{Fn: "<=>", Args: []expr.Expr{expr.NewColumn(col), &expr.Cast{Arg: lit, To: field.Type}}})
			}
			if len(all) > 0 {
				any = append(any, expr.And(all...))
			}
		}
	}
	if len(any) == 0 {
		return nil
	}
	e, err := expr.Bind(expr.Or(any...), expr.Scope{Tables: []expr.Table{{Name: "t", Schema: r.at.Schema()}}})
	if err != nil {
		return nil
	}
	return e
}
