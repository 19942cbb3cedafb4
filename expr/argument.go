package expr

import (
	"database/sql/driver"
	"fmt"
	"math/big"
	"reflect"
	"strconv"
	"time"

	"github.com/sluicelake/sluice/types"
	"github.com/sluicelake/sluice/types/civil"
)

// Arguments are the values for the placeholders of a text: ? takes the values of
// Positional one after the other, $1 the first of them, :name that of Named.
// They become literals with the type of the value, and never text.
type Arguments struct {
	Positional []*Literal
	Named      map[string]*Literal

	order map[int]int // of the question marks, by their offset
	used  map[string]bool
	any   bool // every placeholder has a value: NULL
}

// AnyArguments has every placeholder be NULL, to read a text before its values are known.
func AnyArguments() *Arguments { return &Arguments{any: true} }

// Wanted is how many values the placeholders met so far take, -1 when some have names.
func (a *Arguments) Wanted() int {
	most := len(a.order)
	for key := range a.used {
		n, err := strconv.Atoi(key)
		if err != nil {
			return -1
		}
		most = max(most, n)
	}
	return most
}

// Use has placeholders stand for arguments; nil has them refused, as is the case
// from the beginning. The arguments belong to the parser then.
func (p *Parser) Use(a *Arguments) {
	p.args = a
	if a == nil || a.order != nil {
		return
	}
	a.order, a.used = map[int]int{}, map[string]bool{}
	for t := nextToken(p.src, 0); t.Kind != EOF; t = nextToken(p.src, t.End) {
		if t.Is("?") {
			a.order[t.Pos] = len(a.order)
		}
		if t.End <= t.Pos {
			break
		}
	}
}

// Without has placeholders refused while fn reads text that is stored as it is
// written, such as a constraint.
func (p *Parser) Without(fn func() error) error {
	args := p.args
	p.args = nil
	defer func() { p.args = args }()
	return fn()
}

// Unused is the first argument that no placeholder has asked for, "" when all were used.
func (a *Arguments) Unused() string {
	for i := range a.Positional {
		if !a.used[strconv.Itoa(i+1)] {
			return "$" + strconv.Itoa(i+1)
		}
	}
	for name := range a.Named {
		if !a.used[":"+name] {
			return ":" + name
		}
	}
	return ""
}

// placeholder takes ?, $1 or :name; ok is false when none comes next.
func (p *Parser) placeholder() (e Expr, ok bool, err error) {
	t := p.tok
	text, key := t.Text, ""
	switch {
	case t.Is("?"):
		if p.args != nil {
			key = strconv.Itoa(p.args.order[t.Pos] + 1)
		}
	case t.Kind == Symbol && len(text) > 1 && text[0] == '$':
		key = text[1:]
	case t.Is(":"):
		name := p.PeekSecond()
		if name.Kind != Word || name.Pos != t.End {
			return nil, false, nil
		}
		p.Next()
		text, key = ":"+name.Text, ":"+name.Text
	default:
		return nil, false, nil
	}
	p.Next()
	var l *Literal
	if p.args != nil {
		if p.args.any {
			l = &Literal{T: types.Void}
		} else if key[0] == ':' {
			l = p.args.Named[key[1:]]
		} else if n, err := strconv.Atoi(key); err == nil && n >= 1 && n <= len(p.args.Positional) {
			l = p.args.Positional[n-1]
		}
	}
	if l == nil {
		why := fmt.Sprintf("no value is given for the placeholder %s", text)
		if p.args == nil {
			why = fmt.Sprintf("the placeholder %s cannot stand here, or no values are given", text)
		}
		return nil, true, p.fail(t, "UNBOUND_SQL_PARAMETER", "42P02", why)
	}
	p.args.used[key] = true
	return l, true, nil
}

// LiteralOf is a Go value as a literal of the type that fits it: BIGINT for int and
// int64, INT, SMALLINT and TINYINT for the shorter ones, DECIMAL for Decimal and
// big.Int, DATE for civil.Day, TIMESTAMP for time.Time, BINARY for []byte, NULL for
// nil. A driver.Valuer is asked first; pointers and named types are what they hold.
func LiteralOf(v any) (*Literal, error) {
	switch x := v.(type) {
	case nil:
		return &Literal{T: types.Void}, nil
	case Decimal:
		return decimalLiteral(x)
	case *big.Int:
		if x == nil {
			return &Literal{T: types.Void}, nil
		}
		return decimalLiteral(Decimal{Unscaled: x})
	case civil.Day:
		return &Literal{Value: int64(x), T: types.Date}, nil
	case time.Time:
		return &Literal{Value: x.UnixMicro(), T: types.Timestamp}, nil
	case []byte:
		if x == nil {
			return &Literal{T: types.Void}, nil
		}
		return &Literal{Value: append([]byte{}, x...), T: types.Binary}, nil
	case driver.Valuer:
		if r := reflect.ValueOf(v); r.Kind() == reflect.Pointer && r.IsNil() {
			return &Literal{T: types.Void}, nil
		}
		inner, err := x.Value()
		if err != nil {
			return nil, err
		}
		if _, again := inner.(driver.Valuer); again {
			return nil, fmt.Errorf("the Value of a %T is a %T, and no plain value", v, inner)
		}
		return LiteralOf(inner)
	}
	r := reflect.ValueOf(v)
	switch r.Kind() {
	case reflect.Pointer:
		if r.IsNil() {
			return &Literal{T: types.Void}, nil
		}
		return LiteralOf(r.Elem().Interface())
	case reflect.Bool:
		return &Literal{Value: r.Bool(), T: types.Boolean}, nil
	case reflect.String:
		return &Literal{Value: r.String(), T: types.String}, nil
	case reflect.Float32:
		return &Literal{Value: r.Float(), T: types.Float}, nil
	case reflect.Float64:
		return &Literal{Value: r.Float(), T: types.Double}, nil
	case reflect.Int8:
		return &Literal{Value: r.Int(), T: types.Byte}, nil
	case reflect.Int16:
		return &Literal{Value: r.Int(), T: types.Short}, nil
	case reflect.Int32:
		return &Literal{Value: r.Int(), T: types.Integer}, nil
	case reflect.Int, reflect.Int64:
		return &Literal{Value: r.Int(), T: types.Long}, nil
	case reflect.Uint8, reflect.Uint16, reflect.Uint32, reflect.Uint, reflect.Uint64:
		if n := r.Uint(); n > 1<<63-1 {
			return decimalLiteral(Decimal{Unscaled: new(big.Int).SetUint64(n)})
		}
		return &Literal{Value: int64(r.Uint()), T: types.Long}, nil
	case reflect.Slice:
		if r.Type().Elem().Kind() == reflect.Uint8 {
			return LiteralOf(r.Bytes())
		}
	}
	return nil, fmt.Errorf("a Go value of type %T is no value of SQL", v)
}

func decimalLiteral(d Decimal) (*Literal, error) {
	if d.Unscaled == nil {
		d.Unscaled = new(big.Int)
	}
	t, ok := decimalTypeOf(d)
	if !ok {
		return nil, fmt.Errorf("%s has more than 38 digits", d)
	}
	return &Literal{Value: rescaleUp(d, t.Scale), T: t}, nil
}

// Scan is part of sql.Scanner: text, a whole number, or a Decimal.
func (d *Decimal) Scan(value any) error {
	text := ""
	switch v := value.(type) {
	case string:
		text = v
	case []byte:
		text = string(v)
	case int64:
		text = strconv.FormatInt(v, 10)
	case Decimal:
		*d = v
		return nil
	default:
		return fmt.Errorf("a value of type %T is no exact number", value)
	}
	n, ok := ParseDecimal(text)
	if !ok {
		return fmt.Errorf("%q is no number", text)
	}
	*d = n
	return nil
}
