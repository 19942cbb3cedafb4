package columns

import (
	"fmt"

	"github.com/apache/arrow-go/v18/arrow"

	"github.com/sluicelake/sluice/types"
)

// TimestampUTC is the Arrow type of TIMESTAMP: an instant in microseconds.
var TimestampUTC = &arrow.TimestampType{Unit: arrow.Microsecond, TimeZone: "UTC"}

// TimestampNTZ is the Arrow type of TIMESTAMP_NTZ: local date and time in microseconds.
var TimestampNTZ = &arrow.TimestampType{Unit: arrow.Microsecond}

var variantType = arrow.StructOf(
	arrow.Field{Name: "metadata", Type: arrow.BinaryTypes.Binary},
	arrow.Field{Name: "value", Type: arrow.BinaryTypes.Binary})

var primitives = map[types.Type]arrow.DataType{
	types.Boolean: arrow.FixedWidthTypes.Boolean,
	types.Byte:    arrow.PrimitiveTypes.Int8, types.Short: arrow.PrimitiveTypes.Int16,
	types.Integer: arrow.PrimitiveTypes.Int32, types.Long: arrow.PrimitiveTypes.Int64,
	types.Float: arrow.PrimitiveTypes.Float32, types.Double: arrow.PrimitiveTypes.Float64,
	types.String: arrow.BinaryTypes.String, types.Binary: arrow.BinaryTypes.Binary,
	types.Date: arrow.FixedWidthTypes.Date32, types.Timestamp: TimestampUTC, types.TimestampNTZ: TimestampNTZ,
	types.Variant: variantType, types.Void: arrow.Null,
}

// ArrowType returns the one Arrow type that holds values of t.
func ArrowType(t types.Type) (arrow.DataType, error) {
	switch x := t.(type) {
	case types.Primitive:
		if dt, ok := primitives[x]; ok {
			return dt, nil
		}
	case types.Decimal:
		if x.Precision < 1 || x.Precision > 38 || x.Scale < 0 || x.Scale > x.Precision {
			return nil, fmt.Errorf("%s: precision must be 1 to 38 and scale 0 to the precision", x)
		}
		return &arrow.Decimal128Type{Precision: int32(x.Precision), Scale: int32(x.Scale)}, nil
	case *types.Array:
		el, err := ArrowType(x.Element)
		if err != nil {
			return nil, err
		}
		return arrow.ListOfField(arrow.Field{Name: "element", Type: el, Nullable: x.ContainsNull}), nil
	case *types.Map:
		k, err := ArrowType(x.Key)
		if err != nil {
			return nil, err
		}
		v, err := ArrowType(x.Value)
		if err != nil {
			return nil, err
		}
		return arrow.MapOfFields(
			arrow.Field{Name: "key", Type: k},
			arrow.Field{Name: "value", Type: v, Nullable: x.ValueContainsNull}), nil
	case *types.Struct:
		fields, err := arrowFields(x)
		if err != nil {
			return nil, err
		}
		return arrow.StructOf(fields...), nil
	}
	return nil, fmt.Errorf("type %v has no Arrow form", t)
}

// ArrowSchema returns the Arrow schema of rows of s. Field metadata is not copied.
func ArrowSchema(s *types.Struct) (*arrow.Schema, error) {
	fields, err := arrowFields(s)
	if err != nil {
		return nil, err
	}
	return arrow.NewSchema(fields, nil), nil
}

func arrowFields(s *types.Struct) ([]arrow.Field, error) {
	out := make([]arrow.Field, len(s.Fields))
	for i, f := range s.Fields {
		dt, err := ArrowType(f.Type)
		if err != nil {
			return nil, fmt.Errorf("column %s: %w", types.QuoteIdentifier(f.Name), err)
		}
		out[i] = arrow.Field{Name: f.Name, Type: dt, Nullable: f.Nullable}
	}
	return out, nil
}

// FromArrow returns the Delta type that can hold every value of an Arrow type.
// Unsigned integers widen, other units of time become microseconds, and
// dictionaries are their values.
func FromArrow(dt arrow.DataType) (types.Type, error) {
	switch x := dt.(type) {
	case *arrow.TimestampType:
		if x.TimeZone == "" {
			return types.TimestampNTZ, nil
		}
		return types.Timestamp, nil
	case arrow.DecimalType:
		p, s := int(x.GetPrecision()), int(x.GetScale())
		if p < 1 || p > 38 || s < 0 || s > p {
			return nil, fmt.Errorf("arrow type %s has no Delta type: DECIMAL has at most 38 digits and no negative scale", dt)
		}
		return types.Decimal{Precision: p, Scale: s}, nil
	case *arrow.MapType:
		k, err := FromArrow(x.KeyType())
		if err != nil {
			return nil, err
		}
		v, err := FromArrow(x.ItemType())
		if err != nil {
			return nil, err
		}
		return &types.Map{Key: k, Value: v, ValueContainsNull: x.ItemField().Nullable}, nil
	case arrow.ListLikeType:
		el, err := FromArrow(x.Elem())
		if err != nil {
			return nil, err
		}
		return &types.Array{Element: el, ContainsNull: x.ElemField().Nullable}, nil
	case *arrow.StructType:
		return fromArrowFields(x.Fields())
	case *arrow.DictionaryType:
		return FromArrow(x.ValueType)
	case arrow.ExtensionType:
		if n := x.ExtensionName(); n == "parquet.variant" || n == "arrow.parquet.variant" {
			return types.Variant, nil
		}
		return FromArrow(x.StorageType())
	}
	if t, ok := arrowKinds[dt.ID()]; ok {
		return t, nil
	}
	return nil, fmt.Errorf("arrow type %s has no Delta type", dt)
}

var arrowKinds = map[arrow.Type]types.Type{
	arrow.NULL: types.Void, arrow.BOOL: types.Boolean,
	arrow.INT8: types.Byte, arrow.INT16: types.Short, arrow.INT32: types.Integer, arrow.INT64: types.Long,
	arrow.UINT8: types.Short, arrow.UINT16: types.Integer, arrow.UINT32: types.Long, arrow.UINT64: types.Decimal{Precision: 20},
	arrow.FLOAT16: types.Float, arrow.FLOAT32: types.Float, arrow.FLOAT64: types.Double,
	arrow.STRING: types.String, arrow.LARGE_STRING: types.String, arrow.STRING_VIEW: types.String,
	arrow.BINARY: types.Binary, arrow.LARGE_BINARY: types.Binary, arrow.BINARY_VIEW: types.Binary, arrow.FIXED_SIZE_BINARY: types.Binary,
	arrow.DATE32: types.Date, arrow.DATE64: types.Date,
}

// StructFromArrow returns the Delta schema of an Arrow schema.
func StructFromArrow(s *arrow.Schema) (*types.Struct, error) { return fromArrowFields(s.Fields()) }

func fromArrowFields(fields []arrow.Field) (*types.Struct, error) {
	out := &types.Struct{Fields: make([]types.Field, len(fields))}
	for i, f := range fields {
		t, err := FromArrow(f.Type)
		if err != nil {
			return nil, fmt.Errorf("column %s: %w", types.QuoteIdentifier(f.Name), err)
		}
		out.Fields[i] = types.Field{Name: f.Name, Type: t, Nullable: f.Nullable}
	}
	return out, nil
}
