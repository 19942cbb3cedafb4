package session

import (
	"context"
	"maps"
	"path"
	"strings"

	"github.com/sluicelake/sluice/expr"
	"github.com/sluicelake/sluice/internal/sql/parse"
	"github.com/sluicelake/sluice/internal/sql/query"
	"github.com/sluicelake/sluice/internal/verbs/alter"
	"github.com/sluicelake/sluice/types"
)

// named carries out the statements about names; ok is false for others.
func (x *execution) named(ctx context.Context, st parse.Statement) (r *Result, ok bool, err error) {
	switch st := st.(type) {
	case *parse.Listing:
		r, err = x.list(ctx, st)
	case *parse.Use:
		r, err = none("USE"), database(st.Name)
	case *parse.DescribeDatabase:
		r, err = x.describeDatabase(st)
	case *parse.Kept:
		r, err = none(st.Operation), x.knownOrRefused(ctx, st)
	case *parse.Refused:
		if _, _, err = x.existing(ctx, st.Table); err == nil {
			err = refuse(st.Class, "%s does not apply to the Delta table %s: %s", st.Operation, expr.NewColumn(st.Table...), st.Why)
		}
	case *parse.CreateLike:
		r, err = x.createLike(ctx, st)
	default:
		return nil, false, nil
	}
	if err != nil {
		return nil, true, err
	}
	return r, true, nil
}

// database refuses names of databases other than the one there is.
func database(name []string) error {
	switch {
	case len(name) == 0, len(name) == 1 && (strings.EqualFold(name[0], databaseName) || strings.EqualFold(name[0], catalogName)),
		len(name) == 2 && strings.EqualFold(name[0], catalogName) && strings.EqualFold(name[1], databaseName):
		return nil
	}
	return refuse("SCHEMA_NOT_FOUND", "there is no database %s: a session has one, %s", expr.NewColumn(name...), databaseName)
}

// list is SHOW TABLES, VIEWS, DATABASES and CATALOGS.
func (x *execution) list(ctx context.Context, st *parse.Listing) (*Result, error) {
	if err := database(st.In); err != nil {
		return nil, err
	}
	var out [][]any
	add := func(name string, row ...any) {
		if matches(st.Pattern, name) {
			out = append(out, row)
		}
	}
	switch st.What {
	case parse.ListDatabases:
		add(databaseName, databaseName)
		return rows("SHOW DATABASES", types.NewStruct(field("namespace", types.String)), out...)
	case parse.ListCatalogs:
		add(catalogName, catalogName)
		return rows("SHOW CATALOGS", types.NewStruct(field("catalog", types.String)), out...)
	}
	column, operation := "tableName", "SHOW TABLES"
	if st.What == parse.ListViews {
		column, operation = "viewName", "SHOW VIEWS"
	} else {
		names := map[string]string{}
		for k, t := range x.tables {
			names[k] = t.name
		}
		if x.folder != nil {
			all, err := x.folder.tables(ctx)
			if err != nil {
				return nil, err
			}
			for _, n := range all {
				names[strings.ToLower(n)] = n
			}
		}
		for _, k := range sortedNames(names) {
			add(names[k], databaseName, names[k], false)
		}
	}
	for _, k := range sortedNames(x.views) {
		add(x.views[k].name, "", x.views[k].name, true)
	}
	return rows(operation, types.NewStruct(field("namespace", types.String), field(column, types.String), field("isTemporary", types.Boolean)), out...)
}

// matches compares a name with a pattern of SHOW: * is any text, | parts alternatives.
func matches(pattern, name string) bool {
	if pattern == "" {
		return true
	}
	for p := range strings.SplitSeq(strings.ToLower(pattern), "|") {
		p = strings.NewReplacer(`\`, `\\`, `[`, `\[`, `?`, `\?`).Replace(strings.TrimSpace(p))
		if ok, err := path.Match(p, strings.ToLower(name)); ok && err == nil {
			return true
		}
	}
	return false
}

var infoSchema = types.NewStruct(field("info_name", types.String), field("info_value", types.String))

func (x *execution) describeDatabase(st *parse.DescribeDatabase) (*Result, error) {
	if err := database(st.Name); err != nil {
		return nil, err
	}
	list := [][]any{{"Catalog Name", catalogName}, {"Namespace Name", databaseName}, {"Comment", "the tables and views of this session"}}
	if x.folder != nil {
		list = append(list, []any{"Location", x.folder.b.URL()})
	}
	return rows("DESCRIBE DATABASE", infoSchema, list...)
}

// describeColumn is DESCRIBE of one column, which may be inside of a struct.
func describeColumn(s *types.Struct, column []string) (*Result, error) {
	bound, err := expr.Bind(expr.NewColumn(column...), expr.Scope{Tables: []expr.Table{{Schema: s}}})
	if err != nil {
		return nil, err
	}
	comment := "NULL"
	at := s
	for _, part := range column {
		if at == nil {
			break
		}
		f, _ := at.Field(part)
		if c, ok := f.Metadata.Text("comment"); ok {
			comment = c
		}
		at, _ = f.Type.(*types.Struct)
	}
	return rows("DESCRIBE", infoSchema, []any{"col_name", column[len(column)-1]}, []any{"data_type", bound.Type().String()}, []any{"comment", comment})
}

// knownOrRefused checks the name of REFRESH and CACHE.
func (x *execution) knownOrRefused(ctx context.Context, st *parse.Kept) error {
	if len(st.Table) == 0 {
		return nil
	}
	if name := bare(st.Table); len(name) == 1 {
		if _, ok := x.views[strings.ToLower(name[0])]; ok {
			return nil
		}
	}
	_, ok, err := x.located(ctx, st.Table)
	if err == nil && !ok && !st.IfExists {
		err = query.NotFound(st.Table, x.known())
	}
	return err
}

// createLike is CREATE TABLE LIKE: the columns, partitions, comment and properties
// of another table, and none of its rows.
func (x *execution) createLike(ctx context.Context, st *parse.CreateLike) (*Result, error) {
	_, s, err := x.existing(ctx, st.Like)
	if err != nil {
		return nil, err
	}
	c := &parse.Create{Table: st.Table, Using: st.Using, Location: st.Location, Spec: alter.Like(s)}
	c.Spec.IfNotExists = st.Spec.IfNotExists
	maps.Copy(c.Spec.Properties, st.Spec.Properties)
	if st.Spec.Comment != "" {
		c.Spec.Comment = st.Spec.Comment
	}
	return x.create(ctx, c)
}
