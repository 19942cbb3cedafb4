package merge

// Finding is a remark on a statement, with a code to look it up by.
type Finding struct {
	Code string
	// Severity is "warning" where the statement probably does what was not meant,
	// or fails, and "note" where it reads or collides more than it has to.
	Severity   string
	Clause     string
	Text       string
	Suggestion string // SQL to use instead, "" when there is none
	Page       string // of the guide, below docs/
}

// The codes of findings.
const (
	UnconditionalBySource = "unconditional-by-source"
	BySourceOnSpark       = "by-source-on-spark"
	MissingPartition      = "missing-partition-predicate"
	WholeTable            = "whole-table"
	NoKey                 = "no-key"
	FunctionOnColumn      = "function-on-column"
	CastOnColumn          = "cast-on-column"
	NoStatistics          = "no-statistics"
	NonDeterministic      = "non-deterministic"
	UnboundedOr           = "unbounded-or"
	MultipleMatches       = "possible-multiple-matches"
	NullKey               = "null-key"
	StaticOverwrite       = "static-overwrite"
	ReadsItself           = "reads-itself"
	OptimizeEverything    = "optimize-everything"
)

// codes are all of them, with their severity.
var codes = []struct{ code, severity string }{
	{UnconditionalBySource, "warning"}, {MultipleMatches, "warning"}, {NullKey, "warning"}, {StaticOverwrite, "warning"},
	{NonDeterministic, "note"}, {BySourceOnSpark, "note"}, {MissingPartition, "note"}, {WholeTable, "note"}, {NoKey, "note"}, {FunctionOnColumn, "note"}, {CastOnColumn, "note"},
	{NoStatistics, "note"}, {UnboundedOr, "note"}, {ReadsItself, "note"}, {OptimizeEverything, "note"},
}

// Codes lists the codes of all findings.
func Codes() []string {
	out := make([]string, len(codes))
	for i, c := range codes {
		out[i] = c.code
	}
	return out
}

// NewFinding makes a finding with the severity and the page of its code.
func NewFinding(code, clause, text, suggestion string) Finding {
	f := Finding{Code: code, Severity: "note", Clause: clause, Text: text, Suggestion: suggestion, Page: "guide/conflicts/" + code + ".md"}
	for _, c := range codes {
		if c.code == code {
			f.Severity = c.severity
		}
	}
	return f
}
