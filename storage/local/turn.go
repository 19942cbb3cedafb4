package local

import (
	"context"
	"os"

	"github.com/sluicelake/sluice/storage"
)

// Turn stands in line at a folder of this machine's disk: whoever has the lock on
// the open folder (flock) has the turn. Nothing is left behind, and the system
// gives the turn back when a process ends. On file systems of several machines, or
// kept by a program, a lock may cost a request or hang: there are no turns there.
func (s *Store) Turn(ctx context.Context, folder string) (storage.Turn, error) {
	s.turns.Do(func() {
		_, shared := fileSystem(existing(s.path))
		s.noTurns = shared || !canLock
	})
	if s.noTurns {
		return nil, storage.ErrUnsupported
	}
	var t *turn
	err := s.with(ctx, folder, func(root *os.Root, name string) error {
		f, err := root.Open(name)
		if err != nil {
			return err
		}
		t = &turn{f}
		return nil
	})
	if err != nil {
		return nil, err
	}
	return t, nil
}

// turn is an open folder.
type turn struct{ folder *os.File }

func (t *turn) Try() (bool, error) { return tryLock(t.folder) }

func (t *turn) Close() error { return t.folder.Close() } // unlocks
