package vacuum

import (
	"fmt"
	"strings"

	"github.com/sluicelake/sluice/internal/base/address"
	"github.com/sluicelake/sluice/internal/base/columns"
	"github.com/sluicelake/sluice/internal/rows/source"
	"github.com/sluicelake/sluice/storage"
	"github.com/sluicelake/sluice/types"
)

// InventorySchema is what the rows of an inventory have; more columns are passed
// over.
var InventorySchema = types.NewStruct(
	types.Field{Name: "path", Type: types.String, Nullable: true},
	types.Field{Name: "length", Type: types.Long, Nullable: true},
	types.Field{Name: "isDir", Type: types.Boolean, Nullable: true},
	types.Field{Name: "modificationTime", Type: types.Long, Nullable: true})

// inventoryColumns finds the columns of an inventory.
func (f *finder) inventoryColumns(s *types.Struct) ([]int, error) {
	out := make([]int, len(InventorySchema.Fields))
	for i, want := range InventorySchema.Fields {
		out[i] = -1
		for k, have := range s.Fields {
			if strings.EqualFold(have.Name, want.Name) && fits(have.Type, want.Type) {
				out[i] = k
			}
		}
		if out[i] < 0 {
			return nil, &Error{Class: ClassInventory, Table: f.bucket.URL(),
				Msg: fmt.Sprintf("the inventory needs the columns %s; it has %s", ddl(InventorySchema), ddl(s))}
		}
	}
	return out, nil
}

func fits(have, want types.Type) bool {
	if want == types.Long {
		return have == types.Long || have == types.Integer
	}
	return have == want
}

func ddl(s *types.Struct) string {
	var parts []string
	for _, f := range s.Fields {
		parts = append(parts, f.Name+" "+f.Type.String())
	}
	return strings.Join(parts, ", ")
}

// fromInventory decides about the files that an inventory lists.
func (f *finder) fromInventory(src source.Source) error {
	at, err := f.inventoryColumns(src.Schema())
	if err != nil {
		return err
	}
	f.res.Directories = 1
	seen := newHashes(0)
	for b, err := range src.Batches(f.ctx) {
		if err != nil {
			return err
		}
		for row := range int(b.NumRows()) {
			path, ok := columns.Value(b.Column(at[0]), row).(string)
			if !ok || path == "" {
				continue
			}
			dir, _ := columns.Value(b.Column(at[2]), row).(bool)
			time, timed := whole(columns.Value(b.Column(at[3]), row))
			size, _ := whole(columns.Value(b.Column(at[1]), row))
			key, inside := f.listed(path)
			switch {
			case !inside || f.names.hiddenKey(key):
				f.res.Outside++
			case dir:
				f.res.Directories++
			case !timed || seen.has(key): // of unknown age; entered twice
			default:
				key = strings.Clone(key)
				seen.add(key)
				f.res.Listed++
				f.tell()
				if f.needed(key) {
					continue
				}
				ok, err := f.expired(storage.Object{Key: key, Size: size, ModTime: millis(time)})
				if err != nil {
					return err
				}
				if ok {
					f.take(key, size)
				}
			}
		}
	}
	return f.ctx.Err()
}

// listed is the key of a path of an inventory, which is no path of a log: it is
// not escaped unless it is a URL.
func (f *finder) listed(path string) (string, bool) {
	if !address.Absolute(path) {
		return address.Key(path)
	}
	root := strings.TrimRight(f.bucket.URL(), "/") + "/"
	if rest, ok := strings.CutPrefix(path, root); ok { // spelled as the table is
		if key, ok := address.Key(rest); ok && !strings.Contains(rest, "%") {
			return key, true
		}
	}
	if rest, ok := strings.CutPrefix(path, strings.TrimRight(address.Plain(root), "/")+"/"); ok && strings.HasPrefix(path, "/") {
		return address.Key(rest)
	}
	rest, ok := address.Below(path, f.bucket.URL())
	if !ok {
		return "", false
	}
	return address.Key(rest)
}

func whole(v any) (int64, bool) {
	switch n := v.(type) {
	case int64:
		return n, true
	case int32:
		return int64(n), true
	}
	return 0, false
}
