package s3

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"net/http"
	"strings"
	"sync/atomic"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/s3"
	"github.com/aws/aws-sdk-go-v2/service/s3/types"

	"github.com/sluicelake/sluice/storage"
	"github.com/sluicelake/sluice/storage/remote"
)

// Store is a place in a bucket.
type Store struct {
	set       settings
	client    *remote.Client
	connector connector
	single    atomic.Bool // the store refuses requests that delete several objects
}

// URL is the address of the place, without secrets.
func (s *Store) URL() string { return s.set.address.url() }

// Close frees connections.
func (s *Store) Close() error {
	s.client.Close()
	return nil
}

func (s *Store) bucket() *string         { return &s.set.address.bucket }
func (s *Store) path(key string) *string { return aws.String(s.set.address.root() + key) }
func modTime(t *time.Time) time.Time     { return aws.ToTime(t).Truncate(time.Second) } // listings of some stores are finer than heads
func whole(t *time.Time, size int64) storage.Object {
	return storage.Object{Size: size, ModTime: modTime(t)}
}

// Get reads a whole object.
func (s *Store) Get(ctx context.Context, key string) (data []byte, obj storage.Object, err error) {
	err = s.repeat(ctx, func(ctx context.Context, c *connection) error {
		r, err := c.api.GetObject(ctx, &s3.GetObjectInput{Bucket: s.bucket(), Key: s.path(key)})
		if err != nil {
			return err
		}
		if data, err = remote.ReadBody(r.Body, length(r.ContentLength)); err == nil {
			obj = whole(r.LastModified, int64(len(data)))
		}
		return err
	})
	return data, obj, err
}

// GetRange reads a part of an object.
func (s *Store) GetRange(ctx context.Context, key string, offset, count int64) (data []byte, err error) {
	if count == 0 {
		_, err := s.Stat(ctx, key)
		return nil, err
	}
	last := offset + min(count, 1<<62-offset) - 1
	err = s.repeat(ctx, func(ctx context.Context, c *connection) error {
		r, err := c.api.GetObject(ctx, &s3.GetObjectInput{Bucket: s.bucket(), Key: s.path(key), Range: aws.String(fmt.Sprintf("bytes=%d-%d", offset, last))})
		if err != nil {
			return err
		}
		if data, err = remote.ReadBody(r.Body, length(r.ContentLength)); err != nil {
			return err
		}
		if aws.ToString(r.ContentRange) == "" { // the store sent all of it
			data = data[min(offset, int64(len(data))):]
		}
		data = data[:min(count, int64(len(data)))]
		return nil
	})
	if isStatus(err, http.StatusRequestedRangeNotSatisfiable) {
		return nil, nil // behind the end
	}
	return data, err
}

// length is the declared length of a body, -1 when there is none.
func length(n *int64) int64 {
	if n == nil {
		return -1
	}
	return *n
}

// Stat describes an object.
func (s *Store) Stat(ctx context.Context, key string) (obj storage.Object, err error) {
	err = s.repeat(ctx, func(ctx context.Context, c *connection) error {
		r, err := c.api.HeadObject(ctx, &s3.HeadObjectInput{Bucket: s.bucket(), Key: s.path(key)})
		if err == nil {
			obj = whole(r.LastModified, aws.ToInt64(r.ContentLength))
		}
		return err
	})
	return obj, err
}

func (s *Store) putInput(key string, data []byte) *s3.PutObjectInput {
	in := &s3.PutObjectInput{Bucket: s.bucket(), Key: s.path(key), Body: bytes.NewReader(data), ServerSideEncryption: types.ServerSideEncryption(s.set.sse)}
	if s.set.key != "" {
		in.SSEKMSKeyId = &s.set.key
	}
	return in
}

// Put creates or replaces an object.
func (s *Store) Put(ctx context.Context, key string, data []byte) error {
	return s.repeat(ctx, func(ctx context.Context, c *connection) error {
		_, err := c.api.PutObject(ctx, s.putInput(key, data))
		return err
	})
}

// PutIfAbsent creates an object by one conditional request.
func (s *Store) PutIfAbsent(ctx context.Context, key string, data []byte) error {
	if s.set.logStore == "none" {
		return fmt.Errorf("%w: the handle was opened with log-store=none, which can only read tables", storage.ErrReadOnly)
	}
	return s.putIfAbsent(ctx, key, data)
}

func (s *Store) putIfAbsent(ctx context.Context, key string, data []byte) error {
	return s.client.Policy.Once(ctx, func(ctx context.Context) error {
		return exclusive(s.once(ctx, func(ctx context.Context, c *connection) error {
			in := s.putInput(key, data)
			in.IfNoneMatch = aws.String("*")
			_, err := c.api.PutObject(ctx, in)
			return err
		}))
	})
}

// Delete removes an object.
func (s *Store) Delete(ctx context.Context, key string) error {
	err := s.repeat(ctx, func(ctx context.Context, c *connection) error {
		_, err := c.api.DeleteObject(ctx, &s3.DeleteObjectInput{Bucket: s.bucket(), Key: s.path(key)})
		return err
	})
	if errors.Is(err, storage.ErrNotExist) {
		return nil
	}
	return err
}

// Describe says how the store is reached.
func (s *Store) Describe() map[string]string {
	s.connector.mu.Lock()
	conn := s.connector.conn
	s.connector.mu.Unlock()
	d := map[string]string{
		"store": s.place(conn), "bucket": s.set.address.bucket, "put-if-absent": "conditional put (If-None-Match)",
	}
	style := "the bucket in the host name"
	if s.set.pathStyle {
		style = "the bucket in the path"
	}
	d["addressing"] = style
	if e := s.endpoint(); e != "" {
		d["endpoint"] = e
	}
	switch {
	case conn != nil:
		d["credential"], d["region"] = conn.creds.describe(), conn.aws.Region
	case s.set.anonymous:
		d["credential"] = "anonymous"
	case s.set.accessKey.IsSet():
		d["credential"] = fmt.Sprintf("access key (%s), secret key (%s)", s.set.accessKey.Origin(), s.set.secretKey.Origin())
	}
	if strings.HasSuffix(s.set.address.bucket, "--x-s3") {
		d["warning"] = "directory buckets do not list in order; tables need that"
	}
	return d
}
