package azure

import (
	"context"
	"errors"
	"fmt"
	"net/http"
	"net/url"
	"slices"
	"strings"

	"github.com/Azure/azure-sdk-for-go/sdk/azcore"
	"github.com/Azure/azure-sdk-for-go/sdk/azcore/cloud"
	"github.com/Azure/azure-sdk-for-go/sdk/azcore/policy"
	"github.com/Azure/azure-sdk-for-go/sdk/azidentity"

	"github.com/sluicelake/sluice/storage/remote"
)

// identity is who signs in, and how. The zero kind is the default chain.
type identity struct {
	kind      string
	tenant    string
	client    string
	authority string // "" is the cloud's

	secret    remote.Secret // of client-secret
	cert      remote.Secret
	certPass  remote.Secret
	tokenFile string
	key       remote.Secret
	sas       remote.Secret
}

// kinds are the values of the option auth, with what people call them.
var kinds = map[string]string{
	"client-secret": "service principal with a secret", "client-certificate": "service principal with a certificate",
	"workload-identity": "workload identity", "managed-identity": "managed identity", "cli": "login of the Azure CLI",
	"key": "account key", "sas": "shared access signature", "anonymous": "anonymous", "default": "default chain",
}

// readIdentity takes the options of an identity. prefix is in front of their
// names in what the caller wrote.
func readIdentity(v values, prefix, suffix string) (identity, error) {
	id := identity{
		kind: v["auth"], tenant: v["tenant"], client: v["client-id"], authority: strings.TrimSuffix(v["authority"], "/"), tokenFile: v["token-file"],
		secret: remote.NewSecret(v["client-secret"]), cert: remote.NewSecret(v["client-certificate"]), certPass: remote.NewSecret(v["client-certificate-password"]),
		key: remote.NewSecret(v["key"]), sas: remote.NewSecret(v["sas"]),
	}
	if id.kind == "" {
		var given []string
		for _, k := range []struct {
			kind   string
			secret remote.Secret
		}{{"client-secret", id.secret}, {"client-certificate", id.cert}, {"key", id.key}, {"sas", id.sas}} {
			if k.secret.IsSet() {
				given = append(given, k.kind)
			}
		}
		switch {
		case len(given) > 1:
			return id, fmt.Errorf("the options give several ways to sign in (%s): say which by the option %sauth", strings.Join(given, ", "), prefix)
		case len(given) == 1:
			id.kind = given[0]
		case id.tokenFile != "":
			id.kind = "workload-identity"
		default:
			id.kind = "default"
		}
	}
	if id.authority == "" {
		id.authority = authorityOf(suffix)
	} else if u, err := url.Parse(id.authority); err != nil || u.Scheme != "https" || u.Host == "" || u.User != nil || u.RawQuery != "" {
		return id, fmt.Errorf("storage option %sauthority: want a URL such as https://login.microsoftonline.com", prefix)
	}
	return id, id.complete(prefix)
}

// complete reports what is missing.
func (id identity) complete(prefix string) error {
	need := map[string][]string{
		"client-secret": {"tenant", "client-id", "client-secret"}, "client-certificate": {"tenant", "client-id", "client-certificate"},
		"key": {"key"}, "sas": {"sas"}, "workload-identity": nil, "managed-identity": nil, "cli": nil, "anonymous": nil, "default": nil,
	}
	names, ok := need[id.kind]
	if !ok || (prefix != "" && (id.kind == "key" || id.kind == "sas" || id.kind == "anonymous")) {
		return fmt.Errorf("storage option %sauth=%s: want client-secret, client-certificate, workload-identity, managed-identity, cli, key, sas, anonymous or default", prefix, id.kind)
	}
	has := map[string]bool{"tenant": id.tenant != "", "client-id": id.client != "", "client-secret": id.secret.IsSet(), "client-certificate": id.cert.IsSet(),
		"key": id.key.IsSet(), "sas": id.sas.IsSet()}
	var missing []string
	for _, n := range names {
		if !has[n] {
			missing = append(missing, prefix+n)
		}
	}
	if len(missing) > 0 {
		return fmt.Errorf("to sign in with %s, the storage options lack %s", id.kind, strings.Join(missing, ", "))
	}
	return nil
}

// describe says who signs in, in names only.
func (id identity) describe() string {
	s := kinds[id.kind]
	var parts []string
	if id.client != "" {
		parts = append(parts, "client id "+id.client)
	}
	for _, x := range []struct {
		kind, name string
		secret     remote.Secret
	}{{"client-secret", "secret", id.secret}, {"client-certificate", "certificate", id.cert}, {"key", "key", id.key}, {"sas", "signature", id.sas}} {
		if id.kind == x.kind {
			parts = append(parts, x.name+": "+x.secret.Origin())
		}
	}
	if len(parts) > 0 {
		s += " (" + strings.Join(parts, ", ") + ")"
	}
	return s
}

// authorities are the sign-in services of the clouds, by what their storage hosts end in.
var authorities = map[string]string{
	"core.chinacloudapi.cn":  cloud.AzureChina.ActiveDirectoryAuthorityHost,
	"core.usgovcloudapi.net": cloud.AzureGovernment.ActiveDirectoryAuthorityHost,
	"core.windows.net":       cloud.AzurePublic.ActiveDirectoryAuthorityHost,
}

func authorityOf(suffix string) string {
	if a := authorities[suffix]; a != "" {
		return strings.TrimSuffix(a, "/")
	}
	return strings.TrimSuffix(cloud.AzurePublic.ActiveDirectoryAuthorityHost, "/")
}

// token makes the credential for OAuth. It resolves secrets and gives them back for
// the redactor.
func (id identity) token(ctx context.Context, c *http.Client) (azcore.TokenCredential, []string, error) {
	opts := azcore.ClientOptions{Transport: &wire{c}, Telemetry: telemetry,
		Cloud: cloud.Configuration{ActiveDirectoryAuthorityHost: id.authority + "/"},
		Retry: policy.RetryOptions{MaxRetries: -1}} // package remote repeats
	patient := opts
	patient.Retry = policy.RetryOptions{} // instance metadata services come up slowly
	foreign := !slices.ContainsFunc([]string{"core.windows.net", "core.chinacloudapi.cn", "core.usgovcloudapi.net"}, func(s string) bool { return authorityOf(s) == id.authority })
	switch id.kind {
	case "client-secret":
		secret, err := id.secret.Reveal(ctx)
		if err != nil {
			return nil, nil, err
		}
		cred, err := azidentity.NewClientSecretCredential(id.tenant, id.client, secret,
			&azidentity.ClientSecretCredentialOptions{ClientOptions: opts, DisableInstanceDiscovery: foreign})
		return cred, []string{secret}, err
	case "client-certificate":
		return id.certificate(ctx, opts, foreign)
	case "workload-identity":
		cred, err := azidentity.NewWorkloadIdentityCredential(&azidentity.WorkloadIdentityCredentialOptions{ClientOptions: opts,
			ClientID: id.client, TenantID: id.tenant, TokenFilePath: id.tokenFile, DisableInstanceDiscovery: foreign})
		return cred, nil, err
	case "managed-identity":
		o := &azidentity.ManagedIdentityCredentialOptions{ClientOptions: patient}
		switch {
		case strings.HasPrefix(id.client, "/subscriptions/"):
			o.ID = azidentity.ResourceID(id.client)
		case id.client != "":
			o.ID = azidentity.ClientID(id.client)
		}
		cred, err := azidentity.NewManagedIdentityCredential(o)
		return cred, nil, err
	case "cli":
		cred, err := azidentity.NewAzureCLICredential(&azidentity.AzureCLICredentialOptions{TenantID: id.tenant})
		return cred, nil, err
	}
	cred, err := azidentity.NewDefaultAzureCredential(&azidentity.DefaultAzureCredentialOptions{ClientOptions: patient, TenantID: id.tenant, DisableInstanceDiscovery: foreign})
	return cred, nil, err
}

func (id identity) certificate(ctx context.Context, opts azcore.ClientOptions, foreign bool) (azcore.TokenCredential, []string, error) {
	data, err := id.cert.Reveal(ctx)
	if err != nil {
		return nil, nil, err
	}
	pass, err := id.certPass.Reveal(ctx)
	if err != nil {
		return nil, nil, err
	}
	certs, key, err := azidentity.ParseCertificates(decoded(data), []byte(pass))
	if err != nil {
		return nil, nil, errors.New("the certificate (" + id.cert.Origin() + ") holds no readable certificate with its private key, in PEM or PKCS#12")
	}
	cred, err := azidentity.NewClientCertificateCredential(id.tenant, id.client, certs, key,
		&azidentity.ClientCertificateCredentialOptions{ClientOptions: opts, SendCertificateChain: true, DisableInstanceDiscovery: foreign})
	return cred, []string{data, pass}, err
}
