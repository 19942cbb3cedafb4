package azure

import (
	"errors"
	"fmt"
	"net/url"
	"slices"
	"strings"

	"github.com/sluicelake/sluice/storage"
)

// address is where a location points: a path in a container of an account, by one
// of its two endpoints.
type address struct {
	scheme    string
	host      string // of the endpoint; "" when only the account is known
	account   string
	container string
	path      string // without slashes at its ends; "" is the whole container
	api       string // blob or dfs
}

// parseAddress reads a location. account completes locations that name none, api
// overrides the endpoint; both may be "".
func parseAddress(location, account, api string) (address, error) {
	u, err := url.Parse(location)
	if err != nil {
		return address{}, errors.Join(errors.New("the URL cannot be read; special characters in its path are written as %XX"), bare(err))
	}
	if u.Fragment != "" {
		return address{}, errors.New("the URL has a fragment: write %23 for a # in the path")
	}
	a := address{scheme: strings.ToLower(u.Scheme), account: account, host: strings.ToLower(u.Host), path: strings.Trim(u.Path, "/")}
	switch {
	case u.User != nil: // CONTAINER@HOST
		a.container = u.User.Username()
	case a.scheme == "https" || strings.Contains(a.host, "."):
		a.container, a.path, _ = strings.Cut(a.path, "/")
	default: // SCHEME://CONTAINER/PATH
		a.container, a.host = a.host, ""
	}
	if strings.HasSuffix(a.host, ".azuredatalakestore.net") {
		return address{}, errors.New("this is Data Lake Storage Gen1, which was retired in 2024; Gen2 is addressed by abfss://CONTAINER@ACCOUNT.dfs.core.windows.net/PATH")
	}
	if a.host != "" && !strings.Contains(a.host, ".") {
		a.account, a.host = a.host, ""
	}
	a.path = strings.Trim(a.path, "/")
	if a.container == "" {
		return address{}, errors.New("the URL names no container: write abfss://CONTAINER@ACCOUNT.dfs.core.windows.net/PATH")
	}
	if a.path != "" {
		if err := storage.CheckKey(a.path); err != nil {
			return address{}, fmt.Errorf("the path of the URL: %w", err)
		}
	}
	return a, a.resolve(api)
}

// resolve settles account, endpoint and host.
func (a *address) resolve(api string) error {
	labels := strings.Split(a.host, ".")
	door := slices.IndexFunc(labels, func(l string) bool { return l == "blob" || l == "dfs" })
	switch {
	case api == "blob" || api == "dfs":
		a.api = api
	case api != "":
		return fmt.Errorf("storage option api=%s: want blob or dfs", api)
	case door > 0:
		a.api = labels[door]
	case a.scheme == "abfss" || a.scheme == "abfs":
		a.api = "dfs"
	default:
		a.api = "blob"
	}
	if door > 0 {
		labels[door] = a.api
		a.host = strings.Join(labels, ".")
	}
	if a.account == "" && a.host != "" {
		a.account = labels[0]
	}
	if a.host == "" && a.account != "" {
		a.host = a.account + "." + a.api + ".core.windows.net"
	}
	return nil
}

// suffix is the cloud's part of the host name: core.windows.net.
func (a address) suffix() string {
	for _, door := range []string{".blob.", ".dfs."} {
		if _, rest, ok := strings.Cut(a.host, door); ok {
			return rest
		}
	}
	return "core.windows.net"
}

// url is the canonical form of the address, in the words in which it was given.
func (a address) url() string {
	path := ""
	if a.path != "" {
		path = "/" + (&url.URL{Path: a.path}).EscapedPath()
	}
	host := a.host
	if a.scheme == "https" {
		return "https://" + host + "/" + a.container + path
	}
	return a.scheme + "://" + a.container + "@" + host + path
}

// names are the forms of the account that may end a Hadoop key.
func (a address) names() []string {
	names := []string{a.account}
	for _, door := range []string{"dfs", "blob"} {
		names = append(names, a.account+"."+door+"."+a.suffix())
	}
	if a.host != "" && !slices.Contains(names, a.host) {
		names = append(names, a.host)
	}
	return names
}
