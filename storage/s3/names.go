package s3

import (
	"fmt"
	"slices"
	"strconv"
	"strings"

	"github.com/sluicelake/sluice/storage"
	"github.com/sluicelake/sluice/storage/remote"
)

// ownNames are the options in our own names.
var ownNames = append([]string{"region", "endpoint", "path-style", "access-key", "secret-key", "session-token", "profile", "role", "role-session",
	"external-id", "anonymous", "allow-http", "part-size", "parallel", "sse", "sse-kms-key", "log-store", "allow-mixed-writers",
	"dynamodb-table", "dynamodb-region", "dynamodb-endpoint", "dynamodb-scheme", "dynamodb-ttl", "dynamodb-create", "dynamodb-rcu", "dynamodb-wcu"}, remote.Options...)

// translations are names of others for our options, in lower case. A leading "!"
// means the opposite truth value, "-" that the option makes no difference here.
//
// The first group are Hadoop's (hadoop-aws, "S3A configuration options"), the
// second those of delta-rs (object_store, AmazonS3ConfigKey), the third those of
// delta-spark (S3DynamoDBLogStore).
var translations = map[string]string{
	"fs.s3a.access.key":                                   "access-key",
	"fs.s3a.secret.key":                                   "secret-key",
	"fs.s3a.session.token":                                "session-token",
	"fs.s3a.endpoint":                                     "endpoint",
	"fs.s3a.endpoint.region":                              "region",
	"fs.s3a.path.style.access":                            "path-style",
	"fs.s3a.connection.ssl.enabled":                       "ssl",
	"fs.s3a.aws.credentials.provider":                     "provider",
	"fs.s3a.assumed.role.arn":                             "role",
	"fs.s3a.assumed.role.session.name":                    "role-session",
	"fs.s3a.assumed.role.external.id":                     "external-id",
	"fs.s3a.connection.maximum":                           "connections",
	"fs.s3a.attempts.maximum":                             "retries",
	"fs.s3a.multipart.size":                               "part-size",
	"fs.s3a.encryption.algorithm":                         "sse",
	"fs.s3a.encryption.key":                               "sse-kms-key",
	"fs.s3a.impl":                                         "-",
	"fs.s3.impl":                                          "-",
	"fs.s3n.awsaccesskeyid":                               "access-key",
	"fs.s3n.awssecretaccesskey":                           "secret-key",
	"fs.s3.awsaccesskeyid":                                "access-key",
	"fs.s3.awssecretaccesskey":                            "secret-key",
	"spark.delta.logstore.s3.impl":                        "class",
	"spark.delta.logstore.s3a.impl":                       "class",
	"spark.delta.logstore.s3n.impl":                       "class",
	"spark.delta.logstore.class":                          "class",
	"aws_access_key_id":                                   "access-key",
	"access_key_id":                                       "access-key",
	"aws_secret_access_key":                               "secret-key",
	"secret_access_key":                                   "secret-key",
	"aws_session_token":                                   "session-token",
	"aws_token":                                           "session-token",
	"session_token":                                       "session-token",
	"token":                                               "session-token",
	"aws_region":                                          "region",
	"aws_default_region":                                  "region",
	"default_region":                                      "region",
	"aws_endpoint":                                        "endpoint",
	"aws_endpoint_url":                                    "endpoint",
	"aws_endpoint_url_s3":                                 "endpoint",
	"endpoint_url":                                        "endpoint",
	"aws_virtual_hosted_style_request":                    "!path-style",
	"virtual_hosted_style_request":                        "!path-style",
	"aws_s3_addressing_style":                             "addressing",
	"aws_allow_http":                                      "allow-http",
	"allow_http":                                          "allow-http",
	"aws_skip_signature":                                  "anonymous",
	"skip_signature":                                      "anonymous",
	"aws_profile":                                         "profile",
	"aws_iam_role_arn":                                    "role",
	"aws_iam_role_session_name":                           "role-session",
	"aws_server_side_encryption":                          "sse",
	"aws_sse_kms_key_id":                                  "sse-kms-key",
	"aws_conditional_put":                                 "conditional",
	"conditional_put":                                     "conditional",
	"aws_s3_allow_unsafe_rename":                          "-",
	"aws_s3_locking_provider":                             "locking",
	"delta_dynamo_table_name":                             "dynamodb-table",
	"aws_endpoint_url_dynamodb":                           "dynamodb-endpoint",
	"aws_region_dynamodb":                                 "dynamodb-region",
	dynamoPrefix + "ddb.tablename":                        "dynamodb-table",
	dynamoPrefix + "ddb.region":                           "dynamodb-region",
	dynamoPrefix + "ddb.ttl":                              "dynamodb-ttl",
	dynamoPrefix + "read.retries":                         "-",
	dynamoPrefix + "credentials.provider":                 "-",
	dynamoPrefix + "provisionedthroughput.rcu":            "dynamodb-rcu",
	dynamoPrefix + "provisionedthroughput.wcu":            "dynamodb-wcu",
	"spark." + dynamoPrefix + "ddb.tablename":             "dynamodb-table",
	"spark." + dynamoPrefix + "ddb.region":                "dynamodb-region",
	"spark." + dynamoPrefix + "ddb.ttl":                   "dynamodb-ttl",
	"spark." + dynamoPrefix + "read.retries":              "-",
	"spark." + dynamoPrefix + "credentials.provider":      "-",
	"spark." + dynamoPrefix + "provisionedthroughput.rcu": "dynamodb-rcu",
	"spark." + dynamoPrefix + "provisionedthroughput.wcu": "dynamodb-wcu",
}

const dynamoPrefix = "io.delta.storage.s3dynamodblogstore."

// values are options in our own names.
type values map[string]string

// given is a value and the name under which it came.
type given struct {
	name, value string
	rank        int
}

// Our own names win over Hadoop's for one bucket, those over all others.
const (
	rankOther = iota
	rankBucket
	rankOwn
)

// translate brings all options into our own names. Two names of one rank for one
// option must agree.
func translate(cfg storage.Config, bucket string) (values, error) {
	found := map[string]given{}
	for _, n := range cfg.Names() {
		v, _ := cfg.Value(n)
		own, rank, err := ownName(n, bucket)
		if err != nil {
			return nil, err
		}
		if opposite, ok := strings.CutPrefix(own, "!"); ok {
			b, err := strconv.ParseBool(v)
			if err != nil {
				return nil, fmt.Errorf("storage option %s: want true or false", n)
			}
			own, v = opposite, strconv.FormatBool(!b)
		}
		if own == "" || own == "-" {
			continue
		}
		before, dup := found[own]
		switch {
		case !dup || rank > before.rank:
			found[own] = given{n, v, rank}
		case rank == before.rank && v != before.value:
			return nil, fmt.Errorf("the storage options %s and %s mean the same and have different values: give one of them", before.name, n)
		}
	}
	out := values{}
	for own, g := range found {
		out[own] = g.value
	}
	return out, out.interpret()
}

// ownName translates one name; "" is an option of another bucket.
func ownName(name, bucket string) (own string, rank int, err error) {
	if slices.Contains(ownNames, name) {
		return name, rankOwn, nil
	}
	low := strings.TrimPrefix(strings.ToLower(name), "spark.hadoop.")
	if rest, ok := strings.CutPrefix(low, "fs.s3a.bucket."); ok {
		mine, ok := strings.CutPrefix(rest, strings.ToLower(bucket)+".")
		if !ok {
			return "", rankBucket, nil
		}
		low, rank = "fs.s3a."+mine, rankBucket
	}
	if own, ok := translations[low]; ok {
		return own, rank, nil
	}
	return "", 0, fmt.Errorf("storage option %s is not known here; known: %s, Hadoop's fs.s3a names of the same, and the names of AWS environment variables", name, strings.Join(ownNames, ", "))
}

// interpret settles the options of others whose values need a reading.
func (v values) interpret() error {
	if p, ok := v["provider"]; ok {
		if err := v.providers(p); err != nil {
			return err
		}
	}
	if e := v["endpoint"]; e != "" && !strings.Contains(e, "://") {
		// Hadoop writes hosts; fs.s3a.connection.ssl.enabled decides how to reach them.
		scheme := "https://"
		if strings.EqualFold(v["ssl"], "false") {
			scheme = "http://"
		}
		v["endpoint"] = scheme + e
	}
	switch v["addressing"] {
	case "path":
		v.unless("path-style", "true")
	case "virtual":
		v.unless("path-style", "false")
	}
	switch strings.ToLower(v["locking"]) {
	case "":
	case "dynamodb":
		v.unless("log-store", "dynamodb")
	default:
		return fmt.Errorf("storage option AWS_S3_LOCKING_PROVIDER=%s: want dynamodb", v["locking"])
	}
	switch c := strings.ToLower(v["conditional"]); {
	case c == "" || strings.HasPrefix(c, "etag"):
	case c == "disabled":
		v.unless("log-store", "none")
	default:
		return fmt.Errorf("storage option AWS_CONDITIONAL_PUT=%s: want etag or disabled", c)
	}
	switch class := lastPart(v["class"]); class {
	case "":
	case "S3DynamoDBLogStore":
		v.unless("log-store", "dynamodb")
	case "S3SingleDriverLogStore":
		return fmt.Errorf("the log store S3SingleDriverLogStore protects a table inside one JVM only: no other program may write the table while Spark uses it; choose S3DynamoDBLogStore there, or leave the option out here when Spark does not write")
	default:
		return fmt.Errorf("the log store %s is not known here: want S3DynamoDBLogStore", class)
	}
	return nil
}

// providers reads Hadoop's list of credential providers: the first that can be had decides.
func (v values) providers(list string) error {
	for _, class := range strings.Split(list, ",") {
		switch c := lastPart(strings.TrimSpace(class)); c {
		case "":
			continue
		case "AnonymousAWSCredentialsProvider":
			v.unless("anonymous", "true")
			return nil
		case "SimpleAWSCredentialsProvider", "TemporaryAWSCredentialsProvider":
			if v["access-key"] != "" {
				return nil
			}
		case "AssumedRoleCredentialProvider":
			if v["role"] != "" {
				return nil
			}
		case "EnvironmentVariableCredentialsProvider", "ProfileCredentialsProvider", "DefaultCredentialsProvider", "DefaultAWSCredentialsProviderChain",
			"IAMInstanceCredentialsProvider", "InstanceProfileCredentialsProvider", "WebIdentityTokenFileCredentialsProvider",
			"WebIdentityTokenCredentialsProvider", "ContainerCredentialsProvider":
			return nil // all of them are in the standard chain
		default:
			return fmt.Errorf("fs.s3a.aws.credentials.provider names the class %s, which only a JVM can load: give the options access-key, profile or role, or leave it out for the standard chain", c)
		}
	}
	return nil
}

// unless sets an option that was not given.
func (v values) unless(name, value string) {
	if _, ok := v[name]; !ok {
		v[name] = value
	}
}

// lastPart is the class name without its package.
func lastPart(class string) string { return class[strings.LastIndexByte(class, '.')+1:] }
