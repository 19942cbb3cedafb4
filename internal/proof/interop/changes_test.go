package interop

import (
	"slices"
	"strings"
	"testing"

	"github.com/sluicelake/sluice/internal/proof/tablekit"
)

// The other engine reads the change feed that sluice records, and tells the same.
// It knows no deletion vectors in feeds, and takes the paths of change files as they
// stand, although they are URLs (PROTOCOL.md, Add CDC File).
func TestTheyReadChanges(t *testing.T) {
	k, dir := build(t, tablekit.Spec{DDL: "k BIGINT, p STRING, v INT", PartitionBy: []string{"p"},
		Properties: map[string]string{"delta.enableChangeDataFeed": "true", "delta.enableDeletionVectors": "false"},
		Files:      [][]string{{`{"k":1,"p":"a","v":1}`, `{"k":2,"p":"bc","v":2}`, `{"k":3,"p":null,"v":3}`, `{"k":4,"p":"a","v":4}`}}})
	mergeInto(t, k.Log, k.Schema, upsert, `{"k":1,"p":"x","v":10}`, `{"k":2,"p":"bc","v":-1}`, `{"k":5,"p":"a","v":50}`)
	change(t, k.Log, "UPDATE target SET v = v + 1 WHERE k > 3")
	change(t, k.Log, "DELETE FROM target WHERE k = 4")
	change(t, k.Log, "DELETE FROM target WHERE p IS NULL")
	rows, schema := feedOf(t, k, 1)
	other := canonical(t, schema, strings.Split(strings.TrimSpace(peer(t, "changes", dir)), "\n")...)
	if !slices.Equal(rows, other) {
		t.Errorf("we tell\n  %s\nthe other engine tells\n  %s", strings.Join(rows, "\n  "), strings.Join(other, "\n  "))
	}
}
