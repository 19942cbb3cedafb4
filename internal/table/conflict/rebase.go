package conflict

import (
	"bytes"
	"encoding/json"
	"fmt"

	"github.com/sluicelake/sluice/action"
	"github.com/sluicelake/sluice/internal/format/colstats"
)

// rowTracking is the domain with the highest row id (PROTOCOL.md, Row Tracking).
const rowTracking = "delta.rowTracking"

// rebase is what of a transaction's own actions moves with each winner: row ids,
// commit versions, and the time in the commit.
type rebase struct {
	own    []map[string]json.RawMessage
	tracks bool
	mark   int64 // the highest row id of the table
	ict    *int64
}

type rowIDMark struct {
	Highest int64 `json:"rowIdHighWaterMark"`
}

// follow takes over the highest row id of a commit.
func (r *rebase) follow(d *action.DomainMetadata) {
	m := rowIDMark{Highest: r.mark}
	if d.Domain == rowTracking && json.Unmarshal([]byte(d.Configuration), &m) == nil {
		r.mark = m.Highest
	}
}

func (r *rebase) begin(f *Facts, own []json.RawMessage) error {
	for _, raw := range own {
		var a map[string]json.RawMessage
		if err := json.Unmarshal(raw, &a); err != nil {
			return fmt.Errorf("own: %w", err)
		}
		r.own = append(r.own, a)
	}
	r.adopt(f)
	return nil
}

// adopt looks at the features in force.
func (r *rebase) adopt(f *Facts) {
	r.tracks = false
	for _, name := range f.Protocol.WriterFeatures {
		r.tracks = r.tracks || name == "rowTracking"
	}
}

// behind fits the transaction behind one winner.
func (r *rebase) behind(f *Facts, w *Winner) {
	for _, a := range w.Actions {
		if d, ok := a.(*action.DomainMetadata); ok {
			r.follow(d)
		}
	}
	r.adopt(f)
	r.ict = nil
	if f.Metadata.Configuration["delta.enableInCommitTimestamps"] == "true" {
		if t := w.Info().InCommitTimestamp; t != nil {
			next := *t + 1
			r.ict = &next
		}
	}
}

// actions are those that the commit writes as the given version: with the
// reference's spelling, or with sluice's.
func (r *rebase) actions(version int64, m Mode) ([]json.RawMessage, error) {
	out := make([]json.RawMessage, 0, len(r.own)+1)
	high, given := r.mark, false
	for _, own := range r.own {
		entry := own
		for kind, raw := range own {
			body, err := r.fit(kind, raw, version, m, &high, &given)
			if err != nil {
				return nil, err
			}
			entry = map[string]json.RawMessage{kind: body}
		}
		text, err := marshal(entry)
		if err != nil {
			return nil, err
		}
		out = append(out, text)
	}
	if !given {
		return out, nil
	}
	mark := fmt.Sprintf(`{"rowIdHighWaterMark":%d}`, high)
	if m == Reference {
		mark = fmt.Sprintf(`{"rowIdHighWaterMark":%d,"domainName":%q}`, high, rowTracking)
	}
	text, err := marshal(map[string]any{"domainMetadata": map[string]any{"domain": rowTracking, "configuration": mark, "removed": false}})
	if m == Reference {
		return append([]json.RawMessage{text}, out...), err
	}
	return append(out, text), err
}

// fit gives one action its row ids and, in the reference's spelling, its empty tags.
func (r *rebase) fit(kind string, raw json.RawMessage, version int64, m Mode, high *int64, given *bool) (json.RawMessage, error) {
	if kind != "add" && kind != "remove" {
		return raw, nil
	}
	var body map[string]json.RawMessage
	if err := json.Unmarshal(raw, &body); err != nil {
		return nil, fmt.Errorf("own %s: %w", kind, err)
	}
	extended := kind == "add" || string(body["extendedFileMetadata"]) == "true"
	if _, ok := body["tags"]; !ok && extended && m == Reference {
		body["tags"] = json.RawMessage("{}")
	}
	if kind == "add" && r.tracks {
		if _, ok := body["baseRowId"]; !ok {
			var stats string
			_ = json.Unmarshal(body["stats"], &stats)
			rows, ok := colstats.NumRecords(stats)
			if !ok {
				return nil, fmt.Errorf("[DELTA_ROW_ID_ASSIGNMENT_WITHOUT_STATS] own add %s: the table tracks rows, and the file does not say how many it has", body["path"])
			}
			body["baseRowId"] = fmt.Appendf(nil, "%d", *high+1)
			*high, *given = *high+rows, true
		}
		if _, ok := body["defaultRowCommitVersion"]; !ok {
			body["defaultRowCommitVersion"] = fmt.Appendf(nil, "%d", version)
		}
	}
	return marshal(body)
}

// marshal writes JSON without the escapes for HTML.
func marshal(v any) (json.RawMessage, error) {
	var b bytes.Buffer
	enc := json.NewEncoder(&b)
	enc.SetEscapeHTML(false)
	err := enc.Encode(v)
	return bytes.TrimRight(b.Bytes(), "\n"), err
}
