package insert

import (
	"context"
	"encoding/json"
	"strconv"
	"strings"

	"github.com/sluicelake/sluice/action"
	"github.com/sluicelake/sluice/internal/format/partition"
	"github.com/sluicelake/sluice/internal/logic/prune"
	"github.com/sluicelake/sluice/internal/rows/derive"
	"github.com/sluicelake/sluice/internal/rows/rewrite"
	"github.com/sluicelake/sluice/internal/table/conflict"
	"github.com/sluicelake/sluice/internal/table/snapshot"
	"github.com/sluicelake/sluice/internal/table/txn"
	"github.com/sluicelake/sluice/internal/verbs/merge"
	"github.com/sluicelake/sluice/types"
)

// work is an insert as the commit loop sees it.
type work struct {
	t       *txn.Txn
	o       Options
	at      *snapshot.Snapshot // as the statement would leave the schema
	live    *snapshot.Snapshot // whose live files an overwrite removes
	evolves *merge.Evolution   // nil when the schema stays
	ids     *derive.Identities // nil when no column is generated
	adds    []*action.Add
	extra   []action.Action
	rows    int64
	bytes   int64

	removed, removedBytes int64
}

// Written counts the bytes that were written; a commit has all of them.
func (w *work) Written() (all, superseded int64) { return w.bytes, 0 }

func (w *work) Depends() txn.Dependencies {
	d := txn.Dependencies{Repairable: true, Rebindable: true}
	if w.o.AppID != "" {
		d.Apps = map[string]int64{w.o.AppID: w.o.AppVersion}
	}
	if w.o.ReadsItself { // no repair computes what the source would give now
		d.Repairable, d.Whole = false, true
		d.Reads = []conflict.Read{{Clause: "source"}}
		return d
	}
	switch w.o.Mode {
	case Overwrite:
		d.Whole = true
		d.Reads = []conflict.Read{{Clause: "overwrite"}}
	case Dynamic:
		d.Whole = true
		hit, kinds := w.partitions(), w.at.PartitionSchema()
		d.Reads = []conflict.Read{{Clause: "dynamic partition overwrite", Keep: func(f prune.File) prune.Verdict {
			return prune.Verdict{Keep: hit[partitionOfFile(f, kinds)]}
		}}}
	}
	return d
}

// partitionOfFile spells the partition of a file so that equal partitions are
// equal text: engines write one value in several ways.
func partitionOfFile(f prune.File, kinds *types.Struct) string {
	var b strings.Builder
	for i, field := range kinds.Fields {
		value, null := f.Partition(i)
		if v, err := partition.Parse(value, field.Type); err == nil && !null {
			if text, isNull, err := partition.Format(v, field.Type); err == nil {
				value, null = text, isNull
			}
		}
		spell(&b, value, null)
	}
	return b.String()
}

// Repair follows the file set: an overwrite removes what is live now.
func (w *work) Repair(_ context.Context, v conflict.Verdict, at *snapshot.Snapshot) (txn.Repaired, error) {
	var err error
	w.live = at
	if w.at, err = w.evolves.On(at); err != nil {
		return txn.Repaired{}, err
	}
	return txn.Repaired{Dropped: len(v.Dropped) + len(v.Remarked), Computed: len(v.Added)}, nil
}

func (w *work) Effects(context.Context) (txn.Effects, error) {
	acts := append(w.evolves.With(w.at, w.ids).Actions(), w.extra...)
	w.removed, w.removedBytes = 0, 0
	if w.o.Mode != Append {
		var hit map[string]bool
		if w.o.Mode == Dynamic {
			hit = w.partitions()
		}
		now := w.t.Log().Env().Now().UnixMilli()
		files := w.live.Files()
		for i := range files.All() {
			a := files.Add(i)
			if hit != nil && !hit[w.partitionOf(a)] {
				continue
			}
			acts = append(acts, rewrite.RemoveOf(a, now))
			w.removed++
			w.removedBytes += a.Size
		}
	}
	for _, a := range w.adds {
		acts = append(acts, a)
	}
	if w.o.Rearranges {
		acts = merge.Rearranged(acts)
	}
	return txn.Effects{Actions: acts, Operation: w.operation(), Always: w.o.Mode == Overwrite}, nil
}

// partitions is the set of partitions that receive rows.
func (w *work) partitions() map[string]bool {
	out := map[string]bool{}
	for _, a := range w.adds {
		out[w.partitionOf(a)] = true
	}
	return out
}

// partitionOf is partitionOfFile for an add.
func (w *work) partitionOf(a *action.Add) string {
	return partitionOfFile(prune.FileOf(a, w.at.Schema(), w.at.PartitionColumns()), w.at.PartitionSchema())
}

func spell(b *strings.Builder, value string, null bool) {
	if null {
		b.WriteString("-;")
		return
	}
	b.WriteString(strconv.Quote(value) + ";")
}

func (w *work) operation() txn.Operation {
	text := func(s string) json.RawMessage { b, _ := json.Marshal(s); return b }
	mode := "Append"
	m := map[string]string{"numFiles": strconv.Itoa(len(w.adds)), "numOutputRows": strconv.FormatInt(w.rows, 10), "numOutputBytes": strconv.FormatInt(w.bytes, 10)}
	params := map[string]json.RawMessage{"partitionBy": merge.Encoded([]string{})}
	if w.o.Mode != Append {
		mode = "Overwrite"
		m["numRemovedFiles"], m["numRemovedBytes"] = strconv.FormatInt(w.removed, 10), strconv.FormatInt(w.removedBytes, 10)
	}
	if w.o.Mode == Dynamic {
		params["isDynamicPartitionOverwrite"] = json.RawMessage(`"true"`)
	}
	params["mode"] = text(mode)
	if w.o.OverwriteSchema {
		params["canOverwriteSchema"] = json.RawMessage("true")
		if w.o.PartitionBy != nil {
			params["partitionBy"] = merge.Encoded(w.o.PartitionBy)
		}
	}
	if w.o.MergeSchema {
		params["canMergeSchema"] = json.RawMessage("true")
	}
	return txn.Operation{Name: "WRITE", Parameters: params, Metrics: m, UserMetadata: w.o.UserMetadata, ChangesData: true}
}
