package tracestore

import (
	"fmt"
	"maps"
	"regexp"
	"slices"
	"strings"
	"time"
)

// Dump is the record as text, one line a call, without durations. Random
// identifiers (UUIDs) in keys become <id1>, <id2>, ... in the order in which they
// appear, so that the text of the same work is the same text.
func (s *Store) Dump() string {
	var b strings.Builder
	for _, e := range s.Entries() {
		b.WriteString(e.String())
		b.WriteByte('\n')
	}
	return Stable(b.String())
}

var uuid = regexp.MustCompile(`[0-9a-fA-F]{8}-[0-9a-fA-F]{4}-[0-9a-fA-F]{4}-[0-9a-fA-F]{4}-[0-9a-fA-F]{12}`)

// Stable replaces UUIDs by numbered marks.
func Stable(text string) string {
	seen := map[string]string{}
	return uuid.ReplaceAllStringFunc(text, func(id string) string {
		mark, ok := seen[id]
		if !ok {
			mark = fmt.Sprintf("<id%d>", len(seen)+1)
			seen[id] = mark
		}
		return mark
	})
}

// Summary is one line per operation: calls, bytes, time.
func (s *Store) Summary() string {
	type sum struct {
		calls, failed int
		bytes         int64
		spent         time.Duration
	}
	sums := map[string]*sum{}
	for _, e := range s.Entries() {
		x := sums[e.Op]
		if x == nil {
			x = &sum{}
			sums[e.Op] = x
		}
		x.calls++
		x.bytes += e.Bytes
		x.spent += e.Duration
		if e.Err != nil {
			x.failed++
		}
	}
	var b strings.Builder
	for _, op := range slices.Sorted(maps.Keys(sums)) {
		x := sums[op]
		fmt.Fprintf(&b, "%-13s %6d calls %4d failed %12d bytes %12s\n", op, x.calls, x.failed, x.bytes, x.spent.Round(time.Microsecond))
	}
	return b.String()
}
