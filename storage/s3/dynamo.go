package s3

import (
	"context"
	"errors"
	"fmt"
	"strconv"
	"sync"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/dynamodb"
	"github.com/aws/aws-sdk-go-v2/service/dynamodb/types"

	"github.com/sluicelake/sluice/storage"
	"github.com/sluicelake/sluice/storage/remote"
	"github.com/sluicelake/sluice/storage/s3/dynamo"
)

// entries is a table in DynamoDB, reached with the credentials of the store.
type entries struct {
	s  *Store
	mu sync.Mutex
	db *dynamodb.Client
}

// Describe names the table.
func (t *entries) Describe() string {
	at := "region " + t.region()
	if e := t.s.set.dynamo.endpoint; e != "" {
		at = storage.Redact(e)
	}
	return "the DynamoDB table " + t.s.set.dynamo.table + " (" + at + ")"
}

// region is that of the options, or delta-spark's default.
func (t *entries) region() string {
	if r := t.s.set.dynamo.region; r != "" {
		return r
	}
	return "us-east-1"
}

func (t *entries) client(c *connection) *dynamodb.Client {
	t.mu.Lock()
	defer t.mu.Unlock()
	if t.db == nil {
		t.db = dynamodb.NewFromConfig(c.aws, func(o *dynamodb.Options) {
			o.HTTPClient, o.Region, o.Retryer = &wire{t.s.client.HTTP}, t.region(), aws.NopRetryer{}
			if t.s.set.dynamo.endpoint != "" {
				o.BaseEndpoint = &t.s.set.dynamo.endpoint
			}
		})
	}
	return t.db
}

// once sends one request and makes the table when it is missing and that was asked for.
func (t *entries) once(ctx context.Context, send func(ctx context.Context, db *dynamodb.Client) error) error {
	request := func() error {
		return throttled(t.s.once(ctx, func(ctx context.Context, c *connection) error { return send(ctx, t.client(c)) }))
	}
	err := request()
	if !isCode(err, "ResourceNotFoundException") {
		return t.explain(err)
	}
	if !t.s.set.dynamo.create {
		return fmt.Errorf("there is no %s: check dynamodb-table and dynamodb-region against Spark's, or make it with dynamodb-create=true: %w", t.Describe()[len("the "):], err)
	}
	if err := t.create(ctx); err != nil {
		return fmt.Errorf("making %s: %w", t.Describe(), err)
	}
	return request()
}

func (t *entries) explain(err error) error {
	if err == nil || errors.Is(err, storage.ErrExist) {
		return err
	}
	return fmt.Errorf("%s: %w", t.Describe(), err)
}

// throttled marks the answers 400 by which DynamoDB asks to come again.
func throttled(err error) error {
	if isCode(err, "ProvisionedThroughputExceededException", "ThrottlingException", "RequestLimitExceeded", "LimitExceededException") {
		return remote.Again(err)
	}
	return err
}

func isCode(err error, codes ...string) bool {
	var r *remote.Reply
	if !errors.As(err, &r) {
		return false
	}
	for _, c := range codes {
		if r.Code == c {
			return true
		}
	}
	return false
}

func (t *entries) repeat(ctx context.Context, send func(ctx context.Context, db *dynamodb.Client) error) error {
	return t.s.client.Policy.Repeat(ctx, func(ctx context.Context) error { return t.once(ctx, send) })
}

// Get reads one entry.
func (t *entries) Get(ctx context.Context, tablePath, fileName string) (e dynamo.Entry, found bool, err error) {
	err = t.repeat(ctx, func(ctx context.Context, db *dynamodb.Client) error {
		r, err := db.GetItem(ctx, &dynamodb.GetItemInput{TableName: &t.s.set.dynamo.table, ConsistentRead: aws.Bool(true),
			Key: map[string]types.AttributeValue{"tablePath": text(tablePath), "fileName": text(fileName)}})
		if err == nil && len(r.Item) > 0 {
			found = true
			e, err = entryOf(r.Item)
		}
		return err
	})
	return e, found, err
}

// Latest reads the entry with the greatest file name.
func (t *entries) Latest(ctx context.Context, tablePath string) (e dynamo.Entry, found bool, err error) {
	err = t.repeat(ctx, func(ctx context.Context, db *dynamodb.Client) error {
		r, err := db.Query(ctx, &dynamodb.QueryInput{TableName: &t.s.set.dynamo.table, ConsistentRead: aws.Bool(true), ScanIndexForward: aws.Bool(false),
			Limit: aws.Int32(1), KeyConditionExpression: aws.String("tablePath = :t"), ExpressionAttributeValues: map[string]types.AttributeValue{":t": text(tablePath)}})
		if err == nil && len(r.Items) > 0 {
			found = true
			e, err = entryOf(r.Items[0])
		}
		return err
	})
	return e, found, err
}

// PutIfAbsent puts an entry on condition that there is none.
func (t *entries) PutIfAbsent(ctx context.Context, e dynamo.Entry) error {
	return t.s.client.Policy.Once(ctx, func(ctx context.Context) error {
		err := t.once(ctx, func(ctx context.Context, db *dynamodb.Client) error {
			_, err := db.PutItem(ctx, &dynamodb.PutItemInput{TableName: &t.s.set.dynamo.table, Item: itemOf(e), ConditionExpression: aws.String("attribute_not_exists(fileName)")})
			return err
		})
		if isCode(err, "ConditionalCheckFailedException") {
			return storage.ErrExist
		}
		return err
	})
}

// Put puts or replaces an entry.
func (t *entries) Put(ctx context.Context, e dynamo.Entry) error {
	return t.repeat(ctx, func(ctx context.Context, db *dynamodb.Client) error {
		_, err := db.PutItem(ctx, &dynamodb.PutItemInput{TableName: &t.s.set.dynamo.table, Item: itemOf(e)})
		return err
	})
}

// creation bounds the wait for a table that is being made.
const creation = 2 * time.Minute

// create makes the table as delta-spark does (tryEnsureTableExists).
func (t *entries) create(ctx context.Context) error {
	d := t.s.set.dynamo
	in := &dynamodb.CreateTableInput{TableName: &d.table,
		AttributeDefinitions:  []types.AttributeDefinition{{AttributeName: aws.String("tablePath"), AttributeType: types.ScalarAttributeTypeS}, {AttributeName: aws.String("fileName"), AttributeType: types.ScalarAttributeTypeS}},
		KeySchema:             []types.KeySchemaElement{{AttributeName: aws.String("tablePath"), KeyType: types.KeyTypeHash}, {AttributeName: aws.String("fileName"), KeyType: types.KeyTypeRange}},
		ProvisionedThroughput: &types.ProvisionedThroughput{ReadCapacityUnits: aws.Int64(int64(d.rcu)), WriteCapacityUnits: aws.Int64(int64(d.wcu))}}
	err := t.s.repeat(ctx, func(ctx context.Context, c *connection) error {
		_, err := t.client(c).CreateTable(ctx, in)
		return err
	})
	if err != nil && !isCode(err, "ResourceInUseException") {
		return err
	}
	return t.s.repeat(ctx, func(ctx context.Context, c *connection) error {
		return dynamodb.NewTableExistsWaiter(t.client(c), func(o *dynamodb.TableExistsWaiterOptions) { o.MinDelay, o.MaxDelay = time.Second, 5*time.Second }).
			Wait(ctx, &dynamodb.DescribeTableInput{TableName: &d.table}, creation)
	})
}

func text(s string) types.AttributeValue { return &types.AttributeValueMemberS{Value: s} }

// itemOf is an entry as delta-spark stores it: complete is a string.
func itemOf(e dynamo.Entry) map[string]types.AttributeValue {
	item := map[string]types.AttributeValue{"tablePath": text(e.TablePath), "fileName": text(e.FileName), "tempPath": text(e.TempPath), "complete": text(strconv.FormatBool(e.Complete))}
	if e.ExpireTime != 0 {
		item["expireTime"] = &types.AttributeValueMemberN{Value: strconv.FormatInt(e.ExpireTime, 10)}
	}
	return item
}

func entryOf(item map[string]types.AttributeValue) (dynamo.Entry, error) {
	var e dynamo.Entry
	complete := ""
	for name, to := range map[string]*string{"tablePath": &e.TablePath, "fileName": &e.FileName, "tempPath": &e.TempPath, "complete": &complete} {
		v, ok := item[name].(*types.AttributeValueMemberS)
		if !ok {
			return e, fmt.Errorf("an entry of the log store has no string %s", name)
		}
		*to = v.Value
	}
	e.Complete = complete == "true"
	if n, ok := item["expireTime"].(*types.AttributeValueMemberN); ok {
		t, err := strconv.ParseInt(n.Value, 10, 64)
		if err != nil {
			return e, fmt.Errorf("an entry of the log store has the expireTime %q", n.Value)
		}
		e.ExpireTime = t
	}
	return e, nil
}
