package session_test

import (
	"bufio"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"os"
	"slices"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/sluicelake/sluice/internal/base/env"
	"github.com/sluicelake/sluice/internal/rows/source"
	"github.com/sluicelake/sluice/internal/sql/parse"
	"github.com/sluicelake/sluice/internal/sql/session"
	"github.com/sluicelake/sluice/internal/table/feature"
	"github.com/sluicelake/sluice/internal/table/txn"
	"github.com/sluicelake/sluice/internal/verbs/read"
	"github.com/sluicelake/sluice/storage"

	"github.com/sluicelake/sluice/internal/proof/tablekit"
)

// measured is a run of statements that delta-spark 4.0.1 carried out, and what
// became of the table.
type measured struct {
	Name       string
	Statements []struct{ SQL, Error string }
	Operations []string // with " blind" for blind appends
	Protocol   *struct {
		Reader, Writer int32
		Features       []string
	}
	Properties map[string]string
	Columns    [][]any // name, nullable, comment
}

// TestAlterLikeSpark: statements that create and alter tables end as in Spark: the
// same error classes, commits, protocol, properties and columns.
func TestAlterLikeSpark(t *testing.T) {
	f, err := os.Open("testdata/spark-alter.jsonl")
	if err != nil {
		t.Fatal(err)
	}
	defer f.Close()
	lines := bufio.NewScanner(f)
	lines.Buffer(nil, 1<<20)
	for lines.Scan() {
		var m measured
		if err := json.Unmarshal(lines.Bytes(), &m); err != nil {
			t.Fatal(err)
		}
		t.Run(m.Name, func(t *testing.T) { t.Parallel(); m.check(t) })
	}
}

func (m measured) check(t *testing.T) {
	l := txn.NewLog(env.New(), storage.NewBucket(tablekit.Place()), txn.Policy{})
	defer l.Close(context.WithoutCancel(t.Context()))
	s := session.New(session.World{Env: l.Env(), Log: func(context.Context, string) (*txn.Log, error) { return l, nil },
		File: func(context.Context, string, source.Format) (source.Source, error) {
			return nil, errors.New("no files here")
		}})
	s.AddTable("t", "t")
	for _, st := range m.Statements {
		script := parse.NewScript(strings.ReplaceAll(st.SQL, "{t}", "t"))
		parsed, _, _, err := script.Next()
		if err == nil {
			var out []string
			err = run(t, s, parsed, &out)
		}
		switch {
		case st.Error == "" && err != nil:
			t.Errorf("%s: %v", st.SQL, err)
		case st.Error != "" && (err == nil || !strings.Contains(err.Error(), "["+st.Error+"]")):
			t.Errorf("%s: %v, want %s", st.SQL, err, st.Error)
		}
	}
	if m.Protocol == nil {
		return
	}
	at, err := l.Update(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	want, p := []string{}, at.Protocol()
	if want = append(want, m.Protocol.Features...); m.Protocol.Reader != p.MinReaderVersion || m.Protocol.Writer != p.MinWriterVersion ||
		len(want) > 0 && !slices.Equal(want, feature.Names(p)) {
		t.Errorf("protocol %d %d %v, want %+v", p.MinReaderVersion, p.MinWriterVersion, feature.Names(p), *m.Protocol)
	}
	have := map[string]string{}
	for k, v := range at.Metadata().Configuration {
		if !strings.Contains(k, "materialized") && !strings.Contains(k, "EnablementTimestamp") {
			have[k] = v
		}
	}
	// This property is newer than the measured version.
	delete(have, "delta.universalFormat.iceberg.atomicConversion.supported")
	if d := cmp.Diff(m.Properties, have); d != "" {
		t.Errorf("properties (-Spark +sluice)\n%s", d)
	}
	var columns []string
	for _, f := range at.Schema().Fields {
		comment, _ := f.Metadata.Text("comment")
		columns = append(columns, fmt.Sprint([]any{f.Name, f.Nullable, comment}))
	}
	for i, c := range m.Columns {
		if i >= len(columns) || fmt.Sprint(c) != columns[i] || len(columns) != len(m.Columns) {
			t.Errorf("columns %v, want %v", columns, m.Columns)
			break
		}
	}
	m.history(t, l)
}

// history compares the commits.
func (m measured) history(t *testing.T, l *txn.Log) {
	commits, err := read.History(t.Context(), l.Bucket(), -1)
	if err != nil {
		t.Fatal(err)
	}
	slices.Reverse(commits)
	have := []string{}
	for _, c := range commits {
		name := c.Info.Operation
		if c.Info.IsBlindAppend != nil && *c.Info.IsBlindAppend {
			name += " blind"
		}
		have = append(have, name)
	}
	if d := cmp.Diff(m.Operations, have); d != "" {
		t.Errorf("history (-Spark +sluice)\n%s", d)
	}
}
