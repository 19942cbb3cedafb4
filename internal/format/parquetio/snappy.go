package parquetio

import (
	"github.com/apache/arrow-go/v18/parquet/compress"
	"github.com/klauspost/compress/s2"
)

// fastSnappy is arrow-go's codec with the faster of the two Snappy encoders of
// the library that it uses: a column that does not compress well is written in
// half the time, into files that are a seventh larger.
type fastSnappy struct {
	compress.Codec
	compress.StreamingCodec
}

func init() { // the one moment at which the registry may be changed
	c, err := compress.GetCodec(compress.Codecs.Snappy)
	if s, ok := c.(compress.StreamingCodec); ok && err == nil {
		compress.RegisterCodec(compress.Codecs.Snappy, fastSnappy{c, s})
	}
}

// Encode implements compress.Codec.
func (fastSnappy) Encode(dst, src []byte) []byte { return s2.EncodeSnappy(dst[:cap(dst)], src) }

// EncodeLevel implements compress.Codec; Snappy has no levels.
func (f fastSnappy) EncodeLevel(dst, src []byte, _ int) []byte { return f.Encode(dst, src) }

// DecodeWithError implements compress.ErrorCodec.
func (f fastSnappy) DecodeWithError(dst, src []byte) ([]byte, error) {
	return compress.Decode(f.Codec, dst, src)
}
