package alter_test

import (
	"strings"
	"testing"
	"time"

	"github.com/sluicelake/sluice/internal/base/env"
	"github.com/sluicelake/sluice/internal/proof/tablekit"
	"github.com/sluicelake/sluice/internal/table/feature"
	"github.com/sluicelake/sluice/internal/verbs/alter"
	"github.com/sluicelake/sluice/storage/memory"
)

// TestTruncateHistory drops a feature for good: first its traces, and, when the
// older versions are past their retention, these and the feature.
func TestTruncateHistory(t *testing.T) {
	now := tablekit.NewClock(time.Now().Add(-100 * 24 * time.Hour))
	e := env.New()
	e.Now = now.Now
	k := tablekit.New(t, tablekit.Spec{DDL: "k INT", Env: e, Driver: memory.New(memory.WithURL("memory://truncate"), memory.WithClock(e.Now)), Files: [][]string{{`{"k":1}`, `{"k":2}`}}})
	drop := func(name string) error {
		_, err := alter.Run(t.Context(), k.Log, alter.DropFeature{Name: name, TruncateHistory: true}, alter.Options{})
		return err
	}
	want := func(err error, class string) {
		t.Helper()
		if (err != nil) != (class != "") || err != nil && !strings.Contains(err.Error(), class) {
			t.Fatalf("%v, want %q", err, class)
		}
	}
	want(drop("deletionVectors"), "DELTA_FEATURE_DROP_WAIT_FOR_RETENTION_PERIOD")
	now.Pass(time.Hour)
	want(drop("deletionVectors"), "DELTA_FEATURE_DROP_HISTORICAL_VERSIONS_EXIST")
	now.Pass(25 * time.Hour)
	if err := k.Append(t.Context(), `{"k":3}`); err != nil {
		t.Fatal(err)
	}
	want(drop("deletionVectors"), "")
	s, err := k.Log.Update(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	if p := s.Protocol(); feature.Supports(p, "deletionVectors") || feature.Supports(p, "checkpointProtection") {
		t.Errorf("%v", p)
	}
	if rows := k.Rows(t); len(rows) != 3 {
		t.Errorf("%v", rows)
	}
	keys, err := k.Objects(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	for _, key := range keys {
		if strings.HasSuffix(key, "00000000000000000000.json") {
			t.Errorf("%s is still there", key)
		}
	}
}
