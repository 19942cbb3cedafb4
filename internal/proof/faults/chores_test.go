package faults

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"strings"

	"github.com/sluicelake/sluice/internal/proof/tablekit"
	"github.com/sluicelake/sluice/internal/table/feature"
	"github.com/sluicelake/sluice/internal/table/snapshot"
	"github.com/sluicelake/sluice/internal/table/txn"
	"github.com/sluicelake/sluice/internal/verbs/alter"
	"github.com/sluicelake/sluice/internal/verbs/checkpoint"
	"github.com/sluicelake/sluice/internal/verbs/clone"
	"github.com/sluicelake/sluice/internal/verbs/convert"
	"github.com/sluicelake/sluice/internal/verbs/create"
	"github.com/sluicelake/sluice/internal/verbs/manifest"
	"github.com/sluicelake/sluice/internal/verbs/merge"
	"github.com/sluicelake/sluice/internal/verbs/optimize"
	"github.com/sluicelake/sluice/internal/verbs/repair"
	"github.com/sluicelake/sluice/internal/verbs/restore"
	"github.com/sluicelake/sluice/internal/verbs/vacuum"
	"github.com/sluicelake/sluice/storage"
)

// chores are the upkeep verbs.
func chores() (out []chore) {
	tracked := map[string]string{"delta.enableRowTracking": "true"}
	out = append(out,
		packing("optimize, several commits", []string{"p"}, tracked, optimize.Spec{CommitBytes: 1, DeletedRatio: -1}),
		packing("optimize, copies", nil, tablekit.WithoutVectors(), optimize.Spec{}),
		packing("zorder", nil, tracked, optimize.Spec{ZOrderBy: []string{"v", "k"}}),
		packing("clustered", nil, tracked, optimize.Spec{}),
		packing("purge", []string{"p"}, tracked, optimize.Spec{Purge: true}),
		sweeping("vacuum", vacuum.Spec{}), sweeping("vacuum, lite", vacuum.Spec{Lite: true}),
	)
	for kind, o := range map[string]snapshot.CheckpointOptions{"classic": {Kind: snapshot.Classic}, "multi-part": {Kind: snapshot.MultiPart, Parts: 2}, "v2": {Kind: snapshot.V2, Sidecar: 2}} {
		out = append(out, pointing(kind, o))
	}
	slices.SortFunc(out, func(a, b chore) int { return strings.Compare(a.name, b.name) })
	return append(out, compacting(), cleaning(), restoring(), copying(true), copying(false), converting(), listing(),
		dropping(false), dropping(true), filling(), repairing())
}

// packing is OPTIMIZE and REORG.
func packing(name string, parts []string, props map[string]string, spec optimize.Spec) chore {
	c := chore{name: name, spec: tablekit.Spec{PartitionBy: parts, Properties: props}}
	c.prepare = func(ctx context.Context, s *site) error {
		if name == "clustered" {
			if _, err := alter.Run(ctx, s.Log, alter.ClusterBy{Columns: [][]string{{"k"}, {"v"}}}, alter.Options{}); err != nil {
				return err
			}
		}
		if err := s.change(ctx, "DELETE FROM t WHERE k IN (2, 4)"); err != nil || props["delta.enableRowTracking"] == "" {
			return err
		}
		ids, err := s.identities(ctx)
		s.extra["ids"] = strings.Join(ids, "\n")
		return err
	}
	c.run = func(ctx context.Context, l *txn.Log, _ *site) error {
		_, err := optimize.Run(ctx, l, spec, optimize.Options{})
		return err
	}
	c.done = func(ctx context.Context, s *site) error {
		n, err := s.newest(ctx)
		if err != nil {
			return err
		}
		if spec.Purge {
			return left("deletion vectors", n.NumDeletionVectors())
		}
		if want := max(1, 2*len(parts)); n.NumFiles() != want {
			return fmt.Errorf("there are %d files, not %d", n.NumFiles(), want)
		}
		if was, ok := s.extra["ids"]; ok {
			ids, err := s.identities(ctx)
			if now := strings.Join(ids, "\n"); err != nil || now != was {
				return fmt.Errorf("the row ids are\n%s\nand were\n%s (%v)", now, was, err)
			}
		}
		return nil
	}
	return c
}

// old gives the table a past: files that are removed for long, and one that is not.
func old(ctx context.Context, s *site) error {
	for _, text := range []string{"UPDATE t SET v = v + 1 WHERE k < 5", "DELETE FROM t WHERE k = 7"} {
		if err := s.change(ctx, text); err != nil {
			return err
		}
	}
	if err := s.Bucket.Put(ctx, "part-of-nobody.parquet", []byte("x")); err != nil {
		return err
	}
	n, err := s.newest(ctx)
	if err != nil {
		return err
	}
	s.oldest = n.Version()
	s.pass(20 * day)
	return s.change(ctx, "UPDATE t SET v = 0 WHERE k = 8")
}

func sweeping(name string, spec vacuum.Spec) chore {
	return chore{name: name, spec: tablekit.Spec{PartitionBy: []string{"p"}, Properties: tablekit.WithoutVectors()}, prepare: old,
		run: func(ctx context.Context, l *txn.Log, _ *site) error {
			_, err := vacuum.Run(ctx, l, spec, vacuum.Options{})
			return err
		},
		done: func(ctx context.Context, s *site) error {
			dry := spec
			dry.DryRun = true
			l := txn.NewLog(s.env(), s.Bucket, quiet)
			defer l.Close(ctx)
			res, err := vacuum.Run(ctx, l, dry, vacuum.Options{})
			if err != nil {
				return err
			}
			keys, err := s.Objects(ctx)
			if err == nil && contains(keys, "of-nobody") == !spec.Lite {
				err = errors.New("the file of nobody is wrong")
			}
			return errors.Join(err, left("files to delete", int(res.Found)))
		}}
}

func pointing(kind string, o snapshot.CheckpointOptions) chore {
	c := chore{name: "checkpoint, " + kind, spec: tablekit.Spec{Properties: map[string]string{"delta.checkpointInterval": "1000"}}}
	if o.Kind == snapshot.V2 {
		c.spec.Properties["delta.checkpointPolicy"] = "v2"
		c.prepare = func(ctx context.Context, s *site) error { // sidecars to use again
			if _, err := checkpoint.Run(ctx, s.Log, checkpoint.Spec{Options: o}); err != nil {
				return err
			}
			return s.Append(ctx, `{"k":9,"p":"c","v":1}`)
		}
	}
	c.run = func(ctx context.Context, l *txn.Log, _ *site) error {
		_, err := checkpoint.Run(ctx, l, checkpoint.Spec{Options: o})
		return err
	}
	c.done = func(ctx context.Context, s *site) error {
		// The commits are not needed any more.
		n, err := s.newest(ctx)
		if err != nil {
			return err
		}
		from, to, err := snapshot.Uncovered(ctx, s.Bucket)
		if err == nil && from <= to {
			err = fmt.Errorf("versions %d to %d of %d have no checkpoint", from, to, n.Version())
		}
		return err
	}
	return c
}

func compacting() chore {
	return chore{name: "compact log", run: func(ctx context.Context, l *txn.Log, _ *site) error {
		_, err := checkpoint.Compact(ctx, l, checkpoint.CompactSpec{})
		return err
	}, done: func(ctx context.Context, s *site) error {
		keys, err := s.Objects(ctx)
		if err == nil && !contains(keys, ".compacted.json") {
			err = errNothing
		}
		return err
	}}
}

func cleaning() chore {
	return chore{name: "clean log", spec: tablekit.Spec{Properties: map[string]string{"delta.checkpointPolicy": "v2", "delta.checkpointInterval": "1000"}},
		prepare: func(ctx context.Context, s *site) error {
			for range 2 {
				if _, err := checkpoint.Run(ctx, s.Log, checkpoint.Spec{}); err != nil {
					return err
				}
				if err := s.Append(ctx, `{"k":9,"p":"c","v":1}`); err != nil {
					return err
				}
			}
			n, err := s.newest(ctx)
			if err != nil {
				return err
			}
			s.oldest = n.Version()
			s.pass(60 * day)
			if _, err := checkpoint.Run(ctx, s.Log, checkpoint.Spec{}); err != nil {
				return err
			}
			return s.Append(ctx, `{"k":10,"p":"c","v":1}`)
		},
		run: func(ctx context.Context, l *txn.Log, _ *site) error {
			s, err := l.Update(ctx)
			if err == nil {
				_, err = l.CleanLog(ctx, s, snapshot.CleanOptions{})
			}
			return err
		},
		done: func(ctx context.Context, s *site) error {
			keys, err := s.Objects(ctx)
			if err == nil && contains(keys, "00000000000000000000.json") {
				err = errNothing
			}
			return err
		}}
}

func restoring() chore {
	return chore{name: "restore", prepare: func(ctx context.Context, s *site) error {
		if err := s.change(ctx, "UPDATE t SET v = v + 1 WHERE k < 5"); err != nil {
			return err
		}
		return s.change(ctx, "DELETE FROM t WHERE k > 6")
	}, run: func(ctx context.Context, l *txn.Log, _ *site) error {
		_, err := restore.Run(ctx, l, restore.Spec{To: snapshot.Version(3)}, txn.Options{})
		return err
	}, rows: func(s *site) []string { return s.history[3] },
		done: func(context.Context, *site) error { return nil }}
}

// copying is CLONE to the other place.
func copying(deep bool) chore {
	return chore{name: fmt.Sprintf("clone, deep %t", deep), apart: true, spec: tablekit.Spec{PartitionBy: []string{"p"}},
		prepare: func(ctx context.Context, s *site) error { return s.change(ctx, "DELETE FROM t WHERE k IN (2, 4)") },
		run: func(ctx context.Context, l *txn.Log, s *site) error {
			from, err := snapshot.Load(ctx, s.env(), storage.NewBucket(s.up), snapshot.Latest())
			if err != nil {
				return err
			}
			_, err = clone.Run(ctx, l, clone.Spec{Source: from, Deep: deep}, txn.Options{})
			var there *create.ExistsError
			if errors.As(err, &there) { // the first run has made it
				return nil
			}
			return err
		},
		done: func(ctx context.Context, s *site) error {
			n, err := snapshot.Load(ctx, s.env(), storage.NewBucket(s.other), snapshot.Latest())
			if err != nil {
				return err
			}
			got, err := tablekit.Rows(ctx, n)
			if want, _ := s.read(ctx, snapshot.Latest()); err == nil && !slices.Equal(got, want) {
				err = fmt.Errorf("the clone has %v, not %v", got, want)
			}
			return err
		}}
}

// converting makes a table of a copy of the files that has no log.
func converting() chore {
	return chore{name: "convert", apart: true, spec: tablekit.Spec{PartitionBy: []string{"p"}},
		prepare: func(ctx context.Context, s *site) error {
			keys, err := s.Objects(ctx)
			if err != nil {
				return err
			}
			for _, k := range keys {
				if strings.HasSuffix(k, ".parquet") && strings.HasPrefix(k, "p=") {
					data, _, err := s.Bucket.Get(ctx, k)
					if err == nil {
						err = storage.NewBucket(s.other).Put(ctx, k, data)
					}
					if err != nil {
						return err
					}
				}
			}
			return nil
		},
		run: func(ctx context.Context, l *txn.Log, _ *site) error {
			_, err := convert.Run(ctx, l, convert.Spec{InferPartitions: true}, txn.Options{})
			return err
		},
		done: func(ctx context.Context, s *site) error {
			n, err := snapshot.Load(ctx, s.env(), storage.NewBucket(s.other), snapshot.Latest())
			if err != nil {
				return err
			}
			got, err := tablekit.Rows(ctx, n)
			if want, _ := s.read(ctx, snapshot.Latest()); err == nil && len(got) != len(want) {
				err = fmt.Errorf("the table has %v, not %v", got, want)
			}
			return err
		}}
}

func listing() chore {
	return chore{name: "generate", spec: tablekit.Spec{PartitionBy: []string{"p"}, Properties: tablekit.WithoutVectors()},
		run: func(ctx context.Context, l *txn.Log, _ *site) error {
			s, err := l.Update(ctx)
			if err == nil {
				_, err = manifest.Generate(ctx, s)
			}
			return err
		},
		done: func(ctx context.Context, s *site) error {
			n, err := s.newest(ctx)
			if err != nil {
				return err
			}
			text := ""
			for _, p := range []string{"a", "b"} {
				data, _, err := s.Bucket.Get(ctx, manifest.Dir+"/p="+p+"/manifest")
				if err != nil {
					return err
				}
				text += string(data)
			}
			for _, path := range tablekit.Referenced(n) {
				if !strings.Contains(text, path) {
					return fmt.Errorf("%s is not listed", path)
				}
			}
			return nil
		}}
}

// dropping is DROP FEATURE deletionVectors.
func dropping(truncating bool) chore {
	return chore{name: fmt.Sprintf("drop feature, truncating %t", truncating),
		prepare: func(ctx context.Context, s *site) error {
			if err := s.change(ctx, "DELETE FROM t WHERE k IN (2, 4)"); err != nil || !truncating {
				return err
			}
			// The first try takes the traces away and is told to wait.
			var wait *merge.StatementError
			_, err := alter.Run(ctx, s.Log, alter.DropFeature{Name: "deletionVectors", TruncateHistory: true}, alter.Options{})
			if !errors.As(err, &wait) || wait.Class != "DELTA_FEATURE_DROP_WAIT_FOR_RETENTION_PERIOD" {
				return fmt.Errorf("the first try: %w", err)
			}
			s.pass(60 * day)
			if err := s.Append(ctx, `{"k":9,"p":"c","v":1}`); err != nil {
				return err
			}
			n, err := s.newest(ctx)
			s.oldest = n.Version()
			return err
		},
		run: func(ctx context.Context, l *txn.Log, _ *site) error {
			_, err := alter.Run(ctx, l, alter.DropFeature{Name: "deletionVectors", TruncateHistory: truncating}, alter.Options{})
			var no *merge.StatementError
			if errors.As(err, &no) && no.Class == "DELTA_FEATURE_DROP_FEATURE_NOT_PRESENT" {
				return nil // the first run has done it
			}
			return err
		},
		done: func(ctx context.Context, s *site) error {
			n, err := s.newest(ctx)
			if err == nil && feature.Supports(n.Protocol(), "deletionVectors") {
				err = errors.New("the table still has the feature")
			}
			if err == nil && feature.Supports(n.Protocol(), "checkpointProtection") == truncating {
				err = errors.New("checkpointProtection is wrong")
			}
			return err
		}}
}

// filling gives row ids to the files of a table.
func filling() chore {
	return chore{name: "row ids for old files",
		prepare: func(ctx context.Context, s *site) error { return s.change(ctx, "DELETE FROM t WHERE k = 1") },
		run: func(ctx context.Context, l *txn.Log, _ *site) error {
			_, err := alter.Run(ctx, l, alter.SetProperties{Properties: map[string]string{"delta.enableRowTracking": "true"}}, alter.Options{})
			return err
		},
		done: func(ctx context.Context, s *site) error {
			n, err := s.newest(ctx)
			if err != nil {
				return err
			}
			without := 0
			for i := range n.Files().All() {
				if n.Files().Add(i).BaseRowID == nil {
					without++
				}
			}
			if !feature.RowTracking(n.Metadata()) {
				return errNothing
			}
			ids, err := s.identities(ctx)
			seen := map[string]bool{}
			for _, line := range ids {
				_, id, _ := strings.Cut(line, `"id":`)
				id, _, _ = strings.Cut(id, ",")
				if seen[id] {
					return fmt.Errorf("the id %s is there twice", id)
				}
				seen[id] = true
			}
			return errors.Join(err, left("files without ids", without))
		}}
}

// repairing takes a file out whose data is gone.
func repairing() chore {
	return chore{name: "repair", broken: true,
		prepare: func(ctx context.Context, s *site) error {
			n, err := s.newest(ctx)
			if err != nil {
				return err
			}
			for i := range n.Files().All() {
				rows, err := tablekit.FileRows(ctx, n, n.Files().Add(i))
				if err != nil {
					return err
				}
				if strings.Contains(rows[0].Text, `"k":7`) {
					return s.Bucket.Delete(ctx, n.Files().Path(i))
				}
			}
			return errNothing
		},
		rows: func(s *site) []string { return s.history[2] },
		run: func(ctx context.Context, l *txn.Log, _ *site) error {
			_, err := repair.Run(ctx, l, repair.Spec{}, repair.Options{})
			return err
		},
		done: func(context.Context, *site) error { return nil }}
}
