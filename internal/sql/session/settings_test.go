package session

import (
	"strings"
	"testing"

	"github.com/sluicelake/sluice/internal/proof/tablekit"
	"github.com/sluicelake/sluice/internal/sql/parse"
)

// TestWriteSettings: settings of Spark that say how rows are written.
func TestWriteSettings(t *testing.T) {
	for _, c := range []struct{ conf, sql, want string }{
		{"spark.databricks.delta.delete.deletionVectors.persistent", "DELETE FROM target WHERE k = 1", "numDeletionVectorsAdded"},
		{"spark.databricks.delta.update.deletionVectors.persistent", "UPDATE target SET k = 5 WHERE k = 1", "numDeletionVectorsAdded"},
		{"spark.databricks.delta.merge.deletionVectors.persistent", "MERGE INTO target t USING (SELECT 1 AS k) s ON t.k = s.k WHEN MATCHED THEN DELETE", "numTargetDeletionVectorsAdded"},
	} {
		for _, on := range []string{"true", "false"} {
			k := tablekit.New(t, tablekit.Spec{DDL: "k INT", Files: [][]string{{`{"k":1}`, `{"k":2}`}}, Properties: map[string]string{"delta.enableDeletionVectors": "true"}})
			s := New(World{Env: k.Env})
			s.AddLog("target", k.Log)
			if err := s.Configure(c.conf, on); err != nil {
				t.Fatal(err)
			}
			st, err := parse.One(c.sql)
			if err != nil {
				t.Fatal(err)
			}
			r, err := s.Exec(t.Context(), st)
			if err != nil {
				t.Fatal(err)
			}
			if marked := r.Metrics[c.want] == "1"; marked != (on == "true") {
				t.Errorf("%s, %s = %s: %v", c.sql, c.conf, on, r.Metrics)
			}
		}
	}
}

func TestReplaceWhereUnchecked(t *testing.T) {
	k := tablekit.New(t, tablekit.Spec{DDL: "k INT", Files: [][]string{{`{"k":1}`, `{"k":2}`}}})
	s := New(World{Env: k.Env})
	s.AddLog("target", k.Log)
	st, err := parse.One("INSERT INTO target REPLACE WHERE k = 1 VALUES (7)")
	if err != nil {
		t.Fatal(err)
	}
	if _, err := s.Exec(t.Context(), st); err == nil || !strings.Contains(err.Error(), "DELTA_REPLACE_WHERE_MISMATCH") {
		t.Fatal(err)
	}
	if err := s.Configure(replaceCheck, "false"); err != nil {
		t.Fatal(err)
	}
	if _, err := s.Exec(t.Context(), st); err != nil {
		t.Fatal(err)
	}
	at, err := k.Log.Update(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	if rows, err := tablekit.Rows(t.Context(), at); err != nil || strings.Join(rows, " ") != `{"k":2} {"k":7}` {
		t.Fatal(rows, err)
	}
}

func TestSizes(t *testing.T) {
	for text, want := range map[string]int64{"512": 512 << 20, " 1g ": 1 << 30, "128MiB": 128 << 20, "64kb": 64 << 10, "100b": 100, "": 0, "x": 0, "-1": 0, "1q": 0, "99999999999g": 0} {
		if n, ok := mebibytes(text); ok != (want > 0) || ok && n != want {
			t.Errorf("%q: %d %v, want %d", text, n, ok, want)
		}
	}
}
