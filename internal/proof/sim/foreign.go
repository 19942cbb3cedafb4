package sim

import (
	"context"
	"errors"
	"fmt"
	"maps"
	"math/rand/v2"
	"slices"

	"github.com/sluicelake/sluice/action"
	"github.com/sluicelake/sluice/internal/proof/tablekit"
	"github.com/sluicelake/sluice/internal/rows/rewrite"
	"github.com/sluicelake/sluice/internal/table/feature"
	"github.com/sluicelake/sluice/internal/table/snapshot"
	"github.com/sluicelake/sluice/storage"
	"github.com/sluicelake/sluice/types"
)

// foreign is a commit written by hand, with what it does to the rows.
type foreign struct {
	version int64
	text    string
	gone    []string // rows that it removes
	back    []string // rows that it brings back
	becomes bool     // gone and back are all rows of before and after
	extra   bool     // it adds the column x
}

// foreignKinds are the commits of other engines; each may turn out to be
// impossible on the table as it is.
var foreignKinds = []string{"optimize", "mark", "remove", "property", "restore", "restate", "vectors", "column"}

// winner publishes one commit of another engine; nil when there was nothing to do.
func (w *world) winner(ctx context.Context, r *rand.Rand, kind string) (*foreign, error) {
	for {
		s, err := w.kit.Snapshot(ctx, snapshot.Latest())
		if err != nil {
			return nil, err
		}
		f := &foreign{version: s.Version() + 1, text: kind}
		op, acts, err := w.foreignActions(ctx, r, kind, s, f)
		if err != nil || len(acts) == 0 {
			return nil, err
		}
		err = tablekit.Publish(ctx, w.kit.Bucket, f.version, op, acts...)
		if errors.Is(err, storage.ErrExist) { // a statement was faster
			w.excuse(acts)
			continue
		}
		return f, err
	}
}

// excuse notes the files of a commit by hand that lost its version.
func (w *world) excuse(acts []action.Action) {
	for _, act := range acts {
		if a, ok := act.(*action.Add); ok {
			w.excused = append(w.excused, tablekit.Needs(w.kit.Bucket, a)...)
		}
	}
}

func (w *world) foreignActions(ctx context.Context, r *rand.Rand, kind string, s *snapshot.Snapshot, f *foreign) (string, []action.Action, error) {
	files := s.Files()
	var adds []*action.Add
	for i := range files.All() {
		adds = append(adds, files.Add(i))
	}
	some := func() *action.Add { return adds[r.IntN(len(adds))] }
	switch kind {
	case "optimize":
		// This one gives its files no row ids, as an engine may that knows nothing of them.
		if len(adds) == 0 || slices.Contains(s.Protocol().WriterFeatures, "rowTracking") {
			return "", nil, nil
		}
		r.Shuffle(len(adds), func(i, j int) { adds[i], adds[j] = adds[j], adds[i] })
		acts, err := tablekit.Optimize(ctx, s, adds[:1+r.IntN(len(adds))]...)
		return "OPTIMIZE", acts, err
	case "mark":
		if len(adds) == 0 || !feature.DeletionVectorsEnabled(s.Protocol(), s.Metadata()) {
			return "", nil, nil
		}
		a := some()
		rows, err := tablekit.FileRows(ctx, s, a)
		if err != nil || len(rows) < 2 {
			return "", nil, err
		}
		var pos []int64
		for _, x := range rows {
			if r.IntN(2) == 0 && len(pos) < len(rows)-1 {
				pos = append(pos, x.Pos)
				f.gone = append(f.gone, x.Text)
			}
		}
		if len(pos) == 0 {
			return "", nil, nil
		}
		f.text = fmt.Sprintf("mark rows %v of %s", pos, a.Path)
		acts, err := tablekit.Mark(ctx, s, a, pos...)
		return "DELETE", acts, err
	case "remove":
		if len(adds) == 0 {
			return "", nil, nil
		}
		a := some()
		rows, err := tablekit.FileRows(ctx, s, a)
		if err != nil {
			return "", nil, err
		}
		for _, x := range rows {
			f.gone = append(f.gone, x.Text)
		}
		f.text = "remove " + a.Path
		return "DELETE", []action.Action{rewrite.RemoveOf(a, s.Env().Now().UnixMilli())}, nil
	case "property":
		md := *s.Metadata()
		md.Configuration = maps.Clone(md.Configuration)
		md.Configuration["team"] = fmt.Sprint(r.IntN(1000))
		return "SET TBLPROPERTIES", []action.Action{&md}, nil
	case "vectors":
		if !slices.Contains(s.Protocol().WriterFeatures, "deletionVectors") {
			return "", nil, nil
		}
		md := *s.Metadata()
		md.Configuration = maps.Clone(md.Configuration)
		on := md.Configuration["delta.enableDeletionVectors"] == "true"
		md.Configuration["delta.enableDeletionVectors"] = fmt.Sprint(!on)
		f.text = fmt.Sprintf("deletion vectors %t", !on)
		return "SET TBLPROPERTIES", []action.Action{&md}, nil
	case "restate":
		if len(adds) == 0 {
			return "", nil, nil
		}
		a := *some()
		a.DataChange = false
		a.Tags = map[string]string{"seen": "yes"}
		f.text = "restate " + a.Path
		return "COMPUTE STATS", []action.Action{&a}, nil
	case "column":
		if len(s.Schema().Fields) > 3 {
			return "", nil, nil
		}
		schema := types.NewStruct(append(slices.Clone(s.Schema().Fields), types.Field{Name: "x", Type: types.Integer, Nullable: true})...)
		md := *s.Metadata()
		md.SchemaString = types.JSON(schema)
		f.extra = true
		return "ADD COLUMNS", []action.Action{&md}, nil
	case "restore":
		to := w.oldest + r.Int64N(s.Version()-w.oldest+1)
		old, err := w.kit.Snapshot(ctx, snapshot.Version(to))
		if err != nil {
			return "", nil, err
		}
		if len(old.Schema().Fields) != len(s.Schema().Fields) || !feature.SameProtocol(old.Protocol(), s.Protocol()) {
			return "", nil, nil
		}
		acts := bringBack(s, old)
		if f.gone, err = tablekit.Rows(ctx, s); err != nil {
			return "", nil, err
		}
		if f.back, err = tablekit.Rows(ctx, old); err != nil {
			return "", nil, err
		}
		f.becomes = true
		f.text = fmt.Sprintf("restore to version %d", to)
		return "RESTORE", acts, nil
	}
	return "", nil, fmt.Errorf("no such winner: %s", kind)
}

// bringBack brings the files of an old version back.
func bringBack(s, old *snapshot.Snapshot) []action.Action {
	var acts []action.Action
	now, then := s.Files(), old.Files()
	for i := range now.All() {
		a := now.Add(i)
		if _, ok := then.Find(a.Path, a.DeletionVector.ID()); !ok {
			acts = append(acts, rewrite.RemoveOf(a, s.Env().Now().UnixMilli()))
		}
	}
	for i := range then.All() {
		a := then.Add(i)
		if _, ok := now.Find(a.Path, a.DeletionVector.ID()); !ok {
			a.DataChange = true
			acts = append(acts, a)
		}
	}
	return acts
}
