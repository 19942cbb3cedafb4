package parquetio

import (
	"encoding/base64"
	"os"
	"path/filepath"
	"regexp"
	"slices"
	"strings"
	"testing"

	"github.com/sluicelake/sluice/types"
)

// TestFilesOfOthers reads files that testdata/dialects/make.py has made.
func TestFilesOfOthers(t *testing.T) {
	dec := types.Decimal{Precision: 25, Scale: 2}
	list := &types.Array{Element: types.Binary, ContainsNull: true}
	want := map[string][]types.Type{"delta_fixed_v1": {dec, types.Decimal{Precision: 30, Scale: 2}}, "delta_fixed_v2": {dec}, "delta_fixed_list": {list}, "no_rows": {types.Long},
		"unknown": {types.Void, types.String, types.Integer, list}, "half": {types.Float, types.Double}}
	files, err := filepath.Glob("testdata/dialects/*.parquet")
	if err != nil || len(files) != len(want) {
		t.Fatal(files, err)
	}
	texts := regexp.MustCompile(`"\d{3}"`)
	for _, file := range files {
		name := strings.TrimSuffix(filepath.Base(file), ".parquet")
		for _, typ := range want[name] {
			t.Run(name+" as "+typ.String(), func(t *testing.T) {
				data, err := os.ReadFile(file)
				if err != nil {
					t.Fatal(err)
				}
				rows, err := os.ReadFile(strings.TrimSuffix(file, "parquet") + "jsonl")
				if err != nil {
					t.Fatal(err)
				}
				expected := slices.DeleteFunc(strings.Split(string(rows), "\n"), func(s string) bool { return s == "" })
				if typ == list { // rows hold binary values in base64
					for i := range expected {
						expected[i] = texts.ReplaceAllStringFunc(expected[i], func(s string) string {
							return `"` + base64.StdEncoding.EncodeToString([]byte(s[1:4])) + `"`
						})
					}
				}
				got, _ := readRows(t, data, Query{Schema: types.NewStruct(field("c", typ)), Batch: 7})
				sameRows(t, got, expected)
			})
		}
	}
}
