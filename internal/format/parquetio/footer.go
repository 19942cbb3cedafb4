package parquetio

import (
	"errors"
	"fmt"
	"io"

	"github.com/apache/arrow-go/v18/parquet/metadata"
)

// Footer reads the footer of a file whose bytes nobody vouches for: it is
// walked before memory is allocated for what it claims.
func Footer(r io.ReaderAt, size int64) (md *metadata.FileMetaData, err error) {
	defer func() {
		if p := recover(); p != nil {
			err = fmt.Errorf("damaged footer: %v", p)
		}
	}()
	tail := make([]byte, min(size, footerTail))
	if err := readFull(r, tail, size-int64(len(tail))); err != nil {
		return nil, err
	}
	n, err := footerLength(tail, size)
	if err != nil {
		return nil, err
	}
	if n > maxFooter {
		return nil, fmt.Errorf("its footer claims %d bytes, at most %d are read", n, int64(maxFooter))
	}
	footer := make([]byte, n)
	if err := readFull(r, footer, size-footerTail-n); err != nil {
		return nil, err
	}
	if md, err = parseFooter(footer); err != nil {
		return nil, err
	}
	if md.IsSetEncryptionAlgorithm() {
		return nil, errors.New("it is encrypted, which sluice does not read")
	}
	md.SetSourceFileSize(size)
	return md, nil
}

// parseFooter walks a footer before memory is allocated for what it claims.
func parseFooter(footer []byte) (*metadata.FileMetaData, error) {
	w, err := walkThrift(footer)
	if err != nil {
		return nil, fmt.Errorf("footer: %w", err)
	}
	if err := w.checkSchema(); err != nil {
		return nil, err
	}
	md, err := metadata.NewFileMetaData(footer, nil)
	if err != nil {
		return nil, fmt.Errorf("footer: %w", err)
	}
	return md, nil
}
