package azure_test

import (
	"slices"
	"testing"

	"github.com/sluicelake/sluice/internal/proof/servers"
	"github.com/sluicelake/sluice/storage/azure/emulator"
	"github.com/sluicelake/sluice/storage/storetest"
)

const azuriteKey = servers.AzureKey

// azurite starts a server with the container "lake"; id is nil for plain http.
func azurite(t *testing.T, id *emulator.Identity) (endpoint string) {
	t.Helper()
	return servers.StartAzurite(t, "lake", id)
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
	suite(t, "https://lake.blob.core.windows.net/lake", options, storetest.Subject{}, "endpoint", endpoint, "ca-file", saved(t, slices.Concat(c.Certificate, id.PEM)))
	if c.Vault.Reads() == 0 || c.Directory.Issued() == 0 {
		t.Errorf("%d secrets read, %d tokens issued", c.Vault.Reads(), c.Directory.Issued())
	}
}
