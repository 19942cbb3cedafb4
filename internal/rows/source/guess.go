package source

import (
	"unicode/utf8"

	"github.com/sluicelake/sluice/types"
	"github.com/sluicelake/sluice/types/civil"
)

// guess narrows down the type of a CSV column by its texts. Numbers with leading
// zeros (postal codes, telephone numbers) are texts.
type guess struct{ seen, notBool, notLong, notDouble, notDate, notTime bool }

func (g *guess) see(s []byte) {
	g.seen = true
	if !g.notBool && !equalFold(s, "true") && !equalFold(s, "false") {
		g.notBool = true
	}
	padded := len(s) > 1 && s[0] == '0' && s[1]-'0' <= 9 || len(s) > 2 && s[0] == '-' && s[1] == '0' && s[2]-'0' <= 9
	if !g.notLong {
		if _, ok := whole(s); !ok || padded || s[0] == '+' {
			g.notLong = true
		}
	}
	if !g.notDouble {
		if _, ok := real(s, 64); !ok || padded {
			g.notDouble = true
		}
	}
	if !g.notDate {
		if _, ok := civil.ParseDate(view(s)); !ok || len(s) != 10 {
			g.notDate = true
		}
	}
	if !g.notTime {
		// A year alone or a time alone is not taken for a timestamp.
		if _, ok := civil.ParseTimestampNTZ(view(s)); !ok || len(s) < 10 || s[4] != '-' || s[7] != '-' {
			g.notTime = true
		}
	}
}

func (g *guess) typ() types.Type {
	switch {
	case !g.seen:
		return types.String
	case !g.notBool:
		return types.Boolean
	case !g.notLong:
		return types.Long
	case !g.notDouble:
		return types.Double
	case !g.notDate:
		return types.Date
	case !g.notTime:
		return types.Timestamp
	}
	return types.String
}

// validUTF8 is utf8.Valid with a quick answer for short ASCII texts.
func validUTF8(s []byte) bool {
	for _, c := range s {
		if c >= utf8.RuneSelf {
			return utf8.Valid(s)
		}
	}
	return true
}
