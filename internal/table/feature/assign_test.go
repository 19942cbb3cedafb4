package feature

import (
	"fmt"
	"testing"

	"github.com/sluicelake/sluice/types"
)

// Fields at every depth get ids that no other has, and names; what is there stays.
func TestAssignMapping(t *testing.T) {
	inner := schemaOf(field("x", types.Long), field("y", types.String))
	old := field("old", types.Long)
	old.Metadata = old.Metadata.With(KeyFieldID, 7).With(KeyPhysicalName, "kept")
	schema := schemaOf(field("a", types.Long), old, field("s", inner), field("l", &types.Array{Element: inner}),
		field("m", &types.Map{Key: types.String, Value: inner}))
	n := 0
	mapped, config := AssignMapping(schema, map[string]string{"other": "x"}, func() string { n++; return fmt.Sprint(n) })
	if config[maxColumnID] != "17" || config["other"] != "x" {
		t.Errorf("properties %v", config)
	}
	ids := map[int64]string{}
	anyField(mapped, func(f types.Field) bool {
		id, _ := f.Metadata.Int(KeyFieldID)
		name, _ := f.Metadata.Text(KeyPhysicalName)
		if ids[id] != "" || id < 7 {
			t.Errorf("field %s has id %d, which is that of %q", f.Name, id, ids[id])
		}
		ids[id] = name
		return false
	})
	if len(ids) != 11 || ids[7] != "kept" || ids[8] != "col-1" {
		t.Errorf("ids and names: %v", ids)
	}
	again, config := AssignMapping(mapped, config, nil)
	if types.JSON(again) != types.JSON(mapped) || config[maxColumnID] != "17" {
		t.Error("a second time changes something")
	}
	named, _ := AssignMapping(schemaOf(field("a", types.Long)), nil, nil)
	if name, _ := named.Fields[0].Metadata.Text(KeyPhysicalName); name != "a" {
		t.Errorf("without new names: %s", name)
	}
}
