package azure

import (
	"crypto/hmac"
	"crypto/sha256"
	"encoding/base64"
	"net/http"
	"slices"
	"strings"
	"time"

	"github.com/Azure/azure-sdk-for-go/sdk/azcore/policy"
)

// sharedKey signs requests with the account's key ("Authorize with Shared Key" in
// the REST reference of Azure Storage; the SDK's own signer is for its clients only).
type sharedKey struct{ account, key string }

func (k *sharedKey) Do(req *policy.Request) (*http.Response, error) {
	r := req.Raw()
	if r.Header.Get("x-ms-date") == "" {
		r.Header.Set("x-ms-date", time.Now().UTC().Format(http.TimeFormat))
	}
	key, err := base64.StdEncoding.DecodeString(k.key)
	if err != nil {
		return nil, err
	}
	mac := hmac.New(sha256.New, key)
	mac.Write([]byte(toSign(r, k.account)))
	r.Header.Set("Authorization", "SharedKey "+k.account+":"+base64.StdEncoding.EncodeToString(mac.Sum(nil)))
	return req.Next()
}

// toSign is the text of a request that is signed.
func toSign(r *http.Request, account string) string {
	length := r.Header.Get("Content-Length")
	if length == "0" {
		length = ""
	}
	lines := []string{r.Method, r.Header.Get("Content-Encoding"), r.Header.Get("Content-Language"), length, r.Header.Get("Content-MD5"),
		r.Header.Get("Content-Type"), "", r.Header.Get("If-Modified-Since"), r.Header.Get("If-Match"), r.Header.Get("If-None-Match"),
		r.Header.Get("If-Unmodified-Since"), r.Header.Get("Range")}
	var own []string
	for name, v := range r.Header {
		if name = strings.ToLower(name); strings.HasPrefix(name, "x-ms-") {
			own = append(own, name+":"+strings.Join(v, ","))
		}
	}
	slices.Sort(own)
	path := r.URL.EscapedPath()
	if path == "" {
		path = "/"
	}
	lines = append(append(lines, own...), "/"+account+path)
	query := r.URL.Query()
	var params []string
	for name, v := range query {
		slices.Sort(v)
		params = append(params, strings.ToLower(name)+":"+strings.Join(v, ","))
	}
	slices.Sort(params)
	return strings.Join(append(lines, params...), "\n")
}
