package emulator

import (
	"bytes"
	"cmp"
	"net/http"
	"slices"
	"strings"
	"sync"
	"time"
)

// tree is a hierarchical namespace: files and directories in the order of the
// hierarchy, in which the names of each directory are sorted.
type tree struct {
	mu    sync.RWMutex
	nodes []*node
}

type node struct {
	path string
	dir  bool
	data []byte // flushed; never changed in place
	mod  time.Time
	sent map[int64][]byte // appended and not flushed, by position
}

// fault is an answer other than success, as the service words it.
type fault struct {
	status int
	code   string
}

func (f *fault) text() string { return "The operation failed: " + f.code }

var (
	errNoPath   = &fault{http.StatusNotFound, "PathNotFound"}
	errNoSource = &fault{http.StatusNotFound, "SourcePathNotFound"}
	errNoParent = &fault{http.StatusNotFound, "RenameDestinationParentPathNotFound"}
	errTaken    = &fault{http.StatusConflict, "PathAlreadyExists"}
	errKind     = &fault{http.StatusConflict, "ResourceTypeMismatch"}
	errConflict = &fault{http.StatusConflict, "PathConflict"}
	errNotEmpty = &fault{http.StatusConflict, "DirectoryNotEmpty"}
	errPosition = &fault{http.StatusBadRequest, "InvalidFlushPosition"}
	errAppend   = &fault{http.StatusBadRequest, "InvalidAppendPosition"}
	errRange    = &fault{http.StatusRequestedRangeNotSatisfiable, "InvalidRange"}
)

// compare orders paths as the hierarchy does: a directory's contents come right
// behind it.
func compare(a, b string) int {
	for i := range min(len(a), len(b)) {
		switch {
		case a[i] == b[i]:
		case a[i] == '/':
			return -1
		case b[i] == '/':
			return 1
		default:
			return int(a[i]) - int(b[i])
		}
	}
	return len(a) - len(b)
}

func (t *tree) search(path string) (int, bool) {
	return slices.BinarySearchFunc(t.nodes, path, func(n *node, p string) int { return compare(n.path, p) })
}

// find gives a node, or nil. The lock is held.
func (t *tree) find(path string) *node {
	if i, ok := t.search(path); ok {
		return t.nodes[i]
	}
	return nil
}

func (t *tree) insert(n *node) {
	i, _ := t.search(n.path)
	t.nodes = slices.Insert(t.nodes, i, n)
}

func (t *tree) drop(path string) {
	if i, ok := t.search(path); ok {
		t.nodes = slices.Delete(t.nodes, i, i+1)
	}
}

// above makes the directories of a path, or says that one is a file.
func (t *tree) above(path string) *fault {
	for i := range path {
		if path[i] != '/' {
			continue
		}
		switch n := t.find(path[:i]); {
		case n == nil:
			t.insert(&node{path: path[:i], dir: true, mod: time.Now()})
		case !n.dir:
			return errConflict
		}
	}
	return nil
}

// create makes an empty file or a directory; it replaces a file.
func (t *tree) create(path string, dir, ifAbsent bool) *fault {
	t.mu.Lock()
	defer t.mu.Unlock()
	if n := t.find(path); n != nil {
		switch {
		case ifAbsent:
			return errTaken
		case n.dir && dir:
			return nil
		case n.dir != dir:
			return errKind
		}
		t.drop(path)
	}
	if f := t.above(path); f != nil {
		return f
	}
	t.insert(&node{path: path, dir: dir, mod: time.Now(), sent: map[int64][]byte{}})
	return nil
}

// rename moves a file, or a directory with all that is in it, in one step.
func (t *tree) rename(from, to string, ifAbsent bool) *fault {
	t.mu.Lock()
	defer t.mu.Unlock()
	n, there := t.find(from), t.find(to)
	switch {
	case n == nil:
		return errNoSource
	case there != nil && ifAbsent:
		return errTaken
	case there != nil && (there.dir || n.dir) && there != n:
		return errConflict
	}
	if i := strings.LastIndexByte(to, '/'); i >= 0 {
		if p := t.find(to[:i]); p == nil || !p.dir {
			return errNoParent
		}
	}
	var moved []*node
	for _, x := range slices.Clone(t.nodes) {
		if rest, ok := strings.CutPrefix(x.path, from); ok && (rest == "" || rest[0] == '/') {
			t.drop(x.path)
			y := *x
			y.path = to + rest
			moved = append(moved, &y)
		}
	}
	t.drop(to)
	for _, x := range moved {
		t.insert(x)
	}
	return nil
}

// append takes bytes for a position; flush makes them part of the file.
func (t *tree) append(path string, position int64, data []byte, flush bool) *fault {
	t.mu.Lock()
	defer t.mu.Unlock()
	n := t.find(path)
	switch {
	case n == nil:
		return errNoPath
	case n.dir:
		return errKind
	case position < int64(len(n.data)):
		return errAppend
	}
	n.sent[position] = data
	if flush {
		return n.flush(position + int64(len(data)))
	}
	return nil
}

func (t *tree) flush(path string, size int64) *fault {
	t.mu.Lock()
	defer t.mu.Unlock()
	n := t.find(path)
	switch {
	case n == nil:
		return errNoPath
	case n.dir:
		return errKind
	}
	return n.flush(size)
}

// flush joins what was appended, which has to be without gaps and end at size.
func (n *node) flush(size int64) *fault {
	data := bytes.Clone(n.data)
	for int64(len(data)) < size {
		part, ok := n.sent[int64(len(data))]
		if !ok || len(part) == 0 {
			return errPosition
		}
		data = append(data, part...)
	}
	if int64(len(data)) != size {
		return errPosition
	}
	n.data, n.sent, n.mod = data, map[int64][]byte{}, time.Now()
	return nil
}

func (t *tree) get(path string) (node, *fault) {
	t.mu.RLock()
	defer t.mu.RUnlock()
	if n := t.find(path); n != nil {
		return *n, nil
	}
	return node{}, errNoPath
}

func (t *tree) remove(path string, recursive bool) *fault {
	t.mu.Lock()
	defer t.mu.Unlock()
	i, ok := t.search(path)
	if !ok {
		return errNoPath
	}
	end := i + 1
	for end < len(t.nodes) && strings.HasPrefix(t.nodes[end].path, path+"/") {
		end++
	}
	if end > i+1 && !recursive {
		return errNotEmpty
	}
	t.nodes = slices.Delete(t.nodes, i, end)
	return nil
}

// list gives at most n nodes below a directory from a position on, and the position
// of the next one.
func (t *tree) list(dir, from string, recursive bool, n int) (out []node, next string, f *fault) {
	t.mu.RLock()
	defer t.mu.RUnlock()
	below := ""
	if dir != "" {
		if d := t.find(dir); d == nil {
			return nil, "", errNoPath
		} else if !d.dir {
			return nil, "", errConflict
		}
		below = dir + "/"
	}
	i, _ := t.search(cmp.Or(from, below))
	for ; i < len(t.nodes); i++ {
		x := t.nodes[i]
		if !strings.HasPrefix(x.path, below) {
			break
		}
		if !recursive && strings.Contains(x.path[len(below):], "/") {
			continue
		}
		if len(out) == n {
			return out, x.path, nil
		}
		out = append(out, *x)
	}
	return out, "", nil
}
