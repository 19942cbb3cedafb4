// Package convert is CONVERT TO DELTA: a folder of Parquet files becomes a table
// where it lies. Only the log is written; schema and statistics come from the
// footers of the files.
package convert

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"maps"
	"slices"
	"strconv"

	"github.com/sluicelake/sluice/action"
	"github.com/sluicelake/sluice/internal/format/colstats"
	"github.com/sluicelake/sluice/internal/table/conflict"
	"github.com/sluicelake/sluice/internal/table/feature"
	"github.com/sluicelake/sluice/internal/table/snapshot"
	"github.com/sluicelake/sluice/internal/table/txn"
	"github.com/sluicelake/sluice/internal/verbs/merge"
	"github.com/sluicelake/sluice/types"
)

// Spec is a CONVERT TO DELTA as a value.
type Spec struct {
	// PartitionBy has the partition columns with their types, in the order of the
	// folders; nil for a folder without partitions.
	PartitionBy *types.Struct
	// InferPartitions takes names and types of partition columns from the folders.
	InferPartitions bool
	// NoStatistics leaves the statistics out; then the footers are read for the
	// schema only, and files are not skipped by values.
	NoStatistics bool
	Properties   map[string]string
	UserMetadata string
}

// Plan is what a conversion would do.
type Plan struct {
	Schema      *types.Struct
	PartitionBy []string
	Files       int64
	Bytes       int64
	Rows        int64
	// Passed lists what lies in the folder and is no data file, up to a hundred.
	Passed []string

	files []found
}

// Result is what a conversion did.
type Result struct {
	// Converted is false when the folder was a Delta table already.
	Converted bool
	Plan      *Plan
	Commit    txn.Result
}

// Look reads the folder without converting it; nil when it is a table already.
func Look(ctx context.Context, l *txn.Log, spec Spec) (*Plan, error) {
	if _, err := l.Update(ctx); err == nil || !errors.Is(err, snapshot.ErrNotTable) {
		return nil, err
	}
	return newPlan(ctx, l, spec)
}

// Run converts the folder of a log.
func Run(ctx context.Context, l *txn.Log, spec Spec, o txn.Options) (Result, error) {
	for {
		s, err := l.Update(ctx)
		if err == nil {
			return Result{Commit: txn.Result{Version: s.Version(), Snapshot: s}}, nil
		}
		if !errors.Is(err, snapshot.ErrNotTable) {
			return Result{}, err
		}
		p, err := newPlan(ctx, l, spec)
		if err != nil {
			return Result{}, err
		}
		w, err := newWork(l, p, spec)
		if err != nil {
			return Result{}, err
		}
		c, err := l.BeginCreate().CommitWork(ctx, w, o)
		if err != nil || !c.Again {
			return Result{Converted: c.Committed, Plan: p, Commit: c}, err
		}
		o.BeforePublish = nil // another writer made a table of it: look again
	}
}

// work is a conversion as the commit loop sees it.
type work struct {
	acts []action.Action
	op   txn.Operation
}

func newWork(l *txn.Log, p *Plan, spec Spec) (*work, error) {
	e := l.Env()
	properties := maps.Clone(spec.Properties)
	if properties == nil {
		properties = map[string]string{}
	}
	protocol, config, err := feature.ForNewTable(p.Schema, properties)
	if err != nil {
		return nil, err
	}
	md := &action.Metadata{Configuration: config}
	if feature.ColumnMapping(md) != feature.MappingNone {
		return nil, refuse("DELTA_CONVERT_WITH_COLUMN_MAPPING", "the columns of the files have the names of the table: convert first, then ALTER TABLE ... SET TBLPROPERTIES ('delta.columnMapping.mode' = 'name')")
	}
	if feature.RowTracking(md) {
		feature.NameRowColumns(config, e.NewID)
	}
	now := e.Now().UnixMilli()
	md = &action.Metadata{ID: e.NewID(), Format: action.Format{Provider: "parquet", Options: map[string]string{}}, SchemaString: types.JSON(p.Schema),
		PartitionColumns: p.PartitionBy, Configuration: config, CreatedTime: &now}
	leaves, err := colstats.Select(p.Schema, p.Schema, p.PartitionBy, config)
	if err != nil {
		return nil, err
	}
	w := &work{acts: []action.Action{protocol, md}}
	for i := range p.files {
		w.acts = append(w.acts, p.files[i].add(p, leaves, feature.StatsPrefixLength(md), spec))
	}
	text := func(v any) json.RawMessage { b, _ := json.Marshal(v); return b }
	by, _ := json.Marshal(p.PartitionBy)
	n := strconv.FormatInt(p.Files, 10)
	w.op = txn.Operation{Name: "CONVERT", UserMetadata: spec.UserMetadata, ChangesData: true, Metrics: map[string]string{"numConvertedFiles": n},
		Parameters: map[string]json.RawMessage{"numFiles": json.RawMessage(n), "partitionedBy": text(string(by)),
			"collectStats": json.RawMessage(strconv.FormatBool(!spec.NoStatistics)), "sourceFormat": text("parquet")}}
	return w, nil
}

func (w *work) Depends() txn.Dependencies { return txn.Dependencies{Rebindable: true} }

func (w *work) Effects(context.Context) (txn.Effects, error) {
	return txn.Effects{Actions: w.acts, Operation: w.op, Always: true, NotBlind: true}, nil
}

func (w *work) Repair(context.Context, conflict.Verdict, *snapshot.Snapshot) (txn.Repaired, error) {
	return txn.Repaired{}, nil
}

// partitionNames are the columns that PARTITIONED BY gives.
func (s Spec) partitionNames() []string {
	if s.PartitionBy == nil {
		return nil
	}
	return slices.Clone(s.PartitionBy.Names())
}

func refuse(class, format string, args ...any) error {
	return &merge.StatementError{Class: class, Message: fmt.Sprintf(format, args...)}
}
