package sluicesql

import (
	"context"
	"database/sql"
	"database/sql/driver"
	"errors"
	"iter"

	"github.com/sluicelake/sluice"
	"github.com/sluicelake/sluice/expr"
	"github.com/sluicelake/sluice/internal/base/columns"
	"github.com/sluicelake/sluice/internal/sql/parse"
)

// connection is a driver.Conn: nothing but the session behind it.
type connection struct{ session *sluice.Session }

var (
	_ driver.QueryerContext     = (*connection)(nil)
	_ driver.ExecerContext      = (*connection)(nil)
	_ driver.ConnPrepareContext = (*connection)(nil)
	_ driver.ConnBeginTx        = (*connection)(nil)
	_ driver.Pinger             = (*connection)(nil)
	_ driver.NamedValueChecker  = (*connection)(nil)
)

// Close is part of driver.Conn; the session belongs to the connector.
func (c *connection) Close() error { return nil }

// Begin is part of driver.Conn.
func (c *connection) Begin() (driver.Tx, error) { return nil, ErrTransactions }

// BeginTx is part of driver.ConnBeginTx.
func (c *connection) BeginTx(context.Context, driver.TxOptions) (driver.Tx, error) {
	return nil, ErrTransactions
}

// Ping is part of driver.Pinger: it asks the store for the tables of the catalog.
func (c *connection) Ping(ctx context.Context) error {
	_, err := c.session.Names(ctx)
	return err
}

// CheckNamedValue is part of driver.NamedValueChecker: all values that can be
// literals are taken as they are.
func (c *connection) CheckNamedValue(v *driver.NamedValue) error {
	if _, ok := v.Value.(sql.Out); ok {
		return errors.New("statements have no output parameters")
	}
	_, err := expr.LiteralOf(v.Value)
	return err
}

// Prepare is part of driver.Conn.
func (c *connection) Prepare(text string) (driver.Stmt, error) {
	return c.PrepareContext(context.Background(), text)
}

// PrepareContext is part of driver.ConnPrepareContext. It finds mistakes of
// syntax; names are looked up when the statement is run.
func (c *connection) PrepareContext(_ context.Context, text string) (driver.Stmt, error) {
	n, err := parse.Placeholders(text)
	if err != nil {
		return nil, err
	}
	return &statement{c, text, n}, nil
}

// QueryContext is part of driver.QueryerContext.
func (c *connection) QueryContext(ctx context.Context, text string, args []driver.NamedValue) (driver.Rows, error) {
	next, stop := iter.Pull2(c.session.SQL(ctx, text, values(args)...))
	r := &rows{ctx: ctx, next: next, stop: stop}
	if err := r.NextResultSet(); err != nil {
		r.Close()
		if errors.Is(err, errEnd) {
			return nil, errors.New("there is no statement")
		}
		return nil, err
	}
	return r, nil
}

// ExecContext is part of driver.ExecerContext.
func (c *connection) ExecContext(ctx context.Context, text string, args []driver.NamedValue) (driver.Result, error) {
	var affected int64
	for r, err := range c.session.SQL(ctx, text, values(args)...) {
		if err != nil {
			return nil, err
		}
		for b, err := range r.Batches(ctx) {
			if err != nil {
				return nil, err
			}
			if i := r.Schema.Index("num_affected_rows"); r.Commit != nil && i >= 0 && b.NumRows() == 1 {
				n, _ := columns.Value(b.Column(i), 0).(int64)
				affected += n
			}
		}
	}
	return result(affected), nil
}

func values(args []driver.NamedValue) []any {
	out := make([]any, len(args))
	for i, a := range args {
		out[i] = a.Value
		if a.Name != "" {
			out[i] = sql.Named(a.Name, a.Value)
		}
	}
	return out
}

// result is the number of rows that statements inserted, updated and deleted.
type result int64

// LastInsertId is part of driver.Result.
func (result) LastInsertId() (int64, error) {
	return 0, errors.New("tables have no last inserted id: read the identity column back")
}

// RowsAffected is part of driver.Result.
func (r result) RowsAffected() (int64, error) { return int64(r), nil }

// statement is a prepared text.
type statement struct {
	c    *connection
	text string
	n    int
}

var (
	_ driver.StmtQueryContext = (*statement)(nil)
	_ driver.StmtExecContext  = (*statement)(nil)
)

// Close is part of driver.Stmt.
func (s *statement) Close() error { return nil }

// NumInput is part of driver.Stmt.
func (s *statement) NumInput() int { return s.n }

// Exec is part of driver.Stmt.
func (s *statement) Exec(args []driver.Value) (driver.Result, error) {
	return s.c.ExecContext(context.Background(), s.text, numbered(args))
}

// Query is part of driver.Stmt.
func (s *statement) Query(args []driver.Value) (driver.Rows, error) {
	return s.c.QueryContext(context.Background(), s.text, numbered(args))
}

// ExecContext is part of driver.StmtExecContext.
func (s *statement) ExecContext(ctx context.Context, args []driver.NamedValue) (driver.Result, error) {
	return s.c.ExecContext(ctx, s.text, args)
}

// QueryContext is part of driver.StmtQueryContext.
func (s *statement) QueryContext(ctx context.Context, args []driver.NamedValue) (driver.Rows, error) {
	return s.c.QueryContext(ctx, s.text, args)
}

// CheckNamedValue is part of driver.NamedValueChecker.
func (s *statement) CheckNamedValue(v *driver.NamedValue) error { return s.c.CheckNamedValue(v) }

func numbered(args []driver.Value) []driver.NamedValue {
	out := make([]driver.NamedValue, len(args))
	for i, v := range args {
		out[i] = driver.NamedValue{Ordinal: i + 1, Value: v}
	}
	return out
}
