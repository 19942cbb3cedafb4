package parquetio

import (
	"encoding/binary"
	"errors"
	"fmt"

	"github.com/apache/arrow-go/v18/parquet/compress"
	"github.com/klauspost/compress/s2"
)

// nextPage opens the next data page. A page that ends at or before the row
// skipTo is passed over. It reports false at the end of the chunk.
func (c *columnReader) nextPage(skipTo int64) (bool, error) {
	for {
		for len(c.spans) > 0 && len(c.spans[0].data) == 0 {
			c.spans = c.spans[1:]
			if len(c.spans) > 0 && c.spans[0].firstRow > c.row {
				c.row = c.spans[0].firstRow
			}
		}
		if len(c.spans) == 0 {
			return false, nil
		}
		data := c.spans[0].data
		h, size, err := parsePageHeader(data)
		if err != nil {
			return false, err
		}
		if int(h.size) > len(data)-size {
			return false, errors.New("a page is longer than its column")
		}
		body := data[size : size+int(h.size)]
		c.spans[0].data = data[size+int(h.size):]
		switch h.kind {
		case pageDictionary:
			raw, err := c.decompress(nil, body, int(h.raw))
			if err != nil {
				return false, err
			}
			if c.dict, err = readDictionary(c.leaf, raw, int(h.values)); err != nil {
				return false, err
			}
			continue
		case pageData, 3:
		default: // index pages and what is to come
			continue
		}
		if h.values == 0 {
			continue
		}
		rows := int64(h.rows)
		if c.leaf.rep == 0 {
			rows = int64(h.values)
		}
		if rows >= 0 && c.row+rows <= skipTo {
			c.row += rows
			if c.row == skipTo {
				return true, nil
			}
			continue
		}
		return true, c.openPage(h, body)
	}
}

func (c *columnReader) openPage(h pageHeader, body []byte) error {
	if int64(h.values) > max(c.meta.values, 0) || h.values > maxPageValues {
		return errors.New("a page claims more values than its column has")
	}
	var rep, def, vals []byte
	if h.kind == pageData {
		raw, err := c.decompress(c.page, body, int(h.raw))
		if err != nil {
			return err
		}
		c.keepScratch(raw)
		if c.leaf.rep > 0 {
			if rep, raw, err = levelBytes(raw, h.repEncode); err != nil {
				return err
			}
		}
		if c.leaf.def > 0 {
			if def, raw, err = levelBytes(raw, h.defEncoding); err != nil {
				return err
			}
		}
		vals = raw
	} else {
		levels := int(h.repBytes) + int(h.defBytes)
		if levels > len(body) || levels > int(h.raw) {
			return errShortPage
		}
		rep, def, vals = body[:h.repBytes], body[h.repBytes:levels], body[levels:]
		if !h.plain && len(vals) > 0 {
			raw, err := c.decompress(c.page, vals, int(h.raw)-levels)
			if err != nil {
				return err
			}
			c.keepScratch(raw)
			vals = raw
		}
	}
	c.left = int(h.values)
	c.rep, c.def = newRLEReader(rep, levelWidth(c.leaf.rep)), newRLEReader(def, levelWidth(c.leaf.def))
	if c.leaf.rep > 0 {
		var err error
		if c.preps, err = readLevels(c.preps, &c.rep, c.left, c.leaf.rep); err != nil {
			return err
		}
		if c.pdefs, err = readLevels(c.pdefs, &c.def, c.left, c.leaf.def); err != nil {
			return err
		}
		c.at = 0
	}
	return c.vals.open(h.encoding, vals, c.dict, c.left)
}

// keepScratch remembers a decompressed page's memory for the next one.
func (c *columnReader) keepScratch(raw []byte) {
	if c.meta.codec != 0 && cap(raw) > cap(c.page) {
		c.page = raw
	}
}

// levelBytes cuts length-prefixed levels off a V1 page.
func levelBytes(b []byte, encoding int32) (levels, rest []byte, err error) {
	if encoding == encBitPacked {
		return nil, nil, errors.New("levels are in the encoding BIT_PACKED, which no writer has used for years")
	}
	if len(b) < 4 {
		return nil, nil, errShortPage
	}
	n := int(binary.LittleEndian.Uint32(b))
	if n < 0 || n > len(b)-4 {
		return nil, nil, errShortPage
	}
	return b[4 : 4+n], b[4+n:], nil
}

// readLevels decodes n levels, none above most.
func readLevels(dst []uint8, r *rleReader, n int, most uint8) ([]uint8, error) {
	dst = dst[:0]
	var block [1024]uint32
	for n > 0 {
		k := min(n, len(block))
		if r.read(block[:k]) < k {
			return nil, errShortPage
		}
		for _, v := range block[:k] {
			if v > uint32(most) {
				return nil, errors.New("a level is out of range")
			}
			dst = append(dst, uint8(v))
		}
		n -= k
	}
	return dst, nil
}

// decompress returns the raw bytes of a page; dst is reused when it is large enough.
func (c *columnReader) decompress(dst, b []byte, size int) ([]byte, error) {
	const (
		none   = 0
		snappy = 1
	)
	switch c.meta.codec {
	case none:
		return b, nil
	case snappy:
		n, err := s2.DecodedLen(b)
		if err != nil || n != size {
			return nil, errors.New("a page does not decompress to the size it claims")
		}
		if cap(dst) < n {
			dst = make([]byte, n+n/4)
		}
		return s2.Decode(dst[:cap(dst)][:n], b)
	}
	codec, err := compress.GetCodec(compress.Compression(c.meta.codec))
	if err != nil {
		return nil, fmt.Errorf("compression codec %d is not known", c.meta.codec)
	}
	if size > 1<<30 {
		return nil, fmt.Errorf("a page claims %d bytes", size)
	}
	raw := codec.Decode(make([]byte, size), b)
	if len(raw) != size {
		return nil, errors.New("a page does not decompress to the size it claims")
	}
	return raw, nil
}
