package parquetio

import (
	"encoding/binary"
	"errors"
	"fmt"

	"github.com/apache/arrow-go/v18/parquet"
	"github.com/apache/arrow-go/v18/parquet/metadata"
)

// fileMeta is what the reader needs of a footer beyond what arrow-go itself
// uses: the schema as the dialects are told apart by it, and where bytes lie.
type fileMeta struct {
	rows   int64
	groups []rowGroup
	root   *parquetNode
	leaves []*parquetNode
	ids    bool  // some column has a field id
	page   int64 // no page is larger
}

type rowGroup struct {
	ordinal int
	rows    int64
	chunks  []chunkMeta
}

// bytes is the compressed size of some columns.
func (g *rowGroup) bytes(leaves []int) (n int64) {
	for _, l := range leaves {
		n += max(g.chunks[l].size, 0)
	}
	return n
}

type chunkMeta struct {
	size           int64
	dataAt, dictAt int64 // dictAt 0: none
	stats          pageBounds
	hasStats       bool
	offsetIndex    bool
	columnIndex    bool
}

// pageBounds are the statistics of a chunk or of a page.
type pageBounds struct {
	lo, hi  []byte // nil: unknown
	nulls   int64  // -1: unknown
	allNull bool
	legacy  bool // from the deprecated fields: signed comparison
}

const (
	magic      = "PAR1"
	footerTail = 8
	// oldPadding is how far a chunk may reach behind its claimed end in files of
	// parquet-mr before 1.2.9, which forgot the header of the dictionary (PARQUET-816).
	oldPadding = 100

	leastPage, mostPage, allPages = 64 << 20, 1 << 30, 2 << 30
)

// pageLimit is the largest page of a file of which some columns are read at the
// same time: each has a page in memory.
func (m *fileMeta) pageLimit(columns int) int64 {
	return min(m.page, max(leastPage, allPages/int64(max(columns, 1))))
}

// readMeta checks what arrow-go parsed.
func readMeta(md *metadata.FileMetaData, fileSize int64) (*fileMeta, error) {
	if md.IsSetEncryptionAlgorithm() {
		return nil, errors.New("it is encrypted, which sluice does not read")
	}
	m := &fileMeta{rows: md.NumRows, page: leastPage}
	m.buildTree(md.Schema.Root(), calendarsOf(md))
	if len(m.leaves) != md.Schema.NumColumns() {
		return nil, errors.New("its schema is damaged")
	}
	for i, l := range m.leaves {
		l.unordered = md.Schema.Column(i).ColumnOrder() != parquet.ColumnOrders.TypeDefinedOrder
	}
	old := md.WriterVersion().LessThan(metadata.Parquet816FixedVersion)
	var total int64
	for i, g := range md.RowGroups {
		if len(g.Columns) != len(m.leaves) || g.NumRows < 0 {
			return nil, fmt.Errorf("row group %d has %d columns, the schema has %d", i, len(g.Columns), len(m.leaves))
		}
		total += g.NumRows
		out := rowGroup{ordinal: i, rows: g.NumRows, chunks: make([]chunkMeta, len(g.Columns))}
		for c, col := range g.Columns {
			d := col.MetaData
			switch {
			case d == nil || col.FilePath != nil || col.CryptoMetadata != nil:
				return nil, fmt.Errorf("row group %d, column %s: it lies in another file or is encrypted", i, m.leaves[c].path)
			case parquet.Type(d.Type) != m.leaves[c].physical:
				return nil, fmt.Errorf("row group %d, column %s: the physical type differs from the schema's", i, m.leaves[c].path)
			}
			m.page = min(max(m.page, min(2*d.TotalUncompressedSize, mostGrowth*min(d.TotalCompressedSize, fileSize))), mostPage)
			k := chunkMeta{size: d.TotalCompressedSize, dataAt: d.DataPageOffset}
			if d.DictionaryPageOffset != nil && *d.DictionaryPageOffset > 0 {
				k.dictAt = *d.DictionaryPageOffset
			}
			if _, to, err := k.bytes(fileSize); g.NumRows == 0 {
				// nothing is read of it, and some writers say nothing of where it lies
			} else if err != nil {
				return nil, fmt.Errorf("row group %d, column %s: %w", i, m.leaves[c].path, err)
			} else if old {
				k.size += min(oldPadding, fileSize-to)
			}
			if s := d.Statistics; s != nil {
				k.hasStats = true
				k.stats = pageBounds{lo: s.MinValue, hi: s.MaxValue, nulls: -1}
				if s.NullCount != nil {
					k.stats.nulls = *s.NullCount
				}
				if s.MinValue == nil && s.MaxValue == nil {
					k.stats.lo, k.stats.hi, k.stats.legacy = s.Min, s.Max, true
				}
			}
			// arrow-go trusts where an index is said to lie.
			if k.offsetIndex = within32(col.OffsetIndexOffset, col.OffsetIndexLength, fileSize); !k.offsetIndex {
				col.OffsetIndexOffset, col.OffsetIndexLength = nil, nil
			}
			if k.columnIndex = within32(col.ColumnIndexOffset, col.ColumnIndexLength, fileSize); !k.columnIndex {
				col.ColumnIndexOffset, col.ColumnIndexLength = nil, nil
			}
			out.chunks[c] = k
		}
		m.groups = append(m.groups, out)
	}
	if total != m.rows {
		return nil, fmt.Errorf("it claims %d rows, its row groups have %d", m.rows, total)
	}
	return m, nil
}

func within32(at *int64, n *int32, size int64) bool {
	return at != nil && n != nil && *at > 0 && *n > 0 && *at <= size-int64(*n)
}

// bytes is where a chunk's bytes are.
func (c *chunkMeta) bytes(fileSize int64) (from, to int64, err error) {
	from = c.dataAt
	if c.dictAt > 0 && c.dictAt < from {
		from = c.dictAt
	}
	to = from + c.size
	if from < int64(len(magic)) || c.size < 0 || to > fileSize || to < from {
		return 0, 0, fmt.Errorf("it claims bytes %d to %d of a file of %d bytes", from, to, fileSize)
	}
	return from, to, nil
}

// footerLength reads the last eight bytes of a file.
func footerLength(tail []byte, fileSize int64) (int64, error) {
	if len(tail) < footerTail {
		return 0, fmt.Errorf("%d bytes are too few for a Parquet file", fileSize)
	}
	tail = tail[len(tail)-footerTail:]
	switch string(tail[4:]) {
	case magic:
	case "PARE":
		return 0, errors.New("it is encrypted, which sluice does not read")
	default:
		return 0, errors.New("it does not end as a Parquet file does (it may be truncated)")
	}
	n := int64(binary.LittleEndian.Uint32(tail))
	if n+footerTail+int64(len(magic)) > fileSize {
		return 0, fmt.Errorf("its footer claims %d bytes, the file has %d", n, fileSize)
	}
	return n, nil
}
