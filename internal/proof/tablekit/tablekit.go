// Package tablekit makes small tables for tests: built from canonical rows, read
// back as canonical rows, changed by commits written by hand as another engine
// would write them.
package tablekit

import (
	"context"
	"encoding/json"
	"fmt"
	"slices"
	"sort"
	"strings"
	"sync/atomic"
	"testing"

	"github.com/RoaringBitmap/roaring/v2/roaring64"
	"github.com/apache/arrow-go/v18/arrow"
	"github.com/apache/arrow-go/v18/arrow/array"

	"github.com/sluicelake/sluice/action"
	"github.com/sluicelake/sluice/internal/base/columns"
	"github.com/sluicelake/sluice/internal/base/env"
	"github.com/sluicelake/sluice/internal/format/colstats"
	"github.com/sluicelake/sluice/internal/format/deltalog"
	"github.com/sluicelake/sluice/internal/format/dv"
	"github.com/sluicelake/sluice/internal/rows/rewrite"
	"github.com/sluicelake/sluice/internal/rows/scan"
	"github.com/sluicelake/sluice/internal/rows/source"
	"github.com/sluicelake/sluice/internal/rows/write"
	"github.com/sluicelake/sluice/internal/table/snapshot"
	"github.com/sluicelake/sluice/internal/table/txn"
	"github.com/sluicelake/sluice/internal/verbs/create"
	"github.com/sluicelake/sluice/internal/verbs/insert"
	"github.com/sluicelake/sluice/internal/verbs/merge"
	"github.com/sluicelake/sluice/storage"
	"github.com/sluicelake/sluice/storage/memory"
	"github.com/sluicelake/sluice/types"
)

// Spec describes a table to make.
type Spec struct {
	DDL         string
	PartitionBy []string
	Properties  map[string]string
	Driver      storage.Driver // a store in memory when nil
	Env         *env.Env
	Policy      txn.Policy
	// Files are appended one commit each, so that each lies in files of its own.
	Files [][]string
}

// Kit is one table.
type Kit struct {
	Log    *txn.Log
	Bucket *storage.Bucket
	Env    *env.Env
	Schema *types.Struct
}

var serial atomic.Int64

// Place names a store in memory that no other test uses.
func Place() storage.Driver {
	return memory.New(memory.WithURL(fmt.Sprintf("memory://kit-%d", serial.Add(1))))
}

// WithoutVectors is the property of a table that is changed by copying files.
func WithoutVectors() map[string]string {
	return map[string]string{"delta.enableDeletionVectors": "false"}
}

// New makes a table.
func New(t testing.TB, s Spec) *Kit {
	t.Helper()
	k, err := Make(t.Context(), s)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { k.Log.Close(context.Background()) })
	return k
}

// Make is New without a test.
func Make(ctx context.Context, s Spec) (*Kit, error) {
	schema, err := types.ParseDDL(s.DDL)
	if err != nil {
		return nil, err
	}
	if s.Driver == nil {
		s.Driver = Place()
	}
	if s.Env == nil {
		s.Env = env.New()
	}
	k := &Kit{Bucket: storage.NewBucket(s.Driver), Env: s.Env, Schema: schema}
	k.Log = txn.NewLog(s.Env, k.Bucket, s.Policy)
	if _, err := create.Run(ctx, k.Log, create.Spec{Schema: schema, PartitionBy: s.PartitionBy, Properties: s.Properties, Defaults: create.Recommended()}, txn.Options{}); err != nil {
		return nil, err
	}
	for _, rows := range s.Files {
		if err := k.Append(ctx, rows...); err != nil {
			return nil, err
		}
	}
	return k, nil
}

// Append adds canonical rows.
func (k *Kit) Append(ctx context.Context, rows ...string) error {
	src, err := Source(k.Schema, rows...)
	if err != nil {
		return err
	}
	_, err = insert.Run(ctx, k.Log, src, insert.Options{})
	return err
}

// Batch makes Arrow columns of canonical rows; fields that a row lacks are NULL.
func Batch(schema *types.Struct, rows ...string) (arrow.RecordBatch, error) {
	parsed := make([]map[string]json.RawMessage, len(rows))
	for i, r := range rows {
		if err := json.Unmarshal([]byte(r), &parsed[i]); err != nil {
			return nil, fmt.Errorf("row %s: %w", r, err)
		}
	}
	cols := make([]arrow.Array, len(schema.Fields))
	for c, f := range schema.Fields {
		vals := make([]any, len(rows))
		for i, r := range parsed {
			v, err := FromCanonical(r[f.Name], f.Type)
			if err != nil {
				return nil, fmt.Errorf("column %s: %w", f.Name, err)
			}
			vals[i] = v
		}
		var err error
		if cols[c], err = columns.FromValues(f.Type, vals...); err != nil {
			return nil, fmt.Errorf("column %s: %w", f.Name, err)
		}
	}
	as, err := columns.ArrowSchema(schema)
	if err != nil {
		return nil, err
	}
	return array.NewRecordBatch(as, cols, int64(len(rows))), nil
}

// Source is a source of canonical rows.
func Source(schema *types.Struct, rows ...string) (source.Source, error) {
	b, err := Batch(schema, rows...)
	if err != nil {
		return nil, err
	}
	return source.FromRecords(schema, b)
}

// Table is the source of a MERGE, of canonical rows.
func Table(schema *types.Struct, rows ...string) (*merge.Table, error) {
	b, err := Batch(schema, rows...)
	if err != nil {
		return nil, err
	}
	return &merge.Table{Schema: schema, Columns: b.Columns(), Rows: len(rows)}, nil
}

// Snapshot opens a version freshly, as a reader without memory would.
func (k *Kit) Snapshot(ctx context.Context, at snapshot.At) (*snapshot.Snapshot, error) {
	return snapshot.Load(ctx, k.Env, k.Bucket, at)
}

// Rows reads the newest version, sorted.
func (k *Kit) Rows(t testing.TB) []string {
	t.Helper()
	s, err := k.Snapshot(context.WithoutCancel(t.Context()), snapshot.Latest())
	if err != nil {
		t.Fatal(err)
	}
	rows, err := Rows(context.WithoutCancel(t.Context()), s)
	if err != nil {
		t.Fatal(err)
	}
	return rows
}

// Rows reads all rows of a snapshot in canonical form, sorted.
func Rows(ctx context.Context, s *snapshot.Snapshot) ([]string, error) {
	out := []string{}
	files := s.Files()
	for i := range files.All() {
		rows, err := FileRows(ctx, s, files.Add(i))
		if err != nil {
			return nil, err
		}
		for _, r := range rows {
			out = append(out, r.Text)
		}
	}
	sort.Strings(out)
	return out, nil
}

// Row is a live row of a file.
type Row struct {
	Pos  int64
	Text string
}

// FileRows reads the live rows of one file.
func FileRows(ctx context.Context, s *snapshot.Snapshot, a *action.Add) ([]Row, error) {
	var out []Row
	for b, err := range scan.File(ctx, s.Env(), scan.SourceOf(s), a, scan.Options{Positions: true}) {
		if err != nil {
			return nil, err
		}
		for i := range b.Rows {
			out = append(out, Row{b.Positions[i], string(columns.AppendCanonicalRow(nil, b.Columns, s.Schema(), i))})
		}
	}
	return out, nil
}

// Objects lists the keys in the store.
func (k *Kit) Objects(ctx context.Context) ([]string, error) {
	var out []string
	for o, err := range k.Bucket.List(ctx, "", "") {
		if err != nil {
			return nil, err
		}
		out = append(out, o.Key)
	}
	return out, nil
}

// DataFiles lists the objects that are not part of the log.
func (k *Kit) DataFiles(t testing.TB) []string {
	t.Helper()
	all, err := k.Objects(context.WithoutCancel(t.Context()))
	if err != nil {
		t.Fatal(err)
	}
	return slices.DeleteFunc(all, func(key string) bool { return strings.HasPrefix(key, "_delta_log/") })
}

// Referenced lists the objects that the live files of a snapshot need.
func Referenced(s *snapshot.Snapshot) []string {
	var out []string
	files := s.Files()
	for i := range files.All() {
		out = append(out, Needs(s.Bucket(), files.Add(i))...)
	}
	return out
}

// Needs lists the paths of a data file and of its deletion vector.
func Needs(b *storage.Bucket, a *action.Add) []string {
	out := []string{a.Path}
	if d := a.DeletionVector; d != nil && d.StorageType != dv.Inline {
		if at, err := dv.Locate(d, b.URL()); err == nil {
			out = append(out, at.Key)
		}
	}
	return out
}

// Publish writes a commit by hand, as another engine would, without any check.
func Publish(ctx context.Context, b *storage.Bucket, version int64, op string, acts ...action.Action) error {
	blind := false
	info := &action.CommitInfo{Operation: op, IsBlindAppend: &blind}
	data, err := action.Marshal(append([]action.Action{info}, acts...))
	if err != nil {
		return err
	}
	return b.PutIfAbsent(ctx, deltalog.CommitPath(version), data)
}

// Optimize is what OPTIMIZE commits: the rows of some files in files of their own.
func Optimize(ctx context.Context, s *snapshot.Snapshot, adds ...*action.Add) ([]action.Action, error) {
	spec := write.SpecOf(s)
	spec.Rearranged = true
	w, err := write.New(ctx, s.Env(), s.Bucket(), spec)
	if err != nil {
		return nil, err
	}
	var out []action.Action
	for _, a := range adds {
		for b, err := range scan.File(ctx, s.Env(), scan.SourceOf(s), a, scan.Options{}) {
			if err == nil {
				_, err = w.Write(b.Columns, b.Rows)
			}
			if err != nil {
				w.Abort()
				return nil, err
			}
		}
		r := rewrite.RemoveOf(a, s.Env().Now().UnixMilli())
		r.DataChange = false
		out = append(out, r)
	}
	outs, err := w.Close()
	if err != nil {
		return nil, err
	}
	for _, o := range outs {
		out = append(out, o.Add)
	}
	return out, nil
}

// Mark is what another engine commits that deletes rows of a file by position.
func Mark(ctx context.Context, s *snapshot.Snapshot, a *action.Add, rows ...int64) ([]action.Action, error) {
	all := roaring64.New()
	if a.DeletionVector != nil {
		old, err := dv.Load(ctx, s.Bucket(), s.Bucket().URL(), a.DeletionVector)
		if err != nil {
			return nil, err
		}
		all.Or(old)
	}
	for _, r := range rows {
		all.Add(uint64(r))
	}
	stored, err := dv.Store(ctx, s.Bucket(), []*roaring64.Bitmap{all}, s.Env().NewID)
	if err != nil {
		return nil, err
	}
	marked := *a
	marked.DeletionVector, marked.DataChange = stored[0], true
	if n, ok := colstats.NumRecords(a.Stats); ok {
		marked.Stats = colstats.Loosen(a.Stats, n)
	}
	return []action.Action{rewrite.RemoveOf(a, s.Env().Now().UnixMilli()), &marked}, nil
}
