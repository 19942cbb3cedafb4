package action

import "encoding/json"

// fields walks an object and hands each member that is not null to set, which
// consumes the value and says whether it knew the name. What it did not know
// is returned.
func (l *lexer) fields(set func(name string) bool) Extra {
	var extra Extra
	for ok := l.open('{', '}'); ok; ok = l.more('}') {
		name := l.key().String()
		if l.null() || l.failed() {
			continue
		}
		if !set(name) {
			if v := l.value(); !l.failed() {
				extra = extra.with(name, v)
			}
		}
	}
	return extra
}

func (l *lexer) need(ok bool, msg string) {
	if !ok && !l.failed() {
		l.fail(msg)
	}
}

func (l *lexer) textPtr() *string { return ptr(l.scalarText().String()) }

func (l *lexer) metadata() *Metadata {
	m := &Metadata{Configuration: map[string]string{}, PartitionColumns: []string{}}
	m.Extra = l.fields(func(name string) bool {
		switch name {
		case "id":
			m.ID = l.scalarText().String()
		case "name":
			m.Name = l.textPtr()
		case "description":
			m.Description = l.textPtr()
		case "format":
			l.fields(func(name string) bool {
				switch name {
				case "provider":
					m.Format.Provider = l.scalarText().String()
				case "options":
					m.Format.Options = l.strings()
				default:
					return false
				}
				return true
			})
		case "schemaString":
			m.SchemaString = l.scalarText().String()
		case "partitionColumns":
			m.PartitionColumns = l.list()
		case "configuration":
			m.Configuration = l.strings()
		case "createdTime":
			m.CreatedTime = ptr(l.integer())
		default:
			return false
		}
		return true
	})
	return m
}

func (l *lexer) protocol() *Protocol {
	p := &Protocol{}
	both := 0
	p.Extra = l.fields(func(name string) bool {
		switch name {
		case "minReaderVersion":
			p.MinReaderVersion = l.int32()
			both |= 1
		case "minWriterVersion":
			p.MinWriterVersion = l.int32()
			both |= 2
		case "readerFeatures":
			p.ReaderFeatures = l.list()
		case "writerFeatures":
			p.WriterFeatures = l.list()
		default:
			return false
		}
		return true
	})
	l.need(both == 3, "a protocol lacks minReaderVersion or minWriterVersion")
	return p
}

func (l *lexer) txn() *Txn {
	t := &Txn{}
	has := false
	t.Extra = l.fields(func(name string) bool {
		switch name {
		case "appId":
			t.AppID, has = l.scalarText().String(), true
		case "version":
			t.Version = l.integer()
		case "lastUpdated":
			t.LastUpdated = ptr(l.integer())
		default:
			return false
		}
		return true
	})
	l.need(has, "a txn has no appId")
	return t
}

func (l *lexer) cdc() *AddCDC {
	c := &AddCDC{PartitionValues: PartitionValues{}}
	c.Extra = l.fields(func(name string) bool {
		switch name {
		case "path":
			c.Path = l.scalarText().String()
		case "partitionValues":
			var err error
			if c.PartitionValues, err = ParsePartitionValues(l.object()); err != nil {
				l.fail("partitionValues are malformed")
			}
		case "size":
			c.Size = l.integer()
		case "dataChange":
			c.DataChange = l.boolean()
		case "tags":
			c.Tags = l.strings()
		default:
			return false
		}
		return true
	})
	l.need(c.Path != "", "a cdc action has no path")
	return c
}

func (l *lexer) commitInfo() *CommitInfo {
	c := &CommitInfo{}
	c.Extra = l.fields(func(name string) bool {
		switch name {
		case "inCommitTimestamp":
			c.InCommitTimestamp = ptr(l.integer())
		case "timestamp":
			c.Timestamp = ptr(l.integer())
		case "userId":
			c.UserID = l.textPtr()
		case "userName":
			c.UserName = l.textPtr()
		case "operation":
			c.Operation = l.scalarText().String()
		case "operationParameters":
			if l.peek() != '{' {
				return false
			}
			c.OperationParameters = map[string]json.RawMessage{}
			for ok := l.open('{', '}'); ok; ok = l.more('}') {
				k := l.key().String()
				c.OperationParameters[k] = append(json.RawMessage(nil), l.value()...)
			}
		case "readVersion":
			c.ReadVersion = ptr(l.integer())
		case "isolationLevel":
			c.IsolationLevel = l.textPtr()
		case "isBlindAppend":
			c.IsBlindAppend = ptr(l.boolean())
		case "dataChange":
			c.DataChange = ptr(l.boolean())
		case "operationMetrics":
			c.OperationMetrics = l.looseStrings()
			return c.OperationMetrics != nil
		case "userMetadata":
			c.UserMetadata = l.looseText()
			return c.UserMetadata != nil
		case "tags":
			c.Tags = l.looseStrings()
			return c.Tags != nil
		case "engineInfo":
			c.EngineInfo = l.looseText()
			return c.EngineInfo != nil
		case "txnId":
			c.TxnID = l.looseText()
			return c.TxnID != nil
		default:
			return false
		}
		return true
	})
	return c
}

// looseStrings is strings for provenance, which every writer fills its own way:
// nil, and nothing consumed, when the value is not an object of scalars.
func (l *lexer) looseStrings() map[string]string {
	try := *l
	if m := try.strings(); !try.failed() {
		l.i = try.i
		return m
	}
	return nil
}

func (l *lexer) looseText() *string {
	if c := l.peek(); c == '{' || c == '[' {
		return nil
	}
	return l.textPtr()
}

func (l *lexer) domainMetadata() *DomainMetadata {
	d := &DomainMetadata{}
	has := false
	d.Extra = l.fields(func(name string) bool {
		switch name {
		case "domain":
			d.Domain, has = l.scalarText().String(), true
		case "configuration":
			d.Configuration = l.scalarText().String()
		case "removed":
			d.Removed = l.boolean()
		default:
			return false
		}
		return true
	})
	l.need(has, "a domainMetadata has no domain")
	return d
}

func (l *lexer) checkpointMetadata() *CheckpointMetadata {
	c := &CheckpointMetadata{}
	c.Extra = l.fields(func(name string) bool {
		switch name {
		case "version":
			c.Version = l.integer()
		case "tags":
			c.Tags = l.strings()
		default:
			return false
		}
		return true
	})
	return c
}

func (l *lexer) sidecar() *Sidecar {
	s := &Sidecar{}
	s.Extra = l.fields(func(name string) bool {
		switch name {
		case "path":
			s.Path = l.scalarText().String()
		case "sizeInBytes":
			s.SizeInBytes = l.integer()
		case "modificationTime":
			s.ModificationTime = l.integer()
		case "tags":
			s.Tags = l.strings()
		default:
			return false
		}
		return true
	})
	l.need(s.Path != "", "a sidecar has no path")
	return s
}
