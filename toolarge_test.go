package sluice_test

import (
	"strings"
	"testing"

	"github.com/sluicelake/sluice"
)

// TestTextThatNoArrayHolds: a statement that makes gigabytes out of a few rows is an
// error, not the end of the program.
func TestTextThatNoArrayHolds(t *testing.T) {
	session := sluice.NewSession(sluice.SessionOptions{})
	defer session.Close()
	if err := session.Catalog(t.Context(), t.TempDir()); err != nil {
		t.Fatal(err)
	}
	if err := session.Exec(t.Context(), "CREATE TABLE t AS SELECT id, 'short' AS v FROM range(20000)"); err != nil {
		t.Fatal(err)
	}
	for _, text := range []string{
		"SELECT repeat('x', 200000) AS s, id FROM t",
		"UPDATE t SET v = repeat('x', 200000)",
	} {
		if err := session.Exec(t.Context(), text); err == nil || !strings.Contains(err.Error(), "text in one") {
			t.Errorf("%s: %v", text, err)
		}
	}
}
