package azure

import (
	"context"
	"errors"
	"fmt"
	"net/http"
	"path"
	"strings"
	"sync"

	"github.com/sluicelake/sluice/storage"
	"github.com/sluicelake/sluice/storage/remote"
)

func init() {
	for _, scheme := range []string{"abfss", "abfs", "wasbs", "wasb", "az", "azure", "adl"} {
		storage.Register(scheme, open)
	}
	for _, host := range []string{".blob.core.", ".dfs.core.", ".blob.fabric.", ".dfs.fabric.", ".blob.storage.azure.", ".dfs.storage.azure."} {
		storage.RegisterHost(host, open)
	}
}

// Store is a storage.Driver for a place in a container. It signs in when it is
// first used.
type Store struct {
	set    settings
	client *remote.Client
	vaults *vaults
	root   string // of keys: "" or ends in a slash

	mu   sync.Mutex
	conn *connection
}

// connection is what signing in gives.
type connection struct {
	door door
	hide redactor
}

// door is one of the two endpoints. Paths are those of the container. Each call of
// read, stat, remove and page is one request.
type door interface {
	read(ctx context.Context, path string, offset, length int64) ([]byte, storage.Object, error)
	stat(ctx context.Context, path string) (storage.Object, error)
	remove(ctx context.Context, path string) error
	page(ctx context.Context, l listing, token string) (entries []entry, next string, err error)
	// put writes a whole object; if absent it is exclusive, and sent by Policy.Once.
	put(ctx context.Context, path string, data []byte, ifAbsent bool) error
	// upload begins an object of several blocks.
	upload(path string) upload
}

// whole is the length of a read to the end.
const whole = -1

// open reads the options; nothing is sent.
func open(_ context.Context, location string, cfg storage.Config) (storage.Driver, error) {
	set, err := readSettings(location, cfg)
	if err != nil {
		return nil, err
	}
	c, err := remote.NewClient(cfg)
	if err != nil {
		return nil, err
	}
	s := &Store{set: set, client: c}
	s.vaults = &vaults{id: set.vault, url: set.vaultURL, suffix: set.address.suffix(), http: func() (*http.Client, error) { return c.HTTP, nil }}
	if set.address.path != "" {
		s.root = set.address.path + "/"
	}
	if set.address.api == "dfs" {
		return &Lake{s}, nil
	}
	return &Blobs{Store: s}, nil
}

// URL is the place, without secrets.
func (s *Store) URL() string { return s.set.address.url() }

// String is URL, so that printing a Store shows nothing else.
func (s *Store) String() string { return s.URL() }

// Format prints the URL for every verb: what a Store holds is secret in part.
func (s *Store) Format(f fmt.State, _ rune) { fmt.Fprint(f, s.URL()) }

// Close frees idle connections.
func (s *Store) Close() error {
	s.client.Close()
	return nil
}

// Describe says how the store is reached. It names credentials, it does not show them.
func (s *Store) Describe() map[string]string {
	a := s.set.address
	d := map[string]string{"store": "Azure Blob Storage, blob endpoint", "account": a.account, "container": a.container, "endpoint": s.set.base,
		"credential": s.set.identity.describe(), "put-if-absent": "Put Blob with If-None-Match: *"}
	if a.api == "dfs" {
		d["store"] = "Azure Data Lake Storage Gen2, dfs endpoint"
		d["put-if-absent"] = "rename with If-None-Match: * (needs a hierarchical namespace)"
	}
	if s.set.identity.usesVault() {
		d["vault-credential"] = s.set.vault.describe()
	}
	return d
}

func (id identity) usesVault() bool {
	for _, secret := range []remote.Secret{id.secret, id.cert, id.certPass, id.key, id.sas} {
		if strings.HasPrefix(secret.Origin(), "keyvault://") {
			return true
		}
	}
	return false
}

func (s *Store) fromVault(ctx context.Context, ref string) (string, error) {
	return s.vaults.secret(ctx, ref)
}

// connect signs in, once.
func (s *Store) connect(ctx context.Context) (*connection, error) {
	if err := ctx.Err(); err != nil {
		return nil, err
	}
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.conn != nil {
		return s.conn, nil
	}
	a, secrets, err := s.resolve(ctx)
	hide := redactor(secrets)
	if err != nil {
		return nil, remote.NotSent(noObject(hide.clean(err)))
	}
	c := &connection{hide: hide}
	if s.set.address.api == "dfs" {
		c.door = newDFS(s, c, a)
	} else if c.door, err = newBlobs(s, c, a); err != nil {
		return nil, remote.NotSent(noObject(hide.clean(err)))
	}
	s.conn = c
	return c, nil
}

// disconnect forgets a sign-in that was turned away, so that a secret that was
// renewed since is looked up again.
func (s *Store) disconnect(c *connection, err error) {
	if !errors.Is(err, storage.ErrPermission) {
		return
	}
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.conn == c {
		s.conn = nil
	}
}

// once sends one request under its time limit and cleans its error.
func (s *Store) once(ctx context.Context, c *connection, send func(ctx context.Context) error) error {
	limited, cancel := context.WithTimeout(ctx, s.client.Timeout)
	defer cancel()
	err := c.hide.clean(send(limited))
	switch {
	case err == nil:
		return nil
	case ctx.Err() != nil && !errors.Is(err, ctx.Err()):
		return fmt.Errorf("%w: %w", ctx.Err(), err)
	case ctx.Err() == nil && limited.Err() != nil:
		return fmt.Errorf("no answer within %s: %w", s.client.Timeout, context.DeadlineExceeded)
	}
	return err
}

// repeat sends a request as often as its errors allow.
func (s *Store) repeat(ctx context.Context, send func(ctx context.Context, c *connection) error) error {
	c, err := s.connect(ctx)
	if err != nil {
		return err
	}
	err = s.client.Policy.Repeat(ctx, func(ctx context.Context) error {
		return s.once(ctx, c, func(ctx context.Context) error { return send(ctx, c) })
	})
	s.disconnect(c, err)
	return err
}

// path is where an object lies in the container. Names that the service changes or
// cannot list are refused: backslashes become slashes there, and control
// characters are not XML.
func (s *Store) path(key string) (string, error) {
	if strings.ContainsFunc(key, func(r rune) bool { return r < ' ' || r == '\\' || r == 0x7f || r == 0xfffe || r == 0xffff }) {
		return "", fmt.Errorf("%w %q: Azure does not keep backslashes and control characters in names", storage.ErrInvalidKey, key)
	}
	if isTemp(path.Base(key)) {
		return "", fmt.Errorf("%w %q: such names are kept for temporary files", storage.ErrInvalidKey, key)
	}
	return s.root + key, nil
}

// Get reads a whole object.
func (s *Store) Get(ctx context.Context, key string) ([]byte, storage.Object, error) {
	var data []byte
	var obj storage.Object
	p, err := s.path(key)
	if err == nil {
		err = s.repeat(ctx, func(ctx context.Context, c *connection) (err error) {
			data, obj, err = c.door.read(ctx, p, 0, whole)
			return err
		})
	}
	if err != nil {
		return nil, storage.Object{}, err
	}
	obj.Key = key
	return data, obj, nil
}

// GetRange reads a part of an object.
func (s *Store) GetRange(ctx context.Context, key string, offset, length int64) ([]byte, error) {
	if length == 0 {
		_, err := s.Stat(ctx, key)
		return nil, err
	}
	p, err := s.path(key)
	if err != nil {
		return nil, err
	}
	var data []byte
	err = s.repeat(ctx, func(ctx context.Context, c *connection) (err error) {
		data, _, err = c.door.read(ctx, p, offset, length)
		return err
	})
	if isStatus(err, http.StatusRequestedRangeNotSatisfiable) {
		_, err := s.Stat(ctx, key) // it begins behind the end, unless this is a directory
		return nil, err
	}
	return data, err
}

// Stat describes an object.
func (s *Store) Stat(ctx context.Context, key string) (storage.Object, error) {
	p, err := s.path(key)
	if err != nil {
		return storage.Object{}, err
	}
	var obj storage.Object
	err = s.repeat(ctx, func(ctx context.Context, c *connection) (err error) {
		obj, err = c.door.stat(ctx, p)
		return err
	})
	obj.Key = key
	return obj, err
}

// Delete removes an object. A directory is none.
func (s *Store) Delete(ctx context.Context, key string) error {
	p, err := s.path(key)
	if err != nil {
		return err
	}
	err = s.repeat(ctx, func(ctx context.Context, c *connection) error { return c.door.remove(ctx, p) })
	if errors.Is(err, storage.ErrNotExist) || isCode(err, "DirectoryNotEmpty", "DirectoryIsNotEmpty") {
		return nil
	}
	return err
}

// PutIfAbsent creates an object or returns storage.ErrExist.
func (s *Store) PutIfAbsent(ctx context.Context, key string, data []byte) error {
	return s.put(ctx, key, data, true)
}

// Put creates or replaces an object.
func (s *Store) Put(ctx context.Context, key string, data []byte) error {
	return s.put(ctx, key, data, false)
}

func (s *Store) put(ctx context.Context, key string, data []byte, ifAbsent bool) error {
	p, err := s.path(key)
	if err != nil {
		return err
	}
	c, err := s.connect(ctx)
	if err != nil {
		return err
	}
	err = c.door.put(ctx, p, data, ifAbsent)
	s.disconnect(c, err)
	return err
}

// Create streams a new object.
func (s *Store) Create(ctx context.Context, key string) (storage.Writer, error) {
	p, err := s.path(key)
	if err != nil {
		return nil, err
	}
	c, err := s.connect(ctx)
	if err != nil {
		return nil, err
	}
	return newWriter(ctx, c.door.upload(p), s.set.blockSize, s.set.parallel), nil
}
