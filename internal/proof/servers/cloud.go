package servers

import (
	"bytes"
	"context"
	"fmt"
	"net/http"
	"os"
	"path/filepath"
	"testing"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/s3"

	"github.com/sluicelake/sluice/storage"
)

// Keys that the S3 and DynamoDB servers accept.
const (
	AccessKey = "sluice-test-key"
	SecretKey = "sluice-test-secret"
)

// S3 is a server that speaks S3, with conditional puts.
type S3 struct{ Endpoint string }

// StartS3 starts versitygw, which keeps objects as files.
func StartS3(t testing.TB) *S3 {
	t.Helper()
	dir := t.TempDir()
	if err := os.Mkdir(filepath.Join(dir, "data"), 0o755); err != nil {
		t.Fatal(err)
	}
	url := start(t, program{variable: VersityGW, dir: dir, env: []string{"ROOT_ACCESS_KEY=" + AccessKey, "ROOT_SECRET_KEY=" + SecretKey},
		args: func(host, port string) []string {
			return []string{"--port", host + ":" + port, "--quiet", "posix", "data"}
		}})
	return &S3{Endpoint: url}
}

// MakeBucket makes a bucket.
func (s *S3) MakeBucket(t testing.TB, name string) {
	t.Helper()
	api := s3.New(s3.Options{BaseEndpoint: &s.Endpoint, UsePathStyle: true, Region: "us-east-1",
		Credentials: aws.CredentialsProviderFunc(func(context.Context) (aws.Credentials, error) {
			return aws.Credentials{AccessKeyID: AccessKey, SecretAccessKey: SecretKey}, nil
		})})
	if _, err := api.CreateBucket(t.Context(), &s3.CreateBucketInput{Bucket: &name}); err != nil {
		t.Fatal(err)
	}
}

// Options reach the server.
func (s *S3) Options() []storage.Option { return s.OptionsAt(s.Endpoint) }

// OptionsAt reach the server through another address, a proxy.
func (s *S3) OptionsAt(endpoint string) []storage.Option {
	return []storage.Option{storage.With("endpoint", endpoint), storage.With("access-key", AccessKey), storage.With("secret-key", SecretKey), storage.With("region", "us-east-1")}
}

// StartMoto starts moto_server: DynamoDB.
func StartMoto(t testing.TB) string {
	t.Helper()
	return start(t, program{variable: Moto, args: func(host, port string) []string { return []string{"-H", host, "-p", port} }})
}

// StartGCS starts fake-gcs-server with a bucket.
func StartGCS(t testing.TB, bucket string) string {
	t.Helper()
	url := start(t, program{variable: FakeGCS, args: func(host, port string) []string {
		at := host + ":" + port
		return []string{"-scheme", "http", "-host", host, "-port", port, "-backend", "memory", "-public-host", at, "-external-url", "http://" + at, "-log-level", "error"}
	}})
	body := bytes.NewReader(fmt.Appendf(nil, `{"name":%q}`, bucket))
	resp, err := http.Post(url+"/storage/v1/b?project=test", "application/json", body)
	if err != nil {
		t.Fatal(err)
	}
	resp.Body.Close()
	if resp.StatusCode != http.StatusOK {
		t.Fatalf("making the bucket: %s", resp.Status)
	}
	return url
}
