package convert

import (
	"context"
	"slices"
	"strings"

	"github.com/sluicelake/sluice/internal/format/partition"
	"github.com/sluicelake/sluice/internal/table/txn"
	"github.com/sluicelake/sluice/types"
)

// newPlan reads the folder.
func newPlan(ctx context.Context, l *txn.Log, spec Spec) (*Plan, error) {
	p := &Plan{PartitionBy: spec.partitionNames()}
	if err := list(ctx, l.Bucket(), p); err != nil {
		return nil, err
	}
	parts := spec.PartitionBy
	if spec.InferPartitions && parts == nil {
		parts = inferred(p.files)
		p.PartitionBy = parts.Names()
	}
	if p.PartitionBy == nil {
		p.PartitionBy = []string{}
	}
	for i := range p.files {
		if err := p.files[i].partitions(l.Bucket().URL(), parts); err != nil {
			return nil, err
		}
	}
	if err := footers(ctx, l, p, spec); err != nil {
		return nil, err
	}
	schema, err := merged(p.files)
	if err != nil {
		return nil, err
	}
	if parts != nil {
		for _, f := range parts.Fields {
			if i := schema.Index(f.Name); i >= 0 { // a column of files that the folders say too
				schema.Fields = slices.Delete(schema.Fields, i, i+1)
			}
			schema.Fields = append(schema.Fields, f)
		}
	}
	p.Schema = schema
	for i := range p.files {
		p.Rows += p.files[i].rows
	}
	return p, nil
}

// partitions checks the folders of a file against the partition columns.
func (f *found) partitions(root string, parts *types.Struct) error {
	var want []types.Field
	if parts != nil {
		want = parts.Fields
	}
	names := make([]string, len(want))
	for i, w := range want {
		names[i] = w.Name
	}
	if len(f.names) != len(want) {
		return refuse("DELTA_UNEXPECTED_NUM_PARTITION_COLUMNS_FROM_FILE_NAME",
			"the folders of %s/%s name %s, and %s given: say which partition columns the folder has, with their types (PARTITIONED BY (%s))",
			root, f.object.Key, columnsText(f.names), columnsText(names)+" "+are(len(names)), example(f.names))
	}
	for i, w := range want {
		if !strings.EqualFold(w.Name, f.names[i]) {
			return refuse("DELTA_UNEXPECTED_PARTITION_COLUMN_FROM_FILE_NAME", "the folder %d of %s/%s is of the partition column %s, and %s was given",
				i+1, root, f.object.Key, types.QuoteIdentifier(f.names[i]), types.QuoteIdentifier(w.Name))
		}
		if f.values[i].null {
			continue
		}
		if _, err := partition.Parse(f.values[i].text, w.Type); err != nil {
			return refuse("DELTA_FAILED_CAST_PARTITION_VALUE", "the folder %s of %s/%s holds no value of the type %s", f.names[i]+"="+f.values[i].text, root, f.object.Key, w.Type)
		}
	}
	return nil
}

func columnsText(names []string) string {
	if len(names) == 0 {
		return "no partition columns"
	}
	return "the partition columns " + strings.Join(names, ", ")
}

func are(n int) string {
	if n == 1 {
		return "is"
	}
	return "are"
}

func example(names []string) string {
	out := make([]string, len(names))
	for i, n := range names {
		out[i] = types.QuoteIdentifier(n) + " STRING"
	}
	return strings.Join(out, ", ")
}

// inferred takes partition columns from the folders: the narrowest type that all
// values have, of INT, BIGINT, DATE, BOOLEAN and STRING.
func inferred(files []found) *types.Struct {
	out := &types.Struct{}
	for i, name := range files[0].names {
		t := types.Type(types.String)
		for _, candidate := range []types.Type{types.Integer, types.Long, types.Date, types.Boolean} {
			if fits(files, i, candidate) {
				t = candidate
				break
			}
		}
		out.Fields = append(out.Fields, types.Field{Name: name, Type: t, Nullable: true})
	}
	return out
}

// fits reports whether all values are of a type and read the same again: 007 is
// no number.
func fits(files []found, i int, t types.Type) bool {
	any := false
	for _, f := range files {
		if i >= len(f.values) || f.values[i].null {
			continue
		}
		v, err := partition.Parse(f.values[i].text, t)
		if err != nil {
			return false
		}
		if text, _, err := partition.Format(v, t); err != nil || text != f.values[i].text {
			return false
		}
		any = true
	}
	return any
}

// merged is the schema of all files: a column that a file lacks is NULL in it, and
// one that several have is of one type.
func merged(files []found) (*types.Struct, error) {
	out := &types.Struct{}
	from := map[string]string{} // the file where a column was first seen
	for i := range files {
		f := &files[i]
		if err := join(out, f.schema, "", f.object.Key, from); err != nil {
			return nil, err
		}
	}
	return out, nil
}

func join(into, s *types.Struct, path, file string, from map[string]string) error {
	for _, f := range s.Fields {
		name := path + types.QuoteIdentifier(f.Name)
		f.Nullable, f.Type = true, nullable(f.Type)
		i := slices.IndexFunc(into.Fields, func(g types.Field) bool { return strings.EqualFold(g.Name, f.Name) })
		if i < 0 {
			into.Fields = append(into.Fields, f)
			from[name] = file
			continue
		}
		has, ok1 := into.Fields[i].Type.(*types.Struct)
		gets, ok2 := f.Type.(*types.Struct)
		switch {
		case ok1 && ok2:
			if err := join(has, gets, name+".", file, from); err != nil {
				return err
			}
		case !types.SameIgnoringNullability(into.Fields[i].Type, f.Type):
			return refuse("DELTA_FAILED_TO_MERGE_FIELDS", "column %s is %s in %s and %s in %s: write the files with one schema first", name, into.Fields[i].Type, from[name], f.Type, file)
		}
	}
	return nil
}

// nullable is a type whose parts may all be NULL, in structs of its own.
func nullable(t types.Type) types.Type {
	switch x := t.(type) {
	case *types.Struct:
		out := &types.Struct{}
		for _, f := range x.Fields {
			f.Nullable, f.Type = true, nullable(f.Type)
			out.Fields = append(out.Fields, f)
		}
		return out
	case *types.Array:
		return &types.Array{Element: nullable(x.Element), ContainsNull: true}
	case *types.Map:
		return &types.Map{Key: nullable(x.Key), Value: nullable(x.Value), ValueContainsNull: true}
	}
	return t
}
