package s3

import (
	"context"
	"fmt"
	"iter"
	"net/url"
	"strings"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/s3"
	"github.com/aws/aws-sdk-go-v2/service/s3/types"

	"github.com/sluicelake/sluice/storage"
)

// List reads page after page. A page that fails is asked for again, not the whole
// listing. S3 lists in byte order of keys, which the rest of sluice relies upon;
// a store that does not is an error and not a table with holes.
func (s *Store) List(ctx context.Context, prefix, startAfter string) iter.Seq2[storage.Object, error] {
	return func(yield func(storage.Object, error) bool) {
		root := s.set.address.root()
		in := &s3.ListObjectsV2Input{Bucket: s.bucket(), Prefix: aws.String(root + prefix), EncodingType: types.EncodingTypeUrl}
		if startAfter != "" {
			in.StartAfter = aws.String(root + startAfter)
		}
		last := ""
		for {
			var page *s3.ListObjectsV2Output
			err := s.repeat(ctx, func(ctx context.Context, c *connection) (err error) {
				page, err = c.api.ListObjectsV2(ctx, in)
				return err
			})
			if err != nil {
				yield(storage.Object{}, err)
				return
			}
			for _, o := range page.Contents {
				path, err := listed(page, o)
				if err == nil && path <= last && last != "" {
					err = fmt.Errorf("%w: the store lists %q behind %q, not in byte order", storage.ErrUnsupported, path, last)
				}
				if err != nil {
					yield(storage.Object{}, err)
					return
				}
				last = path
				key, inside := strings.CutPrefix(path, root)
				// Keys with a slash behind them stand for folders, for people.
				if !inside || key == "" || strings.HasSuffix(key, "/") || key <= startAfter {
					continue
				}
				if !yield(storage.Object{Key: key, Size: aws.ToInt64(o.Size), ModTime: modTime(o.LastModified)}, nil) {
					return
				}
			}
			if !aws.ToBool(page.IsTruncated) {
				return
			}
			if aws.ToString(page.NextContinuationToken) == "" {
				yield(storage.Object{}, fmt.Errorf("%w: the listing is cut off and says not how to go on", storage.ErrUnsupported))
				return
			}
			in.ContinuationToken = page.NextContinuationToken
		}
	}
}

// listed is the key of an object in a listing. Keys are escaped on the way if the
// store does as it is told: XML cannot hold all characters.
func listed(page *s3.ListObjectsV2Output, o types.Object) (string, error) {
	key := aws.ToString(o.Key)
	if page.EncodingType != types.EncodingTypeUrl {
		return key, nil
	}
	path, err := url.QueryUnescape(key)
	if err != nil {
		return "", fmt.Errorf("the listing holds a key that cannot be read: %q", key)
	}
	return path, nil
}
