// Package session carries out SQL statements: names mean tables, views and files
// of a session, settings hold for the statements behind them, and each statement
// becomes the spec of a verb or the plan of a query.
package session

import (
	"context"
	"fmt"
	"iter"
	"slices"
	"strings"
	"sync"

	"github.com/apache/arrow-go/v18/arrow"

	"github.com/sluicelake/sluice/expr"
	"github.com/sluicelake/sluice/internal/base/env"
	"github.com/sluicelake/sluice/internal/rows/source"
	"github.com/sluicelake/sluice/internal/sql/parse"
	"github.com/sluicelake/sluice/internal/sql/query"
	"github.com/sluicelake/sluice/internal/table/snapshot"
	"github.com/sluicelake/sluice/internal/table/txn"
	"github.com/sluicelake/sluice/internal/verbs/merge"
	"github.com/sluicelake/sluice/types"
)

// World is what a session reaches outside.
type World struct {
	Env *env.Env
	// Log gives the log of the table at an address; there need not be a table yet.
	// It is asked once for each address.
	Log func(ctx context.Context, address string) (*txn.Log, error)
	// File opens a file that is no table; "" is the format of its name.
	File func(ctx context.Context, address string, format source.Format) (source.Source, error)
}

// Session is names and settings. It is safe for concurrent use; a statement sees
// those that hold when it begins.
type Session struct {
	world World

	mu     sync.Mutex
	tables map[string]table // by lower-case name
	views  map[string]view
	logs   map[string]*txn.Log // by address
	conf   settings
	commit txn.Options
	note   string  // user metadata
	folder *Folder // nil: no catalog
}

// table is a name of a table.
type table struct{ name, address string }

// view is a name of a query, a file, or rows.
type view struct {
	name    string
	query   *query.Query
	columns []string
	file    string
	rows    query.Relation
}

// New makes a session without names.
func New(w World) *Session {
	return &Session{world: w, tables: map[string]table{}, views: map[string]view{}, logs: map[string]*txn.Log{}, conf: settings{}}
}

// AddTable gives the table at an address a name.
func (s *Session) AddTable(name, address string) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.tables[strings.ToLower(name)] = table{name, address}
}

// AddLog gives an open table a name.
func (s *Session) AddLog(name string, l *txn.Log) {
	s.mu.Lock()
	defer s.mu.Unlock()
	address := l.Bucket().URL()
	s.tables[strings.ToLower(name)], s.logs[address] = table{name, address}, l
}

// AddFile gives a file a name: a view of its rows.
func (s *Session) AddFile(name, address string) {
	s.addView(view{name: name, file: address})
}

// AddSource gives the rows of a source, which must be readable several times, a name.
func (s *Session) AddSource(name string, src source.Source) {
	s.addView(view{name: name, rows: &sourceRelation{src}})
}

func (s *Session) addView(v view) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.views[strings.ToLower(v.name)] = v
}

// SetCommit has all commits of the session made with these options and this note.
func (s *Session) SetCommit(o txn.Options, note string) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.commit, s.note = o, note
}

// Result is what a statement gave.
type Result struct {
	// Operation names what was done, as history does for what was committed.
	Operation string
	// Schema is that of the rows; it has no columns for statements without rows.
	Schema *types.Struct
	// Rows yields the rows; for a query they are computed as they are asked for.
	Rows iter.Seq2[arrow.RecordBatch, error]
	// Metrics are those of the commit.
	Metrics map[string]string
	// Commit is nil when the statement could not commit anything.
	Commit *txn.Result
}

// none is a result without rows.
func none(operation string) *Result {
	return &Result{Operation: operation, Schema: &types.Struct{}, Rows: func(func(arrow.RecordBatch, error) bool) {}}
}

// committed is the result of a statement that may have committed.
func committed(operation string, c txn.Result) *Result {
	r := none(operation)
	r.Commit = &c
	if c.Committed && c.Snapshot != nil && c.Snapshot.CommitInfo() != nil {
		r.Metrics = c.Snapshot.CommitInfo().OperationMetrics
	}
	return r
}

// Exec carries out one statement.
func (s *Session) Exec(ctx context.Context, st parse.Statement) (*Result, error) {
	if e, ok := st.(*parse.Explain); ok {
		return s.explained(ctx, e)
	}
	x, err := s.begin()
	if err != nil {
		return nil, err
	}
	switch st := st.(type) {
	case *parse.Select:
		return x.selects(ctx, st)
	case *parse.Insert:
		return x.insert(ctx, st)
	case *parse.Change:
		return x.change(ctx, st)
	case *parse.Merge:
		return x.merge(ctx, st)
	case *parse.Create:
		return x.create(ctx, st)
	case *parse.CreateView:
		return x.createView(ctx, st)
	case *parse.Drop:
		return x.drop(ctx, st)
	case *parse.Alter:
		return x.alter(ctx, st)
	case *parse.Describe:
		return x.describe(ctx, st)
	case *parse.ShowProperties:
		return x.showProperties(ctx, st)
	case *parse.ShowColumns:
		return x.showColumns(ctx, st)
	case *parse.Vacuum:
		return x.vacuum(ctx, st)
	case *parse.Fsck:
		return x.fsck(ctx, st)
	case *parse.Set:
		return x.set(st)
	case *parse.Clone:
		return x.clone(ctx, st)
	case *parse.Convert:
		return x.convert(ctx, st)
	case *parse.Generate:
		return x.generate(ctx, st)
	case *parse.Restore:
		return x.restore(ctx, st)
	case *parse.Optimize:
		return x.optimize(ctx, st)
	case *parse.Unbuilt:
		return nil, refuse("UNSUPPORTED_FEATURE.NOT_BUILT", "%s is a statement that is not built yet", st.What)
	}
	if r, ok, err := x.named(ctx, st); ok {
		return r, err
	}
	return nil, refuse("UNSUPPORTED_FEATURE.NOT_BUILT", "a statement of the kind %T is not built yet", st)
}

func refuse(class, format string, args ...any) error {
	return &merge.StatementError{Class: class, Message: fmt.Sprintf(format, args...)}
}

// execution is one statement on its way: names and settings as they were when
// it began, and one version of each table that it reads.
type execution struct {
	s       *Session
	tables  map[string]table
	views   map[string]view
	conf    settings
	options expr.Options
	commit  txn.Options
	note    string
	app     string // by which writes are known; "" is none
	// appVersion is the version of that application's write.
	appVersion int64
	folder     *Folder
	met        []txn.Reconciliation // winners of earlier runs of the statement
	twice      int64                // bytes that those runs wrote

	mu    sync.Mutex
	snaps map[*txn.Log]*snapshot.Snapshot
	read  map[*txn.Log]bool // tables that the statement's query reads
}

func (s *Session) begin() (*execution, error) {
	s.mu.Lock()
	defer s.mu.Unlock()
	x := &execution{s: s, tables: map[string]table{}, views: map[string]view{}, conf: s.conf.clone(), commit: s.commit, note: s.note, folder: s.folder, snaps: map[*txn.Log]*snapshot.Snapshot{}, read: map[*txn.Log]bool{}}
	for k, v := range s.tables {
		x.tables[k] = v
	}
	for k, v := range s.views {
		x.views[k] = v
	}
	if text := x.conf.get(note); text != "" {
		x.note = text
	}
	var err error
	if x.app, x.appVersion, err = x.conf.write(); err != nil {
		return nil, err
	}
	if x.commit.After, err = x.conf.behind(); err != nil {
		return nil, err
	}
	x.options, err = x.conf.options(s.world.Env.Now())
	return x, err
}

// merging are the options of a verb that changes rows.
func (x *execution) merging() merge.Options {
	return merge.Options{BoundOutside: true, Expr: x.options, Commit: x.commit, UserMetadata: x.note, AppID: x.app, AppVersion: x.appVersion,
		OptimizeWrite: x.conf.wish(optimizeWrite)}
}

// maxRuns bounds how often a statement is bound again: each time, another writer
// has changed in between what it is bound to or has read.
const maxRuns = 50

// until carries a statement out, and again, with all names looked up anew, while a
// winner changed what it was bound to.
func (x *execution) until(once func() (*Result, error)) (*Result, error) {
	for range maxRuns {
		r, err := once()
		if err != nil {
			return nil, err
		}
		if r.Commit == nil || !r.Commit.Again {
			if r.Commit != nil {
				r.Commit.Winners = append(x.met, r.Commit.Winners...)
				r.Commit.WrittenTwice += x.twice
			}
			return r, nil
		}
		x.met = append(x.met, r.Commit.Winners...)
		x.twice += r.Commit.WrittenTwice
		x.commit.BeforePublish = nil
		x.forget()
	}
	return nil, refuse("DELTA_METADATA_CHANGED", "other writers changed %d times what the statement is bound to; nothing was committed", maxRuns)
}

// again is the result of a statement that is to be carried out once more.
func (x *execution) again(c txn.Result) *Result { return &Result{Commit: &c} }

// log opens a table by its address, once.
func (s *Session) log(ctx context.Context, address string) (*txn.Log, error) {
	s.mu.Lock()
	l := s.logs[address]
	s.mu.Unlock()
	if l != nil {
		return l, nil
	}
	l, err := s.world.Log(ctx, address)
	if err != nil {
		return nil, err
	}
	s.mu.Lock()
	defer s.mu.Unlock()
	if known := s.logs[address]; known != nil {
		return known, nil
	}
	s.logs[address] = l
	return l, nil
}

// sortedNames lists names in order.
func sortedNames[T any](m map[string]T) []string {
	out := make([]string, 0, len(m))
	for k := range m {
		out = append(out, k)
	}
	slices.Sort(out)
	return out
}
