package expr

import (
	"slices"
	"strings"

	"github.com/sluicelake/sluice/types"
)

// signatureText lists the functions with fixed argument types, one line each:
// name and aliases, argument letters, result letter. Arguments: s string, S string
// or binary, x binary, i int, l long, d double, b boolean, D date, T timestamp,
// U timestamp of either kind, I int that must not narrow (int, short, byte), N any
// number, Z integral number, a anything, A array, M map, v variant; of exactly the
// type, without conversion, e string, E date, F timestamp, B binary. A ? makes it and
// what follows optional, a final * repeats the last one. Results: the same letters,
// t array of string, n tinyint, w timestamp_ntz, or a digit for the type of that
// argument after conversion.
const signatureText = `
upper,ucase                     s      s
lower,lcase                     s      s
length,len,char_length,character_length  S  i
octet_length                    S      i
bit_length                      S      i
trim                            s?s    s
btrim                           s?s    s
ltrim                           s?s    s
rtrim                           s?s    s
repeat                          si     s
replace                         ss?s   s
translate                       sss    s
initcap                         s      s
substring,substr                Si?i   0
left                            Si     0
right                           si     s
split                           ss?i   t
split_part                      ssi    s
instr                           ss     i
locate,position                 ss?i   i
charindex                       ss?i   i
ascii                           s      i
chr,char                        l      s
base64                          x      s
unbase64                        s      x
unhex                           s      x
md5                             x      s
sha,sha1                        x      s
sha2                            xi     s
crc32                           x      l
soundex                         e      s
levenshtein                     ss?i   i
find_in_set                     ss     i
printf,format_string            s?a*   s
regexp_extract                  ss?i   s
regexp_extract_all              ss?i   t
regexp_count                    ss     i
regexp_substr                   ss     s
regexp_instr                    ss?i   i
regexp_replace                  sss?i  s
rlike,regexp_like,regexp        ss     b
substring_index                 ssi    s
space                           i      s
url_encode                      s      s
url_decode                      s      s
try_url_decode                  s      s
encode                          ss     x
luhn_check                      s      b
bin                             l      s
conv                            sii    s
exp                             d      d
expm1                           d      d
ln                              d      d
log10                           d      d
log2                            d      d
log1p                           d      d
sqrt                            d      d
cbrt                            d      d
sin                             d      d
cos                             d      d
tan                             d      d
cot                             d      d
sec                             d      d
csc                             d      d
asin                            d      d
acos                            d      d
atan                            d      d
sinh                            d      d
cosh                            d      d
tanh                            d      d
asinh                           d      d
acosh                           d      d
atanh                           d      d
degrees                         d      d
radians                         d      d
rint                            d      d
atan2                           dd     d
hypot                           dd     d
pow,power                       dd     d
factorial                       i      l
e                               .      d
pi                              .      d
rand,random                     ?l     d
uuid                            .      s
year                            D      i
quarter                         D      i
month                           D      i
day,dayofmonth                  D      i
dayofweek                       D      i
weekday                         D      i
dayofyear                       D      i
weekofyear                      D      i
monthname                       D      s
dayname                         D      s
date_add,dateadd                DI     D
date_sub                        DI     D
datediff,date_diff              DD     i
add_months                      Di     D
months_between                  TT?b   d
last_day                        D      D
next_day                        Ds     D
trunc                           Ds     D
date_trunc                      sT     T
date_format                     Ts     s
unix_date                       E      i
unix_seconds                    F      l
unix_millis                     F      l
unix_micros                     F      l
date_from_unix_date             i      D
timestamp_millis                Z      T
timestamp_micros                Z      T
from_unixtime                   l?s    s
make_date                       iii    D
timestampadd                    slU    2
timestampdiff                   sTT    l
from_utc_timestamp              Ts     T
to_utc_timestamp                Ts     T
array_join                      Ae?e   s
array_size                      A      i
is_variant_null                 v      b
is_valid_variant                v      b
try_parse_json                  e      v
parse_json                      e      v
schema_of_variant               v      s
get_json_object                 ee     s
json_array_length               e      i
json_object_keys                e      t
is_valid_utf8                   S      b
make_valid_utf8                 S      s
validate_utf8                   S      s
try_validate_utf8               S      s
parse_url                       ee?e   s
try_parse_url                   ee?e   s
aes_encrypt                     xx?ssxx x
aes_decrypt                     xx?ssx x
try_aes_decrypt                 xx?ssx x
bitmap_bit_position             l      l
bitmap_bucket_number            l      l
bitmap_count                    B      l
quote                           s      s
randn                           ?l     d
version                         .      s
current_user,user,session_user  .      s
current_database,current_schema .      s
current_catalog                 .      s
current_timezone                .      s
`

type signature struct {
	name     string
	args     string // letters
	required int
	repeat   bool
	result   byte
}

var signatures = parseSignatures(signatureText)

func parseSignatures(text string) map[string]signature {
	out := map[string]signature{}
	for line := range strings.Lines(text) {
		f := strings.Fields(line)
		if len(f) != 3 {
			continue
		}
		names := strings.Split(f[0], ",")
		s := signature{name: names[0], result: f[2][0], required: -1}
		for _, c := range strings.Trim(f[1], ".") {
			switch c {
			case '?':
				s.required = len(s.args)
			case '*':
				s.repeat = true
			default:
				s.args += string(c)
			}
		}
		if s.required < 0 {
			s.required = len(s.args)
		}
		for _, n := range names {
			out[n] = s
		}
	}
	return out
}

var letterTypes = map[byte]types.Type{
	's': types.String, 'x': types.Binary, 'i': types.Integer, 'l': types.Long, 'd': types.Double, 'b': types.Boolean,
	'D': types.Date, 'T': types.Timestamp, 'v': types.Variant, 'n': types.Byte, 'w': types.TimestampNTZ,
	't': &types.Array{Element: types.String, ContainsNull: true},
}

// takesNull are the functions of the table that are not NULL for a constant NULL.
var takesNull = map[string]bool{"is_valid_variant": true, "printf": true, "rand": true, "randn": true, "array_join": true, "is_variant_null": true, "aes_encrypt": true,
	"levenshtein": true, "encode": true, "parse_url": true, "try_parse_url": true, "months_between": true, "to_utc_timestamp": true}

var exactly = map[byte]types.Type{'e': types.String, 'E': types.Date, 'F': types.Timestamp}

// bindSignature converts the arguments of a function from the table.
func (s signature) bind(in *binder, called string, args []Expr) (Expr, error) {
	if len(args) < s.required || (len(args) > len(s.args) && !s.repeat) {
		want := itoa(s.required)
		if s.repeat {
			want += " or more"
		} else if len(s.args) > s.required {
			want += " to " + itoa(len(s.args))
		}
		return nil, wrongArgs(called, want, len(args))
	}
	for i, a := range args {
		letter := s.args[min(i, len(s.args)-1)]
		to := in.argType(letter, a.Type())
		if to == nil {
			return nil, unexpectedInput(called, i, a)
		}
		args[i] = in.convert(a, to)
	}
	t := letterTypes[s.result]
	if digit(s.result) {
		t = args[s.result-'0'].Type()
	}
	if s.name == "regexp_replace" && len(args) == 4 {
		if n, ok := literalInt(args[3]); ok && n < 1 && !alwaysNull(args[3]) {
			return nil, bindErrorf("DATATYPE_MISMATCH.VALUE_OUT_OF_RANGE", "regexp_replace begins at the position 1 or later, not %d", n)
		}
	}
	if (s.name == "trunc" || s.name == "date_trunc") && unknownTruncation(s.name, args) {
		return &Literal{T: t}, nil
	}
	if !takesNull[s.name] && slices.ContainsFunc(args, alwaysNull) {
		return &Literal{T: t}, nil // whatever the others hold, and though they fail
	}
	return &Call{Fn: s.name, Args: args, T: t, Null: true}, nil
}

// argType is what an argument becomes for a letter; nil when it does not fit.
func (in *binder) argType(letter byte, t types.Type) types.Type {
	void := t == types.Void
	switch letter {
	case 'a':
		return t
	case 'S':
		if t == types.Binary {
			return t
		}
		return in.implicitArg(t, types.String)
	case 'x':
		if t == types.String || t == types.Binary || void {
			return types.Binary
		}
		return nil
	case 'I':
		if t == types.Byte || t == types.Short || t == types.Integer || t == types.String || void {
			return types.Integer
		}
		return nil
	case 'N':
		switch {
		case types.IsNumeric(t):
			return t
		case t == types.String || void:
			return types.Double
		}
		return nil
	case 'Z':
		if types.IsIntegral(t) {
			return types.Long
		}
		if void {
			return types.Long
		}
		return nil
	case 'U':
		if isDatetime(t) && t != types.Date {
			return t
		}
		return in.implicitArg(t, types.Timestamp)
	case 'A':
		if _, ok := t.(*types.Array); ok {
			return t
		}
		if void {
			return &types.Array{Element: types.Void, ContainsNull: true}
		}
		return nil
	case 'e', 'E', 'F':
		if want := exactly[letter]; void || t == want {
			return want
		}
		return nil
	case 'B':
		if t == types.Binary {
			return t
		}
		return nil
	case 'M':
		if _, ok := t.(*types.Map); ok {
			return t
		}
		return nil
	case 'v':
		if t == types.Variant || void {
			return types.Variant
		}
		return nil
	}
	return in.implicitArg(t, letterTypes[letter])
}

func itoa(n int) string { return string(rune('0' + n)) }

// unknownTruncation reports a constant unit that trunc or date_trunc does not know:
// the result is NULL, whatever the other argument holds.
func unknownTruncation(fn string, args []Expr) bool {
	unit := args[0]
	if fn == "trunc" {
		unit = args[1]
	}
	text, ok := literalText(unit)
	if !ok {
		return false
	}
	switch text {
	case "YEAR", "YYYY", "YY", "QUARTER", "MONTH", "MM", "MON", "WEEK":
		return false
	case "DAY", "DD", "HOUR", "MINUTE", "SECOND", "MILLISECOND", "MICROSECOND":
		return fn == "trunc"
	}
	return true
}
