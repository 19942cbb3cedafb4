package parquetio

import (
	"bytes"
	"context"
	"io"
	"math"
	"slices"

	"github.com/apache/arrow-go/v18/arrow"
	"github.com/apache/arrow-go/v18/parquet/metadata"

	"github.com/sluicelake/sluice/types"
)

// join copies the pages of a leaf of all parts, one behind the other.
func (s *Splicer) join(leaf int) error {
	chunk := s.parts[0].f.md.RowGroups[s.parts[0].group].Columns[leaf]
	md := chunk.MetaData
	begin := s.sink.n
	offsets, bounds := &metadata.OffsetIndexBuilder{}, metadata.NewColumnIndexBuilder(s.out.Schema.Column(leaf))
	located, bounded := !s.opts.NoPageIndex, !s.opts.NoPageIndex
	stats := s.merged(leaf)
	var values, raw, rows int64
	for i, p := range s.parts {
		g := &p.f.meta.groups[p.group]
		k := &g.chunks[leaf]
		from, to, err := k.bytes(p.f.src.size)
		if err != nil {
			return p.f.wrap(err)
		}
		if i == 0 && k.dictAt > 0 {
			at := s.sink.n
			if _, err := s.sink.Write(p.data[from-p.from : k.dataAt-p.from]); err != nil {
				return err
			}
			md.DictionaryPageOffset = &at
		} else {
			md.DictionaryPageOffset = nil
		}
		if i == 0 {
			md.DataPageOffset = s.sink.n
		}
		located = located && p.offsets(leaf, s.sink.n-k.dataAt, rows, offsets)
		bounded = bounded && located && p.pageBounds(leaf, bounds)
		if _, err := s.sink.Write(p.data[k.dataAt-p.from : to-p.from]); err != nil {
			return err
		}
		other := p.f.md.RowGroups[p.group].Columns[leaf].MetaData
		values += other.NumValues
		raw += other.TotalUncompressedSize
		rows += g.rows
		if i == 0 {
			continue
		}
		for _, e := range other.Encodings {
			if !slices.Contains(md.Encodings, e) {
				md.Encodings = append(md.Encodings, e)
			}
		}
		if other.EncodingStats == nil {
			md.EncodingStats = nil
		}
		for _, e := range other.EncodingStats {
			known := md.EncodingStats == nil
			for _, have := range md.EncodingStats {
				if !known && have.PageType == e.PageType && have.Encoding == e.Encoding {
					have.Count += e.Count
					known = true
				}
			}
			if !known {
				md.EncodingStats = append(md.EncodingStats, e)
			}
		}
	}
	md.NumValues, md.TotalUncompressedSize, md.TotalCompressedSize = values, raw, s.sink.n-begin
	md.IndexPageOffset, md.BloomFilterOffset, md.BloomFilterLength = nil, nil, nil
	md.SizeStatistics, md.GeospatialStatistics, md.KeyValueMetadata = nil, nil, nil
	if len(s.parts) > 1 {
		md.Statistics = nil
		if stats != nil {
			md.Statistics = stats.ToThrift()
		}
	}
	chunk.FileOffset = begin
	chunk.OffsetIndexOffset, chunk.OffsetIndexLength, chunk.ColumnIndexOffset, chunk.ColumnIndexLength = nil, nil, nil, nil
	s.index = append(s.index, func() error {
		if bounded {
			if err := bounds.Finish(); err != nil {
				return err
			}
			at := s.sink.n
			if n, err := bounds.WriteTo(s.sink, nil); err != nil {
				return err
			} else if length := int32(n); n > 0 {
				chunk.ColumnIndexOffset, chunk.ColumnIndexLength = &at, &length
			}
		}
		if !located {
			return nil
		}
		if err := offsets.Finish(0); err != nil {
			return err
		}
		at := s.sink.n
		n, err := offsets.WriteTo(s.sink, nil)
		if length := int32(n); n > 0 {
			chunk.OffsetIndexOffset, chunk.OffsetIndexLength = &at, &length
		}
		return err
	})
	return nil
}

// merged joins the statistics of the parts; nil when they say nothing.
func (s *Splicer) merged(leaf int) *metadata.EncodedStatistics {
	if len(s.parts) == 1 {
		return nil
	}
	var all metadata.TypedStatistics
	var nulls int64
	counted, bounded := true, true
	for _, p := range s.parts {
		chunk, err := p.f.md.RowGroup(p.group).ColumnChunk(leaf)
		if err != nil {
			return nil
		}
		raw := p.f.md.RowGroups[p.group].Columns[leaf].MetaData
		if raw.Statistics == nil || raw.Statistics.NullCount == nil {
			return nil
		}
		nulls += *raw.Statistics.NullCount
		if raw.NumValues == *raw.Statistics.NullCount {
			continue // no value, no bounds
		}
		if raw.Statistics.MinValue == nil || raw.Statistics.MaxValue == nil {
			bounded = false
			continue
		}
		st, err := chunk.Statistics()
		switch {
		case err != nil || st == nil || !st.HasMinMax():
			bounded = false
		case all == nil:
			all = st
		default:
			all.Merge(st)
		}
	}
	out := &metadata.EncodedStatistics{HasNullCount: counted, NullCount: nulls}
	if bounded && all != nil {
		out.SetMin(all.EncodeMin())
		out.SetMax(all.EncodeMax())
	}
	return out
}

// offsets enters where the pages of a leaf will lie; false when the file does not
// tell where they are.
func (p *splicePart) offsets(leaf int, shift, rows int64, into *metadata.OffsetIndexBuilder) (ok bool) {
	raw := p.index[leaf].offsets
	if raw == nil {
		return false
	}
	defer func() { ok = recover() == nil && ok }() // a damaged index is none
	for _, l := range metadata.NewOffsetIndex(raw, nil, nil).GetPageLocations() {
		if into.AddPage(l.Offset+shift, l.FirstRowIndex+rows, l.CompressedPageSize) != nil {
			return false
		}
	}
	return true
}

// pageBounds enters the bounds of the pages of a leaf; false when there are none.
func (p *splicePart) pageBounds(leaf int, into metadata.ColumnIndexBuilder) (ok bool) {
	raw := p.index[leaf].bounds
	if raw == nil {
		return false
	}
	defer func() { ok = recover() == nil && ok }() // a damaged index is none
	idx := metadata.NewColumnIndex(p.f.md.Schema.Column(leaf), raw, nil, nil)
	los, his, nulls := idx.GetMinValues(), idx.GetMaxValues(), idx.GetNullCounts()
	for i, none := range idx.GetNullPages() {
		st := &metadata.EncodedStatistics{AllNullValue: none, HasMin: !none, HasMax: !none}
		if !none {
			st.Min, st.Max = los[i], his[i]
		}
		if i < len(nulls) {
			st.HasNullCount, st.NullCount = true, nulls[i]
		}
		if into.AddPage(st) != nil {
			return false
		}
	}
	return true
}

// encode decodes a column of all parts and writes it again.
func (s *Splicer) encode(ctx context.Context, root *node, leaf, leaves int) error {
	one := types.NewStruct(s.schema.Fields[root.ordinal])
	opts := s.opts
	opts.RowGroupRows, opts.RowGroupBytes = math.MaxInt, math.MaxInt64
	var buf bytes.Buffer
	var expect int64
	for _, p := range s.parts {
		for _, c := range p.f.md.RowGroups[p.group].Columns[leaf : leaf+leaves] {
			expect += c.MetaData.TotalCompressedSize
		}
	}
	if expect += expect/8 + 1<<16; expect < 2*s.opts.RowGroupBytes { // what a footer says is not believed without limit
		buf.Grow(int(expect))
	}
	w, err := NewFileWriter(&buf, one, opts)
	if err != nil {
		return err
	}
	for _, p := range s.parts {
		f := *p.f
		f.src.r, f.src.cheap = held{p.data, p.from}, true
		rows := []RowRange{{p.first, p.first + p.f.meta.groups[p.group].rows}}
		for b, err := range f.Read(ctx, Query{Schema: s.schema, Columns: []int{root.ordinal}, Rows: rows}) {
			if err != nil {
				return err
			}
			if err := w.WriteColumns([]arrow.Array{b.Columns[root.ordinal]}, b.Rows); err != nil {
				return err
			}
		}
	}
	if _, err := w.Close(); err != nil {
		return err
	}
	name := "a column that is written again"
	f, err := Open(bytes.NewReader(buf.Bytes()), int64(buf.Len()), OpenOptions{Name: name})
	if err != nil {
		return err
	}
	// Its one row group takes the place of the first part for these leaves.
	group := &s.parts[0].f.md.RowGroups[s.parts[0].group]
	sub := &Splicer{sink: s.sink, opts: s.opts, out: f.md, parts: []splicePart{{f: f, data: buf.Bytes()}}}
	if err := sub.parts[0].readIndex(); err != nil {
		return err
	}
	for l := range leaves {
		if err := sub.join(l); err != nil {
			return err
		}
		(*group).Columns[leaf+l] = f.md.RowGroups[0].Columns[l]
	}
	s.index = append(s.index, sub.index...)
	sub.parts = nil // the page index is all that is still to be written
	return nil
}

// held is a file of which a part is in memory.
type held struct {
	data []byte
	from int64
}

func (h held) ReadAt(b []byte, at int64) (int, error) {
	if at >= h.from && at+int64(len(b)) <= h.from+int64(len(h.data)) {
		return copy(b, h.data[at-h.from:]), nil
	}
	return 0, io.ErrUnexpectedEOF
}
