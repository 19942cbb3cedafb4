// Package arch holds the floor plan of the house as data; its test reads the
// imports of every package and fails with a sentence that says where code belongs.
package arch

// Floor is one storey: packages may import floors above it in the plan, and
// inside a floor only packages that are listed before them.
type Floor struct {
	Name     string
	Packages []string // import paths below the module; "x/..." covers a tree
}

// Plan is the house from the ground up. A new package is entered here first.
var Plan = []Floor{
	{"vocabulary", []string{"types", "types/civil", "expr", "action", "observe", "storage", "storage/..."}},
	{"base", []string{"internal/base/invariant", "internal/base/address", "internal/base/env", "internal/base/prose", "internal/base/columns"}},
	{"format", []string{"internal/format/partition", "internal/format/deltalog", "internal/format/dv", "internal/format/colstats", "internal/format/parquetio", "internal/format/checkpoint"}},
	{"logic", []string{"internal/logic/eval", "internal/logic/prune", "internal/logic/curve"}},
	{"table", []string{"internal/table/feature", "internal/table/snapshot", "internal/table/conflict", "internal/table/inflight", "internal/table/clones", "internal/table/txn"}},
	{"rows", []string{"internal/rows/derive", "internal/rows/source", "internal/rows/structs", "internal/rows/scan", "internal/rows/write", "internal/rows/rewrite", "internal/rows/cluster"}},
	{"verbs", []string{"internal/verbs/merge", "internal/verbs/dml", "internal/verbs/insert", "internal/verbs/optimize", "internal/verbs/create", "internal/verbs/read", "internal/verbs/changes", "internal/verbs/alter", "internal/verbs/restore", "internal/verbs/clone", "internal/verbs/convert", "internal/verbs/manifest", "internal/verbs/doctor", "internal/verbs/checkpoint", "internal/verbs/vacuum", "internal/verbs/repair"}},
	{"sql", []string{"internal/sql/query", "internal/sql/parse", "internal/sql/session"}},
	{"inspect", []string{"internal/inspect", "internal/inspect/life", "internal/inspect/fsck", "internal/inspect/races"}},
	{"door", []string{"", "sluicesql"}},
	{"proof", []string{"internal/proof/..."}},
	{"command", []string{"cmd/...", "bench"}},
}
