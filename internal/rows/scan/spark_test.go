package scan_test

import (
	"bytes"
	"context"
	"encoding/json"
	"fmt"
	"net/url"
	"os"
	"path/filepath"
	"strconv"
	"strings"
	"testing"

	"github.com/apache/arrow-go/v18/arrow"

	"github.com/sluicelake/sluice/internal/base/columns"
	"github.com/sluicelake/sluice/internal/proof/testkit"
	"github.com/sluicelake/sluice/storage"
	"github.com/sluicelake/sluice/storage/local"
	"github.com/sluicelake/sluice/types"
)

// TestSparkTables reads each version of the tables that Spark wrote and compares
// the rows with what Spark read.
func TestSparkTables(t *testing.T) {
	root := filepath.Join(testkit.Corpus(t, "SLUICE_SPARK_CORPUS"), "tables")
	var passed, refused, failed int
	for _, archive := range testkit.Archives(t, root) {
		name := testkit.ArchiveName(root, archive)
		t.Run(name, func(t *testing.T) {
			dir := testkit.Unpack(t, archive)
			text, err := os.ReadFile(filepath.Join(dir, "expected", "meta.json"))
			if err != nil {
				t.Fatal(err)
			}
			var meta struct {
				Versions map[string]struct {
					Error json.RawMessage `json:"error"`
				} `json:"versions"`
			}
			if err := json.Unmarshal(text, &meta); err != nil {
				t.Fatal(err)
			}
			for v, want := range meta.Versions {
				rows, err := os.ReadFile(filepath.Join(dir, "expected", "rows-v"+v+".jsonl"))
				n, convErr := strconv.ParseInt(v, 10, 64)
				if convErr != nil {
					t.Fatal(convErr)
				}
				got, readErr := readTableAs(t.Context(), dir, name, n)
				switch {
				case want.Error != nil && readErr == nil:
					failed++
					t.Errorf("version %s: rows, Spark says %s", v, want.Error)
				case want.Error != nil:
					passed++
				case err != nil:
					t.Logf("version %s: no expected rows", v)
				case readErr != nil:
					refused++
					t.Errorf("version %s: refused: %v", v, readErr)
				default:
					if d := firstDiff(got, bytes.SplitAfter(bytes.TrimSpace(rows), []byte("\n"))); d != "" {
						failed++
						t.Errorf("version %s: WRONG ROWS: %s", v, d)
					} else {
						passed++
					}
				}
			}
		})
	}
	t.Logf("spark tables: %d versions passed, %d refused, %d failed", passed, refused, failed)
}

func firstDiff(got, want [][]byte) string {
	if len(want) == 1 && len(want[0]) == 0 {
		want = nil
	}
	for i := range max(len(got), len(want)) {
		var g, w []byte
		if i < len(got) {
			g = bytes.TrimSpace(got[i])
		}
		if i < len(want) {
			w = bytes.TrimSpace(want[i])
		}
		if !bytes.Equal(g, w) {
			return fmt.Sprintf("%d rows, want %d; row %d\n got %.400s\nwant %.400s", len(got), len(want), i, g, w)
		}
	}
	return ""
}

// readTableAs reads a version; files at /corpus/NAME/ lie in the unpacked folder.
func readTableAs(ctx context.Context, dir, name string, version int64) ([][]byte, error) {
	outside := func(_ context.Context, address string) (*storage.Bucket, string, error) {
		path := strings.TrimPrefix(strings.TrimPrefix(address, "file://"), "file:")
		if p, err := url.PathUnescape(path); err == nil {
			path = p
		}
		rest, ok := strings.CutPrefix(path, "/corpus/"+name+"/")
		if !ok {
			return nil, "", fmt.Errorf("%s lies elsewhere", address)
		}
		d, err := local.New(dir)
		if err != nil {
			return nil, "", err
		}
		return storage.NewBucket(d), rest, nil
	}
	return readVersion(ctx, filepath.Join(dir, "table"), confRead{Version: &version}, outside, sparkRow)
}

// sparkRow is the canonical row of this corpus: a variant is {"$variant": json}.
func sparkRow(cols []arrow.Array, s *types.Struct, i int) []byte {
	out := []byte{'{'}
	for c, f := range s.Fields {
		if c > 0 {
			out = append(out, ',')
		}
		out = append(columns.AppendQuoted(out, f.Name), ':')
		if f.Type == types.Variant && !cols[c].IsNull(i) {
			v := columns.Value(cols[c], i).([]any)
			text, err := columns.VariantJSON(v[0].([]byte), v[1].([]byte))
			if err != nil {
				text = []byte(err.Error())
			}
			out = append(append(append(out, `{"$variant":`...), text...), '}')
			continue
		}
		out = columns.AppendCanonicalValue(out, cols[c], f.Type, i)
	}
	return append(out, '}')
}
