package memory

import (
	"context"
	"fmt"
	"net/url"
	"strings"
	"sync"

	"github.com/sluicelake/sluice/storage"
)

func init() { storage.Register("memory", open) }

// named holds the stores behind memory:// URLs; they live as long as the process.
var named struct {
	sync.Mutex
	stores map[string]*Store
}

// open finds or makes the store of memory://name, or of a place inside it:
// memory://name/path/to/table. Handles with the same name see the same objects.
func open(_ context.Context, location string, cfg storage.Config) (storage.Driver, error) {
	if err := cfg.Only(); err != nil {
		return nil, err
	}
	u, err := url.Parse(location)
	if err != nil {
		return nil, err
	}
	path := strings.Trim(u.Path, "/")
	if path != "" {
		if err := storage.CheckKey(path); err != nil {
			return nil, fmt.Errorf("the path of %s: %w", location, err)
		}
		path += "/"
	}
	named.Lock()
	defer named.Unlock()
	root, ok := named.stores[u.Host]
	if !ok {
		if named.stores == nil {
			named.stores = map[string]*Store{}
		}
		root = New(WithURL("memory://" + u.Host))
		named.stores[u.Host] = root
	}
	if path == "" {
		return root, nil
	}
	return &place{root, path}, nil
}

// Forget drops a named store and its objects.
func Forget(name string) {
	named.Lock()
	defer named.Unlock()
	delete(named.stores, name)
}
