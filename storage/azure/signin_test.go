package azure_test

import (
	"crypto/rand"
	"crypto/rsa"
	"crypto/x509"
	"crypto/x509/pkix"
	"encoding/json"
	"encoding/pem"
	"fmt"
	"math/big"
	"net/http"
	"net/http/httptest"
	"os"
	"path/filepath"
	"runtime"
	"testing"
	"time"

	"github.com/sluicelake/sluice/storage/azure/emulator"
)

// Each way to sign in leads to a put, and is described by its name.
func TestWaysToSignIn(t *testing.T) {
	c, options := cloud(t)
	dir := t.TempDir()
	file := func(name, text string, mode os.FileMode) string {
		p := filepath.Join(dir, name)
		if err := os.WriteFile(p, []byte(text), mode); err != nil {
			t.Fatal(err)
		}
		return p
	}
	try := func(name, credential string, more ...string) {
		t.Run(name, func(t *testing.T) {
			for _, api := range []string{"dfs"} {
				b := mustOpen(t, "abfss://lake@acc.dfs.core.windows.net/"+name, options, append(more, "api", api)...)
				if err := b.PutIfAbsent(t.Context(), "k", []byte("x")); err != nil {
					t.Error(err)
				}
				if got := b.Describe()["credential"]; got != credential {
					t.Errorf("described as %s, want %s", got, credential)
				}
			}
		})
	}
	try("secret", "service principal with a secret (client id "+emulator.ClientID+", secret: keyvault://vault/writer)")

	cert, key := certificate(t)
	c.Directory.AddKey("certified", &key.PublicKey)
	p := file("c.pem", cert, 0o600)
	try("certificate", "service principal with a certificate (client id certified, certificate: file:"+p+")",
		"auth", "", "client-secret", "", "client-id", "certified", "client-certificate", "file:"+p)
	c.Vault.Set("certificate", cert)
	try("certificate of the vault", "service principal with a certificate (client id certified, certificate: keyvault://vault/certificate)",
		"auth", "client-certificate", "client-id", "certified", "client-certificate", "keyvault://vault/certificate")

	c.Directory.AddFederated("pod", "token-of-the-cluster")
	try("workload identity", "workload identity (client id pod)",
		"auth", "workload-identity", "client-id", "pod", "token-file", file("token", "token-of-the-cluster", 0o600))

	identity := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		if r.Header.Get("X-IDENTITY-HEADER") != "h" {
			w.WriteHeader(http.StatusUnauthorized)
			return
		}
		_ = json.NewEncoder(w).Encode(map[string]string{"access_token": c.Directory.Issue("machine", r.URL.Query().Get("resource")),
			"expires_on": fmt.Sprint(time.Now().Add(time.Hour).Unix()), "token_type": "Bearer", "resource": r.URL.Query().Get("resource")})
	}))
	t.Cleanup(identity.Close)
	t.Setenv("IDENTITY_ENDPOINT", identity.URL)
	t.Setenv("IDENTITY_HEADER", "h")
	try("managed identity", "managed identity", "auth", "managed-identity", "client-id", "", "client-secret", "")

	t.Setenv("AZURE_TENANT_ID", emulator.Tenant)
	t.Setenv("AZURE_CLIENT_ID", "operator")
	t.Setenv("AZURE_CLIENT_SECRET", "operator-secret")
	try("default", "default chain", "auth", "", "client-id", "", "client-secret", "")

	if runtime.GOOS != "windows" {
		file("az", fmt.Sprintf("#!/bin/sh\necho '{\"accessToken\":\"%s\",\"expires_on\":%d,\"tokenType\":\"Bearer\"}'\n", c.Directory.Issue("person", "https://storage.azure.com"), time.Now().Add(time.Hour).Unix()), 0o700)
		t.Setenv("PATH", dir+string(os.PathListSeparator)+os.Getenv("PATH"))
		try("cli", "login of the Azure CLI", "auth", "cli", "client-id", "", "client-secret", "")
	}
}

// certificate makes an RSA key with its certificate, as PEM.
func certificate(t *testing.T) (string, *rsa.PrivateKey) {
	t.Helper()
	key, err := rsa.GenerateKey(rand.Reader, 2048)
	if err != nil {
		t.Fatal(err)
	}
	template := &x509.Certificate{SerialNumber: big.NewInt(1), Subject: pkix.Name{CommonName: "writer"}, NotAfter: time.Now().Add(time.Hour)}
	der, err := x509.CreateCertificate(rand.Reader, template, template, &key.PublicKey, key)
	if err != nil {
		t.Fatal(err)
	}
	pkcs8, err := x509.MarshalPKCS8PrivateKey(key)
	if err != nil {
		t.Fatal(err)
	}
	return string(pem.EncodeToMemory(&pem.Block{Type: "PRIVATE KEY", Bytes: pkcs8})) + string(pem.EncodeToMemory(&pem.Block{Type: "CERTIFICATE", Bytes: der})), key
}
