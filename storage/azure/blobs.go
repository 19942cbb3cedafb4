package azure

import (
	"bytes"
	"context"
	"encoding/base64"
	"fmt"
	"io"
	"strings"

	"github.com/Azure/azure-sdk-for-go/sdk/azcore"
	"github.com/Azure/azure-sdk-for-go/sdk/azcore/policy"
	"github.com/Azure/azure-sdk-for-go/sdk/azcore/streaming"
	"github.com/Azure/azure-sdk-for-go/sdk/azcore/to"
	"github.com/Azure/azure-sdk-for-go/sdk/storage/azblob/blob"
	"github.com/Azure/azure-sdk-for-go/sdk/storage/azblob/blockblob"
	"github.com/Azure/azure-sdk-for-go/sdk/storage/azblob/container"
	"github.com/google/uuid"

	"github.com/sluicelake/sluice/storage"
)

// blobs is the blob endpoint, by the SDK's client with its retries switched off.
type blobs struct {
	s    *Store
	conn *connection
	c    *container.Client
}

func newBlobs(s *Store, conn *connection, a access) (*blobs, error) {
	opts := &container.ClientOptions{ClientOptions: azcore.ClientOptions{Transport: &wire{s.client.HTTP}, Telemetry: telemetry, Retry: policy.RetryOptions{MaxRetries: -1}}}
	url := s.set.base + "/" + s.set.address.container
	b := &blobs{s: s, conn: conn}
	var err error
	switch {
	case a.token != nil:
		b.c, err = container.NewClient(url, a.token, opts)
	case a.key != "":
		var key *container.SharedKeyCredential
		if key, err = container.NewSharedKeyCredential(a.account, a.key); err == nil {
			b.c, err = container.NewClientWithSharedKeyCredential(url, key, opts)
		}
	case a.sas != "":
		b.c, err = container.NewClientWithNoCredential(url+"?"+a.sas, opts)
	default:
		b.c, err = container.NewClientWithNoCredential(url, opts)
	}
	return b, err
}

func (b *blobs) read(ctx context.Context, path string, offset, length int64) ([]byte, storage.Object, error) {
	o := &blob.DownloadStreamOptions{}
	if length != whole {
		o.Range = blob.HTTPRange{Offset: offset, Count: min(length, 1<<62-offset)}
	}
	r, err := b.c.NewBlobClient(path).DownloadStream(ctx, o)
	if err != nil {
		return nil, storage.Object{}, err
	}
	if isFolder(r.Metadata) {
		r.Body.Close()
		return nil, storage.Object{}, storage.ErrNotExist
	}
	size := int64(-1)
	if r.ContentLength != nil {
		size = *r.ContentLength
	}
	data, err := readBody(r.Body, size)
	if err != nil {
		return nil, storage.Object{}, err
	}
	return data, storage.Object{Size: int64(len(data)), ModTime: value(r.LastModified)}, nil
}

func (b *blobs) stat(ctx context.Context, path string) (storage.Object, error) {
	r, err := b.c.NewBlobClient(path).GetProperties(ctx, nil)
	if err != nil {
		return storage.Object{}, err
	}
	if isFolder(r.Metadata) {
		return storage.Object{}, storage.ErrNotExist
	}
	return storage.Object{Size: value(r.ContentLength), ModTime: value(r.LastModified)}, nil
}

func (b *blobs) remove(ctx context.Context, path string) error {
	_, err := b.c.NewBlobClient(path).Delete(ctx, nil)
	return err
}

// isFolder tells the markers that stand for directories, made by Hadoop or by a
// hierarchical namespace.
func isFolder(meta map[string]*string) bool {
	for k, v := range meta {
		if strings.EqualFold(k, "hdi_isfolder") && v != nil && strings.EqualFold(*v, "true") {
			return true
		}
	}
	return false
}

// put is one request. The condition makes it exclusive: the service checks and
// writes in one step ("Specifying conditional headers for Blob service operations").
func (b *blobs) put(ctx context.Context, path string, data []byte, ifAbsent bool) error {
	c := b.c.NewBlockBlobClient(path)
	o := &blockblob.UploadOptions{}
	p := b.s.client.Policy
	if !ifAbsent {
		return p.Repeat(ctx, func(ctx context.Context) error {
			return b.s.once(ctx, b.conn, func(ctx context.Context) error {
				_, err := c.Upload(ctx, body(data), o)
				return err
			})
		})
	}
	o.AccessConditions = &blob.AccessConditions{ModifiedAccessConditions: &blob.ModifiedAccessConditions{IfNoneMatch: to.Ptr(azcore.ETagAny)}}
	return p.Once(ctx, func(ctx context.Context) error {
		return exists(b.s.once(ctx, b.conn, func(ctx context.Context) error {
			_, err := c.Upload(ctx, body(data), o)
			return err
		}))
	})
}

// body is data that the SDK can read again.
func body(data []byte) io.ReadSeekCloser { return streaming.NopCloser(bytes.NewReader(data)) }

func (b *blobs) page(ctx context.Context, l listing, token string) ([]entry, string, error) {
	o := &container.ListBlobsFlatOptions{Include: container.ListBlobsInclude{Metadata: true}, Prefix: &l.prefix}
	if token != "" {
		o.Marker = &token
	}
	if from := l.from(""); from != "" {
		o.StartFrom = &from
	}
	r, err := b.c.NewListBlobsFlatPager(o).NextPage(ctx)
	if err != nil {
		return nil, "", err
	}
	if r.Segment == nil {
		return nil, "", fmt.Errorf("the answer to a listing has no blobs element")
	}
	var out []entry
	for _, i := range r.Segment.BlobItems {
		if i == nil || i.Name == nil || i.Properties == nil || isFolder(i.Metadata) || strings.EqualFold(value(i.Properties.ResourceType), "directory") {
			continue
		}
		out = append(out, entry{path: *i.Name, size: value(i.Properties.ContentLength), mod: value(i.Properties.LastModified)})
	}
	return out, value(r.NextMarker), nil
}

func value[T any](p *T) T {
	if p == nil {
		var zero T
		return zero
	}
	return *p
}

// blockUpload stages blocks, which belong to no object until the list of them is
// put; those that never are vanish after a week.
type blockUpload struct {
	b    *blobs
	path string
	id   uuid.UUID // tells the blocks of two writers of one path apart
}

func (b *blobs) upload(path string) upload { return &blockUpload{b, path, uuid.New()} }

func (u *blockUpload) all(ctx context.Context, data []byte) error {
	return u.b.put(ctx, u.path, data, false)
}

func (u *blockUpload) name(n int) string {
	return base64.StdEncoding.EncodeToString(fmt.Appendf(u.id[:], "%06d", n))
}

func (u *blockUpload) block(ctx context.Context, n int, _ int64, data []byte) error {
	return u.b.s.client.Policy.Repeat(ctx, func(ctx context.Context) error {
		return u.b.s.once(ctx, u.b.conn, func(ctx context.Context) error {
			_, err := u.b.c.NewBlockBlobClient(u.path).StageBlock(ctx, u.name(n), body(data), nil)
			return err
		})
	})
}

func (u *blockUpload) finish(ctx context.Context, blocks int, _ int64) error {
	names := make([]string, blocks)
	for n := range names {
		names[n] = u.name(n)
	}
	return u.b.s.client.Policy.Repeat(ctx, func(ctx context.Context) error {
		return u.b.s.once(ctx, u.b.conn, func(ctx context.Context) error {
			_, err := u.b.c.NewBlockBlobClient(u.path).CommitBlockList(ctx, names, nil)
			return err
		})
	})
}

func (u *blockUpload) drop(context.Context) {}
