package source

import (
	"fmt"
	"strconv"
	"strings"

	"github.com/sluicelake/sluice/types"
)

// fields finds the column of a key: by its exact name, otherwise without
// regard to case. Objects of one file mostly have their keys in one order, so the
// key that stood at the same place of the object before is tried first.
type fields struct {
	names  []string
	cols   []column
	exact  map[string]int
	folded map[string]place // keys seen that are not exact; column -1 is unknown
	order  []place          // the keys of the object before
	at     int              // the place in this object
}

// place is a key and where its value goes.
type place struct {
	key   string
	col   int
	exact bool
}

const maxFolded = 10_000

func newFields(s *types.Struct, c *convert) (*fields, error) {
	f := &fields{exact: map[string]int{}, folded: map[string]place{}}
	for i, field := range s.Fields {
		col, err := newColumn(field.Type, c)
		if err != nil {
			return nil, fmt.Errorf("column %s: %w", types.QuoteIdentifier(field.Name), err)
		}
		if _, dup := f.exact[field.Name]; dup {
			return nil, fmt.Errorf("column %s is there twice", types.QuoteIdentifier(field.Name))
		}
		f.names, f.cols = append(f.names, field.Name), append(f.cols, col)
		f.exact[field.Name] = i
	}
	return f, nil
}

// find returns the column of a key or -1.
func (f *fields) find(key []byte) (i int, exact bool) {
	if f.at < len(f.order) && f.order[f.at].key == string(key) {
		p := &f.order[f.at]
		f.at++
		return p.col, p.exact
	}
	p := f.lookUp(key)
	if f.at < maxFolded {
		f.order = append(f.order[:f.at], p)
		f.at++
	}
	return p.col, p.exact
}

func (f *fields) lookUp(key []byte) place {
	if i, ok := f.exact[string(key)]; ok {
		return place{f.names[i], i, true}
	}
	if p, ok := f.folded[string(key)]; ok {
		return p
	}
	p := place{string(key), -1, false}
	for i, name := range f.names {
		if strings.EqualFold(name, p.key) {
			p.col = i
			break
		}
	}
	if len(f.folded) < maxFolded {
		f.folded[p.key] = p
	}
	return p
}

// place returns the column that takes the value of key in a row, or -1 when
// the value is to be skipped. A key that is there twice counts the last time; one that
// fits only without regard to case gives way to one that fits exactly.
func (f *fields) place(key []byte, row int) int {
	i, exact := f.find(key)
	if i >= 0 && f.cols[i].size() > row {
		if !exact {
			return -1
		}
		f.cols[i].truncate(row)
	}
	return i
}

// complete gives NULL to the columns that a row did not mention.
func (f *fields) complete(row int) {
	f.at = 0
	for _, c := range f.cols {
		if c.size() == row {
			c.null()
		}
	}
}

func index(i int) string { return "[" + strconv.Itoa(i) + "]" }

func quoted(s []byte) string { return strconv.Quote(clip(s, 40)) }
