package read

import "testing"

func TestFileURI(t *testing.T) {
	for _, c := range []struct{ root, path, want string }{
		{"file:///data/t", "part-0.parquet", "file:/data/t/part-0.parquet"},
		{"file:///data/my%20table", "a=1/x.parquet", "file:/data/my%20table/a=1/x.parquet"},
		{"file:///t", "ts=2021-07-01%2000%253A00/x.parquet", "file:/t/ts=2021-07-01%2000%253A00/x.parquet"},
		{"file:///t", "p=%C3%A9%23/x.parquet", "file:/t/p=\u00e9%23/x.parquet"},
		{"file:///t", "file:///other/a%20b/x.parquet", "file:/other/a%20b/x.parquet"},
		{"file:///t", "/other/x.parquet", "file:/other/x.parquet"},
		{"s3://bucket/t", "a b/x.parquet", "s3://bucket/t/a%20b/x.parquet"},
		{"s3://bucket/t", "/other/x.parquet", "s3://bucket/other/x.parquet"},
		{"s3://bucket/t", "s3://other/a%7Bb/x.parquet", "s3://other/a%7Bb/x.parquet"},
		{"abfss://c@acc.dfs.core.windows.net/t/", "x.parquet", "abfss://c@acc.dfs.core.windows.net/t/x.parquet"},
		{"memory://kit", "x.parquet", "memory://kit/x.parquet"},
	} {
		if got := fileURI(c.root, c.path); got != c.want {
			t.Errorf("fileURI(%q, %q) = %q, want %q", c.root, c.path, got, c.want)
		}
	}
}
