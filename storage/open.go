package storage

import (
	"context"
	"fmt"
	"maps"
	"net/url"
	"slices"
	"strconv"
	"strings"
	"sync"
)

// Config is what the caller of Open asked of a store, as named values; each
// driver documents its own names.
type Config struct{ values map[string]string }

// Option sets something in a Config.
type Option func(*Config)

// With sets one named value, for example With("sync", "false").
func With(name, value string) Option {
	return func(c *Config) { c.values[name] = value }
}

// NewConfig makes a Config of options, for drivers that translate names.
func NewConfig(opts ...Option) Config {
	c := Config{values: map[string]string{}}
	for _, o := range opts {
		o(&c)
	}
	return c
}

// Value returns a named value; ok is false when it was not given.
func (c Config) Value(name string) (value string, ok bool) {
	value, ok = c.values[name]
	return value, ok
}

// Bool returns a named value as a truth value, or fallback when it was not given.
func (c Config) Bool(name string, fallback bool) (bool, error) {
	v, ok := c.values[name]
	if !ok {
		return fallback, nil
	}
	b, err := strconv.ParseBool(v)
	if err != nil {
		return false, fmt.Errorf("storage option %s=%s: want true or false", name, v)
	}
	return b, nil
}

// Only refuses values that are not in the list, so that a misspelt option is
// an error and not silence.
func (c Config) Only(names ...string) error {
	for _, k := range slices.Sorted(maps.Keys(c.values)) {
		if !slices.Contains(names, k) {
			return fmt.Errorf("storage option %s is not known here; known: %s", k, strings.Join(names, ", "))
		}
	}
	return nil
}

// Names are the names of the values that were given, sorted.
func (c Config) Names() []string { return slices.Sorted(maps.Keys(c.values)) }

// String says which options were given, never their values: some are secret.
func (c Config) String() string { return "options " + strings.Join(c.Names(), ", ") }

// GoString is String.
func (c Config) GoString() string { return c.String() }

// Format prints String for every verb.
func (c Config) Format(f fmt.State, _ rune) { fmt.Fprint(f, c.String()) }

// merge adds values that were not given explicitly.
func (c Config) merge(q url.Values) {
	for k, v := range q {
		if _, given := c.values[k]; !given && len(v) > 0 {
			c.values[k] = v[len(v)-1]
		}
	}
}

// Opener makes a Driver for a location. For URLs the query has been moved into cfg.
type Opener func(ctx context.Context, location string, cfg Config) (Driver, error)

var registry struct {
	sync.RWMutex
	openers map[string]Opener
	hosts   map[string]Opener // for https URLs, by a part of the host's name
	queries map[string]bool   // schemes whose URLs keep their query
}

// Register makes a scheme known to Open; drivers call it from init. The
// scheme "" stands for plain paths. Registering a scheme twice panics.
func Register(scheme string, open Opener) {
	registry.Lock()
	defer registry.Unlock()
	if _, dup := registry.openers[scheme]; dup {
		panic("storage: scheme " + strconv.Quote(scheme) + " is registered twice")
	}
	if registry.openers == nil {
		registry.openers = map[string]Opener{}
	}
	registry.openers[scheme] = open
}

// RegisterURL is Register for a scheme whose URLs keep their query, because it
// belongs to the address and not to the options: presigned URLs.
func RegisterURL(scheme string, open Opener) {
	Register(scheme, open)
	registry.Lock()
	defer registry.Unlock()
	if registry.queries == nil {
		registry.queries = map[string]bool{}
	}
	registry.queries[scheme] = true
}

// RegisterHost makes https URLs known to Open whose host name has the part, which is
// given with its dots (".blob.core."): stores that are also addressed by plain
// URLs. They go before a driver of the scheme https. Registering a part twice panics.
func RegisterHost(part string, open Opener) {
	registry.Lock()
	defer registry.Unlock()
	if _, dup := registry.hosts[part]; dup {
		panic("storage: the host " + strconv.Quote(part) + " is registered twice")
	}
	if registry.hosts == nil {
		registry.hosts = map[string]Opener{}
	}
	registry.hosts[part] = open
}

// opener finds the driver of a location, and whether the query is its own. The
// registry is locked.
func opener(scheme, location string) (open Opener, query, ok bool) {
	if scheme == "https" {
		host, _, _ := strings.Cut(location[len("https:"):], "?")
		host, _, _ = strings.Cut(strings.TrimLeft(host, "/"), "/")
		for _, part := range slices.Sorted(maps.Keys(registry.hosts)) {
			if strings.Contains(strings.ToLower(host), part) {
				return registry.hosts[part], false, true
			}
		}
	}
	open, ok = registry.openers[scheme]
	return open, registry.queries[scheme], ok
}

// Open opens the store that the location names: a plain path, or a URL whose
// scheme a driver has registered. A URL's query gives options that the caller
// does not set. Opening does not create anything.
func Open(ctx context.Context, location string, opts ...Option) (*Bucket, error) {
	if location == "" {
		return nil, fmt.Errorf("storage: the location is empty; want a path or a URL")
	}
	cfg := NewConfig(opts...)
	scheme := Scheme(location)
	registry.RLock()
	open, keep, ok := opener(scheme, location)
	known := slices.Sorted(maps.Keys(registry.openers))
	registry.RUnlock()
	if !ok {
		known = slices.DeleteFunc(known, func(s string) bool { return s == "" }) // plain paths
		return nil, fmt.Errorf("no driver for scheme %q of %s; known: %s (a path that looks like a URL can be written ./%s)",
			scheme, Redact(location), strings.Join(known, ", "), Redact(location))
	}
	if scheme != "" && !keep {
		if rest, query, has := strings.Cut(location, "?"); has {
			q, err := url.ParseQuery(query)
			if err != nil {
				return nil, fmt.Errorf("storage: the query of %s: %w", Redact(location), err)
			}
			cfg.merge(q)
			location = rest
		}
	}
	d, err := open(ctx, location, cfg)
	if err != nil {
		return nil, &Error{Op: "open", URL: Redact(location), Err: err}
	}
	return NewBucket(d), nil
}

// Scheme returns the lower-case URL scheme of a location, or "" for a path. A
// single letter is a Windows drive, not a scheme; a scheme needs "://" or, as
// Hadoop writes it, ":/" behind it.
func Scheme(location string) string {
	name, rest, ok := strings.Cut(location, ":")
	if !ok || len(name) < 2 || (!strings.HasPrefix(rest, "/") && !strings.EqualFold(name, "file")) {
		return ""
	}
	for i := range len(name) {
		c := name[i] | 0x20
		letter := c >= 'a' && c <= 'z'
		if !letter && (i == 0 || !(name[i] >= '0' && name[i] <= '9' || name[i] == '+' || name[i] == '-' || name[i] == '.')) {
			return ""
		}
	}
	return strings.ToLower(name)
}

// Redact removes what may be secret from a location: the query (signatures)
// and the password.
func Redact(location string) string {
	if Scheme(location) == "" {
		return location
	}
	location, _, _ = strings.Cut(location, "?")
	scheme, rest, ok := strings.Cut(location, "://")
	if !ok {
		return location
	}
	host, path, slash := strings.Cut(rest, "/")
	if user, at, has := strings.Cut(host, "@"); has {
		user, _, _ = strings.Cut(user, ":")
		host = user + "@" + at
	}
	if slash {
		host += "/"
	}
	return scheme + "://" + host + path
}

// escapePath percent-encodes a slash-separated path for a URL.
func escapePath(path string) string { return (&url.URL{Path: path}).EscapedPath() }
