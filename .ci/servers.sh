#!/usr/bin/env bash
# Installs the servers that tests talk to, in a folder outside of the tree, and prints the variables that name
# them:  eval "$(.ci/servers.sh)"  or, for some of them,  eval "$(.ci/servers.sh azurite)"
# SLUICE_SERVERS is the folder. What is installed already is used as it is.
set -euo pipefail
cache=${SLUICE_SERVERS:-${XDG_CACHE_HOME:-$HOME/.cache}/sluice-servers}
mkdir -p "$cache"

# azurite: Azure Blob Storage, from npm.
azurite() {
	local dir=$cache/azurite-3.37.0
	if ! command -v npm >/dev/null; then
		echo "azurite is left out: there is no npm" >&2
		return
	fi
	if [ ! -x "$dir/node_modules/.bin/azurite-blob" ]; then
		mkdir -p "$dir"
		npm install --prefix "$dir" --no-audit --no-fund --silent azurite@3.37.0 >&2
	fi
	echo "export SLUICE_AZURITE=$dir/node_modules/.bin/azurite-blob"
}

# program installs a Go program of a version under a folder of its own.
program() { # NAME MODULE@VERSION
	local dir=$cache/$1-${2##*@}
	if [ ! -x "$dir/$1" ]; then
		GOBIN=$dir GOFLAGS= go install "$2" >&2
	fi
	echo "$dir/$1"
}

# versitygw: S3 with conditional puts.
versitygw() {
	local path
	path=$(program versitygw github.com/versity/versitygw/cmd/versitygw@v1.8.0)
	echo "export SLUICE_VERSITYGW=$path"
}

# fake_gcs: Google Cloud Storage.
fake_gcs() {
	local path
	path=$(program fake-gcs-server github.com/fsouza/fake-gcs-server@v1.56.1)
	echo "export SLUICE_FAKE_GCS=$path"
}

# moto: DynamoDB, from PyPI.
moto() {
	local dir=$cache/moto-5.2.5
	if ! command -v python3 >/dev/null; then
		echo "moto is left out: there is no python3" >&2
		return
	fi
	if [ ! -x "$dir/bin/moto_server" ]; then
		python3 -m venv "$dir" >&2
		"$dir/bin/pip" install --quiet --disable-pip-version-check 'moto[server]==5.2.5' >&2
	fi
	echo "export SLUICE_MOTO=$dir/bin/moto_server"
}

# What cannot be installed is left out, and said so: its tests are skipped.
if [ "${1:-}" = --one ]; then
	"$2"
	exit
fi
all=(azurite versitygw fake_gcs moto)
for server in "${@:-${all[@]}}"; do
	bash "${BASH_SOURCE[0]}" --one "$server" || echo "$server could not be installed and is left out" >&2
done
