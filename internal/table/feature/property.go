package feature

import (
	"encoding/json"
	"fmt"
	"maps"
	"slices"
	"strconv"
	"strings"
)

// PropertyError is a table property that is unknown or has a wrong value.
type PropertyError struct {
	Key, Value string
	Class      string // Delta's error class, "" where it has none
	Msg        string
}

func (e *PropertyError) Error() string {
	if e.Class != "" {
		return "[" + e.Class + "] table property " + e.Key + ": " + e.Msg
	}
	return "table property " + e.Key + ": " + e.Msg
}

// rule checks a value; the error says what is wanted.
type rule func(v string) error

func wants(format string, args ...any) error { return fmt.Errorf(format, args...) }

func aBool(v string) error {
	if _, ok := parseBool(v); !ok {
		return wants("want true or false")
	}
	return nil
}

func anInt(from int64) rule {
	return func(v string) error {
		if n, err := strconv.ParseInt(strings.TrimSpace(v), 10, 64); err != nil || n < from {
			return wants("want an integer from %d", from)
		}
		return nil
	}
}

func anInterval(v string) error {
	_, err := ParseInterval(v)
	return err
}

func oneOf(values ...string) rule {
	return func(v string) error {
		if !slices.ContainsFunc(values, func(s string) bool { return strings.EqualFold(s, v) }) {
			return wants("want one of %s", strings.Join(values, ", "))
		}
		return nil
	}
}

func anySize(v string) error {
	if _, ok := parseSize(v); !ok {
		return wants("want a number of bytes, or a number with k, m or g")
	}
	return nil
}

func aJSON(v string) error {
	if !json.Valid([]byte(v)) {
		return wants("want JSON")
	}
	return nil
}

func anything(string) error { return nil }

// properties are the table properties with the prefix delta. that exist.
var properties = map[string]rule{
	"minReaderVersion":       oneOf("1", "2", "3"),
	"minWriterVersion":       oneOf("1", "2", "3", "4", "5", "6", "7"),
	"ignoreProtocolDefaults": aBool,

	"appendOnly":                                         aBool,
	"isolationLevel":                                     oneOf("Serializable"),
	"enableDeletionVectors":                              aBool,
	"enableChangeDataFeed":                               aBool,
	"enableChangeDataCapture":                            aBool,
	"columnMapping.mode":                                 oneOf("none", "name", "id"),
	"columnMapping.maxColumnId":                          anInt(0),
	"enableRowTracking":                                  aBool,
	"rowTrackingSuspended":                               aBool,
	"rowTracking.materializedRowIdColumnName":            anything,
	"rowTracking.materializedRowCommitVersionColumnName": anything,
	"enableInCommitTimestamps":                           aBool,
	"inCommitTimestampEnablementVersion":                 anInt(0),
	"inCommitTimestampEnablementTimestamp":               anInt(0),
	"enableTypeWidening":                                 aBool,
	"enableVariantShredding":                             aBool,
	"enableIcebergCompatV1":                              aBool,
	"enableIcebergCompatV2":                              aBool,
	"enableIcebergCompatV3":                              aBool,
	"universalFormat.enabledFormats":                     anything,
	"universalFormat.iceberg.atomicConversion.supported": aBool,
	"castIcebergTimeType":                                aBool,
	"ignoreIcebergBucketPartition":                       aBool,
	"requireCheckpointProtectionBeforeVersion":           anInt(0),
	"enableMaterializePartitionColumnsFeature":           aBool,
	"writePartitionColumnsToParquet":                     aBool,

	"logRetentionDuration":                             anInterval,
	"sampleRetentionDuration":                          anInterval,
	"checkpointRetentionDuration":                      anInterval,
	"deletedFileRetentionDuration":                     anInterval,
	"setTransactionRetentionDuration":                  anInterval,
	"dropFeatureTruncateHistory.retentionDuration":     anInterval,
	"enableExpiredLogCleanup":                          aBool,
	"enableFullRetentionRollback":                      aBool,
	"checkpointInterval":                               anInt(1),
	"checkpointPolicy":                                 oneOf("classic", "v2"),
	"checkpoint.writeStatsAsJson":                      aBool,
	"checkpoint.writeStatsAsStruct":                    aBool,
	"dataSkippingNumIndexedCols":                       anInt(-1),
	"dataSkippingStatsColumns":                         anything,
	"dataSkippingStringPrefixLength":                   anInt(0),
	"randomizeFilePrefixes":                            aBool,
	"randomPrefixLength":                               anInt(1),
	"autoOptimize":                                     aBool,
	"autoOptimize.autoCompact":                         oneOf("true", "false", "auto"),
	"autoOptimize.optimizeWrite":                       aBool,
	"tuneFileSizesForRewrites":                         aBool,
	"targetFileSize":                                   anySize,
	"parquet.format.version":                           anything,
	"compatibility.symlinkFormatManifest.enabled":      aBool,
	"coordinatedCommits.commitCoordinator-preview":     anything,
	"coordinatedCommits.commitCoordinatorConf-preview": aJSON,
	"coordinatedCommits.tableConf-preview":             aJSON,
	"redirectReaderWriter-preview":                     aJSON,
	"redirectWriterOnly-preview":                       aJSON,
}

// canonical maps the lower-case spelling of a property to its own.
func canonical(name string) (string, bool) {
	if _, ok := properties[name]; ok {
		return name, true
	}
	for k := range properties {
		if strings.EqualFold(k, name) {
			return k, true
		}
	}
	return "", false
}

// Normalise checks the properties that a user gives and spells their keys as
// Delta does: names with the prefix delta. must exist (compared without regard
// to case), the rest is the user's own.
func Normalise(config map[string]string) (map[string]string, error) {
	out := make(map[string]string, len(config))
	for _, key := range slices.Sorted(maps.Keys(config)) {
		v := config[key]
		if len(key) < 6 || !strings.EqualFold(key[:6], "delta.") {
			out[key] = v
			continue
		}
		name := key[6:]
		switch low := strings.ToLower(name); {
		case strings.HasPrefix(low, "constraints."):
			out["delta.constraints."+name[len("constraints."):]] = v
		case strings.HasPrefix(low, "feature."):
			if !strings.EqualFold(v, "supported") && !strings.EqualFold(v, "enabled") {
				return nil, &PropertyError{Key: key, Value: v, Class: "DELTA_UNSUPPORTED_FEATURE_STATUS", Msg: "want supported, not " + strconv.Quote(v)}
			}
			out["delta.feature."+name[len("feature."):]] = "supported"
		case strings.HasPrefix(low, "universalformat.config."):
			out[key] = v
		default:
			k, ok := canonical(name)
			if !ok {
				return nil, &PropertyError{Key: key, Value: v, Class: "DELTA_UNKNOWN_CONFIGURATION", Msg: "there is no such property"}
			}
			if k == "enableChangeDataCapture" {
				k = "enableChangeDataFeed"
			}
			if err := properties[k](v); err != nil {
				return nil, &PropertyError{Key: key, Value: v, Msg: err.Error() + ", not " + strconv.Quote(v)}
			}
			out["delta."+k] = v
		}
	}
	return out, nil
}
