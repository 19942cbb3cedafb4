package azure

import (
	"context"
	"encoding/base64"
	"fmt"
	"net/http"
	"strings"

	"github.com/Azure/azure-sdk-for-go/sdk/azcore"
	"github.com/Azure/azure-sdk-for-go/sdk/azcore/policy"
	"github.com/Azure/azure-sdk-for-go/sdk/azcore/runtime"

	"github.com/sluicelake/sluice/storage/remote"
)

var telemetry = policy.TelemetryOptions{ApplicationID: "sluice"}

// scope is what tokens for storage are asked for.
const scope = "https://storage.azure.com/.default"

// access is a resolved credential: exactly one of token, key and sas, or none for
// anonymous reading.
type access struct {
	account string
	token   azcore.TokenCredential
	key     string
	sas     string
}

// resolve reveals the secrets of an identity, which it also returns.
func (s *Store) resolve(ctx context.Context) (access, []string, error) {
	a := access{account: s.set.address.account}
	ctx = remote.WithVault(ctx, "keyvault", s.fromVault)
	switch s.set.identity.kind {
	case "anonymous":
		return a, nil, nil
	case "key":
		key, err := s.set.identity.key.Reveal(ctx)
		if err != nil {
			return a, nil, err
		}
		if _, err := base64.StdEncoding.DecodeString(key); err != nil {
			return a, nil, fmt.Errorf("the account key (%s) is not base64", s.set.identity.key.Origin())
		}
		a.key = key
		return a, []string{key}, nil
	case "sas":
		sas, err := s.set.identity.sas.Reveal(ctx)
		if err != nil {
			return a, nil, err
		}
		a.sas = strings.TrimPrefix(strings.TrimSpace(sas), "?")
		if !strings.Contains(a.sas, "sig=") {
			return a, nil, fmt.Errorf("the shared access signature (%s) has no sig= in it", s.set.identity.sas.Origin())
		}
		return a, signatures(a.sas), nil
	}
	cred, secrets, err := s.set.identity.token(ctx, s.client.HTTP)
	if err != nil {
		return a, nil, err
	}
	a.token = &signIn{cred: cred, who: s.set.identity.describe(), hide: redactor(secrets)}
	return a, secrets, nil
}

// signIn turns the errors of a credential into ours: they come before any request
// to the store.
type signIn struct {
	cred azcore.TokenCredential
	who  string
	hide redactor
}

func (t *signIn) GetToken(ctx context.Context, o policy.TokenRequestOptions) (azcore.AccessToken, error) {
	broken := new(error)
	tok, err := t.cred.GetToken(context.WithValue(ctx, wireKey{}, broken), o)
	if err != nil {
		return tok, remote.NotSent(noObject(t.hide.clean(signInError(ctx, t.who, err, *broken))))
	}
	return tok, nil
}

// wire sends the requests of SDKs. What breaks them is noted in the context, as
// the layers above keep texts only, and comes without their URLs, which SDKs log.
type wire struct{ c *http.Client }

type wireKey struct{}

func (w *wire) Do(r *http.Request) (*http.Response, error) {
	resp, err := w.c.Do(r)
	if err != nil {
		err = bare(err)
	}
	if broken, ok := r.Context().Value(wireKey{}).(*error); ok {
		*broken = err
	}
	return resp, err
}

// pipeline is the way of a request to the dfs endpoint: credential, then transport.
func (a access) pipeline(c *http.Client) runtime.Pipeline {
	var auth []policy.Policy
	switch {
	case a.token != nil:
		auth = append(auth, runtime.NewBearerTokenPolicy(a.token, []string{scope}, nil))
	case a.key != "":
		auth = append(auth, &sharedKey{a.account, a.key})
	}
	return runtime.NewPipeline("sluice", "1", runtime.PipelineOptions{PerRetry: auth},
		&policy.ClientOptions{Transport: &wire{c}, Telemetry: telemetry, Retry: policy.RetryOptions{MaxRetries: -1}})
}

// decoded undoes base64, in which vaults keep certificates; PEM stays as it is.
func decoded(text string) []byte {
	if b, err := base64.StdEncoding.DecodeString(strings.TrimSpace(text)); err == nil {
		return b
	}
	return []byte(text)
}
