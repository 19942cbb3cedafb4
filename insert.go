package sluice

import (
	"context"
	"errors"

	"github.com/sluicelake/sluice/internal/verbs/insert"
)

// AppendOptions say how rows are inserted.
type AppendOptions struct {
	// MergeSchema adds columns and fields that only the source has to the table.
	MergeSchema bool
	// NoDataChange says that the rows were in the table before, in other files that
	// are removed in another way: readers of changes pass over the commit.
	NoDataChange bool
	CommitOptions
}

// OverwriteOptions say which rows give way to the new ones.
type OverwriteOptions struct {
	// Where limits the overwrite to the rows that it selects; every new row
	// must satisfy it. "" is all rows.
	Where string
	// Dynamic replaces just the partitions that receive rows.
	Dynamic bool
	// MergeSchema adds columns and fields that only the source has to the table.
	MergeSchema bool
	// OverwriteSchema makes the source's columns those of the table; all rows go.
	// Properties and constraints stay.
	OverwriteSchema bool
	// PartitionBy has the new partition columns, with OverwriteSchema; nil keeps
	// them, and an empty list makes a table without.
	PartitionBy []string
	// NoDataChange says that the new rows are those that go, in other files: readers
	// of changes pass over the commit. Nobody checks that it is true.
	NoDataChange bool
	CommitOptions
}

// WriteResult is what an append or overwrite did.
type WriteResult struct {
	Rows                     int64
	FilesAdded, FilesRemoved int64
	BytesAdded               int64
	Commit                   Commit
}

// Append adds the rows of a source, by column name.
func (t *Table) Append(ctx context.Context, src Source, o AppendOptions) (*WriteResult, error) {
	return t.insert(ctx, "append to", src, insert.Options{Options: o.internal(), Mode: insert.Append, MergeSchema: o.MergeSchema, Rearranges: o.NoDataChange})
}

// Overwrite replaces rows of the table with those of a source.
func (t *Table) Overwrite(ctx context.Context, src Source, o OverwriteOptions) (*WriteResult, error) {
	where, err := condition(o.Where)
	if err != nil {
		return nil, t.fail("overwrite of", err)
	}
	in := insert.Options{Options: o.internal(), Mode: insert.Overwrite, Where: where, MergeSchema: o.MergeSchema,
		OverwriteSchema: o.OverwriteSchema, PartitionBy: o.PartitionBy, Rearranges: o.NoDataChange}
	switch {
	case o.Dynamic && where != nil:
		return nil, t.fail("overwrite of", errors.New("Where and Dynamic exclude each other"))
	case o.Dynamic:
		in.Mode = insert.Dynamic
	case where != nil:
		in.Mode = insert.ReplaceWhere
	}
	return t.insert(ctx, "overwrite of", src, in)
}

func (t *Table) insert(ctx context.Context, op string, src Source, o insert.Options) (*WriteResult, error) {
	if err := t.use(); err != nil {
		return nil, err
	}
	if src == nil {
		return nil, t.fail(op, errors.New("the source is nil"))
	}
	res, err := insert.Run(ctx, t.log, src, o)
	if err != nil {
		return nil, t.fail(op, err)
	}
	return &WriteResult{Rows: res.Rows, FilesAdded: res.FilesAdded, FilesRemoved: res.FilesRemoved, BytesAdded: res.BytesAdded,
		Commit: commitOf(res.Commit, res.Winners, res.Skipped, res.Runs)}, nil
}
