package curve

// Order returns the rows in the order of their keys; rows with the same key stay
// in theirs. The keys are overwritten by those in order.
func Order(keys []uint64) []int32 {
	rows := make([]int32, len(keys))
	for i := range rows {
		rows[i] = int32(i)
	}
	if len(keys) < 2 {
		return rows
	}
	var same, any uint64 = keys[0], 0
	for _, k := range keys {
		any |= k ^ same
	}
	fromKeys, fromRows := keys, rows
	toKeys, toRows := make([]uint64, len(keys)), make([]int32, len(keys))
	for shift := 0; shift < 64; shift += 8 {
		if any>>shift&0xff == 0 {
			continue // all rows agree in these bits
		}
		var starts [257]int
		for _, k := range fromKeys {
			starts[k>>shift&0xff+1]++
		}
		for i := range 256 {
			starts[i+1] += starts[i]
		}
		for i, k := range fromKeys {
			d := k >> shift & 0xff
			at := starts[d]
			starts[d]++
			toKeys[at], toRows[at] = k, fromRows[i]
		}
		fromKeys, toKeys = toKeys, fromKeys
		fromRows, toRows = toRows, fromRows
	}
	if &fromKeys[0] != &keys[0] {
		copy(keys, fromKeys)
	}
	return fromRows
}
