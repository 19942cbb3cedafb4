package snapshot

import (
	"context"
	"errors"
	"fmt"
	"iter"
	"slices"
	"time"

	"github.com/zeebo/xxh3"

	"github.com/sluicelake/sluice/action"
	"github.com/sluicelake/sluice/internal/format/checkpoint"
	"github.com/sluicelake/sluice/internal/format/colstats"
	"github.com/sluicelake/sluice/internal/format/deltalog"
	"github.com/sluicelake/sluice/internal/table/feature"
	"github.com/sluicelake/sluice/storage"
	"github.com/sluicelake/sluice/types"
)

// CheckpointKind is a shape of checkpoints (PROTOCOL.md, Checkpoints).
type CheckpointKind string

// The kinds. The table's delta.checkpointPolicy chooses where nobody else does.
const (
	ByPolicy  CheckpointKind = ""
	Classic   CheckpointKind = "classic"
	MultiPart CheckpointKind = "multi-part"
	V2        CheckpointKind = "v2"
)

// CheckpointOptions says how a checkpoint is written.
type CheckpointOptions struct {
	Kind       CheckpointKind
	Parts      int  // files of a classic checkpoint; more than one makes it multi-part
	ParquetTop bool // the top level of a V2 checkpoint is Parquet, not JSON
	NoReuse    bool // write all sidecars of a V2 checkpoint anew
	Sidecar    int  // files in a sidecar at most; 0 is what the reference writes
}

// CheckpointPlan is a checkpoint that is not written yet.
type CheckpointPlan struct {
	Version    int64
	Kind       CheckpointKind
	Parts      int
	Adds       int // live files
	Tombstones int // removed files that are kept
	Kept       int // sidecars that go on as they are, and what they hold
	KeptFiles  int
	New        int // sidecars to be written, and what they will hold
	NewFiles   int

	s      *Snapshot
	o      CheckpointOptions
	now    time.Time
	typed  *checkpoint.Typed
	json   bool
	layout string
	keep   []*sidecar
	fresh  []*sidecar // without an action
}

// CheckpointError is a checkpoint that is refused.
type CheckpointError struct {
	Table   string
	Version int64
	Why     string
}

func (e *CheckpointError) Error() string {
	return fmt.Sprintf("no checkpoint of %s at version %d: %s", e.Table, e.Version, e.Why)
}

// PlanCheckpoint plans a checkpoint of the snapshot.
func (s *Snapshot) PlanCheckpoint(o CheckpointOptions) (*CheckpointPlan, error) {
	refuse := func(why string) error { return &CheckpointError{s.bucket.URL(), s.version, why} }
	if s.light != nil {
		return nil, refuse(errLight.Error())
	}
	p := &CheckpointPlan{Version: s.version, Kind: o.Kind, Parts: 1, Adds: s.NumFiles(), s: s, o: o, now: s.env.Now()}
	hasV2 := feature.Supports(s.protocol, "v2Checkpoint")
	if p.Kind == ByPolicy {
		p.Kind = Classic
		if feature.CheckpointV2(s.protocol, s.metadata) && o.Parts <= 1 {
			p.Kind = V2
		}
	}
	switch {
	case o.Parts < 0:
		return nil, refuse(fmt.Sprintf("%d parts are asked for", o.Parts))
	case p.Kind == V2 && !hasV2:
		return nil, refuse("the table lacks the feature v2Checkpoint, so readers need not know V2 checkpoints; set the table property delta.checkpointPolicy to v2 first")
	case p.Kind == V2 && o.Parts > 1:
		return nil, refuse("parts belong to classic checkpoints")
	case o.Parts > 1 && hasV2:
		return nil, refuse("the table has the feature v2Checkpoint, which forbids checkpoints in parts (PROTOCOL.md, Checkpoints); write a V2 or a classic one")
	case p.Kind == Classic && o.Parts > 1:
		p.Kind, p.Parts = MultiPart, o.Parts
	}
	if err := p.shape(); err != nil {
		return nil, err
	}
	oldest := p.oldest()
	s.tombs.each(s.tombs.others(nil), func(c *chunk, i int) bool {
		if c.modTime[i] > oldest {
			p.Tombstones++
		}
		return true
	})
	if p.Kind == V2 {
		p.divide()
	}
	return p, nil
}

// oldest is the time up to which tombstones have expired: they protect nothing
// any more (PROTOCOL.md, Add File and Remove File).
func (p *CheckpointPlan) oldest() int64 {
	return p.now.Add(-feature.DeletedFileRetention(p.s.metadata)).UnixMilli()
}

// shape decides which columns adds get.
func (p *CheckpointPlan) shape() error {
	s := p.s
	p.json = feature.CheckpointStatsJSON(s.metadata)
	layout := ""
	if asked, explicit := feature.CheckpointStatsStruct(s.metadata); asked && (explicit || !p.json) {
		leaves, err := colstats.Select(s.columns.Logical, s.columns.Physical, s.columns.Partition, s.metadata.Configuration)
		if err != nil {
			return err
		}
		var parts []types.Field
		for i, at := range s.columns.PartitionOrdinals {
			f := s.columns.Physical.Fields[at]
			f.Name = s.columns.PartitionPhysical[i]
			parts = append(parts, f)
		}
		if p.typed, err = checkpoint.NewTyped(leaves, parts); err != nil {
			return err
		}
		layout = p.typed.Layout()
	}
	p.layout = layoutOf(p.json, layout)
	return nil
}

// divide decides which sidecars of the checkpoint before stay, and what goes
// into new ones. A sidecar stays when nothing in it has changed. Small ones are
// taken into new ones that are at least as large, so that their number grows
// with the logarithm of what is added, and each file is written a few times only.
func (p *CheckpointPlan) divide() {
	s, oldest := p.s, p.oldest()
	var adds, removes []rows // in sidecars that stay
	inAdds, inRemoves := 0, 0
	if set := s.lineage.sidecars.p.Load(); set != nil && !p.o.NoReuse && p.now.Sub(set.made) < feature.LogRetention(s.metadata)/2 {
		for _, c := range set.list {
			if c.Tags[layoutTag] == p.layout && s.unchanged(c) && p.worth(c, oldest) {
				p.keep = append(p.keep, c)
				inAdds += c.liveAdds
				inRemoves += p.unexpired(c.removes, oldest)
			}
		}
		p.absorb(&inAdds, s.files.live, func(c *sidecar) bool { return c.liveAdds > 0 }, &inRemoves, oldest)
		p.absorb(&inRemoves, p.Tombstones, func(c *sidecar) bool { return c.liveAdds == 0 }, &inAdds, oldest)
	}
	for _, c := range p.keep {
		adds, removes = append(adds, c.adds...), append(removes, c.removes...)
		p.KeptFiles += c.len()
	}
	more, sizes := s.tombs.cut(s.tombs.others(removes), p.sidecar(), func(c *chunk, i int) bool { return c.alive(i, s.tombs.state) && c.modTime[i] > oldest })
	for i, r := range more {
		p.fresh = append(p.fresh, &sidecar{removes: r, liveRemoves: sizes[i]})
	}
	more, sizes = s.files.cut(s.files.others(adds), p.sidecar(), func(c *chunk, i int) bool { return c.alive(i, s.files.state) })
	for i, r := range more {
		p.fresh = append(p.fresh, &sidecar{adds: r, liveAdds: sizes[i]})
	}
	p.Kept, p.New = len(p.keep), len(p.fresh)
	for _, c := range p.fresh {
		p.NewFiles += c.len()
	}
}

// sidecar is how many files a sidecar is meant to hold.
func (p *CheckpointPlan) sidecar() int {
	if p.o.Sidecar > 0 {
		return p.o.Sidecar
	}
	return checkpoint.SidecarFiles
}

// worth reports whether less than a quarter of a sidecar is expired tombstones,
// which do no harm but to take space.
func (p *CheckpointPlan) worth(c *sidecar, oldest int64) bool {
	return 4*(c.liveRemoves-p.unexpired(c.removes, oldest)) < max(c.len(), 1)
}

func (p *CheckpointPlan) unexpired(of []rows, oldest int64) (n int) {
	p.s.tombs.each(of, func(c *chunk, i int) bool {
		if c.modTime[i] > oldest {
			n++
		}
		return true
	})
	return n
}

// absorb takes small sidecars of one sort out of those that stay, the smallest
// first, as long as what has to be written anyway is as much.
func (p *CheckpointPlan) absorb(in *int, total int, sort func(*sidecar) bool, inOther *int, oldest int64) {
	slices.SortStableFunc(p.keep, func(a, b *sidecar) int { return a.len() - b.len() })
	p.keep = slices.DeleteFunc(p.keep, func(c *sidecar) bool {
		pending := total - *in
		if !sort(c) || pending <= 0 || c.len() > pending || c.len() >= p.sidecar()/2 {
			return false
		}
		if c.liveAdds > 0 {
			*in -= c.liveAdds
			*inOther -= p.unexpired(c.removes, oldest)
		} else {
			*in -= p.unexpired(c.removes, oldest)
		}
		return true
	})
}

// each visits the living rows among some.
func (v *view) each(of []rows, visit func(c *chunk, i int) bool) bool {
	for _, r := range of {
		c := v.chunks[r.chunk]
		for i := r.from; i < r.to; i++ {
			if c.alive(i, v.state) && !visit(c, i) {
				return false
			}
		}
	}
	return true
}

// writing is what a plan needs while it is written.
type writing struct {
	p     *CheckpointPlan
	stats passing
	err   error
}

func (w *writing) failed() error {
	if w.err == nil {
		return nil
	}
	s := w.p.s
	return fmt.Errorf("no checkpoint of %s at version %d is written, it would lose statistics for good: %w", s.bucket.URL(), s.version, w.err)
}

func (w *writing) adds(of []rows, belongs func(path []byte) bool) iter.Seq[*action.File] {
	return func(yield func(*action.File) bool) {
		var f action.File
		v := &w.p.s.files
		v.each(of, func(c *chunk, i int) bool {
			if belongs != nil && !belongs(c.path(i)) {
				return true
			}
			stats, rest, err := w.stats.record(c, i)
			if err != nil {
				w.err = err
				return false
			}
			v.restore(c, i, &f, false, stats, rest)
			return yield(&f)
		})
	}
}

func (w *writing) removes(of []rows, belongs func(path []byte) bool) iter.Seq[*action.File] {
	oldest := w.p.oldest()
	return func(yield func(*action.File) bool) {
		var f action.File
		v := &w.p.s.tombs
		v.each(of, func(c *chunk, i int) bool {
			if c.modTime[i] <= oldest || belongs != nil && !belongs(c.path(i)) {
				return true
			}
			v.file(c, i, &f, true)
			return yield(&f)
		})
	}
}

func (w *writing) state() *checkpoint.State {
	p := w.p
	s := p.s
	out := &checkpoint.State{Version: s.version, Protocol: s.protocol, Metadata: s.metadata, NumAdds: p.Adds, SizeInBytes: s.SizeInBytes(),
		StatsJSON: p.json, Typed: p.typed, Failed: w.failed}
	retain, expire := feature.TxnRetention(s.metadata)
	for _, t := range s.Txns() {
		if !expire || t.LastUpdated == nil || p.now.Sub(time.UnixMilli(*t.LastUpdated)) < retain {
			out.Txns = append(out.Txns, &t)
		}
	}
	for _, d := range s.Domains() {
		out.Domains = append(out.Domains, &d)
	}
	return out
}

// Write writes the checkpoint and then points _last_checkpoint to it. It does not
// hinder anybody: versions can be made and read meanwhile.
func (p *CheckpointPlan) Write(ctx context.Context) (*checkpoint.Written, error) {
	if len(p.keep) > 0 {
		if missing, err := p.missing(ctx); err != nil || missing != "" {
			return p.anew(ctx, missing, err)
		}
	}
	w := &writing{p: p}
	defer w.stats.close()
	all := func(v *view) []rows { return v.others(nil) }
	state := w.state()
	var out *checkpoint.Written
	var err error
	switch p.Kind {
	case V2:
		o := checkpoint.V2{JSON: !p.o.ParquetTop, NewID: p.s.env.NewID, New: []checkpoint.Portion{}}
		if p.layout != "" {
			o.Tags = map[string]string{layoutTag: p.layout}
		}
		for _, c := range p.keep {
			o.Keep = append(o.Keep, checkpoint.Kept{Sidecar: c.Sidecar, Actions: int64(c.len())})
		}
		for _, c := range p.fresh {
			portion := checkpoint.Portion{}
			if c.liveAdds > 0 {
				portion.Adds = w.adds(c.adds, nil)
			} else {
				portion.Removes = w.removes(c.removes, nil)
			}
			o.New = append(o.New, portion)
		}
		out, err = checkpoint.WriteV2(ctx, p.s.bucket, state, o)
	case MultiPart:
		// What belongs into a part depends on its path alone, so that parts by two
		// writers of the same version fit together.
		out, err = checkpoint.WriteParts(ctx, p.s.bucket, p.Parts, func(part int) *checkpoint.State {
			mine := func(path []byte) bool { return xxh3.Hash(path)%uint64(p.Parts) == uint64(part) }
			state.Adds, state.Removes = w.adds(all(&p.s.files), mine), w.removes(all(&p.s.tombs), mine)
			return state
		})
	default:
		state.Adds, state.Removes = w.adds(all(&p.s.files), nil), w.removes(all(&p.s.tombs), nil)
		out, err = checkpoint.Write(ctx, p.s.bucket, state)
	}
	if err != nil {
		return nil, err
	}
	if p.Kind == V2 {
		if missing, err := p.missing(ctx); err != nil || missing != "" {
			// Nobody may believe a checkpoint that lacks a sidecar.
			top := out.Files[len(out.Files)-1]
			return p.anew(ctx, missing, errors.Join(err, p.s.bucket.Delete(context.WithoutCancel(ctx), top)))
		}
		p.remember(out)
	}
	for {
		last := p.s.lineage.checkpoint.Load()
		if last >= p.Version || p.s.lineage.checkpoint.CompareAndSwap(last, p.Version) {
			return out, nil
		}
	}
}

// missing is the first kept sidecar that is gone from the store: a cleaner has
// found no checkpoint that names it.
func (p *CheckpointPlan) missing(ctx context.Context) (string, error) {
	if len(p.keep) == 0 {
		return "", nil
	}
	there := map[string]bool{}
	for obj, err := range p.s.bucket.List(ctx, deltalog.SidecarPath(""), "") {
		if errors.Is(err, storage.ErrNotExist) {
			break
		}
		if err != nil {
			return "", err
		}
		there[obj.Key] = true
	}
	for _, c := range p.keep {
		if key, err := checkpoint.SidecarKey(c.Sidecar); err != nil || !there[key] {
			return c.Path, nil
		}
	}
	return "", nil
}

// anew writes the checkpoint without what was there.
func (p *CheckpointPlan) anew(ctx context.Context, missing string, err error) (*checkpoint.Written, error) {
	if err != nil {
		return nil, err
	}
	p.s.env.Log.Warn("a sidecar that was to be used again is gone, all are written anew", "table", p.s.bucket.URL(), "version", p.Version, "sidecar", missing)
	o := p.o
	o.NoReuse = true
	again, err := p.s.PlanCheckpoint(o)
	if err != nil {
		return nil, err
	}
	return again.Write(ctx)
}

// remember tells later versions which sidecars hold which rows.
func (p *CheckpointPlan) remember(out *checkpoint.Written) {
	set := &sidecarSet{version: p.Version, made: p.now, list: slices.Clone(p.keep)}
	for i, c := range p.fresh {
		c.Sidecar = out.Sidecars[i]
		set.list = append(set.list, c)
	}
	p.s.lineage.sidecars.put(set)
}
