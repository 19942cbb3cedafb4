package conflict

import (
	"bytes"
	"encoding/json"
	"fmt"
	"maps"
	"slices"
	"strconv"
	"strings"

	"github.com/sluicelake/sluice/action"
	"github.com/sluicelake/sluice/internal/table/feature"
	"github.com/sluicelake/sluice/types"
)

// rowTracking is the domain with the highest row id (PROTOCOL.md, Row Tracking),
// and rowTrackingFeature the feature that it belongs to.
const (
	rowTracking        = "delta.rowTracking"
	rowTrackingFeature = "rowTracking"
)

// body is the JSON of an action without its kind.
type body map[string]json.RawMessage

// own is an action that the transaction writes.
type own struct {
	kind string
	body body
	raw  json.RawMessage // when the action is no object that is ever changed
}

// rebase is a transaction's own actions as they move with each winner: row ids
// and commit versions, what a backfill leaves alone, versions of type changes,
// and the time in the commit.
type rebase struct {
	m     Mode
	list  []own
	read  int64 // the highest row id of the version that it stands on
	high  int64 // with its own files
	given bool  // its files, or a winner, made it write the highest row id
	ict   *int64
}

type rowIDMark struct {
	Highest int64 `json:"rowIdHighWaterMark"`
}

// markOf reads the highest row id of a commit.
func markOf(acts []action.Action) (int64, bool) {
	for _, a := range acts {
		var m rowIDMark
		if d, ok := a.(*action.DomainMetadata); ok && d.Domain == rowTracking && json.Unmarshal([]byte(d.Configuration), &m) == nil {
			return m.Highest, true
		}
	}
	return 0, false
}

// begin prepares the actions for the version behind the one that was read.
func (r *rebase) begin(f *Facts, list []json.RawMessage) error {
	for _, raw := range list {
		var entry map[string]json.RawMessage
		if err := json.Unmarshal(raw, &entry); err != nil {
			return fmt.Errorf("own: %w", err)
		}
		for kind, raw := range entry {
			o := own{kind: kind, raw: raw}
			if slices.Contains([]string{"add", "remove", "cdc", "metaData", "domainMetadata"}, kind) {
				if err := json.Unmarshal(raw, &o.body); err != nil {
					return fmt.Errorf("own %s: %w", kind, err)
				}
			}
			r.list = append(r.list, o)
		}
	}
	if r.m == Reference {
		if err := r.implied(f); err != nil {
			return err
		}
		rank := map[string]int{"metaData": -2, "protocol": -1}
		slices.SortStableFunc(r.list, func(a, b own) int { return rank[a.kind] - rank[b.kind] })
	}
	r.high = r.read
	if !tracks(f) {
		return nil
	}
	return r.rowIDs(f.Version+1, func(own) bool { return false })
}

// implied adds the protocol that new properties ask for; a transaction that also
// writes one itself is refused.
func (r *rebase) implied(f *Facts) error {
	md := lastOf[*action.Metadata](f.Actions)
	if md == nil {
		return nil
	}
	p, err := feature.ForMetadata(f.Protocol, md)
	if err != nil || p == nil || sameProtocol(p, f.Protocol) {
		return nil
	}
	if lastOf[*action.Protocol](f.Actions) != nil {
		return &Refused{Exception: "java.lang.AssertionError", Message: "the transaction writes a protocol, and its properties ask for another one"}
	}
	o, ok := ownOf(p)
	if ok {
		f.Actions, r.list = append(f.Actions, p), append(r.list, o)
	}
	return nil
}

// tracks reports whether files are given row ids.
func tracks(f *Facts) bool {
	p, md := f.protocol(), f.metadata()
	return p != nil && md != nil && feature.TracksRows(p, md)
}

// behind fits the transaction behind one winner, in the reference's order.
func (r *rebase) behind(f *Facts, w *Winner) error {
	r.domains(f, w)
	if supports(f.readProtocol(), rowTrackingFeature) || supports(f.protocol(), rowTrackingFeature) {
		r.backfill(f, w)
	}
	if tracks(f) {
		mark, ok := markOf(w.Actions)
		if !ok {
			mark = r.read
		}
		before := r.read
		r.read, r.high, r.given = mark, mark, true
		fresh := func(o own) bool { id, ok := o.number("baseRowId"); return ok && id > before }
		if err := r.rowIDs(w.Version+1, fresh); err != nil {
			return err
		}
		for _, o := range r.list {
			if v, ok := o.number("defaultRowCommitVersion"); o.kind == "add" && ok && v == w.Version {
				o.set("defaultRowCommitVersion", w.Version+1)
			}
		}
	}
	r.typeChanges(f, w)
	r.protection(f, w)
	r.time(f, w)
	return nil
}

// domains: a table that is replaced loses the clustering that a winner gave it.
func (r *rebase) domains(f *Facts, w *Winner) {
	if !strings.Contains(f.Operation, "REPLACE TABLE") {
		return
	}
	for _, a := range w.Actions {
		d, ok := a.(*action.DomainMetadata)
		if !ok || d.Domain != "delta.clustering" || d.Removed {
			continue
		}
		config, _ := json.Marshal(d.Configuration)
		r.list = append(r.list, own{kind: "domainMetadata", body: body{"domain": json.RawMessage(`"delta.clustering"`), "configuration": config, "removed": json.RawMessage("true")}})
	}
}

// typeChanges moves the version in the type changes that this transaction makes
// (the preview of type widening records it).
func (r *rebase) typeChanges(f *Facts, w *Winner) {
	p, md := f.protocol(), f.metadata()
	if md == nil || !strings.EqualFold(md.Configuration["delta.enableTypeWidening"], "true") || !supports(p, "typeWidening") && !supports(p, "typeWidening-preview") {
		return
	}
	for _, o := range r.list {
		schema, err := types.ParseSchema(o.text("schemaString"))
		if o.kind != "metaData" || err != nil {
			continue
		}
		text := types.JSON(schema)
		for _, end := range []string{",", "}"} {
			text = strings.ReplaceAll(text, fmt.Sprintf(`"tableVersion":%d%s`, w.Version, end), fmt.Sprintf(`"tableVersion":%d%s`, w.Version+1, end))
		}
		o.body["schemaString"], _ = marshal(text)
	}
}

// protection moves the version up to which checkpoints stay, when this transaction
// drops a feature that readers of older versions must know (PROTOCOL.md, Checkpoint
// Protection).
func (r *rebase) protection(f *Facts, w *Winner) {
	read, p := f.readProtocol(), f.protocol()
	if !supports(p, "checkpointProtection") || !slices.ContainsFunc(lostNames(read, p), func(name string) bool { return slices.Contains(read.ReaderFeatures, name) }) {
		return
	}
	for _, o := range r.list {
		config := map[string]string{}
		if o.kind != "metaData" || json.Unmarshal(o.body["configuration"], &config) != nil {
			continue
		}
		config["delta.requireCheckpointProtectionBeforeVersion"] = strconv.FormatInt(w.Version+1, 10)
		o.body["configuration"], _ = marshal(config)
	}
}

// time keeps in-commit timestamps increasing (PROTOCOL.md, In-Commit Timestamps).
// The clock of the transaction is not known: the winner's time decides.
func (r *rebase) time(f *Facts, w *Winner) {
	if md := f.metadata(); md == nil || !strings.EqualFold(md.Configuration["delta.enableInCommitTimestamps"], "true") {
		return
	}
	info := w.Info()
	if info.InCommitTimestamp == nil {
		return // the reference takes the time of the file, which a scenario does not have
	}
	next := *info.InCommitTimestamp + 1
	if r.ict == nil || *r.ict < next {
		r.ict = &next
	}
}

// text is a field that is a text, "" for another one.
func (o own) text(key string) string {
	var s string
	_ = json.Unmarshal(o.body[key], &s)
	return s
}

func (o own) number(key string) (int64, bool) {
	n, err := strconv.ParseInt(string(o.body[key]), 10, 64)
	return n, err == nil
}

func (o own) set(key string, n int64) { o.body[key] = strconv.AppendInt(nil, n, 10) }

// actions are those that the commit writes: with the reference's spelling, or with
// sluice's.
func (r *rebase) actions() ([]json.RawMessage, error) {
	out := make([]json.RawMessage, 0, len(r.list)+1)
	for _, o := range r.list {
		if r.given && o.kind == "domainMetadata" && o.text("domain") == rowTracking {
			continue // written anew
		}
		var value any = o.raw
		if o.body != nil {
			b := maps.Clone(o.body)
			if _, ok := b["tags"]; !ok && r.m == Reference && (o.kind == "add" || o.kind == "cdc" || o.kind == "remove" && string(b["extendedFileMetadata"]) == "true") {
				b["tags"] = json.RawMessage("{}")
			}
			value = b
		}
		text, err := marshal(map[string]any{o.kind: value})
		if err != nil {
			return nil, err
		}
		out = append(out, text)
	}
	if !r.given || r.m == Precise && r.high == r.read {
		return out, nil
	}
	mark := fmt.Sprintf(`{"rowIdHighWaterMark":%d}`, r.high)
	if r.m == Reference {
		mark = fmt.Sprintf(`{"rowIdHighWaterMark":%d,"domainName":%q}`, r.high, rowTracking)
	}
	text, err := marshal(map[string]any{"domainMetadata": map[string]any{"domain": rowTracking, "configuration": mark, "removed": false}})
	if r.m == Reference {
		return append([]json.RawMessage{text}, out...), err
	}
	return append(out, text), err
}

// marshal writes JSON without the escapes for HTML.
func marshal(v any) (json.RawMessage, error) {
	var b bytes.Buffer
	enc := json.NewEncoder(&b)
	enc.SetEscapeHTML(false)
	err := enc.Encode(v)
	return bytes.TrimRight(b.Bytes(), "\n"), err
}
