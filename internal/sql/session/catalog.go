package session

import (
	"context"
	"strings"

	"github.com/sluicelake/sluice/expr"
	"github.com/sluicelake/sluice/internal/rows/source"
	"github.com/sluicelake/sluice/internal/sql/query"
	"github.com/sluicelake/sluice/internal/table/snapshot"
	"github.com/sluicelake/sluice/internal/table/txn"
)

// The catalog of a session has one database.
const (
	catalogName  = "spark_catalog"
	databaseName = "default"
)

// bare takes the names of catalog and database off.
func bare(name []string) []string {
	if len(name) == 3 && strings.EqualFold(name[0], catalogName) {
		name = name[1:]
	}
	if len(name) == 2 && strings.EqualFold(name[0], databaseName) {
		name = name[1:]
	}
	return name
}

// address is where the table of a name lies; ok is false when the name means no
// table.
func (x *execution) address(name []string) (string, bool) {
	name = bare(name)
	switch {
	case len(name) == 1:
		t, ok := x.tables[strings.ToLower(name[0])]
		return t.address, ok
	case len(name) == 2 && strings.EqualFold(name[0], "delta"):
		return name[1], true
	}
	return "", false
}

// target is the log of a table that a statement writes to or describes.
func (x *execution) target(ctx context.Context, name []string) (*txn.Log, error) {
	address, ok, err := x.located(ctx, name)
	if err != nil {
		return nil, err
	}
	if !ok {
		if len(name) == 1 {
			if _, view := x.views[strings.ToLower(name[0])]; view {
				return nil, refuse("EXPECT_TABLE_NOT_VIEW.NO_ALTERNATIVE", "%s is a view, and a table is wanted here", expr.NewColumn(name...))
			}
		}
		return nil, query.NotFound(name, x.known())
	}
	return x.s.log(ctx, address)
}

// snapshot is the version of a table that the statement reads: the newest when it
// first asks.
func (x *execution) snapshot(ctx context.Context, l *txn.Log) (*snapshot.Snapshot, error) {
	x.mu.Lock()
	defer x.mu.Unlock()
	s, err := x.snaps[l], error(nil)
	switch {
	case s == nil:
		s, err = l.Update(ctx)
	case s.Light():
		s, err = s.Whole(ctx)
	}
	if err == nil {
		x.snaps[l] = s
	}
	return s, err
}

// head is snapshot for what needs none of the table's files: a light one will do.
func (x *execution) head(ctx context.Context, l *txn.Log) (*snapshot.Snapshot, error) {
	x.mu.Lock()
	defer x.mu.Unlock()
	if s := x.snaps[l]; s != nil {
		return s, nil
	}
	s, err := l.UpdateLight(ctx)
	if err == nil {
		x.snaps[l] = s
	}
	return s, err
}

// existing is target and snapshot.
func (x *execution) existing(ctx context.Context, name []string) (*txn.Log, *snapshot.Snapshot, error) {
	l, err := x.target(ctx, name)
	if err != nil {
		return nil, nil, err
	}
	s, err := x.snapshot(ctx, l)
	return l, s, err
}

// known are the names of tables and views.
func (x *execution) known() []string {
	return append(sortedNames(x.tables), sortedNames(x.views)...)
}

// View is part of query.Views.
func (x *execution) View(_ context.Context, name []string) (*query.Query, query.Catalog, bool, error) {
	name = bare(name)
	if len(name) != 1 {
		return nil, nil, false, nil
	}
	v, ok := x.views[strings.ToLower(name[0])]
	if !ok || v.query == nil {
		return nil, nil, false, nil
	}
	q := v.query
	if len(v.columns) > 0 {
		q = &query.Query{Body: &query.Select{Items: []query.Item{{Expr: &expr.Star{}}}, From: []query.Source{&query.Derived{Query: v.query, As: query.Alias{Name: v.name, Columns: v.columns}}}}, Text: v.query.Text}
	}
	return q, x, true, nil
}

// Relation is part of query.Catalog.
func (x *execution) Relation(ctx context.Context, name []string, at query.At) (query.Relation, error) {
	short := bare(name)
	if len(short) == 1 {
		if v, ok := x.views[strings.ToLower(short[0])]; ok && v.query == nil {
			if at != (query.At{}) {
				return nil, refuse("UNSUPPORTED_FEATURE.TIME_TRAVEL", "%s is no table: it has no versions", expr.NewColumn(name...))
			}
			if v.rows != nil {
				return v.rows, nil
			}
			return x.file(ctx, v.file, "")
		}
	}
	if address, ok, err := x.located(ctx, name); err != nil {
		return nil, err
	} else if ok {
		l, err := x.s.log(ctx, address)
		if err != nil {
			return nil, err
		}
		return x.version(ctx, l, at)
	}
	if len(short) == 2 {
		for _, f := range []source.Format{source.JSON, source.CSV, source.Parquet} {
			if strings.EqualFold(short[0], string(f)) {
				return x.file(ctx, short[1], f)
			}
		}
	}
	return nil, query.NotFound(name, x.known())
}

// version is a table at the version that is asked for.
func (x *execution) version(ctx context.Context, l *txn.Log, at query.At) (query.Relation, error) {
	var when snapshot.At
	switch {
	case at.Version != nil:
		when = snapshot.Version(*at.Version)
	case at.Timestamp != nil:
		t, err := instant(at.Timestamp)
		if err != nil {
			return nil, err
		}
		when = snapshot.Time(t)
	default:
		s, err := x.snapshot(ctx, l)
		if err != nil {
			return nil, err
		}
		x.mu.Lock()
		defer x.mu.Unlock()
		x.read[l] = true
		return &tableRelation{s}, nil
	}
	s, err := snapshot.Load(ctx, l.Env(), l.Bucket(), when)
	if err != nil {
		return nil, err
	}
	return &tableRelation{s}, nil
}

func (x *execution) file(ctx context.Context, address string, f source.Format) (query.Relation, error) {
	src, err := x.s.world.File(ctx, address, f)
	if err != nil {
		return nil, err
	}
	return &sourceRelation{src}, nil
}
