package interop

import (
	"os"
	"strings"
	"testing"

	"github.com/sluicelake/sluice/internal/proof/servers"
	"github.com/sluicelake/sluice/internal/proof/tablekit"
	"github.com/sluicelake/sluice/storage"
	_ "github.com/sluicelake/sluice/storage/azure"
	_ "github.com/sluicelake/sluice/storage/s3"
)

// hadoop are the drivers of Spark for S3 and Azure, in the version of its own Hadoop.
const hadoop = "org.apache.hadoop:hadoop-aws:3.4.1,org.apache.hadoop:hadoop-azure:3.4.1"

// TestSparkOnStores lets Spark and sluice take turns on tables on S3 and, through wasb,
// on Azure. In turns only: Spark's log stores for both protect the writers of
// one JVM (S3SingleDriverLogStore), or rename without exclusion between processes.
func TestSparkOnStores(t *testing.T) {
	if os.Getenv("SLUICE_SPARK_PYTHON") == "" {
		t.Skip("SLUICE_SPARK_PYTHON is not set: it names a Python with the packages pyspark 4.0.1 and delta-spark 4.0.1 (and Java 17)")
	}
	s3 := servers.StartS3(t)
	s3.MakeBucket(t, "lake")
	azure := servers.StartStorageEmulator(t, "lake")
	s := startSpark(t, "SPARK_PACKAGES="+hadoop, "SPARK_CONF="+strings.Join([]string{
		"spark.hadoop.fs.s3a.endpoint=" + s3.Endpoint, "spark.hadoop.fs.s3a.path.style.access=true", "spark.hadoop.fs.s3a.endpoint.region=us-east-1",
		"spark.hadoop.fs.s3a.access.key=" + servers.AccessKey, "spark.hadoop.fs.s3a.secret.key=" + servers.SecretKey,
		"spark.hadoop.fs.azure.storage.emulator.account.name=" + servers.AzureAccount + ".blob.core.windows.net",
	}, "\n"))
	for _, place := range []struct {
		name, ours, theirs string
		options            []storage.Option
	}{
		{"S3", "s3a://lake/turns", "s3a://lake/turns", s3.Options()},
		{"Azure", "wasb://lake@" + servers.AzureAccount + ".blob.core.windows.net/turns", "wasb://lake@" + servers.AzureAccount + ".blob.core.windows.net/turns",
			[]storage.Option{storage.With("endpoint", azure), storage.With("key", servers.AzureKey)}},
	} {
		t.Run(place.name, func(t *testing.T) {
			for name, props := range map[string]map[string]string{
				"vectors": {"delta.checkpointInterval": "3"},
				"copies":  {"delta.enableDeletionVectors": "false", "delta.enableChangeDataFeed": "true", "delta.checkpointInterval": "3"},
			} {
				t.Run(name, func(t *testing.T) {
					theirs := place.theirs + "/" + name
					b, err := storage.Open(t.Context(), place.ours+"/"+name, place.options...)
					if err != nil {
						t.Fatal(err)
					}
					t.Cleanup(func() { _ = b.Close() })
					k := tablekit.New(t, tablekit.Spec{DDL: "k BIGINT, p STRING, v INT", PartitionBy: []string{"p"}, Properties: props, Driver: b.Driver(),
						Files: [][]string{{`{"k":1,"p":"a","v":1}`, `{"k":2,"p":"b c","v":2}`, `{"k":3,"p":null,"v":3}`, `{"k":4,"p":"ü/x=1%","v":4}`}, {`{"k":5,"p":"a","v":5}`}}})
					check := func(when string) {
						t.Helper()
						equalRows(t, when, k.Rows(t), s.rows(t, k.Schema, map[string]any{"rows": theirs}))
					}
					check("written by sluice")
					mergeInto(t, k.Log, k.Schema, upsert, `{"k":1,"p":"z","v":10}`, `{"k":2,"p":"b c","v":-1}`, `{"k":6,"p":"a","v":60}`)
					s.sql(t, "UPDATE delta.`"+theirs+"` SET v = v * 2 WHERE k > 3")
					check("after Spark's UPDATE")
					change(t, k.Log, "DELETE FROM target WHERE v = 8")
					s.sql(t, "MERGE INTO delta.`"+theirs+"` t USING (SELECT 3L k, 'q' p, 33 v UNION ALL SELECT 77L, 'a', 7) s ON t.k = s.k WHEN MATCHED THEN UPDATE SET * WHEN NOT MATCHED THEN INSERT *")
					change(t, k.Log, "UPDATE target SET p = 'moved', v = v + 1 WHERE k IN (3, 5)")
					check("after turns, over a checkpoint")
					if props["delta.enableChangeDataFeed"] == "true" {
						feed, schema := feedOf(t, k, 1)
						equalRows(t, "change feed", feed, s.rows(t, schema, map[string]any{"changes": theirs, "from": 1}))
					}
				})
			}
		})
	}
}
