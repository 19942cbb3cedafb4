package feature

import (
	"slices"

	"github.com/sluicelake/sluice/action"
)

// Without is a protocol that lacks a feature: by version numbers where these say
// just that, by names otherwise (PROTOCOL.md, Protocol Evolution).
func Without(p *action.Protocol, name string) *action.Protocol {
	names := slices.DeleteFunc(Names(p), func(n string) bool { return n == name })
	for writer := int32(1); writer < MaxWriterVersion; writer++ {
		for reader := int32(1); reader < MaxReaderVersion; reader++ {
			legacy := &action.Protocol{MinReaderVersion: reader, MinWriterVersion: writer}
			if slices.Equal(Names(legacy), names) && (reader == 2) == slices.Contains(names, "columnMapping") {
				return legacy
			}
		}
	}
	out := &action.Protocol{MinReaderVersion: 1, MinWriterVersion: MaxWriterVersion, WriterFeatures: names}
	var readers []string
	for _, n := range names {
		f, known := Lookup(n)
		if f.Reader || !known && slices.Contains(p.ReaderFeatures, n) {
			readers = append(readers, n)
			out.MinReaderVersion = max(out.MinReaderVersion, f.MinReader)
			if f.MinReader == 0 {
				out.MinReaderVersion = MaxReaderVersion
			}
		}
	}
	if out.MinReaderVersion == MaxReaderVersion {
		out.ReaderFeatures = readers
	}
	return out
}
