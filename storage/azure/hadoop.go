package azure

import (
	"fmt"
	"net/url"
	"slices"
	"strings"

	"github.com/sluicelake/sluice/storage"
)

// hadoopKeys are the keys of Hadoop's ABFS driver that say how to reach an
// account, with our own names for their values ("" where a value is interpreted).
// Each may have "." and the account behind it
// (https://hadoop.apache.org/docs/stable/hadoop-azure/abfs.html, Authentication).
var hadoopKeys = map[string]string{
	"fs.azure.account.auth.type":                  "",
	"fs.azure.account.oauth.provider.type":        "",
	"fs.azure.account.oauth2.client.id":           "client-id",
	"fs.azure.account.oauth2.client.secret":       "client-secret",
	"fs.azure.account.oauth2.client.endpoint":     "",
	"fs.azure.account.oauth2.msi.tenant":          "tenant",
	"fs.azure.account.oauth2.msi.authority":       "authority",
	"fs.azure.account.oauth2.msi.endpoint":        "",
	"fs.azure.account.oauth2.token.file":          "token-file",
	"fs.azure.account.oauth2.workload.token.file": "token-file",
	"fs.azure.account.key":                        "key",
	"fs.azure.sas.fixed.token":                    "sas",
	"fs.azure.sas.token.provider.type":            "",
	"fs.azure.account.hns.enabled":                "",
}

// plain drops the prefix under which Spark passes keys to Hadoop.
func plain(name string) string { return strings.TrimPrefix(name, "spark.hadoop.") }

// baseKey finds the key of hadoopKeys that a name is, and the account behind it.
func baseKey(name string) (base, account string, ok bool) {
	name = plain(name)
	if rest, ok := strings.CutPrefix(name, "fs.azure.sas."); ok && !strings.HasPrefix(rest, "fixed.token") && !strings.HasPrefix(rest, "token.provider.type") {
		// The key of WASB: fs.azure.sas.CONTAINER.ACCOUNT.
		if container, account, ok := strings.Cut(rest, "."); ok {
			return "fs.azure.sas.fixed.token/" + container, account, true
		}
	}
	for base := range hadoopKeys {
		if name == base {
			return base, "", true
		}
		if account, ok := strings.CutPrefix(name, base+"."); ok && len(account) > 0 && !nestedKey(name, base) {
			return base, account, true
		}
	}
	return "", "", false
}

// nestedKey reports that a longer key of hadoopKeys fits the name too.
func nestedKey(name, base string) bool {
	for longer := range hadoopKeys {
		if len(longer) > len(base) && (name == longer || strings.HasPrefix(name, longer+".")) {
			return true
		}
	}
	return false
}

func isHadoop(name string) bool {
	_, _, ok := baseKey(name)
	return ok
}

// hadoopValues translates Hadoop's keys for an account. Keys of other accounts are passed over.
func hadoopValues(cfg storage.Config, a address) (values, error) {
	keys := map[string]string{}
	for _, n := range cfg.Names() {
		base, account, ok := baseKey(n)
		if !ok {
			continue
		}
		if b, container, wasb := strings.Cut(base, "/"); wasb {
			if container != a.container {
				continue
			}
			base = b
		}
		v, _ := cfg.Value(n)
		switch {
		case account == "":
			if _, given := keys[base]; !given {
				keys[base] = v
			}
		case slices.Contains(a.names(), strings.ToLower(account)):
			keys[base] = v // wins over the general form, which sorts before it
		}
	}
	v := values{}
	for base, name := range hadoopKeys {
		if x := keys[base]; x != "" && name != "" {
			v[name] = x
		}
	}
	if strings.EqualFold(keys["fs.azure.account.hns.enabled"], "false") {
		v["api"] = "blob"
	}
	return v, hadoopAuth(keys, v)
}

// hadoopAuth translates the way to sign in.
func hadoopAuth(keys map[string]string, v values) error {
	if p := lastPart(keys["fs.azure.sas.token.provider.type"]); p != "" && p != "FixedSASTokenProvider" {
		return fmt.Errorf("fs.azure.sas.token.provider.type names the class %s, which only a JVM can load: give the signature by the option sas", p)
	}
	provider := lastPart(keys["fs.azure.account.oauth.provider.type"])
	switch t := keys["fs.azure.account.auth.type"]; {
	case t == "" && provider == "":
	case strings.EqualFold(t, "SharedKey"):
		v["auth"] = "key"
	case strings.EqualFold(t, "SAS"):
		v["auth"] = "sas"
	case strings.EqualFold(t, "OAuth"), t == "":
		switch provider {
		case "ClientCredsTokenProvider", "":
			v["auth"] = "client-secret"
		case "MsiTokenProvider":
			v["auth"] = "managed-identity"
		case "WorkloadIdentityTokenProvider":
			v["auth"] = "workload-identity"
		default:
			return fmt.Errorf("fs.azure.account.oauth.provider.type %s is not supported: want ClientCredsTokenProvider, MsiTokenProvider or WorkloadIdentityTokenProvider, or the option auth", provider)
		}
	default:
		return fmt.Errorf("fs.azure.account.auth.type %s is not supported: want SharedKey, OAuth or SAS, or the option auth", t)
	}
	if e := keys["fs.azure.account.oauth2.client.endpoint"]; e != "" {
		// https://login.microsoftonline.com/TENANT/oauth2/token
		u, err := url.Parse(e)
		tenant, _, _ := strings.Cut(strings.Trim(u.EscapedPath(), "/"), "/")
		if err != nil || u.Host == "" || tenant == "" {
			return fmt.Errorf("fs.azure.account.oauth2.client.endpoint: want a URL such as https://login.microsoftonline.com/TENANT/oauth2/token")
		}
		if v["tenant"] == "" {
			v["tenant"] = tenant
		}
		if v["authority"] == "" {
			v["authority"] = u.Scheme + "://" + u.Host
		}
	}
	return nil
}

// lastPart is the class name without its package.
func lastPart(class string) string { return class[strings.LastIndexByte(class, '.')+1:] }
