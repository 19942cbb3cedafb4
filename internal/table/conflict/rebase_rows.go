package conflict

import (
	"encoding/json"
	"fmt"
	"slices"

	"github.com/sluicelake/sluice/action"
	"github.com/sluicelake/sluice/internal/format/colstats"
)

// rowIDs gives ids to the files that have none, or whose ids are to be given
// anew, and the version to those that have none.
func (r *rebase) rowIDs(version int64, anew func(own) bool) error {
	for _, o := range r.list {
		if o.kind != "add" {
			continue
		}
		if _, ok := o.body["baseRowId"]; !ok || anew(o) {
			var stats string
			_ = json.Unmarshal(o.body["stats"], &stats)
			rows, ok := colstats.NumRecords(stats)
			if !ok {
				return &Refused{Class: "DELTA_ROW_ID_ASSIGNMENT_WITHOUT_STATS", SQLState: "22000", Exception: "org.apache.spark.sql.delta.DeltaIllegalStateException",
					Message: fmt.Sprintf("the table tracks rows, and the file %s does not say how many it has", o.body["path"])}
			}
			o.set("baseRowId", r.high+1)
			r.high, r.given = r.high+rows, true
		}
		if _, ok := o.body["defaultRowCommitVersion"]; !ok {
			o.set("defaultRowCommitVersion", version)
		}
	}
	return nil
}

// backfill takes over the row ids that a winner gave to files of this
// transaction, and leaves to the winner's commit the files that it touched, when
// this transaction gives or takes away row ids itself.
func (r *rebase) backfill(f *Facts, w *Winner) {
	touched, added := map[string]bool{}, map[string]*action.Add{}
	var bare []own
	for _, a := range w.Actions {
		switch x := a.(type) {
		case *action.Remove:
			touched[x.Path] = true
		case *action.Add:
			touched[x.Path], added[x.Path] = true, x
			if x.BaseRowID != nil || x.DefaultRowCommitVersion != nil {
				again := *x
				again.DataChange, again.BaseRowID, again.DefaultRowCommitVersion = false, nil, nil
				if o, ok := ownOf(&again); ok {
					bare = append(bare, o)
				}
			}
		}
	}
	drops := f.Operation == unbackfill || slices.Contains(lostNames(f.readProtocol(), f.protocol()), rowTrackingFeature)
	if f.Operation == backfill || drops {
		r.list = slices.DeleteFunc(r.list, func(o own) bool { return o.kind == "add" && touched[o.text("path")] })
	}
	if drops {
		r.list = append(r.list, bare...)
	}
	if w.Info().Operation != backfill {
		return
	}
	for _, o := range r.list {
		x := added[o.text("path")]
		if x == nil || o.kind != "add" && o.kind != "remove" {
			continue
		}
		for key, n := range map[string]*int64{"baseRowId": x.BaseRowID, "defaultRowCommitVersion": x.DefaultRowCommitVersion} {
			if delete(o.body, key); n != nil {
				o.set(key, *n)
			}
		}
	}
}

func ownOf(a action.Action) (own, bool) {
	var entry map[string]body
	text, err := action.Append(nil, a)
	if err != nil || json.Unmarshal(text, &entry) != nil {
		return own{}, false
	}
	for kind, b := range entry {
		return own{kind: kind, body: b}, true
	}
	return own{}, false
}
