package emulator

import (
	"net/http"
	"strings"
	"sync"
)

// Vault holds secrets and gives them to principals of its directory, as Azure Key
// Vault does: who comes without a token is told where to sign in.
type Vault struct {
	dir *Directory

	mu      sync.Mutex
	secrets map[string]string
	reads   int
}

// NewVault makes a vault.
func NewVault(dir *Directory, secrets map[string]string) *Vault {
	return &Vault{dir: dir, secrets: secrets}
}

// Set stores a secret.
func (v *Vault) Set(name, value string) {
	v.mu.Lock()
	defer v.mu.Unlock()
	v.secrets[name] = value
}

// Reads is how many secrets were given out.
func (v *Vault) Reads() int {
	v.mu.Lock()
	defer v.mu.Unlock()
	return v.reads
}

// ServeHTTP answers Get Secret.
func (v *Vault) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	if !v.dir.accepts(r, "https://vault.azure.net") {
		w.Header().Set("WWW-Authenticate", `Bearer authorization="https://`+r.Host+"/"+v.dir.tenant+`", resource="https://vault.azure.net"`)
		reply(w, http.StatusUnauthorized, failure("Unauthorized", "the request has no valid token for this vault"))
		return
	}
	name, ok := strings.CutPrefix(strings.TrimSuffix(r.URL.Path, "/"), "/secrets/")
	v.mu.Lock()
	value, found := v.secrets[name]
	if found {
		v.reads++
	}
	v.mu.Unlock()
	if !ok || !found {
		reply(w, http.StatusNotFound, failure("SecretNotFound", "A secret with (name/id) "+name+" was not found in this key vault."))
		return
	}
	reply(w, http.StatusOK, map[string]any{"value": value, "id": "https://" + r.Host + "/secrets/" + name + "/1", "attributes": map[string]any{"enabled": true}})
}

func failure(code, message string) map[string]any {
	return map[string]any{"error": map[string]string{"code": code, "message": message}}
}
