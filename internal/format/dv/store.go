package dv

import (
	"context"
	"fmt"
	"math"

	"github.com/RoaringBitmap/roaring/v2/roaring64"
	"github.com/google/uuid"

	"github.com/sluicelake/sluice/action"
)

// Putter creates objects; *storage.Bucket is one. Names of files of vectors are
// drawn afresh, so that a put may be sent again.
type Putter interface {
	Put(ctx context.Context, key string, data []byte) error
}

// StoreOptions say how vectors are written. The zero value writes what the
// reference writes: files in the table's root.
type StoreOptions struct {
	// InlineBelow puts vectors of fewer serialised bytes into the log. It is
	// zero by default: the protocol allows inline vectors and delta-spark and
	// delta-kernel read them, but Trino and Presto refuse such tables.
	InlineBelow int
	// Prefix is the random folder of the file (delta.randomizeFilePrefixes); letters and digits.
	Prefix string
	// NewID gives the UUID of a file; nil draws a random one.
	NewID func() string
}

// Stored is what StoreWith wrote.
type Stored struct {
	Vectors []*action.DeletionVector // in the order of the input; nil for an empty bitmap
	Keys    []string                 // the files that were written, for clean-up when the commit fails
	Sizes   []int64                  // their bytes, in the order of Keys
}

// targetFile is the size at which a vector file is full (the reference packs to 2 MiB).
const targetFile = 2 << 20

// Store writes vectors as the reference does, many to a file in the table's
// root; newID names the file. The result has the order of rows, nil for an empty
// bitmap.
func Store(ctx context.Context, b Putter, rows []*roaring64.Bitmap, newID func() string) ([]*action.DeletionVector, error) {
	s, err := StoreWith(ctx, b, StoreOptions{NewID: newID}, rows)
	if err != nil {
		return nil, err
	}
	return s.Vectors, nil
}

// StoreWith is Store with options. When it fails, Keys still names the files
// that exist or may exist.
func StoreWith(ctx context.Context, b Putter, o StoreOptions, rows []*roaring64.Bitmap) (Stored, error) {
	s := Stored{Vectors: make([]*action.DeletionVector, len(rows))}
	var file []byte
	var pending []*action.DeletionVector
	flush := func() error {
		if len(pending) == 0 {
			return nil
		}
		id, err := newID(o)
		if err != nil {
			return err
		}
		name := o.Prefix + EncodeZ85(id[:])
		key := FileName(id)
		if o.Prefix != "" {
			key = o.Prefix + "/" + key
		}
		for _, d := range pending {
			d.PathOrInlineDv = name
		}
		s.Keys, s.Sizes = append(s.Keys, key), append(s.Sizes, int64(len(file)))
		if err := b.Put(ctx, key, file); err != nil {
			return fmt.Errorf("write %d deletion vectors: %w", len(pending), err)
		}
		file, pending = nil, nil
		return nil
	}
	for i, r := range rows {
		if r == nil || r.IsEmpty() {
			continue
		}
		data, err := Encode(r)
		if err != nil {
			return s, err
		}
		if int64(len(data)) > math.MaxInt32-frame-targetFile {
			return s, fmt.Errorf("deletion vector of %d rows needs %d bytes, more than a descriptor can say", r.GetCardinality(), len(data))
		}
		d := &action.DeletionVector{SizeInBytes: int32(len(data)), Cardinality: int64(r.GetCardinality())}
		s.Vectors[i] = d
		if len(data) < o.InlineBelow {
			d.StorageType, d.PathOrInlineDv = Inline, EncodeZ85(data)
			continue
		}
		if len(pending) > 0 && len(file)+len(data) > targetFile {
			if err := flush(); err != nil {
				return s, err
			}
		}
		if len(pending) == 0 {
			file = append(make([]byte, 0, 1+len(data)+frame), fileVersion)
		}
		offset := int32(len(file))
		d.StorageType, d.Offset = UUID, &offset
		file = appendFrame(file, data)
		pending = append(pending, d)
	}
	return s, flush()
}

func newID(o StoreOptions) (uuid.UUID, error) {
	if o.NewID == nil {
		return uuid.NewRandom()
	}
	id, err := uuid.Parse(o.NewID())
	if err != nil {
		return id, fmt.Errorf("name of a deletion vector file: %w", err)
	}
	return id, nil
}
