package fsck

import (
	"encoding/json"
	"errors"
	"fmt"
	"maps"
	"reflect"
	"slices"
	"strings"

	"github.com/sluicelake/sluice/action"
	"github.com/sluicelake/sluice/internal/format/checkpoint"
	"github.com/sluicelake/sluice/internal/format/deltalog"
	"github.com/sluicelake/sluice/internal/inspect"
	"github.com/sluicelake/sluice/internal/table/feature"
	"github.com/sluicelake/sluice/storage"
)

// checkpoint reads a checkpoint and holds it against the state of its version.
// Where that is not known it becomes the state.
func (c *Check) checkpoint(now *state, version int64, files checkpointFiles) (*state, error) {
	for _, f := range files {
		if f.Size == 0 {
			c.report(CheckpointBad, on(f.Key, version), "the file is empty")
			return nil, nil
		}
	}
	base := newState(version)
	ok, err := c.readCheckpoint(version, files, func(p *page) {
		c.remember(p)
		base.facts(p)
		for i := range p.files {
			if e := &p.files[i]; !e.remove {
				base.add(e)
			}
		}
	})
	if err != nil || !ok {
		return nil, err
	}
	if now == nil {
		return base, nil
	}
	c.sum.Compared++
	for _, what := range now.against(base) {
		c.report(CheckpointWrong, on(files.name(), version), "%s", what)
	}
	return base, nil
}

// readCheckpoint hands out the actions of a checkpoint's files and sidecars.
func (c *Check) readCheckpoint(version int64, files checkpointFiles, each func(*page)) (ok bool, err error) {
	var sidecars []*action.Sidecar
	read := func(obj storage.Object, top bool) (bool, error) {
		p := &page{version: version, object: obj}
		h := p.handler(c.bucket.URL())
		flush := func() {
			each(p)
			p.files = p.files[:0]
			p.protocol, p.metadata, p.txns, p.domains, p.twice = nil, nil, nil, nil, nil
		}
		for _, to := range []*func(*action.File) error{&h.Add, &h.Remove} {
			enter := *to
			*to = func(f *action.File) error {
				if len(p.files) >= 4096 {
					flush()
				}
				return enter(f)
			}
		}
		if top {
			h.Sidecar = func(s *action.Sidecar) error {
				sidecars = append(sidecars, s)
				return nil
			}
		}
		err := checkpoint.Read(c.ctx, c.bucket, obj, h)
		flush()
		if err == nil {
			return true, nil
		}
		if c.fatal(err) {
			return false, err
		}
		var bad *checkpoint.Error
		if errors.As(err, &bad) {
			err = bad.Err
		}
		c.report(CheckpointBad, on(obj.Key, version), "%v", err)
		return false, nil
	}
	for _, obj := range files {
		if ok, err := read(obj, true); err != nil || !ok {
			return false, err
		}
	}
	for _, s := range sidecars {
		key, err := checkpoint.SidecarKey(s)
		if err != nil {
			c.report(CheckpointBad, on(files.name(), version), "%v", err)
			return false, nil
		}
		obj, err := c.bucket.Stat(c.ctx, key)
		switch {
		case errors.Is(err, storage.ErrNotExist):
			c.report(SidecarMissing, on(key, version), "the checkpoint %s names it, the store does not have it", files.name())
			return false, nil
		case err != nil:
			return false, err
		}
		if ok, err := read(obj, false); err != nil || !ok {
			return false, err
		}
	}
	return true, nil
}

// against says how a checkpoint differs from the state that the commits give.
func (s *state) against(ck *state) (out []string) {
	want, have := s.totals, ck.totals
	if s.digest != ck.digest || want.Files != have.Files {
		out = append(out, s.filesAgainst(ck))
	}
	switch {
	case want.Protocol != nil && have.Protocol == nil:
		out = append(out, "it has no protocol action")
	case want.Protocol != nil:
		if d := inspect.DiffProtocol(have.Protocol, want.Protocol); d != "" {
			out = append(out, "its protocol differs from the commits': "+d)
		}
	}
	switch {
	case want.Metadata != nil && have.Metadata == nil:
		out = append(out, "it has no metaData action")
	case want.Metadata != nil:
		if d := inspect.DiffMetadata(have.Metadata, want.Metadata); d != "" {
			out = append(out, "its metaData differs from the commits': "+d)
		}
	}
	if want.Metadata != nil {
		_, expire := feature.TxnRetention(want.Metadata)
		for _, id := range slices.Sorted(maps.Keys(want.Txns)) {
			if v, there := have.Txns[id]; there && v != want.Txns[id] || !there && !expire {
				out = append(out, fmt.Sprintf("the application %q is at version %d by the commits, and %s there", id, want.Txns[id], orMissing(v, there)))
			}
		}
	}
	if !reflect.DeepEqual(want.Domains, have.Domains) {
		out = append(out, fmt.Sprintf("its domains are [%s], those of the commits [%s], or differ in configuration", strings.Join(slices.Sorted(maps.Keys(have.Domains)), ", "),
			strings.Join(slices.Sorted(maps.Keys(want.Domains)), ", ")))
	}
	return out
}

func orMissing(v int64, there bool) string {
	if !there {
		return "missing"
	}
	return fmt.Sprintf("at version %d", v)
}

func (s *state) filesAgainst(ck *state) string {
	missing, extra, differ := 0, 0, 0
	for path, f := range s.live {
		switch o, ok := ck.live[path]; {
		case !ok:
			missing++
		case o != f:
			differ++
		}
	}
	for path := range ck.live {
		if _, ok := s.live[path]; !ok {
			extra++
		}
	}
	return fmt.Sprintf("it has %d files, the commits give %d: %d are missing in it, %d are in it alone, %d differ in size or deletion vector",
		ck.totals.Files, s.totals.Files, missing, extra, differ)
}

// checksum holds a version checksum against the commit and the state of its version.
func (c *Check) checksum(now *state, p *page, version int64) error {
	obj, ok := c.dir.checksums[version]
	if !ok {
		return nil
	}
	f := on(obj.Key, version)
	data, _, err := c.bucket.Get(c.ctx, obj.Key)
	if err != nil {
		if c.fatal(err) {
			return err
		}
		return nil // gone meanwhile
	}
	var fields map[string]json.RawMessage
	if err := json.Unmarshal(data, &fields); err != nil {
		c.report(ChecksumUnreadable, f, "%v", err)
		return nil
	}
	sum, err := inspect.ParseChecksum(fields)
	if err != nil {
		c.report(ChecksumUnreadable, f, "%v", err)
		return nil
	}
	if p != nil && p.err == nil {
		for _, what := range sum.AgainstCommit(p.info) {
			c.report(ChecksumWrong, f, "%s", what)
		}
	}
	if now != nil {
		c.sum.Compared++
		for _, what := range sum.Against(now.totals) {
			c.report(ChecksumWrong, f, "%s", what)
		}
	}
	return nil
}

// compacted holds files of compacted commits against the commits that they stand for
// (PROTOCOL.md, Log Compaction Files).
func (c *Check) compacted() error {
	for _, f := range c.dir.compacted {
		data, _, err := c.bucket.Get(c.ctx, f.Object.Key)
		if err != nil {
			if c.fatal(err) {
				return err
			}
			continue
		}
		have := &page{version: f.Version, object: f.Object}
		if err := action.Scan(data, f.Object.Key, have.handler(c.bucket.URL())); err != nil || len(have.files) == 0 && have.infos == 0 && len(data) == 0 {
			what := "the file is empty"
			if err != nil {
				what = err.Error()
			}
			c.report(CompactedBad, on(f.Object.Key, f.Version), "%s", what)
			continue
		}
		want, err := c.reconcile(f)
		if err != nil {
			return err
		}
		if want == nil {
			continue // not all commits are there to compare with
		}
		c.sum.Compared++
		for _, what := range want.against(sumUp(have)) {
			c.report(CompactedWrong, on(f.Object.Key, f.Version), "%s", what)
		}
	}
	return nil
}

// reconciled is what some commits do, the last word of each file.
type reconciled struct {
	files map[uint64]entry
	facts *state
}

func sumUp(p *page) *reconciled {
	r := &reconciled{files: map[uint64]entry{}, facts: newState(p.version)}
	r.apply(p)
	return r
}

func (r *reconciled) apply(p *page) {
	for _, removes := range []bool{true, false} {
		for _, e := range p.files {
			if e.remove == removes {
				r.files[e.id()] = e
			}
		}
	}
	r.facts.facts(p)
}

// reconcile reads the commits of a compaction again.
func (c *Check) reconcile(f deltalog.File) (*reconciled, error) {
	var out *reconciled
	for v := f.Start; v <= f.Version; v++ {
		if _, ok := c.dir.commits[v]; !ok {
			return nil, nil
		}
		p := c.readPage(c.ctx, v)
		if p.err != nil {
			if c.fatal(p.err) {
				return nil, p.err
			}
			return nil, nil
		}
		if out == nil {
			out = sumUp(p)
		} else {
			out.apply(p)
		}
	}
	return out, nil
}

func (r *reconciled) against(have *reconciled) (out []string) {
	adds, removes, other := 0, 0, 0
	for id, e := range r.files {
		switch o, ok := have.files[id]; {
		case ok && o.remove == e.remove && (e.remove || o.size == e.size):
		case ok:
			other++
		case e.remove:
			removes++
		default:
			adds++
		}
	}
	extra := 0
	for id := range have.files {
		if _, ok := r.files[id]; !ok {
			extra++
		}
	}
	if adds+removes+other+extra > 0 {
		out = append(out, fmt.Sprintf("%d added and %d removed files are missing in it, %d are told otherwise, %d are in it alone", adds, removes, other, extra))
	}
	a, b := r.facts.totals, have.facts.totals
	if (a.Protocol == nil) != (b.Protocol == nil) || a.Protocol != nil && inspect.DiffProtocol(a.Protocol, b.Protocol) != "" {
		out = append(out, "its protocol differs from the commits'")
	}
	if (a.Metadata == nil) != (b.Metadata == nil) || a.Metadata != nil && inspect.DiffMetadata(a.Metadata, b.Metadata) != "" {
		out = append(out, "its metaData differs from the commits'")
	}
	if !reflect.DeepEqual(a.Txns, b.Txns) {
		out = append(out, "its application transactions differ from the commits'")
	}
	if !reflect.DeepEqual(a.Domains, b.Domains) {
		out = append(out, "its domain metadata differs from the commits'")
	}
	return out
}
