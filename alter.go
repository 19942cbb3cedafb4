package sluice

import (
	"context"
	"fmt"
	"strings"

	"github.com/sluicelake/sluice/expr"
	"github.com/sluicelake/sluice/internal/sql/parse"
	"github.com/sluicelake/sluice/internal/table/txn"
	"github.com/sluicelake/sluice/internal/verbs/alter"
	"github.com/sluicelake/sluice/types"
)

// Alteration is one change of a table's columns, properties, constraints,
// clustering or features.
type Alteration struct {
	change alter.Change
	err    error
}

// AlterOptions go with the commits of Alter.
type AlterOptions struct {
	UserMetadata string
	// BeforePublish is as in CommitOptions.
	BeforePublish func(ctx context.Context) error
}

// Alter makes changes, one commit each, in the order given; it stops at the first
// that fails, and says in the result how far it came. A change is derived from the
// newest version, again if another writer changes the metadata meanwhile.
func (t *Table) Alter(ctx context.Context, o AlterOptions, changes ...Alteration) ([]Commit, error) {
	if err := t.use(); err != nil {
		return nil, err
	}
	var out []Commit
	now := t.log.Env().Now()
	for _, c := range changes {
		if c.err != nil {
			return out, t.fail("alter", c.err)
		}
		res, err := alter.Run(ctx, t.log, c.change, alter.Options{Expr: expr.Options{Now: now}, UserMetadata: o.UserMetadata, Commit: txn.Options{BeforePublish: o.BeforePublish}})
		if err != nil {
			return out, t.fail("alter", err)
		}
		out = append(out, commitOf(res, res.Winners, false, 1))
	}
	return out, nil
}

// ParseAlterations reads what stands behind ALTER TABLE t in SQL, for example
// "ADD COLUMN n INT AFTER k" or "SET TBLPROPERTIES ('a' = 'b')".
func ParseAlterations(text string) ([]Alteration, error) {
	st, err := parse.One("ALTER TABLE t " + strings.TrimSpace(text))
	if err != nil {
		return nil, fmt.Errorf("behind ALTER TABLE t: %w", err)
	}
	a, ok := st.(*parse.Alter)
	if !ok {
		return nil, fmt.Errorf("%q is no change of a table", text)
	}
	var out []Alteration
	for _, c := range a.Changes {
		out = append(out, Alteration{change: c})
	}
	return out, nil
}

// columnPath reads the name of a column, or of a field of a struct as a.b; names
// with other characters than letters and digits are in backquotes.
func columnPath(name string) ([]string, error) {
	p := expr.NewParser(name)
	out, err := p.ParseQualifiedName()
	if err == nil && p.Peek().Kind != expr.EOF {
		err = fmt.Errorf("%q is no name of a column: write `%s` if it has other characters than letters and digits, a.b for a field of a struct", name, strings.ReplaceAll(name, "`", "``"))
	}
	return out, err
}

// columnPaths reads names of columns.
func columnPaths(names []string) ([][]string, error) {
	var out [][]string
	for _, name := range names {
		full, err := columnPath(name)
		if err != nil {
			return nil, err
		}
		out = append(out, full)
	}
	return out, nil
}

// AddColumn adds a column, or a field of a struct (a.b). It may be NULL: rows that
// are there have no value for it. after is the column that it stands behind, "" for the end.
func AddColumn(name string, t types.Type, after string) Alteration {
	full, err := columnPath(name)
	if err != nil {
		return Alteration{err: err}
	}
	last := len(full) - 1
	return Alteration{change: alter.AddColumns{Columns: []alter.NewColumn{{Parent: full[:last], Field: types.Field{Name: full[last], Type: t, Nullable: true}, At: alter.Position{After: after}}}}}
}

// DropColumn drops a column or a field of a struct; the table needs column mapping.
func DropColumn(name string) Alteration {
	full, err := columnPath(name)
	return Alteration{change: alter.DropColumns{Columns: [][]string{full}}, err: err}
}

// RenameColumn renames a column or a field of a struct; the table needs column mapping.
func RenameColumn(name, to string) Alteration {
	full, err := columnPath(name)
	return Alteration{change: alter.RenameColumn{Column: full, To: to}, err: err}
}

// ColumnChange says what of a column changes; the zero value is nothing.
type ColumnChange struct {
	Type    types.Type // a wider one; the table has to widen types
	Comment *string
	NotNull *bool // false: it may be NULL from now on
	Default *string
	// First and After move the column.
	First bool
	After string
}

// ChangeColumn changes a column or a field of a struct. An empty Default takes
// the default away.
func ChangeColumn(name string, c ColumnChange) Alteration {
	full, err := columnPath(name)
	out := alter.ChangeColumn{Column: full, Type: c.Type, Comment: c.Comment, NotNull: c.NotNull, At: alter.Position{First: c.First, After: c.After}}
	if c.Default != nil {
		out.Default, out.DropDefault = *c.Default, *c.Default == ""
	}
	return Alteration{change: out, err: err}
}

// SetProperties sets table properties; some bring features with them.
func SetProperties(properties map[string]string) Alteration {
	return Alteration{change: alter.SetProperties{Properties: properties}}
}

// UnsetProperties takes table properties away; those that are not set are passed over.
func UnsetProperties(keys ...string) Alteration {
	return Alteration{change: alter.UnsetProperties{Keys: keys, IfExists: true}}
}

// AddConstraint adds a CHECK constraint, which the rows of the table must satisfy
// already.
func AddConstraint(name, check string) Alteration {
	return Alteration{change: alter.AddConstraint{Name: name, Check: check}}
}

// DropConstraint drops a constraint.
func DropConstraint(name string) Alteration {
	return Alteration{change: alter.DropConstraint{Name: name}}
}

// ClusterBy clusters the table by other columns from the next OPTIMIZE on; none
// ends clustering.
func ClusterBy(columns ...string) Alteration {
	full, err := columnPaths(columns)
	return Alteration{change: alter.ClusterBy{Columns: full}, err: err}
}

// DropFeatureOptions say how a table feature is dropped.
type DropFeatureOptions struct {
	// TruncateHistory drops a feature that older versions still need to be read: it
	// removes those versions that are past their retention, and fails as long as
	// there are others.
	TruncateHistory bool
}

// DropFeature removes a table feature and its traces, so that engines without it
// can read or write the table.
func DropFeature(name string, o DropFeatureOptions) Alteration {
	return Alteration{change: alter.DropFeature{Name: name, TruncateHistory: o.TruncateHistory}}
}

// SyncIdentity moves the mark of an identity column behind the numbers in the table.
func SyncIdentity(column string) Alteration {
	return Alteration{change: alter.SyncIdentity{Column: column}}
}
