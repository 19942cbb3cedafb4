package azure

import (
	"context"
	"errors"
	"net/http"
	"sync/atomic"

	"github.com/Azure/azure-sdk-for-go/sdk/azcore"
	"github.com/Azure/azure-sdk-for-go/sdk/storage/azblob/container"

	"github.com/sluicelake/sluice/storage"
	"github.com/sluicelake/sluice/storage/remote"
)

// Blobs is a Store on the blob endpoint, where one request deletes many blobs ("Blob
// Batch" in the REST reference of Azure Storage).
type Blobs struct {
	*Store
	single atomic.Bool // the service refuses batches
}

var _ storage.ManyDeleter = (*Blobs)(nil)

// MaxDeletes is the service's limit.
func (s *Blobs) MaxDeletes() int {
	if s.single.Load() {
		return 1
	}
	return 256
}

// DeleteMany deletes blobs by one request. Those whose deletion fails for the moment
// are sent again, and a service that knows no batches gets them one by one.
func (s *Blobs) DeleteMany(ctx context.Context, keys []string) (removed int, err error) {
	left := make([]string, len(keys)) // paths that are not known to be gone
	for i, key := range keys {
		if left[i], err = s.path(key); err != nil {
			return 0, err
		}
	}
	if len(keys) > 1 && !s.single.Load() {
		err = s.repeat(ctx, func(ctx context.Context, c *connection) error {
			b, ok := c.door.(*blobs)
			if !ok {
				return storage.ErrUnsupported
			}
			var failed error
			left, failed = b.removeMany(ctx, left)
			return failed
		})
		if err == nil || ctx.Err() != nil || errors.Is(err, errInBatch) || remote.Transient(err) {
			return len(keys) - len(left), err
		}
		// The request as a whole was turned away, which says nothing about the blobs.
		if !errors.Is(err, storage.ErrPermission) {
			s.single.Store(true)
		}
	}
	for i, path := range left {
		if err := s.Delete(ctx, path[len(s.root):]); err != nil {
			return len(keys) - len(left) + i, err
		}
	}
	return len(keys), nil
}

// errInBatch marks the answer about one blob of a batch.
var errInBatch = errors.New("in a batch")

type batchError struct{ error }

func (e *batchError) Unwrap() []error { return []error{errInBatch, e.error} }

// removeMany sends one batch. left are the paths that are not known to be gone.
func (b *blobs) removeMany(ctx context.Context, paths []string) (left []string, err error) {
	batch, err := b.c.NewBatchBuilder()
	if err != nil {
		return paths, remote.NotSent(err)
	}
	for _, p := range paths {
		if err := batch.Delete(p, nil); err != nil {
			return paths, remote.NotSent(err)
		}
	}
	r, err := submit(ctx, b.c, batch)
	if err != nil {
		return paths, err
	}
	gone := make([]bool, len(paths))
	for _, part := range r.Responses {
		if part == nil {
			continue
		}
		var answer *azcore.ResponseError
		failed := errors.As(part.Error, &answer) && answer.StatusCode != http.StatusNotFound || part.Error != nil && answer == nil
		switch {
		case part.ContentID == nil || *part.ContentID < 0 || *part.ContentID >= len(paths):
			if part.Error != nil {
				err = part.Error
			}
		case !failed:
			gone[*part.ContentID] = true
		case err == nil || !remote.Transient(b.conn.hide.clean(part.Error)):
			err = part.Error // one that stays is told before one that passes
		}
	}
	for i, p := range paths {
		if !gone[i] {
			left = append(left, p)
		}
	}
	if err != nil {
		return left, &batchError{b.conn.hide.clean(err)}
	}
	if len(left) > 0 {
		return left, remote.ErrShort
	}
	return nil, nil
}

// submit sends a batch. The SDK takes the numbers in an answer as they come, and
// panics where they are not those of the request.
func submit(ctx context.Context, c *container.Client, batch *container.BatchBuilder) (r container.SubmitBatchResponse, err error) {
	defer func() {
		if recover() != nil {
			err = errors.New("the answer to a batch is not one about its requests")
		}
	}()
	return c.SubmitBatch(ctx, batch, nil)
}
