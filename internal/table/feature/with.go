package feature

import (
	"slices"
	"strings"

	"github.com/sluicelake/sluice/action"
)

// With is a protocol that has a feature besides, by name, which only writers need
// to know.
func With(p *action.Protocol, name string) *action.Protocol {
	names := Names(p)
	if slices.Contains(names, name) {
		return p
	}
	names = append(names, name)
	slices.Sort(names)
	return normal(names, p)
}

// Known reports whether a feature is called so but for the case of letters.
func Known(name string) bool {
	return slices.ContainsFunc(registry, func(f Feature) bool { return strings.EqualFold(f.Name, name) })
}
