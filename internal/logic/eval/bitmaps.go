package eval

import (
	"math/bits"

	"github.com/apache/arrow-go/v18/arrow"
)

// bitmapBits is the size of one of the bitmaps that count distinct numbers.
const bitmapBits = 32768

func init() {
	register(map[string]func(*call) (arrow.Array, error){
		"bitmap_bit_position": func(c *call) (arrow.Array, error) {
			v := c.int(0)
			return c.ints(func(i int) (int64, error) {
				if n := v(i); n <= 0 {
					return -n % bitmapBits, nil
				}
				return (v(i) - 1) % bitmapBits, nil
			})
		},
		"bitmap_bucket_number": func(c *call) (arrow.Array, error) {
			v := c.int(0)
			return c.ints(func(i int) (int64, error) {
				if n := v(i); n <= 0 {
					return n / bitmapBits, nil
				}
				return 1 + (v(i)-1)/bitmapBits, nil
			})
		},
		"bitmap_count": func(c *call) (arrow.Array, error) {
			s := c.str(0)
			return c.ints(func(i int) (int64, error) {
				n := 0
				for _, b := range bytesOf(s(i)) {
					n += bits.OnesCount8(b)
				}
				return int64(n), nil
			})
		},
	})
}
