package expr

import (
	"regexp"
	"strings"
)

// numberFormat matches the formats of to_char and to_number: a sign, a currency, groups
// of digits, a fraction, a currency, and a sign or angle brackets (ToNumberParser).
var numberFormat = regexp.MustCompile(`^(MI|S)?\$?[09]*(,[09]+)*(\.[09]*)?\$?(PR|MI|S)?$`)

// checkNumberFormat says what is wrong with a constant format.
func checkNumberFormat(fn, format string) error {
	f := strings.NewReplacer("D", ".", "G", ",").Replace(strings.ToUpper(format))
	bad := func(class, what string) error {
		return bindErrorf("INVALID_FORMAT."+class, "the format %s of %s %s", quoteText(format), fn, what)
	}
	first := strings.IndexAny(f, "09")
	point := strings.IndexByte(f, '.')
	switch {
	case f == "":
		return bad("EMPTY", "is empty")
	case first < 0:
		return bad("WRONG_NUM_DIGIT", "has no digit (0 or 9)")
	}
	for _, token := range []string{".", "S", "$", "MI", "PR"} {
		if strings.Count(f, token) > 1 {
			return bad("WRONG_NUM_TOKEN", "has more than one "+token)
		}
	}
	currency := strings.IndexByte(f, '$')
	last := strings.LastIndexAny(f, "09")
	switch {
	case currency > first && currency < last:
		return bad("CUR_MUST_BEFORE_DIGIT", "has its currency sign between digits")
	case currency >= 0 && point >= 0 && currency > point:
		return bad("CUR_MUST_BEFORE_DEC", "has its currency sign after the decimal point")
	case point >= 0 && strings.LastIndexByte(f, ',') > point:
		return bad("THOUSANDS_SEPS_MUST_BEFORE_DEC", "has a group separator after the decimal point")
	}
	whole := f
	if point >= 0 {
		whole = f[:point]
	}
	if at := strings.IndexByte(whole, ','); at >= 0 {
		end := strings.LastIndexByte(whole, ',')
		if at < first || strings.Contains(whole, ",,") || end > strings.LastIndexAny(whole, "09") {
			return bad("CONT_THOUSANDS_SEPS", "has a group separator without digits on both sides")
		}
	}
	if !numberFormat.MatchString(f) {
		return bad("UNEXPECTED_TOKEN", "is none: it is [MI|S] [$] digits with , and . [$] [PR|MI|S]")
	}
	return nil
}

// numberFormatArg checks the format of to_char and to_number and gives its text.
func (in *binder) numberFormatArg(fn string, a Expr) (string, Expr, error) {
	if in.argType('s', a.Type()) == nil {
		return "", nil, unexpectedInput(fn, 1, a)
	}
	lit, ok := constantUnder(a)
	if !ok {
		return "", nil, bindErrorf("DATATYPE_MISMATCH.NON_FOLDABLE_INPUT", "the format of %s is a constant, not %s", fn, a)
	}
	text, isText := lit.Value.(string)
	if lit.Value == nil {
		return "", &Literal{T: a.Type()}, nil
	}
	if !isText {
		text = strings.Trim(lit.String(), "'")
	}
	return text, in.convert(a, in.argType('s', a.Type())), checkNumberFormat(fn, text)
}
