package main

import (
	"context"
	"errors"
	"fmt"
	"io/fs"
	"slices"
	"strings"

	"github.com/sluicelake/sluice"
	"github.com/sluicelake/sluice/expr"
	"github.com/sluicelake/sluice/storage"
)

// Exit statuses.
const (
	exitFailed      = 1
	exitUsage       = 2
	exitUnknown     = 3
	exitInterrupted = 130
)

// exit prints the error of a run and gives the exit status.
func (a *app) exit(ctx context.Context, err error) int {
	if err == nil {
		return 0
	}
	code, kind := exitFailed, kindOf(err)
	message := err.Error()
	if list, ok := strings.CutPrefix(message, "required flag(s) "); ok {
		err = usagef("--%s is missing", strings.ReplaceAll(strings.ReplaceAll(strings.TrimSuffix(list, " not set"), `"`, ""), ", ", " and --"))
		if strings.Contains(list, ",") {
			err = usagef("%s", strings.Replace(err.Error(), " is ", " are ", 1))
		}
		message = err.Error()
	}
	var u usage
	switch {
	case errors.As(err, &u) || cobraUsage(message):
		code, kind = exitUsage, "usage"
	case errors.Is(err, sluice.ErrCommitUnknown):
		code = exitUnknown
	case ctx.Err() != nil && errors.Is(err, context.Canceled):
		code, kind = exitInterrupted, "interrupted"
		message = a.stopped("interrupted", message, context.Canceled)
	case errors.Is(err, context.DeadlineExceeded) && a.timeout > 0:
		message = a.stopped(fmt.Sprintf("gave up after %s (--timeout)", a.timeout), message, context.DeadlineExceeded)
	}
	if a.json {
		_ = a.object(map[string]any{"error": map[string]any{"class": classOf(err, kind), "sqlState": sluice.SQLState(err), "kind": kind,
			"message": message, "detail": detailOf(err)}})
		if a.out.Flush() != nil {
			return code
		}
	}
	fmt.Fprintf(a.errs, "sluice: %s\n", message)
	if hint := hintOf(err); hint != "" && code == exitFailed && !a.quiet {
		fmt.Fprintf(a.errs, "  %s\n", hint)
	}
	if code == exitUsage {
		fmt.Fprintf(a.errs, "Run '%s --help' for usage.\n", a.command)
	}
	return code
}

// stopped tells that an operation was ended from outside, where it was, and
// what became of the table.
func (a *app) stopped(why, message string, cause error) string {
	message = strings.TrimSuffix(strings.TrimSuffix(message, cause.Error()), ": ")
	if a.writes && !strings.Contains(message, "nothing was committed") {
		why += "; nothing was committed"
	}
	return prefixed("", why) + prefixed(": ", message)
}

// cobraUsage recognises the errors that the flag library makes itself.
func cobraUsage(message string) bool {
	for _, start := range []string{"unknown command", "unknown help topic", "required flag", "accepts ", "requires "} {
		if strings.HasPrefix(message, start) {
			return true
		}
	}
	return false
}

// kinds group errors for programs, the most telling first.
var kinds = []struct {
	sentinel error
	kind     string
}{
	{sluice.ErrNotTable, "no-table"}, {sluice.ErrVersionNotFound, "missing-version"}, {sluice.ErrExists, "exists"},
	{sluice.ErrUnsupportedFeature, "unsupported-feature"}, {sluice.ErrConflict, "conflict"}, {sluice.ErrCommitUnknown, "commit-unknown"},
	{sluice.ErrConstraint, "constraint"}, {sluice.ErrMissingFile, "missing-data-file"}, {sluice.ErrUnsafePath, "unsafe-path"}, {sluice.ErrCorrupt, "corrupt-log"},
	{storage.ErrReadOnly, "read-only"}, {storage.ErrPermission, "permission"}, {fs.ErrPermission, "permission"}, {storage.ErrNoSpace, "no-space"},
	{storage.ErrNotExist, "not-found"}, {fs.ErrNotExist, "not-found"}, {context.DeadlineExceeded, "timeout"}, {context.Canceled, "interrupted"},
}

// kindsByClass are kinds that an error's class tells better than its sentinel.
var kindsByClass = map[string]string{
	"DELTA_TIMESTAMP_EARLIER_THAN_COMMIT_RETENTION":     "timestamp-out-of-range",
	"DELTA_TIMESTAMP_GREATER_THAN_COMMIT":               "timestamp-out-of-range",
	"DELTA_INVALID_PROTOCOL_VERSION":                    "unsupported-protocol-version",
	"DELTA_MISSING_CHANGE_DATA":                         "cdf-not-enabled",
	"DELTA_CHANGE_TABLE_FEED_DISABLED":                  "cdf-not-enabled",
	"DELTA_CHANGE_DATA_FEED_INCOMPATIBLE_DATA_SCHEMA":   "cdf-unsupported",
	"DELTA_CHANGE_DATA_FEED_INCOMPATIBLE_SCHEMA_CHANGE": "cdf-unsupported",
	"DELTA_UNSUPPORTED_DATA_TYPES":                      "unsupported-type",
}

func kindOf(err error) string {
	class := sluice.ErrorClass(err)
	if k := kindsByClass[class]; k != "" {
		return k
	}
	var feature *sluice.FeatureError
	var file *sluice.FileError
	switch {
	case errors.As(err, &feature) && (slices.Contains(feature.Names, "catalogManaged") || slices.Contains(feature.Names, "catalogOwned-preview")):
		return "catalog-required"
	case errors.As(err, &feature) && feature.Op == "read":
		return "unsupported-reader-feature"
	case errors.As(err, &file) && errors.Is(err, sluice.ErrCorrupt):
		return "corrupt-data-file"
	}
	for _, k := range kinds {
		if errors.Is(err, k.sentinel) {
			return k.kind
		}
	}
	var record *sluice.RecordError
	switch {
	case errors.As(err, &record):
		return "source"
	case class != "":
		return "statement"
	}
	return "failed"
}

// classOf is Delta's or Spark's class of an error; errors that these do not know
// have a class of sluice's own, made of their kind.
func classOf(err error, kind string) string {
	if class := sluice.ErrorClass(err); class != "" {
		return class
	}
	return "SLUICE_" + strings.ToUpper(strings.ReplaceAll(kind, "-", "_"))
}

// hintOf says what to do about an error whose own text does not.
func hintOf(err error) string {
	var record *sluice.RecordError
	switch class := sluice.ErrorClass(err); {
	case errors.Is(err, sluice.ErrNotTable):
		return "Check the path, or make the table with 'sluice create'."
	case errors.Is(err, sluice.ErrMissingFile):
		return "Put the file back, or read an older or newer version that does not need it (--version)."
	case errors.Is(err, sluice.ErrUnsafePath):
		return "Somebody wrote that path into the log: look at it with 'sluice files' and 'sluice log', and unless you know why, do not trust the table."
	case errors.Is(err, sluice.ErrCorrupt):
		return "Restore the file from a copy. Versions before it can be read with --version, commits looked at with 'sluice log'."
	case errors.Is(err, storage.ErrReadOnly), errors.Is(err, storage.ErrPermission), errors.Is(err, fs.ErrPermission):
		return "Reading may work; to write, get write access to the table's folder. Nothing was committed."
	case errors.Is(err, storage.ErrNoSpace):
		return "Nothing was committed, and the table can still be read. Make space and run it again."
	case errors.As(err, &record):
		return "Mend the record, or choose --source-bad-records drop or permissive."
	case class == "DELTA_NOT_NULL_CONSTRAINT_VIOLATED":
		return "Give every row a value, or leave rows without one out of the source."
	case class == "DELTA_METADATA_MISMATCH" && strings.Contains(err.Error(), "_corrupt_record"):
		return "Permissive reading keeps broken records in that column: the table needs one of that name, or use --source-bad-records drop."
	case class == "DELTA_METADATA_MISMATCH":
		return "Name the columns to take with --source-schema, or make a table that has them all."
	case class == "DELTA_UNKNOWN_CONFIGURATION":
		return "Names that begin with delta. belong to Delta; properties of your own need another beginning."
	case class == "CAST_INVALID_INPUT":
		return "Mend the value, declare the column's type with --source-schema, or use try_cast, which gives NULL."
	}
	return ""
}

// detailOf is what an error knows, for programs.
func detailOf(err error) map[string]any {
	detail := map[string]any{}
	put := func(name string, v any) {
		if v != "" && v != 0 {
			detail[name] = v
		}
	}
	var op *sluice.OpError
	if errors.As(err, &op) {
		put("table", op.Table)
		if op.Version >= 0 {
			detail["version"] = op.Version
		}
	}
	var (
		conflict   *sluice.ConflictError
		unknown    *sluice.CommitUnknownError
		corrupt    *sluice.CorruptError
		version    *sluice.VersionError
		feature    *sluice.FeatureError
		constraint *sluice.ConstraintError
		file       *sluice.FileError
		path       *sluice.PathError
		record     *sluice.RecordError
		stopped    *sluice.OptimizeStoppedError
		parse      *expr.ParseError
		bind       *expr.BindError
	)
	if errors.As(err, &stopped) {
		detail["versions"] = stopped.Versions
	}
	switch {
	case errors.As(err, &conflict):
		put("table", conflict.Table)
		detail["readVersion"], detail["winner"], detail["winnerOperation"] = conflict.ReadVersion, conflict.Winner, conflict.WinnerOp
		detail["evidence"], detail["advice"] = conflict.Evidence, conflict.Advice
	case errors.As(err, &unknown):
		detail["version"], detail["txnId"] = unknown.Version, unknown.TxnID
	case errors.As(err, &corrupt):
		put("table", corrupt.Table)
		put("file", corrupt.File)
		put("line", corrupt.Line)
		detail["version"] = corrupt.Version
	case errors.As(err, &version):
		put("table", version.Table)
		detail["earliest"], detail["latest"] = version.Earliest, version.Latest
	case errors.As(err, &feature):
		put("feature", feature.Feature)
	case errors.As(err, &constraint):
		put("column", constraint.Column)
		put("constraint", constraint.Name)
	case errors.As(err, &file):
		put("table", file.Table)
		put("file", file.Path)
	case errors.As(err, &path):
		put("table", path.Table)
		put("file", path.Path)
	case errors.As(err, &record):
		put("source", record.Source)
		put("field", record.Field)
		detail["record"], detail["line"], detail["byte"] = record.Record, record.Line, record.Offset
	case errors.As(err, &parse):
		detail["line"], detail["column"] = parse.Line, parse.Column
		put("near", parse.Near)
	case errors.As(err, &bind):
		if bind.Candidates != nil {
			detail["candidates"] = bind.Candidates
		}
	}
	return detail
}
