package scan_test

import (
	"bytes"
	"context"
	"crypto/sha256"
	"encoding/hex"
	"encoding/json"
	"fmt"
	"io"
	"os"
	"path/filepath"
	"slices"
	"testing"
	"time"

	"github.com/apache/arrow-go/v18/arrow"
	"github.com/klauspost/compress/zstd"

	"github.com/sluicelake/sluice/action"
	"github.com/sluicelake/sluice/internal/base/columns"
	"github.com/sluicelake/sluice/internal/base/env"
	"github.com/sluicelake/sluice/internal/proof/testkit"
	"github.com/sluicelake/sluice/internal/rows/scan"
	"github.com/sluicelake/sluice/internal/table/feature"
	"github.com/sluicelake/sluice/internal/table/snapshot"
	"github.com/sluicelake/sluice/storage"
	"github.com/sluicelake/sluice/storage/local"
	"github.com/sluicelake/sluice/types"
)

type confRead struct {
	ID        string     `json:"id"`
	Op        string     `json:"op"`
	Version   *int64     `json:"version"`
	Timestamp *time.Time `json:"timestamp"`
	Expect    string     `json:"expect"`
	Rows      string     `json:"rows"`
	NumRows   int        `json:"numRows"`
	SHA256    string     `json:"sha256"`
	Omit      []string   `json:"omit"`
	MayRefuse any        `json:"mayRefuse"`
	Error     string     `json:"error"`
}

// TestConformanceRows reads every table of the conformance pack. A read passes
// when its rows are exactly those expected (or an error, where one is expected),
// is refused when sluice answers with an error instead of rows, and fails when
// rows are wrong.
func TestConformanceRows(t *testing.T) {
	root := filepath.Join(testkit.Corpus(t, "SLUICE_CONFORMANCE"), "tables")
	var passed, refused, failed int
	for _, archive := range testkit.Archives(t, root) {
		t.Run(testkit.ArchiveName(root, archive), func(t *testing.T) {
			dir := testkit.Unpack(t, archive)
			var c struct {
				Table string     `json:"table"`
				Reads []confRead `json:"reads"`
			}
			text, err := os.ReadFile(filepath.Join(dir, "case.json"))
			if err != nil {
				t.Fatal(err)
			}
			if err := json.Unmarshal(text, &c); err != nil {
				t.Fatal(err)
			}
			for _, r := range c.Reads {
				if r.Op == "cdf" {
					continue
				}
				lines, err := readTable(t.Context(), filepath.Join(dir, c.Table), r)
				switch {
				case r.Expect == "error" && err == nil:
					failed++
					t.Errorf("%s: %d rows, want an error of class %s", r.ID, len(lines), r.Error)
				case r.Expect == "error":
					passed++
				case err != nil && r.MayRefuse != nil:
					refused++
				case err != nil:
					refused++
					t.Errorf("%s: refused: %v", r.ID, err)
				default:
					if diff := compareRows(dir, r, lines); diff != "" {
						failed++
						t.Errorf("%s: WRONG ROWS: %s", r.ID, diff)
					} else {
						passed++
					}
				}
			}
		})
	}
	t.Logf("conformance rows: %d passed, %d refused, %d failed", passed, refused, failed)
}

func readTable(ctx context.Context, dir string, r confRead) ([][]byte, error) {
	return readVersion(ctx, dir, r, nil, func(cols []arrow.Array, s *types.Struct, i int) []byte {
		return columns.AppendCanonicalRow(nil, cols, s, i)
	})
}

type outsideFunc = func(ctx context.Context, url string) (*storage.Bucket, string, error)

// readVersion reads a table into sorted lines.
func readVersion(ctx context.Context, dir string, r confRead, outside outsideFunc, row func([]arrow.Array, *types.Struct, int) []byte) (lines [][]byte, err error) {
	d, err := local.New(dir)
	if err != nil {
		return nil, err
	}
	b := storage.NewBucket(d)
	defer b.Close()
	at := snapshot.Latest()
	switch {
	case r.Version != nil:
		at = snapshot.Version(*r.Version)
	case r.Timestamp != nil:
		at = snapshot.Time(*r.Timestamp)
	}
	e := env.New()
	s, err := snapshot.Load(ctx, e, b, at)
	if err != nil {
		return nil, err
	}
	if err := feature.CheckRead(s.Protocol()); err != nil {
		return nil, err
	}
	var adds []*action.Add
	files := s.Files()
	for i := range files.All() {
		adds = append(adds, files.Add(i))
	}
	schema, keep := &types.Struct{}, []int{}
	for i, f := range s.Schema().Fields {
		if !slices.Contains(r.Omit, f.Name) {
			schema.Fields, keep = append(schema.Fields, f), append(keep, i)
		}
	}
	src := scan.SourceOf(s)
	src.Outside = outside
	for batch, err := range scan.Files(ctx, e, src, adds, scan.Options{}) {
		if err != nil {
			return nil, err
		}
		cols := make([]arrow.Array, len(keep))
		for k, i := range keep {
			cols[k] = batch.Columns[i]
			if want, err := columns.ArrowType(schema.Fields[k].Type); err != nil || !arrow.TypeEqual(want, cols[k].DataType()) {
				return nil, fmt.Errorf("column %s has Arrow type %s, want %s", schema.Fields[k].Name, cols[k].DataType(), want)
			}
		}
		for i := range batch.Rows {
			lines = append(lines, append(row(cols, schema, i), '\n'))
		}
	}
	slices.SortFunc(lines, bytes.Compare)
	return lines, nil
}

// compareRows says how rows differ from the expectation, "" when they do not.
func compareRows(dir string, r confRead, lines [][]byte) string {
	h := sha256.New()
	for _, l := range lines {
		h.Write(l)
	}
	if hex.EncodeToString(h.Sum(nil)) == r.SHA256 {
		return ""
	}
	diff := fmt.Sprintf("%d rows, want %d", len(lines), r.NumRows)
	f, err := os.Open(filepath.Join(dir, r.Rows))
	if err != nil {
		return diff
	}
	defer f.Close()
	z, err := zstd.NewReader(f)
	if err != nil {
		return diff
	}
	defer z.Close()
	text, err := io.ReadAll(z)
	if err != nil {
		return diff
	}
	want := bytes.SplitAfter(text, []byte("\n"))
	for i, l := range lines {
		if i >= len(want) || !bytes.Equal(l, want[i]) {
			w := ""
			if i < len(want) {
				w = string(want[i])
			}
			return fmt.Sprintf("%s; row %d\n got %.600s want %.600s", diff, i, l, w)
		}
	}
	return diff
}
