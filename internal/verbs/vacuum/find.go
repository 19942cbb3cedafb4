package vacuum

import (
	"context"
	"errors"
	"path"
	"strings"
	"time"

	"github.com/sluicelake/sluice/internal/base/env"
	"github.com/sluicelake/sluice/internal/format/deltalog"
	"github.com/sluicelake/sluice/internal/table/inflight"
	"github.com/sluicelake/sluice/internal/table/snapshot"
	"github.com/sluicelake/sluice/observe"
	"github.com/sluicelake/sluice/storage"
)

// finder decides about one file after the other.
type finder struct {
	ctx    context.Context
	env    *env.Env
	bucket *storage.Bucket
	snap   *snapshot.Snapshot
	cutoff time.Time
	names  *names
	keep   *hashes
	cloned *cloned
	watch  *inflight.Watch
	window *window // read when it is first needed
	deep   bool    // tombstones may be missing in the snapshot: ask the window
	res    *Result

	leftovers keyList
	empty     keyList // directories, children before parents
}

// needed reports whether a file must stay for what it is, whatever its age.
func (f *finder) needed(key string) bool {
	switch {
	case f.keep.has(key):
		f.res.Needed++
	case f.cloned.has(key):
		f.res.Cloned++
	case f.watch.Holds(key):
		f.res.UnderWay++
	default:
		return false
	}
	return true
}

// expired reports whether a file that is not needed is old enough, and, if the
// commits of the window have to be asked, that they do not name it.
func (f *finder) expired(obj storage.Object) (bool, error) {
	if !obj.ModTime.Before(f.cutoff) {
		f.res.Recent++
		return false, nil
	}
	changes := ofChanges(obj.Key)
	if !changes && !f.deep {
		return true, nil
	}
	if f.window == nil {
		w, err := readWindow(f.ctx, f.snap, f.cutoff)
		if err != nil {
			return false, err
		}
		f.window = w
	}
	if f.window.removed.has(obj.Key) || changes && f.window.changes.has(obj.Key) {
		f.res.Needed++
		return false, nil
	}
	return true, nil
}

func (f *finder) take(key string, size int64) {
	f.res.found.add(key, size)
	f.res.Found++
	f.res.Bytes += size
}

// tell reports progress now and then.
func (f *finder) tell() {
	if fn := f.env.Listener.Progress; fn != nil && f.res.Listed%1024 == 0 {
		fn(observe.Progress{Table: f.res.Table, Phase: "listing", Done: f.res.Listed, Unit: "files"})
	}
}

// list goes through the whole table.
func (f *finder) list() error {
	if w, ok := f.bucket.Walker(); ok {
		if err := f.walk(w); err != nil {
			return err
		}
		return f.temporaries(w)
	}
	return f.flat()
}

// flat lists a store that has no directories. The log's own folder, which may be
// large, is jumped over.
func (f *finder) flat() error {
	f.res.Directories = 1
	dir, after := "", ""
	for {
		again := false
		for obj, err := range f.bucket.List(f.ctx, "", after) {
			if errors.Is(err, storage.ErrNotExist) {
				break
			}
			if err != nil {
				return err
			}
			if strings.HasPrefix(obj.Key, deltalog.Dir+"/") {
				after, again = deltalog.Dir+"0", true // the first name behind the folder's
				break
			}
			if f.names.hiddenKey(obj.Key) {
				continue
			}
			d := strings.TrimSuffix(obj.Key, base(obj.Key))
			f.res.Directories += newDirs(dir, d)
			dir = d
			f.res.Listed++
			f.tell()
			if f.needed(obj.Key) {
				continue
			}
			ok, err := f.expired(obj)
			if err != nil {
				return err
			}
			if ok {
				f.take(obj.Key, obj.Size)
			}
		}
		if !again {
			return f.ctx.Err()
		}
	}
}

// newDirs is how many directories of a path were not in the path before. Both end
// in a slash unless they are empty.
func newDirs(before, now string) (n int64) {
	if strings.HasPrefix(before, now) {
		return 0
	}
	same := 0
	for i := 0; i < len(now) && i < len(before) && now[i] == before[i]; i++ {
		if now[i] == '/' {
			same = i + 1
		}
	}
	return int64(strings.Count(now[same:], "/"))
}

// folder is a directory on the way to where the walk is.
type folder struct {
	key  string
	kept bool // something in it stays
	seen bool // something is in it
}

// walk goes through real directories. A file that must stay is not even looked at.
func (f *finder) walk(w storage.Walker) error {
	stack := []folder{{kept: true}}
	f.res.Directories = 1
	leave := func(key string) error {
		for len(stack) > 1 && !strings.HasPrefix(key, stack[len(stack)-1].key+"/") {
			d := stack[len(stack)-1]
			stack = stack[:len(stack)-1]
			gone := !d.kept
			if gone && !d.seen {
				obj, err := w.Look(f.ctx, d.key)
				if errors.Is(err, storage.ErrNotExist) {
					continue
				}
				if err != nil {
					return err
				}
				gone = obj.ModTime.Before(f.cutoff) // somebody may be about to write into it
			}
			if gone {
				f.empty.add(d.key, 0)
			} else {
				stack[len(stack)-1].kept = true
			}
			stack[len(stack)-1].seen = true
		}
		return nil
	}
	visible := func(key string) bool { return !f.names.hidden(base(key)) }
	for e, err := range w.Walk(f.ctx, "", visible) {
		if err != nil {
			return err
		}
		if err := leave(e.Key); err != nil {
			return err
		}
		in := &stack[len(stack)-1]
		stays := true
		switch {
		case e.Kind == storage.EntryDirectory && visible(e.Key):
			f.res.Directories++
			stack = append(stack, folder{key: e.Key})
			continue
		case e.Kind == storage.EntryDirectory:
		case e.Kind == storage.EntryTemporary:
			stays, err = f.leftover(w, e, "")
		case !visible(e.Key):
			if name := base(e.Key); strings.HasPrefix(name, ".") && strings.HasSuffix(name, ".crc") {
				of := path.Join(path.Dir(e.Key), strings.TrimSuffix(name[1:], ".crc"))
				stays, err = f.leftover(w, e, of)
			}
		default:
			f.res.Listed++
			f.tell()
			stays, err = f.entry(w, e)
		}
		if err != nil {
			return err
		}
		in.seen = true
		in.kept = in.kept || stays
	}
	return leave("")
}

// look describes an entry, by a call only when the walk has not described it.
func (f *finder) look(w storage.Walker, e storage.Entry) (storage.Object, error) {
	if e.Seen != nil {
		return *e.Seen, nil
	}
	return w.Look(f.ctx, e.Key)
}

// entry decides about a file or a link, which is removed itself, never what it
// leads to.
func (f *finder) entry(w storage.Walker, e storage.Entry) (stays bool, err error) {
	if f.needed(e.Key) {
		return true, nil
	}
	obj, err := f.look(w, e)
	if errors.Is(err, storage.ErrNotExist) {
		return false, nil
	}
	if err != nil {
		return true, err
	}
	ok, err := f.expired(obj)
	if !ok || err != nil {
		return true, err
	}
	f.take(e.Key, obj.Size)
	return false, nil
}

// leftover decides about a temporary file, or about the checksum that Hadoop's
// local file system keeps beside a file: it goes when that file is not needed.
func (f *finder) leftover(w storage.Walker, e storage.Entry, of string) (stays bool, err error) {
	if of != "" && (f.keep.has(of) || f.cloned.has(of) || f.watch.Holds(of)) {
		return true, nil
	}
	obj, err := f.look(w, e)
	if errors.Is(err, storage.ErrNotExist) {
		return false, nil
	}
	if err != nil || !obj.ModTime.Before(f.cutoff) {
		return true, err
	}
	f.leftovers.add(e.Key, obj.Size)
	f.res.Leftovers++
	return false, nil
}

// temporaries looks for what unfinished writes left in the folder of the log.
func (f *finder) temporaries(w storage.Walker) error {
	for e, err := range w.Walk(f.ctx, deltalog.Dir, func(string) bool { return true }) {
		if err != nil {
			return err
		}
		if e.Kind != storage.EntryTemporary {
			continue
		}
		if _, err := f.leftover(w, e, ""); err != nil {
			return err
		}
	}
	return nil
}
