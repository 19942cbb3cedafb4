package dynamo

import (
	"context"
	"fmt"
	"strings"
)

// Entry is one item of the table in DynamoDB (ExternalCommitEntry).
type Entry struct {
	TablePath  string // HASH key: the table's URL as Hadoop prints it
	FileName   string // RANGE key: 00000000000000000012.json
	TempPath   string // of the temporary file, relative to _delta_log
	Complete   bool   // stored as the string "true" or "false"
	ExpireTime int64  // epoch seconds from which it may be deleted; 0 while it is not complete
}

// Entries is the table in DynamoDB. Reads are consistent.
type Entries interface {
	// Get finds one entry.
	Get(ctx context.Context, tablePath, fileName string) (e Entry, found bool, err error)
	// Latest finds the entry of a table with the greatest file name.
	Latest(ctx context.Context, tablePath string) (e Entry, found bool, err error)
	// PutIfAbsent puts an entry if there is none of its keys, else storage.ErrExist.
	// storage.ErrOutcomeUnknown: nobody knows.
	PutIfAbsent(ctx context.Context, e Entry) error
	// Put puts or replaces an entry.
	Put(ctx context.Context, e Entry) error
	// Describe names the table, for people.
	Describe() string
}

const logDir = "_delta_log/"

// logFile is a file directly in the log of a table.
type logFile struct {
	table string // the table's key below the driver's root: "" or "a/b"
	name  string
}

// parseKey finds out whether a key, or the prefix of a listing, names files
// directly in a log.
func parseKey(key string) (f logFile, ok bool) {
	i := strings.LastIndex(key, logDir)
	if i < 0 || (i > 0 && key[i-1] != '/') || strings.Contains(key[i+len(logDir):], "/") {
		return logFile{}, false
	}
	return logFile{table: strings.TrimSuffix(key[:i], "/"), name: key[i+len(logDir):]}, true
}

// key is where a path relative to the log lies.
func (f logFile) key(rel string) string {
	if f.table == "" {
		return logDir + rel
	}
	return f.table + "/" + logDir + rel
}

// version is the number of a commit's file name: digits and ".json".
func version(name string) (v int64, ok bool) {
	digits, ok := strings.CutSuffix(name, ".json")
	if !ok {
		return 0, false
	}
	return number(digits)
}

// number reads a name's leading 20 digits, all of it when it ends there.
func number(digits string) (v int64, ok bool) {
	if len(digits) != 20 {
		return 0, false
	}
	for i := range len(digits) {
		if digits[i] < '0' || digits[i] > '9' || v > (1<<62)/10 {
			return 0, false
		}
		v = v*10 + int64(digits[i]-'0')
	}
	return v, true
}

// leading is the version that any file name of the log begins with.
func leading(name string) (v int64, ok bool) {
	if len(name) < 20 {
		return 0, false
	}
	return number(name[:20])
}

func commitName(v int64) string { return fmt.Sprintf("%020d.json", v) }
