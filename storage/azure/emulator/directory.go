package emulator

import (
	"crypto"
	"crypto/hmac"
	"crypto/rsa"
	"crypto/sha256"
	"encoding/base64"
	"encoding/json"
	"net/http"
	"strings"
	"sync"
	"time"
)

// Directory signs service principals in, as the Microsoft identity platform
// does with the client credentials grant. Its tokens are JSON web tokens.
type Directory struct {
	tenant string
	key    []byte

	mu        sync.Mutex
	clients   map[string]string         // secrets
	keys      map[string]*rsa.PublicKey // of clients with certificates
	federated map[string]string         // tokens of other issuers that are trusted for a client
	issued    int
}

// NewDirectory makes a directory without principals.
func NewDirectory(tenant string) *Directory {
	return &Directory{tenant: tenant, key: []byte(randomText()), clients: map[string]string{}, keys: map[string]*rsa.PublicKey{}, federated: map[string]string{}}
}

// Add makes a principal known, or gives it another secret.
func (d *Directory) Add(client, secret string) {
	d.mu.Lock()
	defer d.mu.Unlock()
	d.clients[client] = secret
}

// AddKey lets a principal sign in with a certificate that has this key.
func (d *Directory) AddKey(client string, key *rsa.PublicKey) {
	d.mu.Lock()
	defer d.mu.Unlock()
	d.keys[client] = key
}

// AddFederated lets a principal sign in with a token of another issuer, as a workload does.
func (d *Directory) AddFederated(client, token string) {
	d.mu.Lock()
	defer d.mu.Unlock()
	d.federated[client] = token
}

// Issue gives a token for a resource, such as https://storage.azure.com.
func (d *Directory) Issue(client, resource string) string {
	d.mu.Lock()
	defer d.mu.Unlock()
	d.issued++
	return d.token(client, resource)
}

// Issued is how many tokens were given out.
func (d *Directory) Issued() int {
	d.mu.Lock()
	defer d.mu.Unlock()
	return d.issued
}

// ServeHTTP answers the two requests of a sign-in.
func (d *Directory) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	base := "https://" + r.Host + "/" + d.tenant
	switch r.URL.Path {
	case "/" + d.tenant + "/v2.0/.well-known/openid-configuration":
		reply(w, http.StatusOK, map[string]string{"issuer": base + "/v2.0", "token_endpoint": base + "/oauth2/v2.0/token", "authorization_endpoint": base + "/oauth2/v2.0/authorize"})
	case "/" + d.tenant + "/oauth2/v2.0/token":
		d.grant(w, r)
	default:
		reply(w, http.StatusBadRequest, map[string]string{"error": "invalid_tenant", "error_description": "AADSTS90002: there is no such tenant"})
	}
}

func (d *Directory) grant(w http.ResponseWriter, r *http.Request) {
	if err := r.ParseForm(); err != nil || r.Form.Get("grant_type") != "client_credentials" {
		reply(w, http.StatusBadRequest, map[string]string{"error": "unsupported_grant_type", "error_description": "AADSTS70003: want client_credentials"})
		return
	}
	if !d.knows(r.Form.Get("client_id"), r.Form.Get("client_secret"), r.Form.Get("client_assertion")) {
		reply(w, http.StatusUnauthorized, map[string]string{"error": "invalid_client", "error_description": "AADSTS7000215: Invalid client secret provided."})
		return
	}
	audience := strings.TrimSuffix(strings.TrimSuffix(r.Form.Get("scope"), " openid offline_access profile"), "/.default")
	reply(w, http.StatusOK, map[string]any{"token_type": "Bearer", "expires_in": 3600, "access_token": d.Issue(r.Form.Get("client_id"), audience)})
}

// knows reports whether a client has shown its secret, or an assertion that is its own.
func (d *Directory) knows(client, secret, assertion string) bool {
	d.mu.Lock()
	defer d.mu.Unlock()
	if want, ok := d.clients[client]; ok && secret != "" && secret == want {
		return true
	}
	if want, ok := d.federated[client]; ok && assertion != "" && assertion == want {
		return true
	}
	i := strings.LastIndexByte(assertion, '.')
	if d.keys[client] == nil || i < 0 {
		return false
	}
	signature, err := base64.RawURLEncoding.DecodeString(assertion[i+1:])
	sum := sha256.Sum256([]byte(assertion[:i]))
	return err == nil && rsa.VerifyPSS(d.keys[client], crypto.SHA256, sum[:], signature, nil) == nil
}

func (d *Directory) token(client, audience string) string {
	now := time.Now().Unix()
	claims, err := json.Marshal(map[string]any{"iss": "https://sts.windows.net/" + d.tenant + "/", "aud": audience, "appid": client, "iat": now - 60, "nbf": now - 60, "exp": now + 3600})
	if err != nil {
		panic(err) // strings and numbers
	}
	text := base64.RawURLEncoding.EncodeToString([]byte(`{"alg":"HS256","typ":"JWT"}`)) + "." + base64.RawURLEncoding.EncodeToString(claims)
	return text + "." + d.sign(text)
}

func (d *Directory) sign(text string) string {
	mac := hmac.New(sha256.New, d.key)
	mac.Write([]byte(text))
	return base64.RawURLEncoding.EncodeToString(mac.Sum(nil))
}

// Allows reports whether a request has a token of this directory for storage.
func (d *Directory) Allows(r *http.Request) bool {
	return d.accepts(r, "https://storage.azure.com")
}

func (d *Directory) accepts(r *http.Request, audience string) bool {
	token, ok := strings.CutPrefix(r.Header.Get("Authorization"), "Bearer ")
	i := strings.LastIndexByte(token, '.')
	if !ok || i < 0 || !hmac.Equal([]byte(d.sign(token[:i])), []byte(token[i+1:])) {
		return false
	}
	_, body, _ := strings.Cut(token[:i], ".")
	text, err := base64.RawURLEncoding.DecodeString(body)
	var claims struct {
		Aud string `json:"aud"`
		Exp int64  `json:"exp"`
	}
	return err == nil && json.Unmarshal(text, &claims) == nil && strings.TrimSuffix(claims.Aud, "/") == audience && time.Now().Unix() < claims.Exp
}

func reply(w http.ResponseWriter, status int, body any) {
	w.Header().Set("Content-Type", "application/json")
	w.WriteHeader(status)
	_ = json.NewEncoder(w).Encode(body) // a client that has gone is not our business
}
