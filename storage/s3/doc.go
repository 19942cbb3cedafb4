// Package s3 keeps objects in Amazon S3 and in stores that speak its protocol. The
// one idea: an object is created only where there is none by one conditional
// request (PutObject with If-None-Match: *), and a table that Spark protects by
// its DynamoDB log store is protected the same way, never by both at once.
//
// # Locations
//
//	s3://BUCKET/PATH    also s3a:// and s3n://, as Hadoop writes them
//
// # Options
//
//	region             of the bucket; else AWS_REGION, the profile, us-east-1
//	endpoint           of another store than Amazon's, for example http://127.0.0.1:9000
//	path-style         the bucket in the path, not in the host; true where an endpoint is given
//	access-key, secret-key, session-token
//	profile            of the shared configuration files
//	role               ARN of a role to assume; role-session, external-id go with it
//	anonymous          requests are not signed
//	allow-http         false refuses an endpoint without TLS
//	part-size          of multipart uploads, in bytes (default 8 MiB); parallel (default 4) parts on the way
//	sse, sse-kms-key   encryption that is asked for: AES256 or aws:kms, and its key
//	log-store          conditional, dynamodb, or none for a read-only handle; see package dynamo
//	dynamodb-table, dynamodb-region, dynamodb-endpoint, dynamodb-scheme, dynamodb-ttl, dynamodb-create
//	allow-mixed-writers
//
// and those of every network store (remote.Options). Without access-key, profile,
// role or anonymous the standard chain of AWS SDKs finds credentials:
// environment, shared files, web identity, container and instance roles. Values of
// access-key, secret-key and session-token may be references to secrets
// (remote.Secret). Hadoop's names (fs.s3a.access.key, fs.s3a.bucket.BUCKET.endpoint,
// ...), those of delta-rs (AWS_ACCESS_KEY_ID, AWS_ENDPOINT_URL, ...) and those of
// Delta's S3DynamoDBLogStore are accepted too.
package s3
