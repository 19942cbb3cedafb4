package checkpoint

import (
	"context"
	"io"
	"iter"

	"github.com/sluicelake/sluice/action"
	"github.com/sluicelake/sluice/internal/format/deltalog"
	"github.com/sluicelake/sluice/storage"
)

// V2 says how a V2 checkpoint is laid out.
type V2 struct {
	JSON         bool      // the top level is JSON lines, not Parquet
	Keep         []Kept    // sidecars of earlier checkpoints that go on as they are
	New          []Portion // what goes into each new sidecar, in place of the Adds and Removes of the state
	SidecarFiles int       // adds or removes in one sidecar when New is nil; 0 is 50,000
	Tags         map[string]string
	NewID        func() string
}

// Kept is a sidecar that is there already, and how many actions it holds.
type Kept struct {
	*action.Sidecar
	Actions int64
}

// Portion is the files of one new sidecar.
type Portion struct{ Adds, Removes iter.Seq[*action.File] }

// SidecarFiles is how many files a sidecar is meant to hold, as in the reference.
const SidecarFiles = 50_000

// WriteV2 writes a V2 checkpoint (PROTOCOL.md, V2 Spec): new sidecars, then the
// top level that names them all, which makes them a checkpoint, and then the
// pointer to it. The protocol must have the feature v2Checkpoint. Every file
// action is in a sidecar.
func WriteV2(ctx context.Context, b *storage.Bucket, s *State, o V2) (*Written, error) {
	out := &Written{}
	var err error
	if o.New != nil {
		for _, p := range o.New {
			if err = out.sidecar(ctx, b, s, o, p); err != nil {
				return nil, err
			}
		}
	} else if err = out.split(ctx, b, s, o); err != nil {
		return nil, err
	}
	var sidecars []*action.Sidecar
	for _, k := range o.Keep {
		sidecars = append(sidecars, k.Sidecar)
		out.Actions += k.Actions
	}
	sidecars = append(sidecars, out.Sidecars...)
	key := deltalog.CheckpointV2Path(s.Version, o.NewID(), o.JSON)
	size, rows, err := create(ctx, b, key, func(w io.Writer) (int64, error) {
		if o.JSON {
			return writeTopJSON(w, s, sidecars)
		}
		return writeParquet(ctx, w, topSchema(), s, func(p *parquetWriter) error {
			p.head(s.Version)
			for _, c := range sidecars {
				p.sidecar(c)
			}
			p.table(s)
			return nil
		})
	})
	if err != nil {
		return nil, err
	}
	out.Files = append(out.Files, key)
	out.Actions, out.Bytes = out.Actions+rows, out.Bytes+size
	return out, writeLast(ctx, b, s, out, nil)
}

// sidecar writes one sidecar.
func (o *Written) sidecar(ctx context.Context, b *storage.Bucket, s *State, v V2, p Portion) error {
	name := v.NewID() + ".parquet"
	key := deltalog.SidecarPath(name)
	size, rows, err := create(ctx, b, key, func(out io.Writer) (int64, error) {
		return writeParquet(ctx, out, sidecarSchema(s.StatsJSON, s.Typed), s, func(w *parquetWriter) error {
			if err := w.files(p.Removes, true); err != nil {
				return err
			}
			if err := w.files(p.Adds, false); err != nil {
				return err
			}
			return s.failed()
		})
	})
	if err != nil {
		return err
	}
	made, err := b.Stat(ctx, key)
	if err != nil {
		return err
	}
	o.Files = append(o.Files, key)
	o.Sidecars = append(o.Sidecars, &action.Sidecar{Path: name, SizeInBytes: size, ModificationTime: made.ModTime.UnixMilli(), Tags: v.Tags})
	o.Actions, o.Bytes = o.Actions+rows, o.Bytes+size
	return nil
}

// split writes sidecars of SidecarFiles removes, then adds.
func (o *Written) split(ctx context.Context, b *storage.Bucket, s *State, v V2) error {
	limit := v.SidecarFiles
	if limit <= 0 {
		limit = SidecarFiles
	}
	for i, files := range []iter.Seq[*action.File]{s.Removes, s.Adds} {
		if files == nil {
			continue
		}
		next, stop := iter.Pull(files)
		defer stop()
		for f, ok := next(); ok; {
			some := func(yield func(*action.File) bool) {
				for n := 0; ok && n < limit; n++ {
					if !yield(f) {
						return
					}
					f, ok = next()
				}
			}
			p := Portion{Adds: some}
			if i == 0 {
				p = Portion{Removes: some}
			}
			if err := o.sidecar(ctx, b, s, v, p); err != nil {
				return err
			}
		}
	}
	return s.failed()
}

func writeTopJSON(out io.Writer, s *State, sidecars []*action.Sidecar) (int64, error) {
	actions := []action.Action{&action.CheckpointMetadata{Version: s.Version}, s.Protocol, s.Metadata}
	for _, t := range s.txns() {
		actions = append(actions, t)
	}
	for _, d := range s.domains() {
		actions = append(actions, d)
	}
	for _, c := range sidecars {
		actions = append(actions, c)
	}
	data, err := action.Marshal(actions)
	if err != nil {
		return 0, err
	}
	_, err = out.Write(data)
	return int64(len(actions)), err
}
