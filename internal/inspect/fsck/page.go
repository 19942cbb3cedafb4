package fsck

import (
	"bytes"
	"context"
	"errors"

	"github.com/sluicelake/sluice/action"
	"github.com/sluicelake/sluice/internal/format/deltalog"
	"github.com/sluicelake/sluice/internal/format/dv"
	"github.com/sluicelake/sluice/storage"
)

// page is what one commit says, as far as pairing and comparing need it.
type page struct {
	version  int64
	object   storage.Object
	files    []entry
	changes  []string // paths of change data
	protocol *action.Protocol
	metadata *action.Metadata
	info     *action.CommitInfo
	infos    int
	txns     map[string]int64
	domains  map[string]domain
	twice    []repeated // what there may be one of only
	empty    bool
	err      error
}

// entry is an add or a remove.
type entry struct {
	path   string // canonical, as actions are paired by it
	raw    string // as in the log
	vector string // the ID, "" for none
	size   int64
	rows   int64 // deleted by the vector
	file   string
	remove bool
	line   int
}

func (e *entry) id() uint64 {
	if e.vector == "" {
		return hash(e.path)
	}
	return hash(e.path + "\x00" + e.vector)
}

type domain struct {
	configuration string
	removed       bool
}

type repeated struct {
	what string
	line int
}

// readPage reads a commit. A commit that is damaged has an err, and what stands
// before the damage.
func (c *Check) readPage(ctx context.Context, version int64) *page {
	p := &page{version: version, object: c.dir.commits[version]}
	data, _, err := c.bucket.Get(ctx, p.object.Key)
	if err != nil {
		p.err = err
		return p
	}
	if len(bytes.TrimSpace(data)) == 0 {
		p.empty = true
		return p
	}
	p.err = action.Scan(data, p.object.Key, p.handler(c.bucket.URL()))
	return p
}

func (p *page) handler(root string) *action.Handler {
	line := 0
	once := func(key string, there bool) {
		if there {
			p.twice = append(p.twice, repeated{key, line})
		}
	}
	return &action.Handler{
		Add: func(f *action.File) error {
			line = f.Line
			return p.file(f, root, false)
		},
		Remove: func(f *action.File) error {
			line = f.Line
			return p.file(f, root, true)
		},
		CDC: func(x *action.AddCDC) error {
			p.changes = append(p.changes, x.Path)
			return nil
		},
		Protocol: func(x *action.Protocol) error {
			once("protocol", p.protocol != nil)
			p.protocol = x
			return nil
		},
		Metadata: func(x *action.Metadata) error {
			once("metaData", p.metadata != nil)
			p.metadata = x
			return nil
		},
		CommitInfo: func(x *action.CommitInfo) error {
			if p.infos++; p.info == nil {
				p.info = x
			}
			return nil
		},
		Txn: func(x *action.Txn) error {
			if p.txns == nil {
				p.txns = map[string]int64{}
			}
			_, there := p.txns[x.AppID]
			once("txn of "+x.AppID, there)
			p.txns[x.AppID] = x.Version
			return nil
		},
		DomainMetadata: func(x *action.DomainMetadata) error {
			if p.domains == nil {
				p.domains = map[string]domain{}
			}
			_, there := p.domains[x.Domain]
			once("domainMetadata of "+x.Domain, there)
			p.domains[x.Domain] = domain{x.Configuration, x.Removed}
			return nil
		},
	}
}

func (p *page) file(f *action.File, root string, remove bool) error {
	raw := f.Path.String()
	e := entry{raw: raw, path: canonical(raw), size: f.Size, remove: remove, line: f.Line}
	d, err := f.Dv()
	if err != nil {
		var s *action.SyntaxError
		if errors.As(err, &s) {
			return &action.SyntaxError{File: p.object.Key, Line: f.Line, Column: s.Column, Msg: "deletionVector: " + s.Msg}
		}
		return err
	}
	if d != nil {
		e.vector, e.rows = d.ID(), d.Cardinality
		if at, err := dv.Locate(d, root); err == nil {
			e.file = at.Key
		}
	}
	p.files = append(p.files, e)
	return nil
}

// check says what is wrong with the commit by itself.
func (c *Check) check(p *page) {
	key := deltalog.CommitPath(p.version)
	var syntax *action.SyntaxError
	switch {
	case p.empty:
		c.report(CommitEmpty, on(key, p.version), "the file has %d bytes and no action", p.object.Size)
		return
	case errors.As(p.err, &syntax):
		f := on(key, p.version)
		f.Line = syntax.Line
		c.report(CommitUnreadable, f, "line %d, column %d: %s", syntax.Line, syntax.Column, syntax.Msg)
	case p.err != nil:
		c.report(CommitUnreadable, on(key, p.version), "%v", p.err)
	}
	for _, t := range p.twice {
		c.report(DuplicateAction, on(key, p.version), "it has more than one %s", t.what)
	}
	type seen struct{ add, remove bool }
	ids := make(map[uint64]seen, len(p.files))
	for i := range p.files {
		e := &p.files[i]
		s := ids[e.id()]
		f := on(e.raw, p.version)
		f.Line = e.line
		switch {
		case s.add && !e.remove:
			c.report(DuplicateAction, f, "line %d adds it once more", e.line)
		case s.remove && e.remove:
			c.report(DuplicateAction, f, "line %d removes it once more", e.line)
		case s.add || s.remove:
			c.report(Contradiction, f, "the commit adds and removes it (line %d)", e.line)
		}
		s.add, s.remove = s.add || !e.remove, s.remove || e.remove
		ids[e.id()] = s
	}
}
