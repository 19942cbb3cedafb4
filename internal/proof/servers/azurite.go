package servers

import (
	"context"
	"net"
	"net/http"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/Azure/azure-sdk-for-go/sdk/azcore/policy"
	"github.com/Azure/azure-sdk-for-go/sdk/storage/azblob/container"

	"github.com/sluicelake/sluice/storage/azure/emulator"
)

// The account of Azurite and its key, which are public.
const (
	AzureAccount = "devstoreaccount1"
	AzureKey     = "Eby8vdM02xNOcqFlqUwJPLlmEtlCDXJ1OUzFT50uSRZ6IFsuFq2UVErCz4I6tq/K1SZFPTOtr/KBHBeksoGMGw=="
)

// StartAzurite starts Azurite with an empty container and returns the endpoint, whose path
// is the account. With an identity it speaks TLS and takes bearer tokens;
// without one it speaks plain HTTP and takes the key only.
func StartAzurite(t testing.TB, name string, id *emulator.Identity) (endpoint string) {
	t.Helper()
	return startAzurite(t, name, id, "")
}

// StartStorageEmulator starts Azurite, with an empty container, on the port at which
// Hadoop's driver for wasb expects the storage emulator. The test is skipped when
// something else has the port.
func StartStorageEmulator(t testing.TB, name string) (endpoint string) {
	t.Helper()
	l, err := net.Listen("tcp", "127.0.0.1:"+emulatorPort)
	if err != nil {
		t.Skipf("the storage emulator's port is taken: %v", err)
	}
	l.Close()
	return startAzurite(t, name, nil, emulatorPort)
}

const emulatorPort = "10000"

func startAzurite(t testing.TB, name string, id *emulator.Identity, port string) (endpoint string) {
	t.Helper()
	args := []string{"--silent", "--skipApiVersionCheck", "--disableTelemetry", "--inMemoryPersistence"}
	client, secure := http.DefaultClient, func(url string) string { return url }
	if id != nil {
		dir := t.TempDir()
		cert, key := filepath.Join(dir, "cert.pem"), filepath.Join(dir, "key.pem")
		for file, data := range map[string][]byte{cert: id.PEM, key: id.KeyPEM} {
			if err := os.WriteFile(file, data, 0o600); err != nil {
				t.Fatal(err)
			}
		}
		args = append(args, "--oauth", "basic", "--cert", cert, "--key", key)
		client = id.Client()
		secure = func(url string) string { return strings.Replace(url, "http:", "https:", 1) }
	}
	credential, err := container.NewSharedKeyCredential(AzureAccount, AzureKey)
	if err != nil {
		t.Fatal(err)
	}
	options := &container.ClientOptions{}
	options.Transport, options.Retry = client, policy.RetryOptions{MaxRetries: -1}
	url := start(t, program{variable: Azurite, port: port,
		args: func(host, port string) []string {
			return append([]string{"--blobHost", host, "--blobPort", port}, args...)
		},
		ready: func(url string) bool {
			c, err := container.NewClientWithSharedKeyCredential(secure(url)+"/"+AzureAccount+"/"+name, credential, options)
			if err != nil {
				return false
			}
			ctx, cancel := context.WithTimeout(context.Background(), 5*time.Second)
			defer cancel()
			_, err = c.Create(ctx, nil)
			return err == nil
		}})
	return secure(url) + "/" + AzureAccount
}
