package inspect

import (
	"errors"
	"slices"
	"strings"

	"github.com/sluicelake/sluice/internal/format/checkpoint"
	"github.com/sluicelake/sluice/internal/format/parquetio"
	"github.com/sluicelake/sluice/internal/table/feature"
	"github.com/sluicelake/sluice/internal/table/snapshot"
	"github.com/sluicelake/sluice/storage"
	"github.com/sluicelake/sluice/types"
)

// ColumnView is how a column of the table is found in a data file.
type ColumnView struct {
	Column string `json:"column"`
	Type   string `json:"type"`
	InFile string `json:"inFile,omitempty"`   // the name there
	Found  string `json:"found"`              // by name, by field id, partition value, missing: NULL, not in the table
	AsType string `json:"fileType,omitempty"` // when it is another one
}

// parquet reads a footer, the actions of a checkpoint, and how the columns of a
// data file map to those of the table.
func (r *reader) parquet() error {
	d, err := parquetio.Describe(r.at, r.file.Size, r.place.Key)
	if err != nil {
		if isStoreError(err) {
			return err
		}
		var p *parquetio.Error
		if errors.As(err, &p) {
			err = p.Err
		}
		r.file.problem("footer", "%v", err)
		return nil
	}
	r.file.Parquet = d
	for _, p := range d.Problems {
		r.file.problem("footer", "%s", p)
	}
	d.Problems = nil
	r.byColumns(d)
	switch r.file.Kind {
	case KindCheckpoint, KindPart, KindV2, KindSidecar:
		return r.checkpoint()
	case KindData, KindChange:
		return r.columns(d)
	}
	return nil
}

// byColumns knows a checkpoint or change data by its columns where the name says
// nothing of it.
func (r *reader) byColumns(d *parquetio.Description) {
	if r.file.Kind != KindData {
		return
	}
	has := func(name string) bool {
		return slices.ContainsFunc(d.Columns, func(c parquetio.DescribedColumn) bool { return c.Path == name })
	}
	switch {
	case has("add.path") && has("metaData.id"):
		r.file.Kind = KindCheckpoint
	case has("add.path") && has("add.modificationTime"):
		r.file.Kind = KindSidecar
	case has("_change_type"):
		r.file.Kind = KindChange
	}
}

// checkpoint counts and lists the actions of a checkpoint file.
func (r *reader) checkpoint() error {
	a := &Actions{Counts: map[string]int64{}}
	r.file.Actions = a
	obj := storage.Object{Key: r.place.Key, Size: r.file.Size, ModTime: r.file.Modified}
	err := checkpoint.Read(r.ctx, r.place.Bucket, obj, r.collector(a))
	var bad *checkpoint.Error
	switch {
	case errors.As(err, &bad):
		r.file.problem("content", "%v", bad.Err)
	case err != nil:
		return err
	}
	r.lookForSidecars()
	return nil
}

// columns says how the table's columns are found in the file (PROTOCOL.md, Column
// Mapping); without a table, what the file's own columns would be.
func (r *reader) columns(d *parquetio.Description) error {
	var table *feature.Columns
	if r.place.Table {
		s, err := snapshot.Load(r.ctx, r.env, r.place.Bucket, snapshot.Latest())
		if err != nil && r.ctx.Err() != nil {
			return err
		}
		if err != nil {
			r.file.note("the table cannot be read, so its columns are not compared: %v", err)
		} else {
			table = s.Columns()
			r.file.note("columns are compared with version %d of the table; an older version may have had others", s.Version())
		}
	}
	if table == nil {
		for _, f := range d.Fields {
			r.file.Columns = append(r.file.Columns, ColumnView{Column: f.Name, Type: typeOr(f), InFile: f.Name, Found: "own column"})
		}
		return nil
	}
	r.file.Columns = mapColumns(d, table)
	return nil
}

func typeOr(f parquetio.DescribedField) string {
	if f.Problem != "" {
		return f.Problem
	}
	return f.Type
}

func mapColumns(d *parquetio.Description, table *feature.Columns) (out []ColumnView) {
	used := map[string]bool{}
	byID := table.Mode == feature.MappingID && slices.ContainsFunc(d.Fields, func(f parquetio.DescribedField) bool { return f.FieldID != nil })
	for i, col := range table.Logical.Fields {
		v := ColumnView{Column: col.Name, Type: col.Type.String()}
		f, how := lookup(d, table.Physical.Fields[i], byID)
		switch {
		case f != nil:
			used[f.Name] = true
			v.InFile, v.Found = f.Name, how
			if as := typeOr(*f); as != table.Physical.Fields[i].Type.String() {
				v.AsType = as
			}
			if slices.Contains(table.PartitionOrdinals, i) {
				v.Found = "partition value (also in the file)"
			}
		case slices.Contains(table.PartitionOrdinals, i):
			v.Found = "partition value"
		default:
			v.Found = "missing: NULL"
		}
		out = append(out, v)
	}
	for _, f := range d.Fields {
		if !used[f.Name] {
			out = append(out, ColumnView{Column: f.Name, Type: typeOr(f), InFile: f.Name, Found: "not in the table"})
		}
	}
	return out
}

func lookup(d *parquetio.Description, physical types.Field, byID bool) (found *parquetio.DescribedField, how string) {
	id, hasID := physical.Metadata.Int(feature.KeyFieldID)
	for i := range d.Fields {
		f := &d.Fields[i]
		switch {
		case byID:
			if hasID && f.FieldID != nil && int64(*f.FieldID) == id {
				return f, "by field id"
			}
		case f.Name == physical.Name:
			return f, "by name"
		case strings.EqualFold(f.Name, physical.Name) && found == nil:
			found, how = f, "by name, but for case"
		}
	}
	return found, how
}
