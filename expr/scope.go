package expr

import (
	"slices"
	"sort"
	"strings"

	"github.com/sluicelake/sluice/types"
)

// Table is a relation whose columns can be named: alias.col, name.col or col. Its
// columns have the ordinals Base, Base+1, ...
type Table struct {
	Alias  string
	Name   string
	Schema *types.Struct
	Base   int
	Hidden []bool // columns that only a qualified name means (JOIN ... USING); nil has none
}

// Scope is what names mean while an expression is bound.
type Scope struct {
	Tables  []Table
	Options Options
}

// calls reports whether a qualifier means the table.
func (t Table) calls(qualifier string) bool {
	if t.Alias != "" {
		return strings.EqualFold(t.Alias, qualifier)
	}
	return t.Name != "" && strings.EqualFold(t.Name, qualifier)
}

type match struct {
	table Table
	index int
	rest  []string // parts of the name after the column
}

// resolve finds the column of a name: with a qualifier first, then without.
func (s Scope) resolve(parts []string) (match, *BindError) {
	var found []match
	if len(parts) > 1 {
		for _, t := range s.Tables {
			if t.calls(parts[0]) {
				found = t.named(found, parts[1], parts[2:], false)
			}
		}
	}
	if len(found) == 0 {
		for _, t := range s.Tables {
			found = t.named(found, parts[0], parts[1:], true)
		}
	}
	text := NewColumn(parts...).String()
	switch len(found) {
	case 1:
		return found[0], nil
	case 0:
		return match{}, s.unresolved(parts, text)
	}
	e := bindErrorf("AMBIGUOUS_REFERENCE", "the name %s is ambiguous", text)
	for _, m := range found {
		e.Candidates = append(e.Candidates, m.table.qualified(m.index))
	}
	return match{}, e
}

func (t Table) named(found []match, name string, rest []string, bare bool) []match {
	for i := range t.Schema.Fields {
		if bare && t.Hidden != nil && t.Hidden[i] {
			continue
		}
		if strings.EqualFold(t.Schema.Fields[i].Name, name) {
			found = append(found, match{t, i, rest})
		}
	}
	return found
}

func (t Table) qualified(i int) string {
	name := quoteName(t.Schema.Fields[i].Name)
	if t.Alias != "" {
		return quoteName(t.Alias) + "." + name
	}
	return name
}

func (s Scope) unresolved(parts []string, text string) *BindError {
	e := bindErrorf("UNRESOLVED_COLUMN.WITHOUT_SUGGESTION", "no column is called %s", text)
	for _, t := range s.Tables {
		for i := range t.Schema.Fields {
			e.Candidates = append(e.Candidates, t.qualified(i))
		}
	}
	if len(e.Candidates) == 0 {
		return e
	}
	e.Class = "UNRESOLVED_COLUMN.WITH_SUGGESTION"
	want := strings.ToLower(parts[len(parts)-1])
	sort.SliceStable(e.Candidates, func(i, j int) bool {
		return distance(want, lastName(e.Candidates[i])) < distance(want, lastName(e.Candidates[j]))
	})
	e.Candidates = e.Candidates[:min(5, len(e.Candidates))]
	return e
}

// Nearest sorts names by how near they are to one that was not found, at most five.
func Nearest(name string, names []string) []string {
	out := slices.Clone(names)
	want := strings.ToLower(name)
	slices.Sort(out)
	slices.SortStableFunc(out, func(a, b string) int {
		return distance(want, lastName(a)) - distance(want, lastName(b))
	})
	return out[:min(5, len(out))]
}

func lastName(s string) string {
	return strings.ToLower(strings.Trim(s[strings.LastIndexByte(s, '.')+1:], "`"))
}

// distance is the Levenshtein distance of two short names.
func distance(a, b string) int {
	row := make([]int, len(b)+1)
	for j := range row {
		row[j] = j
	}
	for i := 1; i <= len(a); i++ {
		diagonal := row[0]
		row[0] = i
		for j := 1; j <= len(b); j++ {
			cost := diagonal
			if a[i-1] != b[j-1] {
				cost++
			}
			diagonal = row[j]
			row[j] = min(cost, row[j]+1, row[j-1]+1)
		}
	}
	return row[len(b)]
}
