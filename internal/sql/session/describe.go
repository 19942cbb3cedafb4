package session

import (
	"context"
	"encoding/json"
	"fmt"
	"maps"
	"slices"
	"strings"
	"time"

	"github.com/sluicelake/sluice/action"
	"github.com/sluicelake/sluice/expr"
	"github.com/sluicelake/sluice/internal/base/columns"
	"github.com/sluicelake/sluice/internal/sql/parse"
	"github.com/sluicelake/sluice/internal/sql/query"
	"github.com/sluicelake/sluice/internal/table/feature"
	"github.com/sluicelake/sluice/internal/table/snapshot"
	"github.com/sluicelake/sluice/internal/verbs/read"
	"github.com/sluicelake/sluice/types"
)

var columnSchema = types.NewStruct(field("col_name", types.String), field("data_type", types.String), field("comment", types.String))

// describe is DESCRIBE in all its forms.
func (x *execution) describe(ctx context.Context, st *parse.Describe) (*Result, error) {
	if st.Query != nil {
		plan, err := query.Bind(ctx, st.Query, x, x.options)
		if err != nil {
			return nil, err
		}
		return rows("DESCRIBE", columnSchema, columnsOf(plan.Schema())...)
	}
	if st.What == parse.DescribeColumns || st.What == parse.DescribeExtended {
		if _, ok := x.address(st.Table); !ok {
			return x.describeView(ctx, st.Table, st.Column)
		}
	}
	_, s, err := x.existing(ctx, st.Table)
	if err != nil {
		return nil, err
	}
	if len(st.Column) > 0 {
		return describeColumn(s.Schema(), st.Column)
	}
	switch st.What {
	case parse.DescribeHistory:
		return history(ctx, s, st.Limit)
	case parse.DescribeDetail:
		return detail(s)
	}
	list := columnsOf(s.Schema())
	if parts := s.PartitionColumns(); len(parts) > 0 {
		list = append(list, []any{"# Partition Information", "", ""}, []any{"# col_name", "data_type", "comment"})
		for _, p := range parts {
			f, _ := s.Schema().Field(p)
			list = append(list, columnsOf(types.NewStruct(f))...)
		}
	}
	if st.What == parse.DescribeExtended {
		list = append(list, []any{"", "", ""}, []any{"# Detailed Table Information", "", ""}, []any{"Name", expr.NewColumn(st.Table...).String(), ""},
			[]any{"Type", "EXTERNAL", ""}, []any{"Location", s.Bucket().URL(), ""}, []any{"Provider", "delta", ""})
		if d := s.Metadata().Description; d != nil {
			list = append(list, []any{"Comment", *d, ""})
		}
		var props []string
		all := properties(s)
		for _, k := range sortedNames(all) {
			props = append(props, k+"="+all[k])
		}
		list = append(list, []any{"Table Properties", "[" + strings.Join(props, ",") + "]", ""})
	}
	return rows("DESCRIBE", columnSchema, list...)
}

func (x *execution) describeView(ctx context.Context, name, column []string) (*Result, error) {
	q := &query.Query{Body: &query.Select{Items: []query.Item{{Expr: &expr.Star{}}}, From: []query.Source{&query.TableRef{Name: name}}}}
	plan, err := query.Bind(ctx, q, x, x.options)
	if err != nil {
		return nil, err
	}
	if len(column) > 0 {
		return describeColumn(plan.Schema(), column)
	}
	return rows("DESCRIBE", columnSchema, columnsOf(plan.Schema())...)
}

func columnsOf(s *types.Struct) [][]any {
	var out [][]any
	for _, f := range s.Fields {
		var comment any
		if c, ok := f.Metadata.Text("comment"); ok {
			comment = c
		}
		out = append(out, []any{f.Name, f.Type.String(), comment})
	}
	return out
}

var textMap = &types.Map{Key: types.String, Value: types.String, ValueContainsNull: true}

var historySchema = types.NewStruct(field("version", types.Long), field("timestamp", types.Timestamp), field("userId", types.String), field("userName", types.String),
	field("operation", types.String), field("operationParameters", textMap), field("job", types.String), field("notebook", types.String), field("clusterId", types.String),
	field("readVersion", types.Long), field("isolationLevel", types.String), field("isBlindAppend", types.Boolean), field("operationMetrics", textMap),
	field("userMetadata", types.String), field("engineInfo", types.String))

func history(ctx context.Context, s *snapshot.Snapshot, limit int) (*Result, error) {
	if limit == 0 {
		limit = -1
	}
	commits, err := read.History(ctx, s.Bucket(), limit)
	if err != nil {
		return nil, err
	}
	var list [][]any
	for _, c := range commits {
		if c.Err != nil {
			return nil, c.Err
		}
		list = append(list, historyRow(c.Version, c.Timestamp, c.Info))
	}
	return rows("DESCRIBE HISTORY", historySchema, list...)
}

func historyRow(version int64, at time.Time, i *action.CommitInfo) []any {
	parameters := map[string]string{}
	for k, v := range i.OperationParameters {
		text := string(v)
		var s string
		if json.Unmarshal(v, &s) == nil {
			text = s
		}
		if string(v) != "null" {
			parameters[k] = text
		}
	}
	extra := func(key string) any {
		if raw, ok := i.Extra[key]; ok {
			return string(raw)
		}
		return nil
	}
	return []any{version, at.UnixMicro(), optional(i.UserID), optional(i.UserName), i.Operation, pairs(parameters), extra("job"), extra("notebook"), extra("clusterId"),
		optional(i.ReadVersion), optional(i.IsolationLevel), optional(i.IsBlindAppend), pairs(i.OperationMetrics), optional(i.UserMetadata), optional(i.EngineInfo)}
}

func optional[T any](p *T) any {
	if p == nil {
		return nil
	}
	return *p
}

func pairs(m map[string]string) []columns.KV {
	out := []columns.KV{}
	for _, k := range sortedNames(m) {
		out = append(out, columns.KV{Key: k, Value: m[k]})
	}
	return out
}

func list(names []string) []any {
	out := make([]any, len(names))
	for i, n := range names {
		out[i] = n
	}
	return out
}

var textList = &types.Array{Element: types.String, ContainsNull: true}

var detailSchema = types.NewStruct(field("format", types.String), field("id", types.String), field("name", types.String), field("description", types.String),
	field("location", types.String), field("createdAt", types.Timestamp), field("lastModified", types.Timestamp), field("partitionColumns", textList),
	field("clusteringColumns", textList), field("numFiles", types.Long), field("sizeInBytes", types.Long), field("properties", textMap),
	field("minReaderVersion", types.Integer), field("minWriterVersion", types.Integer), field("tableFeatures", textList))

func detail(s *snapshot.Snapshot) (*Result, error) {
	md, p := s.Metadata(), s.Protocol()
	var created any
	if md.CreatedTime != nil {
		created = *md.CreatedTime * 1000
	}
	configuration, _ := s.Domain(feature.ClusteringDomain)
	return rows("DESCRIBE DETAIL", detailSchema, []any{"delta", md.ID, optional(md.Name), optional(md.Description), s.Bucket().URL(), created, s.Timestamp().UnixMicro(),
		list(s.PartitionColumns()), list(feature.Clustering(configuration, s.Columns())), int64(s.NumFiles()), s.SizeInBytes(), pairs(md.Configuration),
		int64(p.MinReaderVersion), int64(p.MinWriterVersion), list(feature.Names(p))})
}

// properties are the table's, with those by which the reference shows the protocol.
func properties(s *snapshot.Snapshot) map[string]string {
	out := maps.Clone(s.Metadata().Configuration)
	if out == nil {
		out = map[string]string{}
	}
	p := s.Protocol()
	out["delta.minReaderVersion"], out["delta.minWriterVersion"] = fmt.Sprint(p.MinReaderVersion), fmt.Sprint(p.MinWriterVersion)
	for _, name := range slices.Concat(p.ReaderFeatures, p.WriterFeatures) {
		out["delta.feature."+name] = "supported"
	}
	return out
}

var propertySchema = types.NewStruct(field("key", types.String), field("value", types.String))

func (x *execution) showProperties(ctx context.Context, st *parse.ShowProperties) (*Result, error) {
	_, s, err := x.existing(ctx, st.Table)
	if err != nil {
		return nil, err
	}
	all := properties(s)
	if st.Key != "" {
		value, ok := all[st.Key]
		if !ok {
			value = fmt.Sprintf("Table %s does not have property: %s", expr.NewColumn(st.Table...), st.Key)
		}
		return rows("SHOW TBLPROPERTIES", propertySchema, []any{st.Key, value})
	}
	var out [][]any
	for _, k := range sortedNames(all) {
		out = append(out, []any{k, all[k]})
	}
	return rows("SHOW TBLPROPERTIES", propertySchema, out...)
}

func (x *execution) showColumns(ctx context.Context, st *parse.ShowColumns) (*Result, error) {
	_, s, err := x.existing(ctx, st.Table)
	if err != nil {
		return nil, err
	}
	var out [][]any
	for _, name := range s.Schema().Names() {
		out = append(out, []any{name})
	}
	return rows("SHOW COLUMNS", types.NewStruct(field("col_name", types.String)), out...)
}
