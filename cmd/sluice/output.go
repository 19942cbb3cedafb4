package main

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io/fs"
	"strings"
	"time"
	"unicode/utf8"

	"github.com/sluicelake/sluice"
	"github.com/sluicelake/sluice/storage"
)

// object prints one JSON object on a line.
func (a *app) object(v any) error {
	enc := json.NewEncoder(a.out)
	enc.SetEscapeHTML(false)
	return enc.Encode(v)
}

// printf prints a line of the result.
func (a *app) printf(format string, args ...any) { fmt.Fprintf(a.out, format+"\n", args...) }

// table prints rows under a header, columns aligned; numbers (by column) to the right.
func (a *app) table(header []string, rows [][]string, right ...int) {
	width := make([]int, len(header))
	for _, row := range append([][]string{header}, rows...) {
		for i, cell := range row {
			width[i] = max(width[i], utf8.RuneCountInString(cell))
		}
	}
	isRight := map[int]bool{}
	for _, i := range right {
		isRight[i] = true
	}
	line := func(row []string) {
		var b strings.Builder
		for i, cell := range row {
			pad := strings.Repeat(" ", width[i]-utf8.RuneCountInString(cell))
			if i > 0 {
				b.WriteString("  ")
			}
			if isRight[i] {
				b.WriteString(pad + cell)
			} else {
				b.WriteString(cell + pad)
			}
		}
		a.printf("%s", strings.TrimRight(b.String(), " "))
	}
	line(header)
	dashes := make([]string, len(header))
	for i := range dashes {
		dashes[i] = strings.Repeat("-", width[i])
	}
	line(dashes)
	for _, row := range rows {
		line(row)
	}
}

// exit prints the error of a run and gives the exit status.
func (a *app) exit(ctx context.Context, err error) int {
	if err == nil {
		return 0
	}
	code, kind := 1, kindOf(err)
	var u usage
	switch {
	case errors.As(err, &u) || strings.HasPrefix(err.Error(), "unknown command") || strings.HasPrefix(err.Error(), "required flag"):
		code, kind = 2, "usage"
	case errors.Is(err, sluice.ErrCommitUnknown):
		code = 3
	case ctx.Err() != nil && errors.Is(err, context.Canceled):
		code, kind = 130, "interrupted"
	}
	class := sluice.ErrorClass(err)
	if a.json && code != 2 {
		_ = a.object(map[string]any{"error": map[string]any{"class": class, "sqlState": sqlState(class), "kind": kind, "message": err.Error(), "detail": detailOf(err)}})
		if a.out.Flush() != nil {
			return code
		}
	}
	fmt.Fprintf(a.errs, "sluice: %v\n", err)
	if code == 2 {
		fmt.Fprintln(a.errs, "Run 'sluice --help' or 'sluice COMMAND --help' for usage.")
	}
	return code
}

// kindOf groups errors for programs.
func kindOf(err error) string {
	for _, k := range []struct {
		sentinel error
		kind     string
	}{
		{sluice.ErrNotTable, "not-a-table"}, {sluice.ErrVersionNotFound, "version-not-found"}, {sluice.ErrExists, "exists"},
		{sluice.ErrUnsupportedFeature, "unsupported-feature"}, {sluice.ErrConflict, "conflict"}, {sluice.ErrCommitUnknown, "commit-unknown"},
		{sluice.ErrConstraint, "constraint"}, {sluice.ErrCorrupt, "corrupt"}, {storage.ErrReadOnly, "read-only"}, {storage.ErrPermission, "permission"},
		{storage.ErrNoSpace, "no-space"}, {storage.ErrNotExist, "not-found"}, {fs.ErrNotExist, "not-found"}, {context.DeadlineExceeded, "timeout"},
	} {
		if errors.Is(err, k.sentinel) {
			return k.kind
		}
	}
	if sluice.ErrorClass(err) != "" {
		return "statement"
	}
	return "failed"
}

func detailOf(err error) any {
	var c *sluice.ConflictError
	if errors.As(err, &c) {
		return map[string]any{"readVersion": c.ReadVersion, "winner": c.Winner, "winnerOperation": c.WinnerOp, "evidence": c.Evidence, "advice": c.Advice}
	}
	var u *sluice.CommitUnknownError
	if errors.As(err, &u) {
		return map[string]any{"version": u.Version, "txnId": u.TxnID}
	}
	return map[string]any{}
}

// sqlState is the SQLSTATE that the reference gives an error class.
func sqlState(class string) string {
	class, _, _ = strings.Cut(class, ".")
	switch {
	case strings.HasPrefix(class, "DELTA_CONCURRENT"), class == "DELTA_METADATA_CHANGED", class == "DELTA_PROTOCOL_CHANGED", class == "DELTA_DUPLICATE_ACTIONS_FOUND":
		return "2D521"
	}
	return sqlStates[class]
}

var sqlStates = map[string]string{
	"DELTA_MULTIPLE_SOURCE_ROW_MATCHING_TARGET_ROW_IN_MERGE": "21506", "DELTA_NOT_NULL_CONSTRAINT_VIOLATED": "23502",
	"DELTA_VIOLATE_CONSTRAINT_WITH_VALUES": "23001", "DELTA_CANNOT_MODIFY_APPEND_ONLY": "42809", "DELTA_REPLACE_WHERE_MISMATCH": "44000",
	"DELTA_UNSUPPORTED_FEATURES_FOR_READ": "56038", "DELTA_UNSUPPORTED_FEATURES_FOR_WRITE": "56038", "DELTA_INVALID_PROTOCOL_VERSION": "KD004",
	"DELTA_TRUNCATED_TRANSACTION_LOG": "42K03", "DELTA_VERSIONS_NOT_CONTIGUOUS": "KD00C", "DELTA_VERSION_NOT_FOUND": "22003",
	"DELTA_MAX_COMMIT_RETRIES_EXCEEDED": "40000", "DELTA_ACTIVE_TRANSACTION_ALREADY_SET": "0B000", "DELTA_TABLE_ALREADY_EXISTS": "42P07",
	"UNRESOLVED_COLUMN": "42703", "PARSE_SYNTAX_ERROR": "42601", "CAST_INVALID_INPUT": "22018", "DIVIDE_BY_ZERO": "22012",
	"ARITHMETIC_OVERFLOW": "22003", "NUMERIC_VALUE_OUT_OF_RANGE": "22003", "DATATYPE_MISMATCH": "42K09", "DELTA_MERGE_UNRESOLVED_EXPRESSION": "42601",
}

// stamp prints a time as the command line shows them.
func stamp(t time.Time) string {
	if t.IsZero() {
		return "-"
	}
	return t.UTC().Format("2006-01-02T15:04:05.000Z")
}

// plural spells a count: 1 row, 2 rows.
func plural(n int64, one string) string {
	if n == 1 {
		return "1 " + one
	}
	return fmt.Sprintf("%d %ss", n, one)
}

func bytesText(n int64) string {
	switch {
	case n >= 1<<30:
		return fmt.Sprintf("%.1f GB", float64(n)/(1<<30))
	case n >= 1<<20:
		return fmt.Sprintf("%.1f MB", float64(n)/(1<<20))
	case n >= 1<<10:
		return fmt.Sprintf("%.1f kB", float64(n)/(1<<10))
	}
	return fmt.Sprintf("%d B", n)
}
