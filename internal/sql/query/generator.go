package query

import (
	"iter"
	"strconv"
	"strings"

	"github.com/apache/arrow-go/v18/arrow"
	"github.com/apache/arrow-go/v18/arrow/array"

	"github.com/sluicelake/sluice/expr"
	"github.com/sluicelake/sluice/internal/base/columns"
	"github.com/sluicelake/sluice/internal/logic/eval"
	"github.com/sluicelake/sluice/types"
)

// generators are functions that make several rows of one.
var generators = map[string]bool{"explode": true, "explode_outer": true, "posexplode": true, "posexplode_outer": true, "inline": true, "inline_outer": true, "stack": true}

// generatorOf takes an unbound call of a generator.
func generatorOf(e expr.Expr) (*expr.Call, bool) {
	c, ok := e.(*expr.Call)
	return c, ok && generators[c.Fn]
}

// hasGenerator reports whether an unbound expression calls a generator.
func hasGenerator(e expr.Expr) bool {
	found := false
	expr.Walk(e, func(e expr.Expr) bool {
		_, ok := generatorOf(e)
		found = found || ok
		return !found
	})
	return found
}

// generating gives each row of its input once for each row that a generator makes of
// it, with the generator's columns behind its own. With outer, a row of which nothing
// is made stays, with NULL.
type generating struct {
	in    node
	fn    string // without its ending _outer
	args  []expr.Expr
	rows  int // of stack
	outer bool
	made  []types.Field
}

// generated binds a generator over a relation. Its columns are behind those of the
// relation, known by an alias.
func (b *binder) generated(r rel, c *expr.Call, outer bool, as Alias) (rel, error) {
	if !generators[c.Fn] {
		return rel{}, failf("UNSUPPORTED_GENERATOR.NOT_GENERATOR", "LATERAL needs explode, posexplode, inline or stack, not %s", c.Fn)
	}
	n := &generating{in: r.node, fn: strings.TrimSuffix(c.Fn, "_outer"), outer: outer || strings.HasSuffix(c.Fn, "_outer")}
	for _, e := range c.Args {
		if hasAggregate(e) || hasWindow(e) {
			return rel{}, failf("UNSUPPORTED_FEATURE.GENERATOR_OF_AGGREGATE", "the argument of a generator is computed before rows are grouped: compute it in a subquery: %s", c)
		}
		if hasGenerator(e) {
			return rel{}, failf("UNSUPPORTED_GENERATOR.NESTED_IN_EXPRESSIONS", "a generator cannot be the argument of another: %s", c)
		}
		bound, err := b.bind(e, r)
		if err != nil {
			return rel{}, err
		}
		n.args = append(n.args, bound)
	}
	if err := n.typed(b, c); err != nil {
		return rel{}, err
	}
	if len(as.Columns) > 0 && len(as.Columns) != len(n.made) {
		return rel{}, failf("UDTF_ALIAS_NUMBER_MISMATCH", "%s gives %d columns, and %d names are given for them", c, len(n.made), len(as.Columns))
	}
	for i, name := range as.Columns {
		n.made[i].Name = name
	}
	width := len(r.node.fields())
	out := rel{node: n, tables: append(r.tables[:len(r.tables):len(r.tables)], expr.Table{Alias: as.Name, Schema: types.NewStruct(n.made...), Base: width}), star: r.star}
	return out, nil
}

// typed checks the arguments and sets the columns that the generator makes.
func (n *generating) typed(b *binder, c *expr.Call) error {
	if n.fn == "stack" {
		return n.stacked(b, c)
	}
	if len(n.args) != 1 {
		return failf("WRONG_NUM_ARGS.WITHOUT_SUGGESTION", "%s takes one argument: %s", c.Fn, c)
	}
	field := func(name string, t types.Type, null bool) {
		n.made = append(n.made, types.Field{Name: name, Type: t, Nullable: null || n.outer})
	}
	if n.fn == "posexplode" {
		field("pos", types.Integer, false)
	}
	wrong := func(need string) error {
		return failf("DATATYPE_MISMATCH.UNEXPECTED_INPUT_TYPE", "%s needs %s, not %s: %s", c.Fn, need, types.SQL(n.args[0].Type()), c)
	}
	switch t := n.args[0].Type().(type) {
	case *types.Array:
		if n.fn != "inline" {
			field("col", t.Element, t.ContainsNull)
			return nil
		}
		s, ok := t.Element.(*types.Struct)
		if !ok {
			return wrong("an array of structs")
		}
		for _, f := range s.Fields {
			field(f.Name, f.Type, f.Nullable || t.ContainsNull)
		}
		return nil
	case *types.Map:
		if n.fn != "inline" {
			field("key", t.Key, false)
			field("value", t.Value, t.ValueContainsNull)
			return nil
		}
	}
	if n.fn == "inline" {
		return wrong("an array of structs")
	}
	return wrong("an array or a map")
}

// stacked types stack(n, ...): n rows, filled one after the other.
func (n *generating) stacked(b *binder, c *expr.Call) error {
	if len(n.args) < 2 {
		return failf("WRONG_NUM_ARGS.WITHOUT_SUGGESTION", "stack takes a number of rows and their values: %s", c)
	}
	lit, ok := n.args[0].(*expr.Literal)
	rows, isInt := int64(0), false
	if ok {
		rows, isInt = lit.Value.(int64)
	}
	if !isInt || rows < 1 || rows > 1<<20 {
		return failf("DATATYPE_MISMATCH.VALUE_OUT_OF_RANGE", "stack begins with the number of its rows, at least 1: %s", c)
	}
	n.rows, n.args = int(rows), n.args[1:]
	width := (len(n.args) + n.rows - 1) / n.rows
	for i := range width {
		var list []types.Type
		for at := i; at < len(n.args); at += width {
			list = append(list, n.args[at].Type())
		}
		t := b.options.CommonType(list...)
		if t == nil {
			return failf("DATATYPE_MISMATCH.STACK_COLUMN_DIFF_TYPES", "the values of column %d of stack have no common type: %s", i, c)
		}
		for at := i; at < len(n.args); at += width {
			n.args[at] = b.options.Convert(n.args[at], t)
		}
		n.made = append(n.made, types.Field{Name: "col" + strconv.Itoa(i), Type: t, Nullable: true})
	}
	for len(n.args) < width*n.rows {
		n.args = append(n.args, &expr.Literal{T: n.made[len(n.args)%width].Type})
	}
	return nil
}

func (n *generating) fields() []types.Field {
	return append(append([]types.Field(nil), n.in.fields()...), n.made...)
}

func (n *generating) need(cols []bool) {
	below := append([]bool(nil), cols[:len(n.in.fields())]...)
	for _, e := range n.args {
		markRefs(below, e)
	}
	n.in.need(below)
}

func (n *generating) run(r *run) iter.Seq2[batch, error] {
	return func(yield func(batch, error) bool) {
		args, err := r.resolveAll(n.args)
		if err != nil {
			yield(batch{}, err)
			return
		}
		for b, err := range n.in.run(r) {
			var vals []arrow.Array
			if err == nil {
				vals, err = evalAll(args, b)
			}
			for i := range vals {
				if err == nil {
					vals[i], err = conformed(vals[i], n.args[i].Type())
				}
			}
			if err != nil {
				yield(batch{}, err)
				return
			}
			step := n.explode
			if n.fn == "stack" {
				step = n.stack
			}
			for from := 0; from < b.Rows; {
				out, next, err := step(b, vals, from)
				if err != nil || out.Rows > 0 {
					if !yield(out, err) || err != nil {
						return
					}
				}
				from = next
			}
		}
	}
}

// explode makes rows of the elements of arrays and maps, from one row on until the
// batch is full.
func (n *generating) explode(b batch, vals []arrow.Array, from int) (batch, int, error) {
	list, ok := vals[0].(array.ListLike)
	if !ok {
		return batch{}, b.Rows, failf("INTERNAL_ERROR", "%s of %s", n.fn, vals[0].DataType())
	}
	var rows, at, pos []int32
	for ; from < b.Rows && len(rows) < batchRows; from++ {
		start, end := list.ValueOffsets(from)
		if list.IsNull(from) {
			end = start
		}
		for i := start; i < end; i++ {
			rows, at, pos = append(rows, int32(from)), append(at, int32(i)), append(pos, int32(i-start))
		}
		if start == end && n.outer {
			rows, at, pos = append(rows, int32(from)), append(at, -1), append(pos, -1)
		}
	}
	out := take(b, rows)
	if n.fn == "posexplode" {
		p := make([]any, len(pos))
		for i, v := range pos {
			if v >= 0 {
				p[i] = int64(v)
			}
		}
		a, err := columns.FromValues(types.Integer, p...)
		if err != nil {
			return batch{}, from, err
		}
		out.Columns = append(out.Columns, a)
	}
	switch m := list.(type) {
	case *array.Map:
		out.Columns = append(out.Columns, columns.Take(m.Keys(), at), columns.Take(m.Items(), at))
	default:
		col := columns.Take(list.ListValues(), at)
		if n.fn != "inline" {
			out.Columns = append(out.Columns, col)
			break
		}
		t := n.args[0].Type().(*types.Array).Element
		base := &expr.Column{Ref: 0, T: t, Null: true}
		for i, f := range t.(*types.Struct).Fields {
			member, err := eval.Eval(&expr.Field{Base: base, Name: f.Name, Index: i, T: f.Type}, batch{Columns: []arrow.Array{col}, Rows: len(at)})
			if err != nil {
				return batch{}, from, err
			}
			out.Columns = append(out.Columns, member)
		}
	}
	return out, from, nil
}

// stack makes the rows of stack.
func (n *generating) stack(b batch, vals []arrow.Array, from int) (batch, int, error) {
	end := min(b.Rows, from+max(1, batchRows/n.rows))
	rows := make([]int32, 0, (end-from)*n.rows)
	for i := from; i < end; i++ {
		for range n.rows {
			rows = append(rows, int32(i))
		}
	}
	out := take(b, rows)
	for c := range n.made {
		parts := make([]arrow.Array, n.rows)
		for r := range parts {
			parts[r] = vals[r*len(n.made)+c]
		}
		all, err := columns.Concat(parts)
		if err != nil {
			return batch{}, end, err
		}
		at := make([]int32, len(rows))
		for i, row := range rows {
			at[i] = int32(i%n.rows*b.Rows) + row
		}
		out.Columns = append(out.Columns, columns.Take(all, at))
	}
	return out, end, nil
}

// generates puts the generators of a SELECT list below it; their columns stand in their
// place. Each makes its rows of every row that those before it have made.
func (b *binder) generates(sel *Select, in rel) ([]Item, rel, error) {
	var out []Item
	for _, it := range sel.Items {
		if it.Expr == nil || !hasGenerator(it.Expr) {
			if len(it.Names) > 0 {
				return nil, in, failf("MULTI_ALIAS_WITHOUT_GENERATOR", "several names need a generator: %s", it.Expr)
			}
			out = append(out, it)
			continue
		}
		c, ok := generatorOf(it.Expr)
		switch {
		case !ok:
			return nil, in, failf("UNSUPPORTED_GENERATOR.NESTED_IN_EXPRESSIONS", "a generator is a column of the SELECT list by itself: %s", it.Expr)
		case len(sel.Group) > 0 || sel.Sets != nil || sel.GroupAll || sel.Having != nil:
			return nil, in, failf("UNSUPPORTED_FEATURE.GENERATOR_OF_AGGREGATE", "a generator cannot stand beside GROUP BY: group in a subquery: %s", it.Expr)
		}
		names := it.Names
		if it.Alias != "" {
			names = []string{it.Alias}
		}
		width := len(in.node.fields())
		with, err := b.generated(in, c, false, Alias{Columns: names})
		if err != nil {
			return nil, in, err
		}
		in.node = with.node // the names of its columns are no names here
		for i, f := range with.node.fields()[width:] {
			out = append(out, Item{Expr: column(with.node, width+i), Alias: f.Name})
		}
	}
	return out, in, nil
}
