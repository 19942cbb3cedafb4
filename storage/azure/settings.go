package azure

import (
	"errors"
	"fmt"
	"net/url"
	"path"
	"slices"
	"strconv"
	"strings"

	"github.com/sluicelake/sluice/storage"
	"github.com/sluicelake/sluice/storage/remote"
)

// settings are the options of one handle, in our own names.
type settings struct {
	address   address
	base      string // URL of the service, to which the container is added
	identity  identity
	vault     identity
	vaultURL  string
	blockSize int
	parallel  int
}

// placeNames and identityNames are our own options besides remote.Options.
var (
	placeNames    = []string{"account", "api", "endpoint", "key", "sas", "block-size", "parallel", "vault-endpoint"}
	identityNames = []string{"auth", "tenant", "client-id", "client-secret", "client-certificate", "client-certificate-password", "token-file", "authority"}
)

// signatureNames are the parameters of a shared access signature that may stand in a URL's query.
var signatureNames = []string{"sv", "ss", "srt", "sp", "st", "se", "spr", "sip", "sr", "sdd", "si", "sig", "ses", "scid",
	"skoid", "sktid", "skt", "ske", "sks", "skv", "saoid", "suoid", "sduoid", "skdutid", "rscc", "rscd", "rsce", "rscl", "rsct"}

// values are named options: ours, and Hadoop's translated.
type values map[string]string

func readSettings(location string, cfg storage.Config) (settings, error) {
	own := ownValues(cfg)
	a, err := parseAddress(location, own["account"], own["api"])
	if err != nil {
		return settings{}, err
	}
	s := settings{address: a, base: "https://" + a.host}
	if e := own["endpoint"]; e != "" {
		if err := s.override(e); err != nil {
			return settings{}, err
		}
	}
	if s.address.account == "" {
		return settings{}, errors.New("the URL names no storage account: give the option account, or write abfss://CONTAINER@ACCOUNT.dfs.core.windows.net/PATH")
	}
	hadoop, err := hadoopValues(cfg, s.address)
	if err != nil {
		return settings{}, err
	}
	if err := known(cfg); err != nil {
		return settings{}, err
	}
	all := hadoop.under(own)
	if api := all["api"]; api != s.address.api && api != "" {
		if err := s.address.resolve(api); err != nil {
			return settings{}, err
		}
		if own["endpoint"] == "" {
			s.base = "https://" + s.address.host
		}
	}
	if s.identity, err = readIdentity(all, "", s.address.suffix()); err != nil {
		return settings{}, err
	}
	vault := values{}
	for k, v := range own {
		if name, ok := strings.CutPrefix(k, "vault-"); ok {
			vault[name] = v
		}
	}
	if s.vault, err = readIdentity(vault, "vault-", s.address.suffix()); err != nil {
		return settings{}, err
	}
	s.vaultURL = strings.TrimSuffix(vault["endpoint"], "/")
	if s.blockSize, err = number(own, "block-size", 8<<20, 4000<<20); err != nil {
		return settings{}, err
	}
	s.parallel, err = number(own, "parallel", 4, 64)
	return s, err
}

// override takes the base URL of an emulator or proxy. In the style of emulators
// its path ends in the account.
func (s *settings) override(endpoint string) error {
	u, err := url.Parse(endpoint)
	if err != nil || u.Host == "" || (u.Scheme != "http" && u.Scheme != "https") || u.RawQuery != "" || u.User != nil {
		return errors.New("storage option endpoint: want a URL such as http://127.0.0.1:10000/devstoreaccount1, without a query")
	}
	s.base = strings.TrimSuffix(u.String(), "/")
	if s.address.account == "" {
		if last := path.Base(u.Path); last != "." && last != "/" {
			s.address.account = last
		}
	}
	if s.address.host == "" {
		return s.address.resolve(s.address.api)
	}
	return nil
}

// ownValues are the options in our own names; a signature in the query is the option sas.
func ownValues(cfg storage.Config) values {
	v := values{}
	for _, n := range ownNames() {
		if x, ok := cfg.Value(n); ok {
			v[n] = x
		}
	}
	if _, ok := cfg.Value("sig"); ok && v["sas"] == "" {
		q := url.Values{}
		for _, n := range signatureNames {
			if x, ok := cfg.Value(n); ok {
				q.Set(n, x)
			}
		}
		v["sas"] = q.Encode()
	}
	return v
}

func ownNames() []string {
	names := slices.Concat(placeNames, identityNames)
	for _, n := range identityNames {
		names = append(names, "vault-"+n)
	}
	return names
}

// known refuses options that nobody reads.
func known(cfg storage.Config) error {
	own := slices.Concat(ownNames(), remote.Options)
	_, signed := cfg.Value("sig")
	for _, n := range cfg.Names() {
		if slices.Contains(own, n) || isHadoop(n) || (signed && slices.Contains(signatureNames, n)) {
			continue
		}
		return fmt.Errorf("storage option %s is not known here; known: %s, and the keys fs.azure.* of Hadoop", n, strings.Join(own, ", "))
	}
	return nil
}

// under puts other values on top.
func (v values) under(top values) values {
	all := values{}
	for k, x := range v {
		all[k] = x
	}
	for k, x := range top {
		all[k] = x
	}
	// Ways to sign in do not mix: what is said in our own names stands alone.
	if top["auth"] == "" && (top["key"] != "" || top["sas"] != "" || top["client-secret"] != "" || top["client-certificate"] != "") {
		delete(all, "auth")
		for _, n := range []string{"key", "sas", "client-secret", "client-certificate"} {
			if top[n] == "" {
				delete(all, n)
			}
		}
	}
	return all
}

func number(v values, name string, fallback, most int) (int, error) {
	text := v[name]
	if text == "" {
		return fallback, nil
	}
	n, err := strconv.Atoi(text)
	if err != nil || n < 1 || n > most {
		return 0, fmt.Errorf("storage option %s: want a number from 1 to %d", name, most)
	}
	return n, nil
}
