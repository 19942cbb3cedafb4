package races

import (
	"strings"
	"testing"
)

// The texts of Delta 3 and 4, of delta-rs, as people paste them.
func TestParseError(t *testing.T) {
	for _, c := range []struct {
		name, text string
		want       Report
		op         string
		params     map[string]string
		read       int64
	}{
		{name: "the report", op: "MERGE", read: 12, params: map[string]string{"predicate": "(((t.user_id = s.user_id) AND (t.city = s.city)) AND (t.country = 'UK'))", "notMatchedBySourcePredicates": `[{"actionType":"delete"}]`},
			text: `io.delta.exceptions.ConcurrentAppendException: Files were added to partition [country=USA] by a concurrent update. Please try the operation again.
Conflicting commit: {"timestamp":1700000001000,"operation":"MERGE","operationParameters":{"predicate":(((t.user_id = s.user_id) AND (t.city = s.city)) AND (t.country = 'UK')),"matchedPredicates":[{"actionType":"update"}],"notMatchedPredicates":[{"actionType":"insert"}],"notMatchedBySourcePredicates":[{"actionType":"delete"}]},"readVersion":12,"isolationLevel":"Serializable","isBlindAppend":false,"operationMetrics":{"numTargetRowsCopied":"0","numTargetRowsDeleted":"2"},"engineInfo":"Apache-Spark/3.4.0 Delta-Lake/2.4.0","txnId":"6f0c6d3e-0000-4000-8000-000000000001"}
Refer to https://docs.delta.io/latest/concurrency-control.html for more details.`,
			want: Report{Class: "DELTA_CONCURRENT_APPEND", Exception: "ConcurrentAppendException", Engine: "Spark", Partition: "country=USA", DocLink: "https://docs.delta.io/latest/concurrency-control.html"}},
		{name: "quoted parameters", op: "WRITE", read: 4, params: map[string]string{"mode": "Append", "partitionBy": "[]"},
			text: `| ConcurrentAppendException: Files were added to the root of the table by a concurrent update. Please try the operation again.
| Conflicting commit: {"timestamp":1728639379364,"operation":"WRITE","operationParameters":{"mode":"Append","partitionBy":"[]"},"readVersion":4,"isBlindAppend":true}`,
			want: Report{Class: "DELTA_CONCURRENT_APPEND", Exception: "ConcurrentAppendException", Engine: "Spark", Root: true}},
		{name: "bare parameter", op: "WRITE", read: 4, params: map[string]string{"mode": "Append"},
			text: `ConcurrentAppendException: Files were added to the root of the table by a concurrent update. Conflicting commit: {"timestamp":1,"operation":"WRITE","operationParameters":{"mode":Append},"readVersion":4,"txnId":"x"}`,
			want: Report{Class: "DELTA_CONCURRENT_APPEND", Exception: "ConcurrentAppendException", Engine: "Spark", Root: true}},
		{name: "Delta 4.1", op: "STREAMING UPDATE",
			text: "[DELTA_CONCURRENT_APPEND.WITH_PARTITION_HINT] Transaction conflict detected. a concurrent STREAMING UPDATE added data to table delta.`file:/x/t` committed at version 7. The concurrent operation modified data in the partition [p=b] that should have been read by this operation",
			want: Report{Class: "DELTA_CONCURRENT_APPEND", Condition: "DELTA_CONCURRENT_APPEND.WITH_PARTITION_HINT", Exception: "ConcurrentAppendException", Engine: "Spark", Partition: "p=b", Table: "delta.`file:/x/t`", Version: ptr(7)}},
		{name: "no commitInfo",
			text: "[DELTA_CONCURRENT_APPEND.WITHOUT_HINT] Transaction conflict detected. a concurrent TRANSACTION added data to table main.sales.people committed at version 3. The concurrent operation modified data",
			want: Report{Class: "DELTA_CONCURRENT_APPEND", Condition: "DELTA_CONCURRENT_APPEND.WITHOUT_HINT", Exception: "ConcurrentAppendException", Engine: "Spark", Table: "main.sales.people", Version: ptr(3)}},
		{name: "delete read", op: "DELETE",
			text: "[DELTA_CONCURRENT_DELETE_READ.WITH_PARTITION_HINT] Transaction conflict detected, a concurrent DELETE deleted data from table delta.`file:/x` (committed at version 1) that this transaction read. The concurrent operation deleted data in the partition [p=a, q=null] that was read",
			want: Report{Class: "DELTA_CONCURRENT_DELETE_READ", Condition: "DELTA_CONCURRENT_DELETE_READ.WITH_PARTITION_HINT", Exception: "ConcurrentDeleteReadException", Engine: "Spark", Partition: "p=a, q=null", Table: "delta.`file:/x`", Version: ptr(1)}},
		{name: "delete delete, Delta 3",
			text: "ConcurrentDeleteDeleteException: This transaction attempted to delete one or more files that were deleted (for example country=UK/part-0.parquet) by a concurrent update. Please try the operation again.",
			want: Report{Class: "DELTA_CONCURRENT_DELETE_DELETE", Exception: "ConcurrentDeleteDeleteException", Engine: "Spark", File: "country=UK/part-0.parquet"}},
		{name: "metadata", text: "[DELTA_METADATA_CHANGED] MetadataChangedException: The metadata of the Delta table delta.`file:/x` has been changed by a concurrent update. Please try the operation again.",
			want: Report{Class: "DELTA_METADATA_CHANGED", Condition: "DELTA_METADATA_CHANGED", Exception: "MetadataChangedException", Engine: "Spark", Table: "delta.`file:/x`"}},
		{name: "protocol", text: "ProtocolChangedException: The protocol version of the Delta table has been changed by a concurrent update. ",
			want: Report{Class: "DELTA_PROTOCOL_CHANGED", Exception: "ProtocolChangedException", Engine: "Spark"}},
		{name: "application", text: "ConcurrentTransactionException: This error occurs when multiple streaming queries are using the same checkpoint to write into this table.",
			want: Report{Class: "DELTA_CONCURRENT_TRANSACTION", Exception: "ConcurrentTransactionException", Engine: "Spark"}},
		{name: "write", text: "io.delta.exceptions.ConcurrentWriteException: A concurrent transaction has written new data since the current transaction read the table.",
			want: Report{Class: "DELTA_CONCURRENT_WRITE", Exception: "ConcurrentWriteException", Engine: "Spark"}},
		{name: "retries", text: "[DELTA_MAX_COMMIT_RETRIES_EXCEEDED] This commit has failed as it has been tried 10000001 times but did not succeed.",
			want: Report{Class: "DELTA_MAX_COMMIT_RETRIES_EXCEEDED", Condition: "DELTA_MAX_COMMIT_RETRIES_EXCEEDED", Engine: "Spark"}},
		{name: "delta-rs append", text: "_internal.CommitFailedError: Failed to commit transaction: Commit failed: a concurrent transactions added new data.\nHelp: This transaction's query must be rerun to include the new data.",
			want: Report{Class: "DELTA_CONCURRENT_APPEND", Exception: "ConcurrentAppendException", Engine: "delta-rs"}},
		{name: "delta-rs read", text: "Commit failed: a concurrent transaction deleted data this operation read.",
			want: Report{Class: "DELTA_CONCURRENT_DELETE_READ", Exception: "ConcurrentDeleteReadException", Engine: "delta-rs"}},
		{name: "delta-rs delete", text: "Commit failed: a concurrent transaction deleted the same data your transaction deletes.",
			want: Report{Class: "DELTA_CONCURRENT_DELETE_DELETE", Exception: "ConcurrentDeleteDeleteException", Engine: "delta-rs"}},
		{name: "delta-rs metadata", text: "Metadata changed since last commit.", want: Report{Class: "DELTA_METADATA_CHANGED", Exception: "MetadataChangedException", Engine: "delta-rs"}},
		{name: "delta-rs version", text: "Delta transaction failed, version 3 already exists.", want: Report{Class: "DELTA_CONCURRENT_WRITE", Exception: "ConcurrentWriteException", Engine: "delta-rs", Version: ptr(3)}},
		{name: "something else", text: "java.lang.NullPointerException: at line 3", want: Report{}},
		{name: "cut off", op: "MERGE", text: `ConcurrentAppendException Conflicting commit: {"timestamp":1,"operation":"MERGE","operationParameters":{"predicate":"[\"(a = b`,
			want: Report{Class: "DELTA_CONCURRENT_APPEND", Exception: "ConcurrentAppendException", Engine: "Spark"}},
	} {
		t.Run(c.name, func(t *testing.T) {
			got := ParseError(c.text)
			w := got.Winner
			if w == nil {
				w = &Commit{}
			}
			if w.Operation != c.op {
				t.Errorf("operation %q, want %q", w.Operation, c.op)
			}
			for k, v := range c.params {
				if w.Parameters[k] != v {
					t.Errorf("parameter %s: %q, want %q", k, w.Parameters[k], v)
				}
			}
			if c.read > 0 && (w.ReadVersion == nil || *w.ReadVersion != c.read) {
				t.Errorf("read version %v, want %d", w.ReadVersion, c.read)
			}
			if (got.Version == nil) != (c.want.Version == nil) || got.Version != nil && *got.Version != *c.want.Version {
				t.Errorf("version %v, want %v", got.Version, c.want.Version)
			}
			got.Winner, got.Version, c.want.Version = nil, nil, nil
			if got != c.want {
				t.Errorf("%+v\nwant %+v", got, c.want)
			}
		})
	}
}

func ptr(n int64) *int64 { return &n }

// FuzzParseError: any text is read without a panic, and what is found stands in it.
func FuzzParseError(f *testing.F) {
	f.Add(`ConcurrentAppendException: Files were added to partition [a=1] by a concurrent update. Conflicting commit: {"timestamp":1,"operation":"WRITE","operationParameters":{"mode":Append,"x":[{"a":1}]},"readVersion":4}`)
	f.Add("[DELTA_CONCURRENT_DELETE_READ.WITHOUT_HINT] Transaction conflict detected, a concurrent DELETE deleted data from table x (committed at version 1)")
	f.Add(`DELTA_METADATA_CHANGED Conflicting commit: {"a":"\"b","c":(1,"d":2`)
	f.Add("İİ conflicting commit:{")
	f.Fuzz(func(t *testing.T, text string) {
		r := ParseError(text)
		if r.Class == "" && (r.Winner != nil || r.Exception != "") {
			t.Errorf("no class, and yet %+v", r)
		}
		if r.Partition != "" && !strings.Contains(strings.Join(strings.Fields(text), " "), r.Partition) && !strings.ContainsAny(text, "|>") {
			t.Errorf("the partition %q is not in the text", r.Partition)
		}
	})
}
