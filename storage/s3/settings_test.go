package s3

import (
	"context"
	"errors"
	"fmt"
	"net/http"
	"net/http/httptest"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/sluicelake/sluice/storage"
	"github.com/sluicelake/sluice/storage/s3/dynamo"
)

func read(location string, opts ...string) (settings, error) {
	var o []storage.Option
	for _, kv := range opts {
		k, v, _ := strings.Cut(kv, "=")
		o = append(o, storage.With(k, v))
	}
	s, _, err := readSettings(location, storage.NewConfig(o...))
	return s, err
}

func TestLocations(t *testing.T) {
	for location, want := range map[string][3]string{
		"s3://b/a/t":         {"s3://b/a/t", "a/t/", "s3a://b/a/t"},
		"s3a://b/a%20b/t%2f": {"s3a://b/a%20b/t", "", ""}, // an escaped slash is a slash at the end
		"s3n://b":            {"s3n://b", "", "s3a://b/"},
		"S3://b/":            {"s3://b", "", "s3a://b/"},
		"s3://my.bucket/ä b": {"s3://my.bucket/%C3%A4%20b", "ä b/", "s3a://my.bucket/ä b"},
	} {
		a, err := parseAddress(location)
		if want[1] == "" && want[2] == "" {
			if err == nil {
				t.Errorf("%s was accepted as %+v", location, a)
			}
			continue
		}
		if err != nil || a.url() != want[0] || a.root() != want[1] || a.hadoopPath("s3a", "") != want[2] {
			t.Errorf("%s: %q %q %q, %v", location, a.url(), a.root(), a.hadoopPath("s3a", ""), err)
		}
	}
	for _, location := range []string{"s3:///x", "s3:/b/x", "s3://key:planted@b/x", "s3://b/a//b", "s3://b/../x", "s3://b/a#b", "s3://b/%zz"} {
		if a, err := parseAddress(location); err == nil || strings.Contains(err.Error(), "planted") {
			t.Errorf("%s: %+v, %v", location, a, err)
		}
	}
}

// The names of others mean what ours do.
func TestNames(t *testing.T) {
	t.Setenv("AWS_ENDPOINT_URL", "")
	t.Setenv("AWS_ENDPOINT_URL_S3", "")
	for _, c := range []struct {
		opts string
		want func(s settings) bool
	}{
		{"region=eu-west-1 path-style=true", func(s settings) bool { return s.region == "eu-west-1" && s.pathStyle }},
		{"", func(s settings) bool {
			return !s.pathStyle && s.logStore == "" && s.dynamo.table == "delta_log" && s.dynamo.ttl == 24*time.Hour
		}},
		{"fs.s3a.access.key=i fs.s3a.secret.key=s fs.s3a.endpoint=http://h:9000 fs.s3a.path.style.access=false", func(s settings) bool { return s.accessKey.IsSet() && s.endpoint == "http://h:9000" && !s.pathStyle }},
		{"spark.hadoop.fs.s3a.endpoint=h:9000 fs.s3a.connection.ssl.enabled=false", func(s settings) bool { return s.endpoint == "http://h:9000" && s.pathStyle }},
		{"fs.s3a.endpoint.region=a fs.s3a.bucket.b.endpoint.region=mine fs.s3a.bucket.other.endpoint.region=no", func(s settings) bool { return s.region == "mine" }},
		{"fs.s3a.endpoint.region=a region=own", func(s settings) bool { return s.region == "own" }},
		{"AWS_ACCESS_KEY_ID=i AWS_SECRET_ACCESS_KEY=s AWS_SESSION_TOKEN=t AWS_REGION=r AWS_ENDPOINT_URL=http://h AWS_ALLOW_HTTP=true", func(s settings) bool { return s.token.IsSet() && s.region == "r" && s.endpoint == "http://h" }},
		{"aws_virtual_hosted_style_request=false", func(s settings) bool { return s.pathStyle }},
		{"fs.s3a.aws.credentials.provider=org.apache.hadoop.fs.s3a.AnonymousAWSCredentialsProvider", func(s settings) bool { return s.anonymous }},
		{"AWS_SKIP_SIGNATURE=true", func(s settings) bool { return s.anonymous }},
		{"fs.s3a.multipart.size=64M", func(s settings) bool { return s.partSize == 64<<20 }},
		{"AWS_S3_LOCKING_PROVIDER=dynamodb DELTA_DYNAMO_TABLE_NAME=locks", func(s settings) bool { return s.logStore == "dynamodb" && s.dynamo.table == "locks" }},
		{"spark.delta.logStore.s3a.impl=io.delta.storage.S3DynamoDBLogStore spark.io.delta.storage.S3DynamoDBLogStore.ddb.tableName=n io.delta.storage.S3DynamoDBLogStore.ddb.region=r io.delta.storage.S3DynamoDBLogStore.ddb.ttl=60",
			func(s settings) bool {
				return s.logStore == "dynamodb" && s.dynamo.table == "n" && s.dynamo.region == "r" && s.dynamo.ttl == time.Minute
			}},
		{"dynamodb-table=n", func(s settings) bool { return s.logStore == "dynamodb" }},
		{"conditional_put=etag", func(s settings) bool { return s.logStore == "" }},
	} {
		s, err := read("s3://b/t", strings.Fields(c.opts)...)
		if err != nil || !c.want(s) {
			t.Errorf("%s: %+v, %v", c.opts, s, err)
		}
	}
	for opts, want := range map[string]string{
		"acces-key=x":                                    "acces-key is not known here",
		"fs.s3a.fast.upload=true":                        "is not known here",
		"access-key=x":                                   "go together",
		"AWS_REGION=a fs.s3a.endpoint.region=b":          "mean the same",
		"endpoint=ftp://x":                               "want a URL",
		"endpoint=http://u:planted@x":                    "want a URL",
		"endpoint=http://x allow-http=false":             "not https",
		"part-size=1000":                                 "S3 takes parts",
		"log-store=file":                                 "want conditional, dynamodb or none",
		"path-style=perhaps":                             "want true or false",
		"dynamodb-scheme=gs":                             "want s3, s3a or s3n",
		"anonymous=true access-key=a secret-key=planted": "excludes",
		"fs.s3a.aws.credentials.provider=com.acme.Vault": "only a JVM can load",
		"spark.delta.logStore.class=org.apache.spark.sql.delta.storage.S3SingleDriverLogStore": "inside one JVM only",
	} {
		s, err := read("s3://b/t", strings.Fields(opts)...)
		if err == nil || !strings.Contains(err.Error(), want) || strings.Contains(err.Error(), "planted") {
			t.Errorf("%s: %+v, %v", opts, s, err)
		}
	}
}

// The standard chain, and what is said when it ends without credentials.
func TestCredentials(t *testing.T) {
	srv := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		if !strings.Contains(r.Header.Get("Authorization"), "Credential=") {
			w.WriteHeader(http.StatusForbidden)
		}
	}))
	defer srv.Close()
	none := filepath.Join(t.TempDir(), "none")
	for k, v := range map[string]string{"AWS_EC2_METADATA_DISABLED": "true", "AWS_CONFIG_FILE": none, "AWS_SHARED_CREDENTIALS_FILE": none,
		"AWS_ACCESS_KEY_ID": "", "AWS_SECRET_ACCESS_KEY": "", "AWS_SESSION_TOKEN": "", "AWS_PROFILE": "", "AWS_REGION": "", "AWS_DEFAULT_REGION": ""} {
		t.Setenv(k, v)
	}
	put := func(opts ...storage.Option) (error, string) {
		b, err := storage.Open(t.Context(), "s3://b/t", append(opts, storage.With("endpoint", srv.URL), storage.With("log-store", "conditional"))...)
		if err != nil {
			return err, ""
		}
		defer b.Close()
		err = b.PutIfAbsent(t.Context(), "k", nil)
		return err, b.Describe()["credential"]
	}
	err, who := put()
	if !errors.Is(err, storage.ErrPermission) || errors.Is(err, storage.ErrOutcomeUnknown) || !strings.Contains(err.Error(), "standard chain") {
		t.Errorf("no credentials: %v (%s)", err, who)
	}
	if err, who := put(storage.With("access-key", "env:NOT_THERE"), storage.With("secret-key", "file:"+none)); !errors.Is(err, storage.ErrPermission) || !strings.Contains(err.Error(), "env:NOT_THERE") {
		t.Errorf("a secret that is not there: %v (%s)", err, who)
	}
	if err, _ := put(storage.With("profile", "none")); !errors.Is(err, storage.ErrPermission) || errors.Is(err, storage.ErrOutcomeUnknown) {
		t.Errorf("a profile that is not there: %v", err)
	}
	t.Setenv("AWS_ACCESS_KEY_ID", "planted-id")
	t.Setenv("AWS_SECRET_ACCESS_KEY", "planted-secret")
	if err, who := put(); err != nil || !strings.Contains(who, "EnvConfigCredentials") || strings.Contains(who, "planted") {
		t.Errorf("from the environment: %v (%s)", err, who)
	}
	if err, who := put(storage.With("anonymous", "true")); !errors.Is(err, storage.ErrPermission) || who != "anonymous" {
		t.Errorf("anonymous: %v (%s)", err, who)
	}
}

func TestProtection(t *testing.T) {
	for opts, want := range map[string]string{"": "*dynamo.Guard", "log-store=dynamodb": "*dynamo.Store", "log-store=conditional": "*s3.Store", "log-store=none": "*s3.Store"} {
		set, err := read("s3://b/t", strings.Fields(opts)...)
		if err != nil {
			t.Fatal(err)
		}
		d := protect(&Store{set: set})
		if got := fmt.Sprintf("%T", d); got != want {
			t.Errorf("%s: %s, want %s", opts, got, want)
		}
		if s, ok := d.(*dynamo.Store); ok && !strings.Contains(s.Describe()["put-if-absent"], "table delta_log (region us-east-1)") {
			t.Errorf("%v", s.Describe())
		}
	}
	set, _ := read("s3://b/t", "log-store=none")
	if err := (&Store{set: set}).PutIfAbsent(context.Background(), "k", nil); !errors.Is(err, storage.ErrReadOnly) {
		t.Errorf("log-store=none: %v", err)
	}
}
