package storage

// Wrapper is a Driver that stands before another one and passes calls on: it
// records them, keeps copies, makes them fail. What it implements beyond Driver
// counts where the driver below has it too, so that a store behaves the same with
// the wrapper as without it.
type Wrapper interface {
	Driver
	// Below is the driver that calls are passed on to.
	Below() Driver
}

// As finds what a driver may add (Walker, ManyDeleter, RandomReader). It asks a
// Wrapper and everything below it.
func As[T any](d Driver) (t T, ok bool) {
	if t, ok = d.(T); !ok {
		return t, false
	}
	if w, wraps := d.(Wrapper); wraps {
		if _, ok := As[T](w.Below()); !ok {
			var none T
			return none, false
		}
	}
	return t, true
}

// Near reports whether parts of objects are read without a request each.
func (b *Bucket) Near() bool {
	_, ok := As[RandomReader](b.driver)
	return ok
}

// meter finds what counts requests better than calls do: the first of the
// wrappers that can.
func meter(d Driver) (Meter, bool) {
	for {
		if m, ok := d.(Meter); ok {
			return m, true
		}
		w, ok := d.(Wrapper)
		if !ok {
			return nil, false
		}
		d = w.Below()
	}
}
