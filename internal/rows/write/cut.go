package write

import (
	"maps"
	"slices"
)

// Cut ends the open files whose rows took at least so many bytes in memory: the rows
// that follow begin others.
func (w *Writer) Cut(least int64) error {
	if err := w.usable(); err != nil {
		return err
	}
	for _, number := range slices.Sorted(maps.Keys(w.open)) {
		if f := w.open[number]; f.taken >= least {
			delete(w.open, number)
			w.run(f, true)
		}
	}
	return w.usable()
}
