package scan

import "context"

// Locate is the key, below the root of the table, of a file that the log names. A
// file that does not lie there is a *PathError.
func (s Source) Locate(path string) (key string, err error) {
	s.Outside = nil
	_, key, err = s.locate(context.Background(), path)
	return key, err
}
