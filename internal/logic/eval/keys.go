package eval

import (
	"bytes"

	"github.com/apache/arrow-go/v18/arrow"

	"github.com/sluicelake/sluice/expr"
	"github.com/sluicelake/sluice/internal/base/columns"
)

// checkKeys refuses NULL keys and keys that occur twice.
func checkKeys(kvs []columns.KV) (any, error) {
	for i, kv := range kvs {
		if kv.Key == nil {
			return nil, failf("NULL_MAP_KEY", "a map key cannot be NULL")
		}
		if f, ok := kv.Key.(float64); ok && f == 0 { // -0.0 is the key 0.0
			kvs[i].Key = 0.0
		}
		for _, other := range kvs[:i] {
			if sameValue(kv.Key, other.Key) {
				return nil, duplicateKey(kv.Key)
			}
		}
	}
	return kvs, nil
}

// sameValue compares values in the form of columns.Value; NULL is the same as NULL.
func sameValue(a, b any) bool { return orderValues(a, b) == 0 }

// orderValues orders values of one type, NULL first.
func orderValues(a, b any) int {
	switch {
	case a == nil && b == nil:
		return 0
	case a == nil:
		return -1
	case b == nil:
		return 1
	}
	switch x := a.(type) {
	case bool:
		return b2i(x) - b2i(b.(bool))
	case int64:
		y := b.(int64)
		return b2i(x > y) - b2i(x < y)
	case float64:
		return compareFloat(x, b.(float64))
	case string:
		y := b.(string)
		return b2i(x > y) - b2i(x < y)
	case []byte:
		return bytes.Compare(x, b.([]byte))
	case expr.Decimal:
		return x.Unscaled.Cmp(b.(expr.Decimal).Unscaled)
	case []any:
		y := b.([]any)
		for i := range min(len(x), len(y)) {
			if r := orderValues(x[i], y[i]); r != 0 {
				return r
			}
		}
		return b2i(len(x) > len(y)) - b2i(len(x) < len(y))
	}
	return 0
}

// Order compares any two values of two arrays of one orderable type; NULL comes
// first, NaN after every other number, and -0.0 equals 0.0.
func Order(a, b arrow.Array) func(i, j int) int { return nullsFirst(a, b) }

// OrderValues is Order for two values in the form of columns.Value.
func OrderValues(a, b any) int { return orderValues(a, b) }
