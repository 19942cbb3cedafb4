package s3

import (
	"context"
	"errors"
	"net/http"
	"strings"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/s3"
	"github.com/aws/aws-sdk-go-v2/service/s3/types"

	"github.com/sluicelake/sluice/storage"
	"github.com/sluicelake/sluice/storage/remote"
)

var _ storage.ManyDeleter = (*Store)(nil)

// MaxDeletes is the service's limit ("DeleteObjects" in the API reference of S3).
func (s *Store) MaxDeletes() int {
	if s.single.Load() {
		return 1
	}
	return 1000
}

// DeleteMany deletes objects by one request. Those whose deletion fails for the
// moment are sent again, and a store that knows no such request, or a key that is no
// XML, gets single ones.
func (s *Store) DeleteMany(ctx context.Context, keys []string) (removed int, err error) {
	left := keys // those that are not known to be gone
	if len(keys) > 1 && !s.single.Load() {
		var odd []string
		left = nil
		for _, k := range keys {
			if strings.ContainsFunc(k, notXML) {
				odd = append(odd, k)
			} else {
				left = append(left, k)
			}
		}
		err = s.repeat(ctx, func(ctx context.Context, c *connection) (err error) {
			left, err = s.deleteMany(ctx, c, left)
			return err
		})
		left = append(left, odd...)
		if err != nil && (ctx.Err() != nil || errors.Is(err, errInBatch) || remote.Transient(err)) {
			return len(keys) - len(left), err
		}
		// The request as a whole was turned away, which says nothing about the objects.
		if err != nil && !errors.Is(err, storage.ErrPermission) {
			s.single.Store(true)
		}
	}
	for i, key := range left {
		if err := s.Delete(ctx, key); err != nil {
			return len(keys) - len(left) + i, err
		}
	}
	return len(keys), nil
}

// notXML tells characters that a document of XML cannot hold.
func notXML(r rune) bool { return r < ' ' || r == 0xfffd || r == 0xfffe || r == 0xffff }

// errInBatch marks the answer about one key of a request.
var errInBatch = errors.New("in a batch")

type batchError struct{ error }

func (e *batchError) Unwrap() []error { return []error{errInBatch, e.error} }

// deleteMany sends one request. left are the keys that are not known to be gone.
func (s *Store) deleteMany(ctx context.Context, c *connection, keys []string) (left []string, err error) {
	if len(keys) == 0 {
		return nil, nil
	}
	ids := make([]types.ObjectIdentifier, len(keys))
	for i, k := range keys {
		ids[i].Key = s.path(k)
	}
	r, err := c.api.DeleteObjects(ctx, &s3.DeleteObjectsInput{Bucket: s.bucket(), Delete: &types.Delete{Objects: ids, Quiet: aws.Bool(true)}})
	if err != nil {
		return keys, err
	}
	var first error
	for _, e := range r.Errors {
		code := aws.ToString(e.Code)
		if code == "NoSuchKey" {
			continue
		}
		key := strings.TrimPrefix(aws.ToString(e.Key), s.set.address.root())
		left = append(left, key)
		answer := &remote.Reply{Status: statusOf(code), Code: code, Text: clean(key+": "+aws.ToString(e.Message), c.creds.hide)}
		if first == nil || remote.Transient(first) {
			first = answer // one that stays is told before one that passes
		}
	}
	if first != nil {
		return left, &batchError{first}
	}
	return nil, nil
}

// statusOf is the status that goes with a code ("Error responses" in the API
// reference of S3).
func statusOf(code string) int {
	switch code {
	case "AccessDenied", "AllAccessDisabled", "InvalidAccessKeyId", "AccountProblem", "MethodNotAllowed":
		return http.StatusForbidden
	case "SlowDown", "ServiceUnavailable", "Busy":
		return http.StatusServiceUnavailable
	case "InternalError":
		return http.StatusInternalServerError
	case "RequestTimeout":
		return http.StatusRequestTimeout
	}
	return http.StatusConflict
}
