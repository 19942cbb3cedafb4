package txn

import (
	"context"
	"fmt"
)

type activeKey struct{}

// ActiveError is returned when a second transaction is made active in a context.
type ActiveError struct{ Active, Second string }

func (e *ActiveError) Error() string {
	return fmt.Sprintf("[DELTA_ACTIVE_TRANSACTION_ALREADY_SET] cannot set transaction %s as active: transaction %s is active already in this context", e.Second, e.Active)
}

// WithActive makes a transaction the active one of a context: scans of its
// table under that context are recorded as its reads.
func WithActive(ctx context.Context, t *Txn) (context.Context, error) {
	if a := Active(ctx); a != nil {
		return nil, &ActiveError{Active: a.ID(), Second: t.ID()}
	}
	return context.WithValue(ctx, activeKey{}, t), nil
}

// Active returns the active transaction of a context, nil when there is none
// or when it has ended.
func Active(ctx context.Context) *Txn {
	t, _ := ctx.Value(activeKey{}).(*Txn)
	if t == nil || t.Ended() {
		return nil
	}
	return t
}
