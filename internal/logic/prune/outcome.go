package prune

// outcomes is the set of results that a condition may have on rows of a file.
type outcomes uint8

const (
	canTrue outcomes = 1 << iota
	canFalse
	canNull
	anything = canTrue | canFalse | canNull
)

var each = [...]outcomes{canTrue, canFalse, canNull}

// kleene are the tables of AND and OR for single outcomes, spread over sets.
var kleene = func() (t struct{ and, or [8][8]outcomes }) {
	for a := range outcomes(8) {
		for b := range outcomes(8) {
			for _, x := range each {
				for _, y := range each {
					if a&x == 0 || b&y == 0 {
						continue
					}
					t.and[a][b] |= dominant(x, y, canFalse)
					t.or[a][b] |= dominant(x, y, canTrue)
				}
			}
		}
	}
	return t
}()

// dominant combines two outcomes when one value wins over all and NULL over the rest.
func dominant(x, y, winner outcomes) outcomes {
	switch {
	case x == winner || y == winner:
		return winner
	case x == canNull || y == canNull:
		return canNull
	}
	return x
}

func (o outcomes) not() outcomes {
	out := o & canNull
	if o&canTrue != 0 {
		out |= canFalse
	}
	if o&canFalse != 0 {
		out |= canTrue
	}
	return out
}

// choose is the set with t when yes may happen and f when no may happen.
func choose(yes, no bool) (o outcomes) {
	if yes {
		o = canTrue
	}
	if no {
		o |= canFalse
	}
	return o
}
