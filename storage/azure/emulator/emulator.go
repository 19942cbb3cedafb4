// Package emulator is as much of Azure as a lake needs, small enough to run inside
// a process: the sign-in service, a key vault, and the dfs endpoint of a storage
// account with a hierarchical namespace, each over TLS on 127.0.0.1. It serves
// demonstrations and tests; nothing is kept.
//
// The storage follows the public REST reference (Azure Data Lake Storage, Path and
// Filesystem operations) where a client can tell the difference: directories
// appear with their first file and stay, data is appended by position and flushed,
// renames are one step and honour conditions, listings are in the order of the
// hierarchy and paged.
package emulator

import (
	"context"
	"crypto/ecdsa"
	"crypto/elliptic"
	"crypto/rand"
	"crypto/tls"
	"crypto/x509"
	"crypto/x509/pkix"
	"encoding/hex"
	"encoding/pem"
	"errors"
	"io"
	"log"
	"math/big"
	"net"
	"net/http"
	"time"
)

// Cloud is a running emulator.
type Cloud struct {
	Directory *Directory // the sign-in service
	Vault     *Vault
	Lake      *Lake

	// URLs of the three services.
	Authority, VaultURL, StorageURL string
	// Certificate is what clients have to trust, in PEM.
	Certificate []byte

	servers []*http.Server
}

// Tenant, ClientID and Account are the names that a new Cloud knows.
const (
	Tenant   = "11111111-2222-3333-4444-555555555555"
	ClientID = "66666666-7777-8888-9999-000000000000"
	Account  = "lakeaccount"
)

// Start runs the services on free ports. The service principal ClientID has a
// random secret, which is in the vault under the name vaultSecret; operatorSecret
// is the secret of another principal ("operator") that may read the vault.
func Start(container, vaultSecret, operatorSecret string) (*Cloud, error) {
	id := NewIdentity()
	dir := NewDirectory(Tenant)
	secret := randomText()
	dir.Add(ClientID, secret)
	dir.Add("operator", operatorSecret)
	c := &Cloud{Directory: dir, Vault: NewVault(dir, map[string]string{vaultSecret: secret}), Lake: NewLake(container, dir.Allows), Certificate: id.PEM}
	for _, s := range []struct {
		url     *string
		handler http.Handler
	}{{&c.Authority, dir}, {&c.VaultURL, c.Vault}, {&c.StorageURL, c.Lake}} {
		server, url, err := id.Serve(s.handler)
		if err != nil {
			c.Close()
			return nil, err
		}
		c.servers = append(c.servers, server)
		*s.url = url
	}
	return c, nil
}

// Options are the storage options with which a client reaches the cloud: the
// principal's secret by reference to the vault, and the operator for the vault.
// caFile holds Certificate.
func (c *Cloud) Options(vaultSecret, operatorSecret, caFile string) map[string]string {
	return map[string]string{
		"auth": "client-secret", "tenant": Tenant, "client-id": ClientID, "client-secret": "keyvault://vault/" + vaultSecret,
		"authority": c.Authority, "endpoint": c.StorageURL, "ca-file": caFile,
		"vault-auth": "client-secret", "vault-tenant": Tenant, "vault-client-id": "operator", "vault-client-secret": operatorSecret,
		"vault-authority": c.Authority, "vault-endpoint": c.VaultURL,
	}
}

// Close stops the services.
func (c *Cloud) Close() {
	for _, s := range c.servers {
		ctx, cancel := context.WithTimeout(context.Background(), time.Second)
		if s.Shutdown(ctx) != nil {
			s.Close()
		}
		cancel()
	}
}

// Identity is a certificate for 127.0.0.1 with its key, signed by itself.
type Identity struct {
	PEM    []byte // the certificate
	KeyPEM []byte
	cert   tls.Certificate
}

// NewIdentity makes an identity that is valid for a day.
func NewIdentity() *Identity {
	key, err := ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
	if err != nil {
		panic(err) // the system has no randomness
	}
	serial, err := rand.Int(rand.Reader, big.NewInt(1<<62))
	if err != nil {
		panic(err)
	}
	now := time.Now()
	template := &x509.Certificate{SerialNumber: serial, Subject: pkix.Name{CommonName: "sluice emulator"}, NotBefore: now.Add(-time.Hour), NotAfter: now.Add(24 * time.Hour),
		KeyUsage: x509.KeyUsageDigitalSignature | x509.KeyUsageCertSign, ExtKeyUsage: []x509.ExtKeyUsage{x509.ExtKeyUsageServerAuth},
		IPAddresses: []net.IP{net.IPv4(127, 0, 0, 1)}, DNSNames: []string{"localhost"}, BasicConstraintsValid: true, IsCA: true}
	der, err := x509.CreateCertificate(rand.Reader, template, template, &key.PublicKey, key)
	if err != nil {
		panic(err)
	}
	keyDER, err := x509.MarshalPKCS8PrivateKey(key)
	if err != nil {
		panic(err)
	}
	return &Identity{PEM: pem.EncodeToMemory(&pem.Block{Type: "CERTIFICATE", Bytes: der}), KeyPEM: pem.EncodeToMemory(&pem.Block{Type: "PRIVATE KEY", Bytes: keyDER}),
		cert: tls.Certificate{Certificate: [][]byte{der}, PrivateKey: key}}
}

// Serve runs a handler over TLS on a free port of 127.0.0.1.
func (id *Identity) Serve(h http.Handler) (*http.Server, string, error) {
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		return nil, "", err
	}
	s := &http.Server{Handler: h, ReadHeaderTimeout: 10 * time.Second, TLSConfig: &tls.Config{Certificates: []tls.Certificate{id.cert}, MinVersion: tls.VersionTLS12},
		ErrorLog: log.New(io.Discard, "", 0)}
	go func() {
		if err := s.ServeTLS(l, "", ""); !errors.Is(err, http.ErrServerClosed) {
			l.Close()
		}
	}()
	return s, "https://" + l.Addr().String(), nil
}

func randomText() string {
	var b [24]byte
	rand.Read(b[:])
	return hex.EncodeToString(b[:])
}

// Client is an HTTP client that trusts the identity.
func (id *Identity) Client() *http.Client {
	pool := x509.NewCertPool()
	pool.AppendCertsFromPEM(id.PEM)
	return &http.Client{Transport: &http.Transport{TLSClientConfig: &tls.Config{RootCAs: pool, MinVersion: tls.VersionTLS12}}}
}
