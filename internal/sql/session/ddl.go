package session

import (
	"context"
	"errors"
	"strings"

	"github.com/sluicelake/sluice/expr"
	"github.com/sluicelake/sluice/internal/sql/parse"
	"github.com/sluicelake/sluice/internal/sql/query"
	"github.com/sluicelake/sluice/internal/table/txn"
	"github.com/sluicelake/sluice/internal/verbs/alter"
	"github.com/sluicelake/sluice/internal/verbs/create"
)

// create is CREATE TABLE and REPLACE TABLE.
func (x *execution) create(ctx context.Context, st *parse.Create) (*Result, error) {
	if st.Using != "" && !strings.EqualFold(st.Using, "delta") {
		return nil, refuse("UNSUPPORTED_FEATURE.NOT_BUILT", "tables are made in the format delta, not %s", st.Using)
	}
	address, err := x.place(ctx, st.Table, st.Location, st.Spec.Replace || st.Spec.IfNotExists)
	if err != nil {
		return nil, err
	}
	if st.Query != nil && st.Spec.Schema != nil {
		return nil, refuse("SCHEMA_NOT_ALLOWED_IN_CTAS", "CREATE TABLE AS SELECT takes its columns from the query: leave the list of columns out")
	}
	l, err := x.s.log(ctx, address)
	if err != nil {
		return nil, err
	}
	spec := st.Spec
	spec.Expr, spec.UserMetadata, spec.Defaults = x.options, x.note, x.conf.tableDefaults()
	if st.Query != nil {
		rows, err := x.queried(ctx, st.Query)
		if err != nil {
			return nil, err
		}
		spec.Rows = rows
	}
	res, err := create.Run(ctx, l, spec, x.commit)
	var there *create.ExistsError
	if errors.As(err, &there) {
		return nil, existing(st.Table)
	}
	if err != nil {
		return nil, err
	}
	if name := bare(st.Table); len(name) == 1 {
		x.s.AddTable(name[0], address)
	}
	return x.done(res.Commit, "CREATE TABLE"), nil
}

// place says where a table lies that a statement makes: at the location that it
// gives, where the name is known to lie, or in the catalog's folder. A name that has
// a table can be given another location only by a statement that accepts the table.
func (x *execution) place(ctx context.Context, table []string, location string, accepts bool) (string, error) {
	name := bare(table)
	address, known, err := x.located(ctx, table)
	switch {
	case err != nil:
		return "", err
	case location != "" && len(name) == 2:
		return "", refuse("DELTA_CREATE_TABLE_IDENTIFIER_LOCATION_MISMATCH", "%s says where the table lies: leave LOCATION out", expr.NewColumn(table...))
	case location != "" && len(name) == 1:
		if known && !accepts {
			return "", existing(table)
		}
		return location, nil
	case known:
		return address, nil
	case x.folder != nil && len(name) == 1:
		if !usable(name[0]) {
			return "", refuse("INVALID_SQL_SYNTAX", "%s cannot be the name of a folder of the catalog", expr.NewColumn(name...))
		}
		return x.folder.address(name[0]), nil
	}
	return "", refuse("UNSUPPORTED_FEATURE.NOT_BUILT", "where %s lies is not known: add LOCATION 'url', or give the name to the session with --table NAME=URL", expr.NewColumn(table...))
}

func existing(name []string) error {
	return refuse("TABLE_OR_VIEW_ALREADY_EXISTS", "there is a table %s already: use IF NOT EXISTS to accept it, or CREATE OR REPLACE TABLE", expr.NewColumn(name...))
}

// done is the result of a commit, named as history names it.
func (x *execution) done(c txn.Result, operation string) *Result {
	if c.Committed && c.Snapshot != nil && c.Snapshot.CommitInfo() != nil {
		operation = c.Snapshot.CommitInfo().Operation
	}
	return committed(operation, c)
}

// createView is CREATE TEMPORARY VIEW. Its query is bound now, to be sure that it
// can be, and again whenever the view is read.
func (x *execution) createView(ctx context.Context, st *parse.CreateView) (*Result, error) {
	name := bare(st.Name)
	if len(name) != 1 {
		return nil, refuse("TEMP_VIEW_NAME_TOO_MANY_NAME_PARTS", "the name of a temporary view has one part: %s", expr.NewColumn(st.Name...))
	}
	if _, known := x.views[strings.ToLower(name[0])]; known && !st.Replace {
		return nil, refuse("TEMP_TABLE_OR_VIEW_ALREADY_EXISTS", "there is a view %s already: use CREATE OR REPLACE TEMPORARY VIEW", expr.NewColumn(name...))
	}
	plan, err := query.Bind(ctx, st.Query, x, x.options)
	if err != nil {
		return nil, err
	}
	if n := len(plan.Schema().Fields); len(st.Columns) > 0 && len(st.Columns) != n {
		return nil, refuse("CREATE_VIEW_COLUMN_ARITY_MISMATCH", "%d column names are given for the %d columns of the query", len(st.Columns), n)
	}
	x.s.addView(view{name: name[0], query: st.Query, columns: st.Columns})
	return none("CREATE VIEW"), nil
}

// drop forgets a name. Files stay where they are: the tables of a session are
// external.
func (x *execution) drop(ctx context.Context, st *parse.Drop) (*Result, error) {
	name := bare(st.Table)
	if address, ok, err := x.located(ctx, name); err != nil {
		return nil, err
	} else if ok && !st.View && len(name) == 1 && x.folder != nil && strings.EqualFold(address, x.folder.address(name[0])) {
		return nil, refuse("UNSUPPORTED_FEATURE.NOT_BUILT", "%s lies in the folder of the catalog, and files are not deleted: remove %s", expr.NewColumn(name...), address)
	}
	x.s.mu.Lock()
	defer x.s.mu.Unlock()
	if len(name) == 1 {
		low := strings.ToLower(name[0])
		_, table := x.s.tables[low]
		_, view := x.s.views[low]
		switch {
		case st.View && view:
			delete(x.s.views, low)
			return none("DROP VIEW"), nil
		case !st.View && view:
			return nil, refuse("WRONG_COMMAND_FOR_OBJECT_TYPE", "%s is a view: use DROP VIEW", expr.NewColumn(name...))
		case !st.View && table:
			delete(x.s.tables, low)
			return none("DROP TABLE"), nil
		}
	}
	if len(name) == 2 && strings.EqualFold(name[0], "delta") {
		return nil, refuse("UNSUPPORTED_FEATURE.NOT_BUILT", "a table that is named by its place has no name to drop, and its files are not deleted: remove the folder")
	}
	if st.IfExists {
		return none("DROP"), nil
	}
	return nil, query.NotFound(st.Table, x.known())
}

// alter is ALTER TABLE.
func (x *execution) alter(ctx context.Context, st *parse.Alter) (*Result, error) {
	l, _, err := x.existing(ctx, st.Table)
	if err != nil {
		return nil, err
	}
	var last txn.Result
	for _, c := range st.Changes {
		if last, err = alter.Run(ctx, l, c, alter.Options{Expr: x.options, Commit: x.commit, UserMetadata: x.note}); err != nil {
			return nil, err
		}
	}
	return x.done(last, "ALTER TABLE"), nil
}
