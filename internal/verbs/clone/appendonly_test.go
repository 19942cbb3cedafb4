package clone_test

import (
	"strings"
	"testing"

	"github.com/sluicelake/sluice/expr"
	"github.com/sluicelake/sluice/internal/proof/tablekit"
	"github.com/sluicelake/sluice/internal/table/txn"
	"github.com/sluicelake/sluice/internal/verbs/clone"
	"github.com/sluicelake/sluice/internal/verbs/dml"
	"github.com/sluicelake/sluice/internal/verbs/merge"
	"github.com/sluicelake/sluice/storage"
)

// TestReplaceAppendOnly: a clone that is made again over a table that may only be
// appended to may bring files, and take none away.
func TestReplaceAppendOnly(t *testing.T) {
	ctx := t.Context()
	k := tablekit.New(t, tablekit.Spec{DDL: "k INT", Driver: disk(t, t.TempDir()), Files: [][]string{{`{"k":1}`}, {`{"k":2}`}}})
	target := txn.NewLog(k.Log.Env(), storage.NewBucket(disk(t, t.TempDir())), txn.Policy{})
	spec := clone.Spec{Source: latest(t, k.Log), Deep: true, Replace: true, Properties: map[string]string{"delta.appendOnly": "true"}}
	for range 2 { // nothing is new in the second
		if _, err := clone.Run(ctx, target, spec, txn.Options{}); err != nil {
			t.Fatal(err)
		}
	}
	where, err := expr.Parse("k = 2")
	if err != nil {
		t.Fatal(err)
	}
	if _, err := dml.Delete(ctx, k.Log, where, merge.Options{}); err != nil {
		t.Fatal(err)
	}
	spec.Source, spec.Properties = latest(t, k.Log), nil
	if _, err := clone.Run(ctx, target, spec, txn.Options{}); err == nil || !strings.Contains(err.Error(), "DELTA_CANNOT_MODIFY_APPEND_ONLY") {
		t.Errorf("rows of an append-only table were taken away: %v", err)
	}
}
