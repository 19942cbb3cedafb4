package races

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"strings"

	"github.com/sluicelake/sluice/action"
	"github.com/sluicelake/sluice/internal/base/env"
	"github.com/sluicelake/sluice/internal/base/prose"
	"github.com/sluicelake/sluice/internal/format/deltalog"
	"github.com/sluicelake/sluice/internal/logic/prune"
	"github.com/sluicelake/sluice/internal/table/conflict"
	"github.com/sluicelake/sluice/internal/table/snapshot"
	"github.com/sluicelake/sluice/storage"
)

// Collision is what would have become of two commits, had the second one read
// the table before the first one was there.
type Collision struct {
	Table  string `json:"table"`
	Winner Story  `json:"winner"`
	Loser  Story  `json:"loser"`
	// ReadVersion is what the second one is taken to have read.
	ReadVersion int64 `json:"readVersion"`
	// Concurrent says that it did read that: by its commitInfo.
	Concurrent bool `json:"concurrent"`
	// Reads are those of the second commit.
	Reads     []Reading      `json:"reads"`
	Reference ReferenceRules `json:"spark"`
	Sluice    SluiceRules    `json:"sluice"`
	Notes     []string       `json:"notes"`
}

// ReferenceRules is the verdict of delta-spark's rules.
type ReferenceRules struct {
	Conflict  bool                `json:"conflict"`
	Condition string              `json:"condition,omitempty"`
	Exception string              `json:"exception,omitempty"`
	Evidence  []conflict.Evidence `json:"evidence"`
	Reads     []Reading           `json:"reads"`
}

// SluiceRules is the answer of sluice.
type SluiceRules struct {
	Answer   string              `json:"answer"` // independent, repair, re-execute or conflict
	Evidence []conflict.Evidence `json:"evidence"`
	Why      string              `json:"why"`
}

// single are the operations that the reference tries once only (commitLarge).
var single = []string{"RESTORE", "CLONE", "CONVERT"}

// Versions compares two versions of a table.
func Versions(ctx context.Context, e *env.Env, b *storage.Bucket, x, y int64) (*Collision, error) {
	if x == y {
		return nil, fmt.Errorf("two different versions are compared; both are %d", x)
	}
	first, second := min(x, y), max(x, y)
	if first < 1 {
		return nil, fmt.Errorf("version %d made the table: nothing could run beside it; the first version that can lose a race is 1", first)
	}
	won, err := commitAt(ctx, b, first)
	if err != nil {
		return nil, err
	}
	lost, err := commitAt(ctx, b, second)
	if err != nil {
		return nil, err
	}
	at, err := snapshot.Load(ctx, e, b, snapshot.Version(first-1))
	if err != nil {
		return nil, fmt.Errorf("the table as both would have read it: %w", err)
	}
	c := &Collision{Table: b.URL(), Winner: won.story, Loser: lost.story, ReadVersion: first - 1, Notes: []string{}}
	if v := lost.story.ReadVersion; v != nil {
		c.Concurrent = *v < first
	}
	c.judge(at, won, lost)
	c.remarks(at, won, lost)
	return c, nil
}

// committed is a commit as it lies in the log.
type committed struct {
	story Story
	acts  []action.Action
}

// NoCommitError is a version without a commit file.
type NoCommitError struct{ Version int64 }

func (e *NoCommitError) Error() string {
	return fmt.Sprintf("there is no commit of version %d in the log", e.Version)
}

func commitAt(ctx context.Context, b *storage.Bucket, version int64) (*committed, error) {
	data, obj, err := deltalog.ReadCommit(ctx, b, version)
	if errors.Is(err, storage.ErrNotExist) {
		return nil, &NoCommitError{version}
	}
	if err != nil {
		return nil, fmt.Errorf("the commit of version %d: %w", version, err)
	}
	acts, err := action.ParseCommit(data, deltalog.CommitPath(version))
	if err != nil {
		return nil, err
	}
	return &committed{story: storyOf(version, obj.ModTime, acts), acts: acts}, nil
}

// judge asks both sets of rules.
func (c *Collision) judge(at *snapshot.Snapshot, won, lost *committed) {
	w := &conflict.Winner{Version: won.story.Version, Actions: won.acts}
	if won.story.Time != nil {
		w.Time = *won.story.Time
	}
	ref := readsOf(at, lost.acts, conflict.Reference)
	seen := addedBy(won.acts)
	f := factsOf(at, lost, seen, ref, conflict.Reference)
	v := conflict.Check(f, w, conflict.Reference)
	for _, op := range single {
		if strings.HasPrefix(lost.story.Operation, op) {
			v = conflict.Verdict{Kind: conflict.Conflict, Class: conflict.ClassWrite, Evidence: []conflict.Evidence{{Kind: "attempt", Strength: conflict.ByName,
				Detail: lost.story.Operation + " tries its version once: whoever is first wins"}}}
		}
	}
	c.Reference = ReferenceRules{Conflict: v.Kind == conflict.Conflict, Condition: v.Class, Exception: conflict.Exceptions[conflict.ClassName(v.Class)],
		Evidence: append([]conflict.Evidence{}, v.Evidence...), Reads: append([]Reading{}, ref.said...)}
	own := readsOf(at, lost.acts, conflict.Precise)
	f = factsOf(at, lost, seen, own, conflict.Precise)
	v = conflict.Check(f, w, conflict.Precise)
	c.Reads = append([]Reading{}, own.said...)
	c.Sluice = SluiceRules{Answer: v.Kind.String(), Evidence: append([]conflict.Evidence{}, v.Evidence...), Why: why(v, f)}
}

// addedBy are the files that a commit wrote.
func addedBy(acts []action.Action) map[string]bool {
	out := map[string]bool{}
	for _, a := range acts {
		if x, ok := a.(*action.Add); ok {
			out[x.Path] = true
		}
	}
	for _, a := range acts {
		if x, ok := a.(*action.Remove); ok {
			delete(out, x.Path) // it was there before
		}
	}
	return out
}

// factsOf states a commit as a transaction on the snapshot, which does not have
// the files in seen: what it did to those it would not have done.
func factsOf(at *snapshot.Snapshot, lost *committed, seen map[string]bool, r *reads, m conflict.Mode) *conflict.Facts {
	f := &conflict.Facts{Version: at.Version(), Protocol: at.Protocol(), Metadata: at.Metadata(), Schema: at.Schema(), PartitionColumns: at.PartitionColumns(),
		Reads: r.list, WholeTable: r.whole, ReadFiles: map[conflict.FileID]*action.Add{}, ReadApps: map[string]int64{},
		Operation: lost.story.Operation, Isolation: conflict.Serializable}
	changes := false
	for _, a := range lost.acts {
		switch x := a.(type) {
		case *action.CommitInfo:
			if x.IsolationLevel != nil {
				f.Isolation = conflict.Isolation(*x.IsolationLevel)
			}
			continue
		case *action.Txn:
			f.ReadApps[x.AppID] = x.Version - 1
		case *action.Add:
			changes = changes || x.DataChange
			if seen[x.Path] {
				continue
			}
		case *action.Remove:
			changes = changes || x.DataChange
			if seen[x.Path] {
				continue
			}
			f.ReadFiles[conflict.IDOfRemove(x)] = &action.Add{Path: x.Path, PartitionValues: x.PartitionValues}
		default:
			changes = true
		}
		f.Actions = append(f.Actions, a)
	}
	if !changes {
		f.Isolation = conflict.SnapshotIsolation
	}
	if m == conflict.Precise {
		f.Repairable, f.Rebindable = fits(lost.story.Operation)
		return f
	}
	if f.Operation == "OPTIMIZE" || f.Operation == "REORG" {
		return f // it tries again by itself as long as the files that it rewrites are there
	}
	for _, read := range r.list { // the reference counts every file that a scan keeps
		var p *prune.Pruner
		if read.Predicate != nil {
			p = prune.New(read.Predicate, at.Schema(), at.PartitionColumns())
		}
		files := at.Files()
		for i := range files.Select(p) {
			add := files.Add(i)
			f.ReadFiles[conflict.IDOf(add)] = add
		}
	}
	return f
}

// fits tells the statements that sluice can repair, and those that it can run
// again; a list of actions that a program made is neither.
func fits(op string) (repairable, rebindable bool) {
	switch op {
	case "", "Manual Update":
		return false, false
	}
	statements := []string{"MERGE", "UPDATE", "DELETE", "TRUNCATE", "WRITE", "STREAMING UPDATE", "OPTIMIZE", "REORG", "RESTORE", "ROW TRACKING BACKFILL"}
	return slices.Contains(statements, op), true
}

// why puts the answer in a sentence.
func why(v conflict.Verdict, f *conflict.Facts) string {
	switch v.Kind {
	case conflict.Independent:
		return "the winner changes nothing that it depends on: it only takes the next number"
	case conflict.Repair:
		var parts []string
		for _, p := range []struct {
			n    int
			what string
		}{{len(v.Dropped), "what came from %s is dropped"}, {len(v.Added), "%s of the winner's looked at"}, {len(v.Remarked), "%s thinned out by more deleted rows"}} {
			if p.n > 0 {
				parts = append(parts, fmt.Sprintf(p.what, prose.Plural(int64(p.n), "file")))
			}
		}
		return "it is fitted behind the winner: " + strings.Join(append(parts, "the rest of its work stays"), ", ")
	case conflict.ReExecute:
		return "the winner changed what it was bound to: it runs again on the new version, from the same source"
	}
	return "a list of actions made by a program cannot be fitted by anybody but that program"
}

// remarks says what a reader of the verdict has to know.
func (c *Collision) remarks(at *snapshot.Snapshot, won, lost *committed) {
	note := func(format string, args ...any) { c.Notes = append(c.Notes, fmt.Sprintf(format, args...)) }
	switch v := lost.story.ReadVersion; {
	case v == nil:
		note("version %d does not record what it read; it is taken to have read version %d", lost.story.Version, c.ReadVersion)
	case *v >= won.story.Version:
		note("they did not race: version %d had read version %d. The verdict is what a race would have given", lost.story.Version, *v)
	case *v != c.ReadVersion:
		note("version %d had read version %d; of what came before version %d nothing is said here", lost.story.Version, *v, won.story.Version)
	default:
		note("they did race: version %d had read version %d", lost.story.Version, *v)
	}
	added := addedBy(won.acts)
	for _, a := range lost.acts {
		if x, ok := a.(*action.Remove); ok && added[x.Path] {
			note("version %d rewrites %s, which version %d wrote: that part is left out of the verdict, since beside version %d it would not have seen that file", lost.story.Version, x.Path, won.story.Version, won.story.Version)
			break
		}
	}
	for _, r := range append(slices.Clone(c.Reads), c.Reference.Reads...) {
		if !r.Known {
			note("what %s selected is not recorded so that it can be understood; every row is taken to have been read", r.Clause)
			break
		}
	}
	if lost.story.Operation == "MERGE" && c.Sluice.Answer == "repair" {
		note("the keys of the MERGE's source are not recorded: with them, fewer files may have to be looked at")
	}
}
