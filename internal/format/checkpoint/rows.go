package checkpoint

import (
	"bytes"
	"maps"
	"slices"

	"github.com/apache/arrow-go/v18/arrow"
	"github.com/apache/arrow-go/v18/arrow/array"

	"github.com/sluicelake/sluice/action"
)

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

// text fills a column from the form of the scanner.
func (p *parquetWriter) text(f *fieldsOf, t action.Text) int {
	raw, plain := t.Plain()
	if !plain {
		p.buf = t.Append(p.buf[:0])
		raw = p.buf
	}
	f.bytes(raw)
	return len(raw)
}

func (p *parquetWriter) add(a *action.File) error {
	dv, err := a.Dv()
	if err != nil {
		return err
	}
	f := p.row("add")
	if p.pending == 1 {
		p.reserve()
	}
	p.path += p.text(&f, a.Path)
	if err := p.partition(&f, a.PartitionValues); err != nil {
		return err
	}
	f.long(a.Size, true)
	f.long(a.ModificationTime, true)
	f.flag(false, true)
	if err := f.object(a.Tags, &p.buf); err != nil {
		return err
	}
	f.vector(dv)
	f.long(a.BaseRowID, a.Has&action.HasBaseRowID != 0)
	f.long(a.DefaultRowCommitVersion, a.Has&action.HasDefaultRowCommitVersion != 0)
	f.text(a.Provider.String(), a.Has&action.HasProvider != 0)
	if p.json {
		if a.Stats.Empty() {
			f.text("", false)
		} else {
			p.stats += p.text(&f, a.Stats)
		}
	}
	if p.typed == nil {
		return nil
	}
	stats, plain := a.Stats.Plain()
	if !plain {
		p.buf = a.Stats.Append(p.buf[:0])
		stats = p.buf
	}
	p.typed.partition(&f, p.lastKV)
	p.typed.statistics(&f, stats)
	return nil
}

// reserve makes room for a batch of the size of the one before.
func (p *parquetWriter) reserve() {
	if p.path > 0 {
		p.b.Reserve(batchRows)
		p.b.FieldBuilder(0).(*array.StringBuilder).ReserveData(p.path + p.path/16)
	}
	if i, ok := p.b.Type().(*arrow.StructType).FieldIdx("stats"); ok && p.stats > 0 {
		p.b.FieldBuilder(i).(*array.StringBuilder).ReserveData(p.stats + p.stats/16)
	}
	p.path, p.stats = 0, 0
}

// partition fills the map of partition values; many rows in a row have the same.
func (p *parquetWriter) partition(f *fieldsOf, raw []byte) error {
	b := f.next().(*array.MapBuilder)
	if !bytes.Equal(raw, p.lastRaw) {
		p.lastRaw, p.lastKV = append(p.lastRaw[:0], raw...), p.lastKV[:0]
		if len(raw) > 2 {
			if err := action.WalkPartitionValues(raw, func(k, v action.Text, null bool) bool {
				kv := pair{key: k.String(), null: null}
				if !null {
					kv.value = v.String()
				}
				p.lastKV = append(p.lastKV, kv)
				return true
			}); err != nil {
				return err
			}
		}
	}
	b.Append(true)
	keys, values := b.KeyBuilder().(*array.StringBuilder), b.ItemBuilder().(*array.StringBuilder)
	for _, kv := range p.lastKV {
		keys.Append(kv.key)
		if kv.null {
			values.AppendNull()
		} else {
			values.Append(kv.value)
		}
	}
	return nil
}

func (p *parquetWriter) remove(a *action.File) error {
	dv, err := a.Dv()
	if err != nil {
		return err
	}
	f := p.row("remove")
	p.text(&f, a.Path)
	f.long(a.DeletionTimestamp, a.Has&action.HasDeletionTimestamp != 0)
	f.flag(false, true)
	f.flag(a.ExtendedFileMetadata, a.Has&action.HasExtendedFileMetadata != 0)
	if err := f.object(a.PartitionValues, &p.buf); err != nil {
		return err
	}
	f.long(a.Size, a.Has&action.HasSize != 0)
	if err := f.object(a.Tags, &p.buf); err != nil {
		return err
	}
	f.vector(dv)
	f.long(a.BaseRowID, a.Has&action.HasBaseRowID != 0)
	f.long(a.DefaultRowCommitVersion, a.Has&action.HasDefaultRowCommitVersion != 0)
	return nil
}

func (p *parquetWriter) protocol(a *action.Protocol) {
	f := p.row("protocol")
	f.int(a.MinReaderVersion, true)
	f.int(a.MinWriterVersion, true)
	f.list(a.ReaderFeatures, a.ReaderFeatures != nil)
	f.list(a.WriterFeatures, a.WriterFeatures != nil)
}

func (p *parquetWriter) metadata(m *action.Metadata) {
	f := p.row("metaData")
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

func (p *parquetWriter) txn(t *action.Txn) {
	f := p.row("txn")
	f.text(t.AppID, true)
	f.long(t.Version, true)
	f.longPtr(t.LastUpdated)
}

func (p *parquetWriter) domain(d *action.DomainMetadata) {
	f := p.row("domainMetadata")
	f.text(d.Domain, true)
	f.text(d.Configuration, true)
	f.flag(false, true) // removed domains are not in a checkpoint
}

func (p *parquetWriter) head(version int64) {
	f := p.row("checkpointMetadata")
	f.long(version, true)
}

func (p *parquetWriter) sidecar(s *action.Sidecar) {
	f := p.row("sidecar")
	f.text(s.Path, true)
	f.long(s.SizeInBytes, true)
	f.long(s.ModificationTime, true)
	f.strings(s.Tags, s.Tags != nil)
}
