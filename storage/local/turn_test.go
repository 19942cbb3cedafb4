package local_test

import (
	"errors"
	"os"
	"testing"

	"github.com/sluicelake/sluice/storage"
)

// Two stores of one folder are as two processes: one at a time has the turn, and
// nothing stays in the folder.
func TestTurn(t *testing.T) {
	dir := t.TempDir()
	if err := os.Mkdir(dir+"/_delta_log", 0o777); err != nil {
		t.Fatal(err)
	}
	a, err := newStore(t, dir).Turn(t.Context(), "_delta_log")
	if errors.Is(err, storage.ErrUnsupported) {
		t.Skip("no turns here")
	}
	if err != nil {
		t.Fatal(err)
	}
	b, err := newStore(t, dir).Turn(t.Context(), "_delta_log")
	if err != nil {
		t.Fatal(err)
	}
	try := func(who storage.Turn, want bool) {
		t.Helper()
		if got, err := who.Try(); got != want || err != nil {
			t.Errorf("turn given: %t, %v; want %t", got, err, want)
		}
	}
	try(a, true)
	try(a, true) // it has it
	try(b, false)
	if err := a.Close(); err != nil {
		t.Error(err)
	}
	try(b, true)
	if err := b.Close(); err != nil {
		t.Error(err)
	}
	if list, err := os.ReadDir(dir + "/_delta_log"); err != nil || len(list) != 0 {
		t.Errorf("left behind: %v, %v", list, err)
	}
	if _, err := newStore(t, dir).Turn(t.Context(), "missing"); !errors.Is(err, storage.ErrNotExist) {
		t.Errorf("at a folder that is not there: %v", err)
	}
}
