package expr

import "strings"

// Window is a function of the rows around each row: fn(...) OVER (...).
type Window struct {
	Fn   *Aggregate
	Over Over
}

// Over is what stands behind OVER: the rows of a partition, their order and the frame.
type Over struct {
	Name      string // of a window of the WINDOW clause that this one is, or begins with
	Partition []Expr
	Order     []SortKey
	Frame     *Frame // nil: what the order gives
}

// SortKey is one key of an order.
type SortKey struct {
	Expr       Expr
	Desc       bool
	NullsFirst bool
}

// Frame is the rows of a partition that a function sees. Rows counts rows, otherwise
// the bounds are distances of the sort key.
type Frame struct {
	Rows  bool
	Lower Bound
	Upper Bound
}

// Bound is one end of a frame.
type Bound struct {
	Kind   BoundKind
	Offset Expr // of Preceding and Following
}

// BoundKind says where an end of a frame is.
type BoundKind uint8

// The ends of frames, in their order.
const (
	UnboundedPreceding BoundKind = iota
	Preceding
	CurrentRow
	Following
	UnboundedFollowing
)

func (e *Window) String() string { return print(e, precOr) }

// operands lists what a window reads: the operands of its function, its partition
// and its order.
func (e *Window) operands() []Expr {
	out := append([]Expr(nil), children(e.Fn)...)
	out = append(out, e.Over.Partition...)
	for _, k := range e.Over.Order {
		out = append(out, k.Expr)
	}
	return out
}

// with gives the window other operands, in the same order.
func (e *Window) with(list []Expr) *Window {
	fn := *e.Fn
	fn.Args, list = list[:len(fn.Args):len(fn.Args)], list[len(fn.Args):]
	if fn.Filter != nil {
		fn.Filter, list = list[0], list[1:]
	}
	c := &Window{Fn: &fn, Over: e.Over}
	n := len(e.Over.Partition)
	c.Over.Partition, list = list[:n:n], list[n:]
	c.Over.Order = append([]SortKey(nil), e.Over.Order...)
	for i := range c.Over.Order {
		c.Over.Order[i].Expr = list[i]
	}
	return c
}

// Map gives the window with its operands replaced by fn.
func (e *Window) Map(fn func(Expr) Expr) *Window {
	list := e.operands()
	for i, x := range list {
		list[i] = fn(x)
	}
	return e.with(list)
}

// window takes OVER name or OVER (...) behind the call of a function.
func (p *Parser) window(fn *Aggregate) (Expr, error) {
	p.Next()
	w := &Window{Fn: fn}
	if !p.tok.Is("(") {
		name, err := p.ParseIdentifier()
		w.Over.Name = name
		return w, err
	}
	over, err := p.ParseWindow()
	w.Over = over
	return w, err
}

// ParseWindow takes ([name] [PARTITION BY ...] [ORDER BY ...] [frame]).
func (p *Parser) ParseWindow() (Over, error) {
	var o Over
	err := p.Expect("(")
	if err != nil {
		return o, err
	}
	t := p.tok
	if (t.Kind == Word || t.Kind == QuotedWord) && !p.PeekSecond().Is("BY") && !t.Is("ROWS") && !t.Is("RANGE") {
		o.Name = p.Next().Value
	}
	if p.Accept("PARTITION", "BY") || p.Accept("DISTRIBUTE", "BY") {
		for {
			e, err := p.expr(precOr)
			if err != nil {
				return o, err
			}
			o.Partition = append(o.Partition, e)
			if !p.Accept(",") {
				break
			}
		}
	}
	if p.Accept("ORDER", "BY") || p.Accept("SORT", "BY") {
		for {
			k, err := p.ParseSortKey()
			if err != nil {
				return o, err
			}
			o.Order = append(o.Order, k)
			if !p.Accept(",") {
				break
			}
		}
	}
	if o.Frame, err = p.frame(); err != nil {
		return o, err
	}
	return o, p.Expect(")")
}

// ParseSortKey takes expr [ASC | DESC] [NULLS FIRST | NULLS LAST].
func (p *Parser) ParseSortKey() (SortKey, error) {
	e, err := p.ParseExpr()
	k := SortKey{Expr: e}
	if err != nil {
		return k, err
	}
	if k.Desc = p.Accept("DESC"); !k.Desc {
		p.Accept("ASC")
	}
	k.NullsFirst = !k.Desc
	switch {
	case p.Accept("NULLS", "FIRST"):
		k.NullsFirst = true
	case p.Accept("NULLS", "LAST"):
		k.NullsFirst = false
	}
	return k, nil
}

func (p *Parser) frame() (*Frame, error) {
	f := &Frame{}
	if f.Rows = p.Accept("ROWS"); !f.Rows && !p.Accept("RANGE") {
		return nil, nil
	}
	between := p.Accept("BETWEEN")
	var err error
	if f.Lower, err = p.bound(); err != nil {
		return nil, err
	}
	f.Upper = Bound{Kind: CurrentRow}
	if between {
		if err = p.Expect("AND"); err == nil {
			f.Upper, err = p.bound()
		}
	}
	return f, err
}

func (p *Parser) bound() (Bound, error) {
	switch {
	case p.Accept("UNBOUNDED", "PRECEDING"):
		return Bound{}, nil
	case p.Accept("UNBOUNDED", "FOLLOWING"):
		return Bound{Kind: UnboundedFollowing}, nil
	case p.Accept("CURRENT", "ROW"):
		return Bound{Kind: CurrentRow}, nil
	}
	e, err := p.expr(precPredicate + 1)
	if err != nil {
		return Bound{}, err
	}
	if p.Accept("PRECEDING") {
		return Bound{Preceding, e}, nil
	}
	return Bound{Following, e}, p.Expect("FOLLOWING")
}

func printWindow(b *strings.Builder, x *Window) {
	printAggregate(b, x.Fn)
	b.WriteString(" OVER ")
	if o := x.Over; o.Name != "" && len(o.Partition)+len(o.Order) == 0 && o.Frame == nil {
		b.WriteString(quoteName(o.Name))
		return
	}
	b.WriteString("(" + x.Over.String() + ")")
}

// String is the window as it stands in the parentheses of OVER.
func (o Over) String() string {
	var parts []string
	if o.Name != "" {
		parts = append(parts, quoteName(o.Name))
	}
	if len(o.Partition) > 0 {
		var b strings.Builder
		printList(&b, o.Partition)
		parts = append(parts, "PARTITION BY "+b.String())
	}
	if len(o.Order) > 0 {
		keys := make([]string, len(o.Order))
		for i, k := range o.Order {
			keys[i] = k.String()
		}
		parts = append(parts, "ORDER BY "+strings.Join(keys, ", "))
	}
	if o.Frame != nil {
		parts = append(parts, o.Frame.String())
	}
	return strings.Join(parts, " ")
}

func (k SortKey) String() string {
	s := print(k.Expr, precOr)
	if k.Desc {
		s += " DESC"
	}
	switch {
	case k.NullsFirst && k.Desc:
		s += " NULLS FIRST"
	case !k.NullsFirst && !k.Desc:
		s += " NULLS LAST"
	}
	return s
}

func (f *Frame) String() string {
	unit := "RANGE"
	if f.Rows {
		unit = "ROWS"
	}
	return unit + " BETWEEN " + f.Lower.String() + " AND " + f.Upper.String()
}

func (b Bound) String() string {
	switch b.Kind {
	case UnboundedPreceding:
		return "UNBOUNDED PRECEDING"
	case UnboundedFollowing:
		return "UNBOUNDED FOLLOWING"
	case CurrentRow:
		return "CURRENT ROW"
	case Preceding:
		return print(b.Offset, precPredicate+1) + " PRECEDING"
	}
	return print(b.Offset, precPredicate+1) + " FOLLOWING"
}
