package parquetio

import (
	"encoding/binary"
	"errors"
	"fmt"

	"github.com/apache/arrow-go/v18/parquet/compress"
	"github.com/klauspost/compress/s2"
	"github.com/klauspost/compress/zstd"
)

// arrow-go knows from a page's header how many bytes come out of it and makes
// room for them, within the limits that it was given. The codecs here keep to
// that room whatever the compressed bytes say, so that a small file cannot ask
// for much memory.

var errPageSize = errors.New("a page yields more bytes than its header says")

// most bytes of a page that need no proof, and how many times its compressed
// size a larger one may have: more than Deflate can reach, less than a file that
// is made to fill memory needs.
const (
	trustedPage = 16 << 20
	mostGrowth  = 2000
)

// plausible refuses large pages out of next to nothing.
func plausible(dst, src []byte) error {
	if len(dst) > trustedPage && len(dst)/mostGrowth > len(src) {
		return fmt.Errorf("a page of %d bytes claims to hold %d: it is damaged, or made to fill memory", len(src), len(dst))
	}
	return nil
}

// bounded is any codec that fills dst and no more.
type bounded struct {
	compress.Codec
	compress.StreamingCodec
}

// Decode implements compress.Codec.
func (c bounded) Decode(dst, src []byte) []byte { return c.Codec.Decode(dst, src) }

// DecodeWithError implements compress.ErrorCodec.
func (c bounded) DecodeWithError(dst, src []byte) ([]byte, error) {
	if len(dst) == 0 && len(src) == 0 { // the values of a page that holds NULL only
		return dst, nil
	}
	if err := plausible(dst, src); err != nil {
		return nil, err
	}
	return compress.Decode(c.Codec, dst, src)
}

// boundedZstd never grows its room, which arrow-go's decoder does.
type boundedZstd struct {
	bounded
	dec *zstd.Decoder
}

// DecodeWithError implements compress.ErrorCodec.
func (c boundedZstd) DecodeWithError(dst, src []byte) ([]byte, error) {
	if len(dst) == 0 {
		return c.bounded.DecodeWithError(dst, src)
	}
	if err := plausible(dst, src); err != nil {
		return nil, err
	}
	return c.dec.DecodeAll(src, dst[:0:len(dst)])
}

// hadoopLZ4 is the codec that Parquet calls LZ4 and nobody should write any more:
// raw LZ4 blocks, in the frames of Hadoop (the sizes of what comes out and of
// what goes in, big endian, before each block) as the Java library wrote it, or
// bare as others understood it (Compression.md of the Parquet format).
type hadoopLZ4 struct{ raw compress.Codec }

// Encode is not offered: files are written as LZ4_RAW.
func (hadoopLZ4) Encode(_, _ []byte) []byte               { panic("parquetio: the codec LZ4 is read only") }
func (c hadoopLZ4) EncodeLevel(d, s []byte, _ int) []byte { return c.Encode(d, s) }

// CompressBound implements compress.Codec.
func (c hadoopLZ4) CompressBound(n int64) int64 { return c.raw.CompressBound(n) }

// Decode implements compress.Codec.
func (c hadoopLZ4) Decode(dst, src []byte) []byte {
	out, err := c.DecodeWithError(dst, src)
	if err != nil {
		panic(err)
	}
	return out
}

// DecodeWithError implements compress.ErrorCodec.
func (c hadoopLZ4) DecodeWithError(dst, src []byte) ([]byte, error) {
	if len(dst) == 0 && len(src) == 0 {
		return dst, nil
	}
	if err := plausible(dst, src); err != nil {
		return nil, err
	}
	if c.frames(dst, src) {
		return dst, nil
	}
	return compress.Decode(c.raw, dst, src)
}

// frames decodes Hadoop's frames; false when src is something else.
func (c hadoopLZ4) frames(dst, src []byte) bool {
	for len(src) >= 8 {
		out, in := int64(binary.BigEndian.Uint32(src)), int64(binary.BigEndian.Uint32(src[4:]))
		src = src[8:]
		if in > int64(len(src)) || out > int64(len(dst)) {
			return false
		}
		got, err := compress.Decode(c.raw, dst[:out:out], src[:in])
		if err != nil || int64(len(got)) != out {
			return false
		}
		dst, src = dst[out:], src[in:]
	}
	return len(dst) == 0 && len(src) == 0
}

// fastSnappy has the faster of the two Snappy encoders of the library that
// arrow-go uses: a column that does not compress well is written in half the
// time, into files that are a seventh larger.
type fastSnappy struct{ bounded }

// Encode implements compress.Codec.
func (fastSnappy) Encode(dst, src []byte) []byte { return s2.EncodeSnappy(dst[:cap(dst)], src) }

// EncodeLevel implements compress.Codec; Snappy has no levels.
func (f fastSnappy) EncodeLevel(dst, src []byte, _ int) []byte { return f.Encode(dst, src) }

// DecodeWithError implements compress.ErrorCodec. The size that Snappy's own
// header claims is checked before anything is made for it.
func (f fastSnappy) DecodeWithError(dst, src []byte) ([]byte, error) {
	if len(dst) > 0 {
		if n, err := s2.DecodedLen(src); err != nil || n > len(dst) {
			return nil, errors.Join(errPageSize, err)
		}
	}
	return f.bounded.DecodeWithError(dst, src)
}

func init() { // the one moment at which the registry may be changed
	get := func(c compress.Compression) bounded {
		codec, err := compress.GetCodec(c)
		stream, ok := codec.(compress.StreamingCodec)
		if err != nil || !ok {
			panic(fmt.Sprintf("parquetio: the codec %s of arrow-go is not what it was", c))
		}
		return bounded{codec, stream}
	}
	compress.RegisterCodec(compress.Codecs.Snappy, fastSnappy{get(compress.Codecs.Snappy)})
	compress.RegisterCodec(compress.Codecs.Gzip, get(compress.Codecs.Gzip))
	compress.RegisterCodec(compress.Codecs.Brotli, get(compress.Codecs.Brotli))
	if dec, err := zstd.NewReader(nil, zstd.WithDecoderConcurrency(0), zstd.WithDecodeAllCapLimit(true)); err == nil {
		compress.RegisterCodec(compress.Codecs.Zstd, boundedZstd{get(compress.Codecs.Zstd), dec})
	}
	if raw, err := compress.GetCodec(compress.Codecs.Lz4Raw); err == nil {
		compress.RegisterCodec(compress.Codecs.Lz4, hadoopLZ4{raw})
	}
}
