package session

import (
	"maps"
	"strconv"
	"strings"
	"time"

	"github.com/sluicelake/sluice/expr"
	"github.com/sluicelake/sluice/internal/sql/parse"
	"github.com/sluicelake/sluice/internal/table/feature"
	"github.com/sluicelake/sluice/internal/table/snapshot"
	"github.com/sluicelake/sluice/types"
	"github.com/sluicelake/sluice/types/civil"
)

// The settings that mean something here, by Spark's names.
const (
	ansiEnabled   = "spark.sql.ansi.enabled"
	timeZone      = "spark.sql.session.timeZone"
	autoMerge     = "spark.databricks.delta.schema.autoMerge.enabled"
	overwriteMode = "spark.sql.sources.partitionOverwriteMode"
	assignment    = "spark.sql.storeAssignmentPolicy"
	note          = "spark.databricks.delta.commitInfo.userMetadata"
	writeApp      = "spark.databricks.delta.write.txnAppId"
	writeVersion  = "spark.databricks.delta.write.txnVersion"
	optimizeWrite = "spark.databricks.delta.optimizeWrite.enabled"
	optimizeBin   = "spark.databricks.delta.optimizeWrite.binSize"
	replaceCheck  = "spark.databricks.delta.replaceWhere.constraintCheck.enabled"
	mergeMarks    = "spark.databricks.delta.merge.deletionVectors.persistent"
	updateMarks   = "spark.databricks.delta.update.deletionVectors.persistent"
	deleteMarks   = "spark.databricks.delta.delete.deletionVectors.persistent"
)

// settings hold what was set, by the names above; others are kept for those who
// ask for them, so that scripts made for Spark run.
type settings map[string]string

func (c settings) clone() settings { return maps.Clone(c) }

var defaults = map[string]string{ansiEnabled: "true", timeZone: "UTC", autoMerge: "false", overwriteMode: "static", assignment: "ANSI", note: "", writeApp: "", writeVersion: "",
	optimizeWrite: "", optimizeBin: "512MiB", replaceCheck: "true", mergeMarks: "true", updateMarks: "true", deleteMarks: "true", autoEnabled: "", autoMaxSize: "", autoMinSize: "", autoMinFiles: "", autoPartitions: ""}

// canonical spells a name as Spark does.
func canonical(name string) string {
	for known := range defaults {
		if strings.EqualFold(known, name) {
			return known
		}
	}
	return name
}

func (c settings) get(name string) string {
	if v, ok := c[name]; ok {
		return v
	}
	return defaults[name]
}

// write is the application and its version by which the statements that change rows
// are known: one that the table has seen is passed over.
func (c settings) write() (app string, version int64, err error) {
	app, text := c.get(writeApp), c.get(writeVersion)
	if app == "" && text == "" {
		return "", 0, nil
	}
	if version, err = strconv.ParseInt(text, 10, 64); err != nil || app == "" {
		return "", 0, refuse("DELTA_INVALID_IDEMPOTENT_WRITES_OPTIONS", "%s and %s are set together, the one to a name and the other to a number", writeApp, writeVersion)
	}
	return app, version, nil
}

func (c settings) on(name string) bool { return strings.EqualFold(c.get(name), "true") }

// wish is a setting that is true, false or not set.
func (c settings) wish(name string) *bool {
	if c.get(name) == "" {
		return nil
	}
	on := c.on(name)
	return &on
}

// newTable begins the settings that are properties of tables made later.
const newTable = "spark.databricks.delta.properties.defaults."

// tableDefaults are the properties that new tables have unless they are given others.
func (c settings) tableDefaults() map[string]string {
	out := map[string]string{}
	for k, v := range c {
		if len(k) > len(newTable) && strings.EqualFold(k[:len(newTable)], newTable) {
			out["delta."+k[len(newTable):]] = v
		}
	}
	return out
}

// check refuses values that a setting does not have.
func check(name, value string) error {
	wrong := func(want string) error {
		return refuse("INVALID_CONF_VALUE.DEFAULT", "the setting %s cannot be %q: want %s", name, value, want)
	}
	switch name {
	case ansiEnabled, autoMerge, optimizeWrite, replaceCheck, mergeMarks, updateMarks, deleteMarks, autoEnabled:
		if !strings.EqualFold(value, "true") && !strings.EqualFold(value, "false") {
			return wrong("true or false")
		}
	case autoMaxSize, autoMinSize, autoMinFiles, autoPartitions:
		var n int64
		return settings{name: value}.size(name, &n)
	case optimizeBin:
		if _, ok := mebibytes(value); !ok {
			return wrong("a size, such as 128MiB")
		}
	case overwriteMode:
		if !strings.EqualFold(value, "static") && !strings.EqualFold(value, "dynamic") {
			return wrong("static or dynamic")
		}
	case assignment:
		if !strings.EqualFold(value, "ansi") {
			return wrong("ANSI, the only policy here")
		}
	case timeZone:
		if _, ok := zone(value); !ok {
			return refuse("INVALID_CONF_VALUE.TIME_ZONE", "there is no time zone %q", value)
		}
	}
	return nil
}

// mebibytes reads a size with its unit; without one it is MiB.
func mebibytes(text string) (int64, bool) {
	text = strings.ToLower(strings.TrimSpace(text))
	digits := strings.TrimRight(text, "bikmgt")
	n, err := strconv.ParseInt(strings.TrimSpace(digits), 10, 64)
	shift, ok := map[string]int{"": 20, "m": 20, "mb": 20, "mib": 20, "b": 0, "k": 10, "kb": 10, "kib": 10, "g": 30, "gb": 30, "gib": 30, "t": 40, "tb": 40, "tib": 40}[text[len(digits):]]
	return n << shift, err == nil && ok && n > 0 && n < 1<<(62-shift)
}

// fileSize is the size of the files of an optimized write, when it is set; else 0.
func (x *execution) fileSize(s *snapshot.Snapshot) int64 {
	if _, set := x.conf[optimizeBin]; !set || !feature.OptimizesWrites(s.Metadata()) && !x.conf.on(optimizeWrite) {
		return 0
	}
	n, _ := mebibytes(x.conf.get(optimizeBin))
	return n
}

func zone(name string) (*time.Location, bool) {
	z, ok := civil.Zone(name)
	return z, ok && z != nil
}

// options are the settings that binding depends on.
func (c settings) options(now time.Time) (expr.Options, error) {
	o := expr.Options{Now: now, Legacy: !c.on(ansiEnabled)}
	if name := c.get(timeZone); name != defaults[timeZone] {
		z, ok := zone(name)
		if !ok {
			return o, check(timeZone, name)
		}
		o.TimeZone = z
	}
	return o, nil
}

// Configure sets a setting.
func (s *Session) Configure(name, value string) error {
	name = canonical(name)
	if err := check(name, value); err != nil {
		return err
	}
	s.mu.Lock()
	defer s.mu.Unlock()
	s.conf[name] = value
	return nil
}

var settingSchema = types.NewStruct(types.Field{Name: "key", Type: types.String}, types.Field{Name: "value", Type: types.String})

// set is SET and RESET.
func (x *execution) set(st *parse.Set) (*Result, error) {
	name := canonical(st.Key)
	switch {
	case st.Reset:
		x.s.mu.Lock()
		defer x.s.mu.Unlock()
		if st.Key == "" {
			x.s.conf = settings{}
		}
		delete(x.s.conf, name)
		return none("RESET"), nil
	case st.HasValue:
		if err := x.s.Configure(name, st.Value); err != nil {
			return nil, err
		}
		return rows("SET", settingSchema, []any{name, st.Value})
	case st.Key == "":
		all := maps.Clone(defaults)
		maps.Copy(all, x.conf)
		var list [][]any
		for _, k := range sortedNames(all) {
			list = append(list, []any{k, all[k]})
		}
		return rows("SET", settingSchema, list...)
	}
	value := "<undefined>"
	if _, known := defaults[name]; known || x.conf[name] != "" {
		value = x.conf.get(name)
	}
	return rows("SET", settingSchema, []any{name, value})
}
