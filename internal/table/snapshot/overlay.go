package snapshot

import "maps"

// An overlay is a map that many versions share: a large base that never
// changes, and a small map of what was put since. The next version copies the
// small map only; a nil value marks a key that was taken out.
type overlay[V any] struct {
	base, over map[string]*V
}

const overlayMax = 64

func (o overlay[V]) get(k string) (v V, ok bool) {
	p, ok := o.over[k]
	if !ok {
		p = o.base[k]
	}
	if p == nil {
		return v, false
	}
	return *p, true
}

// with returns the map after the changes.
func (o overlay[V]) with(changes map[string]*V) overlay[V] {
	if len(changes) == 0 {
		return o
	}
	over := maps.Clone(o.over)
	if over == nil {
		over = make(map[string]*V, len(changes))
	}
	maps.Copy(over, changes)
	if len(over) <= overlayMax {
		return overlay[V]{base: o.base, over: over}
	}
	base := make(map[string]*V, len(o.base)+len(over))
	maps.Copy(base, o.base)
	maps.Copy(base, over)
	maps.DeleteFunc(base, func(_ string, p *V) bool { return p == nil })
	return overlay[V]{base: base}
}

// all is a copy of the map.
func (o overlay[V]) all() map[string]V {
	out := make(map[string]V, len(o.base)+len(o.over))
	for k, p := range o.base {
		out[k] = *p
	}
	for k, p := range o.over {
		if p == nil {
			delete(out, k)
		} else {
			out[k] = *p
		}
	}
	return out
}
