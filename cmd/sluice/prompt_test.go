package main

import (
	"bufio"
	"bytes"
	"context"
	"io"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"github.com/peterh/liner"

	"github.com/sluicelake/sluice"
)

// typist types lines; "^C" gives one up.
type typist struct {
	lines   []string
	prompts []string
	history []string
}

func (y *typist) Prompt(prompt string) (string, error) {
	y.prompts = append(y.prompts, prompt)
	if len(y.lines) == 0 {
		return "", io.EOF
	}
	line := y.lines[0]
	y.lines = y.lines[1:]
	if line == "^C" {
		return "", liner.ErrPromptAborted
	}
	return line, nil
}

func (y *typist) AppendHistory(item string) { y.history = append(y.history, item) }

// A conversation: results on one stream, errors and times on the other.
func TestPrompt(t *testing.T) {
	session := sluice.NewSession(sluice.SessionOptions{})
	defer session.Close()
	if err := session.Catalog(t.Context(), t.TempDir()); err != nil {
		t.Fatal(err)
	}
	var out, errs bytes.Buffer
	a := &app{out: bufio.NewWriter(&out), errs: &errs, quiet: true}
	y := &typist{lines: []string{"", "help", "CREATE TABLE t (k INT,", "  s STRING);", "insert into t values (1, 'a;", "b'); select k,", "s from t;", "SELECT '", "^C", `\d`, `\d t`, `\x`,
		"SELECT nothing FROM t;", "SELECT 1 +;", "SELECT count(*) AS n FROM t -- all", ";", "exit", "SELECT 'never';"}}
	var kept []string
	p := prompt{a: a, f: &sqlFlags{format: "jsonl"}, session: session, line: y, keep: func(s string) { kept = append(kept, s) }}
	if err := p.loop(context.Background()); err != nil {
		t.Fatal(err)
	}
	_, after, _ := strings.Cut(out.String(), promptHelp+"\n")
	want := "CREATE TABLE: version 0\nWRITE: version 1: 1 row\n" + `{"k":1,"s":"a;\nb"}` + "\n" + `{"namespace":"default","tableName":"t","isTemporary":false}` + "\n" +
		`{"col_name":"k","data_type":"int","comment":null}` + "\n" + `{"col_name":"s","data_type":"string","comment":null}` + "\n" + `{"n":1}` + "\n"
	if after != want {
		t.Errorf("\n got %s\nwant %s", after, want)
	}
	for _, part := range []string{`there is no command \x`, "[UNRESOLVED_COLUMN.WITH_SUGGESTION]", "[PARSE_SYNTAX_ERROR]", "          ^\n"} {
		if !strings.Contains(errs.String(), part) {
			t.Errorf("%q is missing in\n%s", part, errs.String())
		}
	}
	if y.prompts[3] != morePrompt || y.prompts[4] != firstPrompt || len(y.lines) != 1 {
		t.Errorf("prompts %q, left %q", y.prompts, y.lines)
	}
	items := []string{"CREATE TABLE t (k INT,   s STRING);", "insert into t values (1, 'a; b'); select k, s from t;", "SELECT nothing FROM t;", "SELECT 1 +;", "SELECT count(*) AS n FROM t -- all", ";"}
	if !slices.Equal(y.history, items) || len(kept) != 5 {
		t.Errorf("history %q, kept %q", y.history, kept)
	}
}

func TestEnded(t *testing.T) {
	for text, want := range map[string]bool{"SELECT 1;": true, "SELECT 1": false, "SELECT ';": false, "SELECT 'a' -- ;\n": false, "SELECT 1; -- done\n": true, "SELECT 1; SELECT": false,
		"/* ; ": false, "SELECT `a;": false, "": false, ";": true, "SELECT \x01;": true} {
		if got := ended(text); got != want {
			t.Errorf("%q: %t", text, got)
		}
	}
}

// The file is for its owner alone, is shortened, and has no secrets.
func TestHistory(t *testing.T) {
	dir := t.TempDir()
	t.Setenv("XDG_STATE_HOME", dir)
	path := filepath.Join(dir, "sluice", "history")
	h := openHistory()
	if h.err != nil || len(h.items) != 0 {
		t.Fatal(h.items, h.err)
	}
	h.add("SELECT 1,\n  2;")
	for _, text := range []string{"SET fs.azure.account.key.x = 'abc';", "ALTER TABLE t SET TBLPROPERTIES ('my.Secret' = 'x');", "SELECT * FROM delta.`https://a.blob.core.windows.net/c/t?sv=1&sig=abc`;",
		"SELECT * FROM delta.`s3://me:pw@host/t`;"} {
		h.add(text)
	}
	h.close()
	data, err := os.ReadFile(path)
	if err != nil || string(data) != "SELECT 1,   2;\n" {
		t.Errorf("%q %v", data, err)
	}
	if info, err := os.Stat(path); err != nil || info.Mode().Perm()&0o077 != 0 && os.PathSeparator == '/' {
		t.Error(info.Mode(), err)
	}
	if err := os.WriteFile(path, []byte(strings.Repeat("SELECT 2;\n", 3*historyLines)), 0o600); err != nil {
		t.Fatal(err)
	}
	h = openHistory()
	h.add("SELECT 3;")
	h.close()
	if h = openHistory(); len(h.items) != historyLines+1 || h.items[historyLines] != "SELECT 3;" {
		t.Errorf("%d lines", len(h.items))
	}
	h.close()
}

func TestCompletion(t *testing.T) {
	session := sluice.NewSession(sluice.SessionOptions{})
	defer session.Close()
	session.Table("people", filepath.Join(t.TempDir(), "people"))
	if err := session.Exec(t.Context(), "CREATE TABLE people (user_id INT, `first name` STRING, city STRING) TBLPROPERTIES ('delta.columnMapping.mode' = 'name')"); err != nil {
		t.Fatal(err)
	}
	c := &completer{session: session}
	for _, k := range []struct{ line, head, words string }{
		{"SEL", "", "SELECT"},
		{"select * from peo", "select * from ", "people"},
		{"SELECT * FROM people WHERE u", "SELECT * FROM people WHERE ", "user_id using and more"},
		{"SELECT * FROM people WHERE people.", "SELECT * FROM people WHERE people.", "`first name` city people user_id"},
		{"SELECT * FROM people ORDER BY CIT", "SELECT * FROM people ORDER BY ", "city"},
		{"  ", "  ", ""},
		{"SELECT regexp_repl", "SELECT ", "regexp_replace("},
	} {
		head, words, tail := c.complete(k.line, len([]rune(k.line)))
		if head != k.head || tail != "" {
			t.Errorf("%q: head %q", k.line, head)
		}
		if strings.Contains(k.words, "user_id using") {
			if !slices.Contains(words, "user_id") || !slices.Contains(words, "upper(") || slices.Contains(words, "SELECT") {
				t.Errorf("%q: %q", k.line, words)
			}
			continue
		}
		if got := strings.Join(words, " "); got != k.words {
			t.Errorf("%q: %q", k.line, got)
		}
	}
}
