package session

import (
	"context"
	"errors"
	"strings"

	"github.com/sluicelake/sluice/expr"
	"github.com/sluicelake/sluice/internal/logic/eval"
	"github.com/sluicelake/sluice/internal/sql/parse"
	"github.com/sluicelake/sluice/internal/sql/query"
	"github.com/sluicelake/sluice/internal/table/feature"
	"github.com/sluicelake/sluice/internal/table/snapshot"
	"github.com/sluicelake/sluice/internal/verbs/insert"
	"github.com/sluicelake/sluice/types"
)

// insert is INSERT INTO and INSERT OVERWRITE.
func (x *execution) insert(ctx context.Context, st *parse.Insert) (*Result, error) {
	return x.until(func() (*Result, error) { return x.insertOnce(ctx, st) })
}

func (x *execution) insertOnce(ctx context.Context, st *parse.Insert) (*Result, error) {
	l, err := x.target(ctx, st.Target)
	if err != nil {
		return nil, err
	}
	read := x.snapshot
	if !st.Overwrite && st.Where == nil {
		read = x.head
	}
	s, err := read(ctx, l)
	if err != nil {
		return nil, err
	}
	static, err := x.static(st, s)
	if err != nil {
		return nil, err
	}
	in := &intoTable{x: x, st: st, static: static, table: s.Schema(),
		evolve: st.Evolve || x.conf.on(autoMerge), widen: feature.TypeWidening(s.Metadata())}
	src, err := in.source(ctx)
	if err != nil {
		return nil, err
	}
	o := insert.Options{Options: x.merging(), MergeSchema: in.evolve}
	o.Snapshot, o.ReadsItself, o.Unchecked = s, x.reads(l), !x.conf.on(replaceCheck)
	o.CopyRows, o.FileSize = !x.conf.on(deleteMarks), x.fileSize(s)
	switch {
	case st.Where != nil:
		o.Mode, o.Where = insert.ReplaceWhere, st.Where
	case !st.Overwrite:
	case strings.EqualFold(x.conf.get(overwriteMode), "dynamic") && len(s.PartitionColumns()) > len(static):
		o.Mode = insert.Dynamic
	case len(static) > 0:
		o.Mode, o.Where = insert.ReplaceWhere, condition(static)
	default:
		o.Mode = insert.Overwrite
	}
	if o.Mode == insert.ReplaceWhere && feature.AppendOnly(s.Metadata()) {
		return nil, refuse("DELTA_CANNOT_MODIFY_APPEND_ONLY", "%s is append-only (delta.appendOnly=true): its rows cannot be replaced", l.Bucket().URL())
	}
	res, err := insert.Run(ctx, l, src, o)
	if err != nil {
		return nil, err
	}
	if res.Commit.Again {
		return x.again(res.Commit), nil
	}
	return counted(committed("WRITE", res.Commit), []string{"num_affected_rows", "num_inserted_rows"}, res.Rows, res.Rows)
}

// fixed is a partition column with the value that PARTITION gives it.
type fixed struct {
	ordinal int
	column  string
	value   expr.Expr // bound, of the column's type
}

// static reads the values of PARTITION.
func (x *execution) static(st *parse.Insert, s *snapshot.Snapshot) ([]fixed, error) {
	var out []fixed
	for _, p := range st.Partition {
		name := ""
		for _, c := range s.PartitionColumns() {
			if strings.EqualFold(c, p.Column) {
				name = c
			}
		}
		if name == "" {
			return nil, refuse("NON_PARTITION_COLUMN", "the table is not partitioned by %s; its partition columns: %s", types.QuoteIdentifier(p.Column), strings.Join(s.PartitionColumns(), ", "))
		}
		if p.Value == nil {
			continue
		}
		i := s.Schema().Index(name)
		v, err := expr.BindAssign(p.Value, expr.Scope{Options: x.options}, s.Schema().Fields[i].Type, name)
		if err != nil {
			return nil, err
		}
		out = append(out, fixed{i, name, expr.Fold(v, eval.Literal)})
	}
	return out, nil
}

// condition selects the rows of a partition.
func condition(static []fixed) expr.Expr {
	var parts []expr.Expr
	for _, f := range static {
		parts = append(parts, &expr.Call{Fn: "<=>", Args: []expr.Expr{expr.NewColumn(f.column), f.value}})
	}
	return expr.And(parts...)
}

// intoTable lays the columns of a query out as those of a table.
type intoTable struct {
	x      *execution
	st     *parse.Insert
	static []fixed
	table  *types.Struct
	evolve bool
	widen  bool
}

// goal is where the columns of the query go: ordinals of the table.
func (in *intoTable) goal() ([]int, error) {
	given := map[int]bool{}
	for _, f := range in.static {
		given[f.ordinal] = true
	}
	var out []int
	if len(in.st.Columns) == 0 {
		for i := range in.table.Fields {
			if !given[i] {
				out = append(out, i)
			}
		}
		return out, nil
	}
	scope := expr.Scope{Tables: []expr.Table{{Schema: in.table}}}
	for _, name := range in.st.Columns {
		e, err := expr.Bind(expr.NewColumn(name), scope)
		if err != nil {
			return nil, err
		}
		i := e.(*expr.Column).Ref
		if given[i] {
			return nil, refuse("COLUMN_ALREADY_EXISTS", "the column %s is given twice", types.QuoteIdentifier(name))
		}
		given[i] = true
		out = append(out, i)
	}
	return out, nil
}

// source binds the query and says what each column of the table gets.
func (in *intoTable) source(ctx context.Context) (*assigned, error) {
	goal, err := in.goal()
	if err != nil {
		return nil, err
	}
	q := in.st.Query
	if !in.st.ByName {
		var generated map[int]bool
		q, generated = defaulted(q, goal, in.table)
		kept := goal[:0:0]
		for i, g := range goal {
			if !generated[i] {
				kept = append(kept, g)
			}
		}
		goal = kept
	}
	bind := func(ctx context.Context) (*query.Plan, error) { return query.Bind(ctx, q, in.x, in.x.options) }
	plan, err := bind(ctx)
	if err != nil {
		return nil, err
	}
	a := &assigned{x: in.x, plan: plan, bind: bind, schema: &types.Struct{}}
	if err := in.assign(a, plan.Schema(), goal); err != nil {
		return nil, err
	}
	for _, f := range in.static {
		a.add(in.table.Fields[f.ordinal].Name, f.value)
	}
	return a, nil
}

// assign gives each column of the query its place and type.
func (in *intoTable) assign(a *assigned, from *types.Struct, goal []int) error {
	n := len(from.Fields)
	arity := func(class, which string, want int) error {
		return refuse(class, "%s: the query gives %d columns (%s) for the %d columns %s", which, n, strings.Join(from.Names(), ", "), want, strings.Join(in.names(goal), ", "))
	}
	switch {
	case in.st.ByName && n > len(goal) && !in.evolve:
		return arity("INSERT_COLUMN_ARITY_MISMATCH.TOO_MANY_DATA_COLUMNS", "too many columns", len(goal))
	case len(in.st.Columns) > 0 && n > len(goal):
		return arity("INSERT_COLUMN_ARITY_MISMATCH.TOO_MANY_DATA_COLUMNS", "too many columns", len(goal))
	case len(in.st.Columns) > 0 && n < len(goal):
		return arity("INSERT_COLUMN_ARITY_MISMATCH.NOT_ENOUGH_DATA_COLUMNS", "not enough columns", len(goal))
	case !in.st.ByName && n < len(goal):
		return arity("DELTA_INSERT_COLUMN_ARITY_MISMATCH", "not enough columns", len(goal))
	}
	seen := map[string]bool{}
	for i, f := range from.Fields {
		value := &expr.Column{Parts: []string{f.Name}, Ref: i, T: f.Type, Null: f.Nullable}
		to, ok := in.place(i, f.Name, goal)
		name := f.Name
		if ok {
			name = in.table.Fields[to].Name
		}
		if low := strings.ToLower(name); seen[low] {
			return refuse("DELTA_DUPLICATE_COLUMNS_FOUND", "two columns of the query are called %s", types.QuoteIdentifier(name))
		} else {
			seen[low] = true
		}
		if !ok {
			a.add(name, value)
			continue
		}
		v, err := in.stored(value, in.table.Fields[to])
		if err != nil {
			return err
		}
		a.add(name, v)
	}
	return nil
}

func (in *intoTable) names(ordinals []int) []string {
	out := make([]string, len(ordinals))
	for i, o := range ordinals {
		out[i] = in.table.Fields[o].Name
	}
	return out
}

// place is the column of the table for a column of the query; ok is false when
// the table has none.
func (in *intoTable) place(i int, name string, goal []int) (int, bool) {
	if !in.st.ByName {
		if i < len(goal) {
			return goal[i], true
		}
		return 0, false
	}
	to := in.table.Index(name)
	return to, to >= 0
}

// stored converts a value to a column's type, unless the schema follows the rows.
func (in *intoTable) stored(value *expr.Column, f types.Field) (expr.Expr, error) {
	follows := func(from, to types.Type) bool {
		return in.evolve && (types.IsNested(to) && types.IsNested(from) || in.widen && feature.Wider(to, from) != nil)
	}
	if !in.st.ByName {
		return expr.StoreByPlace(value, f.Type, f.Name, follows, in.x.options)
	}
	v, err := expr.AssignByName(value, f.Type, f.Name, false, in.x.options)
	var lacks *expr.BindError
	if follows(value.T, f.Type) && !(errors.As(err, &lacks) && lacks.Class == "DELTA_INSERT_COLUMN_ARITY_MISMATCH") {
		return value, nil
	}
	return v, err
}
