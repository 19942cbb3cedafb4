package checkpoint

import (
	"maps"
	"slices"

	"github.com/apache/arrow-go/v18/arrow/array"

	"github.com/sluicelake/sluice/action"
)

// rows builds the records of a checkpoint: each row fills one of the action
// columns and leaves the others null.
type rows struct {
	b    *array.RecordBuilder
	buf  []byte
	cols map[string]*array.StructBuilder
}

func newRows(b *array.RecordBuilder) *rows {
	r := &rows{b: b, cols: map[string]*array.StructBuilder{}}
	for i, f := range b.Fields() {
		r.cols[b.Schema().Field(i).Name] = f.(*array.StructBuilder)
	}
	return r
}

// row starts a row of one column.
func (r *rows) row(col string) fieldsOf {
	mine := r.cols[col]
	for _, c := range r.cols {
		if c == mine {
			c.Append(true)
		} else {
			c.AppendNull()
		}
	}
	return fieldsOf{b: mine}
}

// fieldsOf fills the children of a struct from left to right.
type fieldsOf struct {
	b *array.StructBuilder
	i int
}

func (f *fieldsOf) next() array.Builder {
	f.i++
	return f.b.FieldBuilder(f.i - 1)
}

func (f *fieldsOf) text(s string, ok bool) {
	b := f.next().(*array.StringBuilder)
	if ok {
		b.Append(s)
	} else {
		b.AppendNull()
	}
}

func (f *fieldsOf) textPtr(s *string) {
	if s == nil {
		f.text("", false)
	} else {
		f.text(*s, true)
	}
}

func (f *fieldsOf) bytes(s []byte) { f.next().(*array.StringBuilder).BinaryBuilder.Append(s) }

func (f *fieldsOf) long(n int64, ok bool) {
	b := f.next().(*array.Int64Builder)
	if ok {
		b.Append(n)
	} else {
		b.AppendNull()
	}
}

func (f *fieldsOf) longPtr(n *int64) {
	if n == nil {
		f.long(0, false)
	} else {
		f.long(*n, true)
	}
}

func (f *fieldsOf) int(n int32, ok bool) {
	b := f.next().(*array.Int32Builder)
	if ok {
		b.Append(n)
	} else {
		b.AppendNull()
	}
}

func (f *fieldsOf) flag(v, ok bool) {
	b := f.next().(*array.BooleanBuilder)
	if ok {
		b.Append(v)
	} else {
		b.AppendNull()
	}
}

func (f *fieldsOf) strings(m map[string]string, ok bool) {
	b := f.next().(*array.MapBuilder)
	if !ok {
		b.AppendNull()
		return
	}
	b.Append(true)
	for _, k := range slices.Sorted(maps.Keys(m)) {
		b.KeyBuilder().(*array.StringBuilder).Append(k)
		b.ItemBuilder().(*array.StringBuilder).Append(m[k])
	}
}

func (f *fieldsOf) list(v []string, ok bool) {
	b := f.next().(*array.ListBuilder)
	if !ok {
		b.AppendNull()
		return
	}
	b.Append(true)
	for _, s := range v {
		b.ValueBuilder().(*array.StringBuilder).Append(s)
	}
}

// object fills a map from a JSON object of texts, nil for null.
func (f *fieldsOf) object(raw []byte, buf *[]byte) error {
	b := f.next().(*array.MapBuilder)
	if raw == nil {
		b.AppendNull()
		return nil
	}
	b.Append(true)
	keys, values := b.KeyBuilder().(*array.StringBuilder), b.ItemBuilder().(*array.StringBuilder)
	if len(raw) == 2 { // {}
		return nil
	}
	return action.WalkPartitionValues(raw, func(k, v action.Text, null bool) bool {
		*buf = k.Append((*buf)[:0])
		keys.BinaryBuilder.Append(*buf)
		if null {
			values.AppendNull()
		} else {
			*buf = v.Append((*buf)[:0])
			values.BinaryBuilder.Append(*buf)
		}
		return true
	})
}

func (f *fieldsOf) vector(dv *action.DeletionVector) {
	b := f.next().(*array.StructBuilder)
	if dv == nil {
		b.AppendNull()
		return
	}
	b.Append(true)
	d := fieldsOf{b: b}
	d.text(dv.StorageType, true)
	d.text(dv.PathOrInlineDv, true)
	if dv.Offset == nil {
		d.int(0, false)
	} else {
		d.int(*dv.Offset, true)
	}
	d.int(dv.SizeInBytes, true)
	d.long(dv.Cardinality, true)
	d.longPtr(dv.MaxRowIndex)
}

func (r *rows) path(f *fieldsOf, t action.Text) {
	r.buf = t.Append(r.buf[:0])
	f.bytes(r.buf)
}

func (r *rows) add(a *action.File, stats bool) error {
	dv, err := a.Dv()
	if err != nil {
		return err
	}
	f := r.row("add")
	r.path(&f, a.Path)
	if err := f.object(a.PartitionValues, &r.buf); err != nil {
		return err
	}
	f.long(a.Size, true)
	f.long(a.ModificationTime, true)
	f.flag(false, true)
	if err := f.object(a.Tags, &r.buf); err != nil {
		return err
	}
	f.vector(dv)
	f.long(a.BaseRowID, a.Has&action.HasBaseRowID != 0)
	f.long(a.DefaultRowCommitVersion, a.Has&action.HasDefaultRowCommitVersion != 0)
	f.text(a.Provider.String(), a.Has&action.HasProvider != 0)
	if !stats {
		return nil
	}
	if a.Stats.Empty() {
		f.text("", false)
	} else {
		r.path(&f, a.Stats)
	}
	return nil
}

func (r *rows) remove(a *action.File) error {
	dv, err := a.Dv()
	if err != nil {
		return err
	}
	f := r.row("remove")
	r.path(&f, a.Path)
	f.long(a.DeletionTimestamp, a.Has&action.HasDeletionTimestamp != 0)
	f.flag(false, true)
	f.flag(a.ExtendedFileMetadata, a.Has&action.HasExtendedFileMetadata != 0)
	if err := f.object(a.PartitionValues, &r.buf); err != nil {
		return err
	}
	f.long(a.Size, a.Has&action.HasSize != 0)
	if err := f.object(a.Tags, &r.buf); err != nil {
		return err
	}
	f.vector(dv)
	f.long(a.BaseRowID, a.Has&action.HasBaseRowID != 0)
	f.long(a.DefaultRowCommitVersion, a.Has&action.HasDefaultRowCommitVersion != 0)
	return nil
}

func (r *rows) protocol(p *action.Protocol) {
	f := r.row("protocol")
	f.int(p.MinReaderVersion, true)
	f.int(p.MinWriterVersion, true)
	f.list(p.ReaderFeatures, p.ReaderFeatures != nil)
	f.list(p.WriterFeatures, p.WriterFeatures != nil)
}

func (r *rows) metadata(m *action.Metadata) {
	f := r.row("metaData")
	f.text(m.ID, true)
	f.textPtr(m.Name)
	f.textPtr(m.Description)
	b := f.next().(*array.StructBuilder)
	b.Append(true)
	format := fieldsOf{b: b}
	format.text(m.Format.Provider, true)
	format.strings(m.Format.Options, true)
	f.text(m.SchemaString, m.SchemaString != "")
	f.list(m.PartitionColumns, true)
	f.strings(m.Configuration, true)
	f.longPtr(m.CreatedTime)
}

func (r *rows) txn(t *action.Txn) {
	f := r.row("txn")
	f.text(t.AppID, true)
	f.long(t.Version, true)
	f.longPtr(t.LastUpdated)
}

func (r *rows) domain(d *action.DomainMetadata) {
	f := r.row("domainMetadata")
	f.text(d.Domain, true)
	f.text(d.Configuration, true)
	f.flag(d.Removed, true)
}

func (r *rows) head(version int64) {
	f := r.row("checkpointMetadata")
	f.long(version, true)
}

func (r *rows) sidecar(s *action.Sidecar) {
	f := r.row("sidecar")
	f.text(s.Path, true)
	f.long(s.SizeInBytes, true)
	f.long(s.ModificationTime, true)
}
