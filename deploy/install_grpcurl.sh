#!/usr/bin/env bash
# Provides grpcurl, which Debian has no package of.
set -euo pipefail

usage() {
  cat <<'END'
Usage: deploy/install_grpcurl.sh

Prints the path of a grpcurl: the one on PATH, the one built here earlier, or
one that it builds now into .cache/bin with the Go on PATH (1.19 or newer).
END
}

if (($#)); then
  [[ $1 == --help || $1 == -h ]] && { usage && exit; }
  usage >&2
  exit 2
fi

root=$(cd "$(dirname "${BASH_SOURCE[0]}")/.." && pwd)
built=$root/.cache/bin/grpcurl
if command -v grpcurl; then exit; fi
if [[ -x $built ]]; then
  echo "$built"
  exit
fi
command -v go >/dev/null || {
  echo 'install_grpcurl.sh: neither grpcurl nor go is on PATH' >&2
  exit 1
}

# The module of 1.9.1 asks for Go 1.19, which is Debian 12's; that of 1.9.4
# for Go 1.25.
number=$(go env GOVERSION)
number=${number#go}
IFS=. read -r major minor _ <<<"$number"
minor=${minor%%[!0-9]*}
if ((major > 1 || minor >= 25)); then
  version=v1.9.4
elif ((minor >= 19)); then
  version=v1.9.1
else
  echo "install_grpcurl.sh: Go $number is too old for grpcurl; 1.19 or newer is needed" >&2
  exit 1
fi
mkdir -p "${built%/*}"
# GOTOOLCHAIN: the Go that is here, never another one fetched for the purpose.
GOTOOLCHAIN=local GOFLAGS='' GOBIN=${built%/*} \
  go install "github.com/fullstorydev/grpcurl/cmd/grpcurl@$version" >&2
echo "$built"
