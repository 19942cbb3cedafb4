package lake

import (
	"bytes"
	"crypto/rand"
	"crypto/rsa"
	"crypto/x509"
	"encoding/base64"
	"encoding/json"
	"encoding/pem"
	"net/http"
	"net/http/httptest"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"sync/atomic"
	"testing"

	"github.com/sluicelake/sluice/internal/proof/servers"
)

// hiding is a way to reach a store by something that nobody may see.
type hiding struct {
	name    string
	url     string
	options map[string]string
	secrets []string // as they could show; "PLANTED" is always one
}

// deaf is a store that answers whatever it likes, and never what was asked.
func deaf(t *testing.T) string {
	var n atomic.Int64
	srv := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		switch n.Add(1) % 4 {
		case 0:
			w.WriteHeader(http.StatusForbidden)
		case 1:
			w.WriteHeader(http.StatusNotFound)
		case 2:
			w.WriteHeader(http.StatusInternalServerError)
		default:
			_, _ = w.Write([]byte(`{"error":"<no"}`))
		}
	}))
	t.Cleanup(srv.Close)
	return srv.URL
}

// serviceAccount is a key file of Google whose sign-in service is at a URL.
func serviceAccount(t *testing.T, at string) (text string, secrets []string) {
	key, err := rsa.GenerateKey(rand.Reader, 2048)
	if err != nil {
		t.Fatal(err)
	}
	der, err := x509.MarshalPKCS8PrivateKey(key)
	if err != nil {
		t.Fatal(err)
	}
	private := string(pem.EncodeToMemory(&pem.Block{Type: "PRIVATE KEY", Bytes: der}))
	out, err := json.Marshal(map[string]string{"type": "service_account", "project_id": "p", "private_key_id": "1", "private_key": private,
		"client_email": "writer@p.iam.gserviceaccount.com", "client_id": "1", "token_uri": at + "/token"})
	if err != nil {
		t.Fatal(err)
	}
	for line := range strings.Lines(private) {
		if line = strings.TrimSpace(line); !strings.HasPrefix(line, "---") {
			secrets = append(secrets, line)
		}
	}
	return string(out), secrets
}

// Secrets of every kind, given as themselves and by reference, to stores that refuse,
// fail or answer nonsense: no output of any command at the most talkative level has one.
func TestNoSecretShows(t *testing.T) {
	command, at, dir := build(t), deaf(t), t.TempDir()
	key := base64.StdEncoding.EncodeToString([]byte("PLANTED account key, of some length!"))
	google, lines := serviceAccount(t, at)
	const sas = "sv=2024-11-04&ss=b&srt=sco&sp=rwdlac&se=2099-01-01T00%3A00%3A00Z&sig=PLANTED%2Bsignature%3D"
	azure := func(more map[string]string) map[string]string {
		out := map[string]string{"endpoint": at + "/acct", "account": "acct", "retries": "1"}
		for k, v := range more {
			out[k] = v
		}
		return out
	}
	s3 := map[string]string{"endpoint": at, "region": "us-east-1", "retries": "1", "access-key": "AKIAEXAMPLE", "secret-key": "PLANTED/secret+key", "session-token": "PLANTED-session-token=="}
	dynamo := map[string]string{"log-store": "dynamodb", "dynamodb-endpoint": at}
	for k, v := range s3 {
		dynamo[k] = v
	}
	hidings := []hiding{
		{"Azure, account key", "az://lake/t", azure(map[string]string{"key": key}), []string{key}},
		{"Azure, Hadoop's account key", "abfss://lake@acct.dfs.core.windows.net/t", map[string]string{"fs.azure.account.key.acct.dfs.core.windows.net": key, "endpoint": at, "retries": "1"}, []string{key}},
		{"Azure, SAS", "az://lake/t", azure(map[string]string{"sas": sas}), nil},
		{"Azure, SAS in the URL", "az://lake/t?" + sas, azure(nil), nil},
		{"Azure, client secret", "az://lake/t", azure(map[string]string{"tenant": "11111111-2222-3333-4444-555555555555", "client-id": "id", "client-secret": "PLANTED~client.secret", "authority": strings.Replace(at, "http:", "https:", 1)}), nil},
		{"Azure, vault's client secret", "az://lake/t", azure(map[string]string{"tenant": "11111111-2222-3333-4444-555555555555", "client-id": "id", "client-secret": "keyvault://v/n", "vault-endpoint": strings.Replace(at, "http:", "https:", 1),
			"vault-tenant": "11111111-2222-3333-4444-555555555555", "vault-client-id": "id", "vault-client-secret": "PLANTED~vault.secret", "authority": strings.Replace(at, "http:", "https:", 1)}), nil},
		{"S3, secret key and session token", "s3://lake/t", s3, nil},
		{"S3, DynamoDB", "s3a://lake/t", dynamo, nil},
		{"Google, service account", "gs://lake/t", map[string]string{"endpoint": at, "retries": "1", "credentials": google}, lines},
		{"a presigned URL", at + "/t?X-Amz-Credential=PLANTED&X-Amz-Signature=PLANTED", map[string]string{"retries": "1"}, nil},
		{"an authorization header", at + "/t", map[string]string{"authorization": "Bearer PLANTED-token", "retries": "1"}, nil},
		{"a password in the URL", strings.Replace(at, "//", "//user:PLANTED@", 1) + "/t", map[string]string{"retries": "1"}, nil},
		{"an option without a value", "az://lake/t", map[string]string{"PLANTED": ""}, nil},
	}
	source := filepath.Join(dir, "rows.json")
	if err := os.WriteFile(source, []byte(`{"id":1}`), 0o600); err != nil {
		t.Fatal(err)
	}
	for _, h := range hidings {
		for _, byReference := range []bool{false, true} {
			name, env := h.name, os.Environ()
			var options []string
			for k, v := range h.options {
				switch {
				case v == "":
					options = append(options, "--option", k)
					continue
				case byReference && (strings.Contains(v, "PLANTED") || v == key || v == google):
					variable := "LAKE_" + strings.ToUpper(strings.Map(func(r rune) rune {
						if r == '-' || r == '.' {
							return '_'
						}
						return r
					}, k))
					env, v, name = append(env, variable+"="+v), "env:"+variable, h.name+", by reference"
				}
				options = append(options, "--option", k+"="+v)
			}
			if byReference && name == h.name {
				continue
			}
			t.Run(name, func(t *testing.T) {
				t.Parallel()
				for i, args := range [][]string{
					{"create", h.url, "--schema", "id BIGINT"}, {"append", h.url, "--source", source}, {"merge", h.url, "--source", h.url, "--on", "t.id = s.id", "--when-matched", "DELETE"},
					{"cat", h.url}, {"history", h.url}, {"doctor", h.url}, {"inspect", h.url}, {"sql", "--table", "t=" + h.url, "-e", "SELECT * FROM t"},
				} {
					all := append(append(args, "--debug", "--trace", "--verbose", "--timeout", "10s"), options...)
					if byReference == (i%2 == 0) { // each command both ways
						all = append(all, "--json")
					}
					out := say(t, command, env, all)
					for _, secret := range append([]string{"PLANTED"}, h.secrets...) {
						if i := strings.Index(out, secret); i >= 0 {
							t.Errorf("sluice %s: a secret shows: ...%s...", args[0], out[max(0, i-300):min(len(out), i+20)])
							break
						}
					}
				}
			})
		}
	}
}

// say is all that a process says.
func say(t *testing.T, command string, env, args []string) string {
	var out bytes.Buffer
	cmd := exec.CommandContext(t.Context(), command, args...)
	cmd.Env, cmd.Stdout, cmd.Stderr = append(env, "AZURE_SDK_GO_LOGGING=all", "GOTRACEBACK=all"), &out, &out
	_ = cmd.Run() // most are refused
	if strings.Contains(out.String(), "goroutine ") {
		t.Errorf("sluice %s panics:\n%s", args[0], out.String())
	}
	return out.String()
}

// The key of an account that works: a table's whole life says nothing of it, its
// commits and the history neither.
func TestNoSecretShowsAtWork(t *testing.T) {
	command, endpoint := build(t), servers.StartAzurite(t, "lake", nil)
	const url = "az://lake/t"
	options := []string{"--option", "endpoint=" + endpoint, "--option", "account=" + servers.AzureAccount, "--option", "key=" + servers.AzureKey, "--debug", "--trace", "--verbose"}
	source := filepath.Join(t.TempDir(), "rows.json")
	if err := os.WriteFile(source, []byte(`{"id":1}`), 0o600); err != nil {
		t.Fatal(err)
	}
	for _, args := range [][]string{
		{"create", url, "--schema", "id BIGINT"}, {"append", url, "--source", source}, {"merge", url, "--source", source, "--on", "t.id = s.id", "--when-matched", "UPDATE SET *"},
		{"delete", url, "--where", "id = 2"}, {"cat", url}, {"history", url}, {"log", url}, {"log", url, "1"}, {"detail", url}, {"snapshot", url}, {"fsck", url}, {"doctor", url}, {"sql", "--table", "t=" + url, "-e", "SELECT * FROM t"},
	} {
		if args[0] == "delete" || args[0] == "append" || args[0] == "merge" {
			args = append(args, "--user-metadata", "note", "--stats")
		}
		for _, more := range [][]string{nil, {"--json"}} {
			out := say(t, command, os.Environ(), append(append(args, options...), more...))
			if strings.Contains(out, servers.AzureKey) || strings.Contains(out, servers.AzureKey[:20]) {
				t.Errorf("sluice %s shows the account's key:\n%s", args[0], out)
			}
			if args[0] == "cat" && !strings.Contains(out, "1") {
				t.Errorf("the table is not there:\n%s", out)
			}
		}
	}
}
