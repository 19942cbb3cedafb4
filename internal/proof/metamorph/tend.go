package metamorph

import (
	"context"
	"errors"
	"fmt"
	"hash/fnv"
	"math/rand/v2"
	"net/url"
	"slices"
	"sort"
	"strings"
	"sync/atomic"
	"time"

	"github.com/sluicelake/sluice/internal/base/columns"
	"github.com/sluicelake/sluice/internal/proof/tablekit"
	"github.com/sluicelake/sluice/internal/table/feature"
	"github.com/sluicelake/sluice/internal/table/snapshot"
	"github.com/sluicelake/sluice/internal/verbs/read"
)

// retention is for how long VACUUM keeps files: the table's own.
const retention = 7 * 24 * time.Hour

// clock is the time of a table that is tended.
type clock struct{ at atomic.Int64 }

func newClock() *clock {
	c := &clock{}
	c.at.Store(time.Date(2031, 3, 1, 0, 0, 0, 0, time.UTC).UnixNano())
	return c
}

func (c *clock) now() time.Time { return time.Unix(0, c.at.Load()).UTC() }

func (c *clock) pass(d time.Duration) { c.at.Add(int64(d)) }

// moment is a version as it was when it was the newest.
type moment struct {
	version int64
	ended   time.Time // when the next one came; zero for the newest
	rows    []string
}

// tend lets some time go by and runs verbs of upkeep, which the statement that
// comes next decides. The rows, the ids of rows and the change feed stay as they
// are, and so does every version that is retained.
func (p *player) tend(ctx context.Context, next string) error {
	h := fnv.New64a()
	fmt.Fprint(h, next, p.now.Version())
	r := rand.New(rand.NewPCG(h.Sum64(), 3))
	for range r.IntN(3) {
		if p.clock != nil {
			p.clock.pass(time.Duration([]int{1, 30, 100, 300, 900}[r.IntN(5)]) * time.Hour)
		}
		text := p.chore(r)
		if err := p.upkeep(ctx, text); err != nil {
			return fmt.Errorf("upkeep before it, %s: %w", text, err)
		}
	}
	return nil
}

// chore is a statement that changes no row.
func (p *player) chore(r *rand.Rand) string {
	clustered := feature.Supports(p.now.Protocol(), "clustering") // for good, even by no columns
	partitioned := len(p.now.PartitionColumns()) > 0
	for {
		switch r.IntN(12) {
		case 0:
			return "OPTIMIZE target"
		case 1:
			if partitioned {
				return "OPTIMIZE target WHERE p = 'a' OR p IS NULL"
			}
		case 2, 3:
			if !clustered {
				return []string{"OPTIMIZE target ZORDER BY (k)", "OPTIMIZE target ZORDER BY (v, day, k)"}[r.IntN(2)]
			}
			return []string{"OPTIMIZE target FULL", "OPTIMIZE target"}[r.IntN(2)]
		case 4:
			if !partitioned {
				return []string{"ALTER TABLE target CLUSTER BY (k, at)", "ALTER TABLE target CLUSTER BY NONE"}[r.IntN(2)]
			}
		case 5:
			return "REORG TABLE target APPLY (PURGE)"
		case 6:
			return "FSCK REPAIR TABLE target"
		case 7:
			return fmt.Sprintf("ALTER TABLE target SET TBLPROPERTIES (delta.enableDeletionVectors = %t)", r.IntN(2) == 0)
		case 8:
			if retained := p.retained(); len(retained) > 1 {
				return fmt.Sprintf("RESTORE TABLE target TO VERSION AS OF %d", retained[r.IntN(len(retained))].version)
			}
		case 9:
			return "VACUUM target LITE"
		default:
			if p.clock != nil {
				return "VACUUM target"
			}
		}
	}
}

// upkeep runs one of them.
func (p *player) upkeep(ctx context.Context, text string) error {
	was := p.past[len(p.past)-1]
	before := p.now
	ids, err := p.ids(ctx, before)
	if err != nil {
		return err
	}
	if err := p.run(ctx, text); err != nil && !strings.Contains(err.Error(), "DELTA_CANNOT_VACUUM_LITE") {
		return err
	}
	restored := strings.HasPrefix(text, "RESTORE")
	if restored { // and back
		if err := p.run(ctx, fmt.Sprintf("RESTORE TABLE target TO VERSION AS OF %d", before.Version())); err != nil {
			return err
		}
	}
	if p.now, err = p.k.Snapshot(ctx, snapshot.Latest()); err != nil {
		return err
	}
	rows, err := tablekit.Rows(ctx, p.now)
	if err != nil {
		return err
	}
	if !slices.Equal(rows, was.rows) {
		return errors.New("rows\n" + difference(rows, was.rows))
	}
	after, err := p.ids(ctx, p.now)
	if err != nil {
		return err
	}
	if !slices.Equal(ids, after) {
		return errors.New("row ids\n" + difference(after, ids))
	}
	if p.feed && !restored && p.now.Version() > before.Version() {
		if list, err := p.changes(ctx, before.Version()+1); err != nil || len(list) > 0 {
			return fmt.Errorf("the change feed tells %v, %w", list, err)
		}
	}
	p.remember(rows)
	if !strings.HasPrefix(text, "VACUUM") || p.clock == nil {
		return nil
	}
	if text == "VACUUM target" {
		if err := p.needed(ctx); err != nil {
			return err
		}
	}
	for _, m := range p.retained() {
		s, err := p.k.Snapshot(ctx, snapshot.Version(m.version))
		if err != nil {
			return err
		}
		rows, err := tablekit.Rows(ctx, s)
		if err != nil {
			return fmt.Errorf("version %d, which is retained: %w", m.version, err)
		}
		if !slices.Equal(rows, m.rows) {
			return fmt.Errorf("version %d, which is retained, reads\n%s", m.version, difference(rows, m.rows))
		}
	}
	return nil
}

// remember notes the newest version.
func (p *player) remember(rows []string) {
	now := time.Time{}
	if p.clock != nil {
		now = p.clock.now()
	}
	if n := len(p.past); n > 0 {
		if p.past[n-1].version == p.now.Version() {
			return
		}
		p.past[n-1].ended = now
	}
	p.past = append(p.past, moment{version: p.now.Version(), rows: rows})
}

// retained are the versions that held within the retention.
func (p *player) retained() (out []moment) {
	for i, m := range p.past {
		if i == len(p.past)-1 || p.clock == nil || !m.ended.Before(p.clock.now().Add(-retention)) {
			out = append(out, m)
		}
	}
	return out
}

// needed holds what VACUUM left against a model: files that a retained version
// has, and young ones.
func (p *player) needed(ctx context.Context) error {
	must := map[string]bool{}
	for _, m := range p.retained() {
		s, err := p.k.Snapshot(ctx, snapshot.Version(m.version))
		if err != nil {
			return err
		}
		for _, path := range tablekit.Referenced(s) {
			must[path] = true
			if key, err := url.PathUnescape(path); err == nil {
				must[key] = true
			}
		}
	}
	for o, err := range p.k.Bucket.List(ctx, "", "") {
		if err != nil {
			return err
		}
		if strings.HasPrefix(o.Key, "_") || must[o.Key] || !o.ModTime.Before(p.clock.now().Add(-retention)) {
			continue
		}
		return fmt.Errorf("%s of %s is there still, and no version since %s needs it", o.Key, o.ModTime, p.clock.now().Add(-retention))
	}
	return nil
}

// ids are the rows with their ids, where these are tracked.
func (p *player) ids(ctx context.Context, s *snapshot.Snapshot) (out []string, err error) {
	if !feature.RowTracking(s.Metadata()) {
		return nil, nil
	}
	plan, err := read.NewPlan(s, read.Spec{Columns: []string{"k", "p", "_metadata.row_id AS id", "_metadata.row_commit_version AS at"}, Limit: -1})
	if err != nil {
		return nil, err
	}
	for b, err := range plan.Rows(ctx, s.Env()) {
		if err != nil {
			return nil, err
		}
		for i := range int(b.NumRows()) {
			out = append(out, string(columns.AppendCanonicalRow(nil, b.Columns(), plan.Schema(), i)))
		}
	}
	sort.Strings(out)
	return out, nil
}
