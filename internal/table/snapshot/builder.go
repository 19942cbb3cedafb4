package snapshot

import (
	"bytes"
	"errors"
	"fmt"
	"strconv"

	"github.com/sluicelake/sluice/action"
)

// A batch is what one piece of the log says, parsed without knowledge of the
// rest; batches are made in parallel and applied in order.
type batch struct {
	adds, removes part
	following     int // adds in the batches of the same file behind this one

	protocol *action.Protocol
	metadata *action.Metadata
	info     *action.CommitInfo
	txns     []*action.Txn
	domains  []*action.DomainMetadata
	sidecars []*action.Sidecar
	head     *action.CheckpointMetadata
	sidecar  *sidecar // from which the files were read; nil for none
}

// part holds files of a batch; tuples are numbers in its own dictionary.
type part struct {
	chunk *chunk
	dict  dictionary
	line  []uint32 // where each file stands in the commit
}

// builder collects a batch from a scanner. It is reused, and the batches that
// it gives away are exactly as large as they have to be.
type builder struct {
	b             batch
	adds, removes partBuilder
	emit          func(*batch) // receives a batch that has become long
	limit, spent  int64        // bytes that files may take, 0 for any, and have taken
	later         *leftover    // of the checkpoint file that is being read, when it keeps statistics
}

type partBuilder struct {
	part
	lastRaw   []byte
	lastTuple uint32
	stats     []byte
	rest      []byte
}

// Blocks of seldom needed fields must stay addressable. Statistics of that
// length are worth nothing.
const (
	maxStats = 8 << 20
	maxRest  = 8 << 20
)

func newBuilder() *builder {
	b := &builder{}
	b.adds.chunk, b.removes.chunk = &chunk{}, &chunk{}
	b.adds.reset()
	b.removes.reset()
	return b
}

func (p *partBuilder) reset() {
	p.chunk.reset()
	p.dict = dictionary{}
	p.line = p.line[:0]
	p.lastRaw = p.lastRaw[:0]
}

func (p *partBuilder) take() part {
	out := part{dict: p.dict, line: bytesClone(p.line), chunk: p.chunk.clone()}
	p.reset()
	return out
}

func bytesClone(s []uint32) []uint32 { return append(make([]uint32, 0, len(s)), s...) }

// take gives the batch away and starts the next.
func (b *builder) take() *batch {
	out := b.b
	out.adds, out.removes = b.takeAdds(), b.removes.take()
	b.b = batch{}
	return &out
}

func (b *builder) takeAdds() part {
	if b.later != nil {
		b.adds.chunk.records = nil // nobody will ask, see left
	}
	out := b.adds.take()
	if b.later != nil && out.chunk.len() > 0 {
		b.later.adopt(out.chunk, out.line)
	}
	return out
}

// handler receives what the snapshot needs from a scanner.
func (b *builder) handler() *action.Handler {
	return &action.Handler{
		Add:    func(f *action.File) error { return b.file(&b.adds, f, false) },
		Remove: func(f *action.File) error { return b.file(&b.removes, f, true) },
		Metadata: func(m *action.Metadata) error {
			b.b.metadata = m
			return nil
		},
		Protocol: func(p *action.Protocol) error {
			b.b.protocol = p
			return nil
		},
		Txn: func(t *action.Txn) error {
			b.b.txns = append(b.b.txns, t)
			return nil
		},
		DomainMetadata: func(d *action.DomainMetadata) error {
			b.b.domains = append(b.b.domains, d)
			return nil
		},
		CommitInfo: func(c *action.CommitInfo) error {
			if b.b.info == nil {
				b.b.info = c
			}
			return nil
		},
		Sidecar: func(s *action.Sidecar) error {
			b.b.sidecars = append(b.b.sidecars, s)
			return nil
		},
		CheckpointMetadata: func(c *action.CheckpointMetadata) error {
			b.b.head = c
			return nil
		},
	}
}

// file enters a file. A long batch is cut; what it holds besides files goes
// with its last piece, which does no harm: only files depend on their order.
func (b *builder) file(p *partBuilder, f *action.File, remove bool) error {
	before := len(p.chunk.paths)
	if err := p.file(f, remove); err != nil {
		return err
	}
	b.spent += int64(len(p.chunk.paths) - before + len(f.PartitionValues) + len(p.rest))
	if b.limit > 0 && b.spent > b.limit {
		return fmt.Errorf("its files take more than %d bytes: that is no checkpoint", b.limit)
	}
	if b.emit != nil && (p.chunk.len() >= batchRows || p.chunk.full()) {
		b.emit(&batch{adds: b.takeAdds(), removes: b.removes.take()})
	}
	return nil
}

// discard forgets what an unfinished batch holds.
func (b *builder) discard() {
	b.b, b.emit, b.later, b.limit, b.spent = batch{}, nil, nil, 0, 0
	b.adds.reset()
	b.removes.reset()
}

func (p *partBuilder) file(f *action.File, remove bool) error {
	raw := f.PartitionValues
	if raw == nil && !remove {
		raw = []byte("{}")
	}
	if p.chunk.len() == 0 || !bytes.Equal(raw, p.lastRaw) {
		n, known := p.dict.number[string(raw)]
		if !known {
			if err := texts(f, raw, "partitionValues"); err != nil {
				return err
			}
			n = p.dict.put(string(raw))
		}
		p.lastRaw, p.lastTuple = append(p.lastRaw[:0], raw...), n
	}
	if err := texts(f, f.Tags, "tags"); err != nil {
		return err
	}
	stats, plain := f.Stats.Plain()
	if !plain {
		p.stats = f.Stats.Append(p.stats[:0])
		stats = p.stats
	}
	if len(stats) > maxStats {
		stats = nil
	}
	dv, err := f.Dv()
	if err != nil {
		return malformed(f, "deletionVector", err)
	}
	r := row{size: f.Size, modTime: f.ModificationTime, records: numRecords(stats), tuple: p.lastTuple, vector: dv, stats: stats}
	p.rest = appendRest(p.rest[:0], f, remove)
	if len(p.rest) > maxRest {
		return malformed(f, "tags and unknown fields", fmt.Errorf("%d bytes are more than %d", len(p.rest), maxRest))
	}
	r.rest = p.rest
	if remove {
		r.modTime, r.records = f.DeletionTimestamp, -1
	}
	p.chunk.paths = f.Path.Append(p.chunk.paths)
	p.chunk.add(r)
	p.line = append(p.line, uint32(f.Line))
	return nil
}

// texts checks that a raw object holds texts, so that it can be decoded later
// without an error.
func texts(f *action.File, raw []byte, what string) error {
	if len(raw) <= len("{}") {
		return nil
	}
	if err := action.WalkPartitionValues(raw, func(_, _ action.Text, _ bool) bool { return true }); err != nil {
		return malformed(f, what, err)
	}
	return nil
}

func malformed(f *action.File, what string, err error) error {
	column, msg := 1, err.Error()
	var s *action.SyntaxError
	if errors.As(err, &s) {
		column, msg = s.Column, s.Msg
	}
	return &action.SyntaxError{Line: f.Line, Column: column, Msg: what + ": " + msg}
}

// appendRest writes the fields that have no column as members of a JSON object.
func appendRest(dst []byte, f *action.File, remove bool) []byte {
	member := func(name string) {
		if len(dst) > 0 {
			dst = append(dst, ',')
		}
		dst = append(action.AppendQuoted(dst, name), ':')
	}
	number := func(is action.Field, name string, n int64) {
		if f.Has&is != 0 {
			member(name)
			dst = strconv.AppendInt(dst, n, 10)
		}
	}
	if remove {
		number(action.HasSize, "size", f.Size)
		number(action.HasDeletionTimestamp, "deletionTimestamp", f.DeletionTimestamp)
		if f.Has&action.HasExtendedFileMetadata != 0 {
			member("extendedFileMetadata")
			dst = strconv.AppendBool(dst, f.ExtendedFileMetadata)
		}
	}
	if f.Tags != nil {
		member("tags")
		dst = append(dst, f.Tags...)
	}
	number(action.HasBaseRowID, "baseRowId", f.BaseRowID)
	number(action.HasDefaultRowCommitVersion, "defaultRowCommitVersion", f.DefaultRowCommitVersion)
	if f.Has&action.HasProvider != 0 {
		member("clusteringProvider")
		dst = action.AppendQuoted(dst, f.Provider.String())
	}
	for _, m := range f.Extra {
		member(m.Key.String())
		dst = append(dst, m.Value...)
	}
	return dst
}

// numRecords finds the number of records in statistics, -1 when they do not say.
func numRecords(stats []byte) int64 {
	const first = `{"numRecords":`
	if len(stats) > len(first) && string(stats[:len(first)]) == first {
		if n, rest := digits(stats[len(first):]); len(rest) > 0 && (rest[0] == ',' || rest[0] == '}') {
			return n
		}
	}
	n := int64(-1)
	if len(stats) == 0 || !bytes.Contains(stats, []byte("numRecords")) {
		return n
	}
	err := action.WalkObject(stats, func(k action.Text, v []byte) bool {
		if k.Is("numRecords") {
			if m, rest := digits(v); len(v) > 0 && len(rest) == 0 {
				n = m
			}
		}
		return true
	})
	if err != nil {
		return -1
	}
	return n
}

// digits reads a number of up to 18 digits; the whole text is the rest when there is none.
func digits(b []byte) (int64, []byte) {
	var n int64
	i := 0
	for ; i < len(b) && i < 18 && b[i]-'0' <= 9; i++ {
		n = n*10 + int64(b[i]-'0')
	}
	if i == 0 {
		return 0, []byte("x")
	}
	return n, b[i:]
}
