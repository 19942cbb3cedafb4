// Package gcs keeps objects in Google Cloud Storage, by its public JSON API and
// net/http. The one idea: an object is created only where there is none by the
// condition that its generation is 0 (ifGenerationMatch=0), on simple and on
// resumable uploads alike; Delta's GCSLogStore on Spark relies on the same.
//
// # Locations
//
//	gs://BUCKET/PATH
//
// # Options
//
//	credentials   the key file of a service account, or of an authorised user (gcloud), by its path or
//	              as a reference to a secret that holds its contents (env:NAME, file:PATH)
//	anonymous     requests are not signed
//	endpoint      of an emulator; else STORAGE_EMULATOR_HOST, else https://storage.googleapis.com
//	project       that pays for requests (userProject)
//	chunk-size    of resumable uploads, in bytes (default 8 MiB, a multiple of 256 KiB)
//
// and those of every network store (remote.Options). Without credentials the
// default ones are found: GOOGLE_APPLICATION_CREDENTIALS, gcloud's file, the
// metadata server. Names of delta-rs (GOOGLE_SERVICE_ACCOUNT, ...) and of Hadoop's
// connector (google.cloud.auth.service.account.json.keyfile, ...) are accepted too.
package gcs
