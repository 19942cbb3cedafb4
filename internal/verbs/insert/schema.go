package insert

import (
	"fmt"
	"slices"
	"strings"

	"github.com/sluicelake/sluice/internal/table/feature"
	"github.com/sluicelake/sluice/internal/table/snapshot"
	"github.com/sluicelake/sluice/internal/table/txn"
	"github.com/sluicelake/sluice/internal/verbs/merge"
	"github.com/sluicelake/sluice/types"
)

// check refuses options that do not go together.
func (o Options) check() error {
	refuse := func(class, text string) error { return &merge.StatementError{Class: class, Message: text} }
	switch {
	case o.OverwriteSchema && o.Mode == Dynamic:
		return refuse("DELTA_OVERWRITE_SCHEMA_WITH_DYNAMIC_PARTITION_OVERWRITE", "the schema is overwritten with all rows, not with those of some partitions")
	case o.OverwriteSchema && o.Mode == ReplaceWhere:
		return refuse("DELTA_REPLACE_WHERE_WITH_SCHEMA_OVERWRITE", "the schema is overwritten with all rows, not with those that a condition selects")
	case o.OverwriteSchema && o.Mode == Append:
		return refuse("DELTA_OVERWRITE_SCHEMA_WITHOUT_OVERWRITE", "an append keeps the schema, or adds to it (merge schema); an overwrite can replace it")
	case o.PartitionBy != nil && !o.OverwriteSchema:
		return refuse("DELTA_PARTITION_COLUMN_CHANGE", "the partition columns change with the schema only: overwrite the schema too")
	case o.Rearranges && (o.OverwriteSchema || o.MergeSchema):
		return refuse("DELTA_DATA_CHANGE_FALSE", "rows that stay what they are cannot come with another schema")
	}
	return nil
}

// replaced is the change that makes the source's columns those of the table.
func (o Options) replaced(l *txn.Log, s *snapshot.Snapshot, src *types.Struct) (*merge.Evolution, error) {
	by := s.PartitionColumns()
	if o.PartitionBy != nil {
		by = o.PartitionBy
		if len(by) > 0 && feature.Supports(s.Protocol(), "clustering") {
			if _, clustered := s.Domain(feature.ClusteringDomain); clustered {
				return nil, &merge.StatementError{Class: "DELTA_CLUSTERING_REPLACE_TABLE_WITH_PARTITIONED_TABLE", Message: "the table is clustered: it cannot be partitioned too"}
			}
		}
	}
	schema := Nullable(src)
	parts, err := partitions(schema, by)
	if err != nil {
		return nil, err
	}
	return merge.ReplacementOf(l.Env(), s, schema, parts)
}

// partitions finds the partition columns in a schema, as it spells them.
func partitions(schema *types.Struct, by []string) ([]string, error) {
	out := []string{}
	for _, name := range by {
		i := slices.IndexFunc(schema.Fields, func(f types.Field) bool { return strings.EqualFold(f.Name, name) })
		switch {
		case i < 0:
			return nil, &merge.StatementError{Class: "DELTA_PARTITION_COLUMN_NOT_FOUND", Message: fmt.Sprintf("the rows have no column %s to partition by; they have %s", types.QuoteIdentifier(name), strings.Join(schema.Names(), ", "))}
		case types.IsNested(schema.Fields[i].Type):
			return nil, &merge.StatementError{Class: "DELTA_INVALID_PARTITION_COLUMN_TYPE", Message: fmt.Sprintf("the column %s is %s: tables are partitioned by simple values", types.QuoteIdentifier(name), schema.Fields[i].Type)}
		case slices.Contains(out, schema.Fields[i].Name):
			return nil, &merge.StatementError{Class: "DELTA_DUPLICATE_COLUMNS_FOUND", Message: fmt.Sprintf("the partition column %s is named twice", types.QuoteIdentifier(name))}
		}
		out = append(out, schema.Fields[i].Name)
	}
	if len(out) > 0 && len(out) == len(schema.Fields) {
		return nil, &merge.StatementError{Class: "ALL_PARTITION_COLUMNS_NOT_ALLOWED", Message: "all columns are partition columns: at least one has to be in the files"}
	}
	return out, nil
}

// Nullable are columns of rows as columns of a table that is made of them: any
// may be NULL, and only comments are kept of what is said of them.
func Nullable(s *types.Struct) *types.Struct {
	out := &types.Struct{}
	for _, f := range s.Fields {
		n := types.Field{Name: f.Name, Type: nullableType(f.Type), Nullable: true}
		if c, ok := f.Metadata.Text("comment"); ok {
			n.Metadata = n.Metadata.With("comment", c)
		}
		out.Fields = append(out.Fields, n)
	}
	return out
}

func nullableType(t types.Type) types.Type {
	switch x := t.(type) {
	case *types.Struct:
		return Nullable(x)
	case *types.Array:
		return &types.Array{Element: nullableType(x.Element), ContainsNull: true}
	case *types.Map:
		return &types.Map{Key: nullableType(x.Key), Value: nullableType(x.Value), ValueContainsNull: true}
	}
	return t
}
