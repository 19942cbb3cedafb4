package sim

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"maps"
	"slices"
	"sort"
	"strings"

	"github.com/sluicelake/sluice/internal/format/colstats"
	"github.com/sluicelake/sluice/internal/proof/tablekit"
	"github.com/sluicelake/sluice/internal/table/feature"
	"github.com/sluicelake/sluice/internal/table/snapshot"
	"github.com/sluicelake/sluice/internal/verbs/manifest"
	"github.com/sluicelake/sluice/internal/verbs/merge"
	"github.com/sluicelake/sluice/storage/faultstore"
)

// check replays what was committed, version by version.
func (w *world) check(ctx context.Context) error {
	newest, err := w.kit.Snapshot(ctx, snapshot.Latest())
	if err != nil {
		return err
	}
	by := map[int64]*writer{}
	for _, x := range w.writers {
		if x.lie != nil {
			return x.lie
		}
		if !x.committed {
			continue
		}
		if by[x.version] != nil || w.foreign[x.version] != nil {
			return fmt.Errorf("version %d was acknowledged twice", x.version)
		}
		by[x.version] = x
	}
	first := w.first
	states := map[int64][]row{first: w.start}
	extra, widened := false, false
	w.batches = map[int64]int64{first: 0}
	w.extras = map[int64]bool{first: false}
	var errs []error
	for v := first; v <= newest.Version(); v++ {
		if v > first {
			tended, err := by[v] == nil && w.foreign[v] == nil, error(nil)
			if tended {
				tended, err = w.tended(ctx, v)
			}
			if tended && err == nil {
				err = w.kept(ctx, v)
			}
			if err != nil {
				return err
			}
			rows, err := w.replay(states[v-1], by[v], w.foreign[v], tended, &extra)
			widened = widened || extra
			w.extras[v], w.batches[v] = extra, w.batches[v-1]
			if x := by[v]; x != nil && x.s.batch > 0 {
				if x.s.batch <= w.batches[v-1] && err == nil {
					err = fmt.Errorf("%s commits batch %d, and batch %d was there", x.name, x.s.batch, w.batches[v-1])
				}
				w.batches[v] = x.s.batch
			}
			if err != nil {
				return fmt.Errorf("version %d: %w", v, err)
			}
			states[v] = rows
		}
		err := w.compare(ctx, v, states[v], extra)
		if err == nil && v > first && (by[v] != nil || w.foreign[v] == nil) {
			err = w.numbered(ctx, v)
		}
		if err != nil {
			errs = append(errs, err)
			break
		}
	}
	if len(errs) == 0 {
		for _, v := range slices.Sorted(maps.Keys(w.past)) { // VACUUM and the cleaning of the log leave them
			errs = append(errs, w.compare(ctx, v, w.past[v], false))
		}
		errs = append(errs, w.feeds(ctx, first, newest, states, widened))
		errs = append(errs, w.silent(first, newest.Version(), states)...)
		if !slices.ContainsFunc(w.writers, func(x *writer) bool { return x.trouble != nil }) {
			errs = append(errs, w.litter(ctx, newest.Version()))
		}
	}
	return errors.Join(errs...)
}

// numbered checks what a version counts on from the one before: its time, when
// commits carry theirs, and the ids of rows.
func (w *world) numbered(ctx context.Context, v int64) error {
	before, err := w.kit.Snapshot(ctx, snapshot.Version(v-1))
	if err != nil {
		return err
	}
	s, err := w.kit.Snapshot(ctx, snapshot.Version(v))
	if err != nil {
		return err
	}
	if feature.InCommitTimestamps(s.Metadata()) {
		at := s.CommitInfo().InCommitTimestamp
		if at == nil {
			return fmt.Errorf("version %d carries no time", v)
		}
		if was := before.Timestamp().UnixMilli(); *at <= was {
			return fmt.Errorf("version %d carries the time %d, and the one before has %d", v, *at, was)
		}
	}
	was, err := highest(before)
	if err != nil {
		return err
	}
	is, err := highest(s)
	if err != nil {
		return err
	}
	if is < was {
		return fmt.Errorf("the highest row id falls from %d to %d in version %d", was, is, v)
	}
	files := s.Files()
	for i := range files.All() {
		a := files.Add(i)
		if n, ok := colstats.NumRecords(a.Stats); ok && a.BaseRowID != nil && *a.BaseRowID+n-1 > is {
			return fmt.Errorf("version %d has given row ids up to %d, and %s has some from %d on", v, is, a.Path, *a.BaseRowID)
		}
	}
	return nil
}

// highest is the highest row id that was given, -1 for none.
func highest(s *snapshot.Snapshot) (int64, error) {
	mark := struct {
		Highest int64 `json:"rowIdHighWaterMark"`
	}{-1}
	text, ok := s.Domain("delta.rowTracking")
	if !ok {
		return -1, nil
	}
	err := json.Unmarshal([]byte(text), &mark)
	return mark.Highest, err
}

// litter looks for files that no version mentions: what repairs wrote and did
// not need has to be gone.
func (w *world) litter(ctx context.Context, newest int64) error {
	known, err := w.mentioned(ctx, w.first, newest)
	if err != nil {
		return err
	}
	maps.Copy(known, w.mentions)
	for _, key := range w.excused {
		known[key] = true
		known[unescaped(key)] = true
	}
	all, err := w.kit.Objects(ctx)
	if err != nil {
		return err
	}
	for _, key := range all {
		if !strings.HasPrefix(key, "_delta_log/") && !strings.HasPrefix(key, manifest.Dir) && !known[key] {
			return fmt.Errorf("%s was left behind: no version mentions it", key)
		}
	}
	return nil
}

// replay is one step of the serial history.
func (w *world) replay(before []row, x *writer, f *foreign, tended bool, extra *bool) ([]row, error) {
	switch {
	case tended:
		return before, nil
	case x != nil:
		if x.s.kind == "restore" {
			*extra = false
		}
		return x.s.apply(before)
	case f == nil:
		return nil, errors.New("nobody committed it")
	}
	if f.extra {
		*extra = true
	}
	if f.becomes {
		return fromTexts(f.back)
	}
	rest := clone(before)
	for _, text := range f.gone {
		i := slices.IndexFunc(rest, func(r row) bool { return r.text(*extra) == text })
		if i < 0 {
			return nil, fmt.Errorf("the winner by hand removed %s, which the serial history has not", text)
		}
		rest = slices.Delete(rest, i, i+1)
	}
	return rest, nil
}

// compare holds one version against the oracle.
func (w *world) compare(ctx context.Context, v int64, want []row, extra bool) error {
	s, err := w.kit.Snapshot(ctx, snapshot.Version(v))
	if err != nil {
		return err
	}
	got, err := tablekit.Rows(ctx, s)
	if err != nil {
		return fmt.Errorf("reading version %d: %w", v, err)
	}
	if expect := texts(want, extra); !slices.Equal(got, expect) {
		return fmt.Errorf("version %d holds\n    %s\n  and a serial run gives\n    %s", v, strings.Join(got, "\n    "), strings.Join(expect, "\n    "))
	}
	seen := map[string]bool{}
	files := s.Files()
	for i := range files.All() {
		a := files.Add(i)
		if seen[a.Path] {
			return fmt.Errorf("version %d: %s is live twice", v, a.Path)
		}
		seen[a.Path] = true
	}
	return nil
}

// silent checks the statements that committed nothing: an error must be one
// that a serial run has, and no commit means that there was nothing to do.
func (w *world) silent(first, last int64, states map[int64][]row) (errs []error) {
	for _, x := range w.writers {
		if x.committed || x.s.upkeep != nil && x.err == nil {
			continue
		}
		if x.s.kind == "read" && x.err == nil {
			errs = append(errs, w.saw(x, states))
			continue
		}
		if x.err == nil && x.s.batch > 0 && x.s.batch <= w.batches[x.version] {
			continue
		}
		if x.err == nil {
			after, err := x.s.apply(states[x.version])
			if err != nil || !slices.Equal(texts(after, false), texts(states[x.version], false)) {
				errs = append(errs, fmt.Errorf("%s committed nothing at version %d, but a serial run changes rows (%v)", x.name, x.version, err))
			}
			continue
		}
		if errors.Is(x.err, faultstore.ErrInjected) || w.tooOld(x) {
			continue
		}
		var many *merge.MultipleMatchError
		serial := false
		for v := first; v <= last; v++ {
			if _, err := x.s.apply(states[v]); errors.Is(err, errMultiple) {
				serial = true
			}
		}
		if !errors.As(x.err, &many) || !serial {
			errs = append(errs, fmt.Errorf("%s failed: %w", x.name, x.err))
		}
	}
	errs = slices.DeleteFunc(errs, func(err error) bool { return err == nil })
	sort.Slice(errs, func(i, j int) bool { return errs[i].Error() < errs[j].Error() })
	return errs
}

// saw checks a reader: it sees all that was acknowledged before it began, and the
// rows of one version.
func (w *world) saw(x *writer, states map[int64][]row) error {
	if x.version < x.atLeast {
		return fmt.Errorf("%s reads version %d, and version %d was acknowledged before it began", x.name, x.version, x.atLeast)
	}
	if want := texts(states[x.version], w.extras[x.version]); !slices.Equal(x.seen, want) {
		return fmt.Errorf("%s reads in version %d\n    %s\n  which holds\n    %s", x.name, x.version, strings.Join(x.seen, "\n    "), strings.Join(want, "\n    "))
	}
	return nil
}
