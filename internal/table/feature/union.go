package feature

import (
	"slices"

	"github.com/sluicelake/sluice/action"
)

// Union is the protocol that has every feature of two: of a table that becomes
// again, or copies, what another version or table was.
func Union(a, b *action.Protocol) *action.Protocol {
	names := slices.Concat(Names(a), Names(b))
	slices.Sort(names)
	return normal(slices.Compact(names), a)
}

// SameProtocol reports whether two protocols ask for the same.
func SameProtocol(a, b *action.Protocol) bool {
	return a.MinReaderVersion == b.MinReaderVersion && a.MinWriterVersion == b.MinWriterVersion && slices.Equal(sorted(Names(a)), sorted(Names(b)))
}

func sorted(names []string) []string {
	out := slices.Clone(names)
	slices.Sort(out)
	return slices.Compact(out)
}
