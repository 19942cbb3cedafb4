package inflight

import (
	"slices"
	"sync"
)

// reserved are the parts of tables that somebody in this process is tidying, by
// the table's address.
var reserved = struct {
	mu     sync.Mutex
	tables map[string]map[string]bool
}{tables: map[string]map[string]bool{}}

// Reserve takes those of the parts of a table that nobody has taken, so that the
// same work is not done twice side by side; they are free again when release is
// called. What somebody else has is left out, and nobody waits.
func Reserve(url string, parts []string) (mine []string, release func()) {
	r := &reserved
	r.mu.Lock()
	defer r.mu.Unlock()
	t := r.tables[url]
	if t == nil && len(parts) > 0 {
		t = map[string]bool{}
		r.tables[url] = t
	}
	for _, p := range slices.Compact(slices.Sorted(slices.Values(parts))) {
		if !t[p] {
			t[p] = true
			mine = append(mine, p)
		}
	}
	return mine, func() {
		r.mu.Lock()
		defer r.mu.Unlock()
		for _, p := range mine {
			delete(t, p)
		}
		if len(t) == 0 && len(mine) > 0 {
			delete(r.tables, url)
		}
	}
}
