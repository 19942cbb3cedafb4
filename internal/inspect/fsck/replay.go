package fsck

import (
	"context"
	"errors"
	"fmt"
	"path"
	"slices"
	"strings"

	"github.com/sluicelake/sluice/internal/format/deltalog"
	"github.com/sluicelake/sluice/internal/inspect"
	"github.com/sluicelake/sluice/internal/table/feature"
)

// replay goes through the versions that are left, from a beginning or from a
// checkpoint, and holds everything that repeats the commits against them.
func (c *Check) replay() error {
	versions := c.dir.versions
	var now *state // nil: what the table was is not known
	if _, ok := c.dir.commits[0]; ok {
		now = newState(-1)
	}
	lastTime := int64(0) // in-commit timestamp of the version before, 0 for none
	lastVersion := int64(-2)
	for i, p := range inspect.Ordered(c.ctx, 2*c.env.Workers, len(versions), func(ctx context.Context, i int) *page {
		if _, ok := c.dir.commits[versions[i]]; !ok {
			return nil
		}
		return c.readPage(ctx, versions[i])
	}) {
		v := versions[i]
		if p != nil {
			if p.err != nil && c.fatal(p.err) {
				return p.err
			}
			c.check(p)
			c.remember(p)
			now = c.step(now, p)
			t := c.commitTime(now, p, lastTime, lastVersion)
			lastTime, lastVersion = t, v
		}
		if now != nil && now.version != v {
			now = nil
		}
		for _, files := range c.dir.checkpoints[v] {
			base, err := c.checkpoint(now, v, files)
			if err != nil {
				return err
			}
			if now == nil {
				now = base
			}
		}
		if err := c.checksum(now, p, v); err != nil {
			return err
		}
		if c.ended {
			return errEnded
		}
	}
	if now != nil {
		c.rules(now)
	}
	return c.ctx.Err()
}

// step applies a commit; nil when the state before it, or the commit, is not known.
func (c *Check) step(now *state, p *page) *state {
	if now == nil || now.version != p.version-1 || p.err != nil || p.empty {
		return nil
	}
	before := now.totals
	now.facts(p)
	now.version = p.version
	for i := range p.files {
		if e := &p.files[i]; e.remove && !now.remove(e) && !isVectorFile(e.path) {
			f := on(e.raw, p.version)
			f.Line = e.line
			what := "the file was no part of the table"
			if e.vector != "" {
				what = "the file was no part of the table with this deletion vector"
			}
			c.report(RemoveWithoutAdd, f, "%s", what)
		}
	}
	for i := range p.files {
		if e := &p.files[i]; !e.remove && now.add(e) {
			f := on(e.raw, p.version)
			f.Line = e.line
			c.report(LiveTwice, f, "it is added while it is part of the table with another deletion vector")
		}
	}
	if before.Metadata == nil && now.totals.Metadata == nil && p.version == 0 {
		c.report(NoMetadata, on(deltalog.CommitPath(0), 0), "the first commit has no metaData action")
	}
	if before.Protocol == nil && now.totals.Protocol == nil && p.version == 0 {
		c.report(NoProtocol, on(deltalog.CommitPath(0), 0), "the first commit has no protocol action")
	}
	return now
}

// isVectorFile knows the files of deletion vectors by their names: dropping the
// feature removes them like data files, so that VACUUM finds them.
func isVectorFile(name string) bool {
	name = path.Base(name)
	return strings.HasPrefix(name, "deletion_vector_") && strings.HasSuffix(name, ".bin")
}

// commitTime holds a commit's own time against that of the version before
// (PROTOCOL.md, In-Commit Timestamps), and returns it; 0 for none.
func (c *Check) commitTime(now *state, p *page, last, lastVersion int64) int64 {
	if p.err != nil || p.empty {
		return 0
	}
	key := deltalog.CommitPath(p.version)
	if p.info == nil || p.info.InCommitTimestamp == nil {
		if now != nil && now.totals.Metadata != nil && feature.InCommitTimestamps(now.totals.Metadata) {
			c.report(TimestampMissing, on(key, p.version), "the commit has no inCommitTimestamp, which the table demands")
		}
		return 0
	}
	t := *p.info.InCommitTimestamp
	if last != 0 && lastVersion == p.version-1 && t <= last {
		c.report(TimestampOrder, on(key, p.version), "its inCommitTimestamp %d is not later than %d, that of version %d", t, last, lastVersion)
	}
	return t
}

// rules looks at protocol and metadata of the newest version that was replayed.
func (c *Check) rules(now *state) {
	f := at(now.version)
	p, md := now.totals.Protocol, now.totals.Metadata
	if p == nil && c.sum.Codes[NoProtocol] == 0 {
		c.report(NoProtocol, f, "the log has no protocol action")
	}
	if md == nil && c.sum.Codes[NoMetadata] == 0 {
		c.report(NoMetadata, f, "the log has no metaData action")
	}
	if p != nil {
		var bad *feature.Error
		if err := feature.CheckRead(p); errors.As(err, &bad) {
			c.report(UnsupportedProtocol, f, "%s", bad.Msg)
		}
		for _, what := range oddProtocol(p.MinReaderVersion, p.MinWriterVersion, p.ReaderFeatures, p.WriterFeatures) {
			c.report(ProtocolFeatures, f, "%s", what)
		}
	}
	if md != nil && c.sum.Codes[UnsupportedProtocol] == 0 {
		if _, err := feature.Mapping(md, nil); err != nil {
			c.report(BadMetadata, f, "%s", plain(err))
		}
	}
}

// oddProtocol says where versions and lists of features do not fit (PROTOCOL.md,
// Protocol Evolution).
func oddProtocol(reader, writer int32, readerFeatures, writerFeatures []string) (out []string) {
	if reader < feature.MaxReaderVersion && len(readerFeatures) > 0 {
		out = append(out, fmt.Sprintf("it lists reader features, but its reader version is %d", reader))
	}
	if writer < feature.MaxWriterVersion && len(writerFeatures) > 0 {
		out = append(out, fmt.Sprintf("it lists writer features, but its writer version is %d", writer))
	}
	if reader >= feature.MaxReaderVersion && writer < feature.MaxWriterVersion {
		out = append(out, fmt.Sprintf("reader version %d needs writer version %d, it is %d", reader, feature.MaxWriterVersion, writer))
	}
	for _, name := range readerFeatures {
		if writer >= feature.MaxWriterVersion && !slices.Contains(writerFeatures, name) {
			out = append(out, fmt.Sprintf("the reader feature %s is not among the writer features", name))
		}
	}
	return out
}
