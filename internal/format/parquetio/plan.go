package parquetio

import (
	"errors"
	"fmt"

	"github.com/apache/arrow-go/v18/arrow"

	"github.com/sluicelake/sluice/internal/base/columns"
	"github.com/sluicelake/sluice/types"
)

// column says how one wanted column, or a part of it, is made from a file.
type column struct {
	typ    types.Type
	dt     arrow.DataType
	pq     *parquetNode // nil: not in the file, all NULL
	rep    *parquetNode // lists and maps: the repeated node
	levels *parquetNode // nested: the leaf whose levels say how many slots there are
	conv   convert      // leaves
	kids   []*column
	flat   bool          // a top-level leaf without lists
	pieces *types.Struct // a shredded variant: what lies in the file
}

// TypeError says that a column of a file cannot be read as the type of the table.
type TypeError struct {
	Column string
	File   string // the Parquet type
	Want   types.Type
}

func (e *TypeError) Error() string {
	return fmt.Sprintf("column %s is %s in the file, the table says %s", types.QuoteIdentifier(e.Column), e.File, e.Want)
}

// errNoIDs refuses what PROTOCOL.md, Reader Requirements for Column Mapping, has
// a reader refuse.
var errNoIDs = errors.New("its columns have no field ids, by which a table with column mapping by id finds them")

// resolver matches the columns of a table with those of a file.
type resolver struct {
	byID   bool         // by field id, where the table gives one
	leaves map[int]bool // leaf columns that must be decoded
	kept   map[int]bool // those whose levels are needed
}

// member finds a field in a group; nil when the file does not have it.
func (r *resolver) member(g *parquetNode, f types.Field) (*parquetNode, error) {
	if r.byID {
		if id, ok := f.Metadata.Int(fieldIDKey); ok {
			return g.childByID(f.Name, int32(id))
		}
	}
	return g.child(f.Name)
}

// column plans a column; pq is nil when the file has none.
func (r *resolver) column(name string, t types.Type, pq *parquetNode, top bool) (*column, error) {
	dt, err := columns.ArrowType(t)
	if err != nil {
		return nil, err
	}
	c := &column{typ: t, dt: dt, pq: pq}
	if pq == nil || t.Kind() == types.KindVoid || pq.leaf >= 0 && pq.repetition != repeated && pq.logical.kind == logicalNothing {
		c.pq = nil
		return c, nil
	}
	misfit := &TypeError{Column: name, File: pq.describe(), Want: t}
	switch x := t.(type) {
	case *types.Struct:
		if pq.leaf >= 0 || pq.isList() || pq.isMap() {
			return nil, misfit
		}
		for _, f := range x.Fields {
			in, err := r.member(pq, f)
			if err != nil {
				return nil, err
			}
			k, err := r.column(name+"."+f.Name, f.Type, in, false)
			if err != nil {
				return nil, err
			}
			c.kids = append(c.kids, k)
		}
		return c, r.chooseLevels(c)
	case *types.Array:
		rep, el, ok := pq.listElement(x.Element)
		if !ok || pq.isMap() {
			return nil, misfit
		}
		k, err := r.column(name+".element", x.Element, el, false)
		if err != nil {
			return nil, err
		}
		c.rep, c.kids = rep, []*column{k}
		return c, r.chooseLevels(c)
	case *types.Map:
		rep, key, value, ok := pq.mapEntry()
		if !ok || pq.isList() {
			return nil, misfit
		}
		k, err := r.column(name+".key", x.Key, key, false)
		if err != nil {
			return nil, err
		}
		v, err := r.column(name+".value", x.Value, value, false)
		if err != nil {
			return nil, err
		}
		c.rep, c.kids = rep, []*column{k, v}
		return c, r.chooseLevels(c)
	}
	if t.Kind() == types.KindVariant {
		return c, r.variant(c, name, misfit)
	}
	if pq.leaf < 0 || pq.repetition == repeated && top {
		return nil, misfit
	}
	conv, ok := converter(pq, t)
	if !ok {
		return nil, misfit
	}
	c.conv, c.levels, c.flat = conv, pq, top
	r.leaves[pq.leaf] = true
	if !top {
		r.kept[pq.leaf] = true
	}
	return c, nil
}

// variant plans the two binaries of a variant, or the pieces of a shredded one.
func (r *resolver) variant(c *column, name string, misfit *TypeError) error {
	if c.pq.leaf >= 0 {
		return misfit
	}
	if c.pq.part("typed_value") != nil {
		s, ok := shreddedType(c.pq, 0)
		if !ok {
			misfit.File = "a shredded variant with a type that sluice does not know"
			return misfit
		}
		s.Fields = append([]types.Field{{Name: "metadata", Type: types.Binary}}, s.Fields...)
		k, err := (&resolver{leaves: r.leaves, kept: r.kept}).column(name, s, c.pq, false)
		if err != nil {
			return err
		}
		c.pieces, c.kids, c.levels = s, []*column{k}, k.levels
		return nil
	}
	for _, part := range []string{"metadata", "value"} {
		leaf := c.pq.part(part)
		if leaf == nil {
			return misfit
		}
		k, err := r.column(name+"."+part, types.Binary, leaf, false)
		if err != nil {
			return err
		}
		c.kids = append(c.kids, k)
	}
	return r.chooseLevels(c)
}

// chooseLevels picks a leaf below a group that is decoded anyway, or else any.
func (r *resolver) chooseLevels(c *column) error {
	for _, k := range c.kids {
		if k.levels != nil {
			c.levels = k.levels
			return nil
		}
	}
	from := c.pq
	if c.rep != nil {
		from = c.rep
	}
	if c.levels = from.firstLeaf(); c.levels == nil {
		return fmt.Errorf("group %s of the file has no columns", c.pq.path)
	}
	r.leaves[c.levels.leaf], r.kept[c.levels.leaf] = true, true
	return nil
}

// describe names the type of a node for a message.
func (n *parquetNode) describe() string {
	if n.leaf < 0 {
		switch {
		case n.isList():
			return "a list"
		case n.logical.kind == logicalMap:
			return "a map"
		}
		return "a group"
	}
	name := n.physical.String()
	if s, ok := n.decimalScale(); ok {
		return fmt.Sprintf("%s (DECIMAL(%d,%d))", name, n.logical.precision, s)
	}
	switch {
	case n.logical.kind == logicalDate:
		return name + " (DATE)"
	case n.isTimestamp():
		return name + " (TIMESTAMP)"
	case n.logical.kind == logicalString:
		return name + " (STRING)"
	}
	return name
}
