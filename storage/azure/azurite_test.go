package azure_test

import (
	"context"
	"fmt"
	"net"
	"net/http"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/Azure/azure-sdk-for-go/sdk/storage/azblob/container"

	"github.com/sluicelake/sluice/storage/azure/emulator"
	"github.com/sluicelake/sluice/storage/storetest"
)

// Account and key that Azurite has by default; they are public.
const (
	azuriteAccount = "devstoreaccount1"
	azuriteKey     = "Eby8vdM02xNOcqFlqUwJPLlmEtlCDXJ1OUzFT50uSRZ6IFsuFq2UVErCz4I6tq/K1SZFPTOtr/KBHBeksoGMGw=="
)

// azurite starts a server and makes the container "lake". id is nil for plain http.
func azurite(t *testing.T, id *emulator.Identity) (endpoint string) {
	t.Helper()
	program := os.Getenv("SLUICE_AZURITE")
	if program == "" {
		t.Skip("SLUICE_AZURITE is not set: it names azurite-blob of the npm package azurite 3.37.0 (.ci/servers.sh installs it)")
	}
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	port := l.Addr().(*net.TCPAddr).Port
	l.Close()
	dir := t.TempDir()
	args := []string{"--blobHost", "127.0.0.1", "--blobPort", fmt.Sprint(port), "--silent", "--skipApiVersionCheck", "--disableTelemetry", "--inMemoryPersistence"}
	scheme := "http"
	if id != nil {
		cert, key := filepath.Join(dir, "cert.pem"), filepath.Join(dir, "key.pem")
		if err := os.WriteFile(cert, id.PEM, 0o600); err != nil {
			t.Fatal(err)
		}
		if err := os.WriteFile(key, id.KeyPEM, 0o600); err != nil {
			t.Fatal(err)
		}
		args = append(args, "--oauth", "basic", "--cert", cert, "--key", key)
		scheme = "https"
	}
	if strings.HasSuffix(program, ".js") {
		program, args = "node", append([]string{program}, args...)
	}
	ctx, cancel := context.WithCancel(context.Background())
	cmd := exec.CommandContext(ctx, program, args...)
	cmd.Stdout, cmd.Stderr = os.Stderr, os.Stderr
	if err := cmd.Start(); err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { cancel(); _ = cmd.Wait() })
	endpoint = fmt.Sprintf("%s://127.0.0.1:%d/%s", scheme, port, azuriteAccount)
	client := trusting(t, id)
	key, err := container.NewSharedKeyCredential(azuriteAccount, azuriteKey)
	if err != nil {
		t.Fatal(err)
	}
	opts := &container.ClientOptions{}
	opts.Transport = client
	opts.Retry.MaxRetries = -1
	c, err := container.NewClientWithSharedKeyCredential(endpoint+"/lake", key, opts)
	if err != nil {
		t.Fatal(err)
	}
	for deadline := time.Now().Add(time.Minute); ; time.Sleep(50 * time.Millisecond) {
		if _, err = c.Create(t.Context(), nil); err == nil {
			return endpoint
		}
		if time.Now().After(deadline) {
			t.Fatalf("Azurite does not answer: %v", err)
		}
	}
}

func trusting(t *testing.T, id *emulator.Identity) *http.Client {
	t.Helper()
	if id == nil {
		return http.DefaultClient
	}
	return id.Client()
}

// The contract, through the blob endpoint with the account's key.
func TestBlobContract(t *testing.T) {
	t.Parallel()
	endpoint := azurite(t, nil)
	suite(t, "wasbs://lake@devstoreaccount1.blob.core.windows.net", map[string]string{"endpoint": endpoint, "key": azuriteKey}, storetest.Subject{}, "block-size", "65536")
}

// The contract over https as a service principal: the secret comes from the vault, the token
// from the directory.
func TestBlobContractSignedIn(t *testing.T) {
	t.Parallel()
	id := emulator.NewIdentity()
	endpoint := azurite(t, id)
	c, options := cloud(t)
	suite(t, "https://lake.blob.core.windows.net/lake", options, storetest.Subject{}, "endpoint", endpoint, "ca-file", saved(t, append(c.Certificate, id.PEM...)))
	if c.Vault.Reads() == 0 || c.Directory.Issued() == 0 {
		t.Errorf("%d secrets read, %d tokens issued", c.Vault.Reads(), c.Directory.Issued())
	}
}
