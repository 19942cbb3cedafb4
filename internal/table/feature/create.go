package feature

import (
	"slices"
	"strconv"
	"strings"

	"github.com/sluicelake/sluice/action"
	"github.com/sluicelake/sluice/types"
)

// ForNewTable decides the protocol of a table that is created with this schema
// and these properties, and returns the properties to store: keys spelled as
// Delta spells them, requests for features and versions taken out.
func ForNewTable(schema *types.Struct, config map[string]string) (*action.Protocol, map[string]string, error) {
	cfg, err := Normalise(config)
	if err != nil {
		return nil, nil, err
	}
	withMapping(cfg)
	base := &action.Protocol{MinReaderVersion: 1, MinWriterVersion: 2}
	if _, given := cfg["delta.minWriterVersion"]; given {
		base.MinWriterVersion = 1
	}
	if anyField(schema, func(f types.Field) bool { return !f.Nullable }) {
		cfg["delta.feature.invariants"] = "supported"
	}
	return Upgrade(base, schema, cfg)
}

// Upgrade returns the protocol that a table of protocol p needs for this schema
// and these (normalised) properties, and the properties to store. It never goes
// below p, and refuses what this engine could not write afterwards.
func Upgrade(p *action.Protocol, schema *types.Struct, config map[string]string) (*action.Protocol, map[string]string, error) {
	cfg := make(map[string]string, len(config))
	names := Names(p)
	reader, writer := p.MinReaderVersion, p.MinWriterVersion
	for k, v := range config {
		name, isFeature := strings.CutPrefix(k, "delta.feature.")
		switch {
		case isFeature:
			f, ok := lookupFold(name)
			if !ok {
				return nil, nil, &Error{Feature: name, Names: []string{name}, Op: "write", Class: "DELTA_UNSUPPORTED_FEATURES_IN_CONFIG",
					Msg: "property " + k + " asks for the table feature " + name + ", which does not exist here"}
			}
			names = append(names, f.Name)
		case k == "delta.minReaderVersion":
			reader = max(reader, atoi32(v))
		case k == "delta.minWriterVersion":
			writer = max(writer, atoi32(v))
		case k == "delta.ignoreProtocolDefaults":
		default:
			cfg[k] = v
		}
	}
	switch {
	case reader > MaxReaderVersion || writer > MaxWriterVersion:
		return nil, nil, &Error{Op: "write", Class: "DELTA_INVALID_PROTOCOL_VERSION",
			Msg: "the properties ask for a newer protocol than reader version 3 and writer version 7"}
	case reader == MaxReaderVersion && writer < MaxWriterVersion:
		return nil, nil, &Error{Op: "write", Class: "DELTA_READ_FEATURE_PROTOCOL_REQUIRES_WRITE",
			Msg: "reader version 3 lists features by name, which needs writer version 7: set delta.minWriterVersion to 7, too"}
	}
	md := &action.Metadata{Configuration: cfg, SchemaString: types.JSON(schema)}
	if writer < MaxWriterVersion {
		names = append(names, Names(&action.Protocol{MinReaderVersion: min(reader, 2), MinWriterVersion: writer})...)
	}
	names = append(names, implied(md, schema)...)
	for i := 0; i < len(names); i++ { // grows as it goes
		f, _ := Lookup(names[i])
		names = append(names, missing(names, f.Requires)...)
	}
	slices.Sort(names)
	if err := checkChangeColumns(md, schema); err != nil {
		return nil, nil, err
	}
	out := normal(slices.Compact(names), p)
	if err := CheckWrite(out, md); err != nil {
		return nil, nil, err
	}
	return out, cfg, nil
}

// ForMetadata is the protocol that a table of protocol p needs with other
// metadata; nil when p will do.
func ForMetadata(p *action.Protocol, md *action.Metadata) (*action.Protocol, error) {
	schema, err := Schema(md)
	if err != nil {
		return nil, err
	}
	more := missing(Names(p), implied(md, schema))
	if len(more) == 0 {
		return nil, CheckWrite(p, md)
	}
	if err := byHand(more); err != nil {
		return nil, err
	}
	out, _, err := Upgrade(p, schema, md.Configuration)
	return out, err
}

// byHand refuses features that a table which is there already gets only when it is
// asked for them.
func byHand(names []string) error {
	for _, n := range names {
		if n == "timestampNtz" || n == "variantType" {
			return &Error{Feature: n, Names: names, Op: "write", Class: "DELTA_FEATURES_REQUIRE_MANUAL_ENABLEMENT",
				Msg: "the schema needs the table feature " + n + ", which older engines do not know: ALTER TABLE ... SET TBLPROPERTIES ('delta.feature." + n + "' = 'supported') first"}
		}
	}
	return nil
}

// checkChangeColumns refuses columns with the names that a change feed adds
// (PROTOCOL.md, Change Data Files).
func checkChangeColumns(md *action.Metadata, schema *types.Struct) error {
	if !ChangeDataFeed(md) {
		return nil
	}
	for _, name := range []string{"_change_type", "_commit_version", "_commit_timestamp"} {
		if i := schema.Index(name); i >= 0 {
			return &Error{Feature: "changeDataFeed", Names: []string{"changeDataFeed"}, Op: "write", Class: "DELTA_TABLE_ALREADY_CONTAINS_CDC_COLUMNS",
				Msg: "the table cannot record change data, because it has a column " + types.QuoteIdentifier(schema.Fields[i].Name) + ", a name that the change feed uses; name the column otherwise"}
		}
	}
	return nil
}

func missing(have, want []string) []string {
	var out []string
	for _, w := range want {
		if !slices.Contains(have, w) {
			out = append(out, w)
		}
	}
	return out
}

// implied names the features that a schema and properties bring with them.
func implied(md *action.Metadata, schema *types.Struct) []string {
	var out []string
	add := func(on bool, name string) {
		if on {
			out = append(out, name)
		}
	}
	add(flag(md, "delta.enableDeletionVectors", false), "deletionVectors")
	add(flag(md, "delta.enableChangeDataFeed", false), "changeDataFeed")
	add(AppendOnly(md), "appendOnly")
	add(ifField("delta.invariants")(md, schema), "invariants")
	add(flag(md, "delta.enableInCommitTimestamps", false), "inCommitTimestamp")
	add(flag(md, "delta.enableRowTracking", false), "rowTracking")
	add(flag(md, "delta.enableTypeWidening", false), "typeWidening")
	add(flag(md, "delta.enableVariantShredding", false), "variantShredding-preview")
	add(flag(md, "delta.enableIcebergCompatV1", false), "icebergCompatV1")
	add(flag(md, "delta.enableIcebergCompatV2", false), "icebergCompatV2")
	add(flag(md, "delta.enableIcebergCompatV3", false), "icebergCompatV3")
	add(flag(md, "delta.enableMaterializePartitionColumnsFeature", false), "materializePartitionColumns")
	add(strings.EqualFold(md.Configuration["delta.checkpointPolicy"], "v2"), "v2Checkpoint")
	add(ColumnMapping(md) != MappingNone, "columnMapping")
	add(hasType(schema, types.KindTimestampNTZ), "timestampNtz")
	add(hasType(schema, types.KindVariant), "variantType")
	add(ifField("delta.generationExpression")(md, schema), "generatedColumns")
	add(ifField("delta.identity.start")(md, schema), "identityColumns")
	add(ifField("CURRENT_DEFAULT")(md, schema), "allowColumnDefaults")
	for k := range md.Configuration {
		if strings.HasPrefix(k, "delta.constraints.") {
			add(true, "checkConstraints")
			break
		}
	}
	return out
}

// normal is the protocol of a set of features: by version numbers where these say
// just that, by names otherwise; p itself when that has the same features already
// (delta-spark's normalisation of protocols).
func normal(names []string, p *action.Protocol) *action.Protocol {
	if p != nil && slices.Equal(Names(p), names) {
		return p
	}
	for writer := int32(1); writer < MaxWriterVersion; writer++ {
		for reader := int32(1); reader < MaxReaderVersion; reader++ {
			legacy := &action.Protocol{MinReaderVersion: reader, MinWriterVersion: writer}
			if slices.Equal(Names(legacy), names) {
				return legacy
			}
		}
	}
	out := &action.Protocol{MinReaderVersion: 1, MinWriterVersion: MaxWriterVersion, WriterFeatures: names}
	var readers []string
	for _, n := range names {
		f, known := Lookup(n)
		if f.Reader || !known && p != nil && slices.Contains(p.ReaderFeatures, n) {
			readers = append(readers, n)
			out.MinReaderVersion = max(out.MinReaderVersion, f.MinReader)
			if f.MinReader == 0 {
				out.MinReaderVersion = MaxReaderVersion
			}
		}
	}
	if out.MinReaderVersion == MaxReaderVersion {
		out.ReaderFeatures = readers
	}
	return out
}

func lookupFold(name string) (Feature, bool) {
	for _, f := range registry {
		if strings.EqualFold(f.Name, name) {
			return f, true
		}
	}
	return Feature{}, false
}

func atoi32(s string) int32 {
	n, _ := strconv.ParseInt(strings.TrimSpace(s), 10, 32) // checked by its rule
	return int32(n)
}
