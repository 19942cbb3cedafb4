package snapshot

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"reflect"
	"time"

	"github.com/sluicelake/sluice/action"
	"github.com/sluicelake/sluice/internal/base/env"
	"github.com/sluicelake/sluice/internal/format/deltalog"
	"github.com/sluicelake/sluice/internal/table/feature"
	"github.com/sluicelake/sluice/storage"
	"github.com/sluicelake/sluice/types"
)

// Head is what a version says of its table apart from the files: schema,
// properties, protocol, applications, domains. It costs a few small requests
// where the version has a checksum file, and otherwise what reading the log
// without its files costs, however many these are.
type Head struct {
	s     *Snapshot // without files
	files int64     // -1 when not known
	bytes int64
}

// LoadHead reads the head of a version, with the errors of Load. The version
// checksum is believed where it agrees with the version's commit (PROTOCOL.md,
// Version Checksum File); damage among the files of the log goes unnoticed.
func LoadHead(ctx context.Context, e *env.Env, b *storage.Bucket, at At) (*Head, error) {
	var files, size int64 = -1, -1
	s, err := open(ctx, e, b, at, func(dir *logDirectory, want int64) (*Snapshot, error) {
		s, c, err := dir.fromChecksum(ctx, e, b, want)
		if err != nil {
			return nil, err
		}
		if s != nil {
			files, size = c.NumFiles, c.TableSizeBytes
			return s, nil
		}
		files, size = -1, -1
		return load(ctx, e, b, dir, want, headOnly)
	})
	if err != nil {
		return nil, err
	}
	return &Head{s: s, files: files, bytes: size}, nil
}

// Version is the version's number.
func (h *Head) Version() int64 { return h.s.version }

// Timestamp is the time of the version's commit, see Snapshot.Timestamp.
func (h *Head) Timestamp() time.Time { return h.s.Timestamp() }

// Protocol is shared: do not change it.
func (h *Head) Protocol() *action.Protocol { return h.s.protocol }

// Metadata is shared: do not change it.
func (h *Head) Metadata() *action.Metadata { return h.s.metadata }

// Schema is the table's schema with logical names.
func (h *Head) Schema() *types.Struct { return h.s.columns.Logical }

// Columns is the schema under its logical and its physical names.
func (h *Head) Columns() *feature.Columns { return h.s.columns }

// PartitionColumns are the logical names of the partition columns, in order.
func (h *Head) PartitionColumns() []string { return h.s.columns.Partition }

// Txns holds the last commit of each application by its id.
func (h *Head) Txns() map[string]action.Txn { return h.s.Txns() }

// Domains holds the domain metadata by name, without removed domains.
func (h *Head) Domains() map[string]action.DomainMetadata { return h.s.Domains() }

// NumFiles is the number of live files and SizeInBytes their size together; ok
// is false when only reading the files can tell.
func (h *Head) NumFiles() (n int64, ok bool) { return max(h.files, 0), h.files >= 0 }

// SizeInBytes is the size of the live files, see NumFiles.
func (h *Head) SizeInBytes() (n int64, ok bool) { return max(h.bytes, 0), h.files >= 0 }

// errDisagrees is a version checksum that cannot belong to the version.
var errDisagrees = errors.New("it disagrees with the commit of its version")

// fromChecksum makes the head of a version from its checksum file and its own
// commit; nil when there is no such file, or it is damaged, says too little, or
// disagrees with the commit. Then the log has to be read.
func (d *logDirectory) fromChecksum(ctx context.Context, e *env.Env, b *storage.Bucket, want int64) (*Snapshot, *checksum, error) {
	commit, published := d.commits[want]
	if !d.checksums[want] || !published || commit.Size >= largeFrom || want == 0 {
		return nil, nil, nil // version 0 is its commit
	}
	data, _, err := b.Get(ctx, deltalog.ChecksumPath(want))
	if errors.Is(err, storage.ErrNotExist) {
		return nil, nil, nil
	}
	if err != nil {
		return nil, nil, err
	}
	var c checksum
	s := &Snapshot{env: e, bucket: b, version: want, probed: e.Now()}
	if json.Unmarshal(data, &c) != nil || !s.restore(&c) {
		return nil, nil, nil
	}
	if data, _, err = b.Get(ctx, commit.Key); err != nil {
		return nil, nil, err
	}
	w := newWorker(headOnly)
	batches, err := w.scan(data, commit.Key, 1, true)
	if err != nil {
		return nil, nil, damaged(b, commit.Key, want, err)
	}
	for _, x := range batches {
		if x.info != nil {
			s.info = x.info
		}
		if err := s.agrees(&c, x); err != nil {
			e.Log.Warn("the version checksum is not used; the log is read", "table", b.URL(), "version", want, "error", err)
			return nil, nil, nil
		}
	}
	s.time = d.commitTime(want)
	return s, &c, s.finish()
}

// restore takes the state from a checksum; false when it does not say enough.
func (s *Snapshot) restore(c *checksum) bool {
	if c.NumMetadata != 1 || c.NumProtocol != 1 || c.NumFiles < 0 || c.TableSizeBytes < 0 || c.SetTransactions == nil {
		return false
	}
	var text []byte
	line := func(key string, raw json.RawMessage) {
		text = fmt.Appendf(text, `{%q:`, key)
		text = append(append(text, bytes.ReplaceAll(raw, []byte("\n"), []byte(" "))...), "}\n"...)
	}
	line("metaData", c.Metadata)
	line("protocol", c.Protocol)
	for _, t := range c.SetTransactions {
		line("txn", t)
	}
	for _, d := range c.DomainMetadata {
		line("domainMetadata", d)
	}
	w := newWorker(headOnly)
	batches, err := w.scan(text, "version checksum", 1, true)
	if err != nil || len(batches) != 1 {
		return false
	}
	if s.replayTable(batches[0]); s.protocol == nil || s.metadata == nil {
		return false
	}
	return c.DomainMetadata != nil || !feature.Supports(s.protocol, "domainMetadata")
}

// agrees compares what a commit says with the state after it.
func (s *Snapshot) agrees(c *checksum, b *batch) error {
	wrong := func(what string) error { return fmt.Errorf("%w: %s", errDisagrees, what) }
	if b.protocol != nil && !reflect.DeepEqual(b.protocol, s.protocol) {
		return wrong("protocol")
	}
	if b.metadata != nil && !reflect.DeepEqual(b.metadata, s.metadata) {
		return wrong("metadata")
	}
	for _, t := range b.txns {
		if have, ok := s.txns.get(t.AppID); !ok || have.Version != t.Version {
			return wrong("the transactions of " + t.AppID)
		}
	}
	for _, d := range b.domains {
		if have, ok := s.domains.get(d.Domain); ok == d.Removed || ok && have.Configuration != d.Configuration {
			return wrong("the domain " + d.Domain)
		}
	}
	if i := b.info; i != nil {
		if c.TxnID != "" && i.TxnID != nil && *i.TxnID != c.TxnID {
			return wrong("txnId")
		}
		if c.InCommitTimestamp != nil && i.InCommitTimestamp != nil && *i.InCommitTimestamp != *c.InCommitTimestamp {
			return wrong("inCommitTimestamp")
		}
	}
	return nil
}
