package sluice_test

import (
	"context"
	"errors"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/sluicelake/sluice"
)

// TestOptions: what the options of a handle leave in the log.
func TestOptions(t *testing.T) {
	files := func(t *testing.T, opts ...sluice.Option) (string, []string) {
		t.Helper()
		ctx, dir := t.Context(), t.TempDir()
		people(ctx, dir).Close()
		table, err := sluice.Open(ctx, dir, opts...)
		if err != nil {
			t.Fatal(err)
		}
		_, err = table.Alter(ctx, sluice.AlterOptions{}, sluice.SetProperties(map[string]string{"delta.checkpointInterval": "2"}))
		if err != nil {
			t.Fatal(err)
		}
		for range 4 { // versions 3 to 6
			if _, err := table.Append(ctx, rows(ctx, `{"user_id":"4","name":"Dan","country":"UK"}`), sluice.AppendOptions{}); err != nil {
				t.Fatal(err)
			}
		}
		if err := table.Close(); err != nil { // waits for what follows commits
			t.Fatal(err)
		}
		names, err := filepath.Glob(filepath.Join(dir, "_delta_log", "*"))
		if err != nil {
			t.Fatal(err)
		}
		for i := range names {
			names[i] = filepath.Base(names[i])
		}
		last, err := os.ReadFile(filepath.Join(dir, "_delta_log", "00000000000000000006.json"))
		if err != nil {
			t.Fatal(err)
		}
		return string(last), names
	}
	has := func(names []string, suffix string) bool {
		for _, n := range names {
			if strings.HasSuffix(n, suffix) {
				return true
			}
		}
		return false
	}
	const checkpoint, checksum, compacted = "6.checkpoint.parquet", "6.crc", "3.00000000000000000005.compacted.json"
	for _, c := range []struct {
		name                            string
		opts                            []sluice.Option
		checkpoint, checksum, compacted bool
		says                            string
	}{
		{"none", nil, true, true, false, `"engineInfo":"sluice/`},
		{"WithoutCheckpoints", []sluice.Option{sluice.WithoutCheckpoints()}, false, true, false, ""},
		{"WithoutChecksums", []sluice.Option{sluice.WithoutChecksums()}, true, false, false, ""},
		{"WithLogCompaction", []sluice.Option{sluice.WithLogCompaction(3)}, true, true, true, ""},
		{"WithEngineInfo", []sluice.Option{sluice.WithEngineInfo("loader/7")}, true, true, false, `"engineInfo":"loader/7"`},
		{"WithUserName", []sluice.Option{sluice.WithUserName("ada")}, true, true, false, `"userName":"ada"`},
	} {
		t.Run(c.name, func(t *testing.T) {
			last, names := files(t, c.opts...)
			for suffix, want := range map[string]bool{checkpoint: c.checkpoint, checksum: c.checksum, compacted: c.compacted} {
				if has(names, suffix) != want {
					t.Errorf("a file *%s: %v, want %v: %v", suffix, !want, want, names)
				}
			}
			if !strings.Contains(last, c.says) {
				t.Errorf("the commit says %s, want %s", last, c.says)
			}
		})
	}
}

// TestMaxAttempts: a commit gives up when others are faster too often.
func TestMaxAttempts(t *testing.T) {
	ctx, dir := t.Context(), t.TempDir()
	people(ctx, dir).Close()
	table, err := sluice.Open(ctx, dir, sluice.WithMaxAttempts(1))
	if err != nil {
		t.Fatal(err)
	}
	defer table.Close()
	faster := func(context.Context) error { // another engine
		return os.WriteFile(filepath.Join(dir, "_delta_log", "00000000000000000002.json"), []byte(`{"commitInfo":{"timestamp":1,"operation":"Manual Update"}}`), 0o644)
	}
	o := sluice.AppendOptions{CommitOptions: sluice.CommitOptions{BeforePublish: faster}}
	if _, err := table.Append(ctx, rows(ctx, `{"user_id":"6","name":"Fay","country":"UK"}`), o); sluice.ErrorClass(err) != "DELTA_MAX_COMMIT_RETRIES_EXCEEDED" {
		t.Errorf("one attempt, lost: %v", err)
	}
}

// TestActive: the transaction of a context is that of the table it was begun on.
func TestActive(t *testing.T) {
	ctx := t.Context()
	if tx := sluice.Active(ctx); tx != nil {
		t.Errorf("active without a transaction: %v", tx.ID())
	}
	table := people(ctx, t.TempDir())
	defer table.Close()
	err := table.Log().WithNewTransaction(ctx, func(ctx context.Context, tx *sluice.Txn) error {
		if a := sluice.Active(ctx); a == nil || a.ID() != tx.ID() {
			t.Errorf("active in the transaction: %v", a)
		}
		if err := table.Log().WithNewTransaction(ctx, nil); !errors.Is(err, sluice.ErrActiveTransaction) {
			t.Errorf("a transaction inside of another: %v", err)
		}
		return nil
	})
	if err != nil {
		t.Error(err)
	}
}
