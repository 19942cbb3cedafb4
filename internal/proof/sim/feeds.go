package sim

import (
	"context"
	"fmt"
	"slices"
	"strings"

	"github.com/apache/arrow-go/v18/arrow/array"

	"github.com/sluicelake/sluice/action"
	"github.com/sluicelake/sluice/internal/base/columns"
	"github.com/sluicelake/sluice/internal/format/deltalog"
	"github.com/sluicelake/sluice/internal/table/feature"
	"github.com/sluicelake/sluice/internal/table/snapshot"
	feed "github.com/sluicelake/sluice/internal/verbs/changes"
	"github.com/sluicelake/sluice/internal/verbs/read"
)

// feeds checks what tables keep beside their rows: the changes of every version
// lead from the rows before to those after, and no two rows have one id.
func (w *world) feeds(ctx context.Context, first int64, newest *snapshot.Snapshot, states map[int64][]row, extra bool) error {
	if feature.RowTracking(newest.Metadata()) {
		if err := rowIDs(ctx, newest); err != nil {
			return err
		}
	}
	if !feature.ChangeDataFeed(newest.Metadata()) || extra {
		return nil
	}
	for v := first + 1; v <= newest.Version(); v++ {
		rows := texts(states[v-1], false)
		p, err := feed.NewPlan(ctx, w.kit.Env, newest, feed.Spec{From: snapshot.Version(v), To: snapshot.Version(v)})
		if err != nil {
			return fmt.Errorf("changes of version %d: %w", v, err)
		}
		var gone, list []string
		n := len(p.Schema().Fields) - 3
		for b, err := range p.Rows(ctx) {
			if err != nil {
				return fmt.Errorf("changes of version %d: %w", v, err)
			}
			for i := range int(b.Record.NumRows()) {
				kind := columns.Value(b.Record.Column(n), i).(string)
				text := string(columns.AppendCanonicalRow(nil, b.Record.Columns()[:n], newest.Schema(), i))
				list = append(list, kind+" "+text)
				if kind == "delete" || kind == "update_preimage" {
					gone = append(gone, text)
				} else {
					rows = append(rows, text)
				}
			}
		}
		for _, text := range gone {
			i := slices.Index(rows, text)
			if i < 0 {
				return fmt.Errorf("the changes of version %d take away a row that was not there, %s:\n    %s", v, text, strings.Join(list, "\n    "))
			}
			rows = slices.Delete(rows, i, i+1)
		}
		slices.Sort(rows)
		if want := texts(states[v], false); !slices.Equal(rows, want) {
			return fmt.Errorf("the changes of version %d\n    %s\n  lead to\n    %s\n  and the version holds\n    %s", v, strings.Join(list, "\n    "),
				strings.Join(rows, "\n    "), strings.Join(want, "\n    "))
		}
	}
	return nil
}

func rowIDs(ctx context.Context, s *snapshot.Snapshot) error {
	seen := map[int64]bool{}
	return eachID(ctx, s, func(_ string, id, _ int64) error {
		if seen[id] {
			return fmt.Errorf("two rows of version %d have the id %d", s.Version(), id)
		}
		seen[id] = true
		return nil
	})
}

// identities are the rows of a version, with their ids and the versions that
// changed them last.
func identities(ctx context.Context, s *snapshot.Snapshot) (out []string, err error) {
	err = eachID(ctx, s, func(row string, id, at int64) error {
		out = append(out, fmt.Sprintf("%s id %d of version %d", row, id, at))
		return nil
	})
	slices.Sort(out)
	return out, err
}

// eachID yields the rows that have an id: those of files that a commit by hand
// added have none.
func eachID(ctx context.Context, s *snapshot.Snapshot, fn func(row string, id, at int64) error) error {
	names := []string{"_metadata.row_id", "_metadata.row_commit_version"}
	p, err := read.NewPlan(s, read.Spec{Columns: append(names, s.Schema().Names()...), Limit: -1})
	if err != nil {
		return err
	}
	for b, err := range p.Rows(ctx, s.Env()) {
		if err != nil {
			return err
		}
		ids, at := b.Column(0).(*array.Int64), b.Column(1).(*array.Int64)
		for i := range ids.Len() {
			if ids.IsNull(i) {
				continue
			}
			row := string(columns.AppendCanonicalRow(nil, b.Columns()[2:], s.Schema(), i))
			if err := fn(row, ids.Value(i), at.Value(i)); err != nil {
				return err
			}
		}
	}
	return nil
}

// changeFiles are the paths of change data files that a version's commit names.
func (w *world) changeFiles(ctx context.Context, version int64) (out []string, err error) {
	data, _, err := deltalog.ReadCommit(ctx, w.kit.Bucket, version)
	if err != nil {
		return nil, err
	}
	err = action.Scan(data, deltalog.CommitPath(version), &action.Handler{CDC: func(a *action.AddCDC) error {
		out = append(out, a.Path)
		return nil
	}})
	return out, err
}
