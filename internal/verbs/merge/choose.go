package merge

import "github.com/sluicelake/sluice/internal/logic/prune"

// chooser chooses the files that judge wants.
type chooser struct{ x *Exec }

func (c chooser) KeepPartition(f prune.File) prune.Verdict { return c.KeepStatistics(f) }

func (c chooser) KeepStatistics(f prune.File) prune.Verdict {
	j := c.x.judge(f)
	return prune.Verdict{Keep: j.probe || j.bySource}
}

func (c chooser) NeedsStatistics() bool { return !c.x.p.everyRow() }
