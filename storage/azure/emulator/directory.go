package emulator

import (
	"crypto/hmac"
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

	mu      sync.Mutex
	clients map[string]string // secrets
	issued  int
}

// NewDirectory makes a directory without principals.
func NewDirectory(tenant string) *Directory {
	return &Directory{tenant: tenant, key: []byte(randomText()), clients: map[string]string{}}
}

// Add makes a principal known, or gives it another secret.
func (d *Directory) Add(client, secret string) {
	d.mu.Lock()
	defer d.mu.Unlock()
	d.clients[client] = secret
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
	d.mu.Lock()
	secret, ok := d.clients[r.Form.Get("client_id")]
	ok = ok && secret == r.Form.Get("client_secret")
	if ok {
		d.issued++
	}
	d.mu.Unlock()
	if !ok {
		reply(w, http.StatusUnauthorized, map[string]string{"error": "invalid_client", "error_description": "AADSTS7000215: Invalid client secret provided."})
		return
	}
	audience := strings.TrimSuffix(strings.TrimSuffix(r.Form.Get("scope"), " openid offline_access profile"), "/.default")
	reply(w, http.StatusOK, map[string]any{"token_type": "Bearer", "expires_in": 3600, "access_token": d.token(r.Form.Get("client_id"), audience)})
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
