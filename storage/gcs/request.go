package gcs

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"net/http"
	"net/url"
	"strings"
	"time"

	"golang.org/x/oauth2"
	"golang.org/x/oauth2/google"

	"github.com/sluicelake/sluice/storage"
	"github.com/sluicelake/sluice/storage/remote"
)

// scope is what tokens are asked for.
const scope = "https://www.googleapis.com/auth/devstorage.read_write"

func stay(*http.Request, []*http.Request) error { return http.ErrUseLastResponse }

// token gives the value of the Authorization header; "" for anonymous requests.
func (s *Store) token(ctx context.Context) (string, error) {
	if s.set.anonymous {
		return "", nil
	}
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.tokens == nil {
		found, err := s.find(ctx)
		if err != nil {
			return "", remote.NotSent(err)
		}
		s.tokens = oauth2.ReuseTokenSource(nil, found)
	}
	t, err := s.tokens.Token()
	if err != nil {
		return "", remote.NotSent(s.signInError(ctx, err))
	}
	return t.Type() + " " + t.AccessToken, nil
}

// find looks for the credentials. The source outlives the request that asks first.
func (s *Store) find(ctx context.Context) (oauth2.TokenSource, error) {
	text, err := s.set.credentials.Reveal(ctx)
	if err != nil {
		return nil, fmt.Errorf("%w: credentials: %w", storage.ErrPermission, err)
	}
	lasting := context.WithValue(context.WithoutCancel(ctx), oauth2.HTTPClient, &http.Client{Transport: s.client.HTTP.Transport, Timeout: s.client.Timeout})
	if text == "" {
		c, err := google.FindDefaultCredentials(lasting, scope)
		if err != nil {
			return nil, fmt.Errorf("%w: there are no default credentials of Google Cloud: give the option credentials, or anonymous=true, or set GOOGLE_APPLICATION_CREDENTIALS", storage.ErrPermission)
		}
		s.who = "default credentials"
		if len(c.JSON) > 0 {
			s.who += " (" + kind(c.JSON) + ")"
		} else {
			s.who += " (metadata server)"
		}
		return c.TokenSource, nil
	}
	t := kind([]byte(text))
	s.who = t + " (" + s.set.from + ")"
	switch t {
	case "service_account", "authorized_user", "external_account", "impersonated_service_account", "external_account_authorized_user":
	default:
		return nil, fmt.Errorf("%w: the credentials (%s) are not the JSON of a service account or of an authorised user", storage.ErrPermission, s.set.from)
	}
	c, err := google.CredentialsFromJSONWithType(lasting, []byte(text), google.CredentialsType(t), scope)
	if err != nil {
		return nil, fmt.Errorf("%w: the credentials (%s), of type %s, cannot be read", storage.ErrPermission, s.set.from, t)
	}
	return c.TokenSource, nil
}

// kind is the type that the JSON of a credential states.
func kind(text []byte) string {
	var c struct {
		Type string `json:"type"`
	}
	if json.Unmarshal(text, &c) != nil || c.Type == "" {
		return "unknown type"
	}
	return c.Type
}

// signInError keeps the status and the name of the error; descriptions may quote what was sent.
func (s *Store) signInError(ctx context.Context, err error) error {
	if ctx.Err() != nil {
		return ctx.Err()
	}
	var r *oauth2.RetrieveError
	if errors.As(err, &r) && r.Response != nil {
		reply := &remote.Reply{Status: r.Response.StatusCode, Code: r.ErrorCode}
		var body struct {
			Error string `json:"error"`
		}
		if reply.Code == "" && json.Unmarshal(r.Body, &body) == nil && len(body.Error) < 40 {
			reply.Code = body.Error
		}
		if reply.Status < 500 && reply.Status != http.StatusTooManyRequests {
			return fmt.Errorf("%w: signing in with the %s: %w", storage.ErrPermission, s.who, reply)
		}
		return fmt.Errorf("signing in with the %s: %w", s.who, reply)
	}
	var u *url.Error
	if errors.As(err, &u) {
		return fmt.Errorf("signing in with the %s: %w", s.who, u.Err)
	}
	return fmt.Errorf("%w: signing in with the %s failed", storage.ErrPermission, s.who)
}

// request is one HTTP request to the service.
type request struct {
	method string
	url    string
	query  url.Values
	header map[string]string
	body   []byte
	ok     []int // statuses besides 200 that are success
}

// do sends a request once, within the time that one has, and reads the reply.
func (s *Store) do(ctx context.Context, r request) (data []byte, h http.Header, err error) {
	if err := ctx.Err(); err != nil {
		return nil, nil, remote.NotSent(err)
	}
	token, err := s.token(ctx)
	if err != nil {
		return nil, nil, err
	}
	timed, cancel := context.WithTimeout(ctx, s.client.Timeout)
	defer cancel()
	defer func() {
		if err != nil && ctx.Err() != nil {
			err = fmt.Errorf("%w (%w)", ctx.Err(), err)
		}
	}()
	if s.set.project != "" && r.query != nil {
		r.query.Set("userProject", s.set.project)
	}
	address := r.url
	if len(r.query) > 0 {
		address += "?" + r.query.Encode()
	}
	req, err := http.NewRequestWithContext(timed, r.method, address, bytes.NewReader(r.body))
	if err != nil {
		return nil, nil, remote.NotSent(errors.New("the request cannot be made: the endpoint or the key is no URL"))
	}
	for k, v := range r.header {
		req.Header.Set(k, v)
	}
	if token != "" && strings.HasPrefix(address, s.set.endpoint+"/") { // the address of an upload is the store's choice
		req.Header.Set("Authorization", token)
	}
	resp, err := s.client.HTTP.Do(req)
	if err != nil {
		var u *url.Error
		if errors.As(err, &u) {
			err = u.Err // without the address, which may be that of an upload
		}
		return nil, nil, err
	}
	success := resp.StatusCode == http.StatusOK
	for _, n := range r.ok {
		success = success || resp.StatusCode == n
	}
	if !success {
		return nil, resp.Header, reply(resp)
	}
	length := resp.ContentLength
	if r.method == http.MethodHead {
		length = 0
	}
	data, err = remote.ReadBody(resp.Body, length)
	h = resp.Header
	h.Set(statusHeader, resp.Status)
	return data, h, err
}

// statusHeader is where do leaves the status of a success.
const statusHeader = "X-Sluice-Status"

// reply reads an answer other than success.
func reply(resp *http.Response) error {
	defer resp.Body.Close()
	out := &remote.Reply{Status: resp.StatusCode, After: remote.After(resp.Header, time.Now()), ID: resp.Header.Get("X-Guploader-Uploadid")}
	body, _ := io.ReadAll(io.LimitReader(resp.Body, 64<<10))
	var e struct {
		Error struct {
			Message string `json:"message"`
			Errors  []struct {
				Reason string `json:"reason"`
			} `json:"errors"`
		} `json:"error"`
	}
	if json.Unmarshal(body, &e) == nil {
		out.Text = strings.Join(strings.Fields(e.Error.Message), " ")
		if len(e.Error.Errors) > 0 {
			out.Code = e.Error.Errors[0].Reason
		}
	}
	if len(out.Text) > 300 {
		out.Text = out.Text[:300] + "..."
	}
	if len(out.ID) > 40 {
		out.ID = out.ID[:40]
	}
	return out
}

// repeat sends a request that may be sent again.
func (s *Store) repeat(ctx context.Context, r request) (data []byte, h http.Header, err error) {
	err = s.client.Policy.Repeat(ctx, func(ctx context.Context) error {
		data, h, err = s.do(ctx, r)
		return err
	})
	return data, h, err
}
