package azure

import (
	"strings"
	"testing"

	"github.com/sluicelake/sluice/storage"
)

// read gives the settings of a location with options "name", "value", ...
func read(t *testing.T, location string, options ...string) (settings, error) {
	t.Helper()
	var opts []storage.Option
	for i := 0; i < len(options); i += 2 {
		opts = append(opts, storage.With(options[i], options[i+1]))
	}
	b, err := storage.Open(t.Context(), location, opts...)
	if err != nil {
		return settings{}, err
	}
	t.Cleanup(func() { b.Close() })
	if l, ok := b.Driver().(*Lake); ok {
		return l.set, nil
	}
	return b.Driver().(*Blobs).set, nil
}

// Every way to write a location, and what becomes of it.
func TestAddresses(t *testing.T) {
	for _, c := range []struct{ in, account, api, url, base string }{
		{"abfss://c@acc.dfs.core.windows.net/a/b", "", "", "abfss://c@acc.dfs.core.windows.net/a/b", "acc.dfs.core.windows.net c acc dfs a/b"},
		{"abfs://c@acc.dfs.core.windows.net", "", "", "abfs://c@acc.dfs.core.windows.net", "acc.dfs.core.windows.net c acc dfs "},
		{"ABFSS://c@Acc.DFS.core.windows.net/A//", "", "", "abfss://c@acc.dfs.core.windows.net/A", "acc.dfs.core.windows.net c acc dfs A"},
		{"abfss://c@acc.dfs.core.windows.net/a b/%C3%A4", "", "", "abfss://c@acc.dfs.core.windows.net/a%20b/%C3%A4", "acc.dfs.core.windows.net c acc dfs a b/ä"},
		{"abfss://c@acc.dfs.core.windows.net/a", "", "blob", "abfss://c@acc.blob.core.windows.net/a", "acc.blob.core.windows.net c acc blob a"},
		{"abfss://c@acc.blob.core.windows.net/a", "", "", "abfss://c@acc.blob.core.windows.net/a", "acc.blob.core.windows.net c acc blob a"},
		{"wasbs://c@acc.blob.core.windows.net/a", "", "", "wasbs://c@acc.blob.core.windows.net/a", "acc.blob.core.windows.net c acc blob a"},
		{"wasb://c@acc.blob.core.windows.net/a", "", "dfs", "wasb://c@acc.dfs.core.windows.net/a", "acc.dfs.core.windows.net c acc dfs a"},
		{"az://c/a/b", "acc", "", "az://c@acc.blob.core.windows.net/a/b", "acc.blob.core.windows.net c acc blob a/b"},
		{"azure://c/a", "acc", "dfs", "azure://c@acc.dfs.core.windows.net/a", "acc.dfs.core.windows.net c acc dfs a"},
		{"adl://c@acc.dfs.core.windows.net/a", "", "", "adl://c@acc.dfs.core.windows.net/a", "acc.dfs.core.windows.net c acc dfs a"},
		{"abfss://c@acc/a", "", "", "abfss://c@acc.dfs.core.windows.net/a", "acc.dfs.core.windows.net c acc dfs a"},
		{"abfss://c/a", "acc", "", "abfss://c@acc.dfs.core.windows.net/a", "acc.dfs.core.windows.net c acc dfs a"},
		{"https://acc.blob.core.windows.net/c/a/b", "", "", "https://acc.blob.core.windows.net/c/a/b", "acc.blob.core.windows.net c acc blob a/b"},
		{"https://acc.dfs.core.windows.net/c", "", "", "https://acc.dfs.core.windows.net/c", "acc.dfs.core.windows.net c acc dfs "},
		{"https://acc.z05.blob.storage.azure.net/c/a", "", "", "https://acc.z05.blob.storage.azure.net/c/a", "acc.z05.blob.storage.azure.net c acc blob a"},
		{"abfss://ws@onelake.dfs.fabric.microsoft.com/l.Lakehouse/Tables/x", "", "", "abfss://ws@onelake.dfs.fabric.microsoft.com/l.Lakehouse/Tables/x", "onelake.dfs.fabric.microsoft.com ws onelake dfs l.Lakehouse/Tables/x"},
		{"abfss://c@acc.dfs.core.usgovcloudapi.net/a", "", "", "abfss://c@acc.dfs.core.usgovcloudapi.net/a", "acc.dfs.core.usgovcloudapi.net c acc dfs a"},
	} {
		a, err := parseAddress(c.in, c.account, c.api)
		if err != nil {
			t.Errorf("%s: %v", c.in, err)
			continue
		}
		if got := strings.Join([]string{a.host, a.container, a.account, a.api, a.path}, " "); got != c.base || a.url() != c.url {
			t.Errorf("%s: %s as %s\nwant %s as %s", c.in, got, a.url(), c.base, c.url)
		}
		again, err := parseAddress(a.url(), "", "")
		if err != nil || again != a {
			t.Errorf("%s: read again as %+v, %v; want %+v", a.url(), again, err, a)
		}
	}
	for in, want := range map[string]string{
		"abfss://":                                  "no container",
		"abfss://@acc.dfs.core.windows.net/a":       "no container",
		"https://acc.blob.core.windows.net":         "no container",
		"abfss://c@acc.dfs.core.windows.net/a/../b": "would leave",
		"abfss://c@acc.dfs.core.windows.net/a#b":    "fragment",
		"abfss://c@acc.dfs.core.windows.net/%zz":    "cannot be read",
		"adl://acc.azuredatalakestore.net/a":        "retired",
	} {
		if _, err := parseAddress(in, "", ""); err == nil || !strings.Contains(err.Error(), want) {
			t.Errorf("%s: %v, want an error with %q", in, err, want)
		}
	}
}

const here = "abfss://c@acc.dfs.core.windows.net/a"

// Hadoop's keys and ours lead to the same settings.
func TestHadoopKeys(t *testing.T) {
	for name, c := range map[string]struct {
		options []string
		want    string
	}{
		"shared key":          {[]string{"fs.azure.account.key.acc.dfs.core.windows.net", "a2V5"}, "account key (key: given)"},
		"shared key by type":  {[]string{"fs.azure.account.auth.type", "SharedKey", "fs.azure.account.key", "a2V5", "fs.azure.sas.fixed.token", "sig=x"}, "account key (key: given)"},
		"the account wins":    {[]string{"fs.azure.account.key", "env:ALL", "fs.azure.account.key.acc.dfs.core.windows.net", "env:ONE"}, "account key (key: env:ONE)"},
		"spark's prefix":      {[]string{"spark.hadoop.fs.azure.account.key.acc.dfs.core.windows.net", "env:ONE", "fs.azure.account.key", "env:ALL"}, "account key (key: env:ONE)"},
		"other accounts":      {[]string{"fs.azure.account.key.other.dfs.core.windows.net", "env:O", "fs.azure.account.key.acc.dfs.core.windows.net", "env:ONE"}, "account key (key: env:ONE)"},
		"signature":           {[]string{"fs.azure.account.auth.type.acc.dfs.core.windows.net", "SAS", "fs.azure.sas.fixed.token.acc.dfs.core.windows.net", "sig=x"}, "shared access signature (signature: given)"},
		"signature of WASB":   {[]string{"fs.azure.sas.c.acc.blob.core.windows.net", "sig=x", "fs.azure.sas.other.acc.blob.core.windows.net", "sig=y"}, "shared access signature (signature: given)"},
		"our names win":       {[]string{"fs.azure.account.key", "env:ALL", "sas", "env:S"}, "shared access signature (signature: env:S)"},
		"nothing":             {nil, "default chain"},
		"managed identity":    {[]string{"fs.azure.account.auth.type", "OAuth", "fs.azure.account.oauth.provider.type", "org.apache.hadoop.fs.azurebfs.oauth2.MsiTokenProvider", "fs.azure.account.oauth2.client.id", "me", "fs.azure.account.oauth2.msi.tenant", "t"}, "managed identity (client id me)"},
		"workload identity":   {[]string{"fs.azure.account.oauth.provider.type", "org.apache.hadoop.fs.azurebfs.oauth2.WorkloadIdentityTokenProvider", "fs.azure.account.oauth2.client.id", "me", "fs.azure.account.oauth2.token.file", "/f"}, "workload identity (client id me)"},
		"query of a SAS URL":  {[]string{"sv", "2022-11-02", "sig", "abc", "sp", "rl"}, "shared access signature (signature: given)"},
		"ours, two and a way": {[]string{"key", "env:K", "sas", "env:S", "auth", "key"}, "account key (key: env:K)"},
		"service principal": {[]string{"fs.azure.account.auth.type", "OAuth", "fs.azure.account.oauth.provider.type", "org.apache.hadoop.fs.azurebfs.oauth2.ClientCredsTokenProvider",
			"fs.azure.account.oauth2.client.id.acc.dfs.core.windows.net", "me", "fs.azure.account.oauth2.client.secret.acc.dfs.core.windows.net", "keyvault://v/n",
			"fs.azure.account.oauth2.client.endpoint", "https://login.microsoftonline.com/ten/oauth2/token"}, "service principal with a secret (client id me, secret: keyvault://v/n)"},
	} {
		t.Run(name, func(t *testing.T) {
			s, err := read(t, here, c.options...)
			if err != nil || s.identity.describe() != c.want {
				t.Errorf("%s, %v; want %s", s.identity.describe(), err, c.want)
			}
			if name == "service principal" && (s.identity.tenant != "ten" || s.identity.authority != "https://login.microsoftonline.com") {
				t.Errorf("tenant %s, authority %s", s.identity.tenant, s.identity.authority)
			}
		})
	}
	t.Run("flat", func(t *testing.T) {
		s, err := read(t, here, "fs.azure.account.hns.enabled", "false")
		if err != nil || s.base != "https://acc.blob.core.windows.net" || s.address.api != "blob" {
			t.Errorf("%+v, %v", s.address, err)
		}
	})
}

// What cannot work is refused when the store is opened, and nothing secret is said.
func TestSettingsRefused(t *testing.T) {
	for name, c := range map[string]struct {
		options []string
		want    string
	}{
		"unknown":            {[]string{"keyy", "PLANTED"}, "keyy is not known here"},
		"unknown of Hadoop":  {[]string{"fs.azure.magic", "PLANTED"}, "fs.azure.magic is not known here"},
		"two ways":           {[]string{"key", "PLANTED", "sas", "PLANTED"}, "several ways to sign in (key, sas): say which by the option auth"},
		"no such way":        {[]string{"auth", "magic"}, "auth=magic: want client-secret"},
		"incomplete":         {[]string{"client-secret", "PLANTED"}, "lack tenant, client-id"},
		"no key":             {[]string{"auth", "key"}, "lack key"},
		"key for a vault":    {[]string{"vault-auth", "key"}, "vault-auth=key"},
		"vault incomplete":   {[]string{"vault-client-secret", "PLANTED"}, "lack vault-tenant, vault-client-id"},
		"authority":          {[]string{"authority", "http://PLANTED@x"}, "option authority: want a URL"},
		"api":                {[]string{"api", "file"}, "api=file: want blob or dfs"},
		"endpoint":           {[]string{"endpoint", "https://x/y?PLANTED"}, "option endpoint: want a URL"},
		"block":              {[]string{"block-size", "PLANTED"}, "block-size: want a number"},
		"hadoop type":        {[]string{"fs.azure.account.auth.type", "Custom"}, "auth.type Custom is not supported"},
		"hadoop provider":    {[]string{"fs.azure.account.oauth.provider.type", "a.b.UserPasswordTokenProvider"}, "UserPasswordTokenProvider is not supported"},
		"hadoop sas":         {[]string{"fs.azure.sas.token.provider.type", "my.Provider"}, "only a JVM can load"},
		"hadoop endpoint":    {[]string{"fs.azure.account.oauth2.client.endpoint", "PLANTED"}, "want a URL such as"},
		"signature, unknown": {[]string{"sv", "PLANTED"}, "sv is not known"},
	} {
		t.Run(name, func(t *testing.T) {
			_, err := read(t, here, c.options...)
			if err == nil || !strings.Contains(err.Error(), c.want) || strings.Contains(err.Error(), "PLANTED") {
				t.Errorf("%v, want an error with %q", err, c.want)
			}
		})
	}
	t.Run("no account", func(t *testing.T) {
		if _, err := read(t, "az://c/a"); err == nil || !strings.Contains(err.Error(), "option account") {
			t.Error(err)
		}
	})
	t.Run("account of the endpoint", func(t *testing.T) {
		s, err := read(t, "az://c/a", "endpoint", "http://127.0.0.1:10000/devstoreaccount1/")
		if err != nil || s.address.account != "devstoreaccount1" || s.base != "http://127.0.0.1:10000/devstoreaccount1" {
			t.Errorf("%+v, %v", s, err)
		}
	})
}
