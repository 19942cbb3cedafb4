package source

import (
	"fmt"
	"strconv"
	"strings"

	"github.com/sluicelake/sluice/types"
)

// fields finds the column of a key: by its exact name, otherwise without
// regard to case. Objects of one file mostly have their keys in one order, so the
// next column in order is tried first.
type fields struct {
	names  []string
	cols   []column
	exact  map[string]int
	folded map[string]int // keys seen that are not exact; -1 is unknown
	next   int
}

const maxFolded = 10_000

func newFields(s *types.Struct, c *convert) (*fields, error) {
	f := &fields{exact: map[string]int{}, folded: map[string]int{}}
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
	if f.next < len(f.names) && f.names[f.next] == string(key) {
		f.next++
		return f.next - 1, true
	}
	if i, ok := f.exact[string(key)]; ok {
		f.next = i + 1
		return i, true
	}
	if i, ok := f.folded[string(key)]; ok {
		return i, false
	}
	found := -1
	for i, name := range f.names {
		if strings.EqualFold(name, string(key)) {
			found = i
			break
		}
	}
	if len(f.folded) < maxFolded {
		f.folded[string(key)] = found
	}
	return found, false
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
	f.next = 0
	for _, c := range f.cols {
		if c.size() == row {
			c.null()
		}
	}
}

func index(i int) string { return "[" + strconv.Itoa(i) + "]" }

func quoted(s []byte) string { return strconv.Quote(clip(s, 40)) }
