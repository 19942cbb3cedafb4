package action

import (
	"fmt"
	"maps"
	"slices"
	"strconv"
)

// Marshal writes a commit file: one line an action.
func Marshal(actions []Action) ([]byte, error) {
	var dst []byte
	var err error
	for _, a := range actions {
		if dst, err = Append(dst, a); err != nil {
			return nil, err
		}
		dst = append(dst, '\n')
	}
	return dst, nil
}

// Append appends the line of an action, without a newline. Fields stand in the
// reference's order, absent ones are left out, unknown ones follow sorted.
func Append(dst []byte, a Action) ([]byte, error) {
	w := writer{b: append(dst, '{')}
	w.name(a.Key())
	switch x := a.(type) {
	case *Add:
		w.add(x)
	case *Remove:
		w.remove(x)
	case *Metadata:
		w.metadata(x)
	case *Protocol:
		w.open()
		w.int("minReaderVersion", int64(x.MinReaderVersion))
		w.int("minWriterVersion", int64(x.MinWriterVersion))
		w.list("readerFeatures", x.ReaderFeatures)
		w.list("writerFeatures", x.WriterFeatures)
		w.close(x.Extra)
	case *Txn:
		w.open()
		w.text("appId", x.AppID)
		w.int("version", x.Version)
		w.intPtr("lastUpdated", x.LastUpdated)
		w.close(x.Extra)
	case *AddCDC:
		w.open()
		w.text("path", x.Path)
		w.partitions(x.PartitionValues, true)
		w.int("size", x.Size)
		w.strings("tags", x.Tags)
		w.bool("dataChange", x.DataChange)
		w.close(x.Extra)
	case *CommitInfo:
		w.commitInfo(x)
	case *DomainMetadata:
		w.open()
		w.text("domain", x.Domain)
		w.text("configuration", x.Configuration)
		w.bool("removed", x.Removed)
		w.close(x.Extra)
	case *CheckpointMetadata:
		w.open()
		w.int("version", x.Version)
		w.strings("tags", x.Tags)
		w.close(x.Extra)
	case *Sidecar:
		w.open()
		w.text("path", x.Path)
		w.int("sizeInBytes", x.SizeInBytes)
		w.int("modificationTime", x.ModificationTime)
		w.strings("tags", x.Tags)
		w.close(x.Extra)
	case *Unknown:
		w.raw(x.Raw)
	default:
		return dst, fmt.Errorf("action: cannot write %T", a)
	}
	if w.err != nil {
		return dst, fmt.Errorf("action %s: %w", a.Key(), w.err)
	}
	return append(w.b, '}'), nil
}

// writer appends members; first tells whether the open object is still empty.
type writer struct {
	b     []byte
	first bool
	err   error
}

func (w *writer) open() { w.b, w.first = append(w.b, '{'), true }

func (w *writer) close(extra Extra) {
	for _, k := range slices.Sorted(maps.Keys(extra)) {
		w.member(k)
		w.raw(extra[k])
	}
	w.b, w.first = append(w.b, '}'), false
}

func (w *writer) name(s string) { w.b = append(AppendQuoted(w.b, s), ':') }

func (w *writer) member(name string) {
	if !w.first {
		w.b = append(w.b, ',')
	}
	w.first = false
	w.name(name)
}

// raw appends JSON text on one line, after checking it.
func (w *writer) raw(text []byte) {
	l := lexer{b: text}
	l.value()
	if !l.failed() {
		if l.peek(); l.i < len(text) {
			l.fail("text behind the end")
		}
	}
	if l.failed() {
		w.err = &SyntaxError{File: "raw value", Column: l.at + 1, Msg: l.msg}
		return
	}
	for _, c := range text { // a newline can only be white space between tokens
		if c == '\n' || c == '\r' {
			c = ' '
		}
		w.b = append(w.b, c)
	}
}

func (w *writer) text(name, v string) {
	w.member(name)
	w.b = AppendQuoted(w.b, v)
}

func (w *writer) textPtr(name string, v *string) {
	if v != nil {
		w.text(name, *v)
	}
}

func (w *writer) int(name string, v int64) {
	w.member(name)
	w.b = strconv.AppendInt(w.b, v, 10)
}

func (w *writer) intPtr(name string, v *int64) {
	if v != nil {
		w.int(name, *v)
	}
}

func (w *writer) bool(name string, v bool) {
	w.member(name)
	w.b = strconv.AppendBool(w.b, v)
}

func (w *writer) boolPtr(name string, v *bool) {
	if v != nil {
		w.bool(name, *v)
	}
}

func (w *writer) list(name string, v []string) {
	if v == nil {
		return
	}
	w.member(name)
	w.b = append(w.b, '[')
	for i, s := range v {
		if i > 0 {
			w.b = append(w.b, ',')
		}
		w.b = AppendQuoted(w.b, s)
	}
	w.b = append(w.b, ']')
}

// strings appends an object of texts; a nil map is absent.
func (w *writer) strings(name string, m map[string]string) {
	if m == nil {
		return
	}
	w.member(name)
	w.open()
	for _, k := range slices.Sorted(maps.Keys(m)) {
		w.text(k, m[k])
	}
	w.close(nil)
}

func (w *writer) partitions(pv PartitionValues, always bool) {
	if pv == nil && !always {
		return
	}
	w.member("partitionValues")
	w.open()
	for _, k := range slices.Sorted(maps.Keys(pv)) {
		if v := pv[k]; v != nil {
			w.text(k, *v)
		} else {
			w.member(k)
			w.b = append(w.b, "null"...)
		}
	}
	w.close(nil)
}

func (w *writer) deletionVector(d *DeletionVector) {
	if d == nil {
		return
	}
	w.member("deletionVector")
	w.open()
	w.text("storageType", d.StorageType)
	w.text("pathOrInlineDv", d.PathOrInlineDv)
	if d.Offset != nil {
		w.int("offset", int64(*d.Offset))
	}
	w.int("sizeInBytes", int64(d.SizeInBytes))
	w.int("cardinality", d.Cardinality)
	w.intPtr("maxRowIndex", d.MaxRowIndex)
	w.close(nil)
}

func (w *writer) add(x *Add) {
	w.open()
	w.text("path", x.Path)
	w.partitions(x.PartitionValues, true)
	w.int("size", x.Size)
	w.int("modificationTime", x.ModificationTime)
	w.bool("dataChange", x.DataChange)
	if x.Stats != "" {
		w.text("stats", x.Stats)
	}
	w.strings("tags", x.Tags)
	w.deletionVector(x.DeletionVector)
	w.intPtr("baseRowId", x.BaseRowID)
	w.intPtr("defaultRowCommitVersion", x.DefaultRowCommitVersion)
	w.textPtr("clusteringProvider", x.ClusteringProvider)
	w.close(x.Extra)
}

func (w *writer) remove(x *Remove) {
	w.open()
	w.text("path", x.Path)
	w.intPtr("deletionTimestamp", x.DeletionTimestamp)
	w.bool("dataChange", x.DataChange)
	w.boolPtr("extendedFileMetadata", x.ExtendedFileMetadata)
	w.partitions(x.PartitionValues, false)
	w.intPtr("size", x.Size)
	w.strings("tags", x.Tags)
	w.deletionVector(x.DeletionVector)
	w.intPtr("baseRowId", x.BaseRowID)
	w.intPtr("defaultRowCommitVersion", x.DefaultRowCommitVersion)
	if x.Stats != "" {
		w.text("stats", x.Stats)
	}
	w.close(x.Extra)
}

func (w *writer) metadata(x *Metadata) {
	w.open()
	w.text("id", x.ID)
	w.textPtr("name", x.Name)
	w.textPtr("description", x.Description)
	w.member("format")
	w.open()
	w.text("provider", x.Format.Provider)
	w.strings("options", orEmpty(x.Format.Options))
	w.close(nil)
	w.text("schemaString", x.SchemaString)
	if x.PartitionColumns == nil {
		w.list("partitionColumns", []string{})
	} else {
		w.list("partitionColumns", x.PartitionColumns)
	}
	w.strings("configuration", orEmpty(x.Configuration))
	w.intPtr("createdTime", x.CreatedTime)
	w.close(x.Extra)
}

func orEmpty(m map[string]string) map[string]string {
	if m == nil {
		return map[string]string{}
	}
	return m
}

// commitInfo puts job, notebook and clusterId, which have no field of their own,
// where the reference has them.
func (w *writer) commitInfo(x *CommitInfo) {
	w.open()
	w.intPtr("inCommitTimestamp", x.InCommitTimestamp)
	w.intPtr("timestamp", x.Timestamp)
	w.textPtr("userId", x.UserID)
	w.textPtr("userName", x.UserName)
	if x.Operation != "" {
		w.text("operation", x.Operation)
	}
	if x.OperationParameters != nil {
		w.member("operationParameters")
		w.open()
		w.close(x.OperationParameters)
	}
	for _, k := range []string{"job", "notebook", "clusterId"} {
		if v, ok := x.Extra[k]; ok {
			w.member(k)
			w.raw(v)
		}
	}
	w.intPtr("readVersion", x.ReadVersion)
	w.textPtr("isolationLevel", x.IsolationLevel)
	w.boolPtr("isBlindAppend", x.IsBlindAppend)
	w.boolPtr("dataChange", x.DataChange)
	w.strings("operationMetrics", x.OperationMetrics)
	w.textPtr("userMetadata", x.UserMetadata)
	w.strings("tags", x.Tags)
	w.textPtr("engineInfo", x.EngineInfo)
	w.textPtr("txnId", x.TxnID)
	rest := maps.Clone(x.Extra)
	for _, k := range []string{"job", "notebook", "clusterId"} {
		delete(rest, k)
	}
	w.close(rest)
}
