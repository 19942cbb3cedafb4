package azure

import (
	"bytes"
	"context"
	"encoding/json"
	"encoding/xml"
	"errors"
	"fmt"
	"io"
	"net/http"
	"net/url"
	"strings"
	"time"

	"github.com/Azure/azure-sdk-for-go/sdk/azcore"
	"github.com/Azure/azure-sdk-for-go/sdk/azcore/runtime"
	"github.com/Azure/azure-sdk-for-go/sdk/azidentity"

	"github.com/sluicelake/sluice/storage"
	"github.com/sluicelake/sluice/storage/remote"
)

// redactor are the secrets that no error may show.
type redactor []string

// signatures are the parts of a shared access signature that are secret.
func signatures(sas string) []string {
	secrets := []string{sas}
	for _, part := range strings.Split(sas, "&") {
		if sig, ok := strings.CutPrefix(part, "sig="); ok {
			secrets = append(secrets, sig)
			if plain, err := url.QueryUnescape(sig); err == nil {
				secrets = append(secrets, plain)
			}
		}
	}
	return secrets
}

// text hides secrets, as they are and as they stand in URLs.
func (r redactor) text(s string) string {
	for _, secret := range r {
		if len(secret) < 4 {
			continue
		}
		for _, form := range []string{secret, url.QueryEscape(secret), url.PathEscape(secret)} {
			s = strings.ReplaceAll(s, form, "(secret)")
		}
	}
	return s
}

// clean turns an error of the SDK into one of remote's: an answer becomes a
// remote.Reply, the URLs of requests are dropped (they may hold a signature), and
// what still shows a secret is replaced by a text that does not.
func (r redactor) clean(err error) error {
	if err == nil {
		return nil
	}
	var resp *azcore.ResponseError
	var mine *remote.Reply
	switch {
	case errors.As(err, &mine):
	case errors.As(err, &resp):
		err = r.reply(resp)
		if isCode(err, "ContainerNotFound", "FilesystemNotFound") {
			err = noObject(fmt.Errorf("the container does not exist: %w", err))
		}
	default:
		err = bare(err)
	}
	if r.text(err.Error()) != err.Error() {
		return &hidden{r.text(err.Error()), err}
	}
	return err
}

// apart is an error that is not about an object, though an answer in it may say that
// something was not found: a secret, a container.
type apart struct{ err error }

func (a *apart) Error() string { return a.err.Error() }
func (a *apart) Is(target error) bool {
	return target != storage.ErrNotExist && errors.Is(a.err, target)
}
func (a *apart) As(target any) bool { return errors.As(a.err, target) }

// noObject marks an error as apart.
func noObject(err error) error {
	if errors.Is(err, storage.ErrNotExist) {
		return &apart{err}
	}
	return err
}

// bare drops the URL of a failed request, and its method.
func bare(err error) error {
	var u *url.Error
	if errors.As(err, &u) {
		return &broken{u.Err}
	}
	return err
}

// broken is a request that got no answer. It is a net.Error.
type broken struct{ error }

func (b *broken) Unwrap() error   { return b.error }
func (b *broken) Temporary() bool { return true }

func (b *broken) Timeout() bool {
	var t interface{ Timeout() bool }
	return errors.As(b.error, &t) && t.Timeout()
}

// hidden is an error whose text had a secret in it. It can be asked what kind it
// is, not what it wraps.
type hidden struct {
	text string
	err  error
}

func (h *hidden) Error() string        { return h.text }
func (h *hidden) Is(target error) bool { return errors.Is(h.err, target) }

// As finds the causes that do not show requests.
func (h *hidden) As(target any) bool {
	var r *remote.Reply
	switch want := target.(type) {
	case **remote.Reply:
		if errors.As(h.err, &r) {
			*want = &remote.Reply{Status: r.Status, Code: r.Code, After: r.After, ID: r.ID}
		}
		return r != nil
	case **url.Error, **azcore.ResponseError:
		return false
	}
	return errors.As(h.err, target)
}

// reply reads what the service says, its first line only: the rest are time and
// identifiers, or how a signature was checked.
func (r redactor) reply(e *azcore.ResponseError) *remote.Reply {
	out := &remote.Reply{Status: e.StatusCode, Code: e.ErrorCode}
	if e.RawResponse == nil {
		return out
	}
	out.ID = e.RawResponse.Header.Get("x-ms-request-id")
	out.After = remote.After(e.RawResponse.Header, time.Now())
	if body, err := runtime.Payload(e.RawResponse); err == nil {
		out.Text = r.text(message(body))
	}
	return out
}

// message is the first line of the message in an error's body, XML or JSON.
func message(body []byte) string {
	var x struct{ Message string }
	var j struct {
		Error            json.RawMessage `json:"error"`
		ErrorDescription string          `json:"error_description"`
	}
	text := ""
	if json.Unmarshal(body, &j) == nil {
		var inner struct {
			Message string `json:"message"`
		}
		if text = j.ErrorDescription; text == "" && json.Unmarshal(j.Error, &inner) == nil {
			text = inner.Message
		}
	} else if xml.Unmarshal(body, &x) == nil {
		text = x.Message
	}
	text, _, _ = strings.Cut(strings.TrimSpace(text), "\n")
	if text = strings.TrimSpace(text); len(text) > 300 {
		text = text[:300] + "..."
	}
	return text
}

// signInError says why no token could be had. broken is what broke the last request for one.
func signInError(ctx context.Context, who string, err, broken error) error {
	what := "signing in with the " + who
	if ctx.Err() != nil {
		return fmt.Errorf("%s: %w", what, ctx.Err())
	}
	var failed *azidentity.AuthenticationFailedError
	if errors.As(err, &failed) && failed.RawResponse != nil {
		r := &remote.Reply{Status: failed.RawResponse.StatusCode, ID: failed.RawResponse.Header.Get("x-ms-request-id"),
			After: remote.After(failed.RawResponse.Header, time.Now())}
		if body, err := runtime.Payload(failed.RawResponse); err == nil {
			r.Text = message(body)
		}
		if r.Status >= 400 && r.Status < 500 && r.Status != http.StatusTooManyRequests && r.Status != http.StatusRequestTimeout {
			return fmt.Errorf("%w: %s: %w", storage.ErrPermission, what, r)
		}
		return fmt.Errorf("%s: %w", what, r)
	}
	if broken != nil {
		return fmt.Errorf("%s: %w", what, bare(broken))
	}
	return fmt.Errorf("%w: %s: %s", storage.ErrPermission, what, short(err.Error()))
}

// short brings a text of many lines into one.
func short(text string) string {
	text = strings.Join(strings.Fields(text), " ")
	if len(text) > 900 {
		text = text[:900] + "..."
	}
	return text
}

// isCode reports whether the store's answer has one of the codes.
func isCode(err error, codes ...string) bool {
	var r *remote.Reply
	if !errors.As(err, &r) {
		return false
	}
	for _, c := range codes {
		if r.Code == c {
			return true
		}
	}
	return false
}

func isStatus(err error, status int) bool {
	var r *remote.Reply
	return errors.As(err, &r) && r.Status == status
}

// exists reads the answers to a conditional put or rename that mean: the name is taken.
func exists(err error) error {
	if isStatus(err, http.StatusPreconditionFailed) || isCode(err, "BlobAlreadyExists", "PathAlreadyExists", "UnauthorizedBlobOverwrite", "BlobImmutableDueToPolicy") {
		return storage.ErrExist
	}
	return err
}

// readBody reads a reply's body; want is its length, negative when unknown.
func readBody(body io.ReadCloser, want int64) ([]byte, error) {
	defer body.Close()
	if want < 0 {
		return io.ReadAll(body)
	}
	var data bytes.Buffer
	data.Grow(int(min(want, 64<<20)) + bytes.MinRead) // the length is the store's word, not yet its bytes
	n, err := io.Copy(&data, body)
	if errors.Is(err, io.ErrUnexpectedEOF) || (err == nil && n < want) {
		return nil, fmt.Errorf("%w: %d of %d bytes came", remote.ErrShort, n, want)
	}
	return data.Bytes(), err
}
