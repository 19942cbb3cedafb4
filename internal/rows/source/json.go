package source

import (
	"bytes"
	"errors"
	"io"
	"unicode/utf8"

	"github.com/sluicelake/sluice/types"
)

// jsonFormat reads objects: one on a line, one after the other over any
// number of lines, or the elements of an array.
type jsonFormat struct{}

func newJSONFormat() textFormat { return jsonFormat{} }

func (jsonFormat) infer(w *window, o Options) (*types.Struct, error) {
	r := &jsonReader{w: w}
	root := &shape{}
	// What a record shows is kept apart until the record is known to be good,
	// unless the first bad one is the end of it all. Seeing a record
	// twice shows nothing new.
	at := root
	look := func(l *lexer) error { return at.object(l) }
	for {
		if o.Mode != Fail {
			at = &shape{}
		}
		rec, problem, err := r.next(look, func() {})
		switch {
		case err == io.EOF:
			return root.schema(o)
		case err != nil:
			return nil, err
		case problem == nil && at != root:
			root.merge(at)
		case problem != nil && o.Mode == Fail:
			return nil, rec.fail(o.Name, problem)
		}
	}
}

func (jsonFormat) rows(w *window, _ Options, b *builder) (rowReader, error) {
	r := &jsonRows{jsonReader: jsonReader{w: w}, b: b}
	r.onField, r.undo = r.field, b.rollback
	r.onRecord = r.parse
	return r, nil
}

// jsonRows reads records into columns.
type jsonRows struct {
	jsonReader
	b   *builder
	bad *valueError // the first of the record

	// Methods as values, made once.
	onRecord func(*lexer) error
	onField  func(key []byte) error
	undo     func()
}

func (r *jsonRows) read() (record, error, error) { return r.next(r.onRecord, r.undo) }

// parse appends one row. A field that does not fit is NULL, and the first of
// them is the result.
func (r *jsonRows) parse(l *lexer) error {
	if err := startsObject(l); err != nil {
		return err
	}
	r.bad = nil
	if err := l.object(r.onField); err != nil {
		return err
	}
	r.b.data.complete(r.b.n)
	if r.bad != nil {
		return r.bad
	}
	return nil
}

// field reads the value of one key of a record.
func (r *jsonRows) field(key []byte) error {
	l, row, f := &r.l, r.b.n, r.b.data
	i := f.place(key, row)
	if i < 0 {
		return l.skip()
	}
	start, depth := l.i, l.depth
	err := f.cols[i].json(l)
	if err == nil {
		return nil
	}
	var v *valueError
	if !errors.As(err, &v) {
		return err
	}
	if under(f.names[i], v); r.bad == nil {
		r.bad = v
	}
	f.cols[i].truncate(row)
	f.cols[i].null()
	l.i, l.depth = start, depth
	return l.skip()
}

func startsObject(l *lexer) error {
	if c, err := l.peek(); err != nil {
		return err
	} else if c != '{' {
		return l.unexpected("an object")
	}
	return nil
}

// jsonReader finds the records of an input.
type jsonReader struct {
	w       *window
	l       lexer
	number  int64
	started bool
	lines   bool // a record does not go over the end of a line
	inArray bool
	comma   bool // an element has been read: a comma or the end follows
	ended   bool
}

// corruptRest is how much of the text behind a syntax error is kept.
const corruptRest = 64 << 10

// next lets parse read the next record. parse may be called again for the same
// record, after undo, when more of the input had to be read.
func (r *jsonReader) next(parse func(*lexer) error, undo func()) (rec record, problem, err error) {
	if err := r.toRecord(); err != nil {
		var syntax *syntaxError
		if errors.As(err, &syntax) {
			return r.broken(syntax)
		}
		return rec, nil, err
	}
	for {
		text := r.w.rest()
		if r.lines {
			if text, err = r.line(); err != nil {
				return rec, nil, err
			}
		}
		r.l.reset(text)
		problem = parse(&r.l)
		if problem == errMore {
			if !r.lines && !r.w.eof {
				undo()
				if err := r.w.grow(); err != nil {
					return rec, nil, err
				}
				continue
			}
			what := "the line ends inside the record"
			if !r.lines {
				what = "the file ends inside the record"
			}
			problem = &syntaxError{what, len(text)}
		}
		if problem != nil {
			var syntax *syntaxError
			if errors.As(problem, &syntax) {
				return r.broken(syntax)
			}
		}
		r.number++
		rec = record{number: r.number, text: text[:r.l.i]}
		if problem != nil {
			var v *valueError
			if errors.As(problem, &v) {
				rec.line, rec.offset = r.w.line(v.at), r.w.offset()+int64(v.at)
			}
		}
		r.w.pos += r.l.i
		r.comma = r.inArray
		return rec, problem, nil
	}
}

// broken gives the record that cannot be parsed. Where records end with their line the
// next one is behind it; otherwise nothing behind can be trusted.
func (r *jsonReader) broken(e *syntaxError) (record, error, error) {
	r.number++
	rec := record{number: r.number, line: r.w.line(e.at), offset: r.w.offset() + int64(e.at)}
	if r.lines {
		text, err := r.line()
		rec.text = text
		r.w.pos += len(text)
		return rec, e, err
	}
	r.ended = true
	for len(r.w.rest()) < corruptRest && !r.w.eof {
		if err := r.w.fill(); err != nil {
			return rec, e, err
		}
	}
	rec.text = r.w.rest()[:min(corruptRest, len(r.w.rest()))]
	return rec, e, nil
}

// line is the unread part of the current line.
func (r *jsonReader) line() ([]byte, error) {
	for from := 0; ; {
		rest := r.w.rest()
		if i := bytes.IndexByte(rest[from:], '\n'); i >= 0 {
			return rest[:from+i], nil
		}
		if r.w.eof {
			return rest, nil
		}
		from = len(rest)
		if err := r.w.fill(); err != nil {
			return nil, err
		}
	}
}

// toRecord moves to the first byte of the next record, over blanks and what
// stands between the elements of an array.
func (r *jsonReader) toRecord() error {
	if !r.started {
		r.started = true
		if err := r.detect(); err != nil {
			return err
		}
	}
	for !r.ended {
		w := r.w
		for w.pos < len(w.buf) && isBlank(w.buf[w.pos]) {
			if w.buf[w.pos] == '\n' && r.lines {
				r.inArray, r.comma = false, false
			}
			w.pos++
		}
		if w.pos == len(w.buf) {
			if w.eof {
				break
			}
			if err := w.fill(); err != nil {
				return err
			}
			continue
		}
		switch c := w.buf[w.pos]; {
		case c == '[' && !r.inArray:
			r.inArray, r.comma = true, false
		case c == ']' && r.inArray:
			r.inArray = false
		case c == ',' && r.comma:
			r.comma = false
		case r.comma:
			return &syntaxError{"found " + describe(c) + " where ',' or ']' should be", 0}
		default:
			return nil
		}
		w.pos++
	}
	if r.inArray && !r.ended && !r.lines {
		r.ended = true
		return &syntaxError{"the file ends inside the array", 0}
	}
	return io.EOF
}

func isBlank(c byte) bool { return c == ' ' || c == '\n' || c == '\r' || c == '\t' }

// detect tells whether records end with their lines: the first line is a whole
// object, or it is not but begins one and the second line is whole.
func (r *jsonReader) detect() error {
	w := r.w
	for {
		trimmed := bytes.TrimLeft(w.rest(), " \t\r\n")
		lines := bytes.SplitN(trimmed, []byte{'\n'}, 3)
		// The last piece may be incomplete.
		if !w.eof && (len(trimmed) == 0 || len(lines) < 3) && len(w.rest()) < windowSize {
			if err := w.grow(); err != nil {
				return err
			}
			continue
		}
		if wholeObject(lines[0]) {
			r.lines = true
		} else if len(lines) > 1 && len(bytes.TrimSpace(lines[0])) > 1 && lines[0][0] == '{' && wholeObject(lines[1]) {
			r.lines = true
		}
		return nil
	}
}

// wholeObject tells whether a line is one complete object.
func wholeObject(line []byte) bool {
	line = bytes.TrimSpace(line)
	l := lexer{b: line}
	return len(line) > 0 && line[0] == '{' && l.skip() == nil && l.i == len(line)
}

func toUTF8(s []byte) []byte {
	if utf8.Valid(s) {
		return s
	}
	return bytes.ToValidUTF8(s, []byte("\uFFFD"))
}
