package storage

import "context"

// Turner is what a Driver may add where the writers of one folder can cheaply tell
// each other whose turn it is. It is courtesy between those that ask: nobody needs
// a turn to write, and PutIfAbsent decides as ever.
type Turner interface {
	// Turn stands in line at a folder. ErrUnsupported: there are no turns here.
	Turn(ctx context.Context, folder string) (Turn, error)
}

// Turn is a place in line at a folder. It belongs to one goroutine.
type Turn interface {
	// Try takes the turn unless somebody else has it. It does not wait.
	Try() (bool, error)
	// Close gives up the turn, or the place in line. The end of the process does so too.
	Close() error
}

// Turn stands in line at a folder, for example the log of a table, if the driver
// knows turns; else the error is ErrUnsupported.
func (b *Bucket) Turn(ctx context.Context, folder string) (Turn, error) {
	full, err := b.enter(ctx, "turn", folder)
	if err != nil {
		return nil, err
	}
	d, ok := As[Turner](b.driver)
	if !ok {
		return nil, ErrUnsupported
	}
	t, err := d.Turn(ctx, full)
	return t, b.wrap("turn", folder, err)
}
