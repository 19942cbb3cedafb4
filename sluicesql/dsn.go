package sluicesql

import (
	"fmt"
	"sort"
	"strconv"
	"strings"
)

// Config is what a data source name says.
type Config struct {
	// Catalog is a folder: each folder in it that holds a table is a table of the
	// folder's name, and CREATE TABLE makes new ones there.
	Catalog string
	Tables  map[string]string // names of tables with their URLs
	Views   map[string]string // names of JSON, CSV and Parquet files
	Options map[string]string // of the store
	Conf    map[string]string // settings by Spark's names
	Workers int
	Memory  int64  // bytes that one operation may hold
	Note    string // user metadata of every commit
}

// ParseDSN reads a data source name. It is either a path or URL, the catalog, or
// fields that semicolons separate:
//
//	catalog=/data/lake; table.people=s3://lake/people; view.new=new.json; option.region=eu-central-1;
//	conf.spark.sql.session.timeZone=Europe/Berlin; workers=4; memory=1073741824; user-metadata=nightly
//
// It is the second when it begins with the name of a field and "=". A value that
// holds a semicolon, or blanks at its ends, stands in double quotes; a double quote
// in it is written twice.
func ParseDSN(dsn string) (Config, error) {
	c := Config{Tables: map[string]string{}, Views: map[string]string{}, Options: map[string]string{}, Conf: map[string]string{}}
	rest := strings.TrimSpace(dsn)
	if key, _, ok := strings.Cut(rest, "="); !ok || !known(strings.TrimSpace(key)) {
		c.Catalog = rest
		return c, nil
	}
	for rest = strings.Trim(rest, "; "); rest != ""; rest = strings.TrimLeft(rest, "; ") {
		key, value, ok := strings.Cut(rest, "=")
		key = strings.TrimSpace(key)
		if !ok || !known(key) {
			return c, fmt.Errorf("the data source name has no field %q; it has catalog, table.NAME, view.NAME, option.NAME, conf.NAME, workers, memory and user-metadata", key)
		}
		var err error
		if value, rest, err = field(value); err != nil {
			return c, fmt.Errorf("the field %s of the data source name: %w", key, err)
		}
		if err := c.set(key, value); err != nil {
			return c, err
		}
	}
	return c, nil
}

// field takes a value and gives what stands behind it.
func field(text string) (value, rest string, err error) {
	text = strings.TrimLeft(text, " ")
	if !strings.HasPrefix(text, `"`) {
		value, rest, _ = strings.Cut(text, ";")
		return strings.TrimRight(value, " "), rest, nil
	}
	var b strings.Builder
	for i := 1; i < len(text); i++ {
		if text[i] == '"' {
			if i+1 < len(text) && text[i+1] == '"' {
				i++
			} else if rest = strings.TrimLeft(text[i+1:], " "); rest != "" && rest[0] != ';' {
				return "", "", fmt.Errorf("want a semicolon behind the closing quote")
			} else {
				return b.String(), rest, nil
			}
		}
		b.WriteByte(text[i])
	}
	return "", "", fmt.Errorf("a quote is not closed")
}

var prefixes = []string{"table.", "view.", "option.", "conf."}

func known(key string) bool {
	switch key {
	case "catalog", "workers", "memory", "user-metadata":
		return true
	}
	for _, p := range prefixes {
		if len(key) > len(p) && strings.HasPrefix(key, p) {
			return true
		}
	}
	return false
}

func (c *Config) set(key, value string) error {
	var err error
	kind, name, named := strings.Cut(key, ".")
	switch {
	case key == "catalog":
		c.Catalog = value
	case key == "user-metadata":
		c.Note = value
	case key == "workers":
		c.Workers, err = strconv.Atoi(value)
	case key == "memory":
		c.Memory, err = strconv.ParseInt(value, 10, 64)
	case named && kind == "table":
		c.Tables[name] = value
	case named && kind == "view":
		c.Views[name] = value
	case named && kind == "option":
		c.Options[name] = value
	case named && kind == "conf":
		c.Conf[name] = value
	}
	if err != nil || c.Workers < 0 || c.Memory < 0 {
		return fmt.Errorf("the field %s of the data source name: %q is no count", key, value)
	}
	return nil
}

// String is a data source name for the configuration. It holds the values of
// store options, which may be secret.
func (c Config) String() string {
	var parts []string
	add := func(key, value string) {
		if strings.ContainsAny(value, `;"`) || strings.TrimSpace(value) != value {
			value = `"` + strings.ReplaceAll(value, `"`, `""`) + `"`
		}
		parts = append(parts, key+"="+value)
	}
	if c.Catalog != "" {
		add("catalog", c.Catalog)
	}
	for i, m := range []map[string]string{c.Tables, c.Views, c.Options, c.Conf} {
		var keys []string
		for k := range m {
			keys = append(keys, k)
		}
		sort.Strings(keys)
		for _, k := range keys {
			add(prefixes[i]+k, m[k])
		}
	}
	if c.Workers > 0 {
		add("workers", strconv.Itoa(c.Workers))
	}
	if c.Memory > 0 {
		add("memory", strconv.FormatInt(c.Memory, 10))
	}
	if c.Note != "" {
		add("user-metadata", c.Note)
	}
	return strings.Join(parts, ";")
}
