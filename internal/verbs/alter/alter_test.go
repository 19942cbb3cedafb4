package alter_test

import (
	"encoding/json"
	"strings"
	"testing"

	"github.com/sluicelake/sluice/expr"
	"github.com/sluicelake/sluice/internal/proof/tablekit"
	"github.com/sluicelake/sluice/internal/table/feature"
	"github.com/sluicelake/sluice/internal/table/snapshot"
	"github.com/sluicelake/sluice/internal/verbs/alter"
	"github.com/sluicelake/sluice/types"
)

func schema(t *testing.T, ddl string) *types.Struct {
	t.Helper()
	s, err := types.ParseDDL(ddl)
	if err != nil {
		t.Fatal(err)
	}
	return s
}

func field(t *testing.T, ddl string) types.Field { return schema(t, ddl).Fields[0] }

func set(kv ...string) alter.SetProperties {
	m := map[string]string{}
	for i := 0; i < len(kv); i += 2 {
		m[kv[i]] = kv[i+1]
	}
	return alter.SetProperties{Properties: m}
}

var yes, no = true, false

const ddl = "id INT, p STRING, st STRUCT<a: INT, b: STRING>, arr ARRAY<STRUCT<h: SMALLINT>>, m MAP<STRING, INT>"

func kit(t *testing.T, ddl string, properties map[string]string, rows ...string) *tablekit.Kit {
	t.Helper()
	k, err := tablekit.Make(t.Context(), tablekit.Spec{DDL: ddl, PartitionBy: []string{"p"}, Properties: properties})
	if err != nil {
		t.Fatal(err)
	}
	if len(rows) > 0 {
		if err := k.Append(t.Context(), rows...); err != nil {
			t.Fatal(err)
		}
	}
	return k
}

const row = `{"id":1,"p":"x","st":{"a":1,"b":"q"},"arr":[{"h":3}],"m":[["k",5]]}`

// TestChanges: each list of changes leaves this schema, these rows and this
// entry in the history; or is refused.
func TestChanges(t *testing.T) {
	mapped := set("delta.columnMapping.mode", "name")
	wide := set("delta.enableTypeWidening", "true")
	comment := "c"
	for _, c := range []struct {
		name    string
		changes []alter.Change
		schema  string // "" leaves it
		row     string // "" leaves it
		op      string
		err     string
	}{
		{"add at places", []alter.Change{alter.AddColumns{Columns: []alter.NewColumn{
			{Field: field(t, "z DOUBLE COMMENT 'zz'"), At: alter.Position{First: true}}, {Parent: []string{"st"}, Field: field(t, "n DATE"), At: alter.Position{After: "A"}},
			{Parent: []string{"arr", "element"}, Field: field(t, "i INT")}}}},
			"struct<z:double,id:int,p:string,st:struct<a:int,n:date,b:string>,arr:array<struct<h:smallint,i:int>>,m:map<string,int>>",
			`{"z":null,"id":1,"p":"x","st":{"a":1,"n":null,"b":"q"},"arr":[{"h":3,"i":null}],"m":[["k",5]]}`,
			`ADD COLUMNS {"columns":[{"column":{"name":"z","type":"double","nullable":true,"metadata":{"comment":"zz"}},"position":"FIRST"},{"column":{"name":"st.n","type":"date","nullable":true,"metadata":{}},"position":"AFTER A"},{"column":{"name":"arr.element.i","type":"integer","nullable":true,"metadata":{}}}]}`, ""},
		{"add twice", []alter.Change{alter.AddColumns{Columns: []alter.NewColumn{{Field: field(t, "ID INT")}}}}, "", "", "", "FIELD_ALREADY_EXISTS"},
		{"add not null", []alter.Change{alter.AddColumns{Columns: []alter.NewColumn{{Field: field(t, "n INT NOT NULL")}}}}, "", "", "", "DELTA_OPERATION_NOT_ALLOWED"},
		{"add default", []alter.Change{alter.AddColumns{Columns: []alter.NewColumn{{Field: field(t, "n INT DEFAULT 5")}}}}, "", "", "", "WRONG_COLUMN_DEFAULTS_FOR_DELTA_ALTER_TABLE_ADD_COLUMN_NOT_SUPPORTED"},
		{"add to an int", []alter.Change{alter.AddColumns{Columns: []alter.NewColumn{{Parent: []string{"id"}, Field: field(t, "n INT")}}}}, "", "", "", "INVALID_FIELD_NAME"},
		{"add after nothing", []alter.Change{alter.AddColumns{Columns: []alter.NewColumn{{Field: field(t, "n INT"), At: alter.Position{After: "idd"}}}}}, "", "", "", "FIELD_NOT_FOUND"},
		{"add with a blank", []alter.Change{alter.AddColumns{Columns: []alter.NewColumn{{Field: types.Field{Name: "a b", Type: types.Long, Nullable: true}}}}}, "", "", "", "DELTA_INVALID_CHARACTERS_IN_COLUMN_NAMES"},
		{"rename without mapping", []alter.Change{alter.RenameColumn{Column: []string{"id"}, To: "x"}}, "", "", "", "DELTA_UNSUPPORTED_RENAME_COLUMN"},
		{"drop without mapping", []alter.Change{alter.DropColumns{Columns: [][]string{{"id"}}}}, "", "", "", "DELTA_UNSUPPORTED_DROP_COLUMN"},
		{"rename", []alter.Change{mapped, alter.RenameColumn{Column: []string{"P"}, To: "q.r"}, alter.RenameColumn{Column: []string{"arr", "element", "h"}, To: "hh"}},
			"struct<id:int,`q.r`:string,st:struct<a:int,b:string>,arr:array<struct<hh:smallint>>,m:map<string,int>>",
			`{"id":1,"q.r":"x","st":{"a":1,"b":"q"},"arr":[{"hh":3}],"m":[["k",5]]}`,
			`RENAME COLUMN {"newColumnPath":"arr.element.hh","oldColumnPath":"arr.element.h"}`, ""},
		{"drop and add again", []alter.Change{mapped, alter.DropColumns{Columns: [][]string{{"id"}, {"st", "b"}}}, alter.AddColumns{Columns: []alter.NewColumn{{Field: field(t, "id INT")}}}},
			"struct<p:string,st:struct<a:int>,arr:array<struct<h:smallint>>,m:map<string,int>,id:int>",
			`{"p":"x","st":{"a":1},"arr":[{"h":3}],"m":[["k",5]],"id":null}`, "", ""},
		{"drop the partition", []alter.Change{mapped, alter.DropColumns{Columns: [][]string{{"p"}}}}, "", "", "", "DELTA_UNSUPPORTED_DROP_PARTITION_COLUMN"},
		{"drop the last field", []alter.Change{mapped, alter.DropColumns{Columns: [][]string{{"arr", "element", "h"}}}}, "", "", "", "DELTA_DROP_COLUMN_ON_SINGLE_FIELD_SCHEMA"},
		{"drop what a constraint reads", []alter.Change{mapped, alter.AddConstraint{Name: "Pos", Check: "st.a > 0"}, alter.DropColumns{Columns: [][]string{{"st"}}}}, "", "", "", "DELTA_CONSTRAINT_DEPENDENT_COLUMN_CHANGE"},
		{"drop if exists", []alter.Change{mapped, alter.DropColumns{Columns: [][]string{{"nope"}}, IfExists: true}}, "", "", `SET TBLPROPERTIES {"properties":{"delta.columnMapping.mode":"name"}}`, ""},
		{"back from mapping", []alter.Change{mapped, alter.RenameColumn{Column: []string{"st", "a"}, To: "z"}, set("delta.columnMapping.mode", "none")},
			"struct<id:int,p:string,st:struct<z:int,b:string>,arr:array<struct<h:smallint>>,m:map<string,int>>",
			`{"id":1,"p":"x","st":{"z":1,"b":"q"},"arr":[{"h":3}],"m":[["k",5]]}`, `REMOVE COLUMN MAPPING {}`, ""},
		{"back from mapping with odd names", []alter.Change{mapped, alter.RenameColumn{Column: []string{"id"}, To: "i d"}, set("delta.columnMapping.mode", "none")}, "", "", "", "DELTA_INVALID_COLUMN_NAMES_WHEN_REMOVING_COLUMN_MAPPING"},
		{"back from mapping with a feed", []alter.Change{mapped, set("delta.enableChangeDataFeed", "true"), alter.UnsetProperties{Keys: []string{"delta.columnMapping.mode"}}}, "", "", "", "DELTA_BLOCK_COLUMN_MAPPING_AND_CDC_OPERATION"},
		{"drop mapping", []alter.Change{mapped, alter.DropFeature{Name: "columnMapping"}}, "", "", "", ""},
		{"drop mapping with history", []alter.Change{mapped, alter.DropFeature{Name: "columnMapping", TruncateHistory: true}}, "", "", "", "DELTA_FEATURE_DROP_WAIT_FOR_RETENTION_PERIOD"},
		{"drop widening", []alter.Change{wide, alter.ChangeColumn{Column: []string{"arr", "element", "h"}, Type: types.Integer}, alter.DropFeature{Name: "typeWidening"}},
			"struct<id:int,p:string,st:struct<a:int,b:string>,arr:array<struct<h:int>>,m:map<string,int>>", "", "", ""},
		{"drop row tracking", []alter.Change{set("delta.enableRowTracking", "true"), alter.DropFeature{Name: "rowTracking"}}, "", "", `DROP FEATURE {"featureName":"rowTracking","truncateHistory":false}`, ""},
		{"drop with history that nothing needs", []alter.Change{set("delta.enableInCommitTimestamps", "true"), alter.DropFeature{Name: "inCommitTimestamp", TruncateHistory: true}}, "", "", "", "DELTA_FEATURE_DROP_HISTORY_TRUNCATION_NOT_ALLOWED"},
		{"drop what cannot be", []alter.Change{alter.DropFeature{Name: "invariants"}}, "", "", "", "DELTA_FEATURE_DROP_NONREMOVABLE_FEATURE"},
		{"drop protection", []alter.Change{mapped, alter.DropFeature{Name: "columnMapping"}, alter.DropFeature{Name: "checkpointProtection"}}, "", "", "", "DELTA_FEATURE_CAN_ONLY_DROP_CHECKPOINT_PROTECTION_WITH_HISTORY_TRUNCATION"},
		{"drop protection too early", []alter.Change{mapped, alter.DropFeature{Name: "columnMapping"}, alter.DropFeature{Name: "checkpointProtection", TruncateHistory: true}}, "", "", "", "DELTA_FEATURE_DROP_CHECKPOINT_PROTECTION_WAIT_FOR_RETENTION_PERIOD"},
		{"to ids", []alter.Change{set("delta.columnMapping.mode", "id")}, "", "", "", "DELTA_UNSUPPORTED_COLUMN_MAPPING_MODE_CHANGE"},
		{"comment and place", []alter.Change{alter.ChangeColumn{Column: []string{"p"}, Comment: &comment, At: alter.Position{First: true}}},
			"struct<p:string,id:int,st:struct<a:int,b:string>,arr:array<struct<h:smallint>>,m:map<string,int>>",
			`{"p":"x","id":1,"st":{"a":1,"b":"q"},"arr":[{"h":3}],"m":[["k",5]]}`,
			`CHANGE COLUMN {"column":{"name":"p","type":"string","nullable":true,"metadata":{"comment":"c"}},"position":"FIRST"}`, ""},
		{"not null", []alter.Change{alter.ChangeColumn{Column: []string{"p"}, NotNull: &yes}}, "", "", "", "_LEGACY_ERROR_TEMP_2330"},
		{"null stays", []alter.Change{alter.ChangeColumn{Column: []string{"p"}, NotNull: &no}}, "", "", `CHANGE COLUMN {"column":{"name":"p","type":"string","nullable":true,"metadata":{}}}`, ""},
		{"widen without", []alter.Change{alter.ChangeColumn{Column: []string{"id"}, Type: types.Long}}, "", "", "", "DELTA_UNSUPPORTED_ALTER_TABLE_CHANGE_COL_OP"},
		{"narrow", []alter.Change{wide, alter.ChangeColumn{Column: []string{"id"}, Type: types.Short}}, "", "", "", "NOT_SUPPORTED_CHANGE_COLUMN"},
		{"widen", []alter.Change{wide, alter.ChangeColumn{Column: []string{"id"}, Type: types.Double}, alter.ChangeColumn{Column: []string{"arr", "element", "h"}, Type: types.Integer},
			alter.ChangeColumn{Column: []string{"m", "value"}, Type: types.Decimal{Precision: 12, Scale: 2}}},
			"struct<id:double,p:string,st:struct<a:int,b:string>,arr:array<struct<h:int>>,m:map<string,decimal(12,2)>>",
			`{"id":1,"p":"x","st":{"a":1,"b":"q"},"arr":[{"h":3}],"m":[["k","5.00"]]}`, "", ""},
		{"a struct at once", []alter.Change{wide, alter.ChangeColumn{Column: []string{"st"}, Type: schema(t, "a BIGINT, b STRING")}}, "", "", "", "CANNOT_UPDATE_FIELD.STRUCT_TYPE"},
		{"default without feature", []alter.Change{alter.ChangeColumn{Column: []string{"id"}, Default: "1"}}, "", "", "", "WRONG_COLUMN_DEFAULTS_FOR_DELTA_FEATURE_NOT_ENABLED"},
		{"bad default", []alter.Change{set("delta.feature.allowColumnDefaults", "supported"), alter.ChangeColumn{Column: []string{"id"}, Default: "p"}}, "", "", "", "INVALID_DEFAULT_VALUE.UNRESOLVED_EXPRESSION"},
		{"default", []alter.Change{set("delta.feature.allowColumnDefaults", "supported"), alter.ChangeColumn{Column: []string{"id"}, Default: "40 + 2"}}, "", "", `CHANGE COLUMN {"column":{"name":"id","type":"integer","nullable":true,"metadata":{"CURRENT_DEFAULT":"40 + 2"}}}`, ""},
		{"constraint", []alter.Change{alter.AddConstraint{Name: "Pos", Check: "id > 0"}, alter.DropConstraint{Name: "pOS"}}, "", "", `DROP CONSTRAINT {"existed":"true","expr":"id > 0","name":"pOS"}`, ""},
		{"constraint that fails", []alter.Change{alter.AddConstraint{Name: "pos", Check: "id > 1"}}, "", "", "", "DELTA_NEW_CHECK_CONSTRAINT_VIOLATION"},
		{"constraint of NULL", []alter.Change{alter.AddConstraint{Name: "pos", Check: "id > NULL"}}, "", "", "", "DELTA_NEW_CHECK_CONSTRAINT_VIOLATION"},
		{"constraint twice", []alter.Change{alter.AddConstraint{Name: "a", Check: "id > 0"}, alter.AddConstraint{Name: "A", Check: "id > 0"}}, "", "", "", "DELTA_CONSTRAINT_ALREADY_EXISTS"},
		{"constraint of a number", []alter.Change{alter.AddConstraint{Name: "a", Check: "id + 1"}}, "", "", "", "DELTA_NON_BOOLEAN_CHECK_CONSTRAINT"},
		{"no constraint", []alter.Change{alter.DropConstraint{Name: "a"}}, "", "", "", "DELTA_CONSTRAINT_DOES_NOT_EXIST"},
		{"no constraint, if exists", []alter.Change{alter.DropConstraint{Name: "a", IfExists: true}}, "", "", `DROP CONSTRAINT {"existed":"false","name":"a"}`, ""},
		{"unknown property", []alter.Change{set("delta.nope", "1")}, "", "", "", "DELTA_UNKNOWN_CONFIGURATION"},
		{"wrong property", []alter.Change{set("delta.isolationLevel", "WriteSerializable")}, "", "", "", "UNSUPPORTED_TABLE_CHANGE"},
		{"constraint by property", []alter.Change{set("delta.constraints.a", "id > 0")}, "", "", "", "DELTA_ADD_CONSTRAINTS"},
		{"unset", []alter.Change{set("a", "1", "delta.appendOnly", "true"), alter.UnsetProperties{Keys: []string{"DELTA.appendonly", "a"}}}, "", "", `UNSET TBLPROPERTIES {"ifExists":false,"properties":["delta.appendOnly","a"]}`, ""},
		{"unset nothing", []alter.Change{alter.UnsetProperties{Keys: []string{"a"}}}, "", "", "", "DELTA_UNSET_NON_EXISTENT_PROPERTY"},
		{"comment", []alter.Change{set("comment", "hello")}, "", "", `SET TBLPROPERTIES {"properties":{"comment":"hello"}}`, ""},
		{"cluster a partitioned table", []alter.Change{alter.ClusterBy{Columns: [][]string{{"id"}}}}, "", "", "", "DELTA_ALTER_TABLE_CLUSTER_BY_ON_PARTITIONED_TABLE_NOT_ALLOWED"},
		{"drop feature that is not there", []alter.Change{alter.DropFeature{Name: "clustering"}}, "", "", "", "DELTA_FEATURE_DROP_FEATURE_NOT_PRESENT"},
		{"drop feature that nobody knows", []alter.Change{alter.DropFeature{Name: "nope"}}, "", "", "", "DELTA_FEATURE_DROP_UNSUPPORTED_CLIENT_FEATURE"},
		{"drop constraints feature in use", []alter.Change{alter.AddConstraint{Name: "a", Check: "id > 0"}, alter.DropFeature{Name: "checkConstraints"}}, "", "", "", "DELTA_CANNOT_DROP_CHECK_CONSTRAINT_FEATURE"},
		{"drop defaults", []alter.Change{set("delta.feature.allowColumnDefaults", "supported"), alter.ChangeColumn{Column: []string{"id"}, Default: "1"}, alter.DropFeature{Name: "allowColumnDefaults"}}, "", "", `DROP FEATURE {"featureName":"allowColumnDefaults","truncateHistory":false}`, ""},
	} {
		t.Run(c.name, func(t *testing.T) {
			k := kit(t, ddl, tablekit.WithoutVectors(), row)
			var err error
			for i, change := range c.changes {
				if _, err = alter.Run(t.Context(), k.Log, change, alter.Options{Expr: expr.Options{}}); err != nil && (c.err == "" || i < len(c.changes)-1) {
					t.Fatalf("change %d: %v", i, err)
				}
			}
			if c.err != "" {
				if err == nil || !strings.Contains(err.Error(), "["+c.err+"]") {
					t.Fatalf("error %v, want %s", err, c.err)
				}
				return
			}
			s, err := k.Snapshot(t.Context(), snapshot.Latest())
			if err != nil {
				t.Fatal(err)
			}
			if c.schema != "" && s.Schema().String() != c.schema {
				t.Errorf("schema %s\nwant   %s", s.Schema(), c.schema)
			}
			want := c.row
			if want == "" {
				want = row
			}
			if rows := k.Rows(t); len(rows) != 1 || rows[0] != want {
				t.Errorf("rows %s\nwant %s", rows, want)
			}
			if c.op == "" {
				return
			}
			if got := operation(t, s); got != c.op {
				t.Errorf("history %s\nwant    %s", got, c.op)
			}
		})
	}
}

// operation is the entry in the history, with parameters that are JSON in text unfolded.
func operation(t *testing.T, s *snapshot.Snapshot) string {
	t.Helper()
	info := s.CommitInfo()
	out := map[string]json.RawMessage{}
	for k, v := range info.OperationParameters {
		var inner string
		if json.Unmarshal(v, &inner) == nil && json.Valid([]byte(inner)) && strings.ContainsAny(inner, "[{") {
			v = json.RawMessage(inner)
		}
		out[k] = v
	}
	b, err := json.Marshal(out)
	if err != nil {
		t.Fatal(err)
	}
	return info.Operation + " " + strings.NewReplacer(`\u003e`, ">", `\u003c`, "<").Replace(string(b))
}

// TestTypeChangesAreRecorded where readers look for them.
func TestTypeChangesAreRecorded(t *testing.T) {
	k := kit(t, ddl, nil, row)
	for _, c := range []alter.Change{set("delta.enableTypeWidening", "true"), alter.ChangeColumn{Column: []string{"id"}, Type: types.Long},
		alter.ChangeColumn{Column: []string{"m", "value"}, Type: types.Double}, alter.ChangeColumn{Column: []string{"id"}, Type: types.Decimal{Precision: 20}}} {
		if _, err := alter.Run(t.Context(), k.Log, c, alter.Options{}); err != nil {
			t.Fatal(err)
		}
	}
	s, err := k.Snapshot(t.Context(), snapshot.Latest())
	if err != nil {
		t.Fatal(err)
	}
	for column, want := range map[string]string{"id": `[{"fromType":"integer","toType":"long"},{"fromType":"long","toType":"decimal(20,0)"}]`,
		"m": `[{"fromType":"integer","toType":"double","fieldPath":"value"}]`} {
		f, _ := s.Schema().Field(column)
		if raw, _ := f.Metadata.Raw("delta.typeChanges"); string(raw) != want {
			t.Errorf("%s: %s, want %s", column, raw, want)
		}
	}
}

// TestEnable: features that properties bring are in the protocol, with what they
// need beside them.
func TestEnable(t *testing.T) {
	k, err := tablekit.Make(t.Context(), tablekit.Spec{DDL: "a INT, st STRUCT<x: INT>", Properties: tablekit.WithoutVectors()})
	if err != nil {
		t.Fatal(err)
	}
	if err := k.Append(t.Context(), `{"a":1,"st":null}`); err != nil {
		t.Fatal(err)
	}
	for _, c := range []alter.Change{set("delta.enableRowTracking", "true"), set("delta.enableInCommitTimestamps", "true"), set("delta.enableChangeDataFeed", "true"),
		alter.ClusterBy{Columns: [][]string{{"St", "x"}}}, set("delta.enableDeletionVectors", "true"), alter.ClusterBy{}} {
		if _, err := alter.Run(t.Context(), k.Log, c, alter.Options{}); err != nil {
			t.Fatal(err)
		}
	}
	if err := k.Append(t.Context(), `{"a":2,"st":{"x":1}}`); err != nil {
		t.Fatal(err)
	}
	s, err := k.Snapshot(t.Context(), snapshot.Latest())
	if err != nil {
		t.Fatal(err)
	}
	if got, want := strings.Join(feature.Names(s.Protocol()), " "), "appendOnly changeDataFeed clustering deletionVectors domainMetadata inCommitTimestamp invariants rowTracking"; got != want {
		t.Errorf("features %s\nwant     %s", got, want)
	}
	if v, millis, ok := feature.InCommitTimestampStart(s.Metadata()); !ok || v != 5 || millis == 0 {
		t.Errorf("in-commit timestamps from version %d, %d, %v", v, millis, ok)
	}
	ids := map[int64]bool{}
	files := s.Files()
	for i := range files.All() {
		a := files.Add(i)
		if a.BaseRowID == nil || ids[*a.BaseRowID] {
			t.Errorf("file %s: row ids from %v", a.Path, a.BaseRowID)
			continue
		}
		ids[*a.BaseRowID] = true
	}
	if conf, ok := s.Domain(feature.ClusteringDomain); !ok || conf != `{"clusteringColumns":[],"domainName":"delta.clustering"}` {
		t.Errorf("clustering %q %v", conf, ok)
	}
}
