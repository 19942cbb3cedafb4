package metamorph

import (
	"bufio"
	"encoding/json"
	"fmt"
	"io"
	"os"
	"os/exec"
	"slices"
	"sort"
	"strings"
	"testing"

	"github.com/sluicelake/sluice/internal/base/columns"
	"github.com/sluicelake/sluice/internal/proof/tablekit"
	"github.com/sluicelake/sluice/internal/table/snapshot"
	"github.com/sluicelake/sluice/storage/local"
	"github.com/sluicelake/sluice/types"
)

// reader is another engine in a process of its own, which reads one table for
// each line that it is given.
type reader struct {
	name string
	in   io.Writer
	out  *bufio.Reader
}

func start(t *testing.T, name, python, script string, args ...string) *reader {
	t.Helper()
	cmd := exec.Command(python, append([]string{script}, args...)...)
	in, err := cmd.StdinPipe()
	if err != nil {
		t.Fatal(err)
	}
	out, err := cmd.StdoutPipe()
	if err != nil {
		t.Fatal(err)
	}
	if err := cmd.Start(); err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { in.Close(); _ = cmd.Wait() })
	return &reader{name, in, bufio.NewReaderSize(out, 1<<20)}
}

// rows asks for the rows of the table in a folder; lines that are no answer are
// what the engine says besides.
func (r *reader) rows(dir string, schema *types.Struct) ([]string, error) {
	q, err := json.Marshal(map[string]any{"rows": dir})
	if err != nil {
		return nil, err
	}
	if _, err := r.in.Write(append(q, '\n')); err != nil {
		return nil, err
	}
	for {
		line, err := r.out.ReadString('\n')
		if err != nil {
			return nil, fmt.Errorf("%s has ended: %w", r.name, err)
		}
		var reply struct {
			Rows  []json.RawMessage
			Error string
		}
		if !strings.HasPrefix(line, "{") || json.Unmarshal([]byte(line), &reply) != nil || reply.Rows == nil && reply.Error == "" {
			continue
		}
		if reply.Error != "" {
			return nil, fmt.Errorf("%s: %s", r.name, reply.Error)
		}
		return canonical(reply.Rows, schema)
	}
}

func canonical(rows []json.RawMessage, schema *types.Struct) ([]string, error) {
	lines := make([]string, len(rows))
	for i, r := range rows {
		lines[i] = string(r)
	}
	b, err := tablekit.Batch(schema, lines...)
	if err != nil {
		return nil, err
	}
	out := make([]string, len(lines))
	for i := range lines {
		out[i] = string(columns.AppendCanonicalRow(nil, b.Columns(), schema, i))
	}
	sort.Strings(out)
	return out, nil
}

// watch plays seeds over layouts and has the table read after each statement.
func watch(t *testing.T, r *reader, seeds, statements int, layouts []Config) {
	for i, c := range layouts {
		t.Run(c.String(), func(t *testing.T) {
			for seed := range uint64(seeds) {
				seed += 100 * uint64(i)
				dir := t.TempDir()
				d, err := local.New(dir, local.WithoutSync())
				if err != nil {
					t.Fatal(err)
				}
				s := Write(seed, statements)
				_, err = Play(t.Context(), c, s, d, func(_ string, now *snapshot.Snapshot, rows []string) error {
					theirs, err := r.rows(dir, now.Schema())
					if err == nil && !slices.Equal(theirs, rows) {
						err = fmt.Errorf("%s reads\n%s", r.name, difference(theirs, rows))
					}
					return err
				})
				d.Close()
				if err != nil {
					t.Fatalf("seed %d: %v\nfirst rows\n  %s\nstatements\n  %s", seed, err, strings.Join(s.Rows, ",\n  "), strings.Join(s.Statements, ";\n  "))
				}
			}
		})
	}
}

// TestDeltaRsReadsAlong has deltalake read the table after each statement.
func TestDeltaRsReadsAlong(t *testing.T) {
	python := os.Getenv("SLUICE_PYTHON")
	if python == "" {
		t.Skip("SLUICE_PYTHON is not set: it names a Python with the package deltalake 1.6.6")
	}
	watch(t, start(t, "deltalake", python, "../interop/testdata/peer.py", "serve"), 1, 10, Pairs())
}

// TestDuckDBReadsAlong has DuckDB's extension, which is the Delta kernel, do the same.
func TestDuckDBReadsAlong(t *testing.T) {
	python := os.Getenv("SLUICE_DUCKDB_PYTHON")
	if python == "" {
		t.Skip("SLUICE_DUCKDB_PYTHON is not set: it names a Python with the package duckdb that can load the extension delta")
	}
	// DuckDB 1.5 reads NULL for partition columns whose names are mapped.
	layouts := slices.DeleteFunc(Pairs(), func(c Config) bool { return c.Partitioned && c.Mapping != "none" })
	watch(t, start(t, "DuckDB", python, "testdata/duck.py"), 1, 10, layouts)
}

// TestSparkReadsAlong has Spark do the same, over few layouts: it is slow.
func TestSparkReadsAlong(t *testing.T) {
	python := os.Getenv("SLUICE_SPARK_PYTHON")
	if python == "" {
		t.Skip("SLUICE_SPARK_PYTHON is not set: it names a Python with the packages pyspark 4.0.1 and delta-spark 4.0.1 (and Java 17)")
	}
	watch(t, start(t, "Spark", python, "../interop/testdata/spark.py"), 1, 6, Pairs())
}
