package metamorph

import (
	"context"
	"fmt"
	"slices"
	"strings"
)

// Compare plays a script over a layout and tells how it differs from what the
// plain layout gave; "" is not at all. Feeds are compared with that of the layout
// feed, which is the plain one with a change feed.
func Compare(ctx context.Context, c Config, s Script, plain, feed []Outcome) string {
	got, err := Play(ctx, c, s, nil, nil)
	if err != nil {
		return err.Error()
	}
	for i, o := range got {
		at := fmt.Sprintf("statement %d, %s:\n", i+1, s.Statements[i])
		switch {
		case o.Error != plain[i].Error:
			return fmt.Sprintf("%serror %q, and %q on the plain table", at, o.Error, plain[i].Error)
		case !slices.Equal(o.Rows, plain[i].Rows):
			return at + "rows\n" + difference(o.Rows, plain[i].Rows)
		case c.Feed && !slices.Equal(o.Changes, feed[i].Changes):
			return at + "change rows\n" + difference(o.Changes, feed[i].Changes)
		}
	}
	return ""
}

// difference shows the lines that only one of two sorted lists has.
func difference(got, want []string) string {
	var out []string
	for i, j := 0, 0; i < len(got) || j < len(want); {
		switch {
		case j == len(want) || i < len(got) && got[i] < want[j]:
			out = append(out, "  too many: "+got[i])
			i++
		case i == len(got) || want[j] < got[i]:
			out = append(out, "  missing:  "+want[j])
			j++
		default:
			i, j = i+1, j+1
		}
	}
	return strings.Join(out, "\n")
}

// Check plays the script of a seed over the plain layout and all of the given
// ones. What differs is shrunk: the error tells the layout and a script in which
// nothing can be left out.
func Check(ctx context.Context, seed uint64, statements int, layouts []Config) error {
	s := Write(seed, statements)
	plain, feed, err := references(ctx, s)
	if err != nil {
		return fmt.Errorf("seed %d, the plain table: %w", seed, err)
	}
	for _, c := range layouts {
		why := Compare(ctx, c, s, plain, feed)
		if why == "" {
			continue
		}
		fails := func(s Script) string {
			plain, feed, err := references(ctx, s)
			if err != nil {
				return ""
			}
			return Compare(ctx, c, s, plain, feed)
		}
		small := Shrink(s, func(s Script) bool { return fails(s) != "" })
		if now := fails(small); now != "" {
			why = now
		}
		return fmt.Errorf("seed %d, a table with %s: %s\nfirst rows\n  %s\nstatements\n  %s", seed, c, why, strings.Join(small.Rows, ",\n  "), strings.Join(small.Statements, ";\n  "))
	}
	return nil
}

func references(ctx context.Context, s Script) (plain, feed []Outcome, err error) {
	if plain, err = Play(ctx, Plain(), s, nil, nil); err != nil {
		return nil, nil, err
	}
	c := Plain()
	c.Feed = true
	feed, err = Play(ctx, c, s, nil, nil)
	return plain, feed, err
}

// Shrink leaves out statements and first rows as long as the script still fails.
func Shrink(s Script, fails func(Script) bool) Script {
	s.Statements = shorter(s.Statements, func(l []string) bool { return fails(Script{s.Rows, l}) })
	s.Rows = shorter(s.Rows, func(l []string) bool { return len(l) > 0 && fails(Script{l, s.Statements}) })
	return s
}

// shorter drops parts of a list, large ones first, while it still fails.
func shorter(list []string, fails func([]string) bool) []string {
	for size := len(list) / 2; size > 0; size /= 2 {
		for i := 0; i+size <= len(list); {
			without := slices.Concat(list[:i], list[i+size:])
			if fails(without) {
				list = without
			} else {
				i += size
			}
		}
	}
	return list
}
