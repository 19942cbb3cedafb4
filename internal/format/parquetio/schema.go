package parquetio

import (
	"errors"
	"strings"
)

// parquetNode is an element of a file's schema in its tree.
type parquetNode struct {
	element
	path     string
	children []*parquetNode
	def, rep uint8
	leaf     int   // index of the leaf column, -1 for a group
	anc      uint8 // definition level of the innermost repeated ancestor or self
}

const (
	required = 0
	optional = 1
	repeated = 2
)

// buildTree arranges the elements, which the footer lists depth first.
func (m *fileMeta) buildTree() error {
	if len(m.elements) == 0 {
		return errors.New("it has no schema")
	}
	at := 0
	var build func(parent *parquetNode, depth int) (*parquetNode, error)
	build = func(parent *parquetNode, depth int) (*parquetNode, error) {
		if at >= len(m.elements) || depth > 100 {
			return nil, errors.New("its schema is damaged or nested too deep")
		}
		n := &parquetNode{element: m.elements[at], leaf: -1}
		at++
		if parent != nil {
			n.def, n.rep, n.anc, n.path = parent.def, parent.rep, parent.anc, n.name
			if parent.path != "" {
				n.path = parent.path + "." + n.name
			}
			switch n.repetition {
			case optional:
				n.def++
			case repeated:
				n.def++
				n.rep++
				n.anc = n.def
			}
		}
		if n.kids < 0 || int(n.kids) > len(m.elements) {
			return nil, errors.New("its schema is damaged")
		}
		if n.physical >= 0 && parent != nil {
			if n.physical > int32(physFixed) || n.physical == int32(physFixed) && (n.width < 0 || n.width > 1<<20) {
				return nil, errors.New("its schema is damaged")
			}
			n.leaf = len(m.leaves)
			m.leaves = append(m.leaves, n)
			return n, nil
		}
		for range n.kids {
			k, err := build(n, depth+1)
			if err != nil {
				return nil, err
			}
			n.children = append(n.children, k)
		}
		return n, nil
	}
	root, err := build(nil, 0)
	m.root = root
	return err
}

// firstLeaf is a leaf below (or at) a node, nil when there is none.
func (n *parquetNode) firstLeaf() *parquetNode {
	if n.leaf >= 0 {
		return n
	}
	for _, k := range n.children {
		if l := k.firstLeaf(); l != nil {
			return l
		}
	}
	return nil
}

// child finds a member by name: the exact one, otherwise the only one that
// differs in case alone.
func (n *parquetNode) child(name string) *parquetNode {
	var found *parquetNode
	for _, k := range n.children {
		if k.name == name {
			return k
		}
		if strings.EqualFold(k.name, name) {
			if found != nil {
				return nil
			}
			found = k
		}
	}
	return found
}

// childByID finds a member by its field id.
func (n *parquetNode) childByID(id int32) *parquetNode {
	for _, k := range n.children {
		if k.fieldID == id {
			return k
		}
	}
	return nil
}

// hasIDs reports whether any member has a field id.
func (n *parquetNode) hasIDs() bool {
	for _, k := range n.children {
		if k.fieldID >= 0 {
			return true
		}
	}
	return false
}

// listElement finds the element of a list, by the rules that readers of old
// files follow (LogicalTypes.md, Lists, Backward-compatibility rules). The first
// result is the repeated node.
func (n *parquetNode) listElement() (rep, el *parquetNode, ok bool) {
	if n.repetition == repeated && !n.isList() { // a bare repeated field
		return n, n, true
	}
	if n.leaf >= 0 || len(n.children) != 1 || n.children[0].repetition != repeated {
		return nil, nil, false
	}
	r := n.children[0]
	switch {
	case r.leaf >= 0, len(r.children) != 1, r.name == "array", r.name == n.name+"_tuple":
		return r, r, true
	}
	return r, r.children[0], true
}

func (n *parquetNode) isList() bool { return n.logical.kind == logicalList || n.converted == 3 }

// mapEntry finds the repeated group of a map and its key and value.
func (n *parquetNode) mapEntry() (rep, key, value *parquetNode, ok bool) {
	if n.leaf >= 0 || len(n.children) != 1 {
		return nil, nil, nil, false
	}
	r := n.children[0]
	if r.repetition != repeated || len(r.children) == 0 || len(r.children) > 2 {
		return nil, nil, nil, false
	}
	if len(r.children) == 2 {
		value = r.children[1]
	}
	return r, r.children[0], value, true
}
