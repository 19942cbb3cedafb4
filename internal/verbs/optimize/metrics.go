package optimize

import (
	"encoding/json"
	"slices"
	"strconv"

	"github.com/sluicelake/sluice/action"
	"github.com/sluicelake/sluice/internal/table/feature"
	"github.com/sluicelake/sluice/internal/table/txn"
	"github.com/sluicelake/sluice/internal/verbs/merge"
)

// Summary counts the files that commits replaced and those that they added.
type Summary struct {
	Removed, Added Totals
	Vectors        int64 // deletion vectors that are gone with their files
	Deleted        int64 // rows that these marked
	sizes          []int64
	removedSizes   []int64
}

func (s *Summary) removed(a *action.Add) {
	s.Removed.Files++
	s.Removed.Bytes += a.Size
	s.removedSizes = append(s.removedSizes, a.Size)
	if a.DeletionVector != nil {
		s.Vectors++
		s.Deleted += a.DeletionVector.Cardinality
	}
}

func (s *Summary) added(a *action.Add) {
	s.Added.Files++
	s.Added.Bytes += a.Size
	s.sizes = append(s.sizes, a.Size)
}

// plus joins the counts of two commits.
func (s *Summary) plus(o Summary) {
	s.Removed.Files += o.Removed.Files
	s.Removed.Bytes += o.Removed.Bytes
	s.Added.Files += o.Added.Files
	s.Added.Bytes += o.Added.Bytes
	s.Vectors += o.Vectors
	s.Deleted += o.Deleted
	s.sizes = append(s.sizes, o.sizes...)
	s.removedSizes = append(s.removedSizes, o.removedSizes...)
}

// Spread is the sizes of files in short.
type Spread struct{ Min, P25, P50, P75, Max int64 }

// AddedSizes are those of the files that were added.
func (s *Summary) AddedSizes() Spread { return spreadOf(s.sizes) }

// RemovedSizes are those of the files that were replaced.
func (s *Summary) RemovedSizes() Spread { return spreadOf(s.removedSizes) }

// spreadOf picks quantiles as the reference does: of n sizes in order, the one at
// a quarter, half and three quarters of n.
func spreadOf(sizes []int64) Spread {
	if len(sizes) == 0 {
		return Spread{}
	}
	in := slices.Sorted(slices.Values(sizes))
	n := len(in)
	return Spread{in[0], in[n/4], in[n/2], in[n*3/4], in[n-1]}
}

// operation describes the commit as the reference does.
func (w *work) operation() txn.Operation {
	list := []string{}
	if w.plan.Predicate != "" {
		list = append(list, w.plan.Predicate)
	}
	spec := w.plan.Spec
	op := txn.Operation{Name: "OPTIMIZE", UserMetadata: w.note}
	if spec.Purge {
		op.Name = "REORG"
		op.Parameters = map[string]json.RawMessage{"predicate": merge.Encoded(list), "applyPurge": json.RawMessage("true")}
	} else {
		zorder, cluster := []string{}, []string{}
		if s := w.sorted(); s != nil {
			if w.plan.Cubes == nil {
				zorder = s.Names
			} else {
				cluster = s.Names
			}
		}
		op.Parameters = map[string]json.RawMessage{"predicate": merge.Encoded(list), "zOrderBy": merge.Encoded(zorder), "clusterBy": merge.Encoded(cluster),
			"auto": truth(spec.Auto)}
		if len(cluster) > 0 {
			op.Parameters["isFull"] = truth(spec.Full)
		}
	}
	if feature.KeepsRowIDs(w.m.snap.Protocol(), w.m.snap.Metadata()) {
		op.Tags = map[string]string{"delta.rowTracking.preserved": "true"}
	}
	text := func(n int64) string { return strconv.FormatInt(n, 10) }
	size := w.sum.AddedSizes()
	op.Metrics = map[string]string{
		"numAddedFiles": text(w.sum.Added.Files), "numAddedBytes": text(w.sum.Added.Bytes),
		"numRemovedFiles": text(w.sum.Removed.Files), "numRemovedBytes": text(w.sum.Removed.Bytes),
		"numDeletionVectorsRemoved": text(w.sum.Vectors),
		"minFileSize":               text(size.Min), "p25FileSize": text(size.P25), "p50FileSize": text(size.P50), "p75FileSize": text(size.P75), "maxFileSize": text(size.Max),
	}
	return op
}

func truth(b bool) json.RawMessage { return json.RawMessage(strconv.FormatBool(b)) }

// sorted is the order of the plan's bins; nil when they are packed.
func (w *work) sorted() *Sort {
	if len(w.plan.Bins) == 0 {
		return nil
	}
	return w.plan.Bins[0].Sort
}
