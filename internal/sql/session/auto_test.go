package session_test

import (
	"strings"
	"testing"
)

// TestBehindCommits: the settings of Spark that have commits followed by a
// compaction, and those that statements write few files by.
func TestBehindCommits(t *testing.T) {
	got := play(t, world(t), `
CREATE TABLE t (k INT) TBLPROPERTIES ('delta.enableDeletionVectors' = 'false');
SET spark.databricks.delta.autoCompact.minNumFiles = 3;
INSERT INTO t VALUES (1); INSERT INTO t VALUES (2); INSERT INTO t VALUES (3); INSERT INTO t VALUES (4);
SET spark.databricks.delta.autoCompact.enabled = maybe;
SET spark.databricks.delta.optimizeWrite.enabled = yes;
SET spark.databricks.delta.autoCompact.maxFileSize = small;
SET spark.databricks.delta.autoCompact.enabled = true;
INSERT INTO t VALUES (5);
SET spark.databricks.delta.optimizeWrite.enabled = true;
UPDATE t SET k = k + 1;
CREATE TABLE u TBLPROPERTIES ('delta.targetFileSize' = '1') AS SELECT k FROM t;
SELECT count(*), sum(k) FROM t;
DESCRIBE HISTORY t;
`)
	if n := strings.Count(got, `"operation":"OPTIMIZE"`); n != 1 || !strings.Contains(got, `["auto","true"]`) {
		t.Errorf("%d compactions: %s", n, got)
	}
	if n := strings.Count(got, "error [INVALID_CONF_VALUE"); n != 3 {
		t.Errorf("%d settings were refused: %s", n, got)
	}
	if !strings.Contains(got, `{"count(1)":5,"sum(k)":20}`) {
		t.Error(got)
	}
}
