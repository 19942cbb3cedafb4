package action

import "encoding/json"

// File is an add or a remove as it stands in the log: the texts and objects in
// it are not decoded. It and everything in it is valid only during the callback
// that receives it.
type File struct {
	Path            Text
	PartitionValues []byte          // a JSON object, nil when absent
	Tags            []byte          // a JSON object, nil when absent
	DeletionVector  []byte          // a JSON object, nil when absent
	Vector          *DeletionVector // the deletion vector in decoded form, when the source has it so
	Stats           Text
	Provider        Text // clusteringProvider

	Size                    int64
	ModificationTime        int64 // of an add
	DeletionTimestamp       int64 // of a remove
	BaseRowID               int64
	DefaultRowCommitVersion int64

	DataChange           bool
	ExtendedFileMetadata bool
	Has                  Field // which of the optional fields are there

	Extra []Member // fields that this version does not know
	Line  int      // of the commit file, from 1
}

// Field marks optional fields of a File.
type Field uint16

// The optional fields of a File that are not told by nil.
const (
	HasSize Field = 1 << iota
	HasDeletionTimestamp
	HasExtendedFileMetadata
	HasBaseRowID
	HasDefaultRowCommitVersion
	HasProvider
	HasStats
)

// Member is one field of an object, its value as JSON text.
type Member struct {
	Key   Text
	Value []byte
}

// file reads the object of an add or a remove into f.
func (l *lexer) file(f *File, remove bool) {
	extra := f.Extra[:0]
	*f = File{Extra: extra, Line: f.Line, DataChange: true}
	for ok := l.open('{', '}'); ok; ok = l.more('}') {
		k := l.key()
		if k.escaped {
			k = Plain(k.Append(nil))
		}
		name := k.raw
		if l.null() {
			continue
		}
		switch string(name) {
		case "path":
			f.Path = l.scalarText()
		case "partitionValues":
			f.PartitionValues = l.object()
		case "size":
			f.Size = l.integer()
			f.Has |= HasSize
		case "dataChange":
			f.DataChange = l.boolean()
		case "stats":
			f.Stats = l.statsText()
			f.Has |= HasStats
		case "tags":
			f.Tags = l.object()
		case "deletionVector":
			f.DeletionVector = l.object()
		case "baseRowId":
			f.BaseRowID = l.integer()
			f.Has |= HasBaseRowID
		case "defaultRowCommitVersion":
			f.DefaultRowCommitVersion = l.integer()
			f.Has |= HasDefaultRowCommitVersion
		default:
			switch {
			case !remove && string(name) == "modificationTime":
				f.ModificationTime = l.integer()
			case !remove && string(name) == "clusteringProvider":
				f.Provider = l.scalarText()
				f.Has |= HasProvider
			case remove && string(name) == "deletionTimestamp":
				f.DeletionTimestamp = l.integer()
				f.Has |= HasDeletionTimestamp
			case remove && string(name) == "extendedFileMetadata":
				f.ExtendedFileMetadata = l.boolean()
				f.Has |= HasExtendedFileMetadata
			default:
				f.Extra = append(f.Extra, Member{k, l.value()})
			}
		}
	}
}

// Parse reads the JSON object of an add or a remove. Unlike a line of the log
// it may lack the path. The object's bytes are kept.
func (f *File) Parse(object []byte, remove bool) error {
	return whole(object, "file action", func(l *lexer) { l.file(f, remove) })
}

// Dv decodes the deletion vector; nil when there is none.
func (f *File) Dv() (*DeletionVector, error) {
	if f.Vector != nil {
		return f.Vector, nil
	}
	return ParseDeletionVector(f.DeletionVector)
}

// Add decodes the file as an add.
func (f *File) Add() (*Add, error) {
	a := &Add{
		Path: f.Path.String(), Size: f.Size, ModificationTime: f.ModificationTime,
		DataChange: f.DataChange, Stats: f.Stats.String(), Extra: f.extra(),
	}
	err := f.shared(&a.PartitionValues, &a.Tags, &a.DeletionVector, &a.BaseRowID, &a.DefaultRowCommitVersion)
	if a.PartitionValues == nil {
		a.PartitionValues = PartitionValues{}
	}
	if f.Has&HasProvider != 0 {
		s := f.Provider.String()
		a.ClusteringProvider = &s
	}
	return a, err
}

// Remove decodes the file as a remove.
func (f *File) Remove() (*Remove, error) {
	r := &Remove{Path: f.Path.String(), DataChange: f.DataChange, Stats: f.Stats.String(), Extra: f.extra()}
	err := f.shared(&r.PartitionValues, &r.Tags, &r.DeletionVector, &r.BaseRowID, &r.DefaultRowCommitVersion)
	if f.Has&HasSize != 0 {
		r.Size = ptr(f.Size)
	}
	if f.Has&HasDeletionTimestamp != 0 {
		r.DeletionTimestamp = ptr(f.DeletionTimestamp)
	}
	if f.Has&HasExtendedFileMetadata != 0 {
		r.ExtendedFileMetadata = ptr(f.ExtendedFileMetadata)
	}
	return r, err
}

func (f *File) shared(pv *PartitionValues, tags *map[string]string, dv **DeletionVector, base, version **int64) (err error) {
	if *pv, err = ParsePartitionValues(f.PartitionValues); err != nil {
		return err
	}
	if *tags, err = ParseStrings(f.Tags); err != nil {
		return err
	}
	if *dv, err = f.Dv(); err != nil {
		return err
	}
	if f.Has&HasBaseRowID != 0 {
		*base = ptr(f.BaseRowID)
	}
	if f.Has&HasDefaultRowCommitVersion != 0 {
		*version = ptr(f.DefaultRowCommitVersion)
	}
	return nil
}

func (f *File) extra() Extra {
	var e Extra
	for _, m := range f.Extra {
		e = e.with(m.Key.String(), m.Value)
	}
	return e
}

func (e Extra) with(key string, value []byte) Extra {
	if e == nil {
		e = Extra{}
	}
	e[key] = json.RawMessage(append([]byte(nil), value...))
	return e
}

func ptr[T any](v T) *T { return &v }
