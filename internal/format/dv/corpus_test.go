package dv

import (
	"archive/tar"
	"bufio"
	"bytes"
	"encoding/json"
	"errors"
	"io"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/klauspost/compress/zstd"

	"github.com/sluicelake/sluice/action"
)

// TestCorpus loads every deletion vector that the commits of the conformance
// tables mention.
func TestCorpus(t *testing.T) {
	dir := os.Getenv("SLUICE_CONFORMANCE")
	if dir == "" {
		t.Skip("SLUICE_CONFORMANCE names no folder with conformance tables")
	}
	archives, err := filepath.Glob(filepath.Join(dir, "tables", "*", "*.tar.zst"))
	if err != nil || len(archives) == 0 {
		t.Fatalf("no tables in %s: %v", dir, err)
	}
	loaded := 0
	for _, name := range archives {
		f := &files{data: unpack(t, name)}
		for key, data := range f.data {
			if !strings.Contains(key, "_delta_log/") || !strings.HasSuffix(key, ".json") {
				continue
			}
			for _, d := range vectorsOf(data) {
				rows, err := Load(t.Context(), f, "", d)
				var outside *OutsideError
				switch {
				case err == nil:
					loaded++
					if int64(rows.GetCardinality()) != d.Cardinality {
						t.Errorf("%s: %s: %d rows", name, d.ID(), rows.GetCardinality())
					}
				case errors.As(err, &outside), strings.Contains(err.Error(), "does not exist"):
				case strings.HasSuffix(d.PathOrInlineDv, "8Xg##093"): // hand-made text that is no Z85: a group above 32 bits
				default:
					t.Errorf("%s: %v", filepath.Base(name), err)
				}
			}
		}
	}
	t.Logf("%d vectors", loaded)
	if loaded == 0 {
		t.Error("no vector was loaded")
	}
}

func unpack(t *testing.T, name string) map[string][]byte {
	t.Helper()
	in, err := os.Open(name)
	if err != nil {
		t.Fatal(err)
	}
	defer in.Close()
	z, err := zstd.NewReader(in)
	if err != nil {
		t.Fatal(err)
	}
	defer z.Close()
	out := map[string][]byte{}
	for r := tar.NewReader(z); ; {
		h, err := r.Next()
		if err == io.EOF {
			return out
		}
		if err != nil {
			t.Fatal(err)
		}
		key, ok := strings.CutPrefix(strings.TrimPrefix(h.Name, "./"), "table/")
		if !ok || h.Typeflag != tar.TypeReg || (!strings.HasSuffix(key, ".json") && !strings.HasSuffix(key, ".bin")) {
			continue
		}
		if out[key], err = io.ReadAll(r); err != nil {
			t.Fatal(err)
		}
	}
}

func vectorsOf(commit []byte) (out []*action.DeletionVector) {
	lines := bufio.NewScanner(bytes.NewReader(commit))
	lines.Buffer(nil, 64<<20)
	for lines.Scan() {
		var line struct {
			Add, Remove struct{ DeletionVector *action.DeletionVector }
		}
		if json.Unmarshal(lines.Bytes(), &line) != nil {
			continue
		}
		for _, d := range []*action.DeletionVector{line.Add.DeletionVector, line.Remove.DeletionVector} {
			if d != nil {
				out = append(out, d)
			}
		}
	}
	return out
}
