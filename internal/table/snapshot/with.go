package snapshot

import "github.com/sluicelake/sluice/action"

// With is the snapshot as it would look with another metadata action, and
// another protocol unless that is nil: what a statement that changes the schema
// reads and writes by before it commits. It is for reading only; the log knows
// nothing of it, so it must be neither refreshed nor applied to.
func (s *Snapshot) With(p *action.Protocol, md *action.Metadata) (*Snapshot, error) {
	if p == nil {
		p = s.protocol
	}
	out := &Snapshot{env: s.env, bucket: s.bucket, lineage: s.lineage, version: s.version, files: s.files, tombs: s.tombs, light: s.light,
		protocol: p, metadata: md, txns: s.txns, domains: s.domains, info: s.info, time: s.time, probed: s.probed}
	return out, out.finish()
}
