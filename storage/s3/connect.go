package s3

import (
	"cmp"
	"context"
	"fmt"
	"net/http"
	"os"
	"strings"
	"sync"
	"sync/atomic"

	"github.com/aws/aws-sdk-go-v2/aws"
	awshttp "github.com/aws/aws-sdk-go-v2/aws/transport/http"
	"github.com/aws/aws-sdk-go-v2/config"
	"github.com/aws/aws-sdk-go-v2/credentials/stscreds"
	"github.com/aws/aws-sdk-go-v2/service/s3"
	"github.com/aws/aws-sdk-go-v2/service/sts"
	"github.com/aws/smithy-go/logging"

	"github.com/sluicelake/sluice/storage"
	"github.com/sluicelake/sluice/storage/remote"
)

// connection is what requests need; it is made when the first one is, because
// that is when secrets are looked up.
type connection struct {
	api   *s3.Client
	aws   aws.Config
	creds *signIn
}

// connector makes the connection once; a failure is tried again by the next request.
type connector struct {
	mu   sync.Mutex
	conn *connection
}

func (s *Store) connect(ctx context.Context) (*connection, error) {
	s.connector.mu.Lock()
	defer s.connector.mu.Unlock()
	if s.connector.conn != nil {
		return s.connector.conn, nil
	}
	conn, err := s.dial(ctx)
	if err != nil {
		return nil, remote.NotSent(err)
	}
	s.connector.conn = conn
	return conn, nil
}

func (s *Store) dial(ctx context.Context) (*connection, error) {
	opts := []func(*config.LoadOptions) error{
		config.WithHTTPClient(s.signInClient()),
		config.WithRetryer(func() aws.Retryer { return aws.NopRetryer{} }),
		// Not all stores know the newer checksums: none is sent or asked for
		// unless an operation requires it.
		config.WithRequestChecksumCalculation(aws.RequestChecksumCalculationWhenRequired),
		config.WithResponseChecksumValidation(aws.ResponseChecksumValidationWhenRequired),
		config.WithLogger(logging.Nop{}),
	}
	if s.set.region != "" {
		opts = append(opts, config.WithRegion(s.set.region))
	}
	if s.set.profile != "" {
		opts = append(opts, config.WithSharedConfigProfile(s.set.profile))
	}
	cfg, err := config.LoadDefaultConfig(ctx, opts...)
	if err != nil {
		return nil, fmt.Errorf("%w: the shared configuration of AWS: %w", storage.ErrPermission, err)
	}
	if cfg.Region == "" {
		cfg.Region = "us-east-1"
	}
	creds, err := s.credentials(ctx, cfg)
	if err != nil {
		return nil, err
	}
	cfg.Credentials = creds
	if s.set.anonymous {
		cfg.Credentials = aws.AnonymousCredentials{}
	}
	api := s3.NewFromConfig(cfg, func(o *s3.Options) {
		o.HTTPClient = &wire{s.client.HTTP}
		o.UsePathStyle = s.set.pathStyle
		o.DisableLogOutputChecksumValidationSkipped = true
		if s.set.endpoint != "" {
			o.BaseEndpoint = &s.set.endpoint
		}
	})
	return &connection{api: api, aws: cfg, creds: creds}, nil
}

// signInClient is the client by which the SDK asks for credentials. It has to be of
// the SDK's own kind; it trusts what the client for objects trusts.
func (s *Store) signInClient() *awshttp.BuildableClient {
	return awshttp.NewBuildableClient().WithTransportOptions(func(t *http.Transport) {
		if own, ok := s.client.HTTP.Transport.(*http.Transport); ok && own.TLSClientConfig != nil {
			t.TLSClientConfig = own.TLSClientConfig.Clone()
		}
	})
}

// credentials are those of the options, or of the standard chain, then the role.
func (s *Store) credentials(ctx context.Context, cfg aws.Config) (*signIn, error) {
	base := &signIn{who: "credentials of the standard chain (environment, shared files, web identity, container, instance)", next: cfg.Credentials}
	switch {
	case s.set.anonymous:
		base = &signIn{who: "anonymous"}
	case s.set.accessKey.IsSet():
		base = &signIn{who: fmt.Sprintf("access key (%s), secret key (%s)", s.set.accessKey.Origin(), s.set.secretKey.Origin())}
		static, err := s.static(ctx, base)
		if err != nil {
			return nil, err
		}
		base.next = static
	case s.set.profile != "":
		base.who = "profile " + s.set.profile
	}
	if s.set.role == "" {
		return base, nil
	}
	cfg.Credentials = base
	client := sts.NewFromConfig(cfg)
	role := stscreds.NewAssumeRoleProvider(client, s.set.role, func(o *stscreds.AssumeRoleOptions) {
		o.RoleSessionName = "sluice"
		if s.set.session != "" {
			o.RoleSessionName = s.set.session
		}
		if s.set.externalID != "" {
			o.ExternalID = &s.set.externalID
		}
	})
	return &signIn{who: "role " + s.set.role + ", assumed with " + base.who, next: aws.NewCredentialsCache(role), hide: base.hide}, nil
}

func (s *Store) static(ctx context.Context, who *signIn) (aws.CredentialsProvider, error) {
	id, err := s.set.accessKey.Reveal(ctx)
	if err != nil {
		return nil, fmt.Errorf("%w: access-key: %w", storage.ErrPermission, err)
	}
	key, err := s.set.secretKey.Reveal(ctx)
	if err != nil {
		return nil, fmt.Errorf("%w: secret-key: %w", storage.ErrPermission, err)
	}
	token, err := s.set.token.Reveal(ctx)
	if err != nil {
		return nil, fmt.Errorf("%w: session-token: %w", storage.ErrPermission, err)
	}
	who.hide = append(who.hide, id, key, token)
	c := aws.Credentials{AccessKeyID: id, SecretAccessKey: key, SessionToken: token, Source: "options"}
	return aws.CredentialsProviderFunc(func(context.Context) (aws.Credentials, error) { return c, nil }), nil
}

// signIn is a credential that says in words who it is, and whose errors come
// before the request.
type signIn struct {
	who    string
	next   aws.CredentialsProvider
	hide   []string // never to be printed
	source atomic.Value
}

// Retrieve gives the credentials.
func (c *signIn) Retrieve(ctx context.Context) (aws.Credentials, error) {
	if c.next == nil {
		return aws.Credentials{}, fmt.Errorf("%w: there are no credentials", storage.ErrPermission)
	}
	v, err := c.next.Retrieve(ctx)
	if err != nil {
		if ctx.Err() != nil {
			return v, remote.NotSent(ctx.Err())
		}
		return v, remote.NotSent(fmt.Errorf("%w: no credentials from the %s: %s", storage.ErrPermission, c.who, clean(bare(err).Error(), c.hide)))
	}
	c.source.Store(v.Source)
	return v, nil
}

// describe names the credential that was used, as far as it is known.
func (c *signIn) describe() string {
	if from, ok := c.source.Load().(string); ok && from != "" && !strings.HasPrefix(c.who, "access key") {
		return c.who + ", found by " + from
	}
	return c.who
}

// wire sends requests and notes in their context that they were sent.
type wire struct{ c *http.Client }

type sentKey struct{}

// Do sends a request.
func (w *wire) Do(r *http.Request) (*http.Response, error) {
	if sent, ok := r.Context().Value(sentKey{}).(*atomic.Bool); ok {
		sent.Store(true)
	}
	return w.c.Do(r)
}

// endpoint is the address of another store than Amazon's, "" for Amazon's.
func (s *Store) endpoint() string {
	return storage.Redact(cmp.Or(s.set.endpoint, os.Getenv("AWS_ENDPOINT_URL_S3"), os.Getenv("AWS_ENDPOINT_URL")))
}

// place is what kind of store it is, for people.
func (s *Store) place(conn *connection) string {
	if s.endpoint() != "" {
		return "a store that speaks S3"
	}
	if conn == nil {
		return "Amazon S3"
	}
	return "Amazon S3 in " + conn.aws.Region
}
