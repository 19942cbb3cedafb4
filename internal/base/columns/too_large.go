package columns

import "fmt"

// TooLarge is text that one array cannot hold: its offsets have 31 bits.
type TooLarge struct {
	Rows  int
	Bytes int64
}

func (e *TooLarge) Error() string {
	return fmt.Sprintf("%d rows of one batch have %d bytes of text in one column, more than an array holds: select fewer rows, or shorter text", e.Rows, e.Bytes)
}

// Caught, deferred, makes an error of the panic with which Take refuses to gather
// more than an array holds. Whoever repeats rows as its input says, and so can make
// much out of little, defers it; other panics go on.
func Caught(err *error) { Recovered(recover(), err) }

// Recovered is Caught for what recover gave.
func Recovered(p any, err *error) {
	switch p := p.(type) {
	case nil:
	case *TooLarge:
		*err = p
	default:
		panic(p)
	}
}
