package conflict_test

import (
	"encoding/json"
	"fmt"
	"strings"
	"testing"

	"github.com/sluicelake/sluice/internal/table/conflict"
)

// The rules of delta-spark's ConflictChecker that hold for its own statements only,
// so that no list of actions can show them: backfills of row tracking, dropped
// features, replaced tables, identity columns. Each verdict follows from the source.

const ruleSchema = `{\"type\":\"struct\",\"fields\":[{\"name\":\"id\",\"type\":\"integer\",\"nullable\":true,\"metadata\":{}},{\"name\":\"p\",\"type\":\"string\",\"nullable\":true,\"metadata\":{}}]}`

// ruleTable is a table of features (those of readers first, behind a bar) and
// properties, with the files f1 (p=a) and f2 (p=b).
func ruleTable(features, properties string, more ...string) []string {
	readers, writers, _ := strings.Cut(features, "|")
	return append([]string{ruleProtocol(readers, writers), ruleMetadata(properties, ruleSchema), ruleAdd("f1", "a", ""), ruleAdd("f2", "b", "")}, more...)
}

func ruleProtocol(readers, writers string) string {
	list := func(s string) string {
		out, _ := json.Marshal(strings.Fields(s))
		return string(out)
	}
	return fmt.Sprintf(`{"protocol":{"minReaderVersion":3,"minWriterVersion":7,"readerFeatures":%s,"writerFeatures":%s}}`, list(readers), list(readers+" "+writers))
}

func ruleMetadata(properties, schema string) string {
	return fmt.Sprintf(`{"metaData":{"id":"1","format":{"provider":"parquet","options":{}},"schemaString":"%s","partitionColumns":["p"],"configuration":{%s},"createdTime":1}}`, schema, properties)
}

func ruleAdd(name, p, more string) string {
	return fmt.Sprintf(`{"add":{"path":"%s","partitionValues":{"p":"%s"},"size":1,"modificationTime":1,"dataChange":true,"stats":"{\"numRecords\":10}"%s}}`, name, p, more)
}

func ruleRemove(name, p string) string {
	return fmt.Sprintf(`{"remove":{"path":"%s","dataChange":true,"extendedFileMetadata":true,"partitionValues":{"p":"%s"},"size":1}}`, name, p)
}

func ruleInfo(op, more string) string {
	return fmt.Sprintf(`{"commitInfo":{"timestamp":1,"operation":"%s","operationParameters":{},"isBlindAppend":false%s}}`, op, more)
}

const (
	dv       = `,"deletionVector":{"storageType":"u","pathOrInlineDv":"vBn[lx{q8@P<9BNH/isA","offset":1,"sizeInBytes":36,"cardinality":2}`
	ids      = `,"baseRowId":10,"defaultRowCommitVersion":1`
	tracking = `"delta.enableRowTracking":"true"`
	highest  = `{"domainMetadata":{"domain":"delta.rowTracking","configuration":"{\"rowIdHighWaterMark\":19}","removed":false}}`
	replaced = "CREATE OR REPLACE TABLE"
)

func TestRulesOfStatements(t *testing.T) {
	clustering := `{"domainMetadata":{"domain":"delta.clustering","configuration":"{\"clusteringColumns\":[[\"id\"]]}","removed":false}}`
	widened := strings.ReplaceAll(ruleSchema, `\"metadata\":{}},{\"name\":\"p\"`, `\"metadata\":{\"delta.typeChanges\":[{\"toType\":\"integer\",\"fromType\":\"short\",\"tableVersion\":1}]}},{\"name\":\"p\"`)
	for _, c := range []struct {
		name, operation string
		table           []string
		reads           string
		own             []string
		winners         [][]string
		refused         string   // condition; "" commits
		has, lacks      []string // in the actions that are written
	}{
		{name: "a winner that gives row ids conflicts with nobody, and its ids are taken over", operation: "DELETE", reads: `{"filter":"p = 'a'"}`,
			table: ruleTable("|rowTracking domainMetadata", ""), own: []string{ruleRemove("f1", "a")},
			winners: [][]string{{ruleInfo("ROW TRACKING BACKFILL", ""), ruleAdd("f1", "a", ids), highest}},
			has:     []string{`"baseRowId":10`, `"defaultRowCommitVersion":1`, `"path":"f1"`}},
		{name: "a backfill leaves the winner's files alone", operation: "ROW TRACKING BACKFILL", reads: `{"filter":"true"}`,
			table: ruleTable("|rowTracking domainMetadata", ""), own: []string{ruleAdd("f1", "a", ""), ruleAdd("f2", "b", "")},
			winners: [][]string{{ruleInfo("DELETE", ""), ruleRemove("f1", "a")}}, has: []string{`"path":"f2"`}, lacks: []string{`"path":"f1"`}},
		{name: "backfill and unbackfill exclude each other", operation: "ROW TRACKING UNBACKFILL", table: ruleTable("|rowTracking domainMetadata", ""),
			own: []string{ruleAdd("f1", "a", "")}, winners: [][]string{{ruleInfo("ROW TRACKING BACKFILL", ""), ruleAdd("f1", "a", ids)}}, refused: conflict.ClassBackfill},
		{name: "an unbackfill takes the ids of the winner's files too", operation: "ROW TRACKING UNBACKFILL", table: ruleTable("|rowTracking domainMetadata", `"delta.rowTrackingSuspended":"true"`),
			own: []string{ruleAdd("f1", "a", "")}, winners: [][]string{{ruleInfo("WRITE", ""), ruleAdd("w1", "a", ids)}},
			has: []string{`"path":"f1"`, `"path":"w1"`, `"dataChange":false`}, lacks: []string{"baseRowId"}},
		{name: "a feature is dropped that the winner uses", operation: "DROP FEATURE", table: ruleTable("deletionVectors|", ""), own: []string{ruleProtocol("", "")},
			winners: [][]string{{ruleInfo("DELETE", ""), ruleRemove("f1", "a"), ruleAdd("f1", "a", dv)}}, refused: conflict.ClassDropFeature},
		{name: "a feature is dropped that the winner does not use", operation: "DROP FEATURE", table: ruleTable("deletionVectors|", ""), own: []string{ruleProtocol("", "")},
			winners: [][]string{{ruleInfo("WRITE", ""), ruleAdd("w1", "a", "")}}, has: []string{`"readerFeatures":[]`}},
		{name: "a constraint appears while its feature is dropped", operation: "DROP FEATURE", table: ruleTable("|checkConstraints", ""), own: []string{ruleProtocol("", "")},
			winners: [][]string{{ruleInfo("ADD CONSTRAINT", ""), ruleMetadata(`"delta.constraints.c":"id > 0"`, ruleSchema)}}, refused: conflict.ClassDropFeature},
		{name: "dropping row tracking is fitted behind the winner's ids", operation: "DROP FEATURE", table: ruleTable("|rowTracking domainMetadata", ""),
			own: []string{ruleProtocol("", "domainMetadata")}, winners: [][]string{{ruleInfo("WRITE", ""), ruleAdd("w1", "a", ids)}}, has: []string{`"path":"w1"`}, lacks: []string{"baseRowId"}},
		{name: "checkpoints are protected up to the commit's own version", operation: "DROP FEATURE", table: ruleTable("deletionVectors|checkpointProtection", ""),
			own:     []string{ruleProtocol("", "checkpointProtection"), ruleMetadata(`"delta.requireCheckpointProtectionBeforeVersion":"1"`, ruleSchema)},
			winners: [][]string{{ruleInfo("WRITE", ""), ruleAdd("w1", "a", "")}, {ruleInfo("WRITE", ""), ruleAdd("w2", "a", "")}}, has: []string{`"delta.requireCheckpointProtectionBeforeVersion":"3"`}},
		{name: "only DROP FEATURE drops a feature", table: ruleTable("deletionVectors|", ""), own: []string{ruleProtocol("", "")},
			winners: [][]string{{ruleInfo("WRITE", "")}}, refused: "DELTA_INVALID_PROTOCOL_DOWNGRADE"},
		{name: "high water marks of identity columns conflict with nobody", operation: "UPDATE", reads: `{"filter":"p = 'a'"}`, table: ruleTable("|identityColumns", ""), own: []string{ruleRemove("f1", "a")},
			winners: [][]string{{ruleInfo("WRITE", `,"tags":{"delta.identity.schemaUpdate":"true"}`), ruleMetadata(`"x":"y"`, ruleSchema), ruleAdd("w1", "b", "")}}, has: []string{`"path":"f1"`}},
		{name: "but for those who change metadata", operation: "SET TBLPROPERTIES", table: ruleTable("|identityColumns", ""), own: []string{ruleMetadata(`"a":"b"`, ruleSchema)},
			winners: [][]string{{ruleInfo("WRITE", `,"tags":{"delta.identity.schemaUpdate":"true"}`), ruleMetadata(`"x":"y"`, ruleSchema)}}, refused: conflict.ClassMetadata},
		{name: "a replaced table loses the clustering that a winner gave it", operation: replaced, table: ruleTable("|clustering domainMetadata", ""), own: []string{ruleRemove("f1", "a")},
			winners: [][]string{{ruleInfo("CLUSTER BY", ""), clustering}}, has: []string{`"domain":"delta.clustering","removed":true`}},
		{name: "a domain by both", operation: "CLUSTER BY", table: ruleTable("|clustering domainMetadata", ""), own: []string{clustering}, winners: [][]string{{ruleInfo("CLUSTER BY", ""), clustering}}, refused: conflict.ClassTransaction},
		{name: "domains are looked at where the table has them", operation: "CLUSTER BY", table: ruleTable("|appendOnly", ""), own: []string{clustering}, winners: [][]string{{ruleInfo("CLUSTER BY", ""), clustering}}},
		{name: "type changes move to the version that is written", operation: "CHANGE COLUMN", table: ruleTable("typeWidening|", `"delta.enableTypeWidening":"true"`),
			own:     []string{ruleMetadata(`"delta.enableTypeWidening":"true"`, widened)},
			winners: [][]string{{ruleInfo("WRITE", ""), ruleAdd("w1", "a", "")}, {ruleInfo("WRITE", ""), ruleAdd("w2", "a", "")}}, has: []string{`\"tableVersion\":3`}},
		{name: "row ids begin behind those of the winners", operation: "WRITE", table: ruleTable("|rowTracking domainMetadata", tracking, highest), own: []string{ruleAdd("o1", "a", "")},
			winners: [][]string{{ruleInfo("WRITE", ""), ruleAdd("w1", "a", `,"baseRowId":20,"defaultRowCommitVersion":1`), strings.Replace(highest, "19", "29", 1)}},
			has:     []string{`"baseRowId":30`, `"defaultRowCommitVersion":2`, `{\"rowIdHighWaterMark\":39`}},
		{name: "rows are counted where they are given ids", operation: "WRITE", table: ruleTable("|rowTracking domainMetadata", tracking), own: []string{strings.Replace(ruleAdd("o1", "a", ""), `,"stats":"{\"numRecords\":10}"`, "", 1)},
			winners: [][]string{{ruleInfo("WRITE", "")}}, refused: "DELTA_ROW_ID_ASSIGNMENT_WITHOUT_STATS"},
		{name: "an append-only table loses no row", operation: "DELETE", table: ruleTable("|appendOnly", `"delta.appendOnly":"true"`), own: []string{ruleRemove("f1", "a")}, winners: [][]string{{ruleInfo("WRITE", "")}}, refused: "DELTA_CANNOT_MODIFY_APPEND_ONLY"},
	} {
		t.Run(c.name, func(t *testing.T) {
			list := func(l []string) string { return "[" + strings.Join(l, ",") + "]" }
			winners := make([]string, len(c.winners))
			for i, w := range c.winners {
				winners[i] = list(w)
			}
			s, err := conflict.ParseScenario(fmt.Appendf(nil, `{"id":"x","operation":"%s","table":%s,"reads":[%s],"own":%s,"winners":%s}`, c.operation, list(c.table), c.reads, list(c.own), list(winners)))
			if err != nil {
				t.Fatal(err)
			}
			j, err := s.Judge(conflict.Reference)
			if err != nil {
				t.Fatal(err)
			}
			if j.Verdict.Condition != c.refused {
				t.Fatalf("it is %q, want %q: %s", j.Verdict.Condition, c.refused, j.Verdict.Message)
			}
			if c.refused != "" && (j.Verdict.SQLState == "" || j.Verdict.Exception == "") {
				t.Errorf("no state or exception: %+v", j.Verdict)
			}
			written, _ := json.Marshal(j.Verdict.Actions)
			for _, text := range c.has {
				if !strings.Contains(string(written), text) && !strings.Contains(string(written), strings.ReplaceAll(text, `\"`, `\\\"`)) {
					t.Errorf("%s is not in %s", text, written)
				}
			}
			for _, text := range c.lacks {
				if strings.Contains(string(written), text) {
					t.Errorf("%s is in %s", text, written)
				}
			}
		})
	}
}
