package feature

import "github.com/sluicelake/sluice/action"

// MaterializedRowColumns are the physical names of the columns in which data
// files may store row ids and row commit versions; "" where the table has none
// (PROTOCOL.md, Row Tracking).
func MaterializedRowColumns(md *action.Metadata) (id, version string) {
	return md.Configuration["delta.rowTracking.materializedRowIdColumnName"], md.Configuration["delta.rowTracking.materializedRowCommitVersionColumnName"]
}
