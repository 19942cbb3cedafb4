package parquetio

import (
	"encoding/binary"
	"errors"
	"math/bits"
	"sync"

	"github.com/apache/arrow-go/v18/arrow/memory"
	"github.com/apache/arrow-go/v18/parquet"
	"github.com/apache/arrow-go/v18/parquet/file"
	"github.com/apache/arrow-go/v18/parquet/schema"
)

// fixedPages reads the pages of a column of values of one length. The Java
// library writes them as DELTA_BYTE_ARRAY in pages of the second version, which
// arrow-go reads for values of varying length only: such pages become PLAIN ones
// here (Encodings.md, Delta Strings).
type fixedPages struct {
	file.PageReader
	descr *schema.Column
	page  file.Page
	err   error
}

var errDelta = errors.New("a page of delta-encoded values is damaged")

// fixedReader is a column reader whose pages go through fixedPages.
func fixedReader(descr *schema.Column, pages file.PageReader) file.ColumnChunkReader {
	pool := &sync.Pool{New: func() any { return memory.NewResizableBuffer(memory.DefaultAllocator) }}
	return file.NewColumnReader(descr, &fixedPages{PageReader: pages, descr: descr}, memory.DefaultAllocator, pool)
}

// Next implements file.PageReader.
func (p *fixedPages) Next() bool {
	ok := p.PageReader.Next()
	p.take()
	return ok && p.err == nil
}

// SeekToPageWithRow implements file.PageReader.
func (p *fixedPages) SeekToPageWithRow(row int64) error {
	if err := p.PageReader.SeekToPageWithRow(row); err != nil {
		return err
	}
	p.take()
	return p.err
}

// Page implements file.PageReader.
func (p *fixedPages) Page() file.Page { return p.page }

// Err implements file.PageReader.
func (p *fixedPages) Err() error { return errors.Join(p.err, p.PageReader.Err()) }

func (p *fixedPages) take() {
	p.page, p.err = p.PageReader.Page(), nil
	if p.page == nil || parquet.Encoding(p.page.Encoding()) != parquet.Encodings.DeltaByteArray {
		return
	}
	data := p.page.Data()
	switch x := p.page.(type) {
	case *file.DataPageV1:
		levels, ok := p.levelsV1(x, data)
		if !ok {
			p.err = errDelta
			return
		}
		plain, err := p.plain(data, levels, x.NumValues())
		p.err = err
		p.page = file.NewDataPageV1WithConfig(plain, parquet.Encoding(x.DefinitionLevelEncoding()), parquet.Encoding(x.RepetitionLevelEncoding()),
			file.DataPageConfig{Num: x.NumValues(), Encoding: parquet.Encodings.Plain, UncompressedSize: int32(plain.Len()), FirstRowIndex: x.FirstRowIndex()})
	case *file.DataPageV2:
		plain, err := p.plain(data, int(x.DefinitionLevelByteLen())+int(x.RepetitionLevelByteLen()), x.NumValues())
		p.err = err
		p.page = file.NewDataPageV2WithConfig(plain, x.NumNulls(), x.NumRows(), x.DefinitionLevelByteLen(), x.RepetitionLevelByteLen(), false,
			file.DataPageConfig{Num: x.NumValues(), Encoding: parquet.Encodings.Plain, UncompressedSize: int32(plain.Len()), FirstRowIndex: x.FirstRowIndex()})
	}
}

// levelsV1 is how many bytes the levels of a page of the first version take.
func (p *fixedPages) levelsV1(x *file.DataPageV1, data []byte) (n int, ok bool) {
	for _, l := range []struct {
		most int16
		enc  parquet.Encoding
	}{{p.descr.MaxRepetitionLevel(), parquet.Encoding(x.RepetitionLevelEncoding())}, {p.descr.MaxDefinitionLevel(), parquet.Encoding(x.DefinitionLevelEncoding())}} {
		switch {
		case l.most == 0:
		case l.enc == parquet.Encodings.BitPacked:
			n += (int(x.NumValues())*bits.Len16(uint16(l.most)) + 7) / 8
		case len(data) < n+4:
			return 0, false
		default:
			n += 4 + int(binary.LittleEndian.Uint32(data[n:]))
		}
		if n > len(data) {
			return 0, false
		}
	}
	return n, true
}

// plain copies the levels and spells the values out behind them.
func (p *fixedPages) plain(data []byte, levels int, values int32) (*memory.Buffer, error) {
	none := memory.NewBufferBytes(nil)
	if levels < 0 || levels > len(data) {
		return none, errDelta
	}
	width, rest := p.descr.TypeLength(), data[levels:]
	if len(rest) == 0 { // NULL only
		return memory.NewBufferBytes(append([]byte{}, data...)), nil
	}
	prefixes, rest, ok := deltaInts(rest, int(values))
	if !ok || len(prefixes)*width > mostPage {
		return none, errDelta
	}
	suffixes, rest, ok := deltaInts(rest, int(values))
	if !ok || len(suffixes) != len(prefixes) {
		return none, errDelta
	}
	out := make([]byte, levels, levels+len(prefixes)*width)
	copy(out, data)
	for i, keep := range prefixes {
		add := suffixes[i]
		if keep < 0 || add < 0 || keep+add != int64(width) || add > int64(len(rest)) || i == 0 && keep > 0 {
			return none, errDelta
		}
		if keep > 0 {
			last := len(out) - width
			out = append(out, out[last:last+int(keep)]...)
		}
		out, rest = append(out, rest[:add]...), rest[add:]
	}
	return memory.NewBufferBytes(out), nil
}

// deltaInts decodes DELTA_BINARY_PACKED numbers, at most so many, and returns
// what follows them (Encodings.md, Delta Encoding).
func deltaInts(b []byte, most int) (out []int64, rest []byte, ok bool) {
	uvarint := func() uint64 {
		v, n := binary.Uvarint(b)
		if n <= 0 {
			ok = false
			return 0
		}
		b = b[n:]
		return v
	}
	zigzag := func() int64 {
		v := uvarint()
		return int64(v>>1) ^ -int64(v&1)
	}
	ok = true
	block, minis, total, last := uvarint(), uvarint(), uvarint(), zigzag()
	if !ok || total > uint64(most) || minis == 0 || block == 0 || block > 1<<20 || block%minis != 0 || block/minis%8 != 0 {
		return nil, nil, false
	}
	if total == 0 {
		return nil, b, true
	}
	per := int(block / minis)
	out = append(out, last)
	for len(out) < int(total) {
		least := zigzag()
		if !ok || uint64(len(b)) < minis {
			return nil, nil, false
		}
		widths := b[:minis]
		b = b[minis:]
		for _, w := range widths {
			if len(out) == int(total) {
				break // the widths of mini-blocks that are not there mean nothing
			}
			size := per / 8 * int(w)
			if w > 64 || size > len(b) {
				return nil, nil, false
			}
			for i := 0; i < per && len(out) < int(total); i++ {
				last += least + int64(unpack(b, i*int(w), int(w)))
				out = append(out, last)
			}
			b = b[size:]
		}
	}
	return out, b, true
}

// unpack reads a number of width bits at a bit offset, lowest bit first.
func unpack(b []byte, at, width int) (v uint64) {
	for got := 0; got < width; {
		in := at & 7
		take := min(8-in, width-got)
		v |= uint64(b[at>>3]>>in&(1<<take-1)) << got
		got, at = got+take, at+take
	}
	return v
}
