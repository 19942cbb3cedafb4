package curve

// hilbert turns coordinates, by column and row, into numbers whose interleaved
// bits are the length of the way along Hilbert's curve (J. Skilling, Programming
// the Hilbert curve, AIP Conference Proceedings 707, 2004).
func hilbert(ids [][]uint32, bits int) {
	n := len(ids)
	var at [mostKeys]uint32
	x := at[:n]
	for row := range ids[0] {
		for i := range x {
			x[i] = ids[i][row]
		}
		transpose(x, bits)
		for i := range x {
			ids[i][row] = x[i]
		}
	}
}

func transpose(x []uint32, bits int) {
	for b := bits - 1; b > 0; b-- {
		p := uint32(1)<<b - 1
		first := x[0]
		for i, v := range x {
			if i == 0 {
				v = first
			}
			set := -(v >> b & 1)        // all bits when the bit is set: invert; otherwise exchange
			t := (first ^ v) & p &^ set // 0 for the first
			first ^= t | p&set
			x[i] = v ^ t
		}
		x[0] = first
	}
	for i := 1; i < len(x); i++ { // Gray code
		x[i] ^= x[i-1]
	}
	var t uint32
	last := x[len(x)-1]
	for b := bits - 1; b > 0; b-- {
		t ^= -(last >> b & 1) & (1<<b - 1)
	}
	for i := range x {
		x[i] ^= t
	}
}
