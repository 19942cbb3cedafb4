package s3

import (
	"errors"
	"fmt"
	"net/url"
	"os"
	"strconv"
	"strings"
	"time"

	"github.com/sluicelake/sluice/storage"
	"github.com/sluicelake/sluice/storage/remote"
)

// settings are the options of one handle, checked.
type settings struct {
	address   address
	region    string
	endpoint  string
	pathStyle bool

	accessKey, secretKey, token remote.Secret
	profile                     string
	role, session, externalID   string
	anonymous                   bool

	partSize int
	parallel int
	sse, key string

	logStore string // "", conditional, dynamodb, none
	mixed    bool
	dynamo   dynamoSettings
}

// dynamoSettings say where the log store of delta-spark keeps its entries.
type dynamoSettings struct {
	table, region, endpoint, scheme string
	ttl                             time.Duration
	create                          bool
	rcu, wcu                        int
}

// Sizes that S3 sets ("Amazon S3 multipart upload limits").
const (
	smallestPart = 5 << 20
	largestPart  = 5 << 30
	mostParts    = 10_000
)

// readSettings reads and checks the options. The Config it returns holds what
// remote.NewClient reads.
func readSettings(location string, cfg storage.Config) (settings, values, error) {
	a, err := parseAddress(location)
	if err != nil {
		return settings{}, nil, err
	}
	v, err := translate(cfg, a.bucket)
	if err != nil {
		return settings{}, nil, err
	}
	s := settings{address: a, region: v["region"], endpoint: v["endpoint"], profile: v["profile"], role: v["role"], session: v["role-session"],
		externalID: v["external-id"], accessKey: remote.NewSecret(v["access-key"]), secretKey: remote.NewSecret(v["secret-key"]),
		token: remote.NewSecret(v["session-token"]), sse: v["sse"], key: v["sse-kms-key"], logStore: v["log-store"]}
	problems := []error{s.checkEndpoint(v), s.checkCredentials(v), s.checkUpload(v), s.checkLogStore(v)}
	return s, v, errors.Join(problems...)
}

func (s *settings) checkEndpoint(v values) (err error) {
	custom := s.endpoint != "" || os.Getenv("AWS_ENDPOINT_URL") != "" || os.Getenv("AWS_ENDPOINT_URL_S3") != ""
	// Host names for buckets need a wildcard in DNS, and dots in them a
	// certificate that nobody has.
	if s.pathStyle, err = v.bool("path-style", custom || strings.Contains(s.address.bucket, ".")); err != nil {
		return err
	}
	http, err := v.bool("allow-http", true)
	if err != nil || s.endpoint == "" {
		return err
	}
	u, err := url.Parse(s.endpoint)
	if err != nil || u.Host == "" || (u.Scheme != "http" && u.Scheme != "https") || u.RawQuery != "" || u.User != nil {
		return errors.New("storage option endpoint: want a URL such as http://127.0.0.1:9000, without user and query")
	}
	if u.Scheme == "http" && !http {
		return errors.New("storage option endpoint is not https, and allow-http is false")
	}
	return nil
}

func (s *settings) checkCredentials(v values) (err error) {
	if s.anonymous, err = v.bool("anonymous", false); err != nil {
		return err
	}
	switch {
	case s.accessKey.IsSet() != s.secretKey.IsSet():
		return errors.New("storage options access-key and secret-key go together: one of them is missing")
	case s.token.IsSet() && !s.accessKey.IsSet():
		return errors.New("storage option session-token needs access-key and secret-key")
	case s.anonymous && (s.accessKey.IsSet() || s.role != ""):
		return errors.New("storage option anonymous=true excludes access-key and role")
	case s.accessKey.IsSet() && s.profile != "":
		return errors.New("storage options access-key and profile exclude each other")
	case s.role == "" && (s.session != "" || s.externalID != ""):
		return errors.New("storage options role-session and external-id need role")
	}
	return nil
}

func (s *settings) checkUpload(v values) (err error) {
	if s.partSize, err = v.size("part-size", 8<<20); err != nil {
		return err
	}
	if s.partSize < smallestPart || s.partSize > largestPart {
		return fmt.Errorf("storage option part-size=%d: S3 takes parts of %d to %d bytes", s.partSize, smallestPart, largestPart)
	}
	if s.parallel, err = v.number("parallel", 4); err != nil {
		return err
	}
	switch s.sse {
	case "", "AES256":
		if s.key != "" {
			return errors.New("storage option sse-kms-key needs sse=aws:kms")
		}
	case "aws:kms", "SSE-KMS":
		s.sse = "aws:kms"
	case "SSE-S3":
		s.sse = "AES256"
	default:
		return fmt.Errorf("storage option sse=%s: want AES256 or aws:kms", s.sse)
	}
	return nil
}

func (s *settings) checkLogStore(v values) (err error) {
	if s.mixed, err = v.bool("allow-mixed-writers", false); err != nil {
		return err
	}
	d := &s.dynamo
	d.table, d.region, d.endpoint, d.scheme = v["dynamodb-table"], v["dynamodb-region"], v["dynamodb-endpoint"], v["dynamodb-scheme"]
	if s.logStore == "" && (d.table != "" || d.endpoint != "") {
		s.logStore = "dynamodb"
	}
	switch s.logStore {
	case "", "conditional", "dynamodb", "none":
	default:
		return fmt.Errorf("storage option log-store=%s: want conditional, dynamodb or none", s.logStore)
	}
	if d.table == "" {
		d.table = "delta_log"
	}
	switch d.scheme {
	case "", "s3", "s3a", "s3n":
	default:
		return fmt.Errorf("storage option dynamodb-scheme=%s: want s3, s3a or s3n, the scheme by which Spark names the table", d.scheme)
	}
	seconds, err := v.number("dynamodb-ttl", 24*60*60)
	if err != nil {
		return err
	}
	d.ttl = time.Duration(seconds) * time.Second
	if d.create, err = v.bool("dynamodb-create", false); err != nil {
		return err
	}
	if d.rcu, err = v.number("dynamodb-rcu", 5); err != nil {
		return err
	}
	d.wcu, err = v.number("dynamodb-wcu", 5)
	return err
}

func (v values) bool(name string, fallback bool) (bool, error) {
	x, ok := v[name]
	if !ok {
		return fallback, nil
	}
	b, err := strconv.ParseBool(x)
	if err != nil {
		return false, fmt.Errorf("storage option %s=%s: want true or false", name, x)
	}
	return b, nil
}

func (v values) number(name string, fallback int) (int, error) {
	x, ok := v[name]
	if !ok {
		return fallback, nil
	}
	n, err := strconv.Atoi(x)
	if err != nil || n <= 0 {
		return 0, fmt.Errorf("storage option %s=%s: want a positive number", name, x)
	}
	return n, nil
}

// size reads bytes, with Hadoop's suffixes.
func (v values) size(name string, fallback int) (int, error) {
	x, ok := v[name]
	if !ok {
		return fallback, nil
	}
	digits, unit := strings.TrimSpace(x), 1
	if len(digits) > 1 {
		if i := strings.IndexByte("KMG", digits[len(digits)-1]&^0x20); i >= 0 {
			digits, unit = digits[:len(digits)-1], 1<<(10*(i+1))
		}
	}
	n, err := strconv.Atoi(digits)
	if err != nil || n <= 0 || n > largestPart/unit {
		return 0, fmt.Errorf("storage option %s=%s: want bytes, such as 8388608 or 8M", name, x)
	}
	return n * unit, nil
}
