package civil

import "time"

// Local is the reading of the clock in a zone at an instant; nil is UTC.
func Local(micros int64, zone *time.Location) int64 {
	if zone == nil || zone == time.UTC {
		return micros
	}
	return micros + offset(micros, zone)
}

// Instant is the instant at which the clock in a zone shows a reading; nil is UTC.
// A reading that comes twice is the earlier instant, and one that is skipped moves
// on by the length of the gap (java.time.ZonedDateTime.ofLocal).
func Instant(local int64, zone *time.Location) int64 {
	if zone == nil || zone == time.UTC {
		return local
	}
	before, after := offset(local-MicrosPerDay, zone), offset(local+MicrosPerDay, zone)
	early, late := local-before, local-after
	if offset(early, zone) != before && offset(late, zone) == after {
		return late
	}
	return early
}

func offset(micros int64, zone *time.Location) int64 {
	_, seconds := time.UnixMicro(micros).In(zone).Zone()
	return int64(seconds) * 1_000_000
}
