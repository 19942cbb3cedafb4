package smallworld

import (
	"context"
	"strings"

	"github.com/sluicelake/sluice/internal/table/snapshot"
	"github.com/sluicelake/sluice/internal/table/txn"
)

// Statement is one thing that somebody says to the table t, of the columns k, p, v.
type Statement struct {
	Name string
	SQL  string
	// Set are settings of the session.
	Set map[string]string
	// Blind says that the commit only adds files and reads nothing.
	Blind bool
	// Needs is a property without which the table refuses it; "" is none.
	Needs string
	// Do is in place of SQL.
	Do func(ctx context.Context, l *txn.Log) error
}

// Kind is what sort of statement it is, for the matrix of what met what.
func (s Statement) Kind() string {
	has := func(texts ...string) bool {
		for _, t := range texts {
			if !strings.Contains(s.SQL, t) {
				return false
			}
		}
		return true
	}
	switch {
	case s.Do != nil:
		return "log"
	case s.Name == "batch 5" || s.Name == "batch 6":
		return "batch"
	case s.Set["spark.sql.sources.partitionOverwriteMode"] != "":
		return "dynamic"
	case has("REPLACE WHERE"):
		return "replace"
	case has("INSERT OVERWRITE"):
		return "overwr"
	case has("ZORDER"):
		return "zorder"
	case has("ALTER", "CONSTRAINT"), has("ALTER", "NOT NULL"):
		return "constr"
	case has("TBLPROPERTIES", "delta."):
		return "feature"
	case has("TBLPROPERTIES"), has("COMMENT ON"):
		return "propert"
	case has("ALTER"):
		return "alter"
	case has("INSERT INTO"), strings.HasPrefix(s.SQL, "INSERT WITH"):
		return "append"
	}
	word, _, _ := strings.Cut(s.SQL, " ")
	if word = strings.ToLower(word); word == "optimize" {
		return "optim"
	}
	return word
}

// keeps says that rows and columns stay as they are.
func (s Statement) keeps() bool {
	switch s.Kind() {
	case "log", "optim", "zorder", "reorg", "vacuum", "constr", "feature", "propert":
		return true
	}
	return strings.Contains(s.SQL, "CLUSTER BY") || strings.Contains(s.SQL, "COMMENT")
}

// changes says that it may change rows that are there.
func (s Statement) changes() bool {
	switch s.Kind() {
	case "dynamic", "replace", "overwr", "delete", "update", "merge", "optim", "zorder", "reorg":
		return true
	}
	return false
}

// cleans says that it takes away files that are not needed any more.
func (s Statement) cleans() bool { return s.Do != nil || s.Kind() == "vacuum" }

// several says that it makes several commits, so that there is no one moment at
// which its work is prepared: it is a winner only.
func (s Statement) several() bool { return strings.Contains(s.SQL, "enableRowTracking") }

// now is a VACUUM that spares what this process has under way, and nothing of others.
func (s Statement) now() bool { return strings.Contains(s.SQL, "RETAIN 0") }

// alters says that the statement changes metadata: the reference calls that blind.
func (s Statement) alters() bool {
	return strings.HasPrefix(s.SQL, "ALTER") || strings.HasPrefix(s.SQL, "COMMENT")
}

// moves says that the statement only moves rows between files. What is left to be
// moved depends on what it has moved already.
func (s Statement) moves() bool {
	return strings.HasPrefix(s.SQL, "OPTIMIZE") || strings.HasPrefix(s.SQL, "REORG")
}

const mapping = "delta.columnMapping.mode"

// values is a source of rows for MERGE.
func values(rows string) string {
	return "(SELECT * FROM (VALUES " + rows + ") AS x(k, p, v)) s"
}

func merged(rows, on string, clauses ...string) string {
	return "MERGE INTO t USING " + values(rows) + " ON " + on + " " + strings.Join(clauses, " ")
}

const (
	update   = "WHEN MATCHED THEN UPDATE SET v = s.v"
	addTo    = "WHEN MATCHED THEN UPDATE SET v = t.v + s.v"
	put      = "WHEN NOT MATCHED THEN INSERT (k, p, v) VALUES (s.k, s.p, s.v)"
	bySource = "WHEN NOT MATCHED BY SOURCE "
)

func batch(version string) map[string]string {
	return map[string]string{"spark.databricks.delta.write.txnAppId": "stream", "spark.databricks.delta.write.txnVersion": version}
}

var dynamic = map[string]string{"spark.sql.sources.partitionOverwriteMode": "dynamic"}

// Statements are those that are played. The rows are 1 and 2 in one file, 3 and 4
// in another of the same partition, 5 and 6 in a second partition; key 9 is new.
var Statements = []Statement{
	{Name: "append", SQL: "INSERT INTO t (k, p, v) VALUES (8, 'a', 80)", Blind: true},
	{Name: "append key 9", SQL: "INSERT INTO t (k, p, v) VALUES (9, 'a', 99), (9, 'b', -1)", Blind: true},
	{Name: "append null", SQL: "INSERT INTO t (k, p, v) VALUES (8, NULL, NULL)", Blind: true},
	{Name: "append default", SQL: "INSERT INTO t (k, p) VALUES (8, 'b')", Blind: true},
	{Name: "append all columns", SQL: "INSERT INTO t VALUES (9, 'b', 90)", Blind: true},
	{Name: "append from itself", SQL: "INSERT INTO t (k, p, v) SELECT k + 100, p, v FROM t WHERE k < 3"},
	{Name: "append evolving", SQL: "INSERT WITH SCHEMA EVOLUTION INTO t BY NAME SELECT 8 AS k, 'a' AS p, 80 AS v, 1 AS y", Blind: true},
	{Name: "batch 5", SQL: "INSERT INTO t (k, p, v) VALUES (5, 's', 5)", Set: batch("5"), Blind: true},
	{Name: "batch 6", SQL: "INSERT INTO t (k, p, v) VALUES (6, 's', 6)", Set: batch("6"), Blind: true},
	{Name: "overwrite", SQL: "INSERT OVERWRITE t (k, p, v) VALUES (1, 'a', 0)"},
	{Name: "replace where a", SQL: "INSERT INTO t REPLACE WHERE p = 'a' VALUES (1, 'a', 0), (9, 'a', 9)"},
	{Name: "replace where rows", SQL: "INSERT INTO t REPLACE WHERE v > 35 VALUES (9, 'b', 90)"},
	{Name: "dynamic a", SQL: "INSERT OVERWRITE t (k, p, v) VALUES (1, 'a', 0)", Set: dynamic},
	{Name: "dynamic b", SQL: "INSERT OVERWRITE t (k, p, v) VALUES (5, 'b', 0)", Set: dynamic},
	{Name: "delete 1", SQL: "DELETE FROM t WHERE k = 1"},
	{Name: "delete 2", SQL: "DELETE FROM t WHERE k = 2"},
	{Name: "delete 1 and 2", SQL: "DELETE FROM t WHERE k IN (1, 2)"},
	{Name: "delete 3 5", SQL: "DELETE FROM t WHERE k IN (3, 5)"},
	{Name: "delete b", SQL: "DELETE FROM t WHERE p = 'b'"},
	{Name: "delete all", SQL: "DELETE FROM t"},
	{Name: "update 1", SQL: "UPDATE t SET v = v + 7 WHERE k = 1"},
	{Name: "update 2 to b", SQL: "UPDATE t SET p = 'b' WHERE k = 2"},
	{Name: "update 5 to 1", SQL: "UPDATE t SET k = 1 WHERE k = 5"},
	{Name: "update v", SQL: "UPDATE t SET v = v * 2 WHERE v >= 30"},
	{Name: "upsert 1 9", SQL: merged("(1, 'a', 11), (9, 'a', 90)", "t.k = s.k", addTo, put)},
	{Name: "upsert 2 9", SQL: merged("(2, 'a', 22), (9, 'b', 91)", "t.k = s.k", addTo, put)},
	{Name: "upsert 5", SQL: merged("(5, 'b', 55)", "t.k = s.k AND t.p = 'b'", update, put)},
	{Name: "upsert 9 twice", SQL: merged("(9, 'a', 1), (9, 'b', 2)", "t.k = s.k", update, put)},
	{Name: "merge deletes 1 3", SQL: merged("(1, 'a', 0), (3, 'a', 0)", "t.k = s.k", "WHEN MATCHED THEN DELETE")},
	{Name: "merge scoped", SQL: merged("(1, 'a', 12), (9, 'a', 92)", "t.k = s.k AND t.p = 'a'", update, put, bySource+"AND t.p = 'a' THEN DELETE")},
	{Name: "merge scoped b", SQL: merged("(5, 'b', 12), (9, 'b', 93)", "t.k = s.k AND t.p = 'b'", update, put, bySource+"AND t.p = 'b' THEN UPDATE SET v = 0")},
	{Name: "merge unscoped", SQL: merged("(1, 'a', 13), (5, 'b', 14), (9, 'a', 94)", "t.k = s.k", update, put, bySource+"THEN DELETE")},
	{Name: "insert only", SQL: merged("(1, 'a', 0), (9, 'a', 95)", "t.k = s.k", put)},
	{Name: "merge from itself", SQL: "MERGE INTO t USING (SELECT max(k) AS k, sum(v) AS v FROM t) s ON t.k = s.k WHEN MATCHED THEN UPDATE SET v = s.v"},
	{Name: "merge evolving", SQL: "MERGE WITH SCHEMA EVOLUTION INTO t USING (SELECT 1 AS k, 'a' AS p, 10 AS v, 5 AS z) s ON t.k = s.k WHEN MATCHED THEN UPDATE SET * WHEN NOT MATCHED THEN INSERT *"},
	{Name: "merge two deletes", SQL: merged("(9, 'a', 0)", "t.k = s.k", bySource+"AND t.v > 45 THEN DELETE", bySource+"AND t.v < 25 THEN DELETE")},
	{Name: "optimize", SQL: "OPTIMIZE t"},
	{Name: "optimize a", SQL: "OPTIMIZE t WHERE p = 'a'", Needs: "partitions"},
	{Name: "zorder", SQL: "OPTIMIZE t ZORDER BY (v)"},
	{Name: "reorg", SQL: "REORG TABLE t APPLY (PURGE)"},
	{Name: "restore", SQL: "RESTORE TABLE t TO VERSION AS OF 4"},
	{Name: "restore first", SQL: "RESTORE TABLE t TO VERSION AS OF 1"},
	{Name: "add column", SQL: "ALTER TABLE t ADD COLUMNS (x INT)"},
	{Name: "add column y", SQL: "ALTER TABLE t ADD COLUMNS (y INT)"},
	{Name: "rename v", SQL: "ALTER TABLE t RENAME COLUMN v TO w", Needs: mapping},
	{Name: "drop v", SQL: "ALTER TABLE t DROP COLUMN v", Needs: mapping},
	{Name: "drop not null", SQL: "ALTER TABLE t ALTER COLUMN k DROP NOT NULL"},
	{Name: "widen v", SQL: "ALTER TABLE t ALTER COLUMN v TYPE BIGINT", Needs: "delta.enableTypeWidening"},
	{Name: "default", SQL: "ALTER TABLE t ALTER COLUMN v SET DEFAULT 77", Needs: "delta.feature.allowColumnDefaults"},
	{Name: "drop constraint", SQL: "ALTER TABLE t DROP CONSTRAINT low"},
	{Name: "comment", SQL: "ALTER TABLE t ALTER COLUMN v COMMENT 'how much'"},
	{Name: "constraint", SQL: "ALTER TABLE t ADD CONSTRAINT few CHECK (v < 85)"},
	{Name: "constraint holds", SQL: "ALTER TABLE t ADD CONSTRAINT some CHECK (v IS NOT NULL)"},
	{Name: "property", SQL: "ALTER TABLE t SET TBLPROPERTIES ('team' = 'x')"},
	{Name: "other property", SQL: "ALTER TABLE t SET TBLPROPERTIES ('desk' = 'y')"},
	{Name: "no more vectors", SQL: "ALTER TABLE t SET TBLPROPERTIES ('delta.enableDeletionVectors' = 'false')"},
	{Name: "vectors", SQL: "ALTER TABLE t SET TBLPROPERTIES ('delta.enableDeletionVectors' = 'true')"},
	{Name: "feed", SQL: "ALTER TABLE t SET TBLPROPERTIES ('delta.enableChangeDataFeed' = 'true')"},
	{Name: "append only", SQL: "ALTER TABLE t SET TBLPROPERTIES ('delta.appendOnly' = 'true')"},
	{Name: "upgrade", SQL: "ALTER TABLE t SET TBLPROPERTIES ('delta.feature.typeWidening' = 'supported')"},
	{Name: "timestamps", SQL: "ALTER TABLE t SET TBLPROPERTIES ('delta.enableInCommitTimestamps' = 'true')"},
	{Name: "first", SQL: "ALTER TABLE t ALTER COLUMN v FIRST"},
	{Name: "unset property", SQL: "ALTER TABLE t UNSET TBLPROPERTIES IF EXISTS ('team')"},
	{Name: "comment on table", SQL: "COMMENT ON TABLE t IS 'sold'"},
	{Name: "row tracking", SQL: "ALTER TABLE t SET TBLPROPERTIES ('delta.enableRowTracking' = 'true')"},
	{Name: "no more feed", SQL: "ALTER TABLE t SET TBLPROPERTIES ('delta.enableChangeDataFeed' = 'false')"},
	{Name: "mapping", SQL: "ALTER TABLE t SET TBLPROPERTIES ('delta.columnMapping.mode' = 'name')"},
	{Name: "vacuum", SQL: "VACUUM t"},
	{Name: "vacuum lite", SQL: "VACUUM t LITE"},
	{Name: "vacuum now", SQL: "VACUUM t RETAIN 0 HOURS", Set: map[string]string{"spark.databricks.delta.retentionDurationCheck.enabled": "false"}},
	{Name: "checkpoint", Do: func(ctx context.Context, l *txn.Log) error {
		s, err := l.Update(ctx)
		if err == nil {
			_, err = l.Checkpoint(ctx, s, snapshot.CheckpointOptions{})
		}
		return err
	}},
	{Name: "clean log", Do: func(ctx context.Context, l *txn.Log) error {
		s, err := l.Update(ctx)
		if err == nil {
			_, err = l.Checkpoint(ctx, s, snapshot.CheckpointOptions{})
		}
		if err == nil {
			_, err = l.CleanLog(ctx, s, snapshot.CleanOptions{Force: true})
		}
		return err
	}},
	{Name: "cluster", SQL: "ALTER TABLE t CLUSTER BY (k)", Needs: "no partitions"},
}

// Kind is what a table is like.
type Kind struct {
	Name        string
	Partitioned bool
	Properties  map[string]string
	// Identity says that there is a column id, which numbers the rows. Statements
	// that list all columns are errors there, and are left out.
	Identity bool
}

// most is the kind that keeps most beside its rows.
const most = "vectors with feed and row ids"

// Kinds are the tables.
var Kinds = []Kind{
	{Name: "copy-on-write", Partitioned: true, Properties: props()},
	{Name: "vectors", Partitioned: true, Properties: props("enableDeletionVectors")},
	{Name: "copy-on-write with feed and row ids", Partitioned: true, Properties: props("enableChangeDataFeed", "enableRowTracking")},
	{Name: most, Partitioned: true, Properties: props("enableDeletionVectors", "enableChangeDataFeed", "enableRowTracking", "mapped", "defaults")},
	{Name: "unpartitioned copy-on-write", Properties: props("enableChangeDataFeed")},
	{Name: "unpartitioned vectors", Properties: props("enableDeletionVectors", "enableRowTracking", "enableInCommitTimestamps", "mapped", "enableTypeWidening")},
	{Name: "numbered", Properties: props("enableDeletionVectors"), Identity: true},
}

func props(on ...string) map[string]string {
	out := map[string]string{"delta.enableDeletionVectors": "false"}
	for _, name := range on {
		switch name {
		case "mapped":
			out[mapping] = "name"
		case "defaults":
			out["delta.feature.allowColumnDefaults"] = "supported"
		default:
			out["delta."+name] = "true"
		}
	}
	return out
}
