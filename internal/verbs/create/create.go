// Package create is CREATE TABLE: version 0 of a table, with its schema,
// partitioning, properties and the protocol that these demand.
package create

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"maps"
	"strings"

	"github.com/sluicelake/sluice/action"
	"github.com/sluicelake/sluice/internal/table/conflict"
	"github.com/sluicelake/sluice/internal/table/feature"
	"github.com/sluicelake/sluice/internal/table/snapshot"
	"github.com/sluicelake/sluice/internal/table/txn"
	"github.com/sluicelake/sluice/internal/verbs/merge"
	"github.com/sluicelake/sluice/types"
)

// Spec is a CREATE TABLE as a value.
type Spec struct {
	Schema      *types.Struct
	PartitionBy []string
	Properties  map[string]string
	Name        string
	Comment     string
	// IfNotExists accepts a table that is there already, as it is.
	IfNotExists bool
}

// Result says what became of it.
type Result struct {
	Created bool // false: the table was there
	Commit  txn.Result
}

// ExistsError is a table where one was to be created.
type ExistsError struct {
	Table   string
	Version int64
}

func (e *ExistsError) Error() string {
	return fmt.Sprintf("[DELTA_TABLE_ALREADY_EXISTS] %s is a Delta table already (version %d): use IF NOT EXISTS to accept it, or choose another place", e.Table, e.Version)
}

// Run creates the table.
func Run(ctx context.Context, l *txn.Log, spec Spec, o txn.Options) (Result, error) {
	for {
		s, err := l.Update(ctx)
		switch {
		case err == nil && spec.IfNotExists:
			return Result{Commit: txn.Result{Version: s.Version(), Snapshot: s}}, nil
		case err == nil:
			return Result{}, &ExistsError{Table: l.Bucket().URL(), Version: s.Version()}
		case !errors.Is(err, snapshot.ErrNotTable):
			return Result{}, err
		}
		acts, op, err := plan(l, spec)
		if err != nil {
			return Result{}, err
		}
		res, err := l.BeginCreate().CommitWork(ctx, &work{acts, op}, o)
		if err != nil || !res.Again {
			return Result{Created: res.Committed, Commit: res}, err
		}
		o.BeforePublish = nil // another writer created it first: look again
	}
}

// plan derives version 0.
func plan(l *txn.Log, spec Spec) ([]action.Action, txn.Operation, error) {
	parts, err := Check(spec)
	if err != nil {
		return nil, txn.Operation{}, err
	}
	protocol, config, err := feature.ForNewTable(spec.Schema, spec.Properties)
	if err != nil {
		return nil, txn.Operation{}, err
	}
	if feature.ColumnMapping(&action.Metadata{Configuration: config}) != feature.MappingNone {
		spec.Schema, config = feature.AssignMapping(spec.Schema, config, l.Env().NewID)
	}
	if feature.RowTracking(&action.Metadata{Configuration: config}) {
		feature.NameRowColumns(config, l.Env().NewID)
	}
	now := l.Env().Now().UnixMilli()
	md := &action.Metadata{ID: l.Env().NewID(), Format: action.Format{Provider: "parquet", Options: map[string]string{}},
		SchemaString: types.JSON(spec.Schema), PartitionColumns: parts, Configuration: config, CreatedTime: &now}
	if spec.Name != "" {
		md.Name = &spec.Name
	}
	if spec.Comment != "" {
		md.Description = &spec.Comment
	}
	text := func(v any) json.RawMessage { b, _ := json.Marshal(v); return b }
	shown := maps.Clone(config)
	if shown == nil {
		shown = map[string]string{}
	}
	var description any
	if spec.Comment != "" {
		description = spec.Comment
	}
	op := txn.Operation{Name: "CREATE TABLE", Metrics: map[string]string{}, Parameters: map[string]json.RawMessage{
		"isManaged": text("false"), "description": text(description), "partitionBy": merge.Encoded(parts), "properties": merge.Encoded(shown),
		"clusterBy": merge.Encoded([]string{})}}
	return []action.Action{protocol, md}, op, nil
}

// Check validates columns and partitioning and returns the partition columns as
// they are spelled in the schema.
func Check(spec Spec) ([]string, error) {
	refuse := func(class, format string, args ...any) error {
		return &merge.StatementError{Class: class, Message: fmt.Sprintf(format, args...)}
	}
	if spec.Schema == nil || len(spec.Schema.Fields) == 0 {
		return nil, refuse("DELTA_EMPTY_SCHEMA", "a table needs at least one column")
	}
	mapped := feature.ColumnMapping(&action.Metadata{Configuration: spec.Properties}) != feature.MappingNone
	seen := map[string]bool{}
	for _, f := range spec.Schema.Fields {
		low := strings.ToLower(f.Name)
		switch {
		case f.Name == "":
			return nil, refuse("DELTA_INVALID_COLUMN_NAMES", "a column has no name")
		case seen[low]:
			return nil, refuse("DELTA_DUPLICATE_COLUMNS_FOUND", "the column %s is named twice (names are compared without regard to case)", types.QuoteIdentifier(f.Name))
		case !mapped && strings.ContainsAny(f.Name, " ,;{}()\n\t="):
			return nil, refuse("DELTA_INVALID_CHARACTERS_IN_COLUMN_NAMES", "the column name %q holds one of the characters ' ,;{}()\\n\\t=', which Parquet columns of a table without column mapping cannot have", f.Name)
		case f.Type.Kind() == types.KindVoid:
			return nil, refuse("DELTA_UNSUPPORTED_DATA_TYPES", "the column %s has no type", types.QuoteIdentifier(f.Name))
		}
		seen[low] = true
	}
	parts := []string{}
	for _, name := range spec.PartitionBy {
		f, ok := spec.Schema.Field(name)
		switch {
		case !ok:
			return nil, refuse("DELTA_COLUMN_NOT_FOUND_IN_SCHEMA", "the partition column %s is not among the columns %s", types.QuoteIdentifier(name), strings.Join(spec.Schema.Names(), ", "))
		case types.IsNested(f.Type) || f.Type.Kind() == types.KindVariant:
			return nil, refuse("DELTA_INVALID_PARTITION_COLUMN_TYPE", "%s is %s: a table cannot be partitioned by it", types.QuoteIdentifier(name), f.Type)
		}
		for _, p := range parts {
			if p == f.Name {
				return nil, refuse("DELTA_DUPLICATE_COLUMNS_FOUND", "the partition column %s is named twice", types.QuoteIdentifier(name))
			}
		}
		parts = append(parts, f.Name)
	}
	if len(parts) == len(spec.Schema.Fields) {
		return nil, refuse("DELTA_CANNOT_USE_ALL_COLUMNS_FOR_PARTITION", "all columns are partition columns: the data files would be empty")
	}
	return parts, nil
}

// work publishes version 0 once; when another writer was first, Run looks again.
type work struct {
	acts []action.Action
	op   txn.Operation
}

func (w *work) Depends() txn.Dependencies { return txn.Dependencies{Rebindable: true} }

func (w *work) Effects(context.Context) (txn.Effects, error) {
	return txn.Effects{Actions: w.acts, Operation: w.op, Always: true}, nil
}

func (w *work) Repair(context.Context, conflict.Verdict, *snapshot.Snapshot) (txn.Repaired, error) {
	return txn.Repaired{}, nil
}
