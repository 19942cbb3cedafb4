package main

import (
	"context"
	"slices"
	"strings"
	"time"

	"github.com/sluicelake/sluice"
	"github.com/sluicelake/sluice/expr"
	"github.com/sluicelake/sluice/types"
)

// completeWithin bounds what a press of the Tab key may wait for a store.
const completeWithin = 2 * time.Second

// keywords are those that statements begin with or need often.
var keywords = strings.Fields(`ADD ALL ALTER ALWAYS AND AS ASC BETWEEN BY CASE CAST CHECK CLUSTER COLUMN COLUMNS COMMENT CONSTRAINT CREATE CROSS DEFAULT DELETE DESC DESCRIBE
	DETAIL DISTINCT DROP ELSE END EXISTS EXTENDED FROM FULL GENERATED GROUP HAVING HISTORY IDENTITY IN INNER INSERT INTERSECT INTO IS JOIN LEFT LIKE LIMIT LOCATION MATCHED MERGE
	NOT NULL ON OPTIMIZE OR ORDER OUTER OVERWRITE PARTITIONED PROPERTIES RENAME REPLACE RESET RESTORE RIGHT RLIKE SELECT SET SHOW SOURCE TABLE TABLES TBLPROPERTIES TEMPORARY
	THEN TIMESTAMP TO TRUNCATE UNION UNSET UPDATE USING VACUUM VALUES VERSION VIEW WHEN WHERE WITH`)

// completer knows the words that may come next.
type completer struct {
	session *sluice.Session
	columns map[string][]string // of tables that were named, for this prompt
}

// complete gives the words that begin as the one before the cursor does.
func (c *completer) complete(line string, pos int) (head string, words []string, tail string) {
	runes := []rune(line)
	start := pos
	for start > 0 && (runes[start-1] == '_' || runes[start-1] == '.' || runes[start-1] == '`' || isWordRune(runes[start-1])) {
		start--
	}
	word := string(runes[start:pos])
	head, tail = string(runes[:start]), string(runes[pos:])
	if i := strings.LastIndexByte(word, '.'); i >= 0 { // a column of a table
		head, word = head+word[:i+1], word[i+1:]
	}
	if word == "" && strings.TrimSpace(head) == "" {
		return head, nil, tail
	}
	ctx, cancel := context.WithTimeout(context.Background(), completeWithin)
	defer cancel()
	names, _ := c.session.Names(ctx)
	var all []string
	for _, name := range names {
		all = append(all, types.QuoteIdentifier(name))
	}
	all = append(all, c.known(ctx, line, names)...)
	if word != "" && !strings.HasSuffix(head, ".") {
		if word == strings.ToLower(word) {
			for _, k := range keywords {
				all = append(all, strings.ToLower(k))
			}
		} else {
			all = append(all, keywords...)
		}
		for _, f := range expr.Functions() {
			all = append(all, f+"(")
		}
	}
	for _, w := range all {
		if len(w) >= len(word) && strings.EqualFold(w[:len(word)], word) {
			words = append(words, w)
		}
	}
	slices.Sort(words)
	return head, slices.Compact(words), tail
}

// known are the columns of the tables that the line names.
func (c *completer) known(ctx context.Context, line string, names []string) []string {
	var out []string
	p := expr.NewParser(line)
	for p.Peek().Kind != expr.EOF && p.Peek().Kind != expr.Bad {
		t := p.Next()
		i := slices.IndexFunc(names, func(name string) bool { return strings.EqualFold(name, t.Value) })
		if i < 0 || t.Kind != expr.Word && t.Kind != expr.QuotedWord {
			continue
		}
		if c.columns == nil {
			c.columns = map[string][]string{}
		}
		cols, ok := c.columns[names[i]]
		if !ok {
			for r, err := range c.session.SQL(ctx, "SELECT * FROM "+types.QuoteIdentifier(names[i])+" LIMIT 0") {
				if err == nil {
					for _, f := range r.Schema.Fields {
						cols = append(cols, types.QuoteIdentifier(f.Name))
					}
				}
			}
			c.columns[names[i]] = cols
		}
		out = append(out, cols...)
	}
	return out
}

func isWordRune(r rune) bool {
	return r >= '0' && r <= '9' || r >= 'a' && r <= 'z' || r >= 'A' && r <= 'Z' || r > 127
}
