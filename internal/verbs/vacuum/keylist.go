package vacuum

import (
	"encoding/binary"
	"iter"
)

// keyList is many keys with their sizes in few bytes: each key says how much it
// shares with the one before.
type keyList struct {
	data []byte
	last string
	n    int64
}

func (l *keyList) add(key string, size int64) {
	same := 0
	for same < len(key) && same < len(l.last) && key[same] == l.last[same] {
		same++
	}
	l.data = binary.AppendUvarint(l.data, uint64(same))
	l.data = binary.AppendUvarint(l.data, uint64(len(key)-same))
	l.data = append(l.data, key[same:]...)
	l.data = binary.AppendUvarint(l.data, uint64(max(size, 0)))
	l.last = key
	l.n++
}

// all yields the keys in the order in which they were added.
func (l *keyList) all() iter.Seq2[string, int64] {
	return func(yield func(string, int64) bool) {
		var key []byte
		for data := l.data; len(data) > 0; {
			next := func() int {
				v, n := binary.Uvarint(data)
				data = data[n:]
				return int(v)
			}
			key = key[:next()]
			n := next()
			key = append(key, data[:n]...)
			data = data[n:]
			if !yield(string(key), int64(next())) {
				return
			}
		}
	}
}
