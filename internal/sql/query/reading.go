package query

import "github.com/sluicelake/sluice/expr"

// named is a scan and the name by which the query calls its relation.
type named struct {
	name []string
	scan *scan
}

// scan reads a relation.
func (b *binder) scan(r Relation, name []string) *scan {
	n := newScan(r)
	b.plan.scans = append(b.plan.scans, named{name, n})
	return n
}

// Reading is what a plan reads of one relation.
type Reading struct {
	Name []string
	From Relation
	ScanOptions
	// Later says that conditions whose constants are known only when the plan runs
	// (those of subqueries) are left out of Where.
	Later bool
}

// Readings lists what a plan reads: each relation as often as it is named.
func (p *Plan) Readings() []Reading {
	out := make([]Reading, 0, len(p.scans))
	for _, s := range p.scans {
		r := Reading{Name: s.name, From: s.scan.from, ScanOptions: ScanOptions{Columns: s.scan.cols, Limit: s.scan.limit}}
		var known []expr.Expr
		for _, c := range expr.Conjuncts(s.scan.where) {
			later := false
			for _, ref := range expr.Refs(c) {
				later = later || ref >= len(s.scan.schema)
			}
			if r.Later = r.Later || later; !later {
				known = append(known, c)
			}
		}
		r.Where = expr.And(known...)
		out = append(out, r)
	}
	return out
}
