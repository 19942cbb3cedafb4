package address

import (
	"context"
	"errors"
	"fmt"
	"strings"
	"sync"

	"github.com/sluicelake/sluice/storage"
)

// ErrNotAllowed refuses an address that no Place covers.
var ErrNotAllowed = errors.New("not in a place that was allowed")

// Place is a part of some store that may be read though it lies outside of a
// table.
type Place struct {
	Prefix string // of addresses as the log spells them
	Now    string // where what had this prefix lies now; "": there
}

// Allowed opens files in places that a user has named. It is safe for concurrent
// use.
type Allowed struct {
	places []Place
	open   func(ctx context.Context, location string) (*storage.Bucket, error)
	mu     sync.Mutex
	opened map[string]*storage.Bucket
}

// Allow makes an Allowed of places; open opens the stores that they lie in.
func Allow(places []Place, open func(ctx context.Context, location string) (*storage.Bucket, error)) (*Allowed, error) {
	for _, p := range places {
		if !Absolute(p.Prefix) {
			return nil, fmt.Errorf("the prefix %q is not an address: begin it with / or with a scheme such as s3://", p.Prefix)
		}
		if strings.Contains(Plain(p.Prefix)+"/", "/../") {
			return nil, fmt.Errorf("the prefix %q climbs with ..", p.Prefix)
		}
	}
	return &Allowed{places: places, open: open, opened: map[string]*storage.Bucket{}}, nil
}

// Find is the bucket and key of an address of the log; ErrNotAllowed when it lies
// in none of the places. The longest prefix counts. A bucket begins at the
// prefix, so no key leads out of the place.
func (a *Allowed) Find(ctx context.Context, addr string) (*storage.Bucket, string, error) {
	best, key := -1, ""
	for i, p := range a.places {
		rest, ok := Below(addr, p.Prefix)
		if ok && (best < 0 || len(Plain(p.Prefix)) > len(Plain(a.places[best].Prefix))) {
			best, key = i, rest
		}
	}
	if best < 0 {
		return nil, "", ErrNotAllowed
	}
	key, ok := Key(key)
	if !ok {
		return nil, "", ErrNotAllowed
	}
	p := a.places[best]
	at := p.Now
	if at == "" {
		if at = p.Prefix; scheme(at) == "" || scheme(at) == "file" {
			at = Plain(at) // a path, without escapes
		}
	}
	a.mu.Lock()
	defer a.mu.Unlock()
	b := a.opened[at]
	if b == nil {
		var err error
		if b, err = a.open(ctx, at); err != nil {
			return nil, "", err
		}
		a.opened[at] = b
	}
	return b, key, nil
}

// Close closes what was opened.
func (a *Allowed) Close() error {
	a.mu.Lock()
	defer a.mu.Unlock()
	var errs []error
	for at, b := range a.opened {
		errs = append(errs, b.Close())
		delete(a.opened, at)
	}
	return errors.Join(errs...)
}
