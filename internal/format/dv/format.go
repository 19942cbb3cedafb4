package dv

import (
	"bytes"
	"encoding/binary"
	"errors"
	"fmt"
	"hash/crc32"
	"io"

	"github.com/RoaringBitmap/roaring/v2/roaring64"
)

// Magic starts the serialized form of a vector (little endian); it names the
// portable 64-bit Roaring format.
const Magic = 1681511377

// nativeMagic names the format that delta-spark can read and write besides: the
// bitmaps of all upper halves from 0 on, each behind its size.
const nativeMagic = 1681511376

// fileVersion is the first byte of a vector file.
const fileVersion = 1

// frame is what surrounds a vector in a file: 4 bytes of length before it and a
// CRC-32 after it, both big endian.
const frame = 8

// Encode serialises a bitmap; runs are compressed first.
func Encode(rows *roaring64.Bitmap) ([]byte, error) {
	rows.RunOptimize()
	var buf bytes.Buffer
	buf.Grow(4 + int(rows.GetSerializedSizeInBytes()))
	binary.Write(&buf, binary.LittleEndian, uint32(Magic)) // a buffer never fails
	if _, err := rows.WriteTo(&buf); err != nil {
		return nil, fmt.Errorf("deletion vector: %w", err)
	}
	return buf.Bytes(), nil
}

// Decode reads a serialised vector and refuses anything that is not exactly one
// coherent bitmap of non-negative positions.
func Decode(data []byte) (rows *roaring64.Bitmap, err error) {
	if len(data) < 12 {
		return nil, fmt.Errorf("%d bytes are too few for a vector", len(data))
	}
	switch m := binary.LittleEndian.Uint32(data); m {
	case Magic:
	case nativeMagic:
		if data, err = portable(data[4:]); err != nil {
			return nil, err
		}
	default:
		return nil, fmt.Errorf("magic number %d, want %d", m, Magic)
	}
	defer func() { // the bitmap library trusts its container headers
		if r := recover(); r != nil {
			rows, err = nil, fmt.Errorf("malformed bitmap: %v", r)
		}
	}()
	if buckets := binary.LittleEndian.Uint64(data[4:]); buckets > uint64(len(data))/8 {
		return nil, fmt.Errorf("%d buckets do not fit in %d bytes", buckets, len(data))
	}
	in := bytes.NewReader(data[4:])
	rows = roaring64.New()
	if _, err := rows.ReadPortableFrom(in); err != nil {
		if errors.Is(err, io.EOF) {
			err = io.ErrUnexpectedEOF
		}
		return nil, err
	}
	if in.Len() > 0 {
		return nil, fmt.Errorf("%d bytes follow the bitmap", in.Len())
	}
	if err := rows.Validate(); err != nil && !rows.IsEmpty() {
		return nil, err
	}
	if !rows.IsEmpty() && rows.Maximum()>>63 != 0 {
		return nil, fmt.Errorf("row %d is negative", int64(rows.Maximum()))
	}
	return rows, nil
}

// portable spells the native format, less its magic number, in the portable one.
func portable(data []byte) ([]byte, error) {
	count := binary.LittleEndian.Uint32(data)
	rest := data[4:]
	out := binary.LittleEndian.AppendUint32(make([]byte, 0, len(data)+8), Magic)
	out = binary.LittleEndian.AppendUint64(out, uint64(count))
	for key := range count {
		if len(rest) < 4 {
			return nil, fmt.Errorf("%d buckets do not fit in %d bytes", count, len(data))
		}
		size := binary.LittleEndian.Uint32(rest)
		if rest = rest[4:]; uint64(size) > uint64(len(rest)) {
			return nil, fmt.Errorf("bucket %d of %d bytes does not fit in %d", key, size, len(rest))
		}
		out = append(binary.LittleEndian.AppendUint32(out, key), rest[:size]...)
		rest = rest[size:]
	}
	return append(out, rest...), nil
}

// appendFrame appends a vector as it stands in a file.
func appendFrame(file, data []byte) []byte {
	file = binary.BigEndian.AppendUint32(file, uint32(len(data)))
	file = append(file, data...)
	return binary.BigEndian.AppendUint32(file, crc32.ChecksumIEEE(data))
}

// unframe takes the vector of the given size out of the bytes at its offset.
func unframe(b []byte, size int) ([]byte, error) {
	if len(b) < size+frame {
		return nil, fmt.Errorf("the file ends after %d of %d bytes", len(b), size+frame)
	}
	if n := binary.BigEndian.Uint32(b); int64(n) != int64(size) {
		return nil, fmt.Errorf("the file says %d bytes, the descriptor %d", n, size)
	}
	data := b[4 : 4+size]
	if want, got := binary.BigEndian.Uint32(b[4+size:]), crc32.ChecksumIEEE(data); want != got {
		return nil, fmt.Errorf("checksum %08x, want %08x", got, want)
	}
	return data, nil
}
