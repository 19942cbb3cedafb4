package azure

import (
	"context"
	"fmt"
	"iter"
	"net/http"
	"slices"
	"strings"
	"time"

	"github.com/sluicelake/sluice/storage"
)

// listing is what is asked of the store, in paths of the container.
type listing struct {
	prefix string
	after  string // "" is from the beginning
	all    bool   // directories and temporary files too
}

// entry is one object of an answer.
type entry struct {
	path string
	size int64
	mod  time.Time
	dir  bool
}

// dir is the directory of the prefix: "" or ending in a slash.
func (l listing) dir() string { return l.prefix[:strings.LastIndexByte(l.prefix, '/')+1] }

// from is where the answer may begin, "" when from its beginning. It is a hint:
// earlier objects are passed over. A hierarchical namespace lists a directory
// before the names that continue the directory's with a character below the slash,
// so the position ends before the first such character.
func (l listing) from(least string) string {
	pos := least
	if l.after != "" && strings.HasPrefix(l.after, l.prefix) {
		pos = l.after
	}
	if i := strings.IndexFunc(pos[min(len(l.dir()), len(pos)):], func(r rune) bool { return r < '/' }); i >= 0 {
		pos = pos[:len(l.dir())+i]
	}
	if len(pos) <= len(l.dir()) {
		return ""
	}
	return pos
}

// List yields objects page by page, in byte order of keys. From a hierarchical
// namespace it holds what lies below one directory of the first level at a time.
func (s *Store) List(ctx context.Context, prefix, startAfter string) iter.Seq2[storage.Object, error] {
	return func(yield func(storage.Object, error) bool) {
		l := listing{prefix: s.root + prefix}
		if startAfter != "" {
			l.after = s.root + startAfter
		}
		if l.after > l.prefix && !strings.HasPrefix(l.after, l.prefix) {
			if err := ctx.Err(); err != nil {
				yield(storage.Object{}, err)
			}
			return // every key with the prefix comes before
		}
		last := ""
		for e, err := range inOrder(l.dir(), s.entries(ctx, l)) {
			if err != nil {
				yield(storage.Object{}, err)
				return
			}
			key := e.path[len(s.root):]
			if last != "" && key <= last {
				yield(storage.Object{}, fmt.Errorf("the store lists %q behind %q: it does not list in byte order", key, last))
				return
			}
			last = key
			if !yield(storage.Object{Key: key, Size: e.size, ModTime: e.mod}, nil) {
				return
			}
		}
	}
}

// entries are the objects that are asked for, in the store's order.
func (s *Store) entries(ctx context.Context, l listing) iter.Seq2[entry, error] {
	return func(yield func(entry, error) bool) {
		for token := ""; ; {
			var page []entry
			err := s.repeat(ctx, func(ctx context.Context, c *connection) error {
				var next string
				var err error
				if page, next, err = c.door.page(ctx, l, token); err == nil {
					token = next
				}
				return err
			})
			if err != nil {
				if !isCode(err, "PathNotFound") && !s.belowFile(ctx, l, err) {
					yield(entry{}, err)
				}
				return
			}
			for _, e := range page {
				switch {
				case !strings.HasPrefix(e.path, l.prefix):
					if hierarchical(e.path, l.prefix) > 0 {
						return
					}
				case e.path <= l.after || !l.all && temporary(e.path) || storage.CheckKey(e.path[len(s.root):]) != nil:
				default:
					if !yield(e, nil) {
						return
					}
				}
			}
			if token == "" {
				return
			}
		}
	}
}

// belowFile reports whether a listing was refused because its directory is a file. There
// is nothing below a file.
func (s *Store) belowFile(ctx context.Context, l listing, err error) bool {
	dir := strings.TrimSuffix(l.dir(), "/")
	if len(dir) <= len(s.root) || (!isStatus(err, http.StatusConflict) && !isStatus(err, http.StatusBadRequest)) {
		return false
	}
	_, err = s.Stat(ctx, dir[len(s.root):])
	return err == nil
}

// hierarchical compares paths in the order of a hierarchical namespace, which sorts
// the names of each directory.
func hierarchical(a, b string) int {
	for i := range min(len(a), len(b)) {
		switch {
		case a[i] == b[i]:
		case a[i] == '/':
			return -1
		case b[i] == '/':
			return 1
		case a[i] < b[i]:
			return -1
		default:
			return 1
		}
	}
	return len(a) - len(b)
}

// inOrder brings entries of the order of a hierarchical namespace, or of byte order,
// into byte order. They differ where a name continues that of a directory next to it with
// a character below the slash: "b/x" is before "b-" in the one and behind it in the
// other. So what lies below a directory waits until the names that begin like it are over.
func inOrder(base string, in iter.Seq2[entry, error]) iter.Seq2[entry, error] {
	return func(yield func(entry, error) bool) {
		var waiting []entry
		open := "" // the directory that what waits lies in or next to
		flush := func() bool {
			slices.SortFunc(waiting, func(a, b entry) int { return strings.Compare(a.path, b.path) })
			for _, e := range waiting {
				if !yield(e, nil) {
					return false
				}
			}
			waiting, open = waiting[:0], ""
			return true
		}
		for e, err := range in {
			if err != nil {
				yield(entry{}, err) // what waits is less than what is missing
				return
			}
			if open != "" && (!strings.HasPrefix(e.path, open) || (len(e.path) > len(open) && e.path[len(open)] > '/')) && !flush() {
				return
			}
			if open == "" {
				i := strings.IndexByte(e.path[len(base):], '/')
				if i < 0 {
					if !yield(e, nil) {
						return
					}
					continue
				}
				open = e.path[:len(base)+i]
			}
			waiting = append(waiting, e)
		}
		flush()
	}
}
