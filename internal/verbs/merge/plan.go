package merge

import (
	"errors"
	"strings"

	"github.com/sluicelake/sluice/expr"
	"github.com/sluicelake/sluice/internal/logic/eval"
	"github.com/sluicelake/sluice/internal/rows/derive"
	"github.com/sluicelake/sluice/types"
)

// Plan is a Spec bound to the target's and the source's schema. Target columns
// have the ordinals 0..nt-1, source columns nt..nt+ns-1.
type Plan struct {
	spec           Spec
	target, source *types.Struct
	known          *types.Struct // target less the columns that the statement adds: the names that it can use
	nt             int
	evolved        bool // target is not the table's schema yet
	copies         bool // rows are not marked in deletion vectors

	on          expr.Expr
	keys        []key       // t.expr = s.expr
	targetConds []expr.Expr // conjuncts of ON over the target alone
	sourceConds []expr.Expr // conjuncts of ON over the source alone
	residual    expr.Expr   // the rest of ON; nil when there is none

	matched, notMatched, bySource []clause
	clauses                       []clause // by index
}

// key is one equality of ON between an expression of each side.
type key struct {
	target, source expr.Expr
	nullSafe       bool
}

// clause is a bound Clause. values has an expression for each target column.
type clause struct {
	index  int32
	kind   Kind
	action Action
	cond   expr.Expr
	values []expr.Expr
}

// NewPlan binds a MERGE. It does no I/O. Another schema that the table is to
// have afterwards may be given; Spec.Evolve finds one by itself.
func NewPlan(spec Spec, target, source *types.Struct, o expr.Options, to ...*types.Struct) (*Plan, error) {
	if len(spec.Clauses) == 0 {
		return nil, refuse("DELTA_MERGE_MISSING_WHEN", "a MERGE needs at least one WHEN clause")
	}
	last := map[Kind]int{}
	for i, c := range spec.Clauses {
		last[c.Kind] = i
	}
	for i, c := range spec.Clauses {
		if c.Cond == nil && i != last[c.Kind] {
			class := [...]string{"NON_LAST_MATCHED_CLAUSE_OMIT_CONDITION", "NON_LAST_NOT_MATCHED_BY_TARGET_CLAUSE_OMIT_CONDITION",
				"NON_LAST_NOT_MATCHED_BY_SOURCE_CLAUSE_OMIT_CONDITION"}[c.Kind]
			return nil, refuse(class, "clause %d (%s) has no condition and is not the last of its kind: the clauses behind it would never apply", i+1, c.Kind)
		}
	}
	p := &Plan{spec: spec, target: target, source: source}
	if err := p.evolve(to...); err != nil {
		return nil, err
	}
	p.nt = len(p.target.Fields)
	p.known = &types.Struct{Fields: p.target.Fields[:len(target.Fields)]}
	target = p.known
	b := binder{p: p, o: o,
		t: expr.Table{Alias: spec.TargetAlias, Name: "target", Schema: target, Base: 0},
		s: expr.Table{Alias: spec.SourceAlias, Name: "source", Schema: source, Base: p.nt}}
	if err := b.on(spec.On); err != nil {
		return nil, err
	}
	for i, c := range spec.Clauses {
		bound, err := b.clause(int32(i), c)
		if err != nil {
			return nil, err
		}
		p.clauses = append(p.clauses, bound)
		switch c.Kind {
		case Matched:
			p.matched = append(p.matched, bound)
		case NotMatched:
			p.notMatched = append(p.notMatched, bound)
		case NotMatchedBySource:
			p.bySource = append(p.bySource, bound)
		}
	}
	if err := b.refused.first(); err != nil {
		return nil, err
	}
	return p, nil
}

// binder binds the parts of one statement.
type binder struct {
	p    *Plan
	o    expr.Options
	t, s expr.Table

	refused refusals
}

func (b *binder) bind(e expr.Expr, where string, tables ...expr.Table) (expr.Expr, error) {
	bound, err := expr.Bind(e, expr.Scope{Tables: tables, Options: b.o})
	if err != nil {
		return nil, b.fail(where, err)
	}
	if k := bound.Type().Kind(); where != "" && k != types.KindBoolean && k != types.KindVoid {
		return nil, refuse(b.notBoolean(where), "%s: %s is %s, a condition must be boolean", where, e, bound.Type())
	}
	return expr.Fold(bound, eval.Literal), nil
}

// notBoolean is the class of a condition that is none.
func (b *binder) notBoolean(where string) string {
	switch {
	case b.p.spec.On == nil:
		return "DATATYPE_MISMATCH.FILTER_NOT_BOOLEAN"
	case where == "ON":
		return "JOIN_CONDITION_IS_NOT_BOOLEAN_TYPE"
	}
	return "CANNOT_UP_CAST_DATATYPE"
}

// ClauseError says in which part of the statement binding failed.
type ClauseError struct {
	Where string
	Err   error
}

func (e *ClauseError) Error() string { return e.Where + ": " + e.Err.Error() }

// Unwrap returns the binding error.
func (e *ClauseError) Unwrap() error { return e.Err }

func inClause(where string, err error) error {
	if where == "" || err == nil {
		return err
	}
	return &ClauseError{Where: where, Err: err}
}

// fail gives a binding error the class that the statement has for it.
func (b *binder) fail(where string, err error) error {
	var e *expr.BindError
	text := err.Error()
	value := where != "ON" && !strings.HasSuffix(where, " AND")
	if errors.As(err, &e) {
		text = strings.TrimPrefix(e.Error(), "["+e.Class+"] ")
	}
	switch {
	case !errors.As(err, &e):
	case strings.HasPrefix(e.Class, "UNSUPPORTED_SUBQUERY"):
		return refuse("DELTA_UNSUPPORTED_SUBQUERY", "%s: %s", where, text)
	case e.Class == "MISSING_GROUP_BY" && (b.p.spec.On == nil || value), e.Class == "UNSUPPORTED_EXPR_FOR_WINDOW":
		return refuse("UNSUPPORTED_EXPR_FOR_OPERATOR", "%s: %s", where, text)
	case e.Class == "UNSUPPORTED_GENERATOR.NESTED_IN_EXPRESSIONS":
		return refuse("UNSUPPORTED_GENERATOR.OUTSIDE_SELECT", "%s: %s", where, text)
	case e.Class == "MISSING_GROUP_BY":
		return refuse("DELTA_AGGREGATION_NOT_SUPPORTED", "%s: %s", where, text)
	case b.p.spec.On != nil && strings.HasPrefix(e.Class, "UNRESOLVED_COLUMN"):
		return refuse("DELTA_MERGE_UNRESOLVED_EXPRESSION", "%s: %s", where, text)
	}
	return inClause(where, err)
}

func (b *binder) on(e expr.Expr) error {
	if e == nil {
		return nil // UPDATE and DELETE have no ON
	}
	on, err := b.bind(e, "ON", b.t, b.s)
	if err != nil {
		return err
	}
	if !expr.Deterministic(on) {
		return refuse("DELTA_NON_DETERMINISTIC_FUNCTION_NOT_SUPPORTED", "ON must give the same answer each time: %s", e)
	}
	p := b.p
	p.on = on
	var rest []expr.Expr
	for _, c := range expr.Conjuncts(on) {
		t, s := p.sides(c)
		k, isKey := p.keyOf(c)
		switch {
		case isKey:
			p.keys = append(p.keys, k)
		case t && !s:
			p.targetConds = append(p.targetConds, c)
		case s && !t:
			p.sourceConds = append(p.sourceConds, c)
		default:
			rest = append(rest, c)
		}
	}
	if len(rest) > 0 {
		p.residual = expr.And(rest...)
	}
	return nil
}

// sides tells which relations an expression refers to.
func (p *Plan) sides(e expr.Expr) (target, source bool) {
	for _, ref := range expr.Refs(e) {
		if ref < p.nt {
			target = true
		} else {
			source = true
		}
	}
	return target, source
}

// keyOf recognises an equality between the two sides over types that hash.
func (p *Plan) keyOf(e expr.Expr) (key, bool) {
	c, ok := e.(*expr.Call)
	if !ok || len(c.Args) != 2 || (c.Fn != "=" && c.Fn != "<=>") {
		return key{}, false
	}
	x, y := c.Args[0], c.Args[1]
	if k := x.Type().Kind(); k == types.KindVoid || k == types.KindVariant || types.IsNested(x.Type()) {
		return key{}, false
	}
	xt, xs := p.sides(x)
	yt, ys := p.sides(y)
	switch {
	case xt && !xs && ys && !yt:
		return key{target: x, source: y, nullSafe: c.Fn == "<=>"}, true
	case xs && !xt && yt && !ys:
		return key{target: y, source: x, nullSafe: c.Fn == "<=>"}, true
	}
	return key{}, false
}

// names are what people call a clause and its condition: UPDATE and DELETE have
// one clause, which they do not see as such.
func (b *binder) names(c Clause) (action, cond string) {
	if b.p.spec.On == nil {
		return "SET", "WHERE"
	}
	return c.Kind.String(), c.Kind.String() + " AND"
}

func (b *binder) clause(index int32, c Clause) (clause, error) {
	out := clause{index: index, kind: c.Kind, action: c.Action}
	scope := map[Kind][]expr.Table{Matched: {b.t, b.s}, NotMatched: {b.s}, NotMatchedBySource: {b.t}}[c.Kind]
	where, when := b.names(c)
	var err error
	if c.Cond != nil {
		if out.cond, err = b.bind(c.Cond, when, scope...); err != nil {
			return clause{}, err
		}
		if !expr.Deterministic(out.cond) {
			const text = "%s: a condition must give the same answer each time: %s"
			if b.p.spec.On != nil {
				return clause{}, refuse("DELTA_NON_DETERMINISTIC_FUNCTION_NOT_SUPPORTED", text, when, c.Cond)
			}
			b.refused.late(refuse("INVALID_NON_DETERMINISTIC_EXPRESSIONS", text, when, c.Cond))
		}
	}
	valid := c.Action == Delete && c.Kind != NotMatched || (c.Action == Update || c.Action == UpdateAll) && c.Kind != NotMatched ||
		(c.Action == Insert || c.Action == InsertAll) && c.Kind == NotMatched
	if !valid || (c.Action == UpdateAll && c.Kind == NotMatchedBySource) {
		return clause{}, refuse("PARSE_SYNTAX_ERROR", "%s cannot %s", where, strings.ToUpper(c.Action.String()))
	}
	switch c.Action {
	case UpdateAll, InsertAll:
		out.values, err = b.all(c)
	case Update, Insert:
		out.values, err = b.assigned(c, scope)
	}
	return out, err
}

// all resolves UPDATE SET * and INSERT *: each target column by name in the source.
func (b *binder) all(c Clause) ([]expr.Expr, error) {
	values := make([]expr.Expr, b.p.nt)
	for i, f := range b.p.target.Fields {
		j := b.p.source.Index(f.Name)
		is, _ := derive.IsIdentity(f)
		if j < 0 && (b.p.spec.Evolve || is) {
			continue
		}
		if j < 0 {
			return nil, refuse("DELTA_MERGE_UNRESOLVED_EXPRESSION", "cannot resolve %s in %s given columns %s of the source",
				types.QuoteIdentifier(f.Name), c, strings.Join(b.p.source.Names(), ", "))
		}
		col := &expr.Column{Parts: []string{b.p.source.Fields[j].Name}, Ref: -1}
		if err := identityGiven(c, f); err != nil {
			return nil, err
		}
		bound, err := expr.Bind(col, expr.Scope{Tables: []expr.Table{b.s}, Options: b.o})
		if err != nil {
			return nil, b.fail(c.Kind.String(), err)
		}
		var v expr.Expr
		if c.Action == UpdateAll && b.p.spec.Evolve {
			v, err = b.spread(bound, &expr.Column{Parts: []string{b.targetName(), f.Name}, Ref: i, T: f.Type, Null: true}, f)
		} else {
			v, err = b.stored(bound, f)
		}
		if err != nil {
			b.refused.late(b.fail(c.Kind.String(), err))
			v = &expr.Literal{T: f.Type}
		}
		values[i] = v
	}
	if b.refused.any() {
		return values, nil
	}
	return values, inClause(c.Kind.String(), b.derive(c.Action, values))
}

// insertOnly reports a MERGE that only inserts: matches need not be unique.
func (p *Plan) insertOnly() bool { return len(p.matched) == 0 && len(p.bySource) == 0 }

// manyMatches reports whether a target row may match several source rows: when
// nothing is updated from them, or when the only matched clause deletes
// unconditionally (delta-semantics: multiple-match rule).
func (p *Plan) manyMatches() bool {
	if p.insertOnly() {
		return true
	}
	return len(p.matched) == 1 && p.matched[0].action == Delete && p.matched[0].cond == nil
}

// anyMatched says whether any matched clause takes a pair; nil when one has no
// condition.
func (p *Plan) anyMatched() expr.Expr {
	var conds []expr.Expr
	for _, c := range p.matched {
		if c.cond == nil {
			return nil
		}
		conds = append(conds, c.cond)
	}
	if len(conds) == 0 {
		return nil
	}
	return expr.Or(conds...)
}

// everyRow reports whether a NOT MATCHED BY SOURCE clause without a condition
// makes every row of the table matter.
func (p *Plan) everyRow() bool {
	for _, c := range p.bySource {
		if c.cond == nil {
			return true
		}
	}
	return false
}

// probes reports whether rows have to be matched against the source at all.
func (p *Plan) probes() bool { return p.on != nil }
