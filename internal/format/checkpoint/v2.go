package checkpoint

import (
	"context"
	"errors"
	"io"
	"iter"

	"github.com/sluicelake/sluice/action"
	"github.com/sluicelake/sluice/internal/format/deltalog"
	"github.com/sluicelake/sluice/storage"
)

// V2 says how a V2 checkpoint is laid out.
type V2 struct {
	JSON         bool // the top level is JSON lines, not Parquet
	SidecarFiles int  // adds and removes in one sidecar; 0 is 100,000
	NewID        func() string
}

const defaultSidecarFiles = 100_000

// WriteV2 writes a V2 checkpoint (PROTOCOL.md, V2 Spec): sidecars with the
// files, then the top level that names them, which makes them a checkpoint, and
// then the pointer to it. The protocol must have the feature v2Checkpoint.
func WriteV2(ctx context.Context, b *storage.Bucket, s *State, o V2) error {
	limit := o.SidecarFiles
	if limit <= 0 {
		limit = defaultSidecarFiles
	}
	var sidecars []*action.Sidecar
	total := int64(0)
	for _, kind := range []struct {
		files  iter.Seq[*action.File]
		remove bool
	}{{s.Removes, true}, {s.Adds, false}} {
		next, stop := iter.Pull(kind.files)
		defer stop()
		for f, ok := next(); ok; {
			name := o.NewID() + ".parquet"
			size, rows, err := create(ctx, b, deltalog.SidecarPath(name), func(out io.Writer) (int64, error) {
				return writeParquet(ctx, out, sidecarSchema(s.StatsJSON), func(p *parquetWriter) error {
					for n := 0; ok && n < limit; n++ {
						err := error(nil)
						if kind.remove {
							err = p.remove(f)
						} else {
							err = p.add(f, s.StatsJSON)
						}
						if err := errors.Join(err, p.end()); err != nil {
							return err
						}
						f, ok = next()
					}
					return nil
				})
			})
			if err != nil {
				return err
			}
			made, err := b.Stat(ctx, deltalog.SidecarPath(name))
			if err != nil {
				return err
			}
			sidecars = append(sidecars, &action.Sidecar{Path: name, SizeInBytes: size, ModificationTime: made.ModTime.UnixMilli()})
			total += rows
		}
	}
	size, rows, err := create(ctx, b, deltalog.CheckpointV2Path(s.Version, o.NewID(), o.JSON), func(out io.Writer) (int64, error) {
		if o.JSON {
			return writeTopJSON(out, s, sidecars)
		}
		return writeParquet(ctx, out, topSchema(), func(p *parquetWriter) error {
			p.head(s.Version)
			for _, c := range sidecars {
				p.sidecar(c)
			}
			p.pending += 1 + len(sidecars)
			return p.table(s)
		})
	})
	if err != nil {
		return err
	}
	return writeLast(ctx, b, s, total+rows, size)
}

// create streams a new file and returns its size and what write says.
func create(ctx context.Context, b *storage.Bucket, key string, write func(io.Writer) (int64, error)) (size, rows int64, err error) {
	w, err := b.Create(ctx, key)
	if err != nil {
		return 0, 0, err
	}
	out := &counter{w: w}
	if rows, err = write(out); err != nil {
		return 0, 0, errors.Join(err, w.Abort())
	}
	return out.n, rows, w.Commit()
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
