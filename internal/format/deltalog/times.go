package deltalog

import "time"

// Clock gives the commits of a run of versions their times from the times of
// their files: whole milliseconds, each later than the one before, as the
// reference reads them. Everything that names a commit by a time counts so; two
// ways of counting would find different versions for commits that share a
// millisecond.
type Clock struct {
	last  time.Time
	begun bool
}

// Next is the time of the next version's commit, whose file has this time.
func (c *Clock) Next(modTime time.Time) time.Time {
	t := modTime.UTC().Truncate(time.Millisecond)
	if c.begun && !t.After(c.last) {
		t = c.last.Add(time.Millisecond)
	}
	c.last, c.begun = t, true
	return t
}
