package fsck

import (
	"net/url"
	"strings"

	"github.com/sluicelake/sluice/internal/inspect"
)

// state is the table after some commits, as far as it can be compared: of each
// live file its identity, size and deleted rows, and of all of them a digest that
// does not depend on their order.
type state struct {
	version int64
	live    map[uint64]fact // by the hash of the decoded path
	twice   map[uint64]fact // files that are live under a second vector, by identity
	totals  inspect.Totals
	digest  uint64
	time    int64 // the last in-commit timestamp, 0 for none
}

type fact struct {
	id         uint64
	size, rows int64
	vector     bool
}

func (f fact) mix() uint64 { return (f.id ^ uint64(f.size)*0x9e3779b97f4a7c15) * 0xff51afd7ed558ccd }

func newState(version int64) *state {
	return &state{version: version, live: map[uint64]fact{}, twice: map[uint64]fact{},
		totals: inspect.Totals{Txns: map[string]int64{}, Domains: map[string]string{}}}
}

func factOf(e *entry) fact {
	return fact{id: e.id(), size: e.size, rows: e.rows, vector: e.vector != ""}
}

// add enters a live file; twice is true when the file is live under another vector.
func (s *state) add(e *entry) (twice bool) {
	f := factOf(e)
	path := hash(e.path)
	old, there := s.live[path]
	switch {
	case there && old.id == f.id:
		s.count(old, -1)
		s.live[path] = f
	case there:
		twice = true
		if again, ok := s.twice[f.id]; ok {
			s.count(again, -1)
		}
		s.twice[f.id] = f
	default:
		s.live[path] = f
	}
	s.count(f, 1)
	return twice
}

// remove drops a file; found is false when it was not there.
func (s *state) remove(e *entry) (found bool) {
	path, id := hash(e.path), e.id()
	if f, ok := s.live[path]; ok && f.id == id {
		delete(s.live, path)
		s.count(f, -1)
		return true
	}
	if f, ok := s.twice[id]; ok {
		delete(s.twice, id)
		s.count(f, -1)
		return true
	}
	return false
}

func (s *state) count(f fact, sign int64) {
	s.totals.Files += sign
	s.totals.Bytes += sign * f.size
	if f.vector {
		s.totals.Vectors += sign
		s.totals.DeletedRows += sign * f.rows
	}
	s.digest += uint64(sign) * f.mix()
}

// facts enters what is no file.
func (s *state) facts(p *page) {
	if p.protocol != nil {
		s.totals.Protocol = p.protocol
	}
	if p.metadata != nil {
		s.totals.Metadata = p.metadata
	}
	for id, v := range p.txns {
		s.totals.Txns[id] = v
	}
	for name, d := range p.domains {
		if d.removed {
			delete(s.totals.Domains, name)
		} else {
			s.totals.Domains[name] = d.configuration
		}
	}
}

// canonical is the form of a path by which actions are paired: decoded, and
// without the scheme and host of a local file, of which there are several spellings.
func canonical(path string) string {
	if p, err := url.PathUnescape(path); err == nil {
		path = p
	}
	if rest, ok := strings.CutPrefix(path, "file:"); ok && strings.HasPrefix(rest, "/") {
		path = rest
		if host, ok := strings.CutPrefix(rest, "//"); ok {
			if i := strings.IndexByte(host, '/'); i >= 0 {
				path = host[i:]
			}
		}
	}
	for strings.HasPrefix(path, "//") {
		path = path[1:]
	}
	return path
}

// remember enters the files of a page among those that the log knows.
func (c *Check) remember(p *page) {
	for i := range p.files {
		e := &p.files[i]
		if key, err := c.src.Locate(e.raw); err == nil {
			c.know(key, isData)
		}
		if e.file != "" {
			c.know(e.file, isVector)
		}
	}
	for _, path := range p.changes {
		if key, err := c.src.Locate(path); err == nil {
			c.know(key, isChange)
		}
	}
}
