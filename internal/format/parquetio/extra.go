package parquetio

import (
	"strings"

	"github.com/sluicelake/sluice/types"
)

// Extra lists the columns, and fields of structs, that the file has and the schema,
// which has physical names, lacks. A column is the same by its name or by its field
// id. What is inside of lists, maps and variants is not looked at.
func (f *File) Extra(schema *types.Struct) []string { return extra(f.meta.root, schema, nil) }

func extra(g *parquetNode, s *types.Struct, out []string) []string {
	for _, n := range g.children {
		i := s.Index(n.name)
		if i < 0 || !strings.EqualFold(s.Fields[i].Name, n.name) {
			i = -1
			for k, field := range s.Fields {
				if id, ok := field.Metadata.Int(fieldIDKey); ok && n.fieldID >= 0 && int64(n.fieldID) == id {
					i = k
				}
			}
		}
		if i < 0 {
			out = append(out, n.path)
			continue
		}
		if inner, ok := s.Fields[i].Type.(*types.Struct); ok && n.leaf < 0 {
			out = extra(n, inner, out)
		}
	}
	return out
}
