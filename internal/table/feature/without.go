package feature

import (
	"slices"

	"github.com/sluicelake/sluice/action"
)

// Without is a protocol that lacks a feature: by version numbers where these say
// just that, by names otherwise (PROTOCOL.md, Protocol Evolution).
func Without(p *action.Protocol, name string) *action.Protocol {
	names := slices.DeleteFunc(Names(p), func(n string) bool { return n == name })
	out := normal(names, nil)
	if out.MinReaderVersion == MaxReaderVersion {
		for _, n := range p.ReaderFeatures { // those that are unknown here
			if _, known := Lookup(n); !known && n != name {
				out.ReaderFeatures = append(out.ReaderFeatures, n)
			}
		}
	}
	return out
}
