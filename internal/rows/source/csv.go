package source

import (
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
