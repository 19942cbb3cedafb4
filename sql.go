package sluice

import (
	"context"
	"fmt"
	"io"
	"iter"
	"sync"

	"github.com/apache/arrow-go/v18/arrow"

	"github.com/sluicelake/sluice/internal/base/env"
	"github.com/sluicelake/sluice/internal/rows/source"
	"github.com/sluicelake/sluice/internal/sql/parse"
	"github.com/sluicelake/sluice/internal/sql/session"
	"github.com/sluicelake/sluice/internal/table/txn"
	"github.com/sluicelake/sluice/types"
)

// Session runs SQL. It holds names of tables and views and settings, which
// statements read and change; it is safe for concurrent use.
//
// A table is a name that was given to the session, by Table, by CREATE TABLE ...
// LOCATION, or delta.`url`; json.`path`, csv.`path` and parquet.`path` are files.
type Session struct {
	s       *session.Session
	o       SessionOptions
	mu      sync.Mutex
	tables  []*Table
	closers []io.Closer
}

// SessionOptions say how a session reaches tables. The zero value is right for most.
type SessionOptions struct {
	// Options open the tables that statements name.
	Options []Option
	// Open opens them instead, once for each address. There need not be a table
	// yet: it has to open with WithLazyOpen.
	Open func(ctx context.Context, url string) (*Table, error)
	// UserMetadata is recorded in every commit.
	UserMetadata string
	// BeforePublish runs in every statement that commits, as in CommitOptions.
	BeforePublish func(ctx context.Context) error
}

// NewSession makes a session. Close releases the tables that it opens.
func NewSession(o SessionOptions) *Session { return newSession(o, configure(o.Options).env) }

func newSession(o SessionOptions, e *env.Env) *Session {
	s := &Session{o: o}
	s.s = session.New(session.World{Env: e, Log: s.log,
		File: func(ctx context.Context, address string, f source.Format) (source.Source, error) {
			return source.Open(ctx, address, source.Options{Format: f})
		}})
	s.s.SetCommit(txn.Options{BeforePublish: o.BeforePublish}, o.UserMetadata)
	return s
}

// log opens a table for the session.
func (s *Session) log(ctx context.Context, url string) (*txn.Log, error) {
	var t *Table
	var err error
	if s.o.Open != nil {
		t, err = s.o.Open(ctx, url)
	} else {
		t, err = newTable(ctx, url, s.o.Options)
	}
	if err != nil {
		return nil, err
	}
	s.mu.Lock()
	defer s.mu.Unlock()
	s.tables = append(s.tables, t)
	return t.log, nil
}

// Table gives the table at a URL or path a name. There need not be a table yet:
// CREATE TABLE of that name makes it there.
func (s *Session) Table(name, url string) { s.s.AddTable(name, url) }

// Catalog makes the tables in a folder known: each folder in it that holds a table
// is a table of the folder's name, unless the session has something else of that
// name. CREATE TABLE without LOCATION makes new ones there.
func (s *Session) Catalog(ctx context.Context, url string) error {
	c := configure(s.o.Options)
	c.bucket = nil // that is one table's
	b, err := c.open(ctx, url)
	if err != nil {
		return err
	}
	s.s.SetCatalog(session.NewFolder(b))
	s.mu.Lock()
	defer s.mu.Unlock()
	s.closers = append(s.closers, b)
	return nil
}

// Names are the tables and views that the session has a name for, those of a
// catalog included, sorted.
func (s *Session) Names(ctx context.Context) ([]string, error) {
	if err := s.s.Discover(ctx); err != nil {
		return nil, mark(err)
	}
	return s.s.Names(), nil
}

// View gives a JSON, CSV or Parquet file a name.
func (s *Session) View(name, path string) { s.s.AddFile(name, path) }

// Rows gives the rows of a source a name. The source must be one that can be read
// several times.
func (s *Session) Rows(name string, src Source) { s.s.AddSource(name, src) }

// Set changes a setting, by Spark's name: spark.sql.ansi.enabled,
// spark.sql.session.timeZone, spark.sql.sources.partitionOverwriteMode,
// spark.databricks.delta.schema.autoMerge.enabled.
func (s *Session) Set(name, value string) error { return mark(s.s.Configure(name, value)) }

// SQLResult is what one statement gave.
type SQLResult struct {
	// Statement is the statement as written.
	Statement string
	// Operation names what was done: SELECT, WRITE, MERGE, CREATE TABLE, ...
	Operation string
	// Schema is that of the rows; it has no columns for statements without rows.
	Schema *types.Struct
	// Metrics are those of the commit, as history shows them.
	Metrics map[string]string
	// Commit is nil for statements that cannot commit.
	Commit *Commit

	rows iter.Seq2[arrow.RecordBatch, error]
}

// Batches yields the rows. Those of a query are computed as they are asked for,
// from the versions of the tables that were the newest when the statement began.
func (r *SQLResult) Batches(context.Context) iter.Seq2[arrow.RecordBatch, error] {
	return func(yield func(arrow.RecordBatch, error) bool) {
		for b, err := range r.rows {
			if !yield(b, mark(err)) || err != nil {
				return
			}
		}
	}
}

// SQL runs the statements of a text, which semicolons separate, and yields the
// result of each before the next one begins; what the loop does not reach is not
// run. After an error the loop may go on: then the next statement is run, else
// leave it.
//
//	for r, err := range session.SQL(ctx, "UPDATE t SET a = ?; SELECT count(*) FROM t", 1) {
//		if err != nil {
//			return err
//		}
//		...
//	}
//
// Arguments are the values of placeholders: ? takes one after the other, through
// all statements, $1 the first, and :name the sql.NamedArg of that name. They are
// literals with the SQL type of the Go value (expr.LiteralOf) and never become text.
func (s *Session) SQL(ctx context.Context, text string, args ...any) iter.Seq2[*SQLResult, error] {
	return func(yield func(*SQLResult, error) bool) {
		script := parse.NewScript(text)
		if len(args) > 0 {
			a, err := arguments(text, args)
			if err != nil {
				yield(&SQLResult{Statement: text, Schema: &types.Struct{}, rows: func(func(arrow.RecordBatch, error) bool) {}}, mark(err))
				return
			}
			script.Use(a)
		}
		for {
			st, words, more, err := script.Next()
			if !more {
				return
			}
			out := &SQLResult{Statement: words, Schema: &types.Struct{}, rows: func(func(arrow.RecordBatch, error) bool) {}}
			if err == nil {
				err = s.run(ctx, st, out)
			}
			if !yield(out, mark(err)) {
				return
			}
		}
	}
}

// run carries one statement out.
func (s *Session) run(ctx context.Context, st parse.Statement, out *SQLResult) error {
	r, err := s.s.Exec(ctx, st)
	if err != nil {
		return err
	}
	out.Operation, out.Schema, out.Metrics, out.rows = r.Operation, r.Schema, r.Metrics, r.Rows
	if r.Commit != nil {
		c := commitOf(*r.Commit, r.Commit.Winners, false, 1)
		out.Commit = &c
	}
	return nil
}

// Exec runs the statements of a text up to the first error, without their rows.
// Arguments are as in SQL.
func (s *Session) Exec(ctx context.Context, text string, args ...any) error {
	for r, err := range s.SQL(ctx, text, args...) {
		if err == nil {
			for _, err = range r.Batches(ctx) {
				if err != nil {
					break
				}
			}
		}
		if err != nil {
			return fmt.Errorf("%s: %w", shortened(r.Statement), err)
		}
	}
	return nil
}

// shortened is the beginning of a statement.
func shortened(text string) string {
	const most = 60
	if r := []rune(text); len(r) > most {
		return string(r[:most]) + "..."
	}
	return text
}

// Close releases the tables that the session has opened.
func (s *Session) Close() error {
	s.mu.Lock()
	defer s.mu.Unlock()
	var first error
	for _, t := range s.tables {
		if err := t.Close(); err != nil && first == nil {
			first = err
		}
	}
	for _, c := range s.closers {
		if err := c.Close(); err != nil && first == nil {
			first = err
		}
	}
	s.tables, s.closers = nil, nil
	return first
}
