package alter

import (
	"context"
	"encoding/json"
	"strings"

	"github.com/sluicelake/sluice/expr"
	"github.com/sluicelake/sluice/internal/table/conflict"
	"github.com/sluicelake/sluice/internal/verbs/create"
	"github.com/sluicelake/sluice/internal/verbs/read"
	"github.com/sluicelake/sluice/types"
)

// AddConstraint is ADD CONSTRAINT name CHECK (condition): every row must satisfy
// it from now on, and every row that is there already does.
type AddConstraint struct {
	Name string
	// Check is the condition as SQL, which the table keeps.
	Check string
}

// constraintPrefix begins the properties that hold conditions.
const constraintPrefix = "delta.constraints."

func (c AddConstraint) apply(ctx context.Context, d *draft) error {
	key := constraintPrefix + strings.ToLower(c.Name)
	if old, ok := d.constraint(key); ok {
		return refuse("DELTA_CONSTRAINT_ALREADY_EXISTS", "there is a constraint %s already (%s): drop it first", types.QuoteIdentifier(c.Name), old)
	}
	bound, err := create.BindCheck(c.Name, c.Check, d.schema, d.o.Expr)
	if err != nil {
		return err
	}
	e, err := expr.Parse(c.Check)
	if err != nil {
		return err
	}
	broken := &expr.Call{Fn: "not", Args: []expr.Expr{&expr.Call{Fn: "<=>", Args: []expr.Expr{e, &expr.Literal{Value: true, T: types.Boolean}}}}}
	p, err := read.NewPlan(d.snap, read.Spec{Where: broken, Columns: []string{}, Limit: -1, Options: d.o.Expr})
	if err != nil {
		return err
	}
	n, err := p.Count(ctx, d.snap.Env())
	if err != nil {
		return err
	}
	if n > 0 {
		return refuse("DELTA_NEW_CHECK_CONSTRAINT_VIOLATION", "%d rows of %s violate the new constraint %s (%s): change or delete them first", n, d.snap.Bucket().URL(), types.QuoteIdentifier(c.Name), bound)
	}
	d.reads = []conflict.Read{{Clause: "ADD CONSTRAINT", Predicate: p.Where()}}
	d.md.Configuration[key] = c.Check
	d.describe("ADD CONSTRAINT", map[string]json.RawMessage{"name": text(c.Name), "expr": text(c.Check)})
	return nil
}

// constraint finds a constraint by its property, whose case does not matter.
func (d *draft) constraint(key string) (string, bool) {
	for k, v := range d.md.Configuration {
		if strings.EqualFold(k, key) {
			return v, true
		}
	}
	return "", false
}

// DropConstraint is DROP CONSTRAINT.
type DropConstraint struct {
	Name     string
	IfExists bool // passes over a constraint that is not there
}

func (c DropConstraint) apply(_ context.Context, d *draft) error {
	key := constraintPrefix + c.Name
	old, ok := d.constraint(key)
	parameters := map[string]json.RawMessage{"name": text(c.Name), "existed": text("false")}
	switch {
	case ok:
		parameters["expr"], parameters["existed"] = text(old), text("true")
	case !c.IfExists:
		return refuse("DELTA_CONSTRAINT_DOES_NOT_EXIST", "%s has no constraint %s: use IF EXISTS to pass over it", d.snap.Bucket().URL(), types.QuoteIdentifier(c.Name))
	}
	for k := range d.md.Configuration {
		if strings.EqualFold(k, key) {
			delete(d.md.Configuration, k)
		}
	}
	d.describe("DROP CONSTRAINT", parameters)
	return nil
}
