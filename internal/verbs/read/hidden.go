package read

import (
	"fmt"
	"slices"
	"strings"

	"github.com/apache/arrow-go/v18/arrow"
	"github.com/apache/arrow-go/v18/arrow/array"

	"github.com/sluicelake/sluice/action"
	"github.com/sluicelake/sluice/expr"
	"github.com/sluicelake/sluice/internal/base/columns"
	"github.com/sluicelake/sluice/internal/logic/eval"
	"github.com/sluicelake/sluice/internal/rows/scan"
	"github.com/sluicelake/sluice/internal/table/feature"
	"github.com/sluicelake/sluice/types"
)

// hiddenName is the struct column that every table has besides its own, unless
// it has one of that name. It tells which file a row comes from and, with row
// tracking, which row it is.
const hiddenName = "_metadata"

// hidden is the column _metadata. Behind the n columns of the table, ordinals go on:
// n and n+1 are the columns in which files may store row ids and row commit
// versions, base is _metadata itself, and base+1 the first of its members.
type hidden struct {
	visible bool
	schema  *types.Struct // the one column _metadata
	members []member
	base    int
	stored  [2]string // names of the columns at n and n+1 in files, "" for none
	url     string
	tracked bool
	version int64
}

// member is a member of _metadata.
type member struct {
	name string
	typ  types.Type
	// value is the member for the file as a whole, nil for NULL.
	value func(h *hidden, a *action.Add) any
	// rows is the member for each row of a batch, where it is not the same for all.
	rows func(h *hidden, b scan.Batch) arrow.Array
}

// fileMembers are what each file has, and rowMembers what row tracking adds, in
// the order and with the values of the reference.
var (
	fileMembers = []member{
		{name: "file_path", typ: types.String, value: func(h *hidden, a *action.Add) any { return fileURI(h.url, a.Path) }},
		{name: "file_name", typ: types.String, value: func(h *hidden, a *action.Add) any {
			path := fileURI(h.url, a.Path)
			return path[strings.LastIndexByte(path, '/')+1:]
		}},
		{name: "file_size", typ: types.Long, value: func(_ *hidden, a *action.Add) any { return a.Size }},
		{name: "file_block_start", typ: types.Long, value: func(*hidden, *action.Add) any { return int64(0) }},
		{name: "file_block_length", typ: types.Long, value: func(_ *hidden, a *action.Add) any { return a.Size }},
		{name: "file_modification_time", typ: types.Timestamp, value: func(_ *hidden, a *action.Add) any { return a.ModificationTime * 1000 }},
		{name: "row_index", typ: types.Long, rows: func(_ *hidden, b scan.Batch) arrow.Array { return long(b.Positions) }},
	}
	trackedMembers = []member{
		{name: "base_row_id", typ: types.Long, value: func(_ *hidden, a *action.Add) any { return number(a.BaseRowID) }},
		{name: "default_row_commit_version", typ: types.Long, value: func(_ *hidden, a *action.Add) any { return number(a.DefaultRowCommitVersion) }},
	}
	rowMembers = []member{
		{name: "row_id", typ: types.Long, rows: (*hidden).rowIDs},
		{name: "row_commit_version", typ: types.Long, rows: (*hidden).rowVersions},
	}
)

func newHidden(t *table) *hidden {
	n := len(t.schema().Fields)
	h := &hidden{visible: t.schema().Index(hiddenName) < 0, base: n + 2, url: t.url, tracked: t.rowTracking(), version: t.version}
	h.members = slices.Clone(fileMembers)
	if t.tracksFiles() {
		h.members = append(h.members, trackedMembers...)
	}
	if h.tracked {
		h.members = append(h.members, rowMembers...)
		h.stored[0], h.stored[1] = feature.MaterializedRowColumns(t.metadata)
	}
	inner := &types.Struct{}
	for _, m := range h.members {
		inner.Fields = append(inner.Fields, types.Field{Name: m.name, Type: m.typ, Nullable: true})
	}
	h.schema = types.NewStruct(types.Field{Name: hiddenName, Type: inner})
	return h
}

// width is the number of ordinals in all.
func (h *hidden) width() int { return h.base + 1 + len(h.members) }

// field describes the column at an ordinal from base on.
func (h *hidden) field(ref int) types.Field {
	if ref == h.base {
		return h.schema.Fields[0]
	}
	return h.schema.Fields[0].Type.(*types.Struct).Fields[ref-h.base-1]
}

// flatten makes a member of _metadata a column.
func (h *hidden) flatten(e expr.Expr) expr.Expr {
	f, ok := e.(*expr.Field)
	if !ok {
		return e
	}
	if c, ok := f.Base.(*expr.Column); ok && c.Ref == h.base {
		return &expr.Column{Parts: []string{hiddenName, f.Name}, Ref: h.base + 1 + f.Index, T: f.T, Null: true}
	}
	return e
}

// explain tells why a table has no row ids.
func (h *hidden) explain(err error) error {
	b, ok := err.(*expr.BindError)
	if !ok || b.Class != "FIELD_NOT_FOUND" || h.tracked {
		return err
	}
	for _, m := range slices.Concat(rowMembers, trackedMembers) {
		if strings.Contains(b.Msg, m.name) {
			e := *b
			e.Msg += fmt.Sprintf(": row tracking is not enabled at version %d (the table feature rowTracking, and the property delta.enableRowTracking)", h.version)
			return &e
		}
	}
	return err
}

// names reports whether an expression names a column, possibly as t.column.
func names(e expr.Expr, column string) (found bool) {
	expr.Walk(e, func(e expr.Expr) bool {
		if c, ok := e.(*expr.Column); ok {
			found = found || slices.ContainsFunc(c.Parts, func(part string) bool { return strings.EqualFold(part, column) })
		}
		return !found
	})
	return found
}

// of lists the members that ordinals need, all of them for _metadata itself.
func (h *hidden) of(refs []int) (out []int) {
	for k := range h.members {
		if slices.Contains(refs, h.base) || slices.Contains(refs, h.base+1+k) {
			out = append(out, k)
		}
	}
	return out
}

// withStored adds the columns with ids that files may store to those of the table.
func (h *hidden) withStored(c *feature.Columns) *feature.Columns {
	out := *c
	var stored []types.Field
	for _, name := range h.stored {
		stored = append(stored, types.Field{Name: name, Type: types.Long, Nullable: true})
	}
	out.Logical = types.NewStruct(slices.Concat(c.Logical.Fields, stored)...)
	out.Physical = types.NewStruct(slices.Concat(c.Physical.Fields, stored)...)
	return &out
}

// constant reports whether an expression needs only what is the same for all rows of a file.
func (h *hidden) constant(e expr.Expr) bool {
	refs := expr.Refs(e)
	return len(refs) > 0 && expr.Deterministic(e) && !slices.ContainsFunc(refs, func(ref int) bool {
		return ref <= h.base || h.members[ref-h.base-1].value == nil
	})
}

// admits evaluates a constant condition for a file. A failure admits it: what is
// wrong is said when the file is read.
func (h *hidden) admits(e expr.Expr, a *action.Add) bool {
	in := eval.Input{Columns: make([]arrow.Array, h.width()), Rows: 1}
	for _, ref := range expr.Refs(e) {
		m := h.members[ref-h.base-1]
		in.Columns[ref] = columns.Constant(m.value(h, a), m.typ, 1)
	}
	sel, err := eval.Filter(e, in)
	return err != nil || len(sel) > 0
}

// extend adds the members to a batch of the table's columns, and _metadata when
// it is wanted as a whole.
func (h *hidden) extend(b scan.Batch, members []int, whole bool) []arrow.Array {
	out := make([]arrow.Array, h.width())
	copy(out, b.Columns)
	for _, k := range members {
		if m := h.members[k]; m.rows != nil {
			out[h.base+1+k] = m.rows(h, b)
		} else {
			out[h.base+1+k] = columns.Constant(m.value(h, b.Add), m.typ, b.Rows)
		}
	}
	if whole {
		dt, err := columns.ArrowType(h.schema.Fields[0].Type)
		if err != nil {
			panic("read: " + err.Error()) // longs, strings and timestamps have Arrow types
		}
		data := make([]arrow.ArrayData, len(h.members))
		for k := range data {
			data[k] = out[h.base+1+k].Data()
		}
		out[h.base] = array.MakeFromData(array.NewData(dt, b.Rows, nil, data, 0, 0))
	}
	return out
}
