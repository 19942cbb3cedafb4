package feature

import (
	"errors"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/sluicelake/sluice/action"
	"github.com/sluicelake/sluice/types"
)

func schemaOf(fields ...types.Field) *types.Struct { return types.NewStruct(fields...) }

func field(name string, t types.Type) types.Field {
	return types.Field{Name: name, Type: t, Nullable: true}
}

func metadata(s *types.Struct, pairs ...string) *action.Metadata {
	md := &action.Metadata{SchemaString: types.JSON(s), Configuration: map[string]string{}}
	for i := 0; i < len(pairs); i += 2 {
		md.Configuration[pairs[i]] = pairs[i+1]
	}
	return md
}

func proto(reader, writer int32, names ...string) *action.Protocol {
	p := &action.Protocol{MinReaderVersion: reader, MinWriterVersion: writer}
	for _, n := range names {
		p.WriterFeatures = append(p.WriterFeatures, n)
		if f, ok := Lookup(n); reader == 3 && (!ok || f.Reader) {
			p.ReaderFeatures = append(p.ReaderFeatures, n)
		}
	}
	return p
}

func TestRegistry(t *testing.T) {
	seen := map[string]bool{}
	for _, f := range registry {
		if seen[f.Name] {
			t.Errorf("%s is there twice", f.Name)
		}
		seen[f.Name] = true
		if f.Writable && !f.Readable {
			t.Errorf("%s can be written but not read", f.Name)
		}
		for _, r := range f.Requires {
			if _, ok := Lookup(r); !ok {
				t.Errorf("%s requires %s, which does not exist", f.Name, r)
			}
		}
	}
}

func TestCheck(t *testing.T) {
	plain := schemaOf(field("id", types.Long))
	generated := field("g", types.Long)
	generated.Metadata = generated.Metadata.With("delta.generationExpression", "id + 1")
	nested := schemaOf(field("s", &types.Array{Element: schemaOf(generated)}))
	variant := schemaOf(field("m", &types.Map{Key: types.String, Value: types.Variant}))
	for _, c := range []struct {
		name  string
		p     *action.Protocol
		md    *action.Metadata
		read  string // part of the error, "" for none
		write string
	}{
		{"oldest", proto(1, 1), metadata(plain), "", ""},
		{"plain", proto(1, 2), metadata(plain), "", ""},
		{"legacy features not in use", proto(2, 6), metadata(plain), "", ""},
		{"legacy change feed in use", proto(1, 4), metadata(plain, "delta.enableChangeDataFeed", "true"), "", ""},
		{"legacy generated column", proto(1, 4), metadata(nested), "", ""},
		{"legacy column mapping", proto(2, 5), metadata(plain, "delta.columnMapping.mode", "name"), "", ""},
		{"writable features", proto(3, 7, "appendOnly", "invariants", "checkConstraints", "deletionVectors", "timestampNtz", "domainMetadata",
			"inCommitTimestamp", "vacuumProtocolCheck", "v2Checkpoint", "clustering", "checkpointProtection"), metadata(plain), "", ""},
		{"listed, not in use", proto(3, 7, "changeDataFeed", "generatedColumns", "columnMapping", "typeWidening", "variantType", "allowColumnDefaults"), metadata(plain), "", ""},
		{"row tracking", proto(1, 7, "rowTracking", "domainMetadata"), metadata(plain), "", ""},
		{"row tracking suspended", proto(1, 7, "rowTracking", "domainMetadata"), metadata(plain, "delta.rowTrackingSuspended", "true"), "", ""},
		{"variant", proto(3, 7, "variantType"), metadata(variant), "", ""},
		{"catalog", proto(3, 7, "catalogManaged"), metadata(plain), "catalogManaged; reach the table through its catalog", "catalogManaged"},
		{"unknown reader feature", proto(3, 7, "teleport"), metadata(plain), "teleport", "teleport"},
		{"unknown writer feature", &action.Protocol{MinReaderVersion: 3, MinWriterVersion: 7, ReaderFeatures: []string{}, WriterFeatures: []string{"liquid"}}, metadata(plain), "", "liquid is unknown here"},
		{"reader version", proto(4, 7), metadata(plain), "reader version 4", "reader version 4"},
		{"no reader version", proto(0, 2), metadata(plain), "reader version 0", "reader version 0"},
		{"writer version", proto(1, 8), metadata(plain), "", "writer version 8"},
		{"no schema", proto(1, 2), &action.Metadata{}, "", ""},
	} {
		for op, check := range map[string]struct {
			err  error
			want string
		}{"read": {CheckRead(c.p), c.read}, "write": {CheckWrite(c.p, c.md), c.write}} {
			var f *Error
			switch {
			case check.want == "" && check.err != nil:
				t.Errorf("%s: %s: %v", c.name, op, check.err)
			case check.want != "" && (!errors.As(check.err, &f) || !strings.Contains(f.Error(), check.want) || !strings.HasPrefix(f.Class, "DELTA_")):
				t.Errorf("%s: %s: %v, want %q", c.name, op, check.err, check.want)
			}
		}
	}
}

func TestForNewTable(t *testing.T) {
	plain := schemaOf(field("id", types.Long))
	dv := map[string]string{"delta.enableDeletionVectors": "true"}
	off := map[string]string{"delta.enableDeletionVectors": "false"}
	with := func(base map[string]string, pairs ...string) map[string]string {
		out := map[string]string{}
		for k, v := range base {
			out[k] = v
		}
		for i := 0; i < len(pairs); i += 2 {
			out[pairs[i]] = pairs[i+1]
		}
		return out
	}
	for _, c := range []struct {
		name   string
		schema *types.Struct
		config map[string]string
		want   *action.Protocol
		stored map[string]string
		err    string
	}{
		{name: "nothing asked", schema: plain, want: proto(1, 2), stored: map[string]string{}},
		{name: "deletion vectors", schema: plain, config: dv, want: proto(3, 7, "appendOnly", "deletionVectors", "invariants"), stored: dv},
		{name: "a property that says no", schema: plain, config: off, want: proto(1, 2), stored: off},
		{name: "keys are spelled right", schema: plain, config: map[string]string{"DELTA.ENABLEdeletionvectors": "false", "Own.Key": "x"}, want: proto(1, 2), stored: with(off, "Own.Key", "x")},
		{name: "a constraint", schema: plain, config: with(off, "delta.constraints.c", "id > 0"), want: proto(1, 3), stored: with(off, "delta.constraints.c", "id > 0")},
		{name: "a time zone that is none", schema: schemaOf(field("s", schemaOf(field("t", types.TimestampNTZ)))), config: off, want: proto(3, 7, "appendOnly", "invariants", "timestampNtz"), stored: off},
		{name: "in-commit timestamps", schema: plain, config: with(off, "delta.enableInCommitTimestamps", "true"), want: proto(1, 7, "appendOnly", "inCommitTimestamp", "invariants"), stored: with(off, "delta.enableInCommitTimestamps", "true")},
		{name: "a feature by name", schema: plain, config: with(off, "delta.feature.clustering", "supported"), want: proto(1, 7, "appendOnly", "clustering", "domainMetadata", "invariants"), stored: off},
		{name: "versions by number", schema: plain, config: with(off, "delta.minWriterVersion", "7", "delta.minReaderVersion", "1"), want: proto(1, 1), stored: off},
		{name: "V2 checkpoints", schema: plain, config: with(off, "delta.checkpointPolicy", "v2"), want: proto(3, 7, "appendOnly", "invariants", "v2Checkpoint"), stored: with(off, "delta.checkpointPolicy", "v2")},
		{name: "change feed", schema: plain, config: with(off, "delta.enableChangeDataFeed", "true"), want: proto(1, 7, "appendOnly", "changeDataFeed", "invariants"), stored: with(off, "delta.enableChangeDataFeed", "true")},
		{name: "change feed over a column of its own", schema: schemaOf(field("_Change_Type", types.Long)), config: map[string]string{"delta.enableChangeDataFeed": "true"}, err: "DELTA_TABLE_ALREADY_CONTAINS_CDC_COLUMNS"},
		{name: "column mapping", schema: plain, config: with(off, "delta.columnMapping.mode", "name"), want: proto(2, 7, "appendOnly", "columnMapping", "invariants"), stored: with(off, "delta.columnMapping.mode", "name")},
		{name: "variant", schema: schemaOf(field("v", types.Variant)), config: off, want: proto(3, 7, "appendOnly", "invariants", "variantType"), stored: off},
		{name: "unknown property", schema: plain, config: map[string]string{"delta.enableWings": "true"}, err: "DELTA_UNKNOWN_CONFIGURATION"},
		{name: "unknown feature", schema: plain, config: map[string]string{"delta.feature.wings": "supported"}, err: "wings"},
		{name: "feature status", schema: plain, config: map[string]string{"delta.feature.clustering": "maybe"}, err: "want supported"},
		{name: "bad value", schema: plain, config: map[string]string{"delta.checkpointInterval": "0"}, err: "integer from 1"},
		{name: "isolation", schema: plain, config: map[string]string{"delta.isolationLevel": "WriteSerializable"}, err: "Serializable"},
		{name: "future", schema: plain, config: map[string]string{"delta.minReaderVersion": "4"}, err: "want one of 1, 2, 3"},
		{name: "a reader version that lists features", schema: plain, config: map[string]string{"delta.minReaderVersion": "3"}, err: "DELTA_READ_FEATURE_PROTOCOL_REQUIRES_WRITE"},
		{name: "a legacy version", schema: plain, config: with(off, "delta.minWriterVersion", "5"), want: proto(1, 4), stored: off},
		{name: "the newest legacy version", schema: plain, config: with(off, "delta.minWriterVersion", "6"), want: proto(1, 6), stored: off},
		{name: "both legacy versions", schema: plain, config: with(off, "delta.minReaderVersion", "2", "delta.minWriterVersion", "5"), want: proto(2, 5), stored: off},
	} {
		p, stored, err := ForNewTable(c.schema, c.config)
		if c.err != "" {
			if err == nil || !strings.Contains(err.Error(), c.err) {
				t.Errorf("%s: %v, %v, want %q", c.name, p, err, c.err)
			}
			continue
		}
		if err != nil {
			t.Errorf("%s: %v", c.name, err)
			continue
		}
		if d := cmp.Diff(c.want, p) + cmp.Diff(c.stored, stored); d != "" {
			t.Errorf("%s: (-want +have)\n%s", c.name, d)
		}
		if err := CheckWrite(p, &action.Metadata{SchemaString: types.JSON(c.schema), Configuration: stored}); err != nil {
			t.Errorf("%s: %v", c.name, err)
		}
	}
}

func TestUpgradeNeverGoesBack(t *testing.T) {
	plain := schemaOf(field("id", types.Long))
	p, _, err := Upgrade(proto(1, 6), plain, map[string]string{"delta.enableDeletionVectors": "true"})
	if err != nil {
		t.Fatal(err)
	}
	want := proto(3, 7, "appendOnly", "changeDataFeed", "checkConstraints", "columnMapping", "deletionVectors", "generatedColumns", "identityColumns", "invariants")
	want.WriterFeatures = slices.DeleteFunc(want.WriterFeatures, func(s string) bool { return s == "columnMapping" && !slices.Contains(p.WriterFeatures, s) })
	want.ReaderFeatures = p.ReaderFeatures
	if d := cmp.Diff(want, p); d != "" {
		t.Errorf("(-want +have)\n%s", d)
	}
	same, _, err := Upgrade(proto(3, 7, "deletionVectors"), plain, nil)
	if err != nil || !Supports(same, "deletionVectors") || same.MinReaderVersion != 3 {
		t.Errorf("%+v, %v", same, err)
	}
}

func TestInterval(t *testing.T) {
	for in, want := range map[string]time.Duration{
		"interval 1 week": 7 * 24 * time.Hour, "INTERVAL 30 DAYS": 720 * time.Hour, "2 days 12 hours": 60 * time.Hour,
		"interval 0 hours": 0, "interval '5' minutes": 5 * time.Minute, "interval 1.5 seconds": 1500 * time.Millisecond,
		"interval 36500 days": 36500 * 24 * time.Hour, "interval 999999999 weeks": 1<<62 - 1,
	} {
		if got, err := ParseInterval(in); err != nil || got/time.Second != want/time.Second {
			t.Errorf("%q: %v, %v, want %v", in, got, err, want)
		}
	}
	for _, in := range []string{"", "interval", "interval 1", "interval 1 month", "interval 1 year", "one week", "interval x days"} {
		if got, err := ParseInterval(in); err == nil {
			t.Errorf("%q: %v, want an error", in, got)
		}
	}
}

func FuzzInterval(f *testing.F) {
	f.Add("interval 1 week")
	f.Fuzz(func(t *testing.T, s string) { _, _ = ParseInterval(s) })
}

func TestGetters(t *testing.T) {
	plain := schemaOf(field("id", types.Long))
	md := metadata(plain, "delta.enableDeletionVectors", "TRUE", "delta.checkpointInterval", "25", "delta.targetFileSize", "128m",
		"delta.deletedFileRetentionDuration", "interval 2 days", "delta.logRetentionDuration", "nonsense", "delta.dataSkippingStatsColumns", "a.b, `c,d` , e",
		"delta.dataSkippingNumIndexedCols", "-1", "delta.isolationLevel", "WriteSerializable", "delta.constraints.b", "id > 0", "delta.constraints.a", "id < 9",
		"delta.inCommitTimestampEnablementVersion", "3", "delta.inCommitTimestampEnablementTimestamp", "77")
	if !DeletionVectorsEnabled(proto(3, 7, "deletionVectors"), md) || DeletionVectorsEnabled(proto(1, 2), md) {
		t.Error("deletion vectors")
	}
	if n, explicit := CheckpointInterval(md); n != 25 || !explicit {
		t.Error("checkpoint interval", n)
	}
	if n := TargetFileSize(md); n != 128<<20 {
		t.Error("target file size", n)
	}
	if d := DeletedFileRetention(md); d != 48*time.Hour {
		t.Error("deleted file retention", d)
	}
	if d := LogRetention(md); d != 30*24*time.Hour {
		t.Error("log retention", d)
	}
	if n, cols, explicit := IndexedColumns(md); n != -1 || !explicit || !slices.Equal(cols, []string{"a.b", "`c,d`", "e"}) {
		t.Error("indexed columns", n, cols)
	}
	if IsolationLevel(md) != "WriteSerializable" || IsolationLevel(metadata(plain)) != "Serializable" {
		t.Error("isolation level")
	}
	if v, ms, ok := InCommitTimestampStart(md); v != 3 || ms != 77 || !ok {
		t.Error("in-commit timestamps", v, ms)
	}
	inv := field("x", types.Long)
	inv.Metadata = inv.Metadata.With("delta.invariants", `{"expression":{"expression":"x > 3"}}`)
	got := Constraints(md, schemaOf(field("s", schemaOf(inv))))
	want := []Constraint{{Name: "a", Expr: "id < 9"}, {Name: "b", Expr: "id > 0"}, {Name: "EXPRESSION(x > 3)", Expr: "x > 3", Column: "s.x"}}
	if d := cmp.Diff(want, got); d != "" {
		t.Error(d)
	}
}

func TestMapping(t *testing.T) {
	mapped := func(name, physical string, typ types.Type) types.Field {
		f := field(name, typ)
		f.Metadata = f.Metadata.With(KeyFieldID, 1).With(KeyPhysicalName, physical)
		return f
	}
	s := schemaOf(mapped("a", "c1", types.Long), mapped("s", "c2", &types.Array{Element: schemaOf(mapped("x", "c3", types.String)), ContainsNull: true}), mapped("P", "c4", types.Date))
	md := metadata(s, "delta.columnMapping.mode", "name")
	md.PartitionColumns = []string{"p"}
	c, err := Mapping(md, nil)
	if err != nil {
		t.Fatal(err)
	}
	if c.Physical.String() != "struct<c1:bigint,c2:array<struct<c3:string>>,c4:date>" || c.Mode != MappingName ||
		!slices.Equal(c.Partition, []string{"P"}) || !slices.Equal(c.PartitionPhysical, []string{"c4"}) || !slices.Equal(c.PartitionOrdinals, []int{2}) {
		t.Errorf("%+v: %s", c, c.Physical)
	}
	md.PartitionColumns = []string{"q"}
	if _, err := Mapping(md, nil); err == nil {
		t.Error("a partition column without a field")
	}
	if _, err := Mapping(metadata(schemaOf(field("a", types.Long)), "delta.columnMapping.mode", "id"), nil); err == nil {
		t.Error("a mapped table without physical names")
	}
	if c, err := Mapping(metadata(s), nil); err != nil || c.Physical != c.Logical {
		t.Errorf("%v, %v", c, err)
	}
}
