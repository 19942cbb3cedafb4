package inspect

import (
	"bytes"
	"errors"
	"fmt"
	"io"

	"github.com/sluicelake/sluice/action"
	"github.com/sluicelake/sluice/internal/format/checkpoint"
	"github.com/sluicelake/sluice/storage"
)

const (
	lineWindow = 1 << 20
	maxLine    = 256 << 20 // a longer line is not an action
)

// eachLine hands out the lines of a file with their numbers; memory holds one
// window, or one line when that is longer. ended is false for a last line
// without an end.
func eachLine(at io.ReaderAt, size int64, each func(line []byte, n int, ended bool) error) error {
	var carry []byte
	n := 1
	for offset := int64(0); offset < size; {
		buf := make([]byte, min(lineWindow, size-offset))
		got, err := at.ReadAt(buf, offset)
		if err != nil && err != io.EOF {
			return err
		}
		if got == 0 {
			break
		}
		offset += int64(got)
		buf = buf[:got]
		for {
			i := bytes.IndexByte(buf, '\n')
			if i < 0 {
				break
			}
			line := buf[:i]
			if len(carry) > 0 {
				line = append(carry, line...)
				carry = nil
			}
			if err := each(line, n, true); err != nil {
				return err
			}
			buf, n = buf[i+1:], n+1
		}
		if carry = append(carry, buf...); len(carry) > maxLine {
			return fmt.Errorf("line %d is longer than %d bytes", n, maxLine)
		}
	}
	if len(carry) > 0 {
		return each(carry, n, false)
	}
	return nil
}

// lines reads a file of actions, one a line. A line that is damaged is a
// problem; the others are read.
func (r *reader) lines() error {
	a := &Actions{Counts: map[string]int64{}}
	r.file.Actions = a
	h := r.collector(a)
	blank, total := 0, 0
	err := eachLine(r.at, r.file.Size, func(line []byte, n int, ended bool) error {
		if err := r.ctx.Err(); err != nil {
			return err
		}
		if total++; len(bytes.TrimSpace(line)) == 0 {
			blank++
			return nil
		}
		err := action.ScanFrom(line, "", n, h)
		var s *action.SyntaxError
		switch {
		case errors.As(err, &s):
			what := s.Msg
			if !ended {
				what += " (the last line has no end: the file may be cut, or still be written)"
			}
			r.file.problem(fmt.Sprintf("line %d, column %d", s.Line, s.Column), "%s", what)
		case err != nil:
			return err
		}
		return nil
	})
	if err != nil && (r.ctx.Err() != nil || isStoreError(err)) {
		return err
	}
	if err != nil {
		r.file.problem("lines", "%v", err)
	}
	if blank == total {
		r.file.problem("line 1", "the file holds no action")
	}
	r.lookForSidecars()
	return nil
}

func isStoreError(err error) bool {
	var s *storage.Error
	return errors.As(err, &s)
}

// collector counts actions and lists the first of them. Files are listed up to
// the limit; what there is one of is always listed.
func (r *reader) collector(a *Actions) *action.Handler {
	limit := r.opts.limit()
	each := func(x action.Action) error {
		a.Counts[x.Key()]++
		if len(a.List)-a.files >= limit {
			a.More++
			return nil
		}
		a.List = append(a.List, x)
		if s, ok := x.(*action.Sidecar); ok && len(r.file.Sidecars) < limit {
			r.file.Sidecars = append(r.file.Sidecars, SidecarFile{Path: s.Path, Size: s.SizeInBytes})
		}
		return nil
	}
	file := func(kind string, decode func(*action.File) (action.Action, error)) func(*action.File) error {
		return func(f *action.File) error {
			if a.files >= limit {
				a.Counts[kind]++
				a.More++
				return nil
			}
			x, err := decode(f)
			if err != nil {
				return err
			}
			a.Counts[kind]++
			a.files++
			a.List = append(a.List, x)
			return nil
		}
	}
	h := action.Collect(each, "")
	h.Add = file("add", func(f *action.File) (action.Action, error) { return f.Add() })
	h.Remove = file("remove", func(f *action.File) (action.Action, error) { return f.Remove() })
	h.CDC = func(c *action.AddCDC) error {
		if a.files >= limit {
			a.Counts["cdc"]++
			a.More++
			return nil
		}
		a.files++
		return each(c)
	}
	return h
}

// lookForSidecars says of each sidecar whether it is there.
func (r *reader) lookForSidecars() {
	if !r.place.Table {
		return
	}
	for i := range r.file.Sidecars {
		s := &r.file.Sidecars[i]
		key, err := checkpoint.SidecarKey(&action.Sidecar{Path: s.Path})
		if err != nil {
			r.file.problem("sidecar "+s.Path, "%v", err)
			continue
		}
		obj, err := r.place.Bucket.Stat(r.ctx, key)
		found := err == nil
		switch {
		case errors.Is(err, storage.ErrNotExist):
			r.file.problem("sidecar "+s.Path, "the file is missing")
		case err != nil:
			r.file.problem("sidecar "+s.Path, "%v", err)
			continue
		case obj.Size != s.Size:
			r.file.problem("sidecar "+s.Path, "the file has %d bytes, the checkpoint says %d", obj.Size, s.Size)
		}
		s.Found = &found
	}
}
