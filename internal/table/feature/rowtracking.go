package feature

import (
	"slices"

	"github.com/sluicelake/sluice/action"
	"github.com/sluicelake/sluice/types"
)

// Properties that name the columns in which data files store row ids and row
// commit versions.
const (
	rowIDColumn      = "delta.rowTracking.materializedRowIdColumnName"
	rowVersionColumn = "delta.rowTracking.materializedRowCommitVersionColumnName"
)

// MaterializedRowColumns are the physical names of the columns in which data
// files may store row ids and row commit versions; "" where the table has none
// (PROTOCOL.md, Row Tracking).
func MaterializedRowColumns(md *action.Metadata) (id, version string) {
	return md.Configuration[rowIDColumn], md.Configuration[rowVersionColumn]
}

// NameRowColumns chooses these names for a new table that is to have stable row
// ids.
func NameRowColumns(config map[string]string, newID func() string) {
	config[rowIDColumn] = "_row-id-col-" + newID()
	config[rowVersionColumn] = "_row-commit-version-col-" + newID()
}

// TracksRows reports whether writers have to give files row ids.
func TracksRows(p *action.Protocol, md *action.Metadata) bool {
	return Supports(p, "rowTracking") && !flag(md, "delta.rowTrackingSuspended", false)
}

// KeepsRowIDs reports whether writers have to keep the ids of rows that they
// move to other files.
func KeepsRowIDs(p *action.Protocol, md *action.Metadata) bool {
	id, version := MaterializedRowColumns(md)
	return Supports(p, "rowTracking") && RowTracking(md) && id != "" && version != ""
}

// RowColumns are the two columns of stored row ids, by their physical names.
func RowColumns(md *action.Metadata) []types.Field {
	id, version := MaterializedRowColumns(md)
	return []types.Field{{Name: id, Type: types.Long, Nullable: true}, {Name: version, Type: types.Long, Nullable: true}}
}

// WithRowColumns is a schema that ends in the columns of stored row ids.
func (c *Columns) WithRowColumns(md *action.Metadata) *Columns {
	out := *c
	out.Logical = types.NewStruct(append(slices.Clip(c.Logical.Fields), RowColumns(md)...)...)
	out.Physical = types.NewStruct(append(slices.Clip(c.Physical.Fields), RowColumns(md)...)...)
	return &out
}
