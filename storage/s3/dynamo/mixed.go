package dynamo

import (
	"context"
	"errors"
	"fmt"
	"strings"

	"github.com/sluicelake/sluice/storage"
)

// readSpaces are the schemes under which a table has entries, at least the first
// of Options. They are found out once.
func (s *Store) readSpaces(ctx context.Context, f logFile) ([]string, error) {
	if s.o.Fixed {
		return s.o.Schemes[:1], nil
	}
	s.mu.Lock()
	known := s.spaces[f.table]
	s.mu.Unlock()
	if known != nil {
		return known, nil
	}
	var found []string
	for _, scheme := range s.o.Schemes {
		_, ok, err := s.entries.Latest(ctx, s.o.Path(scheme, f.table))
		if err != nil {
			return nil, err
		}
		if ok {
			found = append(found, scheme)
		}
	}
	if found == nil {
		// A new table, or one that is new to entries: looked at again until
		// somebody has made one.
		return s.o.Schemes[:1], nil
	}
	s.mu.Lock()
	s.spaces[f.table] = found
	s.mu.Unlock()
	return found, nil
}

// writeSpace is the scheme under which a table's commits are entered.
func (s *Store) writeSpace(ctx context.Context, f logFile) (string, error) {
	spaces, err := s.readSpaces(ctx, f)
	if err != nil {
		return "", err
	}
	if len(spaces) > 1 && !s.o.Mixed {
		return "", fmt.Errorf("%w: %s holds entries of this table under the schemes %s, which do not protect it from each other; let all writers name the table by one, and choose it by the option dynamodb-scheme",
			storage.ErrUnsupported, s.entries.Describe(), strings.Join(spaces, " and "))
	}
	return spaces[0], nil
}

// checkBefore is step 1: the commit before is there, and went the same way.
func (s *Store) checkBefore(ctx context.Context, scheme string, f logFile) error {
	v, ok := version(f.name)
	if !ok {
		return nil
	}
	path := s.o.Path(scheme, f.table)
	if v == 0 {
		e, found, err := s.entries.Get(ctx, path, f.name)
		if err == nil && found && e.Complete {
			// Unless another writer has just made it.
			if there, err := s.exists(ctx, f.key(f.name)); err != nil || there {
				return errors.Join(err, when(there, storage.ErrExist))
			}
			err = fmt.Errorf("old entries of %s still exist in %s: a table was deleted here and its entries were not; delete them too", path, s.entries.Describe())
		}
		return err
	}
	before := commitName(v - 1)
	e, found, err := s.entries.Get(ctx, path, before)
	if err != nil {
		return err
	}
	if found && !e.Complete {
		return s.recover(ctx, f, e)
	}
	there, err := s.exists(ctx, f.key(before))
	if err != nil {
		return err
	}
	if !there {
		return fmt.Errorf("%w: the commit before, %s", storage.ErrNotExist, f.key(before))
	}
	if !found && !s.o.Mixed {
		return s.strangers(ctx, scheme, f, v-1)
	}
	return nil
}

// strangers looks for writers that go another way, where the commit before has no
// entry: one that expired, or was made before there were any, is none.
func (s *Store) strangers(ctx context.Context, scheme string, f logFile, v int64) error {
	for _, other := range s.o.Schemes {
		if other == scheme {
			continue
		}
		_, found, err := s.entries.Get(ctx, s.o.Path(other, f.table), commitName(v))
		if err != nil {
			return err
		}
		if found {
			return fmt.Errorf("%w: version %d was entered in %s under %s, this handle enters under %s, and neither protects from the other; let all writers name the table by one scheme, and choose it by the option dynamodb-scheme",
				storage.ErrUnsupported, v, s.entries.Describe(), s.o.Path(other, f.table), s.o.Path(scheme, f.table))
		}
	}
	e, found, err := s.entries.Latest(ctx, s.o.Path(scheme, f.table))
	if err != nil || !found {
		return err
	}
	last, ok := leading(e.FileName)
	if ok && last < v && e.Complete && e.ExpireTime > s.o.Now().Unix() {
		return fmt.Errorf("%w: version %d has an entry in %s and the later version %d has none: somebody commits without entries, and commits could overwrite each other; let all writers use the DynamoDB log store, or none, or give the option allow-mixed-writers=true once you know that the other has stopped",
			storage.ErrUnsupported, last, s.entries.Describe(), v)
	}
	return nil
}
