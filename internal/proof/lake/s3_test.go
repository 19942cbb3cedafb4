package lake

import (
	"context"
	"net/http"
	"net/http/httptest"
	"path/filepath"
	"strings"
	"testing"

	"github.com/sluicelake/sluice"
	"github.com/sluicelake/sluice/internal/proof/servers"
	"github.com/sluicelake/sluice/storage"
	"github.com/sluicelake/sluice/types"
)

// The report's job on S3, protected by conditional puts, and by entries in
// DynamoDB as Spark does it. The secret key is given by reference; no process says it.
func TestReportOnS3(t *testing.T) {
	command := build(t)
	for name, more := range map[string]map[string]string{
		"conditional puts": {},
		"DynamoDB":         {"log-store": "dynamodb", "dynamodb-create": "true", "dynamodb-endpoint": ""},
	} {
		t.Run(name, func(t *testing.T) {
			s := servers.StartS3(t)
			s.MakeBucket(t, "lake")
			options := map[string]string{"endpoint": s.Endpoint, "access-key": servers.AccessKey, "secret-key": "env:LAKE_OPERATOR", "fs.s3a.path.style.access": "true"}
			for k, v := range more {
				if k == "dynamodb-endpoint" {
					v = servers.StartMoto(t)
				}
				options[k] = v
			}
			t.Setenv("LAKE_OPERATOR", servers.SecretKey)
			j := &job{t: t, command: command, dir: t.TempDir(), options: options, table: "s3a://lake/warehouse/people", raw: "s3a://lake/raw"}
			j.run()
			for _, planted := range []string{servers.SecretKey, "Signature=", "X-Amz-Security"} {
				if strings.Contains(j.said.String(), planted) {
					t.Errorf("%q shows in what the processes say", planted)
				}
			}
		})
	}
}

// A table that lies on a web server is read by its URL alone.
func TestTableOverHTTP(t *testing.T) {
	dir := t.TempDir()
	schema := types.NewStruct(types.Field{Name: "id", Type: types.Long, Nullable: true})
	table, err := sluice.Create(t.Context(), filepath.Join(dir, "a b", "t"), schema, sluice.CreateOptions{Properties: map[string]string{"delta.checkpointInterval": "4"}})
	if err != nil {
		t.Fatal(err)
	}
	for range 11 {
		src, err := sluice.FromReader(t.Context(), strings.NewReader(`{"id":1}`), sluice.SourceOptions{Format: "json"})
		if err != nil {
			t.Fatal(err)
		}
		if _, err := table.Append(t.Context(), src, sluice.AppendOptions{}); err != nil {
			t.Fatal(err)
		}
	}
	if err := table.Close(); err != nil {
		t.Fatal(err)
	}
	files := http.FileServer(http.Dir(dir))
	web := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		if strings.HasSuffix(r.URL.Path, "/") || r.URL.RawQuery != "token=PLANTED" {
			http.Error(w, "PLANTED", http.StatusForbidden) // no listings
			return
		}
		files.ServeHTTP(w, r)
	}))
	t.Cleanup(web.Close)
	over, err := sluice.Open(t.Context(), web.URL+"/a%20b/t?token=PLANTED")
	if err != nil {
		t.Fatal(err)
	}
	defer over.Close()
	if rows := ids(t, over); rows[1] != 11 {
		t.Errorf("%d rows, want 11", rows[1])
	}
	s, err := over.Snapshot(t.Context(), sluice.Version(6))
	if err != nil || s.Version() != 6 {
		t.Errorf("an older version: %v", err)
	}
	src, err := sluice.FromReader(t.Context(), strings.NewReader(`{"id":1}`), sluice.SourceOptions{Format: "json"})
	if err != nil {
		t.Fatal(err)
	}
	_, err = over.Append(t.Context(), src, sluice.AppendOptions{})
	if err == nil || !strings.Contains(err.Error(), storage.ErrReadOnly.Error()) || strings.Contains(err.Error(), "PLANTED") {
		t.Errorf("append: %v", err)
	}
	if _, err := sluice.Open(context.Background(), web.URL+"/a%20b/none?token=PLANTED"); err == nil || strings.Contains(err.Error(), "PLANTED") {
		t.Errorf("no table: %v", err)
	}
}
