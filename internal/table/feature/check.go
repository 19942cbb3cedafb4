package feature

import (
	"fmt"
	"slices"
	"strings"

	"github.com/sluicelake/sluice/action"
	"github.com/sluicelake/sluice/types"
)

// The newest protocol versions (PROTOCOL.md, Protocol Evolution). From these on
// features are listed by name.
const (
	MaxReaderVersion = 3
	MaxWriterVersion = 7
)

// Error is a table that asks for more than this engine can do.
type Error struct {
	Feature string // the first feature in the way; "" when it is the protocol version
	Names   []string
	Op      string // "read" or "write"
	Class   string // Delta's error class
	Msg     string
}

func (e *Error) Error() string { return "[" + e.Class + "] " + e.Msg }

// CheckRead reports whether a table of this protocol can be read. Features
// that only writers must know do not stop a reader.
func CheckRead(p *action.Protocol) error {
	if p.MinReaderVersion < 1 || p.MinReaderVersion > MaxReaderVersion {
		return &Error{Op: "read", Class: "DELTA_INVALID_PROTOCOL_VERSION", Msg: fmt.Sprintf(
			"the table needs reader version %d, this engine reads versions 1 to %d; a newer engine is needed",
			p.MinReaderVersion, MaxReaderVersion)}
	}
	if p.MinReaderVersion < MaxReaderVersion {
		return nil
	}
	var bad []string
	for _, name := range p.ReaderFeatures {
		if f, ok := Lookup(name); !ok || !f.Readable {
			bad = append(bad, name)
		}
	}
	if len(bad) == 0 {
		return nil
	}
	return refuse("read", "DELTA_UNSUPPORTED_FEATURES_FOR_READ", bad)
}

// CheckWrite reports whether this engine can keep the rules of a table of this
// protocol and metadata when it writes. A listed feature that the table makes
// no use of (a change data feed that is off, say) asks nothing of a writer.
func CheckWrite(p *action.Protocol, md *action.Metadata) error {
	if err := CheckRead(p); err != nil {
		return err
	}
	if p.MinWriterVersion < 1 || p.MinWriterVersion > MaxWriterVersion {
		return &Error{Op: "write", Class: "DELTA_INVALID_PROTOCOL_VERSION", Msg: fmt.Sprintf(
			"the table needs writer version %d, this engine writes versions 1 to %d; a newer engine is needed",
			p.MinWriterVersion, MaxWriterVersion)}
	}
	schema, err := Schema(md)
	if err != nil {
		return err
	}
	return checkWritable(p, md, schema)
}

// Schema parses the table's schema. A metaData action without one stands for a
// table without columns, as in the reference.
func Schema(md *action.Metadata) (*types.Struct, error) {
	if md.SchemaString == "" {
		return &types.Struct{}, nil
	}
	return types.ParseSchema(md.SchemaString)
}

func checkWritable(p *action.Protocol, md *action.Metadata, schema *types.Struct) error {
	var bad []string
	for _, name := range Names(p) {
		f, ok := Lookup(name)
		if !ok || !f.Writable && (f.active == nil || f.active(md, schema)) {
			bad = append(bad, name)
		}
	}
	if len(bad) == 0 {
		return checkIceberg(p, md, schema)
	}
	return refuse("write", "DELTA_UNSUPPORTED_FEATURES_FOR_WRITE", bad)
}

func refuse(op, class string, names []string) error {
	slices.Sort(names)
	msg := fmt.Sprintf("this engine cannot %s a table with the table feature %s", op, strings.Join(names, ", "))
	f, known := Lookup(names[0])
	switch {
	case !known:
		msg += "; the feature " + names[0] + " is unknown here: a newer engine is needed"
	case f.advice != "":
		msg += "; " + f.advice
	default:
		msg += "; another engine is needed, or the feature has to be dropped"
	}
	return &Error{Feature: names[0], Names: names, Op: op, Class: class, Msg: msg}
}

// Names lists, sorted, the features that a protocol supports: the listed ones,
// and the legacy ones that its version numbers imply.
func Names(p *action.Protocol) []string {
	var out []string
	if p.MinWriterVersion >= MaxWriterVersion {
		out = append(out, p.WriterFeatures...)
	} else {
		for _, f := range registry {
			if f.MinWriter > 0 && f.MinWriter <= p.MinWriterVersion && f.MinReader <= p.MinReaderVersion {
				out = append(out, f.Name)
			}
		}
	}
	if p.MinReaderVersion >= MaxReaderVersion {
		out = append(out, p.ReaderFeatures...)
	} else if p.MinReaderVersion == 2 && p.MinWriterVersion >= 5 && p.MinWriterVersion < MaxWriterVersion {
		out = append(out, "columnMapping")
	}
	slices.Sort(out)
	return slices.Compact(out)
}

// Supports reports whether the protocol has the feature, by name or by version.
func Supports(p *action.Protocol, name string) bool {
	_, ok := slices.BinarySearch(Names(p), name)
	return ok
}
