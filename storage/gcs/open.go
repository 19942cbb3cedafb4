package gcs

import (
	"context"
	"errors"
	"fmt"
	"net/url"
	"os"
	"slices"
	"strconv"
	"strings"

	"github.com/sluicelake/sluice/storage"
	"github.com/sluicelake/sluice/storage/remote"
)

func init() { storage.Register("gs", open) }

// ownNames are the options in our own names.
var ownNames = append([]string{"credentials", "anonymous", "endpoint", "project", "chunk-size"}, remote.Options...)

// translations are names of others for our options, in lower case: those of
// Hadoop's connector (gcs-connector, CONFIGURATION.md), then those of delta-rs
// (object_store, GoogleConfigKey).
var translations = map[string]string{
	"google.cloud.auth.service.account.json.keyfile": "credentials",
	"fs.gs.auth.service.account.json.keyfile":        "credentials",
	"fs.gs.storage.root.url":                         "endpoint",
	"fs.gs.requester.pays.project.id":                "project",
	"fs.gs.project.id":                               "-", // for making buckets
	"fs.gs.impl":                                     "-",
	"google_service_account":                         "credentials",
	"service_account":                                "credentials",
	"google_service_account_path":                    "credentials",
	"service_account_path":                           "credentials",
	"google_service_account_key":                     "key",
	"service_account_key":                            "key",
	"google_application_credentials":                 "credentials",
	"application_credentials":                        "credentials",
	"google_skip_signature":                          "anonymous",
	"skip_signature":                                 "anonymous",
}

// settings are the options of one handle, checked.
type settings struct {
	bucket, path string // the path without slashes at its ends
	endpoint     string
	credentials  remote.Secret // the contents of a key file
	from         string        // where they come from, for people
	anonymous    bool
	project      string
	chunk        int
}

// largestObject is what the service takes ("Quotas and limits").
const (
	quantum   = 256 << 10 // chunks of resumable uploads are multiples of it
	mostChunk = 1 << 30
)

func readSettings(location string, cfg storage.Config) (settings, storage.Config, error) {
	s, err := parseLocation(location)
	if err != nil {
		return s, cfg, err
	}
	v := map[string]string{}
	names := map[string]string{}
	for _, n := range cfg.Names() {
		own := n
		if !slices.Contains(ownNames, n) {
			var ok bool
			if own, ok = translations[strings.TrimPrefix(strings.ToLower(n), "spark.hadoop.")]; !ok {
				return s, cfg, fmt.Errorf("storage option %s is not known here; known: %s, and names of Hadoop's connector and of delta-rs for the same", n, strings.Join(ownNames, ", "))
			}
		}
		x, _ := cfg.Value(n)
		if before, dup := v[own]; dup && before != x && own != "-" {
			return s, cfg, fmt.Errorf("the storage options %s and %s mean the same and have different values: give one of them", names[own], n)
		}
		v[own], names[own] = x, n
	}
	if s.anonymous, err = truth(v, "anonymous"); err != nil {
		return s, cfg, err
	}
	s.project = v["project"]
	s.readCredentials(v)
	if s.anonymous && s.credentials.IsSet() {
		return s, cfg, errors.New("the storage options credentials and anonymous=true exclude each other")
	}
	if err := s.readEndpoint(v["endpoint"]); err != nil {
		return s, cfg, err
	}
	s.chunk = 8 << 20
	if x, ok := v["chunk-size"]; ok {
		if s.chunk, err = strconv.Atoi(x); err != nil || s.chunk <= 0 || s.chunk%quantum != 0 || s.chunk > mostChunk {
			return s, cfg, fmt.Errorf("storage option chunk-size=%s: want bytes, a multiple of %d", x, quantum)
		}
	}
	var common []storage.Option
	for _, n := range remote.Options {
		if x, ok := v[n]; ok {
			common = append(common, storage.With(n, x))
		}
	}
	return s, storage.NewConfig(common...), nil
}

func parseLocation(location string) (s settings, err error) {
	_, rest, ok := strings.Cut(location, "://")
	bucket, path, _ := strings.Cut(rest, "/")
	if !ok || bucket == "" || strings.ContainsAny(bucket, "@:") {
		return s, errors.New("want a URL such as gs://BUCKET/PATH")
	}
	if strings.Contains(path, "#") {
		return s, errors.New("the URL has a fragment: write %23 for a # in the path")
	}
	if path, err = url.PathUnescape(strings.Trim(path, "/")); err != nil {
		return s, errors.New("the path of the URL cannot be read; special characters are written as %XX, % itself as %25")
	}
	if path != "" {
		if err := storage.CheckKey(path); err != nil {
			return s, fmt.Errorf("the path of the URL: %w", err)
		}
	}
	s.bucket, s.path = bucket, path
	return s, nil
}

// readCredentials takes a path as the contents of the file there.
func (s *settings) readCredentials(v map[string]string) {
	switch c := v["credentials"]; {
	case v["key"] != "":
		s.credentials = remote.NewSecret(v["key"])
	case c == "":
	case strings.HasPrefix(strings.TrimSpace(c), "{"), strings.HasPrefix(c, "env:"), strings.HasPrefix(c, "file:"), strings.Contains(c, "://"):
		s.credentials = remote.NewSecret(c)
	default:
		s.credentials = remote.NewSecret("file:" + c)
	}
	s.from = s.credentials.Origin()
}

func (s *settings) readEndpoint(given string) error {
	s.endpoint = "https://storage.googleapis.com"
	if given == "" {
		host := os.Getenv("STORAGE_EMULATOR_HOST")
		if host == "" {
			return nil
		}
		if given = host; !strings.Contains(host, "://") {
			given = "http://" + host
		}
		if !s.credentials.IsSet() {
			s.anonymous = true // as in Google's own clients
		}
	}
	u, err := url.Parse(given)
	if err != nil || u.Host == "" || (u.Scheme != "http" && u.Scheme != "https") || u.RawQuery != "" || u.User != nil {
		return errors.New("storage option endpoint (or STORAGE_EMULATOR_HOST): want a URL such as http://127.0.0.1:4443, without user and query")
	}
	s.endpoint = strings.TrimSuffix(u.String(), "/")
	return nil
}

func truth(v map[string]string, name string) (bool, error) {
	x, ok := v[name]
	if !ok {
		return false, nil
	}
	b, err := strconv.ParseBool(x)
	if err != nil {
		return false, fmt.Errorf("storage option %s=%s: want true or false", name, x)
	}
	return b, nil
}

func open(_ context.Context, location string, cfg storage.Config) (storage.Driver, error) {
	set, common, err := readSettings(location, cfg)
	if err != nil {
		return nil, err
	}
	client, err := remote.NewClient(common)
	if err != nil {
		return nil, err
	}
	// A reply that redirects is an answer of its own: 308 is how uploads are resumed.
	client.HTTP.CheckRedirect = stay
	return &Store{set: set, client: client}, nil
}
