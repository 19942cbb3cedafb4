package main

import (
	"io/fs"
	"os"
	"path/filepath"
	"regexp"
	"strings"
	"testing"

	"github.com/spf13/pflag"
)

// pages are the README and the guide, by their paths below the root of the repository.
func pages(t *testing.T) map[string]string {
	t.Helper()
	root, out := filepath.Join("..", ".."), map[string]string{}
	read := func(path string) {
		data, err := os.ReadFile(filepath.Join(root, path))
		if err != nil {
			t.Fatal(err)
		}
		out[path] = string(data)
	}
	read("README.md")
	err := fs.WalkDir(os.DirFS(root), "docs", func(path string, d fs.DirEntry, err error) error {
		if err == nil && strings.HasSuffix(path, ".md") {
			read(path)
		}
		return err
	})
	if err != nil {
		t.Fatal(err)
	}
	return out
}

var (
	fenced = regexp.MustCompile("(?ms)^```.*?^```$")
	block  = regexp.MustCompile("(?m)^(?:    |\\$ ).*$")
	inline = regexp.MustCompile("``[^`]+(?:`[^`]+)*``|`[^`\\n]+`")
)

// split parts a page into what stands in code and what does not.
func split(page string) (code []string, prose string) {
	page = strings.ReplaceAll(page, "\\\n", " ")
	for _, form := range []*regexp.Regexp{fenced, block, inline} {
		code = append(code, form.FindAllString(page, -1)...)
		page = form.ReplaceAllString(page, "")
	}
	return code, page
}

// TestGuideCommands: what the pages tell people to type has commands and flags that are there.
func TestGuideCommands(t *testing.T) {
	root := (&app{}).root()
	line := regexp.MustCompile(`(?m)(?:^ *(?:\$ )?|[` + "`" + `|&;] *)sluice ([a-z][a-z-]*)\b([^#\n]*)`)
	long := regexp.MustCompile(`(?:^|[ [(|])--([a-z][a-z-]*)`)
	seen := 0
	for page, text := range pages(t) {
		code, _ := split(text)
		for _, m := range line.FindAllStringSubmatch(strings.Join(code, "\n"), -1) {
			if m[1] == "completion" || m[1] == "help" {
				continue
			}
			cmd, _, err := root.Find([]string{m[1]})
			if err != nil || cmd == root {
				t.Errorf("%s: there is no command %q: sluice %s%s", page, m[1], m[1], m[2])
				continue
			}
			seen++
			for _, f := range long.FindAllStringSubmatch(m[2], -1) {
				if cmd.Flags().Lookup(f[1]) == nil && cmd.InheritedFlags().Lookup(f[1]) == nil && f[1] != "help" {
					t.Errorf("%s: sluice %s has no flag --%s: sluice %s%s", page, m[1], f[1], m[1], m[2])
				}
			}
		}
	}
	if seen < 50 {
		t.Errorf("%d commands found in the pages: are they looked for rightly?", seen)
	}
}

// TestGuideIsComplete: docs/guide/cli.md has every command, and some page every flag.
func TestGuideIsComplete(t *testing.T) {
	all := pages(t)
	cli := all[filepath.Join("docs", "guide", "cli.md")]
	var text strings.Builder
	for _, p := range all {
		text.WriteString(p)
	}
	for _, cmd := range (&app{}).root().Commands() {
		if cmd.Name() == "help" || cmd.Name() == "completion" {
			continue
		}
		if !regexp.MustCompile("(?m)^\\| .*`" + cmd.Name() + "[ `]").MatchString(cli) {
			t.Errorf("docs/guide/cli.md has no row for %s", cmd.Name())
		}
		cmd.Flags().VisitAll(func(f *pflag.Flag) {
			if !f.Hidden && !strings.Contains(text.String(), "--"+f.Name) && !short(cmd.Name(), f.Shorthand).MatchString(text.String()) {
				t.Errorf("no page tells of sluice %s --%s (%s)", cmd.Name(), f.Name, f.Usage)
			}
		})
	}
}

// short finds a command with one of its flags that are a letter.
func short(command, letter string) *regexp.Regexp {
	return regexp.MustCompile(`\b` + command + ` \[?-` + letter + `\b`)
}

// TestGuideLinks: links between pages lead somewhere.
func TestGuideLinks(t *testing.T) {
	all := pages(t)
	link := regexp.MustCompile(`\]\(([^)\s]+)\)`)
	for page, text := range all {
		_, prose := split(text)
		for _, m := range link.FindAllStringSubmatch(prose, -1) {
			to, anchor, _ := strings.Cut(m[1], "#")
			if strings.Contains(to, "://") {
				continue
			}
			target := page
			if to != "" {
				target = filepath.Join(filepath.Dir(page), to)
			}
			body, known := all[target]
			if _, err := os.Stat(filepath.Join("..", "..", target)); err != nil {
				t.Errorf("%s: %s leads nowhere", page, m[1])
				continue
			}
			if anchor != "" && known && !anchors(body)[anchor] {
				t.Errorf("%s: %s has no heading %q", page, m[1], anchor)
			}
		}
	}
}

// anchors are the names of a page's headings, as GitHub makes them.
func anchors(page string) map[string]bool {
	out := map[string]bool{}
	for line := range strings.Lines(page) {
		if name := strings.TrimLeft(line, "#"); name != line {
			name = strings.ToLower(strings.TrimSpace(name))
			name = regexp.MustCompile(`[^\p{L}\p{N} _-]`).ReplaceAllString(name, "")
			out[strings.ReplaceAll(name, " ", "-")] = true
		}
	}
	return out
}
