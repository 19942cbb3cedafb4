package conflict

import (
	"slices"
	"strings"

	"github.com/sluicelake/sluice/action"
	"github.com/sluicelake/sluice/internal/table/feature"
)

// checkReference follows delta-spark's ConflictChecker check by check, in its order.
func checkReference(f *Facts, w *Winner) Verdict {
	v := Verdict{Kind: Independent}
	for _, step := range []func(*Facts, *Winner, *Verdict){
		refProtocol, refDrop, refMetadata, refDomains, refApps, refBackfill, refAdded, refDeletedRead, refDeletedDeleted,
	} {
		step(f, w, &v)
		if v.Kind == Conflict {
			return v
		}
	}
	return v
}

func (v *Verdict) fail(class string, e Evidence) {
	if v.Kind == Conflict {
		return
	}
	v.Kind, v.Class = Conflict, class
	v.Evidence = append(v.Evidence, e)
}

// refProtocol: a winner's protocol is adopted, unless this transaction writes one
// too, or the winner's has lost a feature of the version that was read.
func refProtocol(f *Facts, w *Winner, v *Verdict) {
	p := lastOf[*action.Protocol](w.Actions)
	if p == nil {
		return
	}
	for _, name := range feature.Names(p) {
		if !feature.Known(name) {
			class := "DELTA_UNSUPPORTED_FEATURES_FOR_WRITE"
			if slices.Contains(p.ReaderFeatures, name) {
				class = "DELTA_UNSUPPORTED_FEATURES_FOR_READ"
			}
			v.fail(class, Evidence{Kind: "protocol", Detail: "the winner added the feature " + name + ", which nobody knows", Strength: ByName})
		}
	}
	if lastOf[*action.Protocol](f.Actions) != nil {
		v.fail(ClassProtocol, Evidence{Kind: "protocol", Detail: "both change the protocol", Strength: ByName})
	}
	if lost := lostFeatures(f.readProtocol(), p); len(lost) > 0 {
		v.fail(ClassProtocol, Evidence{Kind: "protocol", Detail: "the winner dropped " + strings.Join(lost, ", "), Strength: ByName})
	}
	v.Protocol = p
}

// readProtocol is the protocol of the version that was read.
func (f *Facts) readProtocol() *action.Protocol {
	if f.ReadProtocol != nil {
		return f.ReadProtocol
	}
	return f.Protocol
}

// refDrop: a transaction that drops a feature is tried again on what the winner
// left; row tracking is taken off the winner's files instead.
func refDrop(f *Facts, _ *Winner, v *Verdict) {
	own := lastOf[*action.Protocol](f.Actions)
	if own == nil || f.Uses == nil {
		return
	}
	for _, name := range lostNames(f.readProtocol(), own) {
		if name != rowTrackingFeature && f.Uses(name) {
			v.fail(ClassDropFeature, Evidence{Kind: "protocol", Detail: "behind the winner the table uses " + name + ", which this transaction drops", Strength: ByName})
		}
	}
}

// adopted is the protocol in force: the winner's when it wrote one, else that of
// the transaction itself.
func adopted(f *Facts, v *Verdict) *action.Protocol {
	if v.Protocol != nil {
		return v.Protocol
	}
	return f.protocol()
}

// protocol is what the transaction commits under.
func (f *Facts) protocol() *action.Protocol {
	if own := lastOf[*action.Protocol](f.Actions); own != nil {
		return own
	}
	return f.Protocol
}

// metadata is what the transaction commits under.
func (f *Facts) metadata() *action.Metadata {
	if own := lastOf[*action.Metadata](f.Actions); own != nil {
		return own
	}
	return f.Metadata
}

// lastOf is the last action of a kind, nil when there is none.
func lastOf[T action.Action](acts []action.Action) (out T) {
	for _, a := range acts {
		if x, ok := a.(T); ok {
			out = x
		}
	}
	return out
}

// supports is feature.Supports for a protocol that may be missing.
func supports(p *action.Protocol, name string) bool { return p != nil && feature.Supports(p, name) }

// lostNames lists the features of one protocol that another one has not.
func lostNames(before, after *action.Protocol) []string {
	if before == nil || after == nil {
		return nil
	}
	return slices.DeleteFunc(feature.Names(before), func(name string) bool { return feature.Supports(after, name) })
}

// refDomains: one domain is written by one of two transactions that race. Row
// tracking's is united instead.
func refDomains(f *Facts, w *Winner, v *Verdict) {
	if !supports(adopted(f, v), "domainMetadata") {
		return
	}
	for _, a := range w.Actions {
		d, ok := a.(*action.DomainMetadata)
		if !ok || d.Domain == rowTracking {
			continue
		}
		for _, own := range f.Actions {
			if o, ok := own.(*action.DomainMetadata); ok && o.Domain == d.Domain {
				v.fail(ClassTransaction, Evidence{Kind: "domain", Detail: "both write the metadata domain " + d.Domain, Strength: ByName})
			}
		}
	}
}

// refApps: an application whose version was asked for has committed. The numbers
// are not compared.
func refApps(f *Facts, w *Winner, v *Verdict) {
	for _, a := range w.Actions {
		if t, ok := a.(*action.Txn); ok {
			if _, read := f.ReadApps[t.AppID]; read {
				v.fail(ClassTransaction, Evidence{Kind: "application", Detail: "application " + t.AppID + " committed", Strength: ByName})
			}
		}
	}
}

// The operations that give row ids to the files of a table that had none, and
// take them away again.
const (
	backfill   = "ROW TRACKING BACKFILL"
	unbackfill = "ROW TRACKING UNBACKFILL"
)

// moves reports whether an operation only writes row ids.
func moves(op string) bool { return op == backfill || op == unbackfill }

// refBackfill: row ids are not given and taken away at once.
func refBackfill(f *Facts, w *Winner, v *Verdict) {
	if f.Operation == unbackfill && w.Info().Operation == backfill && supports(adopted(f, v), rowTrackingFeature) {
		v.fail(ClassBackfill, Evidence{Kind: "protocol", Detail: "the winner gives row ids to the files that this transaction takes them from", Strength: ByName})
	}
}
