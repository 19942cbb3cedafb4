package dv

import (
	"bytes"
	"encoding/binary"
	"fmt"
	"hash/crc32"
	"io"

	"github.com/RoaringBitmap/roaring/v2/roaring64"
)

// Entry is a vector that was found in a file by its frame, without a descriptor.
type Entry struct {
	Offset      int64       `json:"offset"`      // what a descriptor says: where its length stands
	Size        int64       `json:"sizeInBytes"` // of the vector, without its frame
	Format      string      `json:"format"`
	ChecksumOK  bool        `json:"checksumOk"`
	Cardinality int64       `json:"cardinality"`
	First       int64       `json:"first"` // -1 when there is none
	Last        int64       `json:"last"`
	Ranges      [][2]uint64 `json:"ranges,omitempty"` // first and last position of runs
	More        bool        `json:"more,omitempty"`   // there are more ranges
	Problem     string      `json:"problem,omitempty"`
}

// magicNative starts the older serialised form, which no descriptor may use in
// a Delta table (PROTOCOL.md, Deletion Vector Format).
const magicNative = 1681511376

// maxSurvey is the longest vector that is decoded without a descriptor.
const maxSurvey = 256 << 20

// Survey finds the vectors of a file one behind the other, and lists of each at
// most ranges runs of positions. Bytes that are no vector are told by lost,
// and reading goes on at the next frame whose checksum is right.
func Survey(r io.ReaderAt, size int64, ranges int, found func(Entry) bool, lost func(from, to int64, why string)) error {
	head := make([]byte, min(size, 1))
	if err := readAll(r, head, 0); err != nil {
		return err
	}
	if size == 0 {
		lost(0, 0, "the file is empty")
		return nil
	}
	if head[0] != fileVersion {
		lost(0, 1, fmt.Sprintf("file version %d, want %d", head[0], fileVersion))
	}
	for at := int64(1); at < size; {
		e, next, err := entryAt(r, size, at, ranges)
		if err != nil {
			return err
		}
		if next < 0 {
			if next, err = resync(r, size, at+1); err != nil {
				return err
			}
			lost(at, next, e.Problem)
			at = next
			continue
		}
		if !found(e) {
			return nil
		}
		at = next
	}
	return nil
}

// EntryAt reads the vector at an offset as a descriptor with that offset and
// size does, and lists its positions.
func EntryAt(r io.ReaderAt, fileSize, offset, size int64, ranges int) (Entry, error) {
	e, next, err := entryAt(r, fileSize, offset, ranges)
	switch {
	case err != nil:
	case next < 0:
		err = fmt.Errorf("there is no vector at offset %d: %s", offset, e.Problem)
	case e.Size != size:
		err = fmt.Errorf("the vector at offset %d has %d bytes by the file, %d were asked for", offset, e.Size, size)
	}
	return e, err
}

// entryAt reads the frame at an offset; next is -1 when there is none.
func entryAt(r io.ReaderAt, size, at int64, ranges int) (e Entry, next int64, err error) {
	e = Entry{Offset: at, First: -1, Last: -1}
	none := func(format string, args ...any) (Entry, int64, error) {
		e.Problem = fmt.Sprintf(format, args...)
		return e, -1, nil
	}
	if at < 0 || at > size-frame-4 {
		return none("%d bytes are too few for a vector", max(size-at, 0))
	}
	head := make([]byte, 8)
	if err := readAll(r, head, at); err != nil {
		return e, -1, err
	}
	e.Size = int64(binary.BigEndian.Uint32(head))
	if e.Size > size-at-frame {
		return none("it claims %d bytes, the file has %d more", e.Size, size-at-frame)
	}
	switch magic := binary.LittleEndian.Uint32(head[4:]); magic {
	case Magic:
		e.Format = "roaring64 portable"
	case magicNative:
		e.Format = "roaring64 native"
	default:
		return none("magic number %d, want %d", magic, Magic)
	}
	next = at + e.Size + frame
	if e.Size > maxSurvey {
		e.Problem = fmt.Sprintf("longer than the %d bytes that are decoded here", maxSurvey)
		return e, next, nil
	}
	body := make([]byte, e.Size+4)
	if err := readAll(r, body, at+4); err != nil {
		return e, -1, err
	}
	want, got := binary.BigEndian.Uint32(body[e.Size:]), crc32.ChecksumIEEE(body[:e.Size])
	if e.ChecksumOK = want == got; !e.ChecksumOK {
		e.Problem = fmt.Sprintf("checksum %08x, want %08x", got, want)
	}
	rows, err := Decode(body[:e.Size])
	if err != nil {
		if e.Problem == "" {
			e.Problem = err.Error()
		}
		return e, next, nil
	}
	e.describe(rows, ranges)
	return e, next, nil
}

func (e *Entry) describe(rows *roaring64.Bitmap, ranges int) {
	e.Cardinality = int64(rows.GetCardinality())
	if rows.IsEmpty() {
		return
	}
	e.First, e.Last = int64(rows.Minimum()), int64(rows.Maximum())
	it := rows.Iterator()
	for it.HasNext() {
		if len(e.Ranges) == ranges {
			e.More = true
			return
		}
		first := it.Next()
		last := first
		for range 1000 {
			if !it.HasNext() || it.PeekNext() != last+1 {
				break
			}
			last = it.Next()
		}
		if it.HasNext() && it.PeekNext() == last+1 { // a long run is not counted out
			last = runEnd(rows, last)
			it.AdvanceIfNeeded(last + 1)
		}
		e.Ranges = append(e.Ranges, [2]uint64{first, last})
	}
}

// runEnd is the last position of the run that from belongs to: between it and
// from there are as many members as numbers.
func runEnd(rows *roaring64.Bitmap, from uint64) uint64 {
	base := rows.Rank(from)
	lo, hi := from, rows.Maximum()
	for lo < hi {
		mid := lo + (hi-lo+1)/2
		if rows.Rank(mid)-base == mid-from {
			lo = mid
		} else {
			hi = mid - 1
		}
	}
	return lo
}

// resync finds the next frame whose checksum is right, or the end of the file.
// It checks a few times the bytes of the file, however many frames these seem
// to begin.
func resync(r io.ReaderAt, size, from int64) (int64, error) {
	left := 4*size + 64<<20
	var mark [4]byte
	binary.LittleEndian.PutUint32(mark[:], Magic)
	const window = 1 << 20
	for at := from; at < size; {
		buf := make([]byte, min(window, size-at))
		if err := readAll(r, buf, at); err != nil {
			return 0, err
		}
		for i := 0; ; {
			k := bytes.Index(buf[i:], mark[:])
			if k < 0 {
				break
			}
			i += k + 1
			start := at + int64(i) - 1 - 4
			if start < from {
				continue
			}
			e, next, err := entryAt(r, size, start, 0)
			if err != nil {
				return 0, err
			}
			if next >= 0 && e.ChecksumOK {
				return start, nil
			}
			if left -= e.Size; next >= 0 && left < 0 {
				return size, nil
			}
		}
		if int64(len(buf)) == size-at {
			break
		}
		at += int64(len(buf)) - int64(len(mark)) + 1
	}
	return size, nil
}

func readAll(r io.ReaderAt, b []byte, at int64) error {
	if n, err := r.ReadAt(b, at); n < len(b) {
		if err == nil || err == io.EOF {
			err = fmt.Errorf("the file ends after %d bytes: %w", at+int64(n), io.ErrUnexpectedEOF)
		}
		return err
	}
	return nil
}
