package remote

import (
	"bytes"
	"errors"
	"fmt"
	"io"
)

// ReadBody reads and closes a reply's body; want is its declared length, negative
// when it has none. A body of another length is ErrShort.
func ReadBody(body io.ReadCloser, want int64) ([]byte, error) {
	defer body.Close()
	if want < 0 {
		return io.ReadAll(body)
	}
	var data bytes.Buffer
	data.Grow(int(min(want, 64<<20)) + bytes.MinRead) // the length is the store's word, not yet its bytes
	n, err := io.Copy(&data, body)
	if errors.Is(err, io.ErrUnexpectedEOF) || (err == nil && n != want) {
		return nil, fmt.Errorf("%w: %d of %d bytes came", ErrShort, n, want)
	}
	return data.Bytes(), err
}
