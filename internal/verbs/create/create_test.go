package create_test

import (
	"context"
	"errors"
	"strings"
	"sync"
	"testing"

	"github.com/sluicelake/sluice/internal/base/env"
	"github.com/sluicelake/sluice/internal/proof/tablekit"
	"github.com/sluicelake/sluice/internal/table/snapshot"
	"github.com/sluicelake/sluice/internal/table/txn"
	"github.com/sluicelake/sluice/internal/verbs/create"
	"github.com/sluicelake/sluice/storage"
	"github.com/sluicelake/sluice/types"
)

func spec(t *testing.T, ddl string) create.Spec {
	t.Helper()
	s, err := types.ParseDDL(ddl)
	if err != nil {
		t.Fatal(err)
	}
	return create.Spec{Schema: s}
}

func open(t *testing.T, d storage.Driver) *txn.Log {
	l := txn.NewLog(env.New(), storage.NewBucket(d), txn.Policy{})
	t.Cleanup(func() { l.Close(context.Background()) })
	return l
}

// TestOneCreates: of many at once one creates the table; the others find it, or
// are told.
func TestOneCreates(t *testing.T) {
	for _, ifNotExists := range []bool{true, false} {
		d := tablekit.Place()
		s := spec(t, "k INT NOT NULL COMMENT 'key', p STRING")
		s.IfNotExists, s.PartitionBy = ifNotExists, []string{"P"}
		const n = 8
		var all, prepared sync.WaitGroup
		prepared.Add(n)
		created := make([]bool, n)
		errs := make([]error, n)
		for i := range n {
			all.Go(func() {
				res, err := create.Run(t.Context(), open(t, d), s, txn.Options{BeforePublish: func(context.Context) error { prepared.Done(); prepared.Wait(); return nil }})
				created[i], errs[i] = res.Created, err
			})
		}
		all.Wait()
		creators, told := 0, 0
		for i := range n {
			var exists *create.ExistsError
			if created[i] {
				creators++
			}
			if errors.As(errs[i], &exists) {
				told++
			} else if errs[i] != nil {
				t.Error(errs[i])
			}
		}
		if creators != 1 || (told == n-1) == ifNotExists {
			t.Errorf("if not exists %t: %d created it, %d were told that it exists", ifNotExists, creators, told)
		}
		now, err := snapshot.Load(t.Context(), env.New(), storage.NewBucket(d), snapshot.Latest())
		if err != nil || now.Version() != 0 || now.PartitionColumns()[0] != "p" || now.Schema().Fields[0].Nullable {
			t.Errorf("%v %v", now, err)
		}
	}
}

func TestRefused(t *testing.T) {
	for _, c := range []struct {
		ddl   string
		parts []string
		props map[string]string
		want  string
	}{
		{"`a b` INT", nil, nil, "DELTA_INVALID_CHARACTERS_IN_COLUMN_NAMES"},
		{"a INT", []string{"b"}, nil, "DELTA_COLUMN_NOT_FOUND_IN_SCHEMA"},
		{"a INT", []string{"a"}, nil, "ALL_PARTITION_COLUMNS_NOT_ALLOWED"},
		{"a INT, b INT, c INT", []string{"a", "A"}, nil, "named twice"},
		{"a ARRAY<INT>, b INT", []string{"a"}, nil, "INVALID_PARTITION_COLUMN_DATA_TYPE"},
		{"a INT", nil, map[string]string{"delta.noSuchThing": "1"}, "delta.noSuchThing"},
		{"a INT", nil, map[string]string{"delta.appendOnly": "perhaps"}, "delta.appendOnly"},
	} {
		s := spec(t, c.ddl)
		s.PartitionBy, s.Properties = c.parts, c.props
		d := tablekit.Place()
		_, err := create.Run(t.Context(), open(t, d), s, txn.Options{})
		if err == nil || !strings.Contains(err.Error(), c.want) {
			t.Errorf("%s by %v %v: want %s: %v", c.ddl, c.parts, c.props, c.want, err)
		}
		if _, err := snapshot.Load(t.Context(), env.New(), storage.NewBucket(d), snapshot.Latest()); !errors.Is(err, snapshot.ErrNotTable) {
			t.Errorf("%s: something was created: %v", c.ddl, err)
		}
	}
	if _, err := create.Run(t.Context(), open(t, tablekit.Place()), create.Spec{}, txn.Options{}); err == nil || !strings.Contains(err.Error(), "DELTA_EMPTY_SCHEMA") {
		t.Errorf("no columns: %v", err)
	}
}
