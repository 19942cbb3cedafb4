package dv

import (
	"context"
	"fmt"
	"math"
	"slices"

	"github.com/RoaringBitmap/roaring/v2/roaring64"

	"github.com/sluicelake/sluice/action"
)

// Reader reads parts of objects; *storage.Bucket is one.
type Reader interface {
	GetRange(ctx context.Context, key string, offset, length int64) ([]byte, error)
}

// Source is where vectors are read from.
type Source struct {
	Bucket Reader // the table's root
	Root   string // its URL
	// Open resolves an absolute path outside of the table. Nil refuses such
	// paths with *OutsideError: the log is untrusted input.
	Open func(ctx context.Context, url string) (Reader, string, error)
}

// Load reads one vector of the table that lies in b.
func Load(ctx context.Context, b Reader, root string, d *action.DeletionVector) (*roaring64.Bitmap, error) {
	return Source{Bucket: b, Root: root}.Load(ctx, d)
}

// Load reads one vector. A nil descriptor is the empty vector.
func (s Source) Load(ctx context.Context, d *action.DeletionVector) (*roaring64.Bitmap, error) {
	if d == nil {
		return roaring64.New(), nil
	}
	p, err := s.place(ctx, d)
	if err != nil {
		return nil, err
	}
	if p.reader == nil {
		return p.decode(p.inline)
	}
	b, err := p.reader.GetRange(ctx, p.key, p.offset-p.head(), p.length()+p.head())
	if err != nil {
		return nil, fmt.Errorf("read deletion vector %s: %w", d.ID(), err)
	}
	return p.unpack(b)
}

// maxSpan bounds the bytes that LoadAll reads at once to serve several vectors.
const maxSpan = 8 << 20

// LoadAll reads many vectors. Vectors that share a file and lie close together
// are fetched with one request.
func (s Source) LoadAll(ctx context.Context, ds []*action.DeletionVector) ([]*roaring64.Bitmap, error) {
	out := make([]*roaring64.Bitmap, len(ds))
	files := map[string][]placed{}
	var order []string
	for i, d := range ds {
		if d == nil {
			out[i] = roaring64.New()
			continue
		}
		p, err := s.place(ctx, d)
		if err != nil {
			return nil, err
		}
		if p.reader == nil {
			if out[i], err = p.decode(p.inline); err != nil {
				return nil, err
			}
			continue
		}
		p.index = i
		if files[p.where] == nil {
			order = append(order, p.where)
		}
		files[p.where] = append(files[p.where], p)
	}
	for _, where := range order {
		ps := files[where]
		slices.SortFunc(ps, func(a, b placed) int { return int(a.offset - b.offset) })
		for len(ps) > 0 {
			n, end := span(ps)
			first := ps[0]
			start := first.offset - first.head()
			b, err := first.reader.GetRange(ctx, first.key, start, end-start)
			if err != nil {
				return nil, fmt.Errorf("read deletion vector %s: %w", first.d.ID(), err)
			}
			for i, p := range ps[:n] {
				from := p.offset - start
				if i == 0 {
					from = 0
				}
				if out[p.index], err = p.unpack(b[min(from, int64(len(b))):]); err != nil {
					return nil, err
				}
			}
			ps = ps[n:]
		}
	}
	return out, nil
}

// span says how many of the sorted vectors one request serves, and where it ends.
func span(ps []placed) (n int, end int64) {
	start, used := ps[0].offset, int64(0)
	for i, p := range ps {
		stop := max(end, p.offset+p.length())
		used += p.length()
		if i > 0 && (stop-start > maxSpan || stop-start > 2*used+64<<10) {
			return i, end
		}
		end = stop
		n = i + 1
	}
	return n, end
}

// placed is a descriptor whose file is known.
type placed struct {
	d      *action.DeletionVector
	reader Reader
	key    string
	where  string // for errors and grouping
	inline []byte
	offset int64
	index  int
}

func (s Source) place(ctx context.Context, d *action.DeletionVector) (placed, error) {
	p := placed{d: d, reader: s.Bucket}
	loc, err := Locate(d, s.Root)
	if outside, ok := err.(*OutsideError); ok && s.Open != nil {
		p.where = loc.URL
		if p.reader, p.key, err = s.Open(ctx, loc.URL); err != nil {
			return p, fmt.Errorf("open deletion vector %q: %w", outside.Path, err)
		}
	} else if err != nil {
		return p, err
	} else if loc.Inline != nil {
		p.reader, p.inline = nil, loc.Inline
		return p, nil
	} else {
		p.key, p.where = loc.Key, loc.Key
	}
	if d.SizeInBytes < 0 {
		return p, p.corrupt(fmt.Errorf("size %d", d.SizeInBytes))
	}
	if d.Offset != nil {
		p.offset = int64(*d.Offset)
	}
	if p.offset < 0 || p.offset > math.MaxInt32 {
		return p, p.corrupt(fmt.Errorf("offset %d", p.offset))
	}
	p.offset = max(p.offset, 1) // the version byte stands at 0; an absent offset means the first vector
	return p, nil
}

func (p placed) length() int64 { return int64(p.d.SizeInBytes) + frame }

// head is 1 when the version byte comes for free, in front of the first vector.
func (p placed) head() int64 {
	if p.offset == 1 {
		return 1
	}
	return 0
}

func (p placed) unpack(b []byte) (*roaring64.Bitmap, error) {
	if p.head() == 1 {
		if len(b) == 0 {
			return nil, p.corrupt(fmt.Errorf("the file is empty"))
		}
		if b[0] != fileVersion {
			return nil, p.corrupt(fmt.Errorf("file version %d, want %d", b[0], fileVersion))
		}
		b = b[1:]
	}
	data, err := unframe(b, int(p.d.SizeInBytes))
	if err != nil {
		return nil, p.corrupt(err)
	}
	return p.decode(data)
}

func (p placed) decode(data []byte) (*roaring64.Bitmap, error) {
	rows, err := Decode(data)
	if err != nil {
		return nil, p.corrupt(err)
	}
	if n := rows.GetCardinality(); int64(n) != p.d.Cardinality {
		return nil, p.corrupt(fmt.Errorf("%d rows, the descriptor says %d", n, p.d.Cardinality))
	}
	return rows, nil
}

func (p placed) corrupt(cause error) error {
	return &CorruptError{ID: p.d.ID(), Where: p.where, Cause: cause}
}
