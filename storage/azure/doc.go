// Package azure keeps objects in Azure Blob Storage and in Azure Data Lake
// Storage Gen2. The one idea: an account has two doors to the same objects, and
// each has its own way to create an object only where there is none.
//
//   - The blob endpoint: one conditional request (Put Blob with If-None-Match: *).
//   - The dfs endpoint of accounts with a hierarchical namespace: a file is
//     written under a temporary name, and renamed on condition that the new name is
//     free (Path Create with x-ms-rename-source and If-None-Match: *). Creating the
//     file under its own name would show it empty before its data arrives.
//
// Both are atomic and exclusive, and each excludes the other, because the
// objects are the same. Hadoop's ABFS driver, and with it Delta's AzureLogStore on
// Spark, does the second; docs/decisions/0005-azure.md has the reasons.
//
// # Locations
//
//	abfss://CONTAINER@ACCOUNT.dfs.core.windows.net/PATH     the dfs endpoint (also abfs)
//	wasbs://CONTAINER@ACCOUNT.blob.core.windows.net/PATH    the blob endpoint (also wasb)
//	az://CONTAINER/PATH                                     the blob endpoint; needs the option account (also azure, adl)
//	https://ACCOUNT.(blob|dfs).core.windows.net/CONTAINER/PATH
//
// Requests go over TLS whatever the scheme says, unless the option endpoint names
// an emulator. A shared access signature may be the query of any of them.
//
// # Options
//
//	account    the name of the storage account, where the URL has none
//	api        blob or dfs: the endpoint to use (default: what the URL says)
//	endpoint   base URL of the service instead of https://ACCOUNT.(blob|dfs)..., for emulators and proxies
//	auth       how to sign in: client-secret, client-certificate, workload-identity, managed-identity, cli,
//	           key, sas, anonymous or default (default: what the other options say; with none, the chain of
//	           environment, workload identity, managed identity and developers' logins)
//	tenant, client-id, client-secret               a service principal
//	client-certificate, client-certificate-password  the same with a certificate (PEM or PKCS#12, usually file:PATH)
//	token-file                                     workload identity
//	authority                                      the sign-in service (default: of the account's cloud)
//	key, sas                                       the account's key; a shared access signature
//	vault-auth, vault-tenant, vault-client-id, ... the same, for signing in to key vaults (default: the chain)
//	vault-endpoint                                 URL of the key vault (default: https://VAULT.vault.azure.net)
//	block-size, parallel                           of uploads: bytes of a block (default 8388608), blocks under way (default 4)
//
// besides those of package remote. Secrets may be references: env:NAME,
// file:PATH, keyvault://VAULT/NAME. The keys of Hadoop's ABFS and WASB drivers
// are accepted too, with and without "spark.hadoop." in front and with and
// without the account behind (fs.azure.account.auth.type, fs.azure.account.key,
// fs.azure.account.oauth2.client.id and so on); the form with the account wins,
// and the names above win over both.
package azure
