package source

import (
	"bytes"
	"errors"
	"fmt"
	"io"
)

// csvReader finds the records of an input.
type csvReader struct {
	w       *window
	o       CSVOptions
	fields  []field
	scratch []byte
	number  int64
	ended   bool
}

// next reads a record into r.fields, whose texts are valid until the next call.
func (r *csvReader) next() (rec record, problem, err error) {
	for !r.ended {
		text := r.w.rest()
		if len(text) == 0 && r.w.eof {
			break
		}
		n, skip, problem := r.parse(text, r.w.eof)
		if problem == errMore {
			if err := r.w.grow(); err != nil {
				return rec, nil, err
			}
			continue
		}
		if skip {
			r.w.pos += n
			continue
		}
		r.number++
		rec = record{number: r.number, offset: r.w.offset(), text: bytes.TrimRight(text[:n], "\r\n")}
		at := 0
		if problem != nil {
			var syntax *syntaxError
			if errors.As(problem, &syntax) {
				at = syntax.at
			}
			rec.offset += int64(at)
			if n == len(text) && r.w.eof {
				r.ended = true
				rec.text = rec.text[:min(len(rec.text), corruptRest)]
			}
		}
		rec.line = r.w.line(at)
		r.w.pos += n
		return rec, problem, nil
	}
	return rec, nil, io.EOF
}

// parse reads one record at the beginning of b: its length with the end of the line,
// whether it is a blank line or a comment, and what is wrong with it. last tells
// that nothing follows b.
func (r *csvReader) parse(b []byte, last bool) (n int, skip bool, problem error) {
	r.fields, r.scratch = r.fields[:0], r.scratch[:0]
	if len(b) == 0 {
		return 0, false, errMore
	}
	if b[0] == '\n' || (r.o.Comment != 0 && b[0] == r.o.Comment) || bytes.HasPrefix(b, []byte("\r\n")) {
		return r.endOfLine(b, 0, last, true, nil)
	}
	i := 0
	for {
		if i < len(b) && b[i] == r.o.Quote {
			end, text, err := r.quoted(b, i, last)
			if err == errMore {
				return 0, false, errMore
			}
			if err != nil {
				if end == len(b) {
					return end, false, err
				}
				return r.endOfLine(b, end, last, false, err)
			}
			r.fields = append(r.fields, field{text, true})
			i = end
		} else {
			start := i
			for i < len(b) && b[i] != r.o.Delimiter && b[i] != '\n' {
				i++
			}
			if i == len(b) && !last {
				return 0, false, errMore
			}
			text := b[start:i]
			if i == len(b) || b[i] == '\n' {
				text = bytes.TrimSuffix(text, []byte("\r"))
			}
			r.fields = append(r.fields, field{text, false})
		}
		if i == len(b) {
			return i, false, r.checkText()
		}
		if b[i] == '\n' {
			return i + 1, false, r.checkText()
		}
		i++ // the delimiter
	}
}

// endOfLine finds the end of the line from i on.
func (r *csvReader) endOfLine(b []byte, i int, last, skip bool, problem error) (int, bool, error) {
	if k := bytes.IndexByte(b[i:], '\n'); k >= 0 {
		return i + k + 1, skip, problem
	}
	if !last {
		return 0, false, errMore
	}
	return len(b), skip, problem
}

// quoted reads a quoted field at i; end is behind the closing quote, at a
// delimiter, the end of the line or the end of b.
func (r *csvReader) quoted(b []byte, i int, last bool) (end int, text []byte, err error) {
	q, esc := r.o.Quote, r.o.Escape
	start := i + 1
	copied := -1 // where this field begins in scratch
	from := start
	for k := start; k < len(b); k++ {
		switch c := b[k]; {
		case esc != 0 && esc != q && c == esc && k+1 < len(b):
			copied, from = r.take(copied, b[from:k]), k+1
			k++
		case c == q:
			if k+1 == len(b) && !last {
				return 0, nil, errMore
			}
			if k+1 < len(b) && b[k+1] == q {
				copied, from = r.take(copied, b[from:k]), k+1
				k++
				continue
			}
			text = b[from:k]
			if copied >= 0 {
				r.take(copied, b[from:k])
				text = r.scratch[copied:]
			}
			end = k + 1
			if end < len(b) && b[end] == '\r' {
				if end+1 == len(b) && !last {
					return 0, nil, errMore
				}
				if end+1 == len(b) || b[end+1] == '\n' {
					end++
				}
			}
			if end < len(b) && b[end] != r.o.Delimiter && b[end] != '\n' {
				return end, nil, &syntaxError{"found " + describe(b[end]) + " behind a closing quote; a quote inside a field is doubled", end}
			}
			return end, text, nil
		}
	}
	if !last {
		return 0, nil, errMore
	}
	return len(b), nil, &syntaxError{"the file ends inside quotes", i}
}

// take copies a part of a field to scratch.
func (r *csvReader) take(copied int, part []byte) int {
	if copied < 0 {
		copied = len(r.scratch)
	}
	r.scratch = append(r.scratch, part...)
	return copied
}

// checkText refuses what cannot be a string.
func (r *csvReader) checkText() error {
	for i, f := range r.fields {
		if !validUTF8(f.text) {
			return &syntaxError{fmt.Sprintf("field %d is not valid UTF-8", i+1), 0}
		}
	}
	return nil
}
