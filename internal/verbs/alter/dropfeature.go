package alter

import (
	"context"
	"encoding/json"
	"slices"
	"strconv"
	"strings"

	"github.com/sluicelake/sluice/action"
	"github.com/sluicelake/sluice/internal/table/feature"
	"github.com/sluicelake/sluice/internal/table/snapshot"
	"github.com/sluicelake/sluice/internal/table/txn"
)

// DropFeature is DROP FEATURE: what the feature left in the newest version is
// removed, in commits of their own, and then the protocol is lowered.
//
// Older versions still have its traces. Without TruncateHistory checkpoints are
// made that readers without the feature can start from, and the table gets the
// feature checkpointProtection, which keeps them (PROTOCOL.md, Checkpoint
// Protection). With it, the older versions have to be gone first.
type DropFeature struct {
	Name            string
	TruncateHistory bool
}

// removal is how a feature goes away.
type removal struct {
	// readers says that readers of older versions must know the feature, so that
	// these need protection, or have to be gone.
	readers bool
	// needs truncation: the feature cannot go while older versions are there.
	truncated bool
	// refused says why the feature cannot go yet.
	refused func(s *snapshot.Snapshot) error
	// traces removes what the newest version has of the feature, and tells whether
	// there was anything.
	traces func(ctx context.Context, l *txn.Log, o Options) (bool, error)
	// used reports whether the newest version still makes use of the feature.
	used func(s *snapshot.Snapshot) bool
	// uses reports whether an action of an older version does.
	uses func(a action.Action) bool
}

// removals are the features that can be dropped.
var removals = map[string]removal{
	"deletionVectors": {readers: true, traces: removeVectors, uses: usesVectors, used: func(s *snapshot.Snapshot) bool {
		return s.NumDeletionVectors() > 0 || feature.DeletionVectorsEnabled(s.Protocol(), s.Metadata())
	}},
	"columnMapping": {readers: true, traces: func(ctx context.Context, l *txn.Log, o Options) (bool, error) { return removeMapping(ctx, l, o, false) },
		used: usedByMetadata(mapped), uses: usesByMetadata(mapped)},
	"typeWidening":         {readers: true, traces: removeTypeChanges, used: usedByMetadata(widened), uses: usesByMetadata(typesChanged)},
	"typeWidening-preview": {readers: true, traces: removeTypeChanges, used: usedByMetadata(widened), uses: usesByMetadata(typesChanged)},
	"v2Checkpoint": {readers: true, traces: changeBy(SetProperties{map[string]string{checkpointPolicyKey: "classic"}}, usedByMetadata(v2Checkpoints)),
		used: usedByMetadata(v2Checkpoints), uses: usesV2},
	"vacuumProtocolCheck":  {readers: true},
	"checkpointProtection": {truncated: true, traces: changeBy(UnsetProperties{Keys: []string{protectionKey}, IfExists: true}, nil)},

	"checkConstraints":    {refused: noConstraints},
	"inCommitTimestamp":   {traces: changeBy(noTimestamps{}, usedByMetadata(timestamped)), used: usedByMetadata(timestamped)},
	"changeDataFeed":      {traces: changeBy(SetProperties{map[string]string{changeFeedKey: "false"}}, usedByMetadata(feature.ChangeDataFeed)), used: usedByMetadata(feature.ChangeDataFeed)},
	"allowColumnDefaults": {traces: changeBy(noDefaults{}, usedByMetadata(defaulted)), used: usedByMetadata(defaulted)},
	"rowTracking":         {traces: removeRowTracking, used: usedByMetadata(feature.RowTracking)},
	"domainMetadata":      {traces: changeBy(noDomains{}, func(s *snapshot.Snapshot) bool { return len(s.Domains()) > 0 })},
	"clustering":          {traces: changeBy(ClusterBy{}, clustered), used: clustered},
	"materializePartitionColumns": {traces: changeBy(UnsetProperties{Keys: []string{materializeKey, partitionColumnsKey}, IfExists: true},
		usedByMetadata(materialized)), used: usedByMetadata(materialized)},
}

// check finds how the feature goes away, or why it does not.
func (c DropFeature) check(p *action.Protocol) (removal, error) {
	_, known := feature.Lookup(c.Name)
	r, removable := removals[c.Name]
	switch {
	case !known && feature.Known(c.Name):
		return r, refuse("DELTA_FEATURE_DROP_FEATURE_NOT_PRESENT", "the table does not have the feature %s", c.Name)
	case !known:
		return r, refuse("DELTA_FEATURE_DROP_UNSUPPORTED_CLIENT_FEATURE", "there is no table feature %s here that could be dropped", c.Name)
	case !feature.Supports(p, c.Name):
		return r, refuse("DELTA_FEATURE_DROP_FEATURE_NOT_PRESENT", "the table does not have the feature %s", c.Name)
	case !removable:
		return r, refuse("DELTA_FEATURE_DROP_NONREMOVABLE_FEATURE", "the feature %s cannot be dropped", c.Name)
	case c.TruncateHistory && !r.readers && !r.truncated:
		return r, refuse("DELTA_FEATURE_DROP_HISTORY_TRUNCATION_NOT_ALLOWED", "the feature %s leaves nothing in the history that readers must know: drop it without TRUNCATE HISTORY", c.Name)
	case !c.TruncateHistory && r.truncated:
		return r, refuse("DELTA_FEATURE_CAN_ONLY_DROP_CHECKPOINT_PROTECTION_WITH_HISTORY_TRUNCATION",
			"the feature %s protects the older versions of the table: it goes away with them, by DROP FEATURE %s TRUNCATE HISTORY", c.Name, c.Name)
	}
	for _, name := range feature.Names(p) {
		if f, _ := feature.Lookup(name); slices.Contains(f.Requires, c.Name) {
			return r, refuse("DELTA_FEATURE_DROP_DEPENDENT_FEATURE", "the feature %s needs %s: it has to be dropped first", name, c.Name)
		}
	}
	return r, nil
}

// emptyCommits is how many versions without the feature are put between the last
// use of a feature and its end, each with a checkpoint: as many as the reference
// makes, so that readers find one whatever became of the others.
const emptyCommits = 3

// prepare removes the traces.
func (c DropFeature) prepare(ctx context.Context, l *txn.Log, o Options) (*txn.Result, error) {
	s, err := l.Update(ctx)
	if err != nil {
		return nil, err
	}
	r, err := c.check(s.Protocol())
	if err == nil && r.refused != nil {
		err = r.refused(s)
	}
	if err != nil {
		return nil, err
	}
	var from int64
	if r.truncated { // the property that says so goes away with the traces
		from, _ = strconv.ParseInt(s.Metadata().Configuration[protectionKey], 10, 64)
	}
	o.Commit = txn.Options{}
	made := false
	if r.traces != nil && !r.truncated {
		if made, err = r.traces(ctx, l, o); err != nil {
			return nil, err
		}
	}
	switch {
	case r.truncated:
		if err := c.unprotected(ctx, l, from); err != nil {
			return nil, err
		}
		_, err = r.traces(ctx, l, o)
		return nil, err
	case !r.readers:
		return nil, nil
	case c.TruncateHistory:
		if err := barrier(ctx, l, o); err != nil {
			return nil, err
		}
		return nil, c.truncate(ctx, l, r, made)
	}
	for range emptyCommits {
		if err := barrier(ctx, l, o); err != nil {
			return nil, err
		}
	}
	return nil, nil
}

func (c DropFeature) apply(_ context.Context, d *draft) error {
	r, err := c.check(d.snap.Protocol())
	if err == nil && r.refused != nil {
		err = r.refused(d.snap)
	}
	if err != nil {
		return err
	}
	if r.used != nil && r.used(d.snap) {
		return c.again()
	}
	d.lowered = feature.Without(d.snap.Protocol(), c.Name)
	if r.readers && !c.TruncateHistory {
		d.lowered = feature.With(d.lowered, "checkpointProtection")
		d.protected = true
	}
	d.fits = func(s *snapshot.Snapshot) error {
		if r.used != nil && r.used(s) {
			return c.again()
		}
		return nil
	}
	if c.Name == "rowTracking" {
		for _, k := range rowTrackingTraces {
			delete(d.md.Configuration, k)
		}
		if x, ok := d.snap.Domains()[rowTrackingDomain]; ok {
			d.domains = append(d.domains, &action.DomainMetadata{Domain: rowTrackingDomain, Configuration: x.Configuration, Removed: true})
		}
	}
	truncate, _ := json.Marshal(c.TruncateHistory)
	d.describe("DROP FEATURE", map[string]json.RawMessage{"featureName": text(c.Name), "truncateHistory": truncate})
	return nil
}

// again is the answer when another writer used the feature meanwhile.
func (c DropFeature) again() error {
	return refuse("DELTA_FEATURE_DROP_CONFLICT_REVALIDATION_FAIL", "another writer used the feature %s while it was dropped: drop it again", c.Name)
}

// finish makes the checkpoint of the first version without the feature, which is
// the one that is protected.
func (c DropFeature) finish(ctx context.Context, s *snapshot.Snapshot) error {
	if !removals[c.Name].readers {
		return nil
	}
	return snapshot.WriteCheckpoint(ctx, s)
}

func noConstraints(s *snapshot.Snapshot) error {
	var names []string
	for k := range s.Metadata().Configuration {
		if name, ok := strings.CutPrefix(k, constraintPrefix); ok {
			names = append(names, name)
		}
	}
	if len(names) == 0 {
		return nil
	}
	slices.Sort(names)
	return refuse("DELTA_CANNOT_DROP_CHECK_CONSTRAINT_FEATURE", "the table has the constraints %s: drop them first", strings.Join(names, ", "))
}
