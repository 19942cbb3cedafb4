package colstats

import (
	"fmt"
	"strconv"
	"strings"

	"github.com/sluicelake/sluice/types"
)

// Leaf is a column that is no struct: a primitive, an array, a map or a variant.
type Leaf struct {
	Path    []string // physical names from the top-level column down
	Ordinal []int    // positions from the top-level column down
	Type    types.Type
}

// HasBounds reports whether statistics hold a minimum and a maximum for a type;
// booleans, binaries and nested values have a NULL count only.
func HasBounds(t types.Type) bool {
	switch ClassOf(t) {
	case Int:
		return t.Kind() != types.KindBoolean
	case Text:
		return t.Kind() == types.KindString
	case None:
		return false
	}
	return true
}

// Leaves lists every leaf of a schema in order.
func Leaves(physical *types.Struct) []Leaf {
	var out []Leaf
	walkLeaves(physical, physical, nil, nil, nil, func(l Leaf, _ []string) bool {
		out = append(out, l)
		return true
	})
	return out
}

func walkLeaves(physical, logical *types.Struct, path []string, ordinal []int, names []string, yield func(Leaf, []string) bool) bool {
	for i, f := range physical.Fields {
		p := append(path[:len(path):len(path)], f.Name)
		o := append(ordinal[:len(ordinal):len(ordinal)], i)
		n := append(names[:len(names):len(names)], logical.Fields[i].Name)
		if s, ok := f.Type.(*types.Struct); ok {
			if ls, same := logical.Fields[i].Type.(*types.Struct); same && len(ls.Fields) == len(s.Fields) {
				if !walkLeaves(s, ls, p, o, n, yield) {
					return false
				}
			}
			continue
		}
		if !yield(Leaf{Path: p, Ordinal: o, Type: f.Type}, n) {
			return false
		}
	}
	return true
}

// The table properties that choose the columns with statistics.
const (
	PropertyColumns = "delta.dataSkippingStatsColumns"
	PropertyCount   = "delta.dataSkippingNumIndexedCols"
	defaultCount    = 32
)

// Select chooses the leaves that get statistics. Columns named by
// delta.dataSkippingStatsColumns (a struct stands for all of its leaves) win
// over the first delta.dataSkippingNumIndexedCols leaves, 32 by default, -1
// for all. logical and physical are the same schema under both names; partition
// columns, named logically, hold no data and are left out.
func Select(logical, physical *types.Struct, partitionColumns []string, config map[string]string) ([]Leaf, error) {
	if len(logical.Fields) != len(physical.Fields) {
		return nil, fmt.Errorf("statistics: %d logical and %d physical columns", len(logical.Fields), len(physical.Fields))
	}
	partition := map[string]bool{}
	for _, c := range partitionColumns {
		partition[strings.ToLower(c)] = true
	}
	var wanted [][]string
	list, named := config[PropertyColumns]
	if named {
		var err error
		if wanted, err = ParseColumns(list); err != nil {
			return nil, fmt.Errorf("table property %s: %w", PropertyColumns, err)
		}
	}
	count := defaultCount
	if text, ok := config[PropertyCount]; ok && !named {
		n, err := strconv.Atoi(text)
		if err != nil || n < -1 {
			return nil, fmt.Errorf("table property %s: %q is no number of columns (-1 for all)", PropertyCount, text)
		}
		count = n
	}
	var out []Leaf
	walkLeaves(physical, logical, nil, nil, nil, func(l Leaf, names []string) bool {
		switch {
		case partition[strings.ToLower(names[0])]:
		case named:
			if covered(names, wanted) {
				out = append(out, l)
			}
		case count >= 0 && len(out) >= count:
			return false
		default:
			out = append(out, l)
		}
		return true
	})
	return out, nil
}

// covered reports whether a listed column is the named one or contains it.
func covered(names []string, wanted [][]string) bool {
	for _, w := range wanted {
		if len(w) > len(names) {
			continue
		}
		same := true
		for i := range w {
			same = same && strings.EqualFold(w[i], names[i])
		}
		if same {
			return true
		}
	}
	return false
}

// ParseColumns reads a comma-separated list of column names with dots and
// backticks.
func ParseColumns(list string) ([][]string, error) {
	var out [][]string
	var name []string
	for rest := strings.TrimSpace(list); rest != ""; {
		var part string
		if rest[0] == '`' {
			end := 1
			for {
				i := strings.IndexByte(rest[end:], '`')
				if i < 0 {
					return nil, fmt.Errorf("a backtick is not closed in %q", list)
				}
				part += rest[end : end+i]
				end += i + 1
				if end >= len(rest) || rest[end] != '`' {
					break
				}
				part += "`"
				end++
			}
			rest = strings.TrimLeft(rest[end:], " \t\n")
		} else {
			end := strings.IndexAny(rest, ".,`")
			if end < 0 {
				end = len(rest)
			}
			part, rest = strings.TrimSpace(rest[:end]), rest[end:]
		}
		if part == "" {
			return nil, fmt.Errorf("an empty name in %q", list)
		}
		name = append(name, part)
		if rest == "" {
			break
		}
		if rest[0] != '.' && rest[0] != ',' {
			return nil, fmt.Errorf("%q stands where a comma or a dot is expected in %q", rest, list)
		}
		if rest[0] == ',' {
			out = append(out, name)
			name = nil
		}
		if rest = strings.TrimLeft(rest[1:], " \t\n"); rest == "" {
			return nil, fmt.Errorf("%q ends in a separator", list)
		}
	}
	if name != nil {
		out = append(out, name)
	}
	return out, nil
}
