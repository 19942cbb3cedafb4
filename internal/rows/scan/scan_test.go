package scan_test

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"github.com/RoaringBitmap/roaring/v2/roaring64"
	"github.com/apache/arrow-go/v18/arrow"
	"github.com/google/uuid"
	"go.uber.org/goleak"

	"github.com/sluicelake/sluice/action"
	"github.com/sluicelake/sluice/expr"
	"github.com/sluicelake/sluice/internal/base/address"
	"github.com/sluicelake/sluice/internal/base/columns"
	"github.com/sluicelake/sluice/internal/base/env"
	"github.com/sluicelake/sluice/internal/format/dv"
	"github.com/sluicelake/sluice/internal/format/parquetio"
	"github.com/sluicelake/sluice/internal/rows/scan"
	"github.com/sluicelake/sluice/internal/table/feature"
	"github.com/sluicelake/sluice/storage"
	"github.com/sluicelake/sluice/storage/local"
	"github.com/sluicelake/sluice/types"
)

func TestMain(m *testing.M) { goleak.VerifyTestMain(m) }

func field(name string, t types.Type) types.Field {
	return types.Field{Name: name, Type: t, Nullable: true}
}

// table is a folder with a file of n rows: id is 0..n-1, p is a partition column.
type table struct {
	bucket *storage.Bucket
	src    scan.Source
	dir    string
}

func newTable(t testing.TB) *table {
	dir := t.TempDir()
	d, err := local.New(filepath.Join(dir, "t"))
	if err != nil {
		t.Fatal(err)
	}
	b := storage.NewBucket(d)
	t.Cleanup(func() { b.Close() })
	schema := types.NewStruct(field("p", types.Integer), field("id", types.Long), field("name", types.String))
	cols, err := feature.Mapping(&action.Metadata{PartitionColumns: []string{"p"}}, schema)
	if err != nil {
		t.Fatal(err)
	}
	return &table{bucket: b, src: scan.Source{Bucket: b, Columns: cols}, dir: dir}
}

func text(s string) *string { return &s }

func (tb *table) add(t testing.TB, key, path string, rows int) *action.Add {
	var buf bytes.Buffer
	w, err := parquetio.NewFileWriter(&buf, types.NewStruct(field("id", types.Long), field("name", types.String)), parquetio.WriterOptions{PageRows: 50, RowGroupRows: 400})
	if err != nil {
		t.Fatal(err)
	}
	ids, names := make([]any, rows), make([]any, rows)
	for i := range rows {
		ids[i], names[i] = int64(i), fmt.Sprint("n", i)
	}
	a, _ := columns.FromValues(types.Long, ids...)
	b, _ := columns.FromValues(types.String, names...)
	if err := w.WriteColumns([]arrow.Array{a, b}, rows); err != nil {
		t.Fatal(err)
	}
	if _, err := w.Close(); err != nil {
		t.Fatal(err)
	}
	if err := tb.bucket.Put(t.Context(), key, buf.Bytes()); err != nil {
		t.Fatal(err)
	}
	return &action.Add{Path: path, Size: int64(buf.Len()), PartitionValues: action.PartitionValues{"p": text("7")}}
}

func ids(t testing.TB, tb *table, add *action.Add, o scan.Options) (out []int64) {
	t.Helper()
	for b, err := range scan.File(t.Context(), env.New(), tb.src, add, o) {
		if err != nil {
			t.Fatal(err)
		}
		for i := range b.Rows {
			out = append(out, columns.Value(b.Columns[1], i).(int64))
			if o.Positions && b.Positions[i] != out[len(out)-1] {
				t.Fatalf("row %d claims position %d", out[len(out)-1], b.Positions[i])
			}
			if b.Columns[0] != nil && columns.Value(b.Columns[0], i) != int64(7) {
				t.Fatalf("partition value %v", columns.Value(b.Columns[0], i))
			}
		}
	}
	return out
}

func TestFileWithVectorAndRanges(t *testing.T) {
	tb := newTable(t)
	add := tb.add(t, "p=7/a b%.parquet", "p=7/a%20b%25.parquet", 1000)
	if got := ids(t, tb, add, scan.Options{Positions: true, Batch: 77}); len(got) != 1000 || got[999] != 999 {
		t.Fatalf("%d rows", len(got))
	}
	dead := roaring64.New()
	dead.AddRange(100, 300)
	dead.Add(999)
	ds, err := dv.Store(t.Context(), tb.bucket, []*roaring64.Bitmap{dead}, uuid.NewString)
	if err != nil {
		t.Fatal(err)
	}
	add.DeletionVector = ds[0]
	var want []int64
	for i := range int64(999) {
		if i < 100 || i >= 300 {
			want = append(want, i)
		}
	}
	if got := ids(t, tb, add, scan.Options{Positions: true}); !slices.Equal(got, want) {
		t.Fatalf("live rows: %v", got)
	}
	if got := ids(t, tb, add, scan.Options{Positions: true, ReadDeleted: true}); len(got) != 1000 {
		t.Fatalf("with the deleted: %d rows", len(got))
	}
	o := scan.Options{Columns: []int{1}, Positions: true, Rows: []scan.Range{{Start: 98, End: 102}, {Start: 299, End: 301}, {Start: 990, End: 2000}}}
	if got := ids(t, tb, add, o); !slices.Equal(got, []int64{98, 99, 300, 990, 991, 992, 993, 994, 995, 996, 997, 998}) {
		t.Fatalf("ranges: %v", got)
	}
}

func TestPredicateOfPartitionAndData(t *testing.T) {
	tb := newTable(t)
	add := tb.add(t, "f.parquet", "f.parquet", 1000)
	p := &expr.Call{Fn: "=", T: types.Boolean, Args: []expr.Expr{&expr.Column{Ref: 0, T: types.Integer}, &expr.Literal{Value: int64(7), T: types.Integer}}}
	id := &expr.Call{Fn: ">=", T: types.Boolean, Args: []expr.Expr{&expr.Column{Ref: 1, T: types.Long}, &expr.Literal{Value: int64(990), T: types.Long}}}
	got := ids(t, tb, add, scan.Options{Predicate: expr.And(p, id), Positions: true})
	if len(got) < 10 || len(got) > 50 || got[len(got)-1] != 999 {
		t.Fatalf("%d rows", len(got))
	}
}

// TestPaths: what leaves the table's folder is refused, whatever its spelling.
func TestPaths(t *testing.T) {
	tb := newTable(t)
	tb.add(t, "f.parquet", "f.parquet", 1)
	root := tb.bucket.URL()
	plain := strings.TrimPrefix(root, "file://")
	for path, ok := range map[string]bool{
		"f.parquet": true, "%66.parquet": true, root + "/f.parquet": true, plain + "/f.parquet": true, "file:" + plain + "/f.parquet": true,
		"../t/f.parquet": false, "%2e%2e/t/f.parquet": false, "a/../f.parquet": false, "./f.parquet": true, ".//f.parquet": true, "/etc/passwd": false, "": false,
		"file:///etc/passwd": false, root + "/../t/f.parquet": false, root + "x/f.parquet": false, "s3://bucket/f.parquet": false, "f.parquet%00": false, "//f.parquet": false, "file://host" + plain + "/f.parquet": false,
	} {
		var err error
		for _, e := range scan.File(t.Context(), env.New(), tb.src, &action.Add{Path: path}, scan.Options{}) {
			err = e
		}
		var pe *scan.PathError
		if ok && err != nil || !ok && !errors.As(err, &pe) {
			t.Errorf("%q: %v", path, err)
		}
	}
	src := tb.src
	src.Outside = func(_ context.Context, url string) (*storage.Bucket, string, error) {
		return tb.bucket, "f.parquet", nil
	}
	for _, err := range scan.File(t.Context(), env.New(), src, &action.Add{Path: "s3://elsewhere/x"}, scan.Options{}) {
		if err != nil {
			t.Errorf("allowed: %v", err)
		}
	}
}

func TestBadFiles(t *testing.T) {
	tb := newTable(t)
	good := tb.add(t, "f.parquet", "f.parquet", 100)
	data, _, err := tb.bucket.Get(t.Context(), "f.parquet")
	if err != nil {
		t.Fatal(err)
	}
	tb.bucket.Put(t.Context(), "short.parquet", data[:len(data)/2])
	for name, c := range map[string]struct {
		add  action.Add
		want string
	}{
		"missing":         {action.Add{Path: "none.parquet", Size: 10}, "is missing, though the log lists it"},
		"truncated":       {action.Add{Path: "short.parquet", Size: good.Size}, "short.parquet"},
		"partition value": {action.Add{Path: "f.parquet", Size: good.Size, PartitionValues: action.PartitionValues{"p": text("x")}}, "partition column p"},
	} {
		var err error
		for _, e := range scan.File(t.Context(), env.New(), tb.src, &c.add, scan.Options{}) {
			err = e
		}
		var fe *scan.FileError
		if !errors.As(err, &fe) || !strings.Contains(err.Error(), c.want) {
			t.Errorf("%s: %v", name, err)
		}
	}
	good.Size += 5 // the log is wrong about the size: the store is asked
	if got := ids(t, tb, good, scan.Options{}); len(got) != 100 {
		t.Errorf("wrong size in the log: %d rows", len(got))
	}
	if n, err := scan.PhysicalRows(t.Context(), env.New(), tb.src, good); n != 100 || err != nil {
		t.Errorf("PhysicalRows: %d, %v", n, err)
	}
}

func TestFilesInParallel(t *testing.T) {
	tb := newTable(t)
	var adds []*action.Add
	for i := range 20 {
		adds = append(adds, tb.add(t, fmt.Sprint(i), fmt.Sprint(i), 500))
	}
	e := env.New()
	e.Workers = 4
	total, perFile := 0, map[*action.Add]int64{}
	for b, err := range scan.Files(t.Context(), e, tb.src, adds, scan.Options{Batch: 100, Positions: true}) {
		if err != nil {
			t.Fatal(err)
		}
		if b.Positions[0] != perFile[b.Add] {
			t.Fatalf("a file's rows are out of order: %d, want %d", b.Positions[0], perFile[b.Add])
		}
		perFile[b.Add] += int64(b.Rows)
		total += b.Rows
	}
	if total != 10_000 {
		t.Fatalf("%d rows", total)
	}
	for range scan.Files(t.Context(), e, tb.src, adds, scan.Options{Batch: 10}) {
		break // goleak sees a goroutine that stays
	}
	adds[10] = &action.Add{Path: "missing", Size: 1}
	errs := 0
	for _, err := range scan.Files(t.Context(), e, tb.src, adds, scan.Options{}) {
		if err != nil {
			errs++
		}
	}
	if errs != 1 {
		t.Errorf("%d errors", errs)
	}
	ctx, cancel := context.WithCancel(t.Context())
	var last error
	for _, err := range scan.Files(ctx, e, tb.src, adds[:10], scan.Options{Batch: 10}) {
		cancel()
		last = err
	}
	if !errors.Is(last, context.Canceled) {
		t.Errorf("cancelled: %v", last)
	}
	cancel()
}

// TestLinks: a link in the table's folder is followed while it stays there; where
// it leads out, what it leads to must be allowed. The table itself may be a link.
func TestLinks(t *testing.T) {
	tb := newTable(t)
	tb.add(t, "f.parquet", "f.parquet", 3)
	away, dir := t.TempDir(), strings.TrimPrefix(tb.bucket.URL(), "file://")
	data, err := os.ReadFile(filepath.Join(dir, "f.parquet"))
	if err != nil {
		t.Fatal(err)
	}
	if err := os.WriteFile(filepath.Join(away, "g.parquet"), data, 0o600); err != nil {
		t.Fatal(err)
	}
	for name, to := range map[string]string{"in.parquet": "f.parquet", "out.parquet": filepath.Join(away, "g.parquet"), "folder": away} {
		if err := os.Symlink(to, filepath.Join(dir, name)); err != nil {
			t.Skip(err)
		}
	}
	read := func(src scan.Source, path string) (rows int, err error) {
		for b, e := range scan.File(t.Context(), env.New(), src, &action.Add{Path: path, Size: int64(len(data))}, scan.Options{}) {
			rows, err = rows+b.Rows, e
		}
		return rows, err
	}
	allowed, err := address.Allow([]address.Place{{Prefix: away}}, func(ctx context.Context, at string) (*storage.Bucket, error) { return storage.Open(ctx, at) })
	if err != nil {
		t.Fatal(err)
	}
	open := tb.src
	open.Outside = allowed.Find
	for path, out := range map[string]bool{"in.parquet": false, "out.parquet": true, "folder/g.parquet": true} {
		var pe *scan.PathError
		if n, err := read(tb.src, path); out && !errors.As(err, &pe) || !out && n != 3 {
			t.Errorf("%s: %d rows, %v", path, n, err)
		}
		if n, err := read(open, path); n != 3 || err != nil {
			t.Errorf("%s, allowed: %d rows, %v", path, n, err)
		}
	}
	link := filepath.Join(t.TempDir(), "link")
	if err := os.Symlink(dir, link); err != nil {
		t.Fatal(err)
	}
	d, err := local.New(link)
	if err != nil {
		t.Fatal(err)
	}
	src := tb.src
	src.Bucket = storage.NewBucket(d)
	if n, err := read(src, dir+"/f.parquet"); n != 3 || err != nil {
		t.Errorf("an absolute path of a table that was opened through a link: %d rows, %v", n, err)
	}
}
