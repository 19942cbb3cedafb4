package conformance

import (
	"bytes"
	"crypto/sha256"
	"encoding/hex"
	"encoding/json"
	"fmt"
	"os"
	"path/filepath"
	"slices"
	"strconv"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	"github.com/klauspost/compress/zstd"

	"github.com/sluicelake/sluice/internal/proof/testkit"
	"github.com/sluicelake/sluice/types"
)

// packCase is case.json of the conformance pack.
type packCase struct {
	Table             string     `json:"table"`
	Snapshot          string     `json:"snapshot"`
	SnapshotMayRefuse any        `json:"snapshotMayRefuse"`
	Reads             []packRead `json:"reads"`
}

type packRead struct {
	ID           string     `json:"id"`
	Op           string     `json:"op"`
	Version      *int64     `json:"version"`
	Timestamp    *time.Time `json:"timestamp"`
	StartVersion int64      `json:"startVersion"`
	EndVersion   int64      `json:"endVersion"`
	Expect       string     `json:"expect"`
	Rows         string     `json:"rows"`
	NumRows      int        `json:"numRows"`
	NumFiles     *int       `json:"numFiles"`
	SHA256       string     `json:"sha256"`
	Schema       string     `json:"schema"`
	Omit         []string   `json:"omit"`
	Error        string     `json:"error"`
	MayRefuse    any        `json:"mayRefuse"`
}

// TestPack runs every case of the conformance pack.
func TestPack(t *testing.T) {
	root := filepath.Join(testkit.Corpus(t, "SLUICE_CONFORMANCE"), "tables")
	var c tally
	t.Run("cases", func(t *testing.T) {
		for _, archive := range testkit.Archives(t, root) {
			t.Run(testkit.ArchiveName(root, archive), func(t *testing.T) {
				t.Parallel()
				dir := testkit.Unpack(t, archive)
				var pc packCase
				readJSON(t, filepath.Join(dir, "case.json"), &pc)
				table := filepath.Join(dir, pc.Table)
				c.snapshots(t, dir, table, pc)
				for _, r := range pc.Reads {
					c.read(t, dir, table, r)
				}
			})
		}
	})
	t.Log(c.line("conformance pack"))
}

func readJSON(t *testing.T, file string, into any) {
	t.Helper()
	text, err := os.ReadFile(file)
	if err != nil {
		t.Fatal(err)
	}
	if err := json.Unmarshal(text, into); err != nil {
		t.Fatalf("%s: %v", file, err)
	}
}

// snapshots holds `sluice snapshot` against snapshot.json, version by version.
func (c *tally) snapshots(t *testing.T, dir, table string, pc packCase) {
	if pc.Snapshot == "" {
		return
	}
	var want []map[string]any
	readJSON(t, filepath.Join(dir, pc.Snapshot), &want)
	for i, w := range want {
		version := strconv.FormatInt(int64(w["version"].(float64)), 10)
		out, err := sluice(t, "snapshot", table, "--version", version)
		if err != nil {
			if pc.SnapshotMayRefuse != nil {
				c.refuse()
			} else {
				c.say(t, "snapshot "+version, err.Error())
			}
			continue
		}
		var got map[string]any
		if err := json.Unmarshal(out, &got); err != nil {
			t.Fatal(err)
		}
		if i < len(want)-1 || w["files"] == nil {
			delete(got, "files") // stated for the newest version, where they are few
		}
		c.say(t, "snapshot "+version, cmp.Diff(w, got))
	}
}

// read holds rows, schema and number of files against a read of the case.
func (c *tally) read(t *testing.T, dir, table string, r packRead) {
	var at []string
	verb := "cat"
	switch {
	case r.Op == "cdf":
		verb, at = "changes", []string{"--from", strconv.FormatInt(r.StartVersion, 10), "--to", strconv.FormatInt(r.EndVersion, 10)}
	case r.Version != nil:
		at = []string{"--version", strconv.FormatInt(*r.Version, 10)}
	case r.Timestamp != nil:
		at = []string{"--at", r.Timestamp.Format(time.RFC3339Nano)}
	}
	if r.Expect == "error" {
		out, err := sluice(t, append([]string{verb, table}, at...)...)
		diff := ""
		if err == nil {
			diff = fmt.Sprintf("an error of class %s is expected, not %d rows", r.Error, len(rows(out)))
		}
		c.say(t, r.ID, diff)
		return
	}
	schema, err := types.ParseSchema(r.Schema)
	if err != nil && r.MayRefuse == nil {
		t.Fatal(err)
	}
	var columns []string
	if err == nil && len(schema.Fields) > 0 {
		columns = []string{"--columns", names(schema, r.Omit)}
	}
	out, err := sluice(t, slices.Concat([]string{verb, table}, at, columns)...)
	if err != nil {
		if r.MayRefuse != nil {
			c.refuse()
		} else {
			c.say(t, r.ID, err.Error())
		}
		return
	}
	c.say(t, r.ID, r.compare(t, dir, rows(out)))
	if r.Op == "cdf" {
		return
	}
	var s struct {
		Schema json.RawMessage `json:"schema"`
	}
	if out, err = sluice(t, append([]string{"schema", table}, at...)...); err == nil {
		err = json.Unmarshal(out, &s)
	}
	if err != nil {
		c.say(t, r.ID+" schema", err.Error())
	} else if got, err := types.ParseSchema(string(s.Schema)); err != nil {
		c.say(t, r.ID+" schema", err.Error())
	} else {
		got.Fields = slices.DeleteFunc(got.Fields, func(f types.Field) bool { return slices.Contains(r.Omit, f.Name) })
		c.say(t, r.ID+" schema", cmp.Diff(types.JSON(bare(schema)), types.JSON(bare(got))))
	}
	if r.NumFiles != nil {
		out, err := sluice(t, append([]string{"files", table, "--count"}, at...)...)
		var n struct {
			Kept int `json:"kept"`
		}
		if err == nil {
			err = json.Unmarshal(out, &n)
		}
		switch {
		case err != nil:
			c.say(t, r.ID+" files", err.Error())
		case n.Kept != *r.NumFiles:
			c.say(t, r.ID+" files", fmt.Sprintf("%d, want %d", n.Kept, *r.NumFiles))
		default:
			c.say(t, r.ID+" files", "")
		}
	}
}

// compare says how rows differ from those of the case.
func (r packRead) compare(t *testing.T, dir string, got [][]byte) string {
	h := sha256.New()
	for _, l := range got {
		h.Write(l)
		h.Write([]byte("\n"))
	}
	if hex.EncodeToString(h.Sum(nil)) == r.SHA256 {
		return ""
	}
	if r.Rows == "" {
		return fmt.Sprintf("%d rows, want %d with another digest", len(got), r.NumRows)
	}
	f, err := os.Open(filepath.Join(dir, r.Rows))
	if err != nil {
		t.Fatal(err)
	}
	defer f.Close()
	z, err := zstd.NewReader(f)
	if err != nil {
		t.Fatal(err)
	}
	defer z.Close()
	var want strings.Builder
	if _, err := z.WriteTo(&want); err != nil {
		t.Fatal(err)
	}
	return "WRONG ROWS: " + difference(got, rows(bytes.TrimSpace([]byte(want.String()))))
}
