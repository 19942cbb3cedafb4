package s3

import (
	"context"
	"errors"
	"fmt"
	"net/http"
	"net/url"
	"strings"
	"sync/atomic"
	"time"

	awshttp "github.com/aws/aws-sdk-go-v2/aws/transport/http"
	"github.com/aws/smithy-go"

	"github.com/sluicelake/sluice/storage"
	"github.com/sluicelake/sluice/storage/remote"
)

// once sends one request, within the time that one request has, and brings its
// error into the words of package remote.
func (s *Store) once(ctx context.Context, send func(ctx context.Context, c *connection) error) error {
	if err := ctx.Err(); err != nil {
		return remote.NotSent(err)
	}
	conn, err := s.connect(ctx)
	if err != nil {
		return err
	}
	var sent atomic.Bool
	timed, cancel := context.WithTimeout(context.WithValue(ctx, sentKey{}, &sent), s.client.Timeout)
	defer cancel()
	err = Failure(send(timed, conn), conn.creds.hide)
	switch {
	case err == nil:
		return nil
	case !sent.Load():
		return remote.NotSent(err)
	case ctx.Err() != nil:
		return fmt.Errorf("%w (%w)", ctx.Err(), err)
	}
	return err
}

// repeat is once for what may be done twice.
func (s *Store) repeat(ctx context.Context, send func(ctx context.Context, c *connection) error) error {
	return s.client.Policy.Repeat(ctx, func(ctx context.Context) error { return s.once(ctx, send) })
}

// Failure turns an error of an AWS SDK into one that holds the answer's status and
// code, and none of the texts of hide.
func Failure(err error, hide []string) error {
	if err == nil {
		return nil
	}
	var r *awshttp.ResponseError
	if !errors.As(err, &r) || r.HTTPResponse() == nil || r.HTTPResponse().Response == nil || r.HTTPStatusCode() == 0 {
		return bare(err)
	}
	h := r.HTTPResponse()
	out := &remote.Reply{Status: h.StatusCode, ID: r.ServiceRequestID(), After: remote.After(h.Header, time.Now())}
	var api smithy.APIError
	if errors.As(err, &api) {
		out.Code, out.Text = api.ErrorCode(), clean(api.ErrorMessage(), hide)
	}
	if out.Code == http.StatusText(h.StatusCode) || out.Code == "UnknownError" || out.Code == "NotFound" {
		out.Code = "" // answers to HEAD have no body
	}
	if h.StatusCode < 300 {
		// The answer began well and could not be read to its end.
		var op *smithy.OperationError
		if out.Code == "" {
			if errors.As(err, &op) {
				return fmt.Errorf("%w: %w", remote.ErrShort, bare(op.Err))
			}
			return bare(err)
		}
		out.Status = http.StatusInternalServerError // an error in the body of a 200
	}
	if region := h.Header.Get("X-Amz-Bucket-Region"); region != "" && (h.StatusCode == http.StatusMovedPermanently || h.StatusCode == http.StatusTemporaryRedirect || h.StatusCode == http.StatusBadRequest) {
		return fmt.Errorf("the bucket lies in region %s: give the option region=%s: %w", region, region, out)
	}
	return out
}

// bare leaves URLs out of errors of the network: they may be signed.
func bare(err error) error {
	var u *url.Error
	if errors.As(err, &u) {
		return u.Err
	}
	var op *smithy.OperationError
	if errors.As(err, &op) {
		return op.Err
	}
	return err
}

// clean removes secrets from a text and brings it into one line.
func clean(text string, hide []string) string {
	for _, h := range hide {
		if len(h) > 3 {
			text = strings.ReplaceAll(text, h, "(hidden)")
		}
	}
	text = strings.Join(strings.Fields(text), " ")
	if len(text) > 600 {
		text = text[:600] + "..."
	}
	return text
}

// exclusive reads the answers to a conditional put ("Conditional requests" in the
// guide of S3): 412 says that the object exists, 409 that another request to the
// key was under way and this one is to be sent again.
func exclusive(err error) error {
	switch {
	case isStatus(err, http.StatusPreconditionFailed):
		return storage.ErrExist
	case isStatus(err, http.StatusConflict):
		return remote.Again(err)
	case isStatus(err, http.StatusNotImplemented):
		return remote.NotSent(fmt.Errorf("%w: the store does not know conditional puts (If-None-Match): %w", storage.ErrUnsupported, err))
	}
	return err
}

func isStatus(err error, status int) bool {
	var r *remote.Reply
	return errors.As(err, &r) && r.Status == status
}
