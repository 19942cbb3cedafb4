package expr

import (
	"time"

	"github.com/sluicelake/sluice/types"
	"github.com/sluicelake/sluice/types/civil"
)

// Options are the settings of a session that binding depends on.
type Options struct {
	// Now is what current_timestamp and current_date mean; zero is the time of binding.
	Now time.Time
	// Legacy switches ANSI mode off (spark.sql.ansi.enabled=false): other implicit
	// casts, NULL or wrapped numbers instead of errors. Stores stay ANSI.
	Legacy bool
	// TimeZone is spark.sql.session.timeZone; nil is UTC. civil.Zone reads its name.
	TimeZone *time.Location
}

// Session is what the value of a bound node depends on besides its operands.
// Binding writes it into calls and casts; the zero value is ANSI mode in UTC.
type Session struct {
	Legacy bool
	Zone   *time.Location
}

func (o Options) session() Session { return Session{Legacy: o.Legacy, Zone: zone(o.TimeZone)} }

// store is the session of a conversion that stores a value: always ANSI.
func (o Options) store() Session { return Session{Zone: zone(o.TimeZone)} }

func zone(loc *time.Location) *time.Location {
	if loc == time.UTC {
		return nil
	}
	return loc
}

// At fixes what current_timestamp means, unless it is fixed: a statement says it once.
func (o Options) At(now time.Time) Options {
	if o.Now.IsZero() {
		o.Now = now
	}
	return o
}

// local is the reading of the clock at the time of the statement.
func (o Options) local() int64 { return civil.Local(civil.Micros(o.Now), zone(o.TimeZone)) }

// zoneName is what current_timezone() says.
func (o Options) zoneName() string {
	if z := zone(o.TimeZone); z != nil {
		return z.String()
	}
	return "UTC"
}

// settle writes the session into the calls and casts of a bound tree. Casts that
// store keep to ANSI mode, and so does the operator under try_add and its kin.
func settle(e Expr, in Session) Expr {
	if in == (Session{}) {
		return e
	}
	return Rewrite(e, func(e Expr) Expr {
		switch x := e.(type) {
		case *Cast:
			c := *x
			if c.In = in; x.Assign != "" {
				c.In.Legacy = false
			}
			return &c
		case *Call:
			c := *x
			c.In = in
			if c.Fn == "try" || c.Fn == "try_eval" {
				if inner, ok := c.Args[0].(*Call); ok {
					strict := *inner
					strict.In.Legacy = false
					c.Args = []Expr{&strict}
				}
			}
			return &c
		}
		return e
	})
}

// instant makes a literal without zone an instant.
func (o Options) instant(x *Literal) Expr {
	v, ok := x.Value.(int64)
	if z := zone(o.TimeZone); ok && x.Local && z != nil {
		return &Literal{Value: civil.Instant(v, z), T: types.Timestamp}
	}
	return x
}
