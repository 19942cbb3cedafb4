// Package spark holds statements against what Spark did with them.
package spark

import (
	"bufio"
	"context"
	"encoding/json"
	"fmt"
	"maps"
	"os"
	"path/filepath"
	"slices"
	"sort"
	"strings"
	"testing"

	"github.com/RoaringBitmap/roaring/v2/roaring64"
	"github.com/klauspost/compress/zstd"

	"github.com/sluicelake/sluice/action"
	"github.com/sluicelake/sluice/internal/base/columns"
	"github.com/sluicelake/sluice/internal/base/env"
	"github.com/sluicelake/sluice/internal/format/colstats"
	"github.com/sluicelake/sluice/internal/format/dv"
	"github.com/sluicelake/sluice/internal/proof/tablekit"
	"github.com/sluicelake/sluice/internal/proof/testkit"
	"github.com/sluicelake/sluice/internal/rows/source"
	"github.com/sluicelake/sluice/internal/rows/write"
	"github.com/sluicelake/sluice/internal/sql/parse"
	"github.com/sluicelake/sluice/internal/sql/session"
	"github.com/sluicelake/sluice/internal/table/feature"
	"github.com/sluicelake/sluice/internal/table/snapshot"
	"github.com/sluicelake/sluice/internal/table/txn"
	"github.com/sluicelake/sluice/internal/verbs/changes"
	"github.com/sluicelake/sluice/storage"
	"github.com/sluicelake/sluice/storage/local"
	"github.com/sluicelake/sluice/types"
)

type relation struct {
	Dir         string            `json:"dir"` // an archive with the table; "" is built from files
	Schema      json.RawMessage   `json:"schema"`
	PartitionBy []string          `json:"partitionBy"`
	Properties  map[string]string `json:"properties"`
	Protocol    struct {
		MinReaderVersion int32    `json:"minReaderVersion"`
		MinWriterVersion int32    `json:"minWriterVersion"`
		ReaderFeatures   []string `json:"readerFeatures"`
		WriterFeatures   []string `json:"writerFeatures"`
	} `json:"protocol"`
	Files []struct {
		Rows    []json.RawMessage `json:"rows"`
		Deleted []int64           `json:"deleted"`
	} `json:"files"`
	Rows []json.RawMessage `json:"rows"`
}

type dmlCase struct {
	ID     string            `json:"id"`
	Tags   []string          `json:"tags"`
	Target relation          `json:"target"`
	Source relation          `json:"source"`
	Confs  map[string]string `json:"confs"`
	SQL    string            `json:"sql"`
	Expect struct {
		Version    int64             `json:"version"`
		Rows       []json.RawMessage `json:"rows"`
		Schema     json.RawMessage   `json:"schema"`
		Operation  string            `json:"operation"`
		Parameters map[string]any    `json:"operationParameters"`
		Blind      *bool             `json:"isBlindAppend"`
		Metrics    map[string]string `json:"metrics"`
		Changes    []json.RawMessage `json:"cdf"`
		Error      *struct {
			Condition string `json:"condition"`
			Message   string `json:"message"`
		} `json:"error"`
	} `json:"expect"`
}

func texts(raw []json.RawMessage) []string {
	out := make([]string, len(raw))
	for i, r := range raw {
		out[i] = string(r)
	}
	sort.Strings(out)
	return out
}

func cases(t *testing.T, path string) (out []dmlCase) {
	f, err := os.Open(path)
	if err != nil {
		t.Fatal(err)
	}
	defer f.Close()
	z, err := zstd.NewReader(f)
	if err != nil {
		t.Fatal(err)
	}
	defer z.Close()
	lines := bufio.NewScanner(z)
	lines.Buffer(nil, 1<<24)
	for lines.Scan() {
		var c dmlCase
		if err := json.Unmarshal(lines.Bytes(), &c); err != nil {
			t.Fatal(err)
		}
		out = append(out, c)
	}
	return out
}

// TestStatements runs the INSERT, UPDATE, DELETE and MERGE of the corpus: the same rows,
// change rows, schema, operation and counts as in Spark, or the same error class.
func TestStatements(t *testing.T) {
	dir := testkit.Corpus(t, "SLUICE_SPARK_CORPUS")
	judge(t, "spark statements", dir, cases(t, filepath.Join(dir, "dml.jsonl.zst")))
}

// TestStatementsOnTheirTables starts from tables that Spark wrote.
func TestStatementsOnTheirTables(t *testing.T) {
	dir := testkit.Corpus(t, "SLUICE_SPARK_CORPUS")
	judge(t, "spark statements on tables of Spark", dir, cases(t, filepath.Join(dir, "dml_dirs.jsonl.zst")))
}

// judge plays the cases and prints how they went. Skipped are errors that depend on
// the rows that are looked at, on one side only: such a case says nothing.
func judge(t *testing.T, what, dir string, list []dmlCase) {
	counts := map[string]int{}
	for _, c := range list {
		verdict, why := play(t, dir, &c)
		counts[verdict]++
		switch verdict {
		case "skipped":
			t.Logf("%s: %s", c.ID, why)
		case "failed":
			t.Errorf("%s: %s\n%s", c.ID, why, c.SQL)
		}
	}
	fmt.Printf("%s: %d passed, %d failed, %d skipped\n", what, counts["passed"], counts["failed"], counts["skipped"])
}

// runtime errors may depend on which rows an engine looks at.
var softErrors = []string{"CAST_INVALID_INPUT", "CAST_OVERFLOW", "ARITHMETIC_OVERFLOW", "DIVIDE_BY_ZERO", "NUMERIC_VALUE_OUT_OF_RANGE", "USER_RAISED_EXCEPTION", "DELTA_CAST_OVERFLOW_IN_TABLE_WRITE", "INVALID_ARRAY_INDEX"}

func isSoft(text string) bool {
	return slices.ContainsFunc(softErrors, func(class string) bool { return strings.Contains(text, class) })
}

// play runs one case and judges it.
func play(t *testing.T, dir string, c *dmlCase) (verdict, why string) {
	ctx := t.Context()
	var l *txn.Log
	var err error
	if c.Target.Dir == "" {
		l, err = build(ctx, &c.Target)
	} else {
		l, err = unpacked(t, filepath.Join(dir, "dirs", c.Target.Dir))
	}
	if err != nil {
		return passing(err)
	}
	defer l.Close(ctx)
	start, err := l.Update(ctx)
	if err != nil {
		return "failed", err.Error()
	}
	before, err := tablekit.Rows(ctx, start)
	if err != nil {
		return "failed", err.Error()
	}
	err = run(ctx, l, c)
	want := c.Expect
	after, loadErr := snapshot.Load(ctx, l.Env(), l.Bucket(), snapshot.Latest())
	if loadErr != nil {
		return "failed", loadErr.Error()
	}
	rows, loadErr := tablekit.Rows(ctx, after)
	if loadErr != nil {
		return "failed", loadErr.Error()
	}
	if err != nil && after.Version() != start.Version() {
		return "failed", fmt.Sprintf("an error, and version %d: %v", after.Version(), err)
	}
	if want.Error != nil && limits[want.Error.Condition] {
		return passing(limited(ctx, c, rows, err))
	}
	switch {
	case err != nil && want.Error != nil && strings.HasPrefix(err.Error(), "["+want.Error.Condition+"]"), err != nil && want.Error != nil && strings.Contains(err.Error(), ": ["+want.Error.Condition+"]"):
		return "passed", ""
	case err != nil && want.Error != nil:
		return "failed", fmt.Sprintf("Spark says %s; we say %v", want.Error.Condition, err)
	case err != nil && isSoft(err.Error()):
		return "skipped", "Spark has rows, we have " + err.Error()
	case err != nil:
		return "failed", "Spark has no error: " + err.Error()
	case want.Error != nil && isSoft(want.Error.Condition):
		return "skipped", "Spark fails with " + want.Error.Condition
	case want.Error != nil:
		return "failed", "no error, and Spark says " + want.Error.Condition + ": " + want.Error.Message
	}
	if expect := texts(want.Rows); !slices.Equal(rows, expect) {
		return "failed", fmt.Sprintf("rows\n   %s\nwant\n   %s", strings.Join(rows, "\n   "), strings.Join(expect, "\n   "))
	}
	if len(want.Schema) > 0 {
		if s, err := types.ParseSchema(string(want.Schema)); err != nil || !types.SameIgnoringNullability(s, after.Schema()) {
			return "failed", fmt.Sprintf("schema %s, want %s (%v)", after.Schema(), s, err)
		}
	}
	if after.Version() == start.Version() && want.Version == start.Version()+1 && slices.Equal(rows, before) {
		return "passed", "" // Spark commits although nothing changes
	}
	if after.Version() != want.Version {
		return "failed", fmt.Sprintf("version %d, want %d", after.Version(), want.Version)
	}
	if err := recorded(ctx, l, c, after.Version()); err != nil {
		return "failed", err.Error()
	}
	if want.Changes != nil {
		if err := changed(ctx, l, after, want.Changes); err != nil {
			return "failed", err.Error()
		}
	}
	return "passed", ""
}

func passing(err error) (string, string) {
	if err != nil {
		return "failed", err.Error()
	}
	return "passed", ""
}

// build makes the table of a case by hand, one add for each file.
func build(ctx context.Context, r *relation) (*txn.Log, error) {
	schema, err := types.ParseSchema(string(r.Schema))
	if err != nil {
		return nil, err
	}
	e := env.New()
	b := storage.NewBucket(tablekit.Place())
	config := r.Properties
	if config == nil {
		config = map[string]string{}
	}
	md := &action.Metadata{ID: e.NewID(), Format: action.Format{Provider: "parquet"}, SchemaString: string(r.Schema), PartitionColumns: r.PartitionBy, Configuration: config}
	protocol := &action.Protocol{MinReaderVersion: r.Protocol.MinReaderVersion, MinWriterVersion: r.Protocol.MinWriterVersion,
		ReaderFeatures: r.Protocol.ReaderFeatures, WriterFeatures: r.Protocol.WriterFeatures}
	if err := feature.CheckWrite(protocol, md); err != nil {
		return nil, err
	}
	acts := []action.Action{protocol, md}
	for _, f := range r.Files {
		batch, err := tablekit.Batch(schema, unsorted(f.Rows)...)
		if err != nil {
			return nil, err
		}
		// Rearranged: rows of the starting table need not satisfy its constraints.
		w, err := write.New(ctx, e, b, write.Spec{Schema: schema, PartitionColumns: r.PartitionBy, Metadata: md, Protocol: protocol, Rearranged: true})
		if err != nil {
			return nil, err
		}
		if _, err := w.Write(batch.Columns(), int(batch.NumRows())); err != nil {
			return nil, err
		}
		outs, err := w.Close()
		if err != nil {
			return nil, err
		}
		if len(outs) > 1 {
			return nil, fmt.Errorf("%d files for one", len(outs))
		}
		for _, o := range outs {
			o.Add.DataChange = true
			if len(f.Deleted) > 0 {
				rows := roaring64.New()
				for _, d := range f.Deleted {
					rows.Add(uint64(d))
				}
				vectors, err := dv.Store(ctx, b, []*roaring64.Bitmap{rows}, e.NewID)
				if err != nil {
					return nil, err
				}
				o.Add.DeletionVector, o.Add.Stats = vectors[0], colstats.Loosen(o.Add.Stats, o.Rows)
			}
			acts = append(acts, o.Add)
		}
	}
	if err := tablekit.Publish(ctx, b, 0, "CREATE TABLE", acts...); err != nil {
		return nil, err
	}
	return txn.NewLog(e, b, txn.Policy{}), nil
}

// unpacked opens a table that Spark wrote.
func unpacked(t *testing.T, archive string) (*txn.Log, error) {
	d, err := local.New(filepath.Join(testkit.Unpack(t, archive), "table"), local.WithoutSync())
	if err != nil {
		return nil, err
	}
	t.Cleanup(func() { d.Close() })
	return txn.NewLog(env.New(), storage.NewBucket(d), txn.Policy{}), nil
}

func unsorted(raw []json.RawMessage) []string {
	out := make([]string, len(raw))
	for i, r := range raw {
		out[i] = string(r)
	}
	return out
}

// run carries the statement out in a session that calls the table target and the
// rows of the source source.
func run(ctx context.Context, l *txn.Log, c *dmlCase) error {
	st, err := parse.One(c.SQL)
	if err != nil {
		return err
	}
	return runStatement(ctx, l, c, st)
}

func runStatement(ctx context.Context, l *txn.Log, c *dmlCase, st parse.Statement) error {
	s := session.New(session.World{Env: l.Env()})
	s.AddLog("target", l)
	for name, value := range c.Confs {
		if err := s.Configure(name, value); err != nil {
			return err
		}
	}
	if len(c.Source.Schema) > 0 {
		schema, err := types.ParseSchema(string(c.Source.Schema))
		if err != nil {
			return err
		}
		batch, err := tablekit.Batch(schema, unsorted(c.Source.Rows)...)
		if err != nil {
			return err
		}
		src, err := source.FromRecords(schema, batch)
		if err != nil {
			return err
		}
		s.AddSource("source", src)
	}
	_, err := s.Exec(ctx, st)
	return err
}

// recorded compares what the commit says of itself: operation, the names of its
// parameters, whether it is a blind append, and the counts of rows. How many rows
// were copied depends on the files that an engine wrote.
func recorded(ctx context.Context, l *txn.Log, c *dmlCase, version int64) error {
	want := c.Expect
	if want.Operation == "" {
		return nil
	}
	info, err := commitInfo(ctx, l, version)
	if err != nil {
		return err
	}
	if info.Operation != want.Operation {
		return fmt.Errorf("operation %s, want %s", info.Operation, want.Operation)
	}
	if own, theirs := slices.Sorted(maps.Keys(info.OperationParameters)), slices.Sorted(maps.Keys(want.Parameters)); !slices.Equal(own, theirs) && !replacesAll(c) {
		return fmt.Errorf("operation parameters %v, want %v", own, theirs)
	}
	if want.Blind != nil && (info.IsBlindAppend == nil || *info.IsBlindAppend != *want.Blind) {
		return fmt.Errorf("isBlindAppend is not %v", *want.Blind)
	}
	for name, n := range want.Metrics {
		own, ok := info.OperationMetrics[name]
		if !ok {
			return fmt.Errorf("no metric %s", name)
		}
		if strings.Contains(name, "Rows") && !strings.Contains(name, "Copied") && !strings.Contains(name, "Output") && name != "numSourceRows" && own != n {
			return fmt.Errorf("metric %s = %s, want %s", name, own, n)
		}
	}
	return nil
}

// replacesAll is an INSERT whose condition Spark has folded away.
func replacesAll(c *dmlCase) bool {
	_, ok := c.Expect.Parameters["predicate"]
	return !ok && slices.Contains(c.Tags, "ins-replacewhere")
}

func commitInfo(ctx context.Context, l *txn.Log, version int64) (*action.CommitInfo, error) {
	data, _, err := l.Bucket().Get(ctx, fmt.Sprintf("_delta_log/%020d.json", version))
	if err != nil {
		return nil, err
	}
	for line := range strings.Lines(string(data)) {
		var a struct{ CommitInfo *action.CommitInfo }
		if err := json.Unmarshal([]byte(line), &a); err != nil {
			return nil, err
		}
		if a.CommitInfo != nil {
			return a.CommitInfo, nil
		}
	}
	return nil, fmt.Errorf("version %d has no commitInfo", version)
}

// changed compares the change rows of the version with those that Spark reads.
func changed(ctx context.Context, l *txn.Log, s *snapshot.Snapshot, want []json.RawMessage) error {
	plan, err := changes.NewPlan(ctx, l.Env(), s, changes.Spec{From: snapshot.Version(s.Version()), To: snapshot.Version(s.Version()),
		Columns: append(quoted(s.Schema().Names()), "_change_type")})
	if err != nil {
		return err
	}
	var got []string
	for b, err := range plan.Rows(ctx) {
		if err != nil {
			return err
		}
		for i := range int(b.Record.NumRows()) {
			got = append(got, string(columns.AppendCanonical(nil, b.Record, plan.Schema(), i)))
		}
	}
	sort.Strings(got)
	if expect := texts(want); !slices.Equal(got, expect) {
		return fmt.Errorf("change rows\n   %s\nwant\n   %s", strings.Join(got, "\n   "), strings.Join(expect, "\n   "))
	}
	return nil
}

func quoted(names []string) []string {
	out := make([]string, len(names))
	for i, n := range names {
		out[i] = types.QuoteIdentifier(n)
	}
	return out
}
