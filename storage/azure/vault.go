package azure

import (
	"context"
	"fmt"
	"net/http"
	"net/url"
	"strings"
	"sync"

	"github.com/Azure/azure-sdk-for-go/sdk/azcore"
	"github.com/Azure/azure-sdk-for-go/sdk/azcore/policy"
	"github.com/Azure/azure-sdk-for-go/sdk/security/keyvault/azsecrets"

	"github.com/sluicelake/sluice/storage"
	"github.com/sluicelake/sluice/storage/remote"
)

func init() { remote.RegisterVault("keyvault", sharedVaults.secret) }

// vaults reads secrets of key vaults with one identity.
type vaults struct {
	id     identity
	url    string // "" is the vault's own
	suffix string // of the storage account's cloud
	http   func() (*http.Client, error)

	mu   sync.Mutex
	cred *signIn
}

// sharedVaults serves secrets of stores that have no options for a vault: it signs
// in with the default chain.
var sharedVaults = &vaults{id: identity{kind: "default", authority: authorityOf("")}, http: func() (*http.Client, error) {
	c, err := remote.NewClient(storage.Config{})
	if err != nil {
		return nil, err
	}
	return c.HTTP, nil
}}

// vaultDomains are where the vaults of a cloud are, by what its storage hosts end in.
var vaultDomains = map[string]string{"core.chinacloudapi.cn": "vault.azure.cn", "core.usgovcloudapi.net": "vault.usgovcloudapi.net"}

// secret reads keyvault://VAULT/NAME or keyvault://VAULT/NAME/VERSION. VAULT may be a
// host name.
func (v *vaults) secret(ctx context.Context, ref string) (string, error) {
	u, err := url.Parse(ref)
	if err != nil {
		return "", bare(err)
	}
	name, version, _ := strings.Cut(strings.Trim(u.Path, "/"), "/")
	if u.Host == "" || name == "" || strings.Contains(version, "/") {
		return "", fmt.Errorf("want keyvault://VAULT/NAME")
	}
	c, err := v.http()
	if err != nil {
		return "", err
	}
	cred, err := v.credential(ctx, c)
	if err != nil {
		return "", err
	}
	client, err := azsecrets.NewClient(v.address(u.Host), cred, &azsecrets.ClientOptions{
		ClientOptions:                        azcore.ClientOptions{Transport: &wire{c}, Telemetry: telemetry, Retry: policy.RetryOptions{MaxRetries: -1}},
		DisableChallengeResourceVerification: v.url != "",
	})
	if err != nil {
		return "", cred.hide.clean(err)
	}
	var got azsecrets.GetSecretResponse
	err = remote.Policy{}.Repeat(ctx, func(ctx context.Context) error {
		var err error
		got, err = client.GetSecret(ctx, name, version, nil)
		return cred.hide.clean(err)
	})
	if err != nil {
		return "", noObject(err)
	}
	if got.Value == nil || *got.Value == "" {
		return "", fmt.Errorf("the secret is empty")
	}
	return *got.Value, nil
}

func (v *vaults) address(host string) string {
	switch {
	case v.url != "":
		return v.url
	case strings.Contains(host, "."):
		return "https://" + host
	}
	domain := vaultDomains[v.suffix]
	if domain == "" {
		domain = "vault.azure.net"
	}
	return "https://" + host + "." + domain
}

// credential signs in once for all secrets. The identity's own secret cannot lie in
// a vault.
func (v *vaults) credential(ctx context.Context, c *http.Client) (*signIn, error) {
	v.mu.Lock()
	defer v.mu.Unlock()
	if v.cred != nil {
		return v.cred, nil
	}
	ctx = remote.WithVault(ctx, "keyvault", func(context.Context, string) (string, error) {
		return "", fmt.Errorf("what signs in to the vault cannot lie in a vault: use env: or file:")
	})
	cred, secrets, err := v.id.token(ctx, c)
	if err != nil {
		return nil, redactor(secrets).clean(err)
	}
	v.cred = &signIn{cred: cred, who: v.id.describe() + " for the key vault", hide: redactor(secrets)}
	return v.cred, nil
}
