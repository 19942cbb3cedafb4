package checkpoint

import (
	"context"
	"errors"
	"fmt"

	"github.com/apache/arrow-go/v18/arrow"
	"github.com/apache/arrow-go/v18/arrow/array"

	"github.com/sluicelake/sluice/action"
)

// emitter turns rows into actions. Files go column by column into one reused
// action.File; the few other rows take the way of a commit line: they are
// written as JSON and scanned.
type emitter struct {
	h    *action.Handler
	line []byte
	file action.File
	pv   []byte
	tags []byte
	stat []byte
	row  int // rows that were emitted
}

func (e *emitter) all(ctx context.Context, batches <-chan arrow.RecordBatch) error {
	for b := range batches {
		if err := ctx.Err(); err != nil {
			return err
		}
		err := e.record(b)
		b.Release() // everything was copied
		if err != nil {
			return err
		}
	}
	return nil
}

func (e *emitter) record(rec arrow.RecordBatch) error {
	var files []*fileColumns
	type other struct {
		name string
		col  arrow.Array
	}
	var others []other
	for i, f := range rec.Schema().Fields() {
		col := rec.Column(i)
		if col.NullN() == col.Len() {
			continue
		}
		switch f.Name {
		case "add", "remove":
			c, err := newFileColumns(col, f.Name == "remove")
			if err != nil {
				return err
			}
			files = append(files, c)
		default:
			others = append(others, other{f.Name, col})
		}
	}
	for i := range int(rec.NumRows()) {
		e.row++
		for _, c := range files {
			if err := e.emitFile(c, i); err != nil {
				return err
			}
		}
		for _, o := range others {
			if o.col.IsNull(i) {
				continue
			}
			if err := e.emitOther(o.name, o.col, i); err != nil {
				return err
			}
		}
	}
	return nil
}

// keyField is the field without which a row of an action is empty: some
// writers leave a struct of nulls where others leave a null.
var keyField = map[string]string{
	"metaData": "id", "protocol": "minReaderVersion", "txn": "appId", "domainMetadata": "domain", "sidecar": "path", "checkpointMetadata": "version",
}

func (e *emitter) emitOther(name string, col arrow.Array, i int) error {
	k := fieldOf(col, keyField[name])
	if k == nil || k.IsNull(i) {
		if name != "metaData" {
			return nil
		}
		if s := fieldOf(col, "schemaString"); s == nil || s.IsNull(i) {
			return nil
		}
	}
	e.line = append(action.AppendQuoted(append(e.line[:0], '{'), name), ':')
	var err error
	if e.line, err = appendJSON(e.line, col, i); err != nil {
		return err
	}
	e.line = append(e.line, '}')
	return action.Scan(e.line, "row of "+name, e.h)
}

// fileColumns are the children of the add or remove column; nil for those that
// the file does not have.
type fileColumns struct {
	remove                   bool
	all                      arrow.Array
	path, stats, provider    texts
	size, mod, deleted       ints
	baseRowID, commitVersion ints
	dataChange, extended     *array.Boolean
	partitions, tags         *mapColumn
	parsed                   arrow.Array
	dv                       arrow.Array
	dvType, dvPath           texts
	dvOffset, dvSize, dvRows ints
	dvMax                    ints
}

func newFileColumns(col arrow.Array, remove bool) (*fileColumns, error) {
	c := &fileColumns{remove: remove, all: col}
	var err error
	text := func(a arrow.Array) texts {
		t, e := asTexts(a)
		err = errors.Join(err, e)
		return t
	}
	number := func(a arrow.Array) ints {
		n, e := asInts(a)
		err = errors.Join(err, e)
		return n
	}
	boolean := func(a arrow.Array) *array.Boolean {
		b, ok := a.(*array.Boolean)
		if a != nil && !ok {
			err = errors.Join(err, fmt.Errorf("a column of type %s where a boolean belongs", a.DataType()))
		}
		return b
	}
	mapping := func(a arrow.Array) *mapColumn {
		m, e := asMap(a)
		err = errors.Join(err, e)
		return m
	}
	c.path = text(fieldOf(col, "path"))
	c.size = number(fieldOf(col, "size"))
	c.dataChange = boolean(fieldOf(col, "dataChange"))
	c.partitions = mapping(fieldOf(col, "partitionValues"))
	c.tags = mapping(fieldOf(col, "tags"))
	c.baseRowID = number(fieldOf(col, "baseRowId"))
	c.commitVersion = number(fieldOf(col, "defaultRowCommitVersion"))
	c.stats = text(fieldOf(col, "stats"))
	if remove {
		c.deleted = number(fieldOf(col, "deletionTimestamp"))
		c.extended = boolean(fieldOf(col, "extendedFileMetadata"))
	} else {
		c.mod = number(fieldOf(col, "modificationTime"))
		c.provider = text(fieldOf(col, "clusteringProvider"))
		c.parsed = fieldOf(col, "stats_parsed")
	}
	if dv := fieldOf(col, "deletionVector"); dv != nil && dv.NullN() < dv.Len() {
		c.dv = dv
		c.dvType, c.dvPath = text(fieldOf(dv, "storageType")), text(fieldOf(dv, "pathOrInlineDv"))
		c.dvOffset, c.dvSize = number(fieldOf(dv, "offset")), number(fieldOf(dv, "sizeInBytes"))
		c.dvRows, c.dvMax = number(fieldOf(dv, "cardinality")), number(fieldOf(dv, "maxRowIndex"))
	}
	return c, err
}

func (e *emitter) emitFile(c *fileColumns, i int) error {
	if c.all.IsNull(i) || c.path == nil || c.path.IsNull(i) {
		return nil
	}
	f := &e.file
	*f = action.File{Extra: f.Extra[:0], Line: e.row}
	f.Path = plain(c.path.Value(i))
	f.DataChange = c.dataChange != nil && c.dataChange.IsValid(i) && c.dataChange.Value(i)
	optional := func(a ints, to *int64, has action.Field) {
		if a != nil && a.IsValid(i) {
			*to = a.at(i)
			f.Has |= has
		}
	}
	optional(c.size, &f.Size, action.HasSize)
	optional(c.mod, &f.ModificationTime, 0)
	optional(c.deleted, &f.DeletionTimestamp, action.HasDeletionTimestamp)
	optional(c.baseRowID, &f.BaseRowID, action.HasBaseRowID)
	optional(c.commitVersion, &f.DefaultRowCommitVersion, action.HasDefaultRowCommitVersion)
	if c.extended != nil && c.extended.IsValid(i) {
		f.ExtendedFileMetadata = c.extended.Value(i)
		f.Has |= action.HasExtendedFileMetadata
	}
	if c.partitions != nil && c.partitions.IsValid(i) {
		e.pv = c.partitions.appendJSON(e.pv[:0], i)
		f.PartitionValues = e.pv
	}
	if c.tags != nil && c.tags.IsValid(i) {
		e.tags = c.tags.appendJSON(e.tags[:0], i)
		f.Tags = e.tags
	}
	if c.provider != nil && c.provider.IsValid(i) {
		f.Provider = plain(c.provider.Value(i))
		f.Has |= action.HasProvider
	}
	if c.stats != nil && c.stats.IsValid(i) {
		f.Stats = plain(c.stats.Value(i))
		f.Has |= action.HasStats
	} else if c.parsed != nil && c.parsed.IsValid(i) {
		var err error
		if e.stat, err = appendJSON(e.stat[:0], c.parsed, i); err != nil {
			return err
		}
		f.Stats = action.Plain(e.stat)
		f.Has |= action.HasStats
	}
	if c.dv != nil && c.dv.IsValid(i) && c.dvType != nil && c.dvType.IsValid(i) {
		f.Vector = c.vector(i)
	}
	if c.remove {
		return e.h.Remove(f)
	}
	return e.h.Add(f)
}

func (c *fileColumns) vector(i int) *action.DeletionVector {
	dv := &action.DeletionVector{StorageType: string([]byte(c.dvType.Value(i)))}
	if c.dvPath != nil && c.dvPath.IsValid(i) {
		dv.PathOrInlineDv = string([]byte(c.dvPath.Value(i)))
	}
	if c.dvOffset != nil && c.dvOffset.IsValid(i) {
		n := int32(c.dvOffset.at(i))
		dv.Offset = &n
	}
	if c.dvSize != nil && c.dvSize.IsValid(i) {
		dv.SizeInBytes = int32(c.dvSize.at(i))
	}
	if c.dvRows != nil && c.dvRows.IsValid(i) {
		dv.Cardinality = c.dvRows.at(i)
	}
	if c.dvMax != nil && c.dvMax.IsValid(i) {
		n := c.dvMax.at(i)
		dv.MaxRowIndex = &n
	}
	return dv
}
