package write

import (
	"context"
	"encoding/json"
	"fmt"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"github.com/apache/arrow-go/v18/arrow"
	"github.com/apache/arrow-go/v18/arrow/array"
	"github.com/google/go-cmp/cmp"

	"github.com/sluicelake/sluice/action"
	"github.com/sluicelake/sluice/internal/base/columns"
	"github.com/sluicelake/sluice/internal/base/env"
	"github.com/sluicelake/sluice/internal/format/colstats"
	"github.com/sluicelake/sluice/internal/proof/testkit"
	"github.com/sluicelake/sluice/internal/rows/scan"
	"github.com/sluicelake/sluice/internal/table/feature"
	"github.com/sluicelake/sluice/internal/table/snapshot"
	"github.com/sluicelake/sluice/storage"
	"github.com/sluicelake/sluice/storage/local"
	"github.com/sluicelake/sluice/storage/memory"
)

// TestForeignTables takes tables that others wrote. Their statistics must hold
// for the rows that are read; the rows written again must come back the same.
// For files that Spark wrote, our statistics must be Spark's.
func TestForeignTables(t *testing.T) {
	roots := map[string]string{}
	for name, variable := range map[string]string{"conformance": "SLUICE_CONFORMANCE", "spark": "SLUICE_SPARK_CORPUS"} {
		t.Run(name, func(t *testing.T) {
			roots[name] = filepath.Join(testkit.Corpus(t, variable), "tables")
			tables, files, same := 0, 0, 0
			for _, archive := range testkit.Archives(t, roots[name]) {
				t.Run(testkit.ArchiveName(roots[name], archive), func(t *testing.T) {
					s := load(t, filepath.Join(testkit.Unpack(t, archive), "table"))
					if s == nil {
						return
					}
					tables++
					rewriteTable(t, s)
					n, equal := statistics(t, s, name == "spark")
					files += n
					same += equal
				})
			}
			t.Logf("%d tables written again, statistics of %d files hold, %d are the same as ours", tables, files, same)
		})
	}
}

// load opens the newest version; nil when it cannot be read or is large.
func load(t *testing.T, dir string) *snapshot.Snapshot {
	d, err := local.New(dir)
	if err != nil {
		return nil
	}
	b := storage.NewBucket(d)
	t.Cleanup(func() { b.Close() })
	s, err := snapshot.Load(t.Context(), env.New(), b, snapshot.Latest())
	if err != nil || feature.CheckRead(s.Protocol()) != nil || s.SizeInBytes() > 20<<20 || s.NumFiles() > 200 {
		return nil
	}
	return s
}

func adds(s *snapshot.Snapshot) (out []*action.Add) {
	for i := range s.Files().All() {
		out = append(out, s.Files().Add(i))
	}
	return out
}

// rewriteTable writes the rows of a table into new files and reads them.
func rewriteTable(t *testing.T, s *snapshot.Snapshot) {
	ctx, e := t.Context(), env.New()
	bucket := storage.NewBucket(memory.New())
	spec := SpecOf(s)
	spec.Rearranged = true
	w, err := New(ctx, e, bucket, spec)
	if err != nil {
		t.Error(err)
		return
	}
	defer w.Abort()
	var before []string
	for _, add := range adds(s) {
		for b, err := range scan.File(ctx, e, scan.SourceOf(s), add, scan.Options{}) {
			if err != nil {
				return // the readers' tests care about that
			}
			before = rowsOf(before, b, s)
			if _, err := w.Write(b.Columns, b.Rows); err != nil {
				t.Error(err)
				return
			}
		}
	}
	outs, err := w.Close()
	if err != nil {
		t.Error(err)
		return
	}
	var after []string
	for _, o := range outs {
		for b, err := range scan.File(ctx, e, scan.Source{Bucket: bucket, Columns: s.Columns()}, o.Add, scan.Options{}) {
			if err != nil {
				t.Error(err)
				return
			}
			after = rowsOf(after, b, s)
		}
	}
	slices.Sort(before)
	slices.Sort(after)
	if diff := cmp.Diff(before, after); diff != "" {
		t.Errorf("rows change when they are written again: %.2000s", diff)
	}
}

func rowsOf(out []string, b scan.Batch, s *snapshot.Snapshot) []string {
	for i := range b.Rows {
		out = append(out, string(columns.AppendCanonicalRow(nil, b.Columns, s.Schema(), i)))
	}
	return out
}

// statistics compares what files say of themselves with their rows.
func statistics(t *testing.T, s *snapshot.Snapshot, bySpark bool) (files, same int) {
	leaves := colstats.Leaves(s.Columns().Physical)
	decoder := colstats.NewDecoder(leaves)
	chosen, err := colstats.Select(s.Schema(), s.Columns().Physical, s.PartitionColumns(), s.Metadata().Configuration)
	if err != nil {
		t.Error(err)
		return 0, 0
	}
	for _, add := range adds(s) {
		if add.Stats == "" || strings.Contains(add.Stats, `"ts_col": 0`) || strings.Contains(add.Stats, `"ts_col":0`) {
			continue // kernel-data/parsed-stats has statistics of a column that its files lack
		}
		var st colstats.Stats
		if err := decoder.Decode([]byte(add.Stats), &st); err != nil {
			t.Errorf("%s: %v", add.Path, err)
			continue
		}
		mine := colstats.NewCollector(chosen, feature.StatsPrefixLength(s.Metadata()))
		readable := true
		for b, err := range scan.File(context.Background(), env.New(), scan.SourceOf(s), add, scan.Options{}) {
			if err != nil {
				readable = false
				break
			}
			mine.Add(b.Columns, b.Rows)
			for i, l := range leaves {
				if wrong := outside(b.Columns, b.Rows, l, st.Leaves[i], st.Records); wrong != "" {
					t.Errorf("%s: column %s: %s; statistics %s", add.Path, strings.Join(l.Path, "."), wrong, add.Stats)
				}
			}
		}
		if !readable {
			continue
		}
		files++
		if bySpark && add.DeletionVector == nil {
			if diff := sameStats(add.Stats, mine.JSON(strings.Contains(add.Stats, "tightBounds"))); diff != "" {
				t.Errorf("%s: theirs -, ours +\n%s", add.Path, diff)
			} else {
				same++
			}
		}
	}
	return files, same
}

// outside finds a row that breaks the statistics of a leaf.
func outside(cols []arrow.Array, rows int, l colstats.Leaf, st colstats.LeafStats, records int64) string {
	lo, hi := st.Min(l.Type), st.Max(l.Type)
	for i := range rows {
		a, null := cols[l.Ordinal[0]], false
		for _, step := range l.Ordinal[1:] {
			s, ok := a.(*array.Struct)
			if null = null || columns.IsNull(a, i); null || !ok {
				null = true
				break
			}
			a = s.Field(step)
		}
		if null || columns.IsNull(a, i) {
			if st.NoNull() {
				return "a NULL where there are none"
			}
			continue
		}
		if st.AllNull(records) {
			return "a value where all are NULL"
		}
		v, ok := colstats.Of(columns.Value(a, i), l.Type)
		if !ok {
			continue
		}
		if c, ok := colstats.Compare(v, lo); ok && c < 0 {
			return fmt.Sprintf("%v lies below the minimum", v)
		}
		if c, ok := colstats.Compare(v, hi); ok && c > 0 && v.F == v.F {
			return fmt.Sprintf("%v lies above the maximum", v)
		}
	}
	return ""
}

// sameStats compares statistics in the columns that both have: the schema and
// the properties that choose columns may have changed since the file was written.
func sameStats(theirs, ours string) string {
	var a, b map[string]any
	if json.Unmarshal([]byte(theirs), &a) != nil || json.Unmarshal([]byte(ours), &b) != nil {
		return "no JSON"
	}
	return cmp.Diff(common(a, b), common(b, a))
}

func common(a, b map[string]any) map[string]any {
	out := map[string]any{}
	for k, v := range a {
		other, ok := b[k]
		if !ok {
			continue
		}
		inner, isMap := v.(map[string]any)
		otherInner, otherIsMap := other.(map[string]any)
		if isMap && otherIsMap {
			v = common(inner, otherInner)
		}
		out[k] = v
	}
	return out
}
