package azure_test

import (
	"encoding/base64"
	"errors"
	"fmt"
	"maps"
	"net/http"
	"net/http/httptest"
	"slices"
	"strings"
	"sync"
	"testing"

	azlog "github.com/Azure/azure-sdk-for-go/sdk/azcore/log"

	"github.com/sluicelake/sluice/storage"
	"github.com/sluicelake/sluice/storage/azure/emulator"
)

// texts are all that can be seen of a value and, for errors, of what it wraps.
func texts(v interface{}) string {
	s := fmt.Sprintf("%v\n%+v\n%#v\n%q\n%s\n", v, v, v, v, v)
	if err, ok := v.(error); ok {
		switch u := err.(type) {
		case interface{ Unwrap() error }:
			if in := u.Unwrap(); in != nil {
				s += texts(in)
			}
		case interface{ Unwrap() []error }:
			for _, in := range u.Unwrap() {
				s += texts(in)
			}
		}
	}
	return s
}

// all does everything that a store can do and gives the errors.
func all(t *testing.T, b *storage.Bucket) []error {
	ctx := t.Context()
	var errs []error
	_, _, err := b.Get(ctx, "k")
	errs = append(errs, err)
	_, err = b.GetRange(ctx, "k", 0, 1)
	errs = append(errs, err)
	_, err = b.Stat(ctx, "k")
	errs = append(errs, err, b.Delete(ctx, "k"), b.PutIfAbsent(ctx, "k", []byte("x")), b.Put(ctx, "k", []byte("x")))
	w, err := b.Create(ctx, "k")
	if err == nil {
		_, err = w.Write(make([]byte, 3000))
		errs = append(errs, err, w.Commit())
	}
	for _, err := range b.List(ctx, "", "") {
		errs = append(errs, err)
	}
	return append(errs, err)
}

// Planted secrets show nowhere: not in errors or what they wrap, not in what prints,
// not in the SDK's log, whatever the service answers.
func TestSecretsStayHidden(t *testing.T) {
	var mu sync.Mutex
	var logged strings.Builder
	azlog.SetListener(func(e azlog.Event, text string) {
		mu.Lock()
		defer mu.Unlock()
		if !strings.Contains(text, "you sent") { // a service that repeats secrets is not the SDK's fault
			logged.WriteString(text)
		}
	})
	t.Cleanup(func() { azlog.SetListener(nil) })
	c, options := cloud(t)
	planted := base64.StdEncoding.EncodeToString([]byte("PLANTED+/SECRET?&="))
	escaped := "PLANTED%2B%2FSIGNATURE%3D"
	secrets := []string{planted, "PLANTED", escaped}
	echo := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		// A service that says all it was told.
		w.Header().Set("x-ms-error-code", "AuthenticationFailed")
		w.WriteHeader(http.StatusForbidden)
		fmt.Fprintf(w, `{"error":{"code":"x","message":"you sent %s %s %s"},"error_description":"you sent %s"}`, r.URL, r.Header, r.URL.RawQuery, r.URL)
	}))
	t.Cleanup(echo.Close)
	// The directory refuses and tells what it was sent.
	id := emulator.NewIdentity()
	teller, authority, err := id.Serve(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		if strings.HasSuffix(r.URL.Path, "/token") {
			_ = r.ParseForm()
			w.WriteHeader(http.StatusUnauthorized)
			fmt.Fprintf(w, `{"error":"invalid_client","error_description":"you sent %s"}`, r.Form.Encode())
			return
		}
		c.Directory.ServeHTTP(w, r)
	}))
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { teller.Close() })
	trust := saved(t, slices.Concat(c.Certificate, id.PEM))
	c.Vault.Set("planted", planted)
	for name, extra := range map[string][]string{
		"key, echo":            {"auth", "key", "key", planted, "endpoint", echo.URL + "/acc"},
		"signature, echo":      {"auth", "sas", "sas", "sv=2022-11-02&sig=" + escaped, "endpoint", echo.URL + "/acc"},
		"signature, no server": {"auth", "sas", "sas", "sv=2022-11-02&sig=" + escaped, "endpoint", "http://127.0.0.1:1/acc", "retries", "1"},
		"signature, mistrust":  {"auth", "sas", "sas", "?sv=2022-11-02&sig=" + escaped, "ca-file", ""},
		"signature, lake":      {"auth", "sas", "sas", "sv=2022-11-02&sig=" + escaped},
		"secret, refused":      {"client-secret", planted},
		"secret, told":         {"client-secret", planted, "authority", authority, "ca-file", trust},
		"secret of the vault":  {"client-secret", "keyvault://vault/planted"},
		"vault refuses":        {"vault-client-secret", planted},
		"certificate":          {"auth", "client-certificate", "client-certificate", planted, "client-certificate-password", planted},
	} {
		for _, api := range []string{"dfs", "blob"} {
			t.Run(name+", "+api, func(t *testing.T) {
				b := mustOpen(t, "abfss://lake@acc.dfs.core.windows.net/t", options, append(extra, "api", api, "block-size", "1000")...)
				failed := 0
				shown := texts(b) + texts(b.Driver()) + b.URL() + fmt.Sprint(b.Describe())
				for _, err := range all(t, b) {
					if err != nil {
						failed++
						shown += texts(err)
					}
				}
				if failed == 0 {
					t.Error("nothing failed, so nothing was tested")
				}
				for _, s := range secrets {
					if i := strings.Index(shown, s); i >= 0 {
						t.Errorf("a secret shows: ...%s...", shown[max(0, i-200):min(len(shown), i+50)])
					}
				}
			})
		}
	}
	mu.Lock()
	defer mu.Unlock()
	for _, s := range secrets {
		if i := strings.Index(logged.String(), s); i >= 0 {
			t.Errorf("a secret is in the SDK's log: ...%s...", logged.String()[max(0, i-200):i+len(s)])
		}
	}
	if logged.Len() == 0 {
		t.Error("the SDK logged nothing, so nothing was tested")
	}
}

// Errors of signing in say who, why and where the secret comes from, and are told from
// those of the store.
func TestSignInErrors(t *testing.T) {
	_, options := cloud(t)
	t.Setenv("AZURE_TEST_SECRET", "wrong")
	for name, c := range map[string]struct {
		extra []string
		want  string
	}{
		"wrong secret":    {[]string{"client-secret", "env:AZURE_TEST_SECRET"}, "signing in with the service principal with a secret (client id " + emulator.ClientID + ", secret: env:AZURE_TEST_SECRET): 401 Unauthorized: AADSTS7000215: Invalid client secret provided."},
		"no variable":     {[]string{"client-secret", "env:AZURE_TEST_NONE"}, "secret env:AZURE_TEST_NONE: the environment variable is not set"},
		"no such secret":  {[]string{"client-secret", "keyvault://vault/none"}, "secret keyvault://vault/none: 404 Not Found (SecretNotFound)"},
		"vault refuses":   {[]string{"vault-client-secret", "wrong"}, "for the key vault: 401 Unauthorized: AADSTS7000215"},
		"vault in vault":  {[]string{"vault-client-secret", "keyvault://vault/x"}, "cannot lie in a vault"},
		"no directory":    {[]string{"authority", "https://127.0.0.1:1", "retries", "1"}, "connection refused"},
		"bad certificate": {[]string{"auth", "client-certificate", "client-certificate", "env:AZURE_TEST_SECRET"}, "the certificate (env:AZURE_TEST_SECRET) holds no readable certificate"},
		"bad key":         {[]string{"auth", "key", "key", "???"}, "the account key (given) is not base64"},
		"bad signature":   {[]string{"auth", "sas", "sas", "abc"}, "has no sig= in it"},
	} {
		t.Run(name, func(t *testing.T) {
			for _, api := range []string{"dfs", "blob"} {
				b := mustOpen(t, "abfss://lake@acc.dfs.core.windows.net/t", options, append(c.extra, "api", api)...)
				err := b.PutIfAbsent(t.Context(), "k", nil)
				if err == nil || !strings.Contains(err.Error(), c.want) || errors.Is(err, storage.ErrOutcomeUnknown) || errors.Is(err, storage.ErrNotExist) {
					t.Errorf("%s: %v\nwant an error with %s", api, err, c.want)
				}
				if strings.Contains(err.Error(), "\n") {
					t.Errorf("the error has several lines: %v", err)
				}
			}
		})
	}
}

// A container that is not there is not an object that is not there.
func TestNoContainer(t *testing.T) {
	check := func(t *testing.T, b *storage.Bucket) {
		said := 0
		for _, err := range all(t, b) {
			if errors.Is(err, storage.ErrNotExist) {
				t.Error(err)
			}
			if err != nil && strings.Contains(err.Error(), "the container does not exist") {
				said++
			}
		}
		if said < 6 {
			t.Errorf("%d calls say that there is no container", said)
		}
	}
	t.Run("dfs", func(t *testing.T) {
		_, options := cloud(t)
		check(t, mustOpen(t, "abfss://none@acc.dfs.core.windows.net/t", options))
	})
	t.Run("blob", func(t *testing.T) {
		check(t, mustOpen(t, "wasbs://none@devstoreaccount1.blob.core.windows.net/t", map[string]string{"endpoint": azurite(t, nil), "key": azuriteKey}))
	})
}

// A secret that was renewed in the vault is found without opening the store again.
func TestRenewedSecret(t *testing.T) {
	c, options := cloud(t)
	c.Directory.Add(emulator.ClientID, "renewed")
	b := mustOpen(t, "abfss://lake@acc.dfs.core.windows.net/t", options)
	if err := b.Put(t.Context(), "k", nil); !errors.Is(err, storage.ErrPermission) {
		t.Errorf("with the old secret: %v", err)
	}
	c.Vault.Set("writer", "renewed")
	if err := b.Put(t.Context(), "k", nil); err != nil {
		t.Errorf("with the new one: %v", err)
	}
}

// The key signs requests of the dfs endpoint as the blob service checks them, and a
// signature is part of every request, the source of a rename included.
func TestKeyAndSignatureOnDFS(t *testing.T) {
	t.Run("key", func(t *testing.T) {
		endpoint := azurite(t, nil)
		options := map[string]string{"endpoint": endpoint, "key": azuriteKey}
		place := "wasbs://lake@devstoreaccount1.blob.core.windows.net/a b/ä"
		blob, dfs := mustOpen(t, place, options), mustOpen(t, place, options, "api", "dfs")
		if err := blob.Put(t.Context(), "p=%41/x y", []byte("0123456789")); err != nil {
			t.Fatal(err)
		}
		if got, err := dfs.GetRange(t.Context(), "p=%41/x y", 2, 3); err != nil || string(got) != "234" {
			t.Errorf("%q, %v", got, err)
		}
		if _, err := dfs.Stat(t.Context(), "p=%41/x y"); err != nil {
			t.Error(err)
		}
		// Azurite knows no listings of the dfs endpoint, but has checked the signature then.
		for _, err := range dfs.List(t.Context(), "", "p") {
			if err == nil || errors.Is(err, storage.ErrPermission) {
				t.Errorf("List: %v", err)
			}
		}
		if err := dfs.Delete(t.Context(), "p=%41/x y"); err != nil {
			t.Error(err)
		}
		wrong := mustOpen(t, place, options, "api", "dfs", "key", base64.StdEncoding.EncodeToString([]byte("wrong")))
		if _, err := wrong.Stat(t.Context(), "k"); !errors.Is(err, storage.ErrPermission) {
			t.Errorf("with a wrong key: %v", err)
		}
	})
	t.Run("signature", func(t *testing.T) {
		lake := emulator.NewLake("lake", func(r *http.Request) bool {
			source := r.Header.Get("x-ms-rename-source")
			return r.URL.Query().Get("sig") == "a+b=" && (source == "" || strings.HasSuffix(source, "?sig=a%2Bb%3D&sv=1"))
		})
		server := httptest.NewServer(lake)
		t.Cleanup(server.Close)
		b := mustOpen(t, "abfss://lake@acc.dfs.core.windows.net/t?sv=1&sig=a%2Bb%3D", map[string]string{"endpoint": server.URL, "block-size": "1000"})
		for _, err := range all(t, b) {
			if err != nil && !errors.Is(err, storage.ErrNotExist) {
				t.Error(err)
			}
		}
		if b.URL() != "abfss://lake@acc.dfs.core.windows.net/t" {
			t.Error(b.URL())
		}
		if calls := lake.Calls(); calls["rename"] < 3 || calls["append"] < 3 {
			t.Error(slices.Sorted(maps.Keys(calls)))
		}
	})
}
