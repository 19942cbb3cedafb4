package parquetio

import (
	"errors"
	"fmt"
	"io"

	"github.com/apache/arrow-go/v18/parquet"
	"github.com/apache/arrow-go/v18/parquet/compress"
	"github.com/apache/arrow-go/v18/parquet/metadata"
	"github.com/apache/arrow-go/v18/parquet/schema"
)

// Description is the footer of a file as plain values: what it claims, and what
// of that cannot be true.
type Description struct {
	Version     int32               `json:"version"`
	CreatedBy   string              `json:"createdBy"`
	Rows        int64               `json:"rows"`
	FooterBytes int64               `json:"footerBytes"`
	KeyValues   []DescribedKey      `json:"keyValueMetadata"`
	Fields      []DescribedField    `json:"fields"` // the top-level columns as Delta would have them
	Columns     []DescribedColumn   `json:"columns"`
	RowGroups   []DescribedRowGroup `json:"rowGroups"`
	Problems    []string            `json:"problems,omitempty"`
}

// DescribedKey is an entry of the key-value metadata; a long value is cut.
type DescribedKey struct {
	Key   string `json:"key"`
	Bytes int    `json:"bytes"`
	Value string `json:"value"`
}

// DescribedField is a top-level column; Type is empty when no Delta type can hold it.
type DescribedField struct {
	Name    string `json:"name"`
	Type    string `json:"type,omitempty"`
	FieldID *int32 `json:"fieldId,omitempty"`
	Problem string `json:"problem,omitempty"`
}

// DescribedColumn is a leaf of the schema.
type DescribedColumn struct {
	Path          string `json:"path"`
	Physical      string `json:"physical"`
	Logical       string `json:"logical,omitempty"`
	Repetition    string `json:"repetition"`
	FieldID       *int32 `json:"fieldId,omitempty"`
	MaxDefinition int16  `json:"maxDefinitionLevel"`
	MaxRepetition int16  `json:"maxRepetitionLevel"`
}

// DescribedRowGroup is a row group; its chunks are in the order of the columns.
type DescribedRowGroup struct {
	Rows         int64            `json:"rows"`
	Compressed   int64            `json:"compressedBytes"`
	Uncompressed int64            `json:"uncompressedBytes"`
	SortedBy     []string         `json:"sortedBy,omitempty"`
	Chunks       []DescribedChunk `json:"columns"`
}

// DescribedChunk is what a row group holds of a column.
type DescribedChunk struct {
	Column       string          `json:"column"`
	Offset       int64           `json:"offset"`
	Values       int64           `json:"values"`
	Codec        string          `json:"codec"`
	Encodings    []string        `json:"encodings"`
	Compressed   int64           `json:"compressedBytes"`
	Uncompressed int64           `json:"uncompressedBytes"`
	Dictionary   bool            `json:"dictionary"`
	Stats        *DescribedStats `json:"statistics,omitempty"`
	ColumnIndex  *DescribedPart  `json:"columnIndex,omitempty"`
	OffsetIndex  *DescribedPart  `json:"offsetIndex,omitempty"`
	Bloom        *DescribedPart  `json:"bloomFilter,omitempty"`
}

// DescribedStats are the statistics of a chunk; bounds are spelt as values of the column.
type DescribedStats struct {
	Min       *string `json:"min,omitempty"`
	Max       *string `json:"max,omitempty"`
	MinExact  *bool   `json:"minExact,omitempty"` // nil: the writer does not say
	MaxExact  *bool   `json:"maxExact,omitempty"`
	Nulls     *int64  `json:"nullCount,omitempty"`
	Distincts *int64  `json:"distinctCount,omitempty"`
	// Deprecated bounds are from the fields min and max, whose order is signed bytes.
	Deprecated bool `json:"deprecated,omitempty"`
}

// DescribedPart is where something beside the pages lies. Pages counts those
// that an offset index lists.
type DescribedPart struct {
	Offset int64 `json:"offset"`
	Bytes  int64 `json:"bytes,omitempty"`
	Pages  int   `json:"pages,omitempty"`
}

const (
	maxFooter   = 512 << 20 // a longer one is not read
	shownValue  = 200       // characters of a value
	maxProblems = 100
)

// Describe reads a footer for people. Unlike Open it also describes a file whose
// footer claims what cannot be; it fails when there is no footer to read.
func Describe(r io.ReaderAt, size int64, name string) (d *Description, err error) {
	f := &File{name: name, src: source{r: r, size: size}}
	defer f.guard(&err)
	d, err = f.describe()
	return d, f.wrap(err)
}

func (f *File) describe() (*Description, error) {
	tail := make([]byte, min(f.src.size, footerTail))
	if err := readFull(f.src.r, tail, f.src.size-int64(len(tail))); err != nil {
		return nil, err
	}
	n, err := footerLength(tail, f.src.size)
	if err != nil {
		return nil, err
	}
	if n > maxFooter {
		return nil, fmt.Errorf("its footer claims %d bytes, at most %d are read", n, int64(maxFooter))
	}
	footer := make([]byte, n)
	if err := readFull(f.src.r, footer, f.src.size-footerTail-n); err != nil {
		return nil, err
	}
	w, err := walkThrift(footer)
	if err != nil {
		return nil, fmt.Errorf("its footer is %w", err)
	}
	if err := w.checkSchema(); err != nil {
		return nil, err
	}
	if f.md, err = metadata.NewFileMetaData(footer, nil); err != nil {
		return nil, fmt.Errorf("its footer cannot be read: %w", err)
	}
	if f.md.IsSetEncryptionAlgorithm() {
		return nil, errors.New("it is encrypted, which sluice does not read")
	}
	d := &Description{Version: f.md.FileMetaData.Version, CreatedBy: f.md.GetCreatedBy(), Rows: f.md.NumRows, FooterBytes: n}
	head := make([]byte, len(magic))
	if err := readFull(f.src.r, head, 0); err != nil || string(head) != magic {
		d.problem("it does not begin with %s", magic)
	}
	for _, kv := range f.md.FileMetaData.KeyValueMetadata {
		d.KeyValues = append(d.KeyValues, DescribedKey{kv.Key, len(kv.GetValue()), shorten(kv.GetValue())})
	}
	meta := &fileMeta{}
	meta.buildTree(f.md.Schema.Root(), calendars{})
	for _, n := range meta.root.children {
		fd := DescribedField{Name: n.name}
		if n.fieldID >= 0 {
			fd.FieldID = &n.fieldID
		}
		if t, err := naturalType(n); err != nil {
			fd.Problem = err.Error()
		} else {
			fd.Type = t.String()
		}
		d.Fields = append(d.Fields, fd)
	}
	for _, l := range meta.leaves {
		d.Columns = append(d.Columns, describeLeaf(l, f.md.Schema.Column(l.leaf)))
	}
	if _, err := readMeta(f.md, f.src.size); err != nil {
		d.problem("%v", err)
	}
	f.describeGroups(d, meta)
	return d, nil
}

func (d *Description) problem(format string, args ...any) {
	if len(d.Problems) < maxProblems {
		d.Problems = append(d.Problems, fmt.Sprintf(format, args...))
	}
}

func describeLeaf(l *parquetNode, c *schema.Column) DescribedColumn {
	out := DescribedColumn{Path: l.path, Physical: l.physical.String(), Repetition: l.repetition.String(), Logical: l.logicalText(c),
		MaxDefinition: l.def, MaxRepetition: l.rep}
	if l.physical == parquet.Types.FixedLenByteArray {
		out.Physical += fmt.Sprintf("(%d)", l.width)
	}
	if l.fieldID >= 0 {
		out.FieldID = &l.fieldID
	}
	return out
}

func (f *File) describeGroups(d *Description, meta *fileMeta) {
	for i, g := range f.md.RowGroups {
		out := DescribedRowGroup{Rows: g.NumRows}
		for _, s := range g.SortingColumns {
			if int(s.ColumnIdx) < len(meta.leaves) && s.ColumnIdx >= 0 {
				name := meta.leaves[s.ColumnIdx].path
				if s.Descending {
					name += " descending"
				}
				out.SortedBy = append(out.SortedBy, name)
			}
		}
		for c, col := range g.Columns {
			if col.MetaData == nil || c >= len(meta.leaves) {
				d.problem("row group %d has a column chunk %d without a description or a column", i, c)
				continue
			}
			m, l := col.MetaData, meta.leaves[c]
			k := DescribedChunk{Column: l.path, Offset: m.DataPageOffset, Values: m.NumValues, Codec: compress.Compression(m.Codec).String(),
				Compressed: m.TotalCompressedSize, Uncompressed: m.TotalUncompressedSize}
			if at := m.DictionaryPageOffset; at != nil && *at > 0 {
				k.Dictionary, k.Offset = true, min(k.Offset, *at)
			}
			for _, e := range m.Encodings {
				k.Encodings = append(k.Encodings, parquet.Encoding(e).String())
			}
			out.Compressed += k.Compressed
			out.Uncompressed += k.Uncompressed
			if s := m.Statistics; s != nil {
				k.Stats = &DescribedStats{Nulls: s.NullCount, Distincts: s.DistinctCount, MinExact: s.IsMinValueExact, MaxExact: s.IsMaxValueExact}
				lo, hi := s.MinValue, s.MaxValue
				if lo == nil && hi == nil && (s.Min != nil || s.Max != nil) {
					lo, hi, k.Stats.Deprecated = s.Min, s.Max, true
				}
				k.Stats.Min, k.Stats.Max = l.boundText(lo), l.boundText(hi)
			}
			k.ColumnIndex = f.indexPart(d, col.ColumnIndexOffset, col.ColumnIndexLength, fmt.Sprintf("row group %d, column %s: its column index", i, l.path))
			k.OffsetIndex = f.indexPart(d, col.OffsetIndexOffset, col.OffsetIndexLength, fmt.Sprintf("row group %d, column %s: its offset index", i, l.path))
			if at := m.BloomFilterOffset; at != nil {
				k.Bloom = &DescribedPart{Offset: *at}
				if n := m.BloomFilterLength; n != nil {
					k.Bloom.Bytes = int64(*n)
				}
				if *at < 0 || *at > f.src.size {
					d.problem("row group %d, column %s: its Bloom filter lies at %d, beyond the file", i, l.path, *at)
				}
			}
			out.Chunks = append(out.Chunks, k)
		}
		d.RowGroups = append(d.RowGroups, out)
	}
}

// maxIndex bounds what is read of a page index to count its pages.
const maxIndex = 1 << 20

// indexPart describes a part of the page index and counts its pages, which
// both parts list in their first field.
func (f *File) indexPart(d *Description, at *int64, n *int32, what string) *DescribedPart {
	if at == nil || n == nil || *at == 0 && *n == 0 {
		return nil
	}
	out := &DescribedPart{Offset: *at, Bytes: int64(*n)}
	if !within32(at, n, f.src.size) {
		d.problem("%s claims %d bytes at %d of a file of %d bytes", what, *n, *at, f.src.size)
		return out
	}
	if *n > maxIndex {
		return out
	}
	b := make([]byte, *n)
	if err := readFull(f.src.r, b, *at); err != nil {
		d.problem("%s: %v", what, err)
		return out
	}
	w, err := walkThrift(b)
	if err != nil {
		d.problem("%s is %v", what, err)
		return out
	}
	out.Pages = w.lists[1]
	return out
}
