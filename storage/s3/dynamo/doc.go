// Package dynamo is the protocol of delta-spark's S3DynamoDBLogStore, entry for
// entry, so that Spark and sluice write one table safely. The one idea: the put
// of an entry into a table of DynamoDB decides who has a version, and whoever
// finds an entry that is not complete carries its commit to the end.
//
// A commit N of a table takes these steps (BaseExternalLogStore.write):
//
//	0  N.json must not exist
//	1  the commit before must: an incomplete entry of N-1 is recovered first
//	2  write the commit to _delta_log/.tmp/N.json.UUID
//	3  put the entry E(N, tempPath, complete=false) if there is none: the commit
//	4  copy the temporary file to N.json, if there is none
//	5  put E(N, complete=true, expireTime=now+ttl)
//
// What fails behind step 3 is left to the next reader or writer. All writers of a
// table must take part. Two signs tell that some do not, and make a handle refuse
// to write: a commit without an entry though older ones have theirs still, and
// entries of the same commits under another scheme (Spark names a table by the
// URL that it was given: s3a://bucket/t and s3://bucket/t are two tables to it).
// Guard is the other direction: it refuses plain conditional puts where temporary
// files show that somebody commits through entries.
package dynamo
