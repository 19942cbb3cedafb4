package colstats

import (
	"testing"

	"github.com/sluicelake/sluice/types"
)

func TestMerge(t *testing.T) {
	schema, err := types.ParseDDL("a INT, s STRUCT<x: STRING, y: BOOLEAN>, d DECIMAL(10,2), b BINARY")
	if err != nil {
		t.Fatal(err)
	}
	leaves := Leaves(schema)
	for _, c := range []struct {
		name  string
		files []string
		want  string // "": refused
	}{
		{"one", []string{`{"numRecords":2,"minValues":{"a":1,"s":{"x":"k"}},"maxValues":{"a":3,"s":{"x":"l"}},"nullCount":{"a":0,"s":{"x":1,"y":0},"d":2,"b":0}}`},
			`{"numRecords":2,"minValues":{"a":1,"s":{"x":"k"}},"maxValues":{"a":3,"s":{"x":"l"}},"nullCount":{"a":0,"s":{"x":1,"y":0},"d":2,"b":0}}`},
		{"wider", []string{
			`{"numRecords":2,"minValues":{"a":10,"d":1.50},"maxValues":{"a":30,"d":2},"nullCount":{"a":0,"d":0}}`,
			`{"numRecords":3,"minValues":{"a":9,"d":10.25},"maxValues":{"a":9,"d":10.25},"nullCount":{"a":2,"d":1}}`},
			`{"numRecords":5,"minValues":{"a":9,"s":{},"d":1.50},"maxValues":{"a":30,"s":{},"d":10.25},"nullCount":{"a":2,"s":{},"d":1}}`},
		{"only NULL in one", []string{`{"numRecords":1,"nullCount":{"a":1}}`, `{"numRecords":1,"minValues":{"a":4},"maxValues":{"a":4},"nullCount":{"a":0}}`},
			`{"numRecords":2,"minValues":{"a":4,"s":{}},"maxValues":{"a":4,"s":{}},"nullCount":{"a":1,"s":{}}}`},
		{"unknown in one", []string{`{"numRecords":1}`, `{"numRecords":1,"minValues":{"a":4},"maxValues":{"a":4},"nullCount":{"a":0}}`},
			`{"numRecords":2,"minValues":{"s":{}},"maxValues":{"s":{}},"nullCount":{"s":{}}}`},
		{"no count", []string{`{"minValues":{"a":4}}`}, ""},
		{"loose", []string{`{"numRecords":1,"tightBounds":false}`}, ""},
		{"none", []string{""}, ""},
		{"damaged", []string{`{"numRecords":`}, ""},
	} {
		got, ok := Merge(leaves, false, c.files...)
		if ok != (c.want != "") || got != c.want {
			t.Errorf("%s: %s, want %s", c.name, got, c.want)
		}
	}
	if got, _ := Merge(leaves[:1], true, `{"numRecords":1,"tightBounds":true}`); got != `{"numRecords":1,"minValues":{},"maxValues":{},"nullCount":{},"tightBounds":true}` {
		t.Error(got)
	}
}
