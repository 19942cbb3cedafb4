package query

import (
	"slices"
	"strings"

	"github.com/apache/arrow-go/v18/arrow"

	"github.com/sluicelake/sluice/internal/base/columns"
	"github.com/sluicelake/sluice/internal/logic/eval"
	"github.com/sluicelake/sluice/types"
)

// extremes keeps the first argument of the row whose last argument is the least or
// the most: min and max have one argument, min_by and max_by two. NULL does not
// compete; of equals the last one stays.
type extremes struct {
	t    types.Type
	most bool
	best []any
	have []bool
	by   []any
}

func (x *extremes) add(args []arrow.Array, rows, groups []int32, total int) error {
	x.best, x.have, x.by = grown(x.best, total), grown(x.have, total), grown(x.by, total)
	key := args[len(args)-1]
	// The best row of this batch for each group is found by comparing rows; only
	// those are compared with the values that are kept.
	order := eval.Order(key, key)
	best := map[int32]int32{}
	for i, row := range rows {
		if columns.IsNull(key, int(row)) {
			continue
		}
		g := groups[i]
		if b, ok := best[g]; ok {
			if c := order(int(row), int(b)); x.most && c < 0 || !x.most && c > 0 {
				continue
			}
		}
		best[g] = row
	}
	for g, row := range best {
		v := columns.Value(key, int(row))
		if x.have[g] {
			if c := eval.OrderValues(v, x.by[g]); x.most && c < 0 || !x.most && c > 0 {
				continue
			}
		}
		x.have[g], x.by[g] = true, kept(v)
		x.best[g] = kept(columns.Value(args[0], int(row)))
	}
	return nil
}

// kept is a value that does not hold on to the batch it came from.
func kept(v any) any {
	switch x := v.(type) {
	case string:
		return strings.Clone(x)
	case []byte:
		return slices.Clone(x)
	}
	return v
}

func (x *extremes) value(g int) (any, error) {
	if g >= len(x.best) {
		return nil, nil
	}
	return x.best[g], nil
}
func (x *extremes) held() int64 { return int64(len(x.best)) * 64 }

// pick keeps the first or the last value in the order of the rows.
type pick struct {
	t               types.Type
	last, skipNulls bool
	v               []any
	have            []bool
}

func (p *pick) add(args []arrow.Array, rows, groups []int32, total int) error {
	p.v, p.have = grown(p.v, total), grown(p.have, total)
	for i, row := range rows {
		g := groups[i]
		if p.have[g] && !p.last || p.skipNulls && columns.IsNull(args[0], int(row)) {
			continue
		}
		p.v[g], p.have[g] = kept(columns.Value(args[0], int(row))), true
	}
	return nil
}

func (p *pick) value(g int) (any, error) {
	if g >= len(p.v) {
		return nil, nil
	}
	return p.v[g], nil
}
func (p *pick) held() int64 { return int64(len(p.v)) * 48 }

// collection keeps all values that are not NULL.
type collection struct {
	t     types.Type
	lists [][]any
	n     int64
}

func (c *collection) add(args []arrow.Array, rows, groups []int32, total int) error {
	c.lists = grown(c.lists, total)
	for i, row := range rows {
		if !columns.IsNull(args[0], int(row)) {
			c.lists[groups[i]] = append(c.lists[groups[i]], kept(columns.Value(args[0], int(row))))
			c.n++
		}
	}
	return nil
}

func (c *collection) value(g int) (any, error) {
	if g >= len(c.lists) || c.lists[g] == nil {
		return []any{}, nil
	}
	return c.lists[g], nil
}
func (c *collection) held() int64 { return int64(len(c.lists))*24 + c.n*48 }
