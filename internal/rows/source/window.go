package source

import (
	"bytes"
	"context"
	"fmt"
	"io"
)

// window is the part of an input that is in memory: what has been read and
// not yet parsed. It grows only when one record needs it.
type window struct {
	ctx     context.Context
	r       io.Reader
	buf     []byte // buf[pos:] is unread
	pos     int
	base    int64 // offset of buf[0] in the input
	lines   int64 // newlines before buf[counted]
	counted int
	eof     bool
	max     int
}

const windowSize = 256 << 10

func newWindow(ctx context.Context, r io.Reader, max int) (*window, error) {
	w := &window{ctx: ctx, r: r, buf: make([]byte, 0, windowSize), max: max}
	for len(w.buf) < len(bom) && !w.eof {
		if err := w.fill(); err != nil {
			return nil, err
		}
	}
	if bytes.HasPrefix(w.buf, bom) {
		w.pos = len(bom)
	}
	return w, nil
}

// rest is the unread text.
func (w *window) rest() []byte { return w.buf[w.pos:] }

// offset is the place of the first unread byte in the input.
func (w *window) offset() int64 { return w.base + int64(w.pos) }

// line is the number of the line of the byte at pos+at; 1 is the first.
func (w *window) line(at int) int64 {
	end := min(w.pos+at, len(w.buf))
	w.countTo(w.pos)
	return w.lines + int64(bytes.Count(w.buf[w.pos:end], []byte{'\n'})) + 1
}

func (w *window) countTo(end int) {
	if end > w.counted {
		w.lines += int64(bytes.Count(w.buf[w.counted:end], []byte{'\n'}))
		w.counted = end
	}
}

// fill reads more behind the unread text, which may move to the front.
func (w *window) fill() error {
	if err := w.ctx.Err(); err != nil {
		return err
	}
	if w.pos > 0 {
		w.countTo(w.pos)
		w.base += int64(w.pos)
		n := copy(w.buf, w.buf[w.pos:])
		w.buf = w.buf[:n]
		w.counted -= w.pos
		w.pos = 0
	}
	if len(w.buf) == cap(w.buf) {
		if cap(w.buf) >= w.max {
			return fmt.Errorf("a record at byte %d is longer than %d bytes, which is the most that one record may have", w.base, w.max)
		}
		grown := make([]byte, len(w.buf), min(2*cap(w.buf), max(w.max, windowSize)))
		copy(grown, w.buf)
		w.buf = grown
	}
	for range 100 {
		n, err := w.r.Read(w.buf[len(w.buf):cap(w.buf)])
		w.buf = w.buf[:len(w.buf)+n]
		if err == io.EOF {
			w.eof = true
			return nil
		}
		if err != nil || n > 0 {
			return err
		}
	}
	return io.ErrNoProgress
}

// grow reads until there is half as much again as before, so that parsing a record
// anew each time costs no more than a few times its length.
func (w *window) grow() error {
	for want := len(w.rest()) + max(len(w.rest())/2, 1); len(w.rest()) < want && !w.eof; {
		if err := w.fill(); err != nil {
			return err
		}
	}
	return nil
}
