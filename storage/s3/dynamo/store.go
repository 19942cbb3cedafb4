package dynamo

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"maps"
	"strings"
	"sync"
	"time"

	"github.com/google/uuid"

	"github.com/sluicelake/sluice/storage"
)

// Options set up a Store.
type Options struct {
	// Path is the URL, as Hadoop prints it, of a table below the driver's root.
	Path func(scheme, below string) string
	// Schemes are the key spaces to look into; the first is that of a new table.
	Schemes []string
	// Fixed keeps to the first scheme, whatever is found under the others.
	Fixed bool
	// TTL is how long complete entries stay; 0 is a day.
	TTL time.Duration
	// Mixed lets this handle write though others seem to write without entries.
	Mixed bool
	Now   func() time.Time // nil is the clock
}

// Store is a driver whose commits go through entries. Everything else goes
// straight to the driver below.
type Store struct {
	storage.Driver
	entries Entries
	o       Options

	mu     sync.Mutex
	spaces map[string][]string // schemes in use, by table
}

// New wraps a driver.
func New(below storage.Driver, entries Entries, o Options) *Store {
	if o.TTL <= 0 {
		o.TTL = 24 * time.Hour
	}
	if o.Now == nil {
		o.Now = time.Now
	}
	return &Store{Driver: below, entries: entries, o: o, spaces: map[string][]string{}}
}

// Below is the driver that files lie in.
func (s *Store) Below() storage.Driver { return s.Driver }

// DeleteMany is the driver's: a deletion needs no entry.
func (s *Store) DeleteMany(ctx context.Context, keys []string) (int, error) {
	return deleteMany(ctx, s.Driver, keys)
}

// MaxDeletes is the driver's.
func (s *Store) MaxDeletes() int { return maxDeletes(s.Driver) }

func deleteMany(ctx context.Context, d storage.Driver, keys []string) (int, error) {
	if m, ok := storage.As[storage.ManyDeleter](d); ok {
		return m.DeleteMany(ctx, keys)
	}
	return 0, storage.ErrUnsupported
}

func maxDeletes(d storage.Driver) int {
	if m, ok := storage.As[storage.ManyDeleter](d); ok {
		return m.MaxDeletes()
	}
	return 1
}

// PutHint creates what only spares readers work: it needs no entry.
func (s *Store) PutHint(ctx context.Context, key string, data []byte) error {
	return s.Driver.PutIfAbsent(ctx, key, data)
}

// finish bounds the steps behind the commit when the caller has gone.
const finish = 10 * time.Second

// PutIfAbsent takes the steps of the protocol for files of a log.
func (s *Store) PutIfAbsent(ctx context.Context, key string, data []byte) error {
	f, ok := parseKey(key)
	if !ok {
		return s.Driver.PutIfAbsent(ctx, key, data)
	}
	if err := ctx.Err(); err != nil {
		return err
	}
	scheme, err := s.writeSpace(ctx, f)
	if err != nil {
		return err
	}
	if there, err := s.exists(ctx, key); err != nil || there {
		return errors.Join(err, when(there, storage.ErrExist))
	}
	if err := s.checkBefore(ctx, scheme, f); err != nil {
		return err
	}
	e := Entry{TablePath: s.o.Path(scheme, f.table), FileName: f.name, TempPath: ".tmp/" + f.name + "." + uuid.NewString()}
	temp := f.key(e.TempPath)
	if err := s.Driver.Put(ctx, temp, data); err != nil {
		return fmt.Errorf("the temporary file %s: %w", temp, err)
	}
	if err := s.claim(ctx, e); err != nil {
		if !errors.Is(err, storage.ErrOutcomeUnknown) {
			_ = s.Driver.Delete(context.WithoutCancel(ctx), temp) // nothing points to it
		}
		return err
	}
	// Committed. What fails from here on is carried out by whoever looks next.
	after, cancel := context.WithTimeout(context.WithoutCancel(ctx), finish)
	defer cancel()
	if err := s.publish(after, key, data); errors.Is(err, storage.ErrExist) {
		stored, _, err := s.Driver.Get(after, key)
		if err == nil && !bytes.Equal(stored, data) {
			return fmt.Errorf("%w: %s was written around the entries of %s", storage.ErrExist, key, s.entries.Describe())
		}
	} else if err != nil {
		return nil
	}
	_ = s.complete(after, e)
	return nil
}

// claim puts the entry, the one step that decides. ErrExist means that the entry
// there is another's: ours, which is told by its temporary file, may be there
// already when the request was sent twice on its way. While nobody knows, the put
// may be sent again, because it changes nothing the second time.
func (s *Store) claim(ctx context.Context, e Entry) error {
	var err error
	for range attempts {
		err = s.entries.PutIfAbsent(ctx, e)
		if errors.Is(err, storage.ErrExist) {
			found, ok, look := s.entries.Get(ctx, e.TablePath, e.FileName)
			switch {
			case look == nil && ok && found.TempPath == e.TempPath:
				return nil
			case look == nil && ok:
				return storage.ErrExist
			}
			err = fmt.Errorf("%w: the entry of %s cannot be read back", storage.ErrOutcomeUnknown, e.FileName)
		}
		if !errors.Is(err, storage.ErrOutcomeUnknown) || ctx.Err() != nil {
			return err
		}
	}
	return err
}

// publish copies a commit under its name. Stores without conditional puts get a
// look and a plain put, which is what Spark does.
func (s *Store) publish(ctx context.Context, key string, data []byte) error {
	err := s.Driver.PutIfAbsent(ctx, key, data)
	if !errors.Is(err, storage.ErrUnsupported) {
		return err
	}
	if there, err := s.exists(ctx, key); err != nil || there {
		return errors.Join(err, when(there, storage.ErrExist))
	}
	return s.Driver.Put(ctx, key, data)
}

func (s *Store) complete(ctx context.Context, e Entry) error {
	e.Complete, e.ExpireTime = true, s.o.Now().Add(s.o.TTL).Unix()
	return s.entries.Put(ctx, e)
}

func (s *Store) exists(ctx context.Context, key string) (bool, error) {
	_, err := s.Driver.Stat(ctx, key)
	if errors.Is(err, storage.ErrNotExist) {
		return false, nil
	}
	return err == nil, err
}

func when(cond bool, err error) error {
	if cond {
		return err
	}
	return nil
}

// Describe adds the protection to what the driver below tells.
func (s *Store) Describe() map[string]string {
	d := map[string]string{}
	if b, ok := s.Driver.(storage.Describer); ok {
		maps.Copy(d, b.Describe())
	}
	d["put-if-absent"] = "entries in " + s.entries.Describe() + " (S3DynamoDBLogStore)"
	s.mu.Lock()
	defer s.mu.Unlock()
	for table, schemes := range s.spaces {
		if len(schemes) > 0 {
			d["entries of "+s.o.Path(schemes[0], table)] = "under " + strings.Join(schemes, ", ")
		}
	}
	return d
}
