package expr

import (
	"strings"

	"github.com/sluicelake/sluice/types"
)

// moreSpecials are functions of text that describe data, and of vectors.
var moreSpecials = map[string]special{
	"sentences": {1, 3, func(in *binder, fn string, a []Expr) (Expr, error) {
		for i := range a {
			if in.implicitArg(a[i].Type(), types.String) == nil {
				return nil, unexpectedInput(fn, i, a[i])
			}
			a[i] = in.convert(a[i], types.String)
		}
		words := &types.Array{Element: types.String}
		return &Call{Fn: fn, Args: a[:1], T: &types.Array{Element: words}, Null: true}, nil
	}},
	"schema_of_json": {1, 2, schemaOf}, "schema_of_csv": {1, 2, schemaOf},
	"time_bucket":              {2, 3, timeBucket},
	"vector_inner_product":     {2, 2, vectors(types.Float)},
	"vector_l2_distance":       {2, 2, vectors(types.Float)},
	"vector_cosine_similarity": {2, 2, vectors(types.Float)},
	"vector_norm":              {1, 2, vectors(types.Float)},
	"vector_normalize":         {1, 2, vectors(floatVector)},
}

var floatVector = &types.Array{Element: types.Float, ContainsNull: true}

// schemaOf binds schema_of_json and schema_of_csv, whose text is constant.
func schemaOf(in *binder, fn string, a []Expr) (Expr, error) {
	if in.argType('e', a[0].Type()) == nil {
		return nil, unexpectedInput(fn, 0, a[0])
	}
	lit, ok := constantUnder(a[0])
	switch {
	case !ok:
		return nil, bindErrorf("DATATYPE_MISMATCH.NON_FOLDABLE_INPUT", "the text of %s is a constant, not %s", fn, a[0])
	case lit.Value == nil:
		return nil, bindErrorf("DATATYPE_MISMATCH.UNEXPECTED_NULL", "the text of %s is NULL", fn)
	}
	if err := optionMap(fn, a, 1); err != nil {
		return nil, err
	}
	return &Call{Fn: fn, Args: a, T: types.String, Null: true}, nil
}

// timeBucket is time_bucket(width, time[, origin]): the start of the bucket of a time.
func timeBucket(in *binder, fn string, a []Expr) (Expr, error) {
	if !isInterval(a[0].Type()) {
		return nil, unexpectedInput(fn, 0, a[0])
	}
	t := in.argType('U', a[1].Type())
	if a[1].Type() == types.Date {
		t = types.Timestamp
	}
	if t == nil {
		return nil, unexpectedInput(fn, 1, a[1])
	}
	a[1] = in.convert(a[1], t)
	if len(a) == 3 {
		if in.implicitArg(a[2].Type(), t) == nil {
			return nil, unexpectedInput(fn, 2, a[2])
		}
		a[2] = in.convert(a[2], t)
	}
	return &Call{Fn: fn, Args: a, T: t, Null: true}, nil
}

// vectors binds functions of arrays of FLOAT.
func vectors(result types.Type) func(*binder, string, []Expr) (Expr, error) {
	return func(in *binder, fn string, a []Expr) (Expr, error) {
		for i := range a {
			if strings.HasPrefix(fn, "vector_norm") && i == 1 {
				if in.implicitArg(a[i].Type(), types.Float) == nil {
					return nil, unexpectedInput(fn, i, a[i])
				}
				a[i] = in.convert(a[i], types.Float)
				continue
			}
			t, ok := a[i].Type().(*types.Array)
			if !ok || t.Element != types.Float {
				return nil, unexpectedInput(fn, i, a[i])
			}
		}
		return &Call{Fn: fn, Args: a, T: result, Null: true}, nil
	}
}

// elsewhere are functions that Spark has and that are not built here, by the class
// of the error that says so.
var elsewhere = map[string]string{}

func init() {
	for class, names := range map[string]string{
		"UNSUPPORTED_TIME_TYPE": "make_time to_time try_to_time time_diff time_trunc time_from_micros time_from_millis time_from_seconds time_to_micros time_to_millis time_to_seconds",
		"NOT_A_SCALAR_FUNCTION": "variant_explode variant_explode_outer range collations sql_keywords python_worker_logs",
		"UNSUPPORTED_FEATURE.FUNCTION": "from_xml to_xml schema_of_xml xpath xpath_boolean xpath_double xpath_float xpath_int xpath_long xpath_number xpath_short xpath_string " +
			"from_avro to_avro schema_of_avro from_protobuf to_protobuf java_method reflect try_reflect collate collation " +
			"st_asbinary st_geogfromwkb st_geomfromwkb st_setsrid st_srid input_file_name input_file_block_start input_file_block_length " +
			"monotonically_increasing_id spark_partition_id current_path randstr uniform window session_window hll_sketch_estimate hll_union",
	} {
		for _, name := range strings.Fields(names) {
			elsewhere[name] = class
		}
	}
}
