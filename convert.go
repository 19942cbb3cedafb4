package sluice

import (
	"context"
	"errors"

	"github.com/sluicelake/sluice/internal/table/txn"
	"github.com/sluicelake/sluice/internal/verbs/convert"
	"github.com/sluicelake/sluice/types"
)

// ConvertOptions say what a folder of Parquet files holds.
type ConvertOptions struct {
	// PartitionBy has the partition columns with their types, in the order of the
	// folders (p=1/q=a); nil for a folder without partitions.
	PartitionBy *types.Struct
	// InferPartitions takes names and types of partition columns from the folders.
	InferPartitions bool
	// NoStatistics leaves the statistics of columns out.
	NoStatistics bool
	Properties   map[string]string
	UserMetadata string
	// BeforePublish is as in CommitOptions.
	BeforePublish func(ctx context.Context) error
}

// ConvertPlan is what a conversion finds in a folder.
type ConvertPlan struct {
	Schema      *types.Struct
	PartitionBy []string
	Files       int64
	Bytes       int64
	Rows        int64
	// Passed lists what lies in the folder and becomes no part of the table, up to a hundred.
	Passed []string
}

// ConvertResult is what a conversion did.
type ConvertResult struct {
	Converted bool // false: it was a Delta table already
	Plan      *ConvertPlan
	Commit    Commit
}

// Convert makes a Delta table of a folder of Parquet files, where it lies: only a
// log is written. Hidden files, whose names begin with a dot or an underscore, stay
// out of it.
func Convert(ctx context.Context, url string, o ConvertOptions, opts ...Option) (*Table, *ConvertResult, error) {
	t, err := newTable(ctx, url, opts)
	if err != nil {
		return nil, nil, err
	}
	res, err := convert.Run(ctx, t.log, o.spec(), txn.Options{BeforePublish: o.BeforePublish})
	if err != nil {
		return nil, nil, errors.Join(t.fail("convert", err), t.release())
	}
	return t, &ConvertResult{Converted: res.Converted, Plan: convertPlanOf(res.Plan), Commit: commitOf(res.Commit, res.Commit.Winners, false, 1)}, nil
}

// PlanConvert reads a folder without converting it; nil when it is a Delta table
// already.
func PlanConvert(ctx context.Context, url string, o ConvertOptions, opts ...Option) (*ConvertPlan, error) {
	t, err := newTable(ctx, url, opts)
	if err != nil {
		return nil, err
	}
	defer t.Close()
	p, err := convert.Look(ctx, t.log, o.spec())
	return convertPlanOf(p), t.fail("convert", err)
}

func (o ConvertOptions) spec() convert.Spec {
	return convert.Spec{PartitionBy: o.PartitionBy, InferPartitions: o.InferPartitions, NoStatistics: o.NoStatistics, Properties: o.Properties,
		UserMetadata: o.UserMetadata}
}

func convertPlanOf(p *convert.Plan) *ConvertPlan {
	if p == nil {
		return nil
	}
	return &ConvertPlan{Schema: p.Schema, PartitionBy: p.PartitionBy, Files: p.Files, Bytes: p.Bytes, Rows: p.Rows, Passed: p.Passed}
}
