package parse_test

import (
	"errors"
	"fmt"
	"reflect"
	"sort"
	"strings"
	"testing"
	"unicode/utf8"

	"github.com/sluicelake/sluice/expr"
	"github.com/sluicelake/sluice/internal/sql/parse"
	"github.com/sluicelake/sluice/internal/sql/query"
	"github.com/sluicelake/sluice/types"
)

// dump writes a statement as text: what is zero is left out.
func dump(v reflect.Value) string {
	if k := v.Kind(); v.IsZero() && (k == reflect.Pointer || k == reflect.Interface || k == reflect.Slice || k == reflect.Map) {
		return ""
	}
	switch x := v.Interface().(type) {
	case *query.Query:
		return "<" + x.Text + ">"
	case expr.Expr:
		return x.String()
	case *types.Struct:
		return "(" + types.FormatDDL(x) + ")"
	case types.Field:
		return types.FormatDDL(types.NewStruct(x))
	case types.Type:
		return x.String()
	}
	switch v.Kind() {
	case reflect.Pointer, reflect.Interface:
		return dump(v.Elem())
	case reflect.Struct:
		var parts []string
		for i := range v.NumField() {
			if v.Type().Field(i).IsExported() && !v.Field(i).IsZero() {
				parts = append(parts, v.Type().Field(i).Name+"="+dump(v.Field(i)))
			}
		}
		return v.Type().Name() + "{" + strings.Join(parts, " ") + "}"
	case reflect.Slice:
		var parts []string
		for i := range v.Len() {
			parts = append(parts, dump(v.Index(i)))
		}
		if v.Type().Elem().Kind() == reflect.String {
			return strings.Join(parts, ".")
		}
		return "[" + strings.Join(parts, ", ") + "]"
	case reflect.Map:
		var parts []string
		for it := v.MapRange(); it.Next(); {
			parts = append(parts, fmt.Sprint(it.Key(), ":", it.Value()))
		}
		sort.Strings(parts)
		return strings.Join(parts, ",")
	}
	return fmt.Sprint(v.Interface())
}

func TestStatements(t *testing.T) {
	for text, want := range map[string]string{
		"SELECT 1": "Select{Query=<SELECT 1>}",
		"insert into a.b (x, `y z`) values (1, DEFAULT)":                                              "Insert{Target=a.b Columns=x.y z Query=<values (1, DEFAULT)>}",
		"INSERT INTO TABLE t (SELECT 1)":                                                              "Insert{Target=t Query=<(SELECT 1)>}",
		"INSERT WITH SCHEMA EVOLUTION INTO t BY NAME SELECT 1 AS a":                                   "Insert{Target=t ByName=true Evolve=true Query=<SELECT 1 AS a>}",
		"INSERT OVERWRITE t PARTITION (p = 'x', q) SELECT 1":                                          "Insert{Target=t Overwrite=true Partition=[PartitionValue{Column=p Value='x'}, PartitionValue{Column=q}] Query=<SELECT 1>}",
		"INSERT INTO t REPLACE WHERE p IS NULL AND k > 1 SELECT * FROM s":                             "Insert{Target=t Where=p IS NULL AND k > 1 Query=<SELECT * FROM s>}",
		"MERGE INTO t USING (SELECT * FROM s WHERE a > 1) AS s ON t.k = s.k WHEN MATCHED THEN DELETE": "Merge{Target=Relation{Parts=t} Source=Relation{Alias=s} Query=<SELECT * FROM s WHERE a > 1> Spec=Spec{TargetAlias=t SourceAlias=s On=t.k = s.k Clauses=[Clause{Action=delete}]}}",
		"UPDATE t AS x SET a = 1, s.b = x.c WHERE k":                                                  "Change{Target=Relation{Parts=t Alias=x} Spec=Statement{Alias=x Set=[Assignment{Column=a Value=1}, Assignment{Column=s.b Value=x.c}] Where=k}}",
		"DELETE FROM delta.`/a/b` WHERE k = 1":                                                        "Change{Target=Relation{Parts=delta./a/b} Spec=Statement{Alias=/a/b Delete=true Where=k = 1}}",
		"TRUNCATE TABLE t":                                                                            "Change{Target=Relation{Parts=t} Spec=Statement{Delete=true}}",
		"CREATE TABLE IF NOT EXISTS t (a INT NOT NULL COMMENT 'x', b STRING DEFAULT 'y', CONSTRAINT c CHECK (a>0 AND b.c<1)) USING delta PARTITIONED BY (b) TBLPROPERTIES ('k'='v', a.b=5, c = true) LOCATION '/x' COMMENT 'hi'": "Create{Table=t Using=delta Location=/x Spec=Spec{Schema=(a INT NOT NULL COMMENT 'x', b STRING) PartitionBy=b Constraints=[Constraint{Name=c Check=a > 0 AND b . c < 1}] Properties=a.b:5,c:true,k:v Comment=hi IfNotExists=true}}",
		"CREATE OR REPLACE TABLE t CLUSTER BY (a, b.c) AS SELECT 1 AS a":   "Create{Table=t Spec=Spec{ClusterBy=[a, b.c] Replace=true OrCreate=true} Query=<SELECT 1 AS a>}",
		"REPLACE TABLE t (a INT) PARTITIONED BY (p DATE)":                  "Create{Table=t Spec=Spec{Schema=(a INT, p DATE) PartitionBy=p Replace=true}}",
		"CREATE TEMP VIEW v (x) AS SELECT 1":                               "CreateView{Name=v Columns=x Query=<SELECT 1>}",
		"DROP TABLE IF EXISTS t":                                           "Drop{Table=t IfExists=true}",
		"DROP VIEW v":                                                      "Drop{Table=v View=true}",
		"DESCRIBE HISTORY t LIMIT 3":                                       "Describe{Table=t What=2 Limit=3}",
		"DESC DETAIL '/a'":                                                 "Describe{Table=delta./a What=3}",
		"DESCRIBE TABLE EXTENDED t":                                        "Describe{Table=t What=1}",
		"DESCRIBE QUERY SELECT 1":                                          "Describe{Query=<SELECT 1>}",
		"SHOW TBLPROPERTIES t ('a.b')":                                     "ShowProperties{Table=t Key=a.b}",
		"SHOW COLUMNS IN t":                                                "ShowColumns{Table=t}",
		"SET spark.sql.ansi.enabled = false":                               "Set{Key=spark.sql.ansi.enabled Value=false HasValue=true}",
		"SET spark.sql.session.timeZone=America/New_York":                  "Set{Key=spark.sql.session.timeZone Value=America/New_York HasValue=true}",
		"SET TIME ZONE '+02:00'":                                           "Set{Key=spark.sql.session.timeZone Value=+02:00 HasValue=true}",
		"SET":                                                              "Set{}",
		"OPTIMIZE t ZORDER BY (a, `b.c`.d)":                                "Optimize{Table=t Spec=Spec{ZOrderBy=a.`b.c`.d}}",
		"REORG TABLE t WHERE p = 1 APPLY (PURGE)":                          "Optimize{Table=t Spec=Spec{Where=p = 1 Purge=true}}",
		"REORG TABLE t APPLY (UPGRADE UNIFORM (ICEBERG_COMPAT_VERSION=2))": "error",
		"ALTER TABLE t ADD COLUMNS (a INT FIRST, s.b DATE AFTER c COMMENT 'x')": "error",
		"ALTER TABLE t ADD COLUMNS (a INT FIRST, s.b DATE COMMENT 'x' AFTER c)": "Alter{Table=t Changes=[AddColumns{Columns=[NewColumn{Field=a INT At=Position{First=true}}, NewColumn{Parent=s Field=b DATE COMMENT 'x' At=Position{After=c}}]}]}",
		"ALTER TABLE t ADD COLUMN a.b.c INT":                                    "Alter{Table=t Changes=[AddColumns{Columns=[NewColumn{Parent=a.b Field=c INT}]}]}",
		"ALTER TABLE t RENAME COLUMN a.`b c` TO d":                              "Alter{Table=t Changes=[RenameColumn{Column=a.b c To=d}]}",
		"ALTER TABLE t DROP COLUMNS IF EXISTS (a, b.c)":                         "Alter{Table=t Changes=[DropColumns{Columns=[a, b.c] IfExists=true}]}",
		"ALTER TABLE t ALTER COLUMN a TYPE DECIMAL(20, 2)":                      "Alter{Table=t Changes=[ChangeColumn{Column=a Type=decimal(20,2)}]}",
		"ALTER TABLE t ALTER a DROP NOT NULL, b.c COMMENT 'x', d AFTER a":       "Alter{Table=t Changes=[ChangeColumn{Column=a NotNull=false}, ChangeColumn{Column=b.c Comment=x}, ChangeColumn{Column=d At=Position{After=a}}]}",
		"ALTER TABLE t ALTER COLUMN a SET DEFAULT 40+2":                         "Alter{Table=t Changes=[ChangeColumn{Column=a Default=40+2}]}",
		"ALTER TABLE t CHANGE COLUMN a a BIGINT COMMENT 'x' FIRST":              "Alter{Table=t Changes=[ChangeColumn{Column=a Type=bigint Comment=x At=Position{First=true}}]}",
		"ALTER TABLE t SET TBLPROPERTIES ('a' = '1')":                           "Alter{Table=t Changes=[SetProperties{Properties=a:1}]}",
		"ALTER TABLE t UNSET TBLPROPERTIES IF EXISTS ('a', b.c)":                "Alter{Table=t Changes=[UnsetProperties{Keys=a.b.c IfExists=true}]}",
		"alter table t add constraint `C x` check (length(v)<5)":                "Alter{Table=t Changes=[AddConstraint{Name=C x Check=length ( v ) < 5}]}",
		"ALTER TABLE t DROP CONSTRAINT IF EXISTS c":                             "Alter{Table=t Changes=[DropConstraint{Name=c IfExists=true}]}",
		"ALTER TABLE t CLUSTER BY NONE":                                         "Alter{Table=t Changes=[ClusterBy{}]}",
		"ALTER TABLE t DROP FEATURE deletionVectors TRUNCATE HISTORY":           "Alter{Table=t Changes=[DropFeature{Name=deletionVectors TruncateHistory=true}]}",
		"COMMENT ON TABLE t IS 'x'":                                             "Alter{Table=t Changes=[SetProperties{Properties=comment:x}]}",
		"CREATE VIEW v AS SELECT 1":                                             "error",
		"CREATE TABLE t (a INT, PRIMARY KEY (a))":                               "error",
		"INSERT t VALUES (1)":                                                   "error",
		"SELECT 1 2 3":                                                          "error",
		"GIBBERISH":                                                             "error",
	} {
		st, err := parse.One(text)
		got := "error"
		if err == nil {
			got = dump(reflect.ValueOf(st).Elem())
		} else {
			var p *expr.ParseError
			if !errors.As(err, &p) || !strings.Contains(err.Error(), "^") {
				t.Errorf("%s: an error without a place: %v", text, err)
			}
		}
		if got != want {
			t.Errorf("%s\n got %s %v\nwant %s", text, got, err, want)
		}
	}
}

func TestScript(t *testing.T) {
	s := parse.NewScript("-- one; not two\nSELECT ';' AS a; /* ; */ ;;\nSELEC 2;\n SELECT 3 WHERE (")
	var got []string
	for {
		_, text, more, err := s.Next()
		if !more {
			break
		}
		var p *expr.ParseError
		if errors.As(err, &p) {
			text += fmt.Sprintf(" !%d:%d", p.Line, p.Column)
		}
		got = append(got, text)
	}
	if want := "SELECT ';' AS a|SELEC 2 !3:1|SELECT 3 WHERE ( !4:18"; strings.Join(got, "|") != want {
		t.Errorf("%q, want %q", got, want)
	}
}

func FuzzScript(f *testing.F) {
	for _, s := range []string{"SELECT 1; INSERT INTO t VALUES (1, DEFAULT)", "CREATE TABLE t (a INT DEFAULT 1, CHECK (a > 0)) USING delta", "ALTER TABLE t ADD COLUMN a.b INT FIRST; SET a=b;'",
		"MERGE INTO t USING (SELECT 1) s ON true WHEN MATCHED THEN DELETE", "ALTER TABLE t ADD CONSTRAINT c CHECK (a)"} {
		f.Add(s)
	}
	f.Fuzz(func(t *testing.T, text string) {
		s := parse.NewScript(text)
		for n := 0; ; n++ {
			st, _, more, err := s.Next()
			if !more {
				return
			}
			if err == nil && (st == nil || reflect.ValueOf(st).IsNil()) {
				t.Fatalf("no statement and no error")
			}
			if err != nil && utf8.ValidString(text) {
				if wrong := misplaced(text, err); wrong != "" {
					t.Fatalf("%s: %v", wrong, err)
				}
			}
			if n > len(text) {
				t.Fatalf("more statements than characters")
			}
		}
	})
}

// A default is read up to the end of its statement, and to where its column is to be.
func TestDefaultsEnd(t *testing.T) {
	for _, text := range []string{"ALTER TABLE t ADD COLUMN a INT DEFAULT 5; SELECT 1", "ALTER TABLE t ADD COLUMN a INT DEFAULT 5 AFTER b; SELECT 1",
		"ALTER TABLE t ADD COLUMN a STRING DEFAULT ';' FIRST;\nSELECT 1", "CREATE TABLE t (a INT DEFAULT (5; SELECT 1"} {
		s := parse.NewScript(text)
		n := 0
		for {
			_, _, more, _ := s.Next()
			if !more {
				break
			}
			n++
		}
		if n != 2 {
			t.Errorf("%s: %d statements", text, n)
		}
	}
}
