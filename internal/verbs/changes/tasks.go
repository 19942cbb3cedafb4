package changes

import (
	"context"
	"fmt"
	"iter"
)

// task is a file to be read from a place on; next is the place behind the file.
type task struct {
	file     *file
	layout   *layout
	at, next place
	stamp    int64 // _commit_timestamp
}

// tasks finds the files, version by version, that may hold rows that are wanted.
// An error comes once, last.
func (r *reading) tasks(ctx context.Context) iter.Seq2[task, error] {
	return func(yield func(task, error) bool) {
		p := r.p
		list := lister{Plan: p}
		layouts := layouts{p: p, made: map[string]*layout{}}
		for i := range p.commits {
			c := &p.commits[i]
			stamp := c.stamp(p.stamps[i]).UnixMicro()
			if !p.wants(p.ofVersion, "", c.version, stamp) {
				continue
			}
			files, err := list.files(ctx, i)
			at := place{version: c.version, table: p.after.table}
			if p.after.version == c.version {
				at = p.after
				if err == nil && at.file > len(files) {
					err = &CursorError{at.cursor(), fmt.Sprintf("version %d has %d files of changes", c.version, len(files))}
				}
			}
			if err != nil {
				yield(task{}, err)
				return
			}
			for ; at.file < len(files); at.file, at.row = at.file+1, 0 {
				f := &files[at.file]
				layout := layouts.of(f.add.PartitionValues)
				if f.kind != "" && !p.wants(p.ofFeed, f.kind, c.version, stamp) || !layout.keeps(f.add) {
					continue
				}
				next := place{version: at.version, file: at.file + 1, table: at.table}
				if next.file == len(files) {
					next = place{version: at.version + 1, table: at.table}
				}
				if !yield(task{f, layout, at, next, stamp}, nil) {
					return
				}
			}
		}
	}
}
