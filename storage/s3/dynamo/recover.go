package dynamo

import (
	"context"
	"errors"
	"fmt"
	"iter"
	"strings"

	"github.com/sluicelake/sluice/storage"
)

// attempts of a recovery, as many as Spark makes.
const attempts = 4

// recover carries the commit of an incomplete entry to its end
// (BaseExternalLogStore.fixDeltaLog). Several may do it at the same time: the
// bytes are the same.
func (s *Store) recover(ctx context.Context, f logFile, e Entry) error {
	if e.Complete {
		return nil
	}
	var err error
	for range attempts {
		if err = s.recoverOnce(ctx, f, e); err == nil || ctx.Err() != nil {
			break
		}
	}
	if err != nil {
		return fmt.Errorf("the commit %s of %s is in %s and could not be carried to its end: %w", e.FileName, e.TablePath, s.entries.Describe(), err)
	}
	return nil
}

func (s *Store) recoverOnce(ctx context.Context, f logFile, e Entry) error {
	target := f.key(e.FileName)
	there, err := s.exists(ctx, target)
	if err != nil {
		return err
	}
	if !there {
		temp := f.key(e.TempPath)
		if err := storage.CheckKey(temp); err != nil {
			return err
		}
		data, _, err := s.Driver.Get(ctx, temp)
		if errors.Is(err, storage.ErrNotExist) {
			if there, _ := s.exists(ctx, target); !there {
				return fmt.Errorf("its temporary file %s is gone (a rule that removes old files of .tmp?); if no reader has seen the version, delete the entry: %w", temp, err)
			}
		} else if err != nil {
			return err
		} else if err := s.publish(ctx, target, data); err != nil && !errors.Is(err, storage.ErrExist) {
			return err
		}
	}
	return s.complete(ctx, e)
}

// recovered reports whether a commit that is missing was carried to its end now.
func (s *Store) recovered(ctx context.Context, key string, missing error) (bool, error) {
	f, ok := parseKey(key)
	if !ok || !errors.Is(missing, storage.ErrNotExist) {
		return false, nil
	}
	if _, ok := version(f.name); !ok {
		return false, nil
	}
	schemes, err := s.readSpaces(ctx, f)
	if err != nil {
		return false, err
	}
	for _, scheme := range schemes {
		e, found, err := s.entries.Get(ctx, s.o.Path(scheme, f.table), f.name)
		if err != nil {
			return false, err
		}
		if found && !e.Complete {
			return true, s.recover(ctx, f, e)
		}
	}
	return false, nil
}

// Get reads an object, a commit also when only its entry is there.
func (s *Store) Get(ctx context.Context, key string) ([]byte, storage.Object, error) {
	data, obj, err := s.Driver.Get(ctx, key)
	if done, bad := s.recovered(ctx, key, err); bad != nil {
		return nil, obj, bad
	} else if done {
		return s.Driver.Get(ctx, key)
	}
	return data, obj, err
}

// GetRange is Get for a part.
func (s *Store) GetRange(ctx context.Context, key string, offset, length int64) ([]byte, error) {
	data, err := s.Driver.GetRange(ctx, key, offset, length)
	if done, bad := s.recovered(ctx, key, err); bad != nil {
		return nil, bad
	} else if done {
		return s.Driver.GetRange(ctx, key, offset, length)
	}
	return data, err
}

// Stat is Get without the bytes.
func (s *Store) Stat(ctx context.Context, key string) (storage.Object, error) {
	obj, err := s.Driver.Stat(ctx, key)
	if done, bad := s.recovered(ctx, key, err); bad != nil {
		return obj, bad
	} else if done {
		return s.Driver.Stat(ctx, key)
	}
	return obj, err
}

// List recovers the newest entry before it lists a log, so that the listing shows
// every commit (BaseExternalLogStore.listFrom). Temporary files show only where
// the prefix asks for them.
func (s *Store) List(ctx context.Context, prefix, startAfter string) iter.Seq2[storage.Object, error] {
	f, log := parseKey(prefix)
	hide := !strings.Contains(prefix, tempDir)
	return func(yield func(storage.Object, error) bool) {
		if log {
			if err := s.recoverNewest(ctx, f); err != nil {
				yield(storage.Object{}, err)
				return
			}
		}
		for o, err := range s.Driver.List(ctx, prefix, startAfter) {
			if hide && strings.Contains(o.Key, tempDir) {
				continue
			}
			if !yield(o, err) {
				return
			}
		}
	}
}

// tempDir is where temporary files lie.
const tempDir = logDir + ".tmp/"

func (s *Store) recoverNewest(ctx context.Context, f logFile) error {
	schemes, err := s.readSpaces(ctx, f)
	if err != nil {
		return err
	}
	for _, scheme := range schemes {
		e, found, err := s.entries.Latest(ctx, s.o.Path(scheme, f.table))
		if err != nil {
			return err
		}
		if found {
			if err := s.recover(ctx, f, e); err != nil {
				return err
			}
		}
	}
	return nil
}
