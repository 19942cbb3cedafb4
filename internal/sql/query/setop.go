package query

import (
	"iter"

	"github.com/sluicelake/sluice/types"
)

// union gives the rows of its inputs one after the other. Their types are those of
// the result but for nullability inside of nested types.
type union struct {
	inputs []node
	types  []types.Type
}

// fields have the names of the first input.
func (n *union) fields() []types.Field {
	out := append([]types.Field(nil), n.inputs[0].fields()...)
	for _, in := range n.inputs {
		for i, f := range in.fields() {
			out[i].Type = n.types[i]
			out[i].Nullable = out[i].Nullable || f.Nullable
		}
	}
	return out
}

func (n *union) need(cols []bool) {
	for _, in := range n.inputs {
		in.need(cols)
	}
}

func (n *union) run(r *run) iter.Seq2[batch, error] {
	return func(yield func(batch, error) bool) {
		fields := n.fields()
		for _, in := range n.inputs {
			for b, err := range in.run(r) {
				if err == nil {
					b, err = conform(b, fields)
				}
				if !yield(b, err) || err != nil {
					return
				}
			}
		}
	}
}

// distinct gives the first of equal rows.
type distinct struct{ in node }

func (n *distinct) fields() []types.Field { return n.in.fields() }
func (n *distinct) need([]bool)           { n.in.need(every(n.in)) }

func (n *distinct) run(r *run) iter.Seq2[batch, error] {
	return func(yield func(batch, error) bool) {
		keys := newKeySet()
		for b, err := range n.in.run(r) {
			if err != nil {
				yield(batch{}, err)
				return
			}
			var sel []int32
			before := keys.bytes
			for i := range b.Rows {
				if _, fresh := keys.add(b.Columns, i); fresh {
					sel = append(sel, int32(i))
				}
			}
			if err := r.hold("DISTINCT", keys.bytes-before); err != nil {
				yield(batch{}, err)
				return
			}
			if len(sel) > 0 && !yield(take(b, sel), nil) {
				return
			}
		}
	}
}

// matching is INTERSECT and EXCEPT: rows of the left side that are, or are not,
// on the right side. With all, each row on the right answers for one on the left.
type matching struct {
	left, right node
	except, all bool
}

func (n *matching) fields() []types.Field { return n.left.fields() }
func (n *matching) need([]bool) {
	n.left.need(every(n.left))
	n.right.need(every(n.right))
}

func (n *matching) run(r *run) iter.Seq2[batch, error] {
	return func(yield func(batch, error) bool) {
		keys := newKeySet()
		var count []int // rows of the right side by key, less those that were answered for
		right := 0
		for b, err := range n.right.run(r) {
			if err != nil {
				yield(batch{}, err)
				return
			}
			before := keys.bytes
			for i := range b.Rows {
				id, fresh := keys.add(b.Columns, i)
				if fresh {
					count = append(count, 0)
				}
				count[id]++
			}
			if err := r.hold("the right side of INTERSECT or EXCEPT", keys.bytes-before); err != nil {
				yield(batch{}, err)
				return
			}
		}
		right = len(count)
		for b, err := range n.left.run(r) {
			if err != nil {
				yield(batch{}, err)
				return
			}
			var sel []int32
			before := keys.bytes
			for i := range b.Rows {
				id, hit := 0, false
				if n.all || !n.except {
					id, hit = keys.find(b.Columns, i)
				} else {
					var fresh bool
					id, fresh = keys.add(b.Columns, i)
					hit = !fresh
				}
				switch {
				case n.all && hit && count[id] > 0:
					count[id]--
					hit = true
				case n.all:
					hit = false
				case n.except:
				case hit && id < right && count[id] > 0:
					count[id] = 0 // the next equal row is a duplicate
				default:
					hit = false
				}
				if hit != n.except {
					sel = append(sel, int32(i))
				}
			}
			if err := r.hold("the left side of EXCEPT", keys.bytes-before); err != nil {
				yield(batch{}, err)
				return
			}
			if len(sel) > 0 && !yield(take(b, sel), nil) {
				return
			}
		}
	}
}

func every(n node) []bool {
	out := make([]bool, len(n.fields()))
	for i := range out {
		out[i] = true
	}
	return out
}
