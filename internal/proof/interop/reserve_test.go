package interop

import (
	"encoding/json"
	"fmt"
	"strings"
	"testing"

	"github.com/sluicelake/sluice/internal/base/env"
	"github.com/sluicelake/sluice/internal/proof/tablekit"
	"github.com/sluicelake/sluice/internal/sql/parse"
	"github.com/sluicelake/sluice/internal/table/txn"
	"github.com/sluicelake/sluice/internal/verbs/dml"
	"github.com/sluicelake/sluice/internal/verbs/merge"
	"github.com/sluicelake/sluice/observe"
	"github.com/sluicelake/sluice/storage"
)

// beside is a store without turns at an address of its own: its writers are a
// process of their own.
type beside struct {
	storage.Driver
	url string
}

func (b *beside) URL() string { return b.url }

// reserved makes a table in whose log a transaction has reserved, because others
// were faster again and again. It returns the version that reserves.
func reserved(t *testing.T, properties map[string]string) (kit *tablekit.Kit, dir string, version int64) {
	kit, dir = build(t, tablekit.Spec{DDL: "k INT, v INT", Properties: properties, Files: [][]string{{`{"k":1,"v":0}`, `{"k":2,"v":0}`, `{"k":3,"v":0}`}}})
	e := env.New()
	e.Listener = &observe.Listener{
		Attempt: func(observe.Attempt) {
			if version == 0 {
				change(t, kit.Log, "UPDATE target SET v = v + 1 WHERE k = 2")
			}
		},
		Reserved: func(r observe.Reserved) { version = r.Version },
	}
	l := txn.NewLog(e, storage.NewBucket(&beside{kit.Bucket.Driver(), "memory://beside-" + t.Name()}), txn.Policy{Engine: "sluice"})
	s, err := parse.UpdateStatement("UPDATE target SET v = v + 1000")
	if err != nil {
		t.Fatal(err)
	}
	if _, err := dml.Run(t.Context(), l, s.Spec, merge.Options{}); err != nil {
		t.Fatal(err)
	}
	if err := l.Close(t.Context()); err != nil {
		t.Fatal(err)
	}
	if version == 0 {
		t.Fatal("nothing was reserved")
	}
	return kit, dir, version
}

// A commit that reserves is an empty one to the other engine.
func TestTheyReadReservations(t *testing.T) {
	for _, vectors := range []string{"true", "false"} {
		kit, dir, _ := reserved(t, map[string]string{"delta.enableDeletionVectors": vectors})
		if rows := same(t, dir, kit.Log); len(rows) != 3 {
			t.Errorf("rows %v", rows)
		}
		if vectors == "false" { // they do not write to tables with vectors
			peer(t, "delete", dir, "k = 3")
			if rows := same(t, dir, kit.Log); len(rows) != 2 {
				t.Errorf("rows %v", rows)
			}
		}
	}
}

// So it is to Spark, in-commit timestamps included, and Spark goes on behind it.
func TestSparkReadsReservations(t *testing.T) {
	sp := startSpark(t)
	_, dir, version := reserved(t, map[string]string{"delta.enableDeletionVectors": "true", "delta.feature.inCommitTimestamp": "supported", "delta.enableInCommitTimestamps": "true",
		"delta.enableChangeDataFeed": "true"})
	r := sp.ask(t, map[string]any{"query": "DESCRIBE HISTORY delta.`" + dir + "`"})
	if r.Error != "" {
		t.Fatal(r.Error)
	}
	found := false
	for _, row := range r.Rows {
		var h struct {
			Version   int64
			Operation string
		}
		if err := json.Unmarshal(row, &h); err != nil {
			t.Fatal(err)
		}
		found = found || h.Version == version && h.Operation == "RESERVE"
	}
	if !found {
		t.Errorf("the history has no reservation at %d: %s", version, r.Rows)
	}
	for _, q := range []string{"SELECT sum(v) AS s FROM delta.`" + dir + "`", fmt.Sprintf("SELECT count(*) AS s FROM table_changes_by_path('%s', %d, %d)", dir, version, version)} {
		if r := sp.ask(t, map[string]any{"query": q}); r.Error != "" || len(r.Rows) != 1 || !strings.Contains(string(r.Rows[0]), ":") {
			t.Errorf("%s: %s %s", q, r.Rows, r.Error)
		}
	}
	if r := sp.ask(t, map[string]any{"sql": "UPDATE delta.`" + dir + "` SET v = v + 1 WHERE k = 1"}); r.Error != "" {
		t.Error(r.Error)
	}
}
