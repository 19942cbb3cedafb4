package s3

import (
	"errors"
	"fmt"
	"regexp"
	"slices"
	"strings"
	"testing"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/dynamodb"
	"github.com/aws/aws-sdk-go-v2/service/dynamodb/types"

	"github.com/sluicelake/sluice/internal/proof/servers"
	"github.com/sluicelake/sluice/storage"
	"github.com/sluicelake/sluice/storage/s3/dynamo"
	"github.com/sluicelake/sluice/storage/storetest"
)

// A store of objects and a store of entries, both running: the suite, and the
// items on the wire.
func TestDynamo(t *testing.T) {
	w := start(t)
	moto := servers.StartMoto(t)
	opts := []storage.Option{storage.With("log-store", "dynamodb"), storage.With("dynamodb-endpoint", moto), storage.With("dynamodb-create", "true")}

	t.Run("Suite", func(t *testing.T) {
		storetest.Run(t, storetest.Subject{
			New:     func(t *testing.T) storage.Driver { return w.open(t, w.place(), opts) },
			Again:   func(t *testing.T, d storage.Driver) storage.Driver { return w.open(t, d.URL(), opts) },
			Writers: 32, Rounds: 4, PlainNames: true,
		})
	})

	t.Run("Items", func(t *testing.T) {
		place := "s3a://" + bucket + "/golden a=1/t"
		d := w.open(t, place, opts)
		for v := range 2 {
			if err := d.PutIfAbsent(t.Context(), commit(v), fmt.Appendf(nil, "v%d", v)); err != nil {
				t.Fatal(err)
			}
		}
		// A foreign writer of the same protocol, with raw requests, dies behind its commit.
		s := d.(*dynamo.Store).Driver.(*Store)
		db := (&entries{s: s}).client(s.connector.conn)
		foreign := map[string]types.AttributeValue{"tablePath": text(place), "fileName": text("00000000000000000002.json"),
			"tempPath": text(".tmp/00000000000000000002.json.6f6fd75e-6cc6-4a76-9d7a-0d3a3c2b8d00"), "complete": text("false")}
		if err := s.Put(t.Context(), "_delta_log/.tmp/00000000000000000002.json.6f6fd75e-6cc6-4a76-9d7a-0d3a3c2b8d00", []byte("foreign")); err != nil {
			t.Fatal(err)
		}
		if _, err := db.PutItem(t.Context(), &dynamodb.PutItemInput{TableName: aws.String("delta_log"), Item: foreign}); err != nil {
			t.Fatal(err)
		}
		// Opened as s3:// it finds the entries under s3a:// and recovers there.
		again := w.open(t, "s3"+strings.TrimPrefix(place, "s3a"), opts)
		if err := again.PutIfAbsent(t.Context(), commit(2), nil); !errors.Is(err, storage.ErrExist) {
			t.Errorf("version 2 belongs to another writer: %v", err)
		}
		if data, _, err := again.Get(t.Context(), commit(2)); err != nil || string(data) != "foreign" {
			t.Errorf("the foreign commit: %s, %v", data, err)
		}
		if err := again.PutIfAbsent(t.Context(), commit(3), []byte("v3")); err != nil {
			t.Error(err)
		}
		out, err := db.Query(t.Context(), &dynamodb.QueryInput{TableName: aws.String("delta_log"), KeyConditionExpression: aws.String("tablePath = :t"),
			ExpressionAttributeValues: map[string]types.AttributeValue{":t": text(place)}})
		if err != nil {
			t.Fatal(err)
		}
		want := strings.ReplaceAll(`complete=S:true expireTime=N:TIME fileName=S:00000000000000000000.json tablePath=S:PLACE tempPath=S:.tmp/00000000000000000000.json.UUID
complete=S:true expireTime=N:TIME fileName=S:00000000000000000001.json tablePath=S:PLACE tempPath=S:.tmp/00000000000000000001.json.UUID
complete=S:true expireTime=N:TIME fileName=S:00000000000000000002.json tablePath=S:PLACE tempPath=S:.tmp/00000000000000000002.json.UUID
complete=S:true expireTime=N:TIME fileName=S:00000000000000000003.json tablePath=S:PLACE tempPath=S:.tmp/00000000000000000003.json.UUID`, "PLACE", place)
		if got := transcript(out.Items); got != want {
			t.Errorf("items:\n%s\nwant:\n%s", got, want)
		}
	})

	t.Run("Refused", func(t *testing.T) {
		place := w.place()
		d := w.open(t, place, opts)
		if err := d.PutIfAbsent(t.Context(), commit(0), nil); err != nil {
			t.Fatal(err)
		}
		if err := w.open(t, place, nil).PutIfAbsent(t.Context(), commit(1), nil); !errors.Is(err, storage.ErrUnsupported) || !strings.Contains(err.Error(), "log-store=dynamodb") {
			t.Errorf("a handle without the log store: %v", err)
		}
		if err := w.open(t, place, []storage.Option{storage.With("log-store", "conditional")}).PutIfAbsent(t.Context(), commit(1), nil); err != nil {
			t.Errorf("a handle that insists: %v", err)
		}
		if err := d.PutIfAbsent(t.Context(), commit(2), nil); !errors.Is(err, storage.ErrUnsupported) || !strings.Contains(err.Error(), "without entries") {
			t.Errorf("beside a handle that insists: %v", err)
		}
		other := w.open(t, place, append(opts[:2:2], storage.With("dynamodb-table", "none")))
		if err := other.PutIfAbsent(t.Context(), commit(2), nil); err == nil || !strings.Contains(err.Error(), "dynamodb-create=true") {
			t.Errorf("a table that is not there: %v", err)
		}
	})
}

func commit(v int) string { return fmt.Sprintf("_delta_log/%020d.json", v) }

var uuids = regexp.MustCompile(`[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}`)

// transcript prints items with their types; uuids and times are masked.
func transcript(items []map[string]types.AttributeValue) string {
	var lines []string
	for _, item := range items {
		var fields []string
		for k, v := range item {
			switch v := v.(type) {
			case *types.AttributeValueMemberS:
				fields = append(fields, k+"=S:"+uuids.ReplaceAllString(v.Value, "UUID"))
			case *types.AttributeValueMemberN:
				fields = append(fields, k+"=N:TIME")
			default:
				fields = append(fields, fmt.Sprintf("%s=%T", k, v))
			}
		}
		slices.Sort(fields)
		lines = append(lines, strings.Join(fields, " "))
	}
	return strings.Join(lines, "\n")
}
