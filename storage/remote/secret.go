package remote

import (
	"context"
	"fmt"
	"os"
	"slices"
	"strings"
	"sync"
)

// Secret is a password, key or token, given as itself or by reference:
//
//	env:NAME               an environment variable
//	file:PATH              the contents of a file, less the line end
//	keyvault://VAULT/NAME  a secret of an Azure Key Vault (registered by storage/azure)
//
// References are resolved when the secret is needed. Printing a Secret in any
// way prints where it comes from, never what it is.
type Secret struct {
	// Behind a pointer, which is all that printing a structure with a Secret in
	// an unexported field shows.
	held *held
}

type held struct {
	text  string
	asRef bool
}

// NewSecret takes a value or a reference; the empty string is no secret.
func NewSecret(v string) Secret {
	if v == "" {
		return Secret{}
	}
	scheme, _, ok := strings.Cut(v, ":")
	return Secret{&held{v, ok && isReference(scheme, v)}}
}

func isReference(scheme, v string) bool {
	if scheme == "env" || scheme == "file" {
		return true
	}
	vaults.RLock()
	defer vaults.RUnlock()
	return vaults.open[scheme] != nil && strings.HasPrefix(v, scheme+"://")
}

// IsSet reports whether there is a secret at all.
func (s Secret) IsSet() bool { return s.held != nil }

// Origin says where the secret comes from, for people: "env:NAME", or "given".
func (s Secret) Origin() string {
	switch {
	case s.held == nil:
		return "none"
	case s.held.asRef:
		return s.held.text
	}
	return "given"
}

// String hides the secret.
func (s Secret) String() string { return "(secret, " + s.Origin() + ")" }

// GoString hides the secret.
func (s Secret) GoString() string { return s.String() }

// Format hides the secret from every verb.
func (s Secret) Format(f fmt.State, _ rune) { fmt.Fprint(f, s.String()) }

// MarshalText hides the secret from encoders.
func (s Secret) MarshalText() ([]byte, error) { return []byte(s.String()), nil }

// Reveal resolves the secret. Its errors name the reference only.
func (s Secret) Reveal(ctx context.Context) (string, error) {
	if s.held == nil {
		return "", nil
	}
	text := s.held.text
	if !s.held.asRef {
		return text, nil
	}
	scheme, rest, _ := strings.Cut(text, ":")
	switch scheme {
	case "env":
		v, ok := os.LookupEnv(rest)
		if !ok || v == "" {
			return "", fmt.Errorf("secret %s: the environment variable is not set", text)
		}
		return v, nil
	case "file":
		v, err := os.ReadFile(strings.TrimPrefix(rest, "//"))
		if err != nil {
			return "", fmt.Errorf("secret %s: %w", text, err)
		}
		if v := strings.TrimRight(string(v), "\r\n"); v != "" {
			return v, nil
		}
		return "", fmt.Errorf("secret %s: the file is empty", text)
	}
	open, ok := ctx.Value(vaultKey(scheme)).(Vault)
	if !ok {
		vaults.RLock()
		open = vaults.open[scheme]
		vaults.RUnlock()
	}
	v, err := open(ctx, text)
	if err != nil {
		return "", fmt.Errorf("secret %s: %w", text, err)
	}
	return v, nil
}

// Vault finds the secret of a reference (SCHEME://...).
type Vault func(ctx context.Context, ref string) (string, error)

type vaultKey string

// WithVault makes secrets that are revealed under the context look into this vault
// instead of the registered one of the scheme: a driver that was given credentials
// for the vault.
func WithVault(ctx context.Context, scheme string, v Vault) context.Context {
	return context.WithValue(ctx, vaultKey(scheme), v)
}

var vaults struct {
	sync.RWMutex
	open map[string]Vault
}

// RegisterVault makes references of a scheme (SCHEME://...) known. Drivers call
// it from init; registering a scheme twice panics.
func RegisterVault(scheme string, open Vault) {
	vaults.Lock()
	defer vaults.Unlock()
	if vaults.open == nil {
		vaults.open = map[string]Vault{}
	}
	if vaults.open[scheme] != nil || slices.Contains([]string{"env", "file"}, scheme) {
		panic("remote: the vault scheme " + scheme + " is registered twice")
	}
	vaults.open[scheme] = open
}
