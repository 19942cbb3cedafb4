package life

import (
	"path"
	"slices"
	"strings"

	"github.com/sluicelake/sluice/internal/inspect"
)

// nearest keeps the few paths that are most like a wanted one.
type nearest struct {
	want  string
	found []likeness
}

type likeness struct {
	path  string
	score int
}

const keptNear = 5

// offer looks at a path; paths that have little in common are not kept.
func (n *nearest) offer(p string) {
	want, have := path.Base(inspect.PlainPath(n.want)), path.Base(inspect.PlainPath(p))
	score := 0
	if want != "." && want != "/" {
		head := 0
		for head < min(len(want), len(have)) && want[head] == have[head] {
			head++
		}
		tail := 0
		for tail < min(len(want), len(have))-head && want[len(want)-1-tail] == have[len(have)-1-tail] {
			tail++
		}
		score = head + tail
		if strings.Contains(have, want) || strings.Contains(inspect.PlainPath(p), inspect.PlainPath(n.want)) {
			score = max(score, len(want)) + len(want)
		}
	}
	n.keep(likeness{p, score})
}

func (n *nearest) keep(l likeness) {
	if len(n.found) == keptNear && l.score <= n.found[keptNear-1].score || slices.ContainsFunc(n.found, func(o likeness) bool { return o.path == l.path }) {
		return
	}
	n.found = append(n.found, l)
	slices.SortStableFunc(n.found, func(a, b likeness) int { return b.score - a.score })
	n.found = n.found[:min(len(n.found), keptNear)]
}

func (n *nearest) merge(o *nearest) {
	for _, l := range o.found {
		n.keep(l)
	}
}

func (n *nearest) list() (out []string) {
	for _, l := range n.found {
		out = append(out, inspect.PlainPath(l.path))
	}
	return out
}
