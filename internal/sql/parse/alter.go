package parse

import (
	"github.com/sluicelake/sluice/expr"
	"github.com/sluicelake/sluice/internal/verbs/alter"
	"github.com/sluicelake/sluice/types"
)

// altering reads what stands behind ALTER TABLE.
func altering(p *expr.Parser) (Statement, error) {
	a := &Alter{}
	var err error
	if a.Table, err = p.ParseQualifiedName(); err != nil {
		return nil, err
	}
	one := func(c alter.Change, err error) (Statement, error) {
		a.Changes = []alter.Change{c}
		return a, err
	}
	t := p.Peek()
	switch {
	case p.Accept("ADD", "CONSTRAINT"):
		p.Seek(p.LastEnd() - len("CONSTRAINT"))
		k, err := constraint(p, 0)
		return one(alter.AddConstraint{Name: k.Name, Check: k.Check}, err)
	case p.Accept("ADD", "COLUMN"), p.Accept("ADD", "COLUMNS"):
		return one(addColumns(p))
	case p.Accept("REPLACE", "COLUMNS"):
		return one(replaceColumns(p))
	case p.Accept("ADD", "PARTITION"):
		return nil, p.Errorf(t, "the partitions of a Delta table are those of its rows: ADD PARTITION is not supported")
	case p.Accept("DROP", "CONSTRAINT"):
		c := alter.DropConstraint{IfExists: p.Accept("IF", "EXISTS")}
		c.Name, err = p.ParseIdentifier()
		return one(c, err)
	case p.Accept("DROP", "FEATURE"):
		c := alter.DropFeature{}
		if p.Peek().Kind == expr.Text {
			c.Name = p.Next().Value
		} else if c.Name, err = p.ParseIdentifier(); err != nil {
			return nil, err
		}
		c.TruncateHistory = p.Accept("TRUNCATE", "HISTORY")
		return one(c, nil)
	case p.Accept("DROP", "COLUMN"), p.Accept("DROP", "COLUMNS"):
		return one(dropColumns(p))
	case p.Accept("RENAME", "COLUMN"):
		c := alter.RenameColumn{}
		if c.Column, err = p.ParseQualifiedName(); err != nil {
			return nil, err
		}
		if err = p.Expect("TO"); err == nil {
			c.To, err = p.ParseIdentifier()
		}
		return one(c, err)
	case p.Accept("SET", "TBLPROPERTIES"):
		m, err := properties(p)
		return one(alter.SetProperties{Properties: m}, err)
	case p.Accept("UNSET", "TBLPROPERTIES"):
		p.Accept("IF", "EXISTS") // Spark passes over properties that are not set in any case
		keys, err := propertyKeys(p)
		return one(alter.UnsetProperties{Keys: keys, IfExists: true}, err)
	case p.Accept("CLUSTER", "BY", "NONE"):
		return one(alter.ClusterBy{}, nil)
	case p.Accept("CLUSTER", "BY"):
		columns, err := paths(p)
		return one(alter.ClusterBy{Columns: columns}, err)
	case p.Accept("ALTER", "COLUMN"), p.Accept("CHANGE", "COLUMN"), p.Accept("ALTER"), p.Accept("CHANGE"):
		return a, a.changeColumns(p)
	}
	return nil, p.Errorf(t, "want ADD, DROP, REPLACE COLUMNS, RENAME COLUMN, ALTER COLUMN, SET or UNSET TBLPROPERTIES, or CLUSTER BY")
}

func addColumns(p *expr.Parser) (alter.Change, error) {
	var c alter.AddColumns
	list := p.Accept("(")
	for {
		var n alter.NewColumn
		for p.PeekSecond().Is(".") {
			part, err := p.ParseIdentifier()
			if err != nil {
				return nil, err
			}
			p.Next()
			n.Parent = append(n.Parent, part)
		}
		var err error
		if n.Field, err = p.ParseColumn(); err != nil {
			return nil, err
		}
		if n.At, err = position(p); err != nil {
			return nil, err
		}
		c.Columns = append(c.Columns, n)
		if !p.Accept(",") {
			break
		}
	}
	if list {
		return c, p.Expect(")")
	}
	return c, nil
}

func replaceColumns(p *expr.Parser) (alter.Change, error) {
	var c alter.ReplaceColumns
	if err := p.Expect("("); err != nil {
		return nil, err
	}
	for {
		at := p.Peek()
		f, err := p.ParseColumn()
		if err != nil {
			return nil, err
		}
		if !f.Nullable {
			return nil, p.Errorf(at, "REPLACE COLUMNS does not take NOT NULL")
		}
		c.Columns = append(c.Columns, f)
		if !p.Accept(",") {
			return c, p.Expect(")")
		}
	}
}

func dropColumns(p *expr.Parser) (alter.Change, error) {
	c := alter.DropColumns{IfExists: p.Accept("IF", "EXISTS")}
	if p.Peek().Is("(") {
		var err error
		c.Columns, err = paths(p)
		return c, err
	}
	for {
		name, err := p.ParseQualifiedName()
		if err != nil {
			return nil, err
		}
		c.Columns = append(c.Columns, name)
		if !p.Accept(",") {
			return c, nil
		}
	}
}

// position reads FIRST or AFTER column; neither is the zero value.
func position(p *expr.Parser) (alter.Position, error) {
	if p.Accept("FIRST") {
		return alter.Position{First: true}, nil
	}
	if !p.Accept("AFTER") {
		return alter.Position{}, nil
	}
	name, err := p.ParseIdentifier()
	return alter.Position{After: name}, err
}

// changeColumns reads "name change, name change, ...", or Hive's "name name type".
func (a *Alter) changeColumns(p *expr.Parser) error {
	for {
		c := alter.ChangeColumn{}
		var err error
		if c.Column, err = p.ParseQualifiedName(); err != nil {
			return err
		}
		if p.Accept("SYNC", "IDENTITY") {
			a.Changes = append(a.Changes, alter.SyncIdentity{Column: c.Column[len(c.Column)-1]})
		} else if err := changeColumn(p, &c); err != nil {
			return err
		} else {
			a.Changes = append(a.Changes, c)
		}
		if !p.Accept(",") {
			return nil
		}
	}
}

func changeColumn(p *expr.Parser, c *alter.ChangeColumn) (err error) {
	yes, no := true, false
	t := p.Peek()
	switch {
	case p.Accept("TYPE"):
		var f types.Field
		start := p.Peek().Pos
		if c.Type, err = p.ParseDataType(); err == nil {
			if f, _, err = types.ParseColumnPrefix("c " + p.Source(start, p.LastEnd())); err == nil {
				c.Length, _ = f.Metadata.Text(types.KeyCharVarchar)
			}
		}
	case p.Accept("COMMENT"):
		var text string
		text, err = literal(p)
		c.Comment = &text
	case p.Accept("SET", "NOT", "NULL"):
		c.NotNull = &yes
	case p.Accept("DROP", "NOT", "NULL"):
		c.NotNull = &no
	case p.Accept("DROP", "DEFAULT"):
		c.DropDefault = true
	case p.Accept("SET", "DEFAULT"):
		start := p.Peek().Pos
		if err = asWritten(p); err == nil {
			c.Default = p.Source(start, p.LastEnd())
		}
	case t.Is("FIRST"), t.Is("AFTER"):
		c.At, err = position(p)
	case t.Kind == expr.Word || t.Kind == expr.QuotedWord:
		return hive(p, c)
	default:
		return p.Errorf(t, "want TYPE, COMMENT, SET or DROP NOT NULL, SET or DROP DEFAULT, FIRST or AFTER")
	}
	return err
}

// hive reads "newName type [COMMENT text] [FIRST | AFTER column]" behind the name.
func hive(p *expr.Parser, c *alter.ChangeColumn) error {
	at := p.Peek()
	var f types.Field
	f, err := p.ParseColumn()
	if err != nil {
		return err
	}
	if old := c.Column[len(c.Column)-1]; f.Name != old {
		return p.Errorf(at, "CHANGE COLUMN does not rename: want the name %s twice, or RENAME COLUMN", types.QuoteIdentifier(old))
	}
	c.Type = f.Type
	c.Length, _ = f.Metadata.Text(types.KeyCharVarchar)
	if text, ok := f.Metadata.Text("comment"); ok {
		c.Comment = &text
	}
	if !f.Nullable {
		yes := true
		c.NotNull = &yes
	}
	c.At, err = position(p)
	return err
}

// commenting reads COMMENT ON TABLE name IS 'text' | NULL.
func commenting(p *expr.Parser) (Statement, error) {
	if err := p.Expect("TABLE"); err != nil {
		return nil, err
	}
	a := &Alter{}
	var err error
	if a.Table, err = p.ParseQualifiedName(); err != nil {
		return nil, err
	}
	if err := p.Expect("IS"); err != nil {
		return nil, err
	}
	if p.Accept("NULL") {
		a.Changes = []alter.Change{alter.SetProperties{Properties: map[string]string{"comment": ""}}}
		return a, nil
	}
	text, err := literal(p)
	a.Changes = []alter.Change{alter.SetProperties{Properties: map[string]string{"comment": text}}}
	return a, err
}
