package snapshot

import (
	"unsafe"

	"github.com/sluicelake/sluice/action"
)

// A dictionary numbers the distinct partitionValues objects by their JSON text.
type dictionary struct {
	texts  []string
	number map[string]uint32
}

// ofString returns the number of a text.
func (d *dictionary) ofString(s string) uint32 {
	if n, ok := d.number[s]; ok {
		return n
	}
	return d.put(s)
}

func (d *dictionary) put(s string) uint32 {
	if d.number == nil {
		d.number = map[string]uint32{}
	}
	n := uint32(len(d.texts))
	d.texts = append(d.texts, s)
	d.number[s] = n
	return n
}

// value finds a physical partition column in a partitionValues object. A column
// that is missing, null or the empty text is NULL (PROTOCOL.md, Partition Value
// Serialization).
func partitionValue(text, name string) (value string, null bool) {
	null = true
	// The walk only reads.
	raw := unsafe.Slice(unsafe.StringData(text), len(text))
	err := action.WalkPartitionValues(raw, func(k, v action.Text, isNull bool) bool {
		if !k.Is(name) {
			return true
		}
		if !isNull && !v.Empty() {
			value, null = v.String(), false
		}
		return true
	})
	if err != nil {
		return "", true
	}
	return value, null
}
