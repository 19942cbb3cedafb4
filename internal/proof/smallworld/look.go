package smallworld

import (
	"context"
	"fmt"
	"regexp"
	"slices"
	"sort"
	"strings"

	"github.com/sluicelake/sluice/internal/base/columns"
	"github.com/sluicelake/sluice/internal/proof/tablekit"
	"github.com/sluicelake/sluice/internal/table/feature"
	"github.com/sluicelake/sluice/internal/table/snapshot"
	"github.com/sluicelake/sluice/internal/verbs/changes"
	"github.com/sluicelake/sluice/internal/verbs/read"
	"github.com/sluicelake/sluice/storage"
)

// view is what a reader sees of a table, and what it says about itself.
type view struct {
	snap    *snapshot.Snapshot
	version int64
	shape   string // schema, properties, protocol, applications
	rows    []string
	plain   []string         // rows without what may differ
	ids     map[int64]string // row id to row
	tagged  []string         // rows with their row ids
	blind   bool
}

// look opens a table freshly. Row ids that old has not are new ones.
func look(ctx context.Context, store storage.Driver, old *view) (*view, error) {
	s, err := snapshot.Load(ctx, newEnv(nil), storage.NewBucket(store), snapshot.Latest())
	if err != nil {
		return nil, err
	}
	v := &view{snap: s, version: s.Version(), ids: map[int64]string{}}
	if v.rows, err = tablekit.Rows(ctx, s); err != nil {
		return nil, err
	}
	if v.plain, err = numbered(v.rows); err != nil {
		return nil, fmt.Errorf("version %d: %w", v.version, err)
	}
	if info := s.CommitInfo(); info != nil && info.IsBlindAppend != nil { // it may be cleaned up
		v.blind = *info.IsBlindAppend
	}
	v.shape = shape(s)
	seen := map[string]bool{}
	for i := range s.Files().All() {
		a := s.Files().Add(i)
		if seen[a.Path] {
			return nil, fmt.Errorf("version %d: %s is live twice", v.version, a.Path)
		}
		seen[a.Path] = true
	}
	if feature.RowTracking(s.Metadata()) {
		return v, v.identify(ctx, old)
	}
	return v, nil
}

var number = regexp.MustCompile(`"id":([0-9]+)`)

// numbered checks that no two rows have the same number of an identity column. Which
// of the new rows has which is not promised: those beyond the first seven are the
// same afterwards.
func numbered(rows []string) ([]string, error) {
	seen := map[string]bool{}
	out := slices.Clone(rows)
	for i, text := range rows {
		m := number.FindStringSubmatch(text)
		if m == nil {
			continue
		}
		if seen[m[1]] {
			return nil, fmt.Errorf("two rows have the number %s:\n    %s", m[1], strings.Join(rows, "\n    "))
		}
		seen[m[1]] = true
		if len(m[1]) > 1 || m[1] > "7" {
			out[i] = strings.Replace(text, m[0], `"id":new`, 1)
		}
	}
	slices.Sort(out)
	return out, nil
}

// shape writes down what a table is besides its rows, without names that were
// drawn at random.
func shape(s *snapshot.Snapshot) string {
	var b strings.Builder
	for _, f := range s.Schema().Fields {
		fmt.Fprintf(&b, "%s %s null=%t\n", f.Name, f.Type, f.Nullable)
	}
	md := s.Metadata()
	for _, key := range sorted(md.Configuration) {
		if !strings.Contains(key, "materialized") && !strings.HasPrefix(key, "delta.inCommitTimestampEnablementTimestamp") {
			fmt.Fprintf(&b, "%s=%s\n", key, md.Configuration[key])
		}
	}
	p := s.Protocol()
	names := feature.Names(p)
	slices.Sort(names)
	fmt.Fprintf(&b, "protocol %d %d %v partitioned by %v\n", p.MinReaderVersion, p.MinWriterVersion, names, s.PartitionColumns())
	if n, ok := s.AppVersion("stream"); ok {
		fmt.Fprintf(&b, "stream at %d\n", n)
	}
	return b.String()
}

func sorted(m map[string]string) []string {
	out := make([]string, 0, len(m))
	for k := range m {
		out = append(out, k)
	}
	sort.Strings(out)
	return out
}

// identify reads the row ids and the versions of rows.
func (v *view) identify(ctx context.Context, old *view) error {
	names := append(v.snap.Schema().Names(), "_metadata.row_id", "_metadata.row_commit_version")
	p, err := read.NewPlan(v.snap, read.Spec{Columns: names, Limit: -1})
	if err != nil {
		return err
	}
	n := len(names) - 2
	for b, err := range p.Rows(ctx, v.snap.Env()) {
		if err != nil {
			return err
		}
		for i := range int(b.NumRows()) {
			text := string(columns.AppendCanonicalRow(nil, b.Columns()[:n], v.snap.Schema(), i))
			id, ok := columns.Value(b.Column(n), i).(int64)
			if !ok {
				return fmt.Errorf("version %d: %s has no row id", v.version, text)
			}
			if other, twice := v.ids[id]; twice {
				return fmt.Errorf("version %d: %s and %s have the row id %d", v.version, other, text, id)
			}
			v.ids[id] = text
			name := "new"
			if old != nil && old.ids[id] != "" {
				name = fmt.Sprint(id)
			}
			v.tagged = append(v.tagged, fmt.Sprintf("%s id %s since %v", text, name, columns.Value(b.Column(n+1), i)))
		}
	}
	sort.Strings(v.tagged)
	return nil
}

// feed reads the changes from one view to the next and holds them against both.
func feed(ctx context.Context, before, after *view) error {
	if !feature.ChangeDataFeed(before.snap.Metadata()) || !feature.ChangeDataFeed(after.snap.Metadata()) || after.version == before.version ||
		!slices.Equal(before.snap.Schema().Names(), after.snap.Schema().Names()) {
		return nil
	}
	p, err := changes.NewPlan(ctx, after.snap.Env(), after.snap, changes.Spec{From: snapshot.Version(before.version + 1), To: snapshot.Version(after.version)})
	if err != nil {
		return fmt.Errorf("its changes: %w", err)
	}
	var gone, list []string
	rows := slices.Clone(before.rows)
	n := len(p.Schema().Fields) - 3
	for b, err := range p.Rows(ctx) {
		if err != nil {
			return fmt.Errorf("its changes: %w", err)
		}
		for i := range int(b.Record.NumRows()) {
			kind := columns.Value(b.Record.Column(n), i).(string)
			text := string(columns.AppendCanonicalRow(nil, b.Record.Columns()[:n], after.snap.Schema(), i))
			list = append(list, kind+" "+text)
			if kind == "delete" || kind == "update_preimage" {
				gone = append(gone, text)
			} else {
				rows = append(rows, text)
			}
		}
	}
	for _, text := range gone {
		i := slices.Index(rows, text)
		if i < 0 {
			return fmt.Errorf("its changes take away a row that was not there, %s:\n    %s", text, strings.Join(list, "\n    "))
		}
		rows = slices.Delete(rows, i, i+1)
	}
	slices.Sort(rows)
	if !slices.Equal(rows, after.rows) {
		return fmt.Errorf("its changes\n    %s\n  do not lead from\n    %s\n  to\n    %s", strings.Join(list, "\n    "), strings.Join(before.rows, "\n    "), strings.Join(after.rows, "\n    "))
	}
	return nil
}
