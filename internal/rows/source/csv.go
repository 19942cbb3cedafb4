package source

import (
	"bytes"
	"errors"
	"fmt"
	"io"
	"strconv"

	"github.com/sluicelake/sluice/types"
)

// csvFormat reads comma-separated values (RFC 4180 and the dialects that
// CSVOptions names).
type csvFormat struct{ o CSVOptions }

func newCSVFormat(o CSVOptions) (textFormat, error) {
	if o.Delimiter == 0 {
		o.Delimiter = ','
	}
	if o.Quote == 0 {
		o.Quote = '"'
	}
	for _, c := range []byte{o.Delimiter, o.Quote} {
		if c == '\n' || c == '\r' || c >= 0x80 {
			return nil, fmt.Errorf("CSV: the delimiter and the quote must be ASCII characters that do not end a line")
		}
	}
	if o.Delimiter == o.Quote || o.Delimiter == o.Escape {
		return nil, fmt.Errorf("CSV: the delimiter %q has another role as well", o.Delimiter)
	}
	return csvFormat{o}, nil
}

// field is one field of a CSV record.
type field struct {
	text   []byte
	quoted bool
}

// null tells NULL: an empty field without quotes, or the declared text.
func (o CSVOptions) null(f field) bool {
	return !f.quoted && (len(f.text) == 0 || o.Null != "" && string(f.text) == o.Null)
}

// header reads the first record as names; without a header it counts the columns of
// the first record and leaves it to be read again.
func (f csvFormat) header(r *csvReader, o Options) ([]string, error) {
	if f.o.NoHeader {
		return nil, nil
	}
	rec, problem, err := r.next()
	if err == io.EOF {
		return nil, nil
	}
	if err == nil && problem != nil {
		err = rec.fail(o.Name, problem)
	}
	if err != nil {
		return nil, err
	}
	r.number = 0
	names := make([]string, len(r.fields))
	for i, c := range r.fields {
		if names[i] = string(toUTF8(c.text)); names[i] == "" {
			names[i] = "_c" + strconv.Itoa(i)
		}
	}
	return names, nil
}

func (f csvFormat) infer(w *window, o Options) (*types.Struct, error) {
	r := &csvReader{w: w, o: f.o}
	names, err := f.header(r, o)
	if err != nil {
		return nil, err
	}
	guesses := make([]guess, len(names))
	for {
		rec, problem, err := r.next()
		if err == io.EOF {
			break
		}
		if err != nil {
			return nil, err
		}
		if problem != nil {
			if o.Mode == Fail {
				return nil, rec.fail(o.Name, problem)
			}
			continue
		}
		for i, c := range r.fields {
			if i == len(guesses) && names == nil {
				guesses = append(guesses, guess{})
			}
			if i < len(guesses) && !f.o.null(c) {
				guesses[i].see(c.text)
			}
		}
	}
	out := &types.Struct{}
	for i, g := range guesses {
		name := "_c" + strconv.Itoa(i)
		if names != nil {
			name = names[i]
		}
		if out.Index(name) >= 0 {
			return nil, fmt.Errorf("the header has the column %q twice (case does not count); declare a schema and use NoHeader", name)
		}
		out.Fields = append(out.Fields, types.Field{Name: name, Type: g.typ(), Nullable: true})
	}
	if len(out.Fields) == 0 {
		return nil, fmt.Errorf("the file is empty, so no schema can be inferred; declare one")
	}
	return out, nil
}

func (f csvFormat) rows(w *window, o Options, b *builder) (rowReader, error) {
	r := &csvRows{csvReader: csvReader{w: w, o: f.o}, b: b}
	names, err := f.header(&r.csvReader, o)
	if err != nil {
		return nil, err
	}
	if names == nil {
		for i := range b.data.cols {
			r.to = append(r.to, i)
		}
		return r, nil
	}
	taken := map[int]bool{}
	for _, name := range names {
		i, exact := b.data.find([]byte(name))
		if taken[i] && !exact {
			i = -1
		}
		taken[i] = i >= 0
		r.to = append(r.to, i)
	}
	b.data.at = 0
	return r, nil
}

// csvRows reads records into columns.
type csvRows struct {
	csvReader
	b  *builder
	to []int // the column of each field of the file, -1 = none
}

func (r *csvRows) read() (record, error, error) {
	rec, problem, err := r.next()
	if err != nil || problem != nil {
		return rec, problem, err
	}
	if len(r.fields) != len(r.to) {
		problem = &valueError{msg: fmt.Sprintf("it has %d fields where %d are expected", len(r.fields), len(r.to))}
	}
	row, f := r.b.n, r.b.data
	for i, c := range r.fields[:min(len(r.fields), len(r.to))] {
		to := r.to[i]
		if to < 0 || r.o.null(c) {
			continue
		}
		col := f.cols[to]
		col.truncate(row)
		if err := col.text(c.text); err != nil {
			col.truncate(row)
			if problem == nil {
				problem = under(f.names[to], err)
			}
		}
	}
	f.complete(row)
	return rec, problem, nil
}

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
