package query

import (
	"fmt"
	"strings"

	"github.com/sluicelake/sluice/expr"
	"github.com/sluicelake/sluice/internal/logic/eval"
	"github.com/sluicelake/sluice/types"
)

// winBase are ordinals that stand for window functions while an expression is bound.
const winBase = 1 << 28

// windowOnly are functions that need OVER, with the most arguments they take.
var windowOnly = map[string]int{"row_number": 0, "rank": 0, "dense_rank": 0, "percent_rank": 0, "cume_dist": 0, "ntile": 1, "lag": 3, "lead": 3, "nth_value": 2}

// windowed is the windows of one SELECT.
type windowed struct {
	named map[string]expr.Over // those of the WINDOW clause, by lower-case name
	sets  []*windowing
	set   []int // by call: its set
	calls map[string]int
}

// hasWindow reports whether an unbound expression calls a window function.
func hasWindow(e expr.Expr) bool {
	found := false
	expr.Walk(e, func(e expr.Expr) bool {
		_, ok := e.(*expr.Window)
		found = found || ok
		return !found
	})
	return found
}

// noWindow refuses window functions in a clause that is computed before them.
func noWindow(clause string, e expr.Expr) error {
	if e != nil && hasWindow(e) {
		return failf("_LEGACY_ERROR_TEMP_1034", "window functions cannot stand in %s: compute them in a subquery, and filter its rows", clause)
	}
	return nil
}

// windows replaces the window functions of an expression by columns, and those that
// tell grouping sets apart.
func (s *selecting) windows(e expr.Expr) (expr.Expr, error) {
	var failed error
	out := replace(e, func(e expr.Expr) expr.Expr {
		if failed != nil {
			return e
		}
		switch x := e.(type) {
		case *expr.Call:
			if _, only := windowOnly[x.Fn]; only {
				failed = failf("WINDOW_FUNCTION_WITHOUT_OVER_CLAUSE", "%s is a function of a window: put OVER (...) behind it", x)
				return e
			}
			if x.Fn == "grouping" || x.Fn == "grouping_id" {
				var c expr.Expr
				if c, failed = s.groupingCall(x); failed == nil {
					return c
				}
				return e
			}
		case *expr.Window:
			c, err := s.window(x)
			if err != nil {
				failed = err
				return e
			}
			return c
		}
		return nil
	})
	return out, failed
}

// over looks up the name of a window.
func (s *selecting) over(o expr.Over) (expr.Over, error) {
	seen := map[string]bool{}
	for o.Name != "" {
		name := strings.ToLower(o.Name)
		if seen[name] {
			return o, failf("_LEGACY_ERROR_TEMP_1011", "the window %s is defined by itself", o.Name)
		}
		seen[name] = true
		base, ok := s.win.named[name]
		if !ok {
			f := failf("MISSING_WINDOW_SPECIFICATION", "the WINDOW clause has no window %s", o.Name)
			for n := range s.win.named {
				f.Candidates = append(f.Candidates, n)
			}
			f.Candidates = expr.Nearest(o.Name, f.Candidates)
			return o, f
		}
		if len(o.Partition)+len(o.Order) > 0 || o.Frame != nil {
			return o, failf("PARSE_SYNTAX_ERROR", "a window is either a name or a definition: OVER (%s)", o)
		}
		o = base
	}
	return o, nil
}

// overs puts the definitions of windows in the place of their names.
func (s *selecting) overs(list []Item) ([]Item, error) {
	var failed error
	out := append([]Item(nil), list...)
	for i, it := range list {
		if it.Expr == nil || !hasWindow(it.Expr) {
			continue
		}
		out[i].Expr = replace(it.Expr, func(e expr.Expr) expr.Expr {
			x, ok := e.(*expr.Window)
			if !ok || x.Over.Name == "" {
				return nil
			}
			o, err := s.over(x.Over)
			if failed == nil {
				failed = err
			}
			return &expr.Window{Fn: x.Fn, Over: o}
		})
	}
	return out, failed
}

// window binds a call over the rows that the SELECT list is computed from.
func (s *selecting) window(x *expr.Window) (expr.Expr, error) {
	o, err := s.over(x.Over)
	if err != nil {
		return nil, err
	}
	x = &expr.Window{Fn: x.Fn, Over: o}
	if x.Fn.Distinct {
		return nil, failf("DISTINCT_WINDOW_FUNCTION_UNSUPPORTED", "a window function cannot take DISTINCT: %s", x)
	}
	if x.Fn.Filter != nil {
		return nil, failf("_LEGACY_ERROR_TEMP_1030", "a window function cannot take FILTER: put the condition into a CASE in its argument: %s", x)
	}
	w := &windowing{}
	nested := false
	bind := func(e expr.Expr) (expr.Expr, error) {
		bound, err := s.bindItem(e)
		if err == nil {
			bound = replace(bound, func(e expr.Expr) expr.Expr { // columns of the SELECT list, in ORDER BY
				if c, ok := e.(*expr.Column); ok && c.Ref >= outBase && c.Ref < aggBase {
					return s.exprs[c.Ref-outBase]
				}
				return nil
			})
			for _, i := range expr.Refs(bound) {
				nested = nested || i >= winBase && i < outBase
			}
		}
		return bound, err
	}
	for _, e := range o.Partition {
		bound, err := bind(e)
		if err != nil {
			return nil, err
		}
		if !keyable(bound.Type()) {
			return nil, failf("EXPRESSION_TYPE_IS_NOT_ORDERABLE", "PARTITION BY cannot compare %s of type %s", e, types.SQL(bound.Type()))
		}
		w.partition = append(w.partition, bound)
	}
	for _, k := range o.Order {
		bound, err := bind(k.Expr)
		if err != nil {
			return nil, err
		}
		w.order = append(w.order, sortKey{expr: bound, desc: k.Desc, nullsFirst: k.NullsFirst})
	}
	if err := checkOrder(w.order); err != nil {
		return nil, err
	}
	c, err := s.windowCall(x, bind, w.order)
	if err != nil {
		return nil, err
	}
	print := w.print()
	key := print + " " + c.print()
	i, known := s.win.calls[key]
	if !known || !c.deterministic() {
		i = len(s.win.set)
		s.win.calls[key] = i
		set := -1
		for k, have := range s.win.sets {
			if !nested && have.print() == print {
				set = k
			}
		}
		if set < 0 {
			set = len(s.win.sets)
			s.win.sets = append(s.win.sets, w)
		}
		s.win.sets[set].calls = append(s.win.sets[set].calls, c)
		c.slot = i
		s.win.set = append(s.win.set, set)
	}
	return &expr.Column{Parts: []string{x.String()}, Ref: winBase + i, T: c.t, Null: c.null}, nil
}

// print is equal for windows whose rows have the same partitions and order.
func (w *windowing) print() string {
	var b strings.Builder
	for _, e := range w.partition {
		b.WriteString(fingerprint(e) + ", ")
	}
	for _, k := range w.order {
		fmt.Fprintf(&b, "by %s %v %v, ", fingerprint(k.expr), k.desc, k.nullsFirst)
	}
	return b.String()
}

func (c *windowCall) print() string {
	var b strings.Builder
	fmt.Fprintf(&b, "%s %v %v %d %d", c.fn, c.ignoreNulls, c.frame, c.offset, c.buckets)
	for _, e := range c.args {
		b.WriteString(", " + fingerprint(e))
	}
	for _, e := range []expr.Expr{c.lowerBound, c.upperBound} {
		if e != nil {
			b.WriteString(" to " + fingerprint(e))
		}
	}
	return b.String()
}

func (c *windowCall) deterministic() bool {
	for _, e := range c.args {
		if !expr.Deterministic(e) {
			return false
		}
	}
	return true
}

// windowCall binds the function of a window.
func (s *selecting) windowCall(x *expr.Window, bind func(expr.Expr) (expr.Expr, error), order []sortKey) (*windowCall, error) {
	c := &windowCall{fn: x.Fn.Fn, ignoreNulls: x.Fn.IgnoreNulls}
	most, only := windowOnly[c.fn]
	if !only {
		if !expr.IsAggregate(c.fn) {
			return nil, failf("UNSUPPORTED_EXPR_FOR_WINDOW", "%s is no function of a window", x.Fn)
		}
		if n, ok := aggregateNames[c.fn]; ok {
			c.fn = n
		}
		if err := s.windowAggregate(c, x, bind); err != nil {
			return nil, err
		}
		return c, s.framed(c, x, order)
	}
	least := 0
	if most > 0 {
		least = 1
	}
	if c.fn == "nth_value" {
		least = 2
	}
	if n := len(x.Fn.Args); n > most || n < least && c.fn != "ntile" {
		return nil, failf("WRONG_NUM_ARGS.WITHOUT_SUGGESTION", "%s does not take %d arguments: %s", c.fn, n, x)
	}
	if c.ignoreNulls && c.fn != "lag" && c.fn != "lead" && c.fn != "nth_value" {
		return nil, failf("INVALID_SQL_SYNTAX.FUNCTION_WITH_UNSUPPORTED_SYNTAX", "%s does not take IGNORE NULLS", c.fn)
	}
	if len(x.Over.Order) == 0 && c.fn != "nth_value" {
		return nil, failf("_LEGACY_ERROR_TEMP_1037", "the window function %s needs ORDER BY in OVER (...)", x.Fn)
	}
	for _, e := range x.Fn.Args {
		bound, err := bind(e)
		if err != nil {
			return nil, err
		}
		c.args = append(c.args, bound)
	}
	c.t = types.Integer
	var err error
	switch c.fn {
	case "percent_rank", "cume_dist":
		c.t = types.Double
	case "ntile":
		c.buckets = 1
		if len(c.args) == 1 {
			if c.buckets, err = s.offset(c.args[0], x); err != nil {
				return nil, err
			}
		}
		if c.args = nil; c.buckets < 1 {
			return nil, failf("DATATYPE_MISMATCH.VALUE_OUT_OF_RANGE", "ntile needs at least one bucket: %s", x)
		}
	case "nth_value":
		c.t, c.null = c.args[0].Type(), true
		if c.offset, err = s.offset(c.args[1], x); err != nil {
			return nil, err
		}
		if c.args = c.args[:1]; c.offset < 1 {
			return nil, failf("DATATYPE_MISMATCH.VALUE_OUT_OF_RANGE", "nth_value counts from 1: %s", x)
		}
		return c, s.framed(c, x, order)
	case "lag", "lead":
		c.t, c.null, c.offset = c.args[0].Type(), true, 1
		if len(c.args) > 1 {
			if c.offset, err = s.offset(c.args[1], x); err != nil {
				return nil, err
			}
			c.args = append(c.args[:1], c.args[2:]...)
		}
		if len(c.args) > 1 {
			c.args[1] = s.options.Convert(c.args[1], c.t)
		}
		if c.fn == "lag" {
			c.offset = -c.offset
		}
		c.fn = "lead"
	}
	if x.Over.Frame != nil && (c.fn == "lead" || *x.Over.Frame != expr.Frame{Rows: true, Upper: expr.Bound{Kind: expr.CurrentRow}}) {
		return nil, failf("_LEGACY_ERROR_TEMP_1036", "the frame of %s cannot be chosen: leave out %s", x.Fn, x.Over.Frame)
	}
	return c, nil
}

// offset is the number of rows that lag, lead, nth_value and ntile take.
func (s *selecting) offset(e expr.Expr, x *expr.Window) (int, error) {
	lit, err := eval.Literal(s.options.Convert(e, types.Integer))
	if len(expr.Refs(e)) > 0 || err == nil && lit.Value == nil {
		return 0, failf("DATATYPE_MISMATCH.NON_FOLDABLE_INPUT", "the number of rows is a constant: %s", x)
	}
	if err != nil {
		return 0, err
	}
	n, ok := lit.Value.(int64)
	if !ok {
		return 0, failf("DATATYPE_MISMATCH.UNEXPECTED_INPUT_TYPE", "the number of rows is an INT: %s", x)
	}
	return int(n), nil
}

// windowAggregate binds an aggregate function over a frame.
func (s *selecting) windowAggregate(c *windowCall, x *expr.Window, bind func(expr.Expr) (expr.Expr, error)) error {
	fn := *x.Fn
	args := fn.Args
	if len(args) == 1 {
		if _, ok := args[0].(*expr.Star); ok {
			args = nil
		}
	}
	fn.Args = fn.Args[:len(fn.Args)-len(args)]
	for _, e := range args {
		bound, err := bind(e)
		if err != nil {
			return err
		}
		fn.Args = append(fn.Args[:len(fn.Args):len(fn.Args)], bound)
	}
	a, err := s.aggregate(&fn, s.in)
	if err != nil {
		return err
	}
	c.agg, c.args, c.t, c.null = a, a.args, a.t, a.null
	if c.fn == "first" || c.fn == "last" {
		p := a.make().(*pick)
		c.ignoreNulls, c.null = p.skipNulls, true
	}
	return nil
}

// framed sets the frame: the one that is written, or that of the order.
func (s *selecting) framed(c *windowCall, x *expr.Window, order []sortKey) error {
	f := x.Over.Frame
	if f == nil {
		c.frame.Upper.Kind = expr.UnboundedFollowing
		if len(order) > 0 {
			c.frame.Upper.Kind = expr.CurrentRow
		}
		c.frame.Rows = len(order) == 0
		return nil
	}
	c.frame = *f
	wrong := func(class, format string, args ...any) error {
		return failf("DATATYPE_MISMATCH."+class, format+": %s", append(args, x)...)
	}
	if !f.Rows && len(order) == 0 {
		return wrong("RANGE_FRAME_WITHOUT_ORDER", "a frame of RANGE needs ORDER BY")
	}
	for _, end := range []struct {
		b    *expr.Bound
		rows *int
		to   *expr.Expr
	}{{&c.frame.Lower, &c.lower, &c.lowerBound}, {&c.frame.Upper, &c.upper, &c.upperBound}} {
		b := end.b
		if b.Kind != expr.Preceding && b.Kind != expr.Following {
			continue
		}
		bound, err := s.bind(b.Offset, rel{})
		if err != nil || len(expr.Refs(bound)) > 0 {
			return failf("_LEGACY_ERROR_TEMP_0064", "the bound of a frame is a constant: %s", b)
		}
		if f.Rows {
			if *end.rows, err = s.offset(bound, x); err != nil || bound.Type() != types.Integer {
				return wrong("SPECIFIED_WINDOW_FRAME_UNACCEPTED_TYPE", "the bound of a frame of ROWS is an INT, not %s", b)
			}
			if b.Kind == expr.Preceding {
				*end.rows = -*end.rows
			}
			continue
		}
		if len(order) > 1 {
			return wrong("RANGE_FRAME_MULTI_ORDER", "a frame of RANGE with a distance needs one sort key")
		}
		if *end.to, err = s.distance(b, bound, order[0], x); err != nil {
			return err
		}
	}
	switch {
	case c.frame.Lower.Kind == expr.UnboundedFollowing, c.frame.Upper.Kind == expr.UnboundedPreceding:
		return wrong("SPECIFIED_WINDOW_FRAME_INVALID_BOUND", "a frame begins before the end of the partition and ends after its beginning")
	case f.Rows && c.frame.Lower.Offset != nil && c.frame.Upper.Offset != nil && c.lower > c.upper,
		c.frame.Lower.Kind == expr.Following && c.frame.Upper.Kind == expr.Preceding:
		return wrong("SPECIFIED_WINDOW_FRAME_WRONG_COMPARISON", "the frame ends before it begins")
	}
	return nil
}

// distance is the sort key of a row moved to the end of its frame.
func (s *selecting) distance(b *expr.Bound, by expr.Expr, k sortKey, x *expr.Window) (expr.Expr, error) {
	invalid := func() error {
		return failf("DATATYPE_MISMATCH.RANGE_FRAME_INVALID_TYPE", "a sort key of type %s has no distance of type %s: %s", types.SQL(k.expr.Type()), types.SQL(by.Type()), x)
	}
	t := k.expr.Type()
	switch {
	case types.IsNumeric(t) && types.IsNumeric(by.Type()):
		by = s.options.Convert(by, t)
	case types.IsNumeric(t) || t == types.String || t == types.Boolean:
		return nil, failf("DATATYPE_MISMATCH.SPECIFIED_WINDOW_FRAME_UNACCEPTED_TYPE", "a sort key of type %s has no distance of type %s: %s", types.SQL(t), types.SQL(by.Type()), x)
	case t == types.Date && types.IsIntegral(by.Type()):
	case types.IsNumeric(by.Type()):
		return nil, invalid()
	}
	op := "+"
	if (b.Kind == expr.Preceding) != k.desc {
		op = "-"
	}
	bound, err := expr.Bind(&expr.Call{Fn: op, Args: []expr.Expr{k.expr, by}}, expr.Scope{Options: s.options})
	if err != nil {
		return nil, invalid()
	}
	return s.options.Convert(bound, t), nil
}

// placed puts the nodes of the windows above a node and says where their columns are.
func (s *selecting) placed(n node) (node, func(expr.Expr) expr.Expr) {
	if len(s.win.sets) == 0 {
		return n, func(e expr.Expr) expr.Expr { return e }
	}
	base := len(n.fields())
	at := make([]int, len(s.win.set))
	for _, w := range s.win.sets {
		for _, c := range w.calls {
			at[c.slot] = base
			base++
		}
	}
	move := func(e expr.Expr) expr.Expr {
		return replace(e, func(e expr.Expr) expr.Expr {
			if c, ok := e.(*expr.Column); ok && c.Ref >= winBase && c.Ref < outBase {
				d := *c
				d.Ref = at[c.Ref-winBase]
				return &d
			}
			return nil
		})
	}
	for _, w := range s.win.sets {
		w.in = n
		for i := range w.partition {
			w.partition[i] = move(w.partition[i])
		}
		for i := range w.order {
			w.order[i].expr = move(w.order[i].expr)
		}
		for _, c := range w.calls {
			for i := range c.args {
				c.args[i] = move(c.args[i])
			}
			c.lowerBound, c.upperBound = move(c.lowerBound), move(c.upperBound)
		}
		n = w
	}
	return n, move
}
