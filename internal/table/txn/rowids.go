package txn

import (
	"encoding/json"
	"fmt"

	"github.com/sluicelake/sluice/action"
	"github.com/sluicelake/sluice/internal/format/colstats"
	"github.com/sluicelake/sluice/internal/table/feature"
)

// rowIDDomain keeps the highest row id that a table has given (PROTOCOL.md, Row
// Tracking).
const rowIDDomain = "delta.rowTracking"

type rowIDMark struct {
	Highest int64 `json:"rowIdHighWaterMark"`
}

// withRowIDs gives files that have no row ids yet the next ones of the table as
// it is before this version, and notes how far they go. The given actions do not
// change: the next attempt may start from another mark.
func (a *attempt) withRowIDs(actions []action.Action) ([]action.Action, error) {
	p, md := a.current(actions)
	if !feature.TracksRows(p, md) {
		return actions, nil
	}
	mark := rowIDMark{Highest: -1}
	if a.base != nil {
		if text, ok := a.base.Domain(rowIDDomain); ok {
			if err := json.Unmarshal([]byte(text), &mark); err != nil {
				return nil, fmt.Errorf("the domain %s of %s holds %q, which says no highest row id: %w", rowIDDomain, a.t.log.bucket.URL(), text, err)
			}
		}
	}
	out, version, given := append([]action.Action(nil), actions...), a.version()+1, false
	for i, act := range out {
		x, ok := act.(*action.Add)
		if !ok || x.BaseRowID != nil && x.DefaultRowCommitVersion != nil {
			continue
		}
		add := *x
		if add.BaseRowID == nil {
			rows, ok := colstats.NumRecords(add.Stats)
			if !ok {
				return nil, &InvalidError{Class: "DELTA_ROW_ID_ASSIGNMENT_WITHOUT_STATS", Table: a.t.log.bucket.URL(),
					Detail: fmt.Sprintf("the table tracks rows, and the file %s does not say how many it has (numRecords)", add.Path)}
			}
			first := mark.Highest + 1
			add.BaseRowID, given = &first, true
			mark.Highest += rows
		}
		if add.DefaultRowCommitVersion == nil {
			add.DefaultRowCommitVersion = &version
		}
		out[i] = &add
	}
	if !given {
		return out, nil
	}
	text, err := json.Marshal(mark)
	if err != nil {
		return nil, err
	}
	for i, act := range out {
		if d, ok := act.(*action.DomainMetadata); ok && d.Domain == rowIDDomain {
			out[i] = &action.DomainMetadata{Domain: rowIDDomain, Configuration: string(text)}
			return out, nil
		}
	}
	return append(out, &action.DomainMetadata{Domain: rowIDDomain, Configuration: string(text)}), nil
}
