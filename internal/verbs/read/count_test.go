package read_test

import (
	"testing"

	"github.com/sluicelake/sluice/action"
	"github.com/sluicelake/sluice/internal/base/env"
	"github.com/sluicelake/sluice/internal/proof/tablekit"
)

// Counting reads a data file only when some of its rows may count and others not,
// and its footer when the log does not say how many rows it has.
func TestCountReads(t *testing.T) {
	k, s := numbers(t, 20) // ten files, ids ascending, p is 0 or 1
	count := func(where string, want int64, reads bool) {
		t.Helper()
		p, err := planOf(t, latest(t, k), where)
		if err != nil {
			t.Fatal(err)
		}
		before := k.Bucket.Stats().BytesRead
		n, err := p.Count(t.Context(), env.New())
		if err != nil || n != want {
			t.Errorf("%q: %d, %v; want %d", where, n, err, want)
		}
		if got := k.Bucket.Stats().BytesRead > before; got != reads {
			t.Errorf("%q reads data: %v, want %v", where, got, reads)
		}
	}
	count("", 200, false)
	count("p = 1", 100, false)
	count("p = 1 OR p IS NULL", 100, false)
	count("p IN (0, 1) AND upper(CAST(p AS STRING)) = '0'", 100, false)
	count("id < 40", 40, false)
	count("id >= 40 AND p = 0 AND s IS NOT NULL", 80, false)
	count("id < 39", 39, true)
	count("_metadata.row_index < 5", 50, true)
	count("false", 0, false)
	count("NULL", 0, false)

	marked, err := tablekit.Mark(t.Context(), s, first(s), 0, 1)
	if err != nil {
		t.Fatal(err)
	}
	if err := tablekit.Publish(t.Context(), k.Bucket, s.Version()+1, "DELETE", marked...); err != nil {
		t.Fatal(err)
	}
	count("", 198, false)

	s = latest(t, k)
	var acts []action.Action
	files := s.Files()
	for i := range files.All() {
		add := *files.Add(i)
		add.Stats = ""
		acts = append(acts, &add)
	}
	if err := tablekit.Publish(t.Context(), k.Bucket, s.Version()+1, "by hand", acts...); err != nil {
		t.Fatal(err)
	}
	count("", 198, true)
	count("p = 1", 100, true)
	count("p = 7", 0, false)
	count("id < 40", 38, true)
}
