package conflict

import (
	"fmt"
	"maps"
	"slices"
	"strings"

	"github.com/sluicelake/sluice/action"
	"github.com/sluicelake/sluice/types"
)

// Check judges one winner. The facts must be those after the previous winner.
func Check(f *Facts, w *Winner, m Mode) Verdict {
	if m == Reference {
		return checkReference(f, w)
	}
	return checkPrecise(f, w)
}

func checkPrecise(f *Facts, w *Winner) Verdict {
	v := Verdict{Kind: Independent}
	for _, step := range []func(*Facts, *Winner, *Verdict){preciseProtocol, preciseMetadata, preciseApps, preciseDomains, preciseFiles} {
		step(f, w, &v)
		if v.Kind == Conflict || v.Kind == ReExecute {
			return v
		}
	}
	return v
}

// hit records evidence that rules out going on with the effects as they are:
// a statement runs again, a low-level transaction is told.
func (v *Verdict) hit(f *Facts, class string, e Evidence) {
	v.Evidence = append(v.Evidence, e)
	v.Class = class
	if f.Rebindable {
		v.Kind = ReExecute
	} else {
		v.Kind = Conflict
	}
}

func preciseProtocol(f *Facts, w *Winner, v *Verdict) {
	for _, a := range w.Actions {
		p, ok := a.(*action.Protocol)
		if !ok || sameProtocol(p, f.Protocol) {
			continue
		}
		own := slices.ContainsFunc(f.Actions, func(a action.Action) bool { _, is := a.(*action.Protocol); return is })
		lost := lostFeatures(f.Protocol, p)
		switch {
		case own:
			v.hit(f, ClassProtocol, Evidence{Kind: "protocol", Detail: "both change the protocol", Strength: ByName})
		case len(lost) > 0:
			v.hit(f, ClassProtocol, Evidence{Kind: "protocol", Detail: "the winner dropped " + strings.Join(lost, ", "), Strength: ByName})
		default:
			v.Protocol = p
		}
	}
}

func sameProtocol(a, b *action.Protocol) bool {
	if a == nil || b == nil {
		return a == b
	}
	return a.MinReaderVersion == b.MinReaderVersion && a.MinWriterVersion == b.MinWriterVersion &&
		sameSet(a.ReaderFeatures, b.ReaderFeatures) && sameSet(a.WriterFeatures, b.WriterFeatures)
}

func sameSet(a, b []string) bool {
	x, y := slices.Clone(a), slices.Clone(b)
	slices.Sort(x)
	slices.Sort(y)
	return slices.Equal(x, y)
}

// lostFeatures lists what the old protocol had and the new one has not.
func lostFeatures(before, after *action.Protocol) []string {
	if before == nil {
		return nil
	}
	var out []string
	for _, name := range before.WriterFeatures {
		if !slices.Contains(after.WriterFeatures, name) && after.MinWriterVersion >= 7 {
			out = append(out, name)
		}
	}
	if after.MinReaderVersion < before.MinReaderVersion || after.MinWriterVersion < before.MinWriterVersion {
		out = append(out, fmt.Sprintf("protocol version (%d,%d)", before.MinReaderVersion, before.MinWriterVersion))
	}
	return out
}

func preciseMetadata(f *Facts, w *Winner, v *Verdict) {
	for _, a := range w.Actions {
		md, ok := a.(*action.Metadata)
		if !ok {
			continue
		}
		if f.changesMetadata() {
			v.hit(f, ClassMetadata, Evidence{Kind: "metadata", Detail: "both change the metadata", Strength: ByName})
			continue
		}
		if why := unlikeMetadata(f, md); why != "" {
			v.hit(f, ClassMetadata, Evidence{Kind: "metadata", Detail: why, Strength: ByName})
			continue
		}
		v.Metadata = md
	}
}

// unlikeMetadata says what in the winner's metadata the transaction's effects
// may not survive; "" when they stay valid as they are.
func unlikeMetadata(f *Facts, md *action.Metadata) string {
	old := f.Metadata
	if old == nil {
		return "the table was created meanwhile"
	}
	if old.ID != md.ID {
		return "the table was replaced by another one"
	}
	if !slices.Equal(old.PartitionColumns, md.PartitionColumns) {
		return "the partition columns changed"
	}
	if old.SchemaString != md.SchemaString {
		a, err1 := types.ParseSchema(old.SchemaString)
		b, err2 := types.ParseSchema(md.SchemaString)
		if err1 != nil || err2 != nil || types.JSON(a) != types.JSON(b) {
			return "the schema changed"
		}
	}
	for key := range maps.Keys(merged(old.Configuration, md.Configuration)) {
		if old.Configuration[key] == md.Configuration[key] || !decidesData(key) {
			continue
		}
		return fmt.Sprintf("the property %s changed from %q to %q", key, old.Configuration[key], md.Configuration[key])
	}
	return ""
}

func merged(a, b map[string]string) map[string]string {
	out := maps.Clone(a)
	if out == nil {
		out = map[string]string{}
	}
	maps.Copy(out, b)
	return out
}

// decidesData tells the properties under which prepared data files may no
// longer be valid from those that only steer maintenance.
func decidesData(key string) bool {
	key = strings.ToLower(key)
	for _, prefix := range []string{"delta.constraints.", "delta.columnmapping.", "delta.appendonly", "delta.enablechangedatafeed",
		"delta.enablerowtracking", "delta.rowtracking", "delta.enabledeletionvectors", "delta.enableicebergcompat",
		"delta.enabletypewidening", "delta.isolationlevel", "delta.redirect", "delta.enablevariantshredding"} {
		if strings.HasPrefix(key, prefix) {
			return true
		}
	}
	return false
}

func preciseApps(f *Facts, w *Winner, v *Verdict) {
	for _, a := range w.Actions {
		t, ok := a.(*action.Txn)
		if !ok {
			continue
		}
		if _, read := f.ReadApps[t.AppID]; read {
			v.hit(f, ClassTransaction, Evidence{Kind: "application", Strength: ByName,
				Detail: fmt.Sprintf("application %q committed its version %d", t.AppID, t.Version)})
			continue
		}
		for _, own := range f.Actions {
			if o, ok := own.(*action.Txn); ok && o.AppID == t.AppID && o.Version <= t.Version {
				v.hit(f, ClassTransaction, Evidence{Kind: "application", Strength: ByName,
					Detail: fmt.Sprintf("application %q committed its version %d, this transaction carries %d", t.AppID, t.Version, o.Version)})
			}
		}
	}
}

func preciseDomains(f *Facts, w *Winner, v *Verdict) {
	for _, a := range w.Actions {
		d, ok := a.(*action.DomainMetadata)
		if !ok || d.Domain == "delta.rowTracking" {
			continue
		}
		for _, own := range f.Actions {
			if o, ok := own.(*action.DomainMetadata); ok && o.Domain == d.Domain {
				v.hit(f, ClassTransaction, Evidence{Kind: "domain", Strength: ByName,
					Detail: fmt.Sprintf("both write the metadata domain %q", d.Domain)})
			}
		}
	}
}
