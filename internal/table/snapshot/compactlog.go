package snapshot

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"io"

	"github.com/sluicelake/sluice/action"
	"github.com/sluicelake/sluice/internal/format/deltalog"
	"github.com/sluicelake/sluice/storage"
)

// LogCompaction is what writing a log compaction file came to.
type LogCompaction struct {
	From, To int64
	File     string
	Commits  int
	Before   int   // actions in the commits
	Actions  int   // in the file
	Bytes    int64 // of the file
	Existed  bool  // there is such a file already
	Written  bool
}

// CompactLog writes what the commits of some versions say together into one file,
// which readers take in their place (PROTOCOL.md, Log Compaction Files). Lines are
// kept as they are, with all that this version does not know. Tombstones are kept
// however old they are: the file that one removes may be older than the range.
// With dry nothing is written.
func CompactLog(ctx context.Context, b *storage.Bucket, from, to int64, dry bool) (*LogCompaction, error) {
	if from < 0 || to <= from {
		return nil, fmt.Errorf("log compaction of %s from version %d to %d: want at least two versions, the first not below 0", b.URL(), from, to)
	}
	out := &LogCompaction{From: from, To: to, File: deltalog.CompactedPath(from, to), Commits: int(to - from + 1)}
	if _, err := b.Stat(ctx, out.File); err == nil {
		out.Existed = true
		return out, nil
	} else if !errors.Is(err, storage.ErrNotExist) {
		return nil, err
	}
	var w io.Writer = io.Discard
	commit, abort := func() error { return nil }, func() error { return nil }
	if !dry {
		f, err := b.Create(ctx, out.File)
		if err != nil {
			return nil, err
		}
		w, commit, abort = f, f.Commit, f.Abort
	}
	c := &compactor{out: w, to: out, seen: map[string]struct{}{}}
	for v := to; v >= from; v-- {
		if err := c.commit(ctx, b, v); err != nil {
			return nil, errors.Join(err, abort())
		}
	}
	if err := commit(); errors.Is(err, storage.ErrExist) {
		out.Existed = true
		return out, nil
	} else if err != nil {
		return nil, err
	}
	out.Written = !dry
	return out, nil
}

// compactor goes through actions from the newest to the oldest: of each thing
// that they are about it keeps the first that it meets.
type compactor struct {
	out  io.Writer
	to   *LogCompaction
	seen map[string]struct{}
	id   []byte
	line []byte
}

func (c *compactor) commit(ctx context.Context, b *storage.Bucket, version int64) error {
	data, obj, err := deltalog.ReadCommit(ctx, b, version)
	if errors.Is(err, storage.ErrNotExist) {
		return &CorruptError{Table: b.URL(), File: deltalog.CommitPath(version), Version: version, Class: "DELTA_VERSIONS_NOT_CONTIGUOUS",
			Cause: fmt.Errorf("versions %d to %d cannot be compacted: %w", c.to.From, c.to.To, errGap)}
	}
	if err != nil {
		return err
	}
	lines := bytes.Split(data, []byte{'\n'})
	for i := len(lines) - 1; i >= 0; i-- {
		line := bytes.TrimRight(lines[i], "\r")
		if len(bytes.TrimSpace(line)) == 0 {
			continue
		}
		if err := c.action(line, obj.Key, i+1); err != nil {
			return damaged(b, obj.Key, version, err)
		}
	}
	return nil
}

func (c *compactor) action(line []byte, file string, number int) error {
	keep := false
	about := func(kind byte, name string) {
		c.id = append(append(c.id[:0], kind), name...)
		keep = true
	}
	onFile := func(f *action.File) error {
		dv, err := f.Dv()
		if err != nil {
			return malformed(f, "deletionVector", err)
		}
		c.id = identity(append(c.id[:0], 'f'), f.Path.Append(nil), dv)
		keep = true
		return nil
	}
	err := action.ScanFrom(line, file, number, &action.Handler{
		Add: onFile, Remove: onFile,
		Metadata:       func(*action.Metadata) error { about('m', ""); return nil },
		Protocol:       func(*action.Protocol) error { about('p', ""); return nil },
		Txn:            func(t *action.Txn) error { about('t', t.AppID); return nil },
		DomainMetadata: func(d *action.DomainMetadata) error { about('d', d.Domain); return nil },
		CommitInfo:     func(*action.CommitInfo) error { return nil },
	})
	if err != nil {
		return err
	}
	c.to.Before++
	if !keep {
		return nil
	}
	if _, old := c.seen[string(c.id)]; old {
		return nil
	}
	c.seen[string(c.id)] = struct{}{}
	c.to.Actions++
	c.line = append(append(c.line[:0], line...), '\n')
	c.to.Bytes += int64(len(c.line))
	_, err = c.out.Write(c.line)
	return err
}

// Uncovered is the range of versions behind the newest checkpoint, up to the
// newest version; from is greater than to when there are none.
func Uncovered(ctx context.Context, b *storage.Bucket) (from, to int64, err error) {
	dir, err := findLog(ctx, b, Latest())
	if err != nil {
		return 0, 0, err
	}
	to = dir.latest()
	if done := dir.checkpointsUpTo(to); len(done) > 0 {
		return done[0].version + 1, to, nil
	}
	from = to
	for from > 0 {
		if _, ok := dir.commits[from-1]; !ok {
			break
		}
		from--
	}
	return from, to, nil
}
