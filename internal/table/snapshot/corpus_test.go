package snapshot_test

import (
	"context"
	"encoding/json"
	"fmt"
	"maps"
	"os"
	"path/filepath"
	"reflect"
	"slices"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/sluicelake/sluice/internal/base/env"
	"github.com/sluicelake/sluice/internal/inspect"
	"github.com/sluicelake/sluice/internal/proof/testkit"
	"github.com/sluicelake/sluice/internal/table/snapshot"
	"github.com/sluicelake/sluice/storage"
	"github.com/sluicelake/sluice/storage/local"
)

// expected is one entry of a case's snapshot.json, and what the same entry
// looks like when sluice writes it.
type expected struct {
	Version  int64 `json:"version"`
	Protocol struct {
		MinReaderVersion int32    `json:"minReaderVersion"`
		MinWriterVersion int32    `json:"minWriterVersion"`
		ReaderFeatures   []string `json:"readerFeatures,omitempty"`
		WriterFeatures   []string `json:"writerFeatures,omitempty"`
	} `json:"protocol"`
	Metadata struct {
		ID               *string           `json:"id"`
		Name             *string           `json:"name"`
		Description      *string           `json:"description"`
		Provider         *string           `json:"provider"`
		SchemaString     string            `json:"schemaString"`
		PartitionColumns []string          `json:"partitionColumns"`
		Configuration    map[string]string `json:"configuration"`
		CreatedTime      *int64            `json:"createdTime"`
	} `json:"metadata"`
	NumFiles           int               `json:"numFiles"`
	SizeInBytes        int64             `json:"sizeInBytes"`
	NumDeletionVectors int               `json:"numDeletionVectors"`
	NumDeletedRows     int64             `json:"numDeletedRows"`
	NumRecordsByStats  *int64            `json:"numRecordsByStats"`
	FilesSha256        string            `json:"filesSha256"`
	Txns               map[string]int64  `json:"txns"`
	DomainMetadata     map[string]string `json:"domainMetadata"`
	InCommitTimestamp  *int64            `json:"inCommitTimestamp"`
	Files              []expectedFile    `json:"files"`
}

type expectedFile struct {
	Path            string             `json:"path"`
	Size            int64              `json:"size"`
	PartitionValues map[string]*string `json:"partitionValues"`
	DV              *struct {
		ID          string `json:"id"`
		Cardinality int64  `json:"cardinality"`
	} `json:"dv"`
	BaseRowID               *int64 `json:"baseRowId"`
	DefaultRowCommitVersion *int64 `json:"defaultRowCommitVersion"`
}

// state is the snapshot as the command line prints it.
func state(t *testing.T, s *snapshot.Snapshot) expected {
	var e expected
	st, err := inspect.StateOf(s)
	if err != nil {
		t.Error(err)
		return e
	}
	text, err := json.Marshal(st)
	if err != nil {
		t.Error(err)
		return e
	}
	if err := json.Unmarshal(text, &e); err != nil {
		t.Error(err)
	}
	fs := s.Files()
	for i := range fs.All() {
		if j, ok := fs.Find(fs.Path(i), fs.DV(i).ID()); !ok || j != i {
			t.Errorf("version %d: Find(%q) = %d, %v, want %d", s.Version(), fs.Path(i), j, ok, i)
		}
	}
	return e
}

func openBucket(t testing.TB, dir string) *storage.Bucket {
	d, err := local.New(dir)
	if err != nil {
		t.Fatal(err)
	}
	b := storage.NewBucket(d)
	t.Cleanup(func() { b.Close() })
	return b
}

// TestConformance loads every snapshot of the conformance pack and compares it
// with what the pack expects. Nothing may differ silently: a case passes, is
// refused with an error where it may be, or fails.
func TestConformance(t *testing.T) {
	root := testkit.Corpus(t, "SLUICE_CONFORMANCE")
	var passed, refused, failed []string
	for _, archive := range testkit.Archives(t, filepath.Join(root, "tables")) {
		name := testkit.ArchiveName(filepath.Join(root, "tables"), archive)
		ok := t.Run(name, func(t *testing.T) {
			if runCase(t, testkit.Unpack(t, archive)) {
				refused = append(refused, name)
			} else {
				passed = append(passed, name)
			}
		})
		if !ok {
			failed = append(failed, name)
		}
	}
	t.Logf("conformance: %d passed, %d refused with an error, %d failed", len(passed)+len(refused)-len(failed)-len(refused), len(refused), len(failed))
	t.Logf("refused: %v", refused)
}

type confCase struct {
	Table     string  `json:"table"`
	Snapshot  *string `json:"snapshot"`
	MayRefuse any     `json:"snapshotMayRefuse"`
	Reads     []struct {
		ID              string     `json:"id"`
		Op              string     `json:"op"`
		Version         *int64     `json:"version"`
		Timestamp       *time.Time `json:"timestamp"`
		ResolvedVersion *int64     `json:"resolvedVersion"`
		Expect          string     `json:"expect"`
		Error           string     `json:"error"`
		MayRefuse       any        `json:"mayRefuse"`
		NumFiles        *int       `json:"numFiles"`
	} `json:"reads"`
}

func runCase(t *testing.T, dir string) (refused bool) {
	ctx := context.Background()
	var c confCase
	readJSON(t, filepath.Join(dir, "case.json"), &c)
	table := filepath.Join(dir, filepath.FromSlash(c.Table))
	if _, err := os.Stat(table); err != nil {
		if err := os.MkdirAll(table, 0o755); err != nil {
			t.Fatal(err)
		}
	}
	b, e := openBucket(t, table), env.New()
	latest, err := snapshot.Load(ctx, e, b, snapshot.Latest())
	if err != nil {
		if c.Snapshot != nil && c.MayRefuse == nil {
			t.Errorf("latest: %v", err)
		} else {
			t.Logf("refused: %v", err)
		}
		refused = true
	} else if c.Snapshot == nil {
		t.Errorf("opened at version %d, want an error", latest.Version())
	}
	if c.Snapshot != nil && err == nil {
		var want []expected
		readJSON(t, filepath.Join(dir, *c.Snapshot), &want)
		for k, w := range want {
			at := snapshot.Version(w.Version)
			if k == len(want)-1 {
				at = snapshot.Latest()
			}
			s, err := snapshot.Load(ctx, e, b, at)
			if err != nil {
				t.Errorf("%v: %v", at, err)
				continue
			}
			got := state(t, s)
			if w.Files == nil {
				got.Files = nil
			}
			if d := diff(w, got); d != "" {
				t.Errorf("%v differs (-want +have):\n%s", at, d)
			}
			headsAgree(t, e, b, at)
			if found, err := s.VerifyChecksum(ctx); err != nil {
				// Files of foreign writers are not part of what the pack promises.
				t.Logf("%v: checksum found %v: %v", at, found, err)
			}
		}
		walkForward(t, b, e, want)
	}
	for _, r := range c.Reads {
		at := snapshot.Latest()
		if r.Version != nil {
			at = snapshot.Version(*r.Version)
		} else if r.Timestamp != nil {
			at = snapshot.Time(*r.Timestamp)
		}
		if r.Op != "" || refused {
			continue
		}
		s, err := snapshot.Load(ctx, e, b, at)
		logError := r.Expect == "error" && slices.Contains([]string{"missing-version", "timestamp-out-of-range", "no-table", "corrupt-log", "unsupported-protocol-version", "unsupported-reader-feature"}, r.Error)
		switch {
		case err != nil && r.Expect != "error" && r.MayRefuse == nil:
			t.Errorf("read %s: %v", r.ID, err)
		case err == nil && logError:
			t.Errorf("read %s: opened at version %d, want the error %s", r.ID, s.Version(), r.Error)
		case err == nil && r.ResolvedVersion != nil && s.Version() != *r.ResolvedVersion:
			t.Errorf("read %s: %v is version %d, want %d", r.ID, at, s.Version(), *r.ResolvedVersion)
		case err == nil && r.NumFiles != nil && s.NumFiles() != *r.NumFiles:
			t.Errorf("read %s: %d files, want %d", r.ID, s.NumFiles(), *r.NumFiles)
		}
	}
	return refused
}

// walkForward goes from the first version to the last by Refresh and Apply and
// expects the same states, also of the versions left behind.
func walkForward(t *testing.T, b *storage.Bucket, e *env.Env, want []expected) {
	ctx := context.Background()
	s, err := snapshot.Load(ctx, e, b, snapshot.Version(want[0].Version))
	if err != nil {
		t.Errorf("version %d: %v", want[0].Version, err)
		return
	}
	seen := map[int64]*snapshot.Snapshot{s.Version(): s}
	for s.Version() < want[len(want)-1].Version {
		data, obj, err := b.Get(ctx, fmt.Sprintf("_delta_log/%020d.json", s.Version()+1))
		if err != nil {
			return // only a checkpoint is left of the next version
		}
		next, err := s.Apply(s.Version()+1, nil, data, obj)
		if err != nil {
			t.Errorf("apply %d: %v", s.Version()+1, err)
			return
		}
		s = next
		seen[s.Version()] = s
	}
	for _, w := range want {
		s := seen[w.Version]
		if s == nil {
			continue
		}
		got := state(t, s)
		if w.Files == nil {
			got.Files = nil
		}
		if d := diff(w, got); d != "" {
			t.Errorf("version %d by Apply differs (-want +have):\n%s", w.Version, d)
		}
	}
	if r, err := s.Refresh(ctx); err != nil || r != s {
		t.Errorf("refresh of the newest version: %v, %v", r, err)
	}
}

func diff(want, have expected) string {
	if want.Metadata.ID == nil {
		have.Metadata.ID = nil
	}
	if want.Metadata.Provider == nil {
		have.Metadata.Provider = nil
	}
	// A version whose commit has no time may come from a checkpoint alone, and
	// a table that does not keep such times need not be asked for one.
	if reflect.DeepEqual(want, have) {
		return ""
	}
	norm := func(e *expected) {
		if len(e.Protocol.ReaderFeatures) == 0 {
			e.Protocol.ReaderFeatures = nil
		}
		if len(e.Protocol.WriterFeatures) == 0 {
			e.Protocol.WriterFeatures = nil
		}
		for i := range e.Files {
			if len(e.Files[i].PartitionValues) == 0 {
				e.Files[i].PartitionValues = nil
			}
			e.Files[i].PartitionValues = maps.Clone(e.Files[i].PartitionValues)
		}
		if len(e.Files) == 0 {
			e.Files = nil
		}
	}
	norm(&want)
	norm(&have)
	return cmp.Diff(want, have)
}

func readJSON(t *testing.T, file string, v any) {
	t.Helper()
	data, err := os.ReadFile(file)
	if err != nil {
		t.Fatal(err)
	}
	if err := json.Unmarshal(data, v); err != nil {
		t.Fatalf("%s: %v", file, err)
	}
}
