package changes

import (
	"context"
	"fmt"

	"github.com/sluicelake/sluice/action"
	"github.com/sluicelake/sluice/expr"
	"github.com/sluicelake/sluice/internal/base/env"
	"github.com/sluicelake/sluice/internal/table/feature"
	"github.com/sluicelake/sluice/internal/table/snapshot"
	"github.com/sluicelake/sluice/types"
)

// Spec is a reading of changes.
type Spec struct {
	// From is the first version: by number, or by a time at or after which it was
	// committed. Without either it is the newest version.
	From snapshot.At
	// To is the last version, by number or by a time at or before which it was
	// committed. Without either it is the newest version.
	To snapshot.At
	// After goes on behind a place that was reached before, instead of From.
	After Cursor
	// Schema is the version whose columns the rows have. Without number or time it
	// is the last one of the range for tables with column mapping, else the newest.
	Schema  snapshot.At
	Columns []string  // of the table, and those of the feed; nil: all
	Where   expr.Expr // over the same columns, not bound; nil: all rows
	Options expr.Options
}

// The columns that a change feed adds to those of the table.
var feedColumns = []types.Field{
	{Name: "_change_type", Type: types.String, Nullable: true},
	{Name: "_commit_version", Type: types.Long, Nullable: true},
	{Name: "_commit_timestamp", Type: types.Timestamp, Nullable: true},
}

// Plan is a Spec bound to a table: which versions, which columns. The files are
// found version by version when rows are read.
type Plan struct {
	env     *env.Env
	latest  *snapshot.Snapshot
	span    span
	after   place // where reading begins
	commits []commit
	stamps  []*action.Metadata // the metadata at each commit
	read    *feature.Columns   // the table's columns, as rows are told
	readAt  int64              // the version that has them
	all     *types.Struct      // and those of the feed
	out     []int              // ordinals of the output
	load    []int              // ordinals to be read
	schema  *types.Struct      // of the output
	where   expr.Expr          // bound to all; nil: all rows

	// Parts of the condition, nil for none: what looks at the table's columns
	// only, and as far as it may be computed first; what looks at those of the
	// feed only, and of these at the version and its time only.
	ofTable, filter, ofFeed, ofVersion expr.Expr
}

// NewPlan finds the range and checks that its changes were recorded and can be
// told in one schema (delta-spark's CDCReader).
func NewPlan(ctx context.Context, e *env.Env, latest *snapshot.Snapshot, spec Spec) (*Plan, error) {
	p := &Plan{env: e, latest: latest}
	var after *place
	if spec.After != "" {
		at, err := spec.After.place()
		if err != nil {
			return nil, err
		}
		if at.table != latest.Metadata().ID {
			return nil, &CursorError{spec.After, fmt.Sprintf("it belongs to another table (id %s, not %s)", at.table, latest.Metadata().ID)}
		}
		after = &at
	}
	var err error
	if p.span, err = resolve(ctx, e, latest, spec, after); err != nil {
		return nil, err
	}
	p.after = place{version: p.span.start, table: latest.Metadata().ID}
	if after != nil {
		p.after = *after
	}
	if p.span.end >= p.span.start {
		if err := p.log(ctx); err != nil {
			return nil, err
		}
	}
	if err := p.choose(ctx, spec.Schema); err != nil {
		return nil, err
	}
	if p.span.end >= p.span.start {
		if err := p.check(ctx); err != nil {
			return nil, err
		}
	}
	return p, p.bind(spec)
}

// log reads the commits of the range, and the metadata that holds at each.
func (p *Plan) log(ctx context.Context) error {
	var err error
	if p.commits, err = readCommits(ctx, p.env, p.latest, p.span); err != nil {
		return err
	}
	md := p.commits[0].metadata
	if md == nil {
		if md, _, err = p.metadata(ctx, snapshot.Version(p.span.start)); err != nil {
			return err
		}
	}
	for _, c := range p.commits {
		if c.metadata != nil {
			md = c.metadata
		}
		if c.protocol != nil {
			if err := feature.CheckRead(c.protocol); err != nil {
				return err
			}
		}
		p.stamps = append(p.stamps, md)
	}
	return nil
}

// choose settles the columns of the rows: those of the version that is asked for,
// else of the last one of the range where column mapping is in play, else of the
// newest (delta-spark's CDCReader, getCDCRelation).
func (p *Plan) choose(ctx context.Context, schema snapshot.At) error {
	md := p.latest.Metadata()
	p.readAt = p.latest.Version()
	if n := len(p.stamps); n > 0 && (mapped(p.stamps[0]) || mapped(p.stamps[n-1]) || mapped(md)) {
		md, p.readAt = p.stamps[n-1], p.span.end
	}
	var err error
	if schema != snapshot.Latest() {
		if md, p.readAt, err = p.metadata(ctx, schema); err != nil {
			return err
		}
	}
	p.read, err = feature.Mapping(md, nil)
	return err
}

// check refuses what was not recorded, or cannot be told in one schema.
func (p *Plan) check(ctx context.Context) error {
	url := p.latest.Bucket().URL()
	fail := func(class string, version int64, format string, args ...any) error {
		return &Error{Class: class, Table: url, From: p.span.start, To: p.span.end, Version: version, Why: fmt.Sprintf(format, args...)}
	}
	for i, c := range p.commits {
		if i > 0 && c.metadata == nil {
			continue
		}
		if !feature.ChangeDataFeed(p.stamps[i]) {
			return fail(classNotRecorded, c.version, "the change feed was off at version %d (delta.enableChangeDataFeed), so its changes were not recorded; %s", c.version, p.recorded())
		}
		if i > 0 {
			if err := p.compatible(classSchemaChange, c.version, c.metadata); err != nil {
				return err
			}
		}
	}
	if err := p.compatible(classDataSchema, p.span.start, p.stamps[0]); err != nil {
		return err
	}
	for _, f := range feedColumns {
		if i := p.read.Logical.Index(f.Name); i >= 0 {
			return fail(classReservedName, p.span.end, "the table has a column %s of its own", types.QuoteIdentifier(p.read.Logical.Fields[i].Name))
		}
	}
	return nil
}

// metadata is the table's at a version.
func (p *Plan) metadata(ctx context.Context, at snapshot.At) (*action.Metadata, int64, error) {
	if v, ok := at.Number(); ok && v == p.latest.Version() {
		return p.latest.Metadata(), v, nil
	}
	h, err := snapshot.LoadHead(ctx, p.env, p.latest.Bucket(), at)
	if err != nil {
		return nil, 0, err
	}
	return h.Metadata(), h.Version(), nil
}

// recorded advises which part of the range can be read.
func (p *Plan) recorded() string {
	from := p.span.end + 1
	for i := len(p.stamps) - 1; i >= 0 && feature.ChangeDataFeed(p.stamps[i]); i-- {
		from = p.commits[i].version
	}
	if from > p.span.end {
		return "turn the feed on, and read what comes then"
	}
	return fmt.Sprintf("changes are recorded from version %d on", from)
}

// compatible refuses a schema of the range whose rows cannot be told in that of
// the reading.
func (p *Plan) compatible(class string, version int64, md *action.Metadata) error {
	old, err := feature.Mapping(md, nil)
	if err != nil || readable(old, p.read, version <= p.readAt) {
		return err
	}
	advice := fmt.Sprintf("read versions up to %d, and those from %d on, apart, each in a schema of its own versions", version-1, version)
	if class == classDataSchema {
		advice = "choose the schema of a version of the range, or begin behind the version that changed them"
	}
	return &Error{Class: class, Table: p.latest.Bucket().URL(), From: p.span.start, To: p.span.end, Version: version,
		Why: fmt.Sprintf("columns of version %d were dropped, renamed, partitioned or typed differently: they are %s there, %s in the schema of the reading, which is that of version %d; %s", version, old.Logical, p.read.Logical, p.readAt, advice)}
}

// Schema is the schema of the rows.
func (p *Plan) Schema() *types.Struct { return p.schema }

// Range is the first and the last version; the last lies before the first when
// there is nothing to read.
func (p *Plan) Range() (from, to int64) { return p.span.start, p.span.end }
