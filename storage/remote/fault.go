package remote

import (
	"context"
	"crypto/tls"
	"crypto/x509"
	"errors"
	"fmt"
	"io"
	"net"
	"net/http"
	"strconv"
	"strings"
	"syscall"
	"time"

	"github.com/sluicelake/sluice/storage"
)

// Reply is an answer of a store other than success.
type Reply struct {
	Status int           // HTTP status
	Code   string        // the store's own name of the error, for example BlobAlreadyExists
	Text   string        // what the store says, without secrets
	After  time.Duration // when the store asks to wait
	ID     string        // the store's id of the request, for its support
}

func (r *Reply) Error() string {
	s := strconv.Itoa(r.Status)
	if t := http.StatusText(r.Status); t != "" {
		s += " " + t
	}
	if r.Code != "" {
		s += " (" + r.Code + ")"
	}
	if t := strings.TrimSpace(r.Text); t != "" {
		s += ": " + t
	}
	if r.ID != "" {
		s += " [request " + r.ID + "]"
	}
	return s
}

// Is maps the statuses that mean the same everywhere to the errors of storage.
// Conflicts (409, 412) mean different things in different stores and are left to drivers.
func (r *Reply) Is(target error) bool {
	switch r.Status {
	case http.StatusNotFound:
		return target == storage.ErrNotExist
	case http.StatusUnauthorized, http.StatusForbidden:
		return target == storage.ErrPermission
	case http.StatusInsufficientStorage:
		return target == storage.ErrNoSpace
	}
	return false
}

// After reads a Retry-After header (seconds, or a date).
func After(h http.Header, now time.Time) time.Duration {
	v := h.Get("Retry-After")
	if v == "" {
		return 0
	}
	if n, err := strconv.Atoi(v); err == nil && n >= 0 {
		return time.Duration(min(n, 3600)) * time.Second
	}
	if t, err := http.ParseTime(v); err == nil && t.After(now) {
		return min(t.Sub(now), time.Hour)
	}
	return 0
}

// Transient reports whether the same request may succeed later.
func Transient(err error) bool {
	var a *again
	if errors.As(err, &a) {
		return true
	}
	var r *Reply
	if errors.As(err, &r) {
		switch r.Status {
		case http.StatusRequestTimeout, http.StatusTooEarly, http.StatusTooManyRequests, http.StatusInternalServerError,
			http.StatusBadGateway, http.StatusServiceUnavailable, http.StatusGatewayTimeout:
			return true
		}
		return false
	}
	if errors.Is(err, context.Canceled) || mistrusted(err) || noSuchHost(err) {
		return false
	}
	var n net.Error
	return errors.As(err, &n) || errors.Is(err, io.EOF) || errors.Is(err, io.ErrUnexpectedEOF) || errors.Is(err, ErrShort) ||
		errors.Is(err, syscall.ECONNRESET) || errors.Is(err, syscall.EPIPE) || errors.Is(err, net.ErrClosed) ||
		errors.Is(err, context.DeadlineExceeded)
}

// ErrShort is a reply whose body ended before its declared length.
var ErrShort = errors.New("the reply ended early")

// notSent marks what failed before the request.
type notSent struct{ error }

func (n *notSent) Unwrap() error { return n.error }

// NotSent marks an error of what comes before a request, signing in for example:
// whatever it is, the request had no effect.
func NotSent(err error) error {
	if err == nil {
		return nil
	}
	return &notSent{err}
}

// again marks what the store turned away for now.
type again struct{ error }

func (a *again) Unwrap() error { return a.error }

// Again marks the answer of a store that did not carry the request out and wants
// it once more, where the status alone does not say so (409 of S3's conditional put).
func Again(err error) error {
	if err == nil {
		return nil
	}
	return &again{err}
}

// NotDone reports whether a request that failed with err cannot have had an
// effect: it never reached the store, or the store turned it away.
func NotDone(err error) bool {
	var n *notSent
	var a *again
	if errors.As(err, &n) || errors.As(err, &a) || mistrusted(err) || noSuchHost(err) {
		return true
	}
	var r *Reply
	if errors.As(err, &r) {
		switch r.Status {
		case http.StatusRequestTimeout:
			return false
		case http.StatusTooManyRequests:
			return true
		}
		return r.Status >= 300 && r.Status < 500
	}
	var op *net.OpError
	return errors.As(err, &op) && op.Op == "dial"
}

func mistrusted(err error) bool {
	var v *tls.CertificateVerificationError
	var u x509.UnknownAuthorityError
	var h x509.HostnameError
	return errors.As(err, &v) || errors.As(err, &u) || errors.As(err, &h)
}

func noSuchHost(err error) bool {
	var d *net.DNSError
	return errors.As(err, &d) && d.IsNotFound
}

// unknown marks that nobody knows whether a write happened.
type unknown struct{ err error }

func (u *unknown) Error() string   { return fmt.Sprintf("%v: %v", storage.ErrOutcomeUnknown, u.err) }
func (u *unknown) Unwrap() []error { return []error{storage.ErrOutcomeUnknown, u.err} }
