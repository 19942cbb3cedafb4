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

all=(azurite)
for server in "${@:-${all[@]}}"; do
	"$server"
done
