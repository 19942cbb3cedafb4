package remote

import (
	"crypto/tls"
	"crypto/x509"
	"fmt"
	"net"
	"net/http"
	"os"
	"strconv"
	"time"

	"github.com/sluicelake/sluice/storage"
)

// Options are the names of the settings that every network store takes.
var Options = []string{"timeout", "retries", "connections", "ca-file"}

// Client are the settings of a network store that do not depend on its kind.
type Client struct {
	HTTP    *http.Client
	Policy  Policy
	Timeout time.Duration // of one request, its body included
}

// NewClient reads the common options: timeout (of one request; default 2m),
// retries (attempts of one request; default 6), connections (to one host;
// default 64) and ca-file (PEM certificates that are trusted besides the system's).
func NewClient(cfg storage.Config) (*Client, error) {
	c := &Client{Timeout: 2 * time.Minute}
	if v, ok := cfg.Value("timeout"); ok {
		d, err := time.ParseDuration(v)
		if err != nil || d <= 0 {
			return nil, fmt.Errorf("storage option timeout=%s: want a duration such as 30s", v)
		}
		c.Timeout = d
	}
	var err error
	if c.Policy.Attempts, err = positive(cfg, "retries", 6); err != nil {
		return nil, err
	}
	connections, err := positive(cfg, "connections", 64)
	if err != nil {
		return nil, err
	}
	t := &http.Transport{
		Proxy:                 http.ProxyFromEnvironment,
		DialContext:           (&net.Dialer{Timeout: 15 * time.Second, KeepAlive: 30 * time.Second}).DialContext,
		TLSHandshakeTimeout:   15 * time.Second,
		ResponseHeaderTimeout: c.Timeout,
		IdleConnTimeout:       90 * time.Second,
		MaxConnsPerHost:       connections,
		MaxIdleConnsPerHost:   connections,
		DisableCompression:    true, // sizes and ranges are those of the stored bytes
		// One request a connection: large bodies do not share one stream of bytes, and
		// a cut connection fails one request, in a way that can be told.
		TLSNextProto: map[string]func(string, *tls.Conn) http.RoundTripper{},
	}
	if file, ok := cfg.Value("ca-file"); ok {
		pem, err := os.ReadFile(file)
		if err != nil {
			return nil, fmt.Errorf("storage option ca-file: %w", err)
		}
		pool, err := x509.SystemCertPool()
		if err != nil {
			pool = x509.NewCertPool()
		}
		if !pool.AppendCertsFromPEM(pem) {
			return nil, fmt.Errorf("storage option ca-file=%s: the file holds no PEM certificate", file)
		}
		t.TLSClientConfig = &tls.Config{RootCAs: pool, MinVersion: tls.VersionTLS12}
	}
	c.HTTP = &http.Client{Transport: t}
	return c, nil
}

// Close frees idle connections.
func (c *Client) Close() { c.HTTP.CloseIdleConnections() }

func positive(cfg storage.Config, name string, fallback int) (int, error) {
	v, ok := cfg.Value(name)
	if !ok {
		return fallback, nil
	}
	n, err := strconv.Atoi(v)
	if err != nil || n <= 0 {
		return 0, fmt.Errorf("storage option %s=%s: want a positive number", name, v)
	}
	return n, nil
}
