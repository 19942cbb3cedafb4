package eval

import (
	"fmt"
	"time"
)

// zoneText writes the zone letters of a pattern (java.time.format.DateTimeFormatter)
// for an instant; nil is UTC.
func zoneText(x patternPart, at int64, zone *time.Location) string {
	if zone == nil {
		zone = time.UTC
	}
	name, offset := time.UnixMicro(at).In(zone).Zone()
	if zone == time.UTC {
		zone, name = etcUTC, "UTC"
	}
	switch x.letter {
	case 'X':
		if offset == 0 {
			return "Z"
		}
		return offsetText(offset, x.n)
	case 'x':
		return offsetText(offset, x.n)
	case 'Z':
		switch {
		case x.n == 4:
			return "GMT" + localized(offset, true)
		case x.n >= 5 && offset == 0:
			return "Z"
		case x.n >= 5:
			return offsetText(offset, 5)
		}
		return offsetText(offset, 2)
	case 'O':
		return "GMT" + localized(offset, x.n >= 4)
	case 'V':
		return zone.String()
	}
	if x.n >= 4 && zone == etcUTC {
		return "Coordinated Universal Time"
	}
	return name
}

var etcUTC = time.FixedZone("UTC", 0)

// offsetText writes +hh, +hhmm, +hh:mm, or the last two with seconds when there are some;
// one letter writes minutes only when there are some.
func offsetText(offset, letters int) string {
	sign := byte('+')
	if offset < 0 {
		sign, offset = '-', -offset
	}
	h, m, s := offset/3600, offset/60%60, offset%60
	colon := ""
	if letters == 3 || letters >= 5 {
		colon = ":"
	}
	switch {
	case letters == 1 && m == 0:
		return fmt.Sprintf("%c%02d", sign, h)
	case letters >= 4 && s != 0:
		return fmt.Sprintf("%c%02d%s%02d%s%02d", sign, h, colon, m, colon, s)
	}
	return fmt.Sprintf("%c%02d%s%02d", sign, h, colon, m)
}

// localized is what follows GMT: +8, +8:30, or +08:00 when full.
func localized(offset int, full bool) string {
	switch {
	case offset == 0:
		return ""
	case full && offset%60 != 0:
		return offsetText(offset, 5)
	case full:
		return offsetText(offset, 3)
	}
	sign := '+'
	if offset < 0 {
		sign, offset = '-', -offset
	}
	if s := offset % 60; s != 0 {
		return fmt.Sprintf("%c%d:%02d:%02d", sign, offset/3600, offset/60%60, s)
	}
	if m := offset / 60 % 60; m != 0 {
		return fmt.Sprintf("%c%d:%02d", sign, offset/3600, m)
	}
	return fmt.Sprintf("%c%d", sign, offset/3600)
}
