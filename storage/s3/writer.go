package s3

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"sync"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/s3"
	"github.com/aws/aws-sdk-go-v2/service/s3/types"

	"github.com/sluicelake/sluice/storage"
)

// Create streams an object: by one put when it fits into a part, else by a
// multipart upload, whose parts belong to no object until it is completed.
func (s *Store) Create(ctx context.Context, key string) (storage.Writer, error) {
	if err := ctx.Err(); err != nil {
		return nil, err
	}
	return &writer{ctx: ctx, s: s, key: key, tickets: make(chan struct{}, s.set.parallel)}, nil
}

// writer holds at most parallel+1 parts in memory.
type writer struct {
	ctx     context.Context
	s       *Store
	key     string
	buf     []byte
	ended   bool
	size    int64
	upload  *string
	parts   []types.CompletedPart
	tickets chan struct{}
	group   sync.WaitGroup

	mu  sync.Mutex
	err error // of a part
}

var errEnded = errors.New("the writer has ended")

// Write takes bytes and sends parts as they fill up.
func (w *writer) Write(p []byte) (n int, err error) {
	if w.ended {
		return 0, errEnded
	}
	for len(p) > 0 {
		if err := w.failed(); err != nil {
			return n, err
		}
		size := w.partSize()
		if w.buf == nil {
			w.buf = make([]byte, 0, min(size, max(1<<16, len(p))))
		}
		take := min(len(p), size-len(w.buf))
		w.buf = append(w.buf, p[:take]...)
		p, n = p[take:], n+take
		if len(w.buf) == size {
			if err := w.send(); err != nil {
				return n, err
			}
		}
	}
	return n, nil
}

// partSize grows late, so that the most parts that S3 takes hold more than half a terabyte.
func (w *writer) partSize() int {
	if len(w.parts) >= mostParts/10 {
		return min(8*w.s.set.partSize, largestPart)
	}
	return w.s.set.partSize
}

// send hands the buffer to a goroutine as the next part.
func (w *writer) send() error {
	if w.upload == nil {
		if err := w.begin(); err != nil {
			return err
		}
	}
	if len(w.parts) == mostParts {
		return fmt.Errorf("the object needs more than %d parts: give a larger part-size", mostParts)
	}
	data, number := w.buf, int32(len(w.parts)+1)
	w.buf, w.size = nil, w.size+int64(len(data))
	w.mu.Lock()
	w.parts = append(w.parts, types.CompletedPart{PartNumber: &number})
	w.mu.Unlock()
	select {
	case w.tickets <- struct{}{}:
	case <-w.ctx.Done():
		return w.ctx.Err()
	}
	w.group.Go(func() {
		defer func() { <-w.tickets }()
		err := w.s.repeat(w.ctx, func(ctx context.Context, c *connection) error {
			r, err := c.api.UploadPart(ctx, &s3.UploadPartInput{Bucket: w.s.bucket(), Key: w.s.path(w.key), UploadId: w.upload, PartNumber: &number, Body: bytes.NewReader(data)})
			if err == nil {
				w.mu.Lock()
				w.parts[number-1].ETag = r.ETag
				w.mu.Unlock()
			}
			return err
		})
		if err != nil {
			w.mu.Lock()
			w.err = errors.Join(w.err, fmt.Errorf("part %d: %w", number, err))
			w.mu.Unlock()
		}
	})
	return nil
}

func (w *writer) begin() error {
	in := &s3.CreateMultipartUploadInput{Bucket: w.s.bucket(), Key: w.s.path(w.key), ServerSideEncryption: types.ServerSideEncryption(w.s.set.sse)}
	if w.s.set.key != "" {
		in.SSEKMSKeyId = &w.s.set.key
	}
	return w.s.repeat(w.ctx, func(ctx context.Context, c *connection) error {
		r, err := c.api.CreateMultipartUpload(ctx, in)
		if err == nil {
			w.upload = r.UploadId
		}
		return err
	})
}

func (w *writer) failed() error {
	w.mu.Lock()
	defer w.mu.Unlock()
	return w.err
}

// Commit makes the object appear.
func (w *writer) Commit() error {
	if w.ended {
		return errEnded
	}
	if err := w.ctx.Err(); err != nil {
		return err
	}
	if w.upload == nil {
		err := w.s.Put(w.ctx, w.key, w.buf)
		w.ended = err == nil
		return err
	}
	if len(w.buf) > 0 {
		if err := w.send(); err != nil {
			return err
		}
	}
	w.group.Wait()
	if err := w.failed(); err != nil {
		return err
	}
	err := w.s.repeat(w.ctx, func(ctx context.Context, c *connection) error {
		_, err := c.api.CompleteMultipartUpload(ctx, &s3.CompleteMultipartUploadInput{Bucket: w.s.bucket(), Key: w.s.path(w.key), UploadId: w.upload,
			MultipartUpload: &types.CompletedMultipartUpload{Parts: w.parts}})
		return err
	})
	if errors.Is(err, storage.ErrNotExist) {
		// The upload is gone: an earlier request, whose answer was lost, completed it.
		if obj, gone := w.s.Stat(w.ctx, w.key); gone == nil && obj.Size == w.size {
			err = nil
		}
	}
	w.ended = err == nil
	return err
}

// dropTime bounds the request that frees the parts of an upload that was given up.
const dropTime = 20 * time.Second

// Abort frees what was uploaded. Parts that it cannot free stay until a rule of
// the bucket removes them (AbortIncompleteMultipartUpload).
func (w *writer) Abort() error {
	if w.ended {
		return nil
	}
	w.ended, w.buf = true, nil
	w.group.Wait()
	if w.upload == nil {
		return nil
	}
	ctx, cancel := context.WithTimeout(context.WithoutCancel(w.ctx), dropTime)
	defer cancel()
	err := w.s.repeat(ctx, func(ctx context.Context, c *connection) error {
		_, err := c.api.AbortMultipartUpload(ctx, &s3.AbortMultipartUploadInput{Bucket: w.s.bucket(), Key: aws.String(*w.s.path(w.key)), UploadId: w.upload})
		return err
	})
	if errors.Is(err, storage.ErrNotExist) {
		return nil
	}
	return err
}
